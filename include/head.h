/* head.h - what both branches end in, and their losses (method.md sections 2 and 4). */
#ifndef HEAD_H
#define HEAD_H

#include "vector.h"

struct head {
    real *weight; /* [nodes] */
    real *bias;   /* [1] */
};

/* score[count] = sigmoid(weight . (mean of x over channels) + bias); x [count * nodes][WIDTH]. pooled [count * nodes]
 * receives the means. */
void head_forward(real *score, real *pooled, const struct head *p, const real *x, int count, int nodes);

/* From dscore[count]: adds to the gradients of the head (both branches share it), overwrites dx. */
void head_backward(real *dx, struct head *d, const real *dscore, const real *score, const real *pooled, const struct head *p,
                   int count, int nodes);

/* The same without the sigmoid: value[count] = weight . (mean of x over channels) + bias. */
void head_linear(real *value, real *pooled, const struct head *p, const real *x, int count, int nodes);
void head_linear_backward(real *dx, struct head *d, const real *dvalue, const real *pooled, const struct head *p, int count, int nodes);

/* Mean over the batch of d^2 / 2 for |d| < delta, else delta (|d| - delta / 2), d = target - score. dscore is overwritten. */
real huber_loss(real *dscore, const real *score, const real *target, int count, real delta);

/* Mean over all pairs (a, b) of the batch with target[a] > target[b] of ln(1 + exp(value[b] - value[a])), the pairwise logistic loss: what
 * counts is who is better. 0 when all targets are equal. dvalue is overwritten. */
real rank_loss(real *dvalue, const real *value, const real *target, int count);

#endif
