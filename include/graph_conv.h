/* graph_conv.h - the graph convolution group G(A, X) of method.md section 2: both directions of the edges, each affine,
 * aggregated, batch-normalised and passed through mish, and their mean:
 *     ( mish(BN1(A (X W1) + b1)) + mish(BN2(A^T (X W2) + b2)) ) / 2
 * The biases b stay what they were initialised or loaded as: batch normalisation cancels them, their gradient is zero. */
#ifndef GRAPH_CONV_H
#define GRAPH_CONV_H

#include "norm.h"
#include "vector.h"

/* Parameters, or their gradients, of one group. */
struct graph_conv {
    real *weight[2];     /* [inputs][WIDTH] per direction */
    real *bias[2];       /* [WIDTH]; NULL in a struct of gradients */
    struct norm norm[2];
};

struct graph_conv_cache {
    struct norm_cache norm[2];
};

/* What a batch of cells looks like to the layers. rows = cells * nodes. */
struct cells {
    int count, nodes;
    const uint8_t *operation;                /* [count][nodes] */
    const uint32_t *const *mask[2];          /* per cell: bit masks of the rows of A + I, and of its transpose */
};

/* Scratch memory of the backward pass, shared by all groups. */
struct graph_conv_scratch {
    real *a, *b;    /* [rows][WIDTH] */
    real *w;        /* [WIDTH][WIDTH] */
};

/* y = G(A, x), training mode. x [rows][WIDTH], or NULL for the one-hot operations of the cells. */
void graph_conv_forward(real *y, struct graph_conv_cache *cache, const struct graph_conv *p, const real *x, const struct cells *cells,
                        struct graph_conv_scratch *scratch, real momentum, real epsilon);

/* Gradients d of the parameters (overwritten), and dx += unless x is NULL. */
void graph_conv_backward(real *dx, struct graph_conv *d, const real *dy, const struct graph_conv_cache *cache,
                         const struct graph_conv *p, const real *x, const struct cells *cells, int inputs,
                         struct graph_conv_scratch *scratch);

/* The group at inference: normalisation folded into weights and shift. */
struct graph_conv_folded {
    real *weight[2]; /* [inputs][WIDTH] */
    real *shift[2];  /* [WIDTH] */
};
void graph_conv_fold(struct graph_conv_folded *f, const struct graph_conv *p, int inputs, real epsilon);

/* y = G(A, x) from folded parameters; scratch [rows][WIDTH]. x NULL: one-hot operations. */
void graph_conv_infer(real *y, const struct graph_conv_folded *f, const real *x, const struct cells *cells, real *scratch);

/* The same when the products x W are known: row j of cell b of direction d is table[d][index[b * nodes + j]]. The sums run in the same
 * order as in graph_conv_infer, so the result has the same bits. */
void graph_conv_look_up(real *y, const struct graph_conv_folded *f, real *const table[2], const uint32_t *index,
                        const struct cells *cells);

#endif
