/* attention.h - attention over the nodes of a cell, masked by the edges in both directions (method.md section 2):
 *     S = q k^T,   y = x + softmax(S o A) v + softmax(S o A^T) v
 * The softmax runs over a whole row: positions that the Hadamard product sets to 0 keep weight exp(0), as published. */
#ifndef ATTENTION_H
#define ATTENTION_H

#include "graph_conv.h"
#include "vector.h"

/* Columns of a V x V matrix in memory: nodes rounded up to whole vectors. */
static inline int attention_columns(int nodes)
{
    return (nodes + LANES - 1) / LANES * LANES;
}

struct attention_cache {
    real *weight[2]; /* [count][nodes][columns] the two softmax matrices, transposed: keys by queries */
};

struct attention_scratch {
    real *transposed;      /* [WIDTH][columns] */
    real *score, *sum;     /* [nodes][columns] */
};

/* y, x, q, k, v [count * nodes][WIDTH]. y may be x. */
void attention_forward(real *y, struct attention_cache *cache, const real *x, const real *q, const real *k, const real *v,
                       const struct cells *cells, struct attention_scratch *scratch);

/* dq, dk, dv are overwritten; when dv is dq (the value is the query) it becomes the sum of both. The gradient of x is dy. */
void attention_backward(real *dq, real *dk, real *dv, const real *dy, const struct attention_cache *cache, const real *q,
                        const real *k, const real *v, const struct cells *cells, struct attention_scratch *scratch);

#endif
