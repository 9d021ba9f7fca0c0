#include "parameters.h"

#include "memory.h"
#include "status.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The line of `list` with this key, NULL when there is none. */
static const char *find_line(const char *list, const char *key, size_t length)
{
    while (*list != '\0') {
        if (strncmp(list, key, length) == 0 && list[length] == ' ') return list;
        list += strcspn(list, "\n");
        list += *list == '\n';
    }
    return NULL;
}

const char *parameters_find(const char *list, const char *key)
{
    const char *line = find_line(list, key, strlen(key));
    if (line == NULL) return NULL;
    line += strcspn(line, "=\n");
    line += *line == '=';
    return line + strspn(line, " ");
}

static bool may_differ(const char *line, size_t key, const char *const *free_to)
{
    for (; *free_to != NULL; free_to++) {
        const size_t length = strlen(*free_to);
        const bool section = (*free_to)[length - 1] == '.';
        if ((section ? key >= length : key == length) && strncmp(line, *free_to, length) == 0) return true;
    }
    return false;
}

bool parameters_differ(char difference[PARAMETERS_DIFFERENCE_MAX], const char *there, const char *here,
                       const char *const *free_to)
{
    for (int pass = 0; pass < 2; pass++) { /* keys that are there; then keys that only this list has */
        const char *line = pass == 0 ? there : here;
        while (*line != '\0') {
            size_t length = strcspn(line, "\n"), key = strcspn(line, " =\n");
            const char *other = find_line(pass == 0 ? here : there, line, key);
            size_t other_length = other == NULL ? 0 : strcspn(other, "\n");
            if (key > 0 && !may_differ(line, key, free_to) && (other_length != length || strncmp(line, other, length) != 0)) {
                const char *t = pass == 0 ? line : other, *h = pass == 0 ? other : line;
                size_t t_length = pass == 0 ? length : other_length, h_length = pass == 0 ? other_length : length;
                snprintf(difference, PARAMETERS_DIFFERENCE_MAX, "there %.*s, here %.*s", t == NULL ? 7 : (int)t_length,
                         t == NULL ? "nothing" : t, h == NULL ? 7 : (int)h_length, h == NULL ? "nothing" : h);
                return true;
            }
            line += length + (line[length] == '\n');
        }
    }
    return false;
}

int parameters_replace(char **out, const char *list, const char *key, long long value)
{
    char text[32], *before = NULL;
    const char *old = parameters_find(list, key);
    assert(old != NULL);
    snprintf(text, sizeof text, "%lld", value);
    int status = memory_copy_text(&before, list);
    if (status != STATUS_OK) return status;
    before[old - list] = '\0';
    status = memory_join(out, (const char *const[]){before, text, old + strcspn(old, "\n")}, 3, "");
    free(before);
    return status;
}
