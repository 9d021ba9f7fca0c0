/* traits.h - cells as vectors for kernels: how often which sequence of operations lies on a path from input to output, and what
 * kind of paths these are. Cells that compute the same in the same way have the same vector and are one class.
 *
 * A node that is dead (zeros), or that lies behind or before dead ones only, is left out; nodes that pass their input on (skip
 * connections; input, output and sums of the cell; nodes whose operation is the same in all cells of one graph) lie on paths but
 * leave no trace in a sequence. In graphs of many paths, Weisfeiler-Lehman labels take the place of sequences: an operation with its
 * surroundings, 0 to 3 operations far. */
#ifndef TRAITS_H
#define TRAITS_H

#include "space.h"

enum {
    TRAITS_PATHS_MAX = 512,   /* of a cell; more in any cell of the space: labels instead of sequences */
    TRAITS_COUNTS_MAX = 256,  /* columns of counts; more sequences than that share columns by their hash */
};

struct traits {
    int64_t cells, classes;
    int64_t *class_of;      /* [cells], numbered in the order of their first cell */
    int64_t *member;        /* [cells] cells by class, ascending within each */
    int64_t *begin;         /* [classes + 1] into member */
    bool labels;            /* counts are of Weisfeiler-Lehman labels */
    int counts, statistics; /* columns */
    /* [classes][counts + statistics]. Counts as they are; then, each with mean 0 and variance 1 over the cells and only if it varies:
     * live nodes of each operation, number of paths, shortest, longest and mean sequence, most of each operation on one path. */
    float *value;
};

static inline int traits_width(const struct traits *f)
{
    return f->counts + f->statistics;
}

static inline const float *traits_of(const struct traits *f, int64_t class)
{
    return f->value + class * traits_width(f);
}

/* Not collective. */
int traits_create(struct traits **out, const struct space *s);
void traits_destroy(struct traits **f);

#endif
