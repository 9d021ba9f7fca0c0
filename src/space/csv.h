/* csv.h - comma-separated tables line by line: quotes as in RFC 4180, but no line breaks inside of them. */
#ifndef CSV_H
#define CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct csv {
    const char *path; /* not owned */
    FILE *file;
    char *line;
    size_t capacity;
    int64_t number;   /* of the line, from 1 */
    int fields;       /* as many as the header has */
    char **header;    /* [fields] */
    char **field;     /* [fields] of the current line, blanks around them cut off */
};

/* Open and read the header. STATUS_INPUT names file and line. */
int csv_open(struct csv *t, const char *path);
void csv_close(struct csv *t); /* accepts a zeroed struct */

/* The next line that is not blank; *more = false at the end. */
int csv_next(struct csv *t, bool *more);

/* Lines after the header that are not blank; starts again from the first of them. STATUS_INPUT when one lacks a field. */
int csv_count(struct csv *t, int64_t *lines);

int csv_find(const struct csv *t, const char *column); /* -1 when there is none */

/* Field as a number; NaN when it is empty. STATUS_INPUT names file, line and column. */
int csv_number(double *out, const struct csv *t, int column);
int csv_integer(int64_t *out, const struct csv *t, int column); /* must not be empty */

#endif
