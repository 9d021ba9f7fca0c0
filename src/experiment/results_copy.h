/* results_copy.h - records of results files in blocks; shared by the results_*.c files only. */
#ifndef RESULTS_COPY_H
#define RESULTS_COPY_H

#include <stddef.h>
#include <stdint.h>

enum { RESULTS_BLOCK = 1 << 20 }; /* bytes */

/* The two open files and one of their variables, which differ in the length of the realization dimension only. */
struct results_copy {
    int from, to;
    const char *from_path, *to_path;
    size_t place;  /* realization in `to` of the first of `from` */
    void *block;   /* [RESULTS_BLOCK] bytes */
};

/* Copy all records of the variable. STATUS_INPUT when `from` has not the type or dimensions of `to`. */
int results_copy_variable(const struct results_copy *c, const char *name);

/* How many records of `complete` are 1 in an open file; `block` has RESULTS_BLOCK bytes. */
int results_count_complete(int64_t *out, int file, int variable, const char *path, void *block);

#endif
