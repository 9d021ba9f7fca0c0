/* dense.h - affine layers of any width, with ReLU. Activations lie in panels of WIDTH columns, x[panel][rows][WIDTH], and weights in square
 * blocks, w[panel of inputs][panel of outputs][WIDTH][WIDTH], so that every product is one of matmul.h at its full speed. Columns beyond the
 * width are zero, and training leaves them so. Nothing in a row depends on how many rows a call has. */
#ifndef DENSE_H
#define DENSE_H

#include "vector.h"

#include <stdbool.h>
#include <stddef.h>

struct dense {
    int inputs, outputs;
    real *weight, *bias; /* [dense_weights], [panels of outputs][WIDTH] */
};

static inline int dense_panels(int width)
{
    return (width + WIDTH - 1) / WIDTH;
}

/* The size of `weight`. */
static inline size_t dense_weights(int inputs, int outputs)
{
    return (size_t)dense_panels(inputs) * (size_t)dense_panels(outputs) * WIDTH * WIDTH;
}

/* Where weight (i, o) stands. */
static inline size_t dense_place(int i, int o, int outputs)
{
    return (((size_t)(i / WIDTH) * (size_t)dense_panels(outputs) + (size_t)(o / WIDTH)) * WIDTH + (size_t)(i % WIDTH)) * WIDTH + (size_t)(o % WIDTH);
}

/* y = relu(x w + b), or without the relu. */
void dense_forward(real *y, const struct dense *p, const real *x, int rows, bool relu);

/* From dy, which is overwritten with the gradient before the relu (y: what dense_forward gave; NULL without relu): overwrites the gradients d
 * of the parameters, and dx unless it is NULL. scratch [WIDTH * WIDTH]. */
void dense_backward(real *dx, struct dense *d, real *dy, const struct dense *p, const real *x, const real *y, int rows, real *scratch);

#endif
