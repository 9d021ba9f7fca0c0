/* layer_norm.h - what follows an affine layer in a graph convolution of BRP-NAS: normalisation over the columns of each row, ReLU, dropout, in
 * one pass. Any width, in panels of WIDTH columns as in dense.h; columns beyond the width are zero. */
#ifndef LAYER_NORM_H
#define LAYER_NORM_H

#include "random.h"
#include "vector.h"

struct layer_norm {
    real *gamma, *beta; /* [panels][WIDTH], zero beyond the width */
};

struct layer_norm_cache {
    real *normal;       /* [panels][rows][WIDTH]; on entry to layer_norm_forward the input */
    real *slope;        /* [panels][rows][WIDTH] what relu and dropout multiply with */
    real *inverse;      /* [rows] 1 / sqrt(variance + epsilon) */
};

/* y from cache->normal. dropout: the part of all numbers that is set to zero, by lot; NULL for none. */
void layer_norm_forward(real *y, struct layer_norm_cache *cache, const struct layer_norm *p, int rows, int width, double dropout,
                        struct random_stream *stream);

/* dz from dy, both [panels][rows][WIDTH]; overwrites the gradients d. */
void layer_norm_backward(real *dz, struct layer_norm *d, const real *dy, const struct layer_norm_cache *cache, const struct layer_norm *p,
                         int rows, int width);

#endif
