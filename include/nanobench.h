/* nanobench.h - Tiny-NanoBench (method.md section 1). */
#ifndef NANOBENCH_H
#define NANOBENCH_H

enum { NANOBENCH_NODES = 7, NANOBENCH_OPERATIONS = 11 };

/* The first four names are inherited and unused. */
extern const char *const nanobench_vocabulary[NANOBENCH_OPERATIONS];

#endif
