#include "csv.h"

#include "memory.h"
#include "status.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 16384 }; /* each name is compared with all others */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

void csv_close(struct csv *t)
{
    if (t->file != NULL) fclose(t->file);
    if (t->header != NULL)
        for (int i = 0; i < t->fields; i++) free(t->header[i]);
    free(t->header);
    free(t->field);
    free(t->line);
    *t = (struct csv){0};
}

/* The next line that is not blank, without its end. */
static int read_line(struct csv *t, bool *more)
{
    for (;;) {
        errno = 0;
        ssize_t length = getline(&t->line, &t->capacity, t->file);
        *more = length >= 0;
        if (length < 0 && ferror(t->file))
            return status_fail(STATUS_INPUT, "%s: cannot be read: %s", t->path, strerror(errno));
        if (length < 0) return feof(t->file) ? STATUS_OK : status_fail(STATUS_FAILURE, "%s: %s", t->path, strerror(errno));
        t->number++;
        if (strlen(t->line) != (size_t)length)
            return status_fail(STATUS_INPUT, "%s:%lld: not a text file, it has a zero byte", t->path, (long long)t->number);
        while (length > 0 && (t->line[length - 1] == '\n' || t->line[length - 1] == '\r')) t->line[--length] = '\0';
        if (t->line[strspn(t->line, " \t")] != '\0') return STATUS_OK;
    }
}

/* A quoted field, unquoted in place. *rest is behind it, NULL when it does not end well. */
static char *unquote(char *at, char **rest)
{
    char *from = at + 1, *to = at;
    while (*from != '\0' && (from[0] != '"' || from[1] == '"')) {
        if (*from == '"') from++;
        *to++ = *from++;
    }
    bool closed = *from == '"';
    from += closed;
    while (is_blank(*from)) from++;
    *rest = closed && (*from == ',' || *from == '\0') ? from : NULL;
    return to;
}

/* Cut the line into at most `most` fields; *count may come out larger than that. */
static int split(struct csv *t, char **field, int most, int *count)
{
    *count = 0;
    for (char *at = t->line;;) {
        char *end, *rest;
        while (is_blank(*at)) at++;
        if (*at == '"') {
            end = unquote(at, &rest);
            if (rest == NULL)
                return status_fail(STATUS_INPUT, "%s:%lld: field %d has quotes that do not end with it", t->path,
                                   (long long)t->number, *count + 1);
        } else {
            rest = end = at + strcspn(at, ",");
            while (end > at && is_blank(end[-1])) end--;
        }
        bool last = *rest == '\0';
        *end = '\0';
        if (*count < most) field[*count] = at;
        ++*count;
        if (last) return STATUS_OK;
        at = rest + 1;
    }
}

static int read_header(struct csv *t)
{
    bool more;
    TRY(read_line(t, &more));
    if (!more) return status_fail(STATUS_INPUT, "%s: the file is empty", t->path);
    const char mark[] = "\xef\xbb\xbf"; /* byte-order mark */
    if (strncmp(t->line, mark, 3) == 0) memmove(t->line, t->line + 3, strlen(t->line + 3) + 1);
    int columns = 1;
    for (const char *c = t->line; *c != '\0'; c++) columns += *c == ',';
    if (columns > COLUMNS_MAX) return status_fail(STATUS_INPUT, "%s: more than %d columns", t->path, COLUMNS_MAX);
    TRY(memory_alloc(&t->header, (size_t)columns, sizeof *t->header));
    TRY(memory_alloc(&t->field, (size_t)columns, sizeof *t->field));
    TRY(split(t, t->field, columns, &columns));
    for (int i = 0; i < columns; i++) {
        if (csv_find(t, t->field[i]) >= 0)
            return status_fail(STATUS_INPUT, "%s:%lld: the column '%s' is there twice", t->path, (long long)t->number,
                               t->field[i]);
        TRY(memory_copy_text(&t->header[i], t->field[i]));
        t->fields = i + 1;
    }
    return STATUS_OK;
}

int csv_open(struct csv *t, const char *path)
{
    *t = (struct csv){.path = path};
    t->file = fopen(path, "r");
    if (t->file == NULL) return status_fail(STATUS_INPUT, "%s: cannot be opened: %s", path, strerror(errno));
    int status = read_header(t);
    if (status != STATUS_OK) csv_close(t);
    return status;
}

int csv_next(struct csv *t, bool *more)
{
    int fields;
    TRY(read_line(t, more));
    if (!*more) return STATUS_OK;
    TRY(split(t, t->field, t->fields, &fields));
    if (fields == t->fields) return STATUS_OK;
    return status_fail(STATUS_INPUT, "%s:%lld: %d fields, but the header has %d", t->path, (long long)t->number, fields,
                       t->fields);
}

int csv_count(struct csv *t, int64_t *lines)
{
    bool more;
    *lines = -1;
    do {
        TRY(csv_next(t, &more)); /* a line of all its fields is as long as the room that is made for it */
        ++*lines;
    } while (more);
    if (fseek(t->file, 0, SEEK_SET) != 0)
        return status_fail(STATUS_INPUT, "%s: cannot be read twice: %s; it must be a plain file", t->path, strerror(errno));
    t->number = 0;
    return read_line(t, &more); /* the header */
}

int csv_find(const struct csv *t, const char *column)
{
    for (int i = 0; i < t->fields; i++)
        if (strcmp(t->header[i], column) == 0) return i;
    return -1;
}

static int fail_field(const struct csv *t, int column, const char *why)
{
    return status_fail(STATUS_INPUT, "%s:%lld: column %s: '%.60s' %s", t->path, (long long)t->number, t->header[column],
                       t->field[column], why);
}

int csv_number(double *out, const struct csv *t, int column)
{
    const char *text = t->field[column];
    *out = NAN;
    if (text[0] == '\0') return STATUS_OK;
    char *end;
    double value = strtod(text, &end);
    /* strtod() also knows nan, inf and hexadecimal numbers */
    if (*end != '\0' || text[strspn(text, "0123456789+-.eE")] != '\0')
        return fail_field(t, column, "is not a number; leave the field empty when the value is not known");
    if (isinf(value)) return fail_field(t, column, "is too large for a number");
    *out = value;
    return STATUS_OK;
}

int csv_integer(int64_t *out, const struct csv *t, int column)
{
    const char *text = t->field[column];
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0) return fail_field(t, column, "is not a whole number");
    return STATUS_OK;
}
