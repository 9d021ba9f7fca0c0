/* norm.h - batch normalisation followed by mish, in one pass. Per channel over batch and nodes (method.md section 2). */
#ifndef NORM_H
#define NORM_H

#include "vector.h"

#include <stdbool.h>

struct norm {
    real *gamma, *beta;      /* [WIDTH] trained */
    real *mean, *variance;   /* [WIDTH] running; NULL in a struct of gradients */
};

struct norm_cache {
    real *normal;  /* [rows][WIDTH] normalised input; on entry to norm_forward the input z itself */
    real *slope;   /* [rows][WIDTH] mish'(gamma normal + beta) */
    real *inverse; /* [WIDTH] 1 / sqrt(variance + epsilon) of the batch */
};

/* y (+)= scale mish(gamma normalise(z) + beta), z in cache->normal. Updates the running statistics:
 * running = momentum running + (1 - momentum) batch, biased variance; `bias` [WIDTH] or NULL is a constant that was left
 * out of z (it cancels in the normalisation) and belongs to the running mean. y, z [rows][WIDTH]. */
void norm_forward(real *y, struct norm_cache *cache, const struct norm *p, const real *bias, int rows, real scale, bool add,
                  real momentum, real epsilon);

/* dz from dy, where y = scale mish(...): overwrites dz [rows][WIDTH], d->gamma, d->beta. */
void norm_backward(real *dz, struct norm *d, const real *dy, const struct norm_cache *cache, const struct norm *p, int rows,
                   real scale);

/* At inference the normalisation is affine: scale[WIDTH] and shift[WIDTH] such that it maps z + bias to
 * scale z + shift. bias may be NULL. */
void norm_fold(real *scale, real *shift, const struct norm *p, const real *bias, real epsilon);

#endif
