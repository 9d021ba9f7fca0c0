/* join.h - the sum of tensors, each as it is or batch-normalised, with an activation: normalisation, addition and activation in
 * one pass over memory, and the same backwards. That pass is what bounds these networks beside the convolutions: separate
 * normalisations, additions and ReLUs of a library would go over memory about twice as often.
 *
 * Tensors are in blocks of channels (dnn.h); a row is one block of one image, [pixels][block]. */
#ifndef JOIN_H
#define JOIN_H

#include "network.h"

#include <stdbool.h>

enum { JOIN_INPUTS_MAX = 64 };

struct join_input {
    const float *value;            /* of the part at hand */
    bool normalised;
    /* of a normalised input, [channels, padded]: */
    const float *gamma, *beta;
    float *gamma_gradient, *beta_gradient;
    float *coefficient;            /* [3][channels, padded] of its gradient a g + b value + c, g the sum's */
    float *mean, *deviation;       /* of this batch: kept from forward to backward; deviation: 1 / sqrt(variance + epsilon) */
    float *running_mean, *running_variance;
    double *moment;                /* [2][channels, padded] sums over the batch of values and squares; backwards of g value and g */
};

struct join {
    int batch, blocks, pixels, block;
    int inputs;
    struct join_input *input;
    enum activation activation;
    /* The part of the batch at hand. */
    int images;
    bool begin, end;               /* it is the first one, the last of a forward pass: backwards it is the other way round */
    float *sum, *activated;        /* outputs; NULL when nobody wants them */
    int sum_sources, activated_sources;
    const float **sum_source, **activated_source; /* gradients of the outputs: one a consumer */
    float *gradient;               /* of the sum: what inputs that are taken as they are receive */
};

/* Normalisation of a batch: epsilon, and the running statistics' new = (1 - momentum) old + momentum batch. */
#define JOIN_EPSILON  1e-5f
#define JOIN_MOMENTUM 0.1f

/* Before join_forward(TRAINING), for every normalised input: add some images to its moments, which begin with them or not. Best done
 * while they are still in the cache. */
void join_moments(const struct join *j, const struct join_input *in, const float *value, int images, bool begin);

/* TRAINING: with the statistics of the batch, which also move the running ones. INFERENCE: with the running ones. LINEAR: without
 * normalisation, every activation a ReLU. Parts come one after the other: backwards the other way round. */
enum join_mode { JOIN_TRAINING, JOIN_INFERENCE, JOIN_LINEAR };
void join_forward(const struct join *j, enum join_mode mode);
void join_backward(const struct join *j, enum join_mode mode); /* of TRAINING or LINEAR */

/* After join_backward() of the whole batch: the gradient of some images of a normalised input, from the sum's and their value. */
void join_put_gradient(float *gradient, const struct join *j, const struct join_input *in, const float *sum_gradient,
                       const float *value, int images);

/* target [n] = sum of sources. */
void join_add(float *target, const float *const *source, int sources, size_t n);

#endif
