#include "config.h"

#include "memory.h"
#include "nearest.h"
#include "status.h"

#include <assert.h>
#include <ctype.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { WHERE_MAX = 400, NAMES_MAX = 256 /* keys of a table */ };

/* The beginning of a message about a value that was set at `line`. */
static void describe_place(char where[WHERE_MAX], const struct config *c, int line)
{
    if (line == CONFIG_OVERRIDE)
        snprintf(where, WHERE_MAX, "-P");
    else if (line == CONFIG_DEFAULT)
        snprintf(where, WHERE_MAX, "%s:", c->name);
    else
        snprintf(where, WHERE_MAX, "%s:%d:", c->name, line);
}

static int find(const struct config *c, const char *section, const char *key)
{
    for (int i = 0; i < c->keys; i++)
        if (strcmp(c->key[i].section, section) == 0 && strcmp(c->key[i].key, key) == 0) return i;
    return -1;
}

/* The names of the keys of a section (NULL: of all), or of the sections (keys = false), each once. */
static int list_names(const char *name[NAMES_MAX], const struct config *c, const char *section, bool keys)
{
    int names = 0;
    for (int i = 0; i < c->keys; i++) {
        const struct config_key *k = &c->key[i];
        if (!keys && (names == 0 || strcmp(name[names - 1], k->section) != 0)) name[names++] = k->section;
        if (keys && (section == NULL || strcmp(section, k->section) == 0)) name[names++] = k->key;
    }
    return names;
}

/* Name the nearest known name, or all when none is near. */
static void suggest(char hint[WHERE_MAX], const char *name, const char *const *known, int count)
{
    const char *near = nearest_name(name, known, count);
    int length = near != NULL ? snprintf(hint, WHERE_MAX, "the nearest known one is %s", near)
                              : snprintf(hint, WHERE_MAX, "known are");
    for (int i = 0; near == NULL && i < count && length < WHERE_MAX; i++)
        length += snprintf(hint + length, (size_t)(WHERE_MAX - length), "%s %s", i == 0 ? "" : ",", known[i]);
}

static int fail_unknown(const struct config *c, const char *where, const char *section, const char *key)
{
    const char *known[NAMES_MAX];
    char hint[WHERE_MAX];
    int keys = list_names(known, c, section, true);
    if (keys == 0 && section[0] != '\0') {
        suggest(hint, section, known, list_names(known, c, NULL, false));
        return status_fail(STATUS_INPUT, "%s unknown section [%s]; %s", where, section, hint);
    }
    /* the same key of another section is nearer than any misspelling */
    for (int i = 0; i < c->keys; i++)
        if (strcmp(key, c->key[i].key) == 0)
            return status_fail(STATUS_INPUT, "%s %s%s%s is not a key; the nearest known one is %s.%s", where, section,
                               section[0] == '\0' ? "" : ".", key, c->key[i].section, key);
    if (keys == 0) keys = list_names(known, c, NULL, true);
    suggest(hint, key, known, keys);
    return status_fail(STATUS_INPUT, "%s unknown key %s%s%s; %s", where, section, section[0] == '\0' ? "" : ".", key, hint);
}

/* Until all is read, value[i].text is the text as it was written. */
static int set(struct config *c, const char *where, const char *section, const char *key, const char *text, int line)
{
    int i = find(c, section, key);
    if (i < 0) return fail_unknown(c, where, section, key);
    struct config_value *v = &c->value[i];
    if (line > 0 && v->text != NULL)
        return status_fail(STATUS_INPUT, "%s %s.%s is set twice, first in line %d; remove one of them", where, section, key,
                           v->line);
    free(v->text);
    v->line = line;
    return memory_copy_text(&v->text, text);
}

/* inih may be built without line numbers, so the lines are counted where they are handed to it. */
struct lines {
    struct config *config;
    const char *next;
    int line, status;
};

/* inih knows comments as well, but none that begin with a `#` inside a line, and it counts them into a line's length. */
static size_t without_comment(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((text[i] == '#' || text[i] == ';') && (i == 0 || isspace((unsigned char)text[i - 1]))) return i;
    return length;
}

static char *next_line(char *out, int size, void *user)
{
    struct lines *l = user;
    if (l->status != STATUS_OK || *l->next == '\0') return NULL;
    l->line++;
    size_t length = strcspn(l->next, "\n"), blanks = strspn(l->next, " \t\r");
    const char *text = l->next;
    l->next += length + (l->next[length] == '\n');
    /* inih takes an indented line for a continuation of the last value */
    if (blanks > length) blanks = length;
    text += blanks;
    length = without_comment(text, length - blanks);
    while (length > 0 && isspace((unsigned char)text[length - 1])) length--;
    if (length > 0 && text[0] == '[' && memchr(text, ']', length) == NULL) { /* or its keys would be blamed */
        l->status = status_fail(STATUS_INPUT, "%s:%d: the section's ] is missing", l->config->name, l->line);
        return NULL;
    }
    if (length + 2 > (size_t)size) {
        l->status = status_fail(STATUS_INPUT, "%s:%d: the line is longer than %d characters; use -P section.key=value for it",
                                l->config->name, l->line, size - 2);
        return NULL;
    }
    memcpy(out, text, length);
    out[length] = '\n';
    out[length + 1] = '\0';
    return out;
}

static int take_entry(void *user, const char *section, const char *key, const char *value)
{
    struct lines *l = user;
    char where[WHERE_MAX];
    describe_place(where, l->config, l->line);
    if (l->status == STATUS_OK) l->status = set(l->config, where, section, key, value, l->line);
    return l->status == STATUS_OK;
}

static int read_text(struct config *c, const char *text)
{
    struct lines l = {.config = c, .next = text};
    int line = ini_parse_stream(next_line, &l, take_entry, &l);
    TRY(l.status);
    if (line > 0)
        return status_fail(STATUS_INPUT, "%s:%d: neither [section] nor key = value nor a comment", c->name, line);
    return line == 0 ? STATUS_OK : status_fail(STATUS_FAILURE, "%s: out of memory while reading it", c->name);
}

/* "section.key=value" */
static int read_override(struct config *c, const char *assignment)
{
    char name[2][64], where[WHERE_MAX];
    size_t dot = strcspn(assignment, ".="), equals = strcspn(assignment, "=");
    const char *key = assignment[dot] == '.' ? assignment + dot + 1 : assignment;
    size_t section_length = assignment[dot] == '.' ? dot : 0, key_length = equals - (size_t)(key - assignment);
    if (assignment[equals] == '\0' || key_length >= sizeof name[1] || section_length >= sizeof name[0])
        return status_fail(STATUS_INPUT, "-P %s: write -P section.key=value", assignment);
    while (key_length > 0 && isspace((unsigned char)key[key_length - 1])) key_length--;
    snprintf(name[0], sizeof name[0], "%.*s", (int)section_length, assignment);
    snprintf(name[1], sizeof name[1], "%.*s", (int)key_length, key);
    snprintf(where, sizeof where, "-P %s:", assignment);
    return set(c, where, name[0], name[1], assignment + equals + 1, CONFIG_OVERRIDE);
}

static int check_value(struct config *c, int i)
{
    const struct config_key *k = &c->key[i];
    struct config_value *v = &c->value[i];
    char where[WHERE_MAX];
    describe_place(where, c, v->line);
    if (v->text == NULL && k->flags & CONFIG_REQUIRED)
        return status_fail(STATUS_INPUT, "%s %s.%s is missing; add a line like '%s = %s' to [%s]; %s", where, k->section,
                           k->key, k->key, k->initial, k->section, k->help);
    return config_value_parse(v, k, v->text == NULL ? k->initial : v->text, where);
}

int config_create(struct config *out, const struct config_key *key, int keys, const char *name, const char *text,
                  const char *const *override, int overrides)
{
    assert(keys <= NAMES_MAX); /* here, not only in the message that lists them */
    int status;
    *out = (struct config){.key = key, .keys = keys};
    TRY_DONE(memory_copy_text(&out->name, name));
    TRY_DONE(memory_alloc(&out->value, (size_t)keys, sizeof *out->value));
    TRY_DONE(read_text(out, text));
    for (int i = 0; i < overrides; i++) TRY_DONE(read_override(out, override[i]));
    for (int i = 0; i < keys; i++) TRY_DONE(check_value(out, i));
    return STATUS_OK;
done:
    config_destroy(out);
    return status;
}

void config_destroy(struct config *c)
{
    for (int i = 0; c->value != NULL && i < c->keys; i++) config_value_destroy(&c->value[i]);
    free(c->value);
    free(c->name);
    *c = (struct config){0};
}

const struct config_value *config_get(const struct config *c, const char *section, const char *key)
{
    int i = find(c, section, key);
    assert(i >= 0);
    return &c->value[i];
}

double config_number(const struct config *c, const char *section, const char *key)
{
    return config_get(c, section, key)->number[0];
}

int config_fail(const struct config *c, const char *section, const char *key, const char *format, ...)
{
    const struct config_value *v = config_get(c, section, key);
    char where[WHERE_MAX], reason[WHERE_MAX];
    describe_place(where, c, v->line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    return status_fail(STATUS_INPUT, "%s %s.%s = %s: %s", where, section, key, v->text, reason);
}

int config_parameters(char **out, const struct config *c)
{
    size_t length;
    *out = NULL;
    FILE *f = open_memstream(out, &length);
    if (f == NULL) return status_fail(STATUS_FAILURE, "out of memory");
    for (int i = 0; i < c->keys; i++)
        if (!(c->key[i].flags & CONFIG_LOCAL))
            fprintf(f, "%s.%s =%s%s\n", c->key[i].section, c->key[i].key, c->value[i].text[0] == '\0' ? "" : " ",
                    c->value[i].text);
    return fclose(f) == 0 ? STATUS_OK : status_fail(STATUS_FAILURE, "out of memory");
}

void config_example(FILE *f, const struct config_key *key, int keys)
{
    for (int i = 0; i < keys; i++) {
        const struct config_key *k = &key[i];
        if (i == 0 || strcmp(k->section, key[i - 1].section) != 0) fprintf(f, "%s[%s]", i == 0 ? "" : "\n", k->section);
        fprintf(f, "\n# %s\n#   ", k->help);
        config_value_describe(f, k);
        if (k->unit != NULL) fprintf(f, ", unit: %s", k->unit);
        if (k->flags & CONFIG_REQUIRED)
            fputs(", required (no default)\n", f);
        else
            fprintf(f, ", default: %s\n", k->initial[0] == '\0' ? "none" : k->initial);
        fprintf(f, "%s =%s%s\n", k->key, k->initial[0] == '\0' ? "" : " ", k->initial);
    }
}
