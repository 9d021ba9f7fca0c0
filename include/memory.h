/* memory.h - aligned memory with one check, and the workspace: one allocation fanned out into arrays. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed memory for count items of `size` bytes, aligned to 64 bytes. *out is NULL on failure, which
 * includes an overflow of count * size. Release with free(). Zero items give a valid pointer. */
int memory_alloc(void *out, size_t count, size_t size);

/* *array, of `used` items or NULL, becomes an array of `count` items that begins with these, the others zero; `count` is at least
 * `used`. On failure it stays as it is. */
int memory_grow(void *array, size_t used, size_t count, size_t size);

/* A copy of `text`; release with free(). */
int memory_copy_text(char **out, const char *text);

/* The texts in a row, with `between` from one to the next; release with free(). */
int memory_join(char **out, const char *const *text, int count, const char *between);

/* The largest resident memory of this process so far, in bytes. */
int64_t memory_peak(void);

/* Bytes that this process can still have, of what the machine has left and of its own limit (ulimit -v); INT64_MAX when the system does
 * not say. */
int64_t memory_available(void);

/* Whether this process can have `bytes` of addresses more, which `what` is going to take: libraries that crash without. */
int memory_require(size_t bytes, const char *what);

/* Two passes over the same take() calls: the first, with base NULL, adds up the size; workspace_open()
 * allocates it; the second hands out the pointers. */
struct workspace {
    char *base;
    size_t used, size;
};

void *workspace_take(struct workspace *w, size_t count, size_t size);
int workspace_open(struct workspace *w); /* after the first pass; zeroes the memory */
void workspace_close(struct workspace *w);

#endif
