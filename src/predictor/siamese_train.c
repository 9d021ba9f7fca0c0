#include "siamese_internal.h"

#include <assert.h>
#include <string.h>

/* One group forward; x NULL for the one-hot input. Returns its output. */
static const real *group(struct siamese *s, enum siamese_group g, const real *x, const struct cells *batch)
{
    struct siamese_tape *t = &s->tape;
    graph_conv_forward(t->out[g], &t->group[g], &s->parameters.group[g], x, batch, &t->scratch, (real)s->training.norm_momentum,
                       (real)s->training.norm_epsilon);
    return t->out[g];
}

/* Its gradient: adds to dx, the gradient of its input. */
static void group_backward(real *dx, struct siamese *s, enum siamese_group g, const real *dy, const real *x,
                           const struct cells *batch)
{
    struct siamese_tape *t = &s->tape;
    graph_conv_backward(dx, &s->gradient.group[g], dy, &t->group[g], &s->parameters.group[g], x, batch,
                        siamese_inputs(&s->shape, g), &t->scratch);
}

/* Basic branch: the features x1 that both branches read. */
static const real *forward_basic(struct siamese *s, const struct cells *batch)
{
    struct siamese_tape *t = &s->tape;
    const real *x = group(s, GROUP_1, NULL, batch);
    x = group(s, GROUP_2, x, batch);
    if (s->shape.nsam) {
        const real *q = group(s, NSAM_QUERY, x, batch), *k = group(s, NSAM_KEY, x, batch), *v = group(s, NSAM_VALUE, x, batch);
        attention_forward(t->nsam_mixed, &t->nsam_attention, x, q, k, v, batch, &t->attention);
        x = group(s, NSAM_OUT, t->nsam_mixed, batch);
    }
    return group(s, GROUP_3, x, batch);
}

/* EFM: the features fused with the Estimation Code. */
static const real *forward_estimation(struct siamese *s, const real *x1, const struct cells *batch, const real *code)
{
    struct siamese_tape *t = &s->tape;
    const int rows = batch->count * batch->nodes;
    siamese_code_affine(t->code_norm.normal, &s->parameters, code, &s->shape, batch->count);
    norm_forward(t->code_features, &t->code_norm, &s->parameters.code_norm, NULL, rows, 1, false, (real)s->training.norm_momentum,
                 (real)s->training.norm_epsilon);
    const real *q = group(s, EFM_QUERY, x1, batch), *k = group(s, EFM_KEY, t->code_features, batch);
    const real *v = s->shape.efm_value_own ? group(s, EFM_VALUE, x1, batch) : q;
    attention_forward(t->efm_mixed, &t->efm_attention, x1, q, k, v, batch, &t->attention);
    return group(s, EFM_OUT, t->efm_mixed, batch);
}

/* dz [rows][H] is the gradient of code w + b. */
static void code_affine_backward(struct siamese_parameters *d, const real *dz, const real *code, const struct siamese_shape *shape,
                                 int count)
{
    const int wide = shape->nodes * WIDTH;
    for (int j = 0; j < wide; j += LANES) {
        vec sum = {0};
        for (int b = 0; b < count; b++) sum += vec_load(dz + b * wide + j);
        vec_store(d->code_bias + j, sum);
        for (int e = 0; e < shape->code_length; e++) {
            sum = (vec){0};
            for (int b = 0; b < count; b++) sum += code[b * shape->code_length + e] * vec_load(dz + b * wide + j);
            vec_store(d->code_weight + e * wide + j, sum);
        }
    }
}

/* dx1 += the gradient of the estimation branch, whose own output gradient is in t->d[1]. Uses t->d[2..4]. */
static void backward_estimation(real *dx1, struct siamese *s, const real *x1, const struct cells *batch, const real *code)
{
    struct siamese_tape *t = &s->tape;
    const int rows = batch->count * batch->nodes;
    const size_t bytes = (size_t)rows * WIDTH * sizeof(real);
    real *dmixed = t->d[2], *dq = t->d[1], *dk = t->d[3], *dv = s->shape.efm_value_own ? t->d[4] : dq;

    memset(dmixed, 0, bytes);
    group_backward(dmixed, s, EFM_OUT, t->d[1], t->efm_mixed, batch);
    const real *q = t->out[EFM_QUERY], *v = s->shape.efm_value_own ? t->out[EFM_VALUE] : q;
    attention_backward(dq, dk, dv, dmixed, &t->efm_attention, q, t->out[EFM_KEY], v, batch, &t->attention);
    for (int i = 0; i < rows * WIDTH; i += LANES) vec_store(dx1 + i, vec_load(dx1 + i) + vec_load(dmixed + i));
    group_backward(dx1, s, EFM_QUERY, dq, x1, batch);
    if (s->shape.efm_value_own) group_backward(dx1, s, EFM_VALUE, dv, x1, batch);

    real *dfeatures = dmixed;
    memset(dfeatures, 0, bytes);
    group_backward(dfeatures, s, EFM_KEY, dk, t->code_features, batch);
    real *dz = t->d[3];
    norm_backward(dz, &s->gradient.code_norm, dfeatures, &t->code_norm, &s->parameters.code_norm, rows, 1);
    code_affine_backward(&s->gradient, dz, code, &s->shape, batch->count);
}

/* From the gradient of x1 in t->d[0] down to the input. */
static void backward_basic(struct siamese *s, const struct cells *batch)
{
    struct siamese_tape *t = &s->tape;
    const size_t bytes = (size_t)(batch->count * batch->nodes) * WIDTH * sizeof(real);
    const real *x2 = t->out[GROUP_2];
    real *dx = t->d[1];
    memset(dx, 0, bytes);
    group_backward(dx, s, GROUP_3, t->d[0], s->shape.nsam ? t->out[NSAM_OUT] : x2, batch);
    if (s->shape.nsam) {
        real *dmixed = t->d[0], *dq = t->d[2], *dk = t->d[3], *dv = t->d[4];
        memset(dmixed, 0, bytes);
        group_backward(dmixed, s, NSAM_OUT, dx, t->nsam_mixed, batch);
        attention_backward(dq, dk, dv, dmixed, &t->nsam_attention, t->out[NSAM_QUERY], t->out[NSAM_KEY], t->out[NSAM_VALUE], batch,
                           &t->attention);
        dx = dmixed; /* the skip connection passes it on unchanged */
        group_backward(dx, s, NSAM_QUERY, dq, x2, batch);
        group_backward(dx, s, NSAM_KEY, dk, x2, batch);
        group_backward(dx, s, NSAM_VALUE, dv, x2, batch);
    }
    real *dx1 = t->d[2];
    memset(dx1, 0, bytes);
    group_backward(dx1, s, GROUP_2, dx, t->out[GROUP_1], batch);
    group_backward(NULL, s, GROUP_1, dx1, NULL, batch);
}

/* Head and loss of a branch with features x: the gradient of what the head gives is in t->dscore[branch]. */
static real head_loss(struct siamese *s, int branch, const real *x, const real *target, int B, int V)
{
    struct siamese_tape *t = &s->tape;
    const struct head *head = &s->parameters.head;
    if (s->shape.linear) head_linear(t->score[branch], t->pooled[branch], head, x, B, V);
    else head_forward(t->score[branch], t->pooled[branch], head, x, B, V);
    return s->training.rank_loss ? rank_loss(t->dscore[branch], t->score[branch], target, B)
                                 : huber_loss(t->dscore[branch], t->score[branch], target, B, (real)s->training.huber_delta);
}

/* Into t->d[branch]. */
static void head_gradient(struct siamese *s, int branch, int B, int V)
{
    struct siamese_tape *t = &s->tape;
    const struct head *head = &s->parameters.head;
    if (s->shape.linear) head_linear_backward(t->d[branch], &s->gradient.head, t->dscore[branch], t->pooled[branch], head, B, V);
    else head_backward(t->d[branch], &s->gradient.head, t->dscore[branch], t->score[branch], t->pooled[branch], head, B, V);
}

real siamese_gradient(struct siamese *s, const struct cells *batch, const real *code, const real *target)
{
    assert(batch->count <= s->max_batch && batch->nodes == s->shape.nodes);
    struct siamese_tape *t = &s->tape;
    const int B = batch->count, V = batch->nodes;
    const bool estimation = s->shape.code_length > 0;

    const real *x1 = forward_basic(s, batch);
    real loss = head_loss(s, 0, x1, target, B, V);
    if (estimation) loss += head_loss(s, 1, forward_estimation(s, x1, batch, code), target, B, V);

    memset(s->gradient.head.weight, 0, (size_t)V * sizeof(real));
    s->gradient.head.bias[0] = 0;
    head_gradient(s, 0, B, V);
    if (estimation) {
        head_gradient(s, 1, B, V);
        backward_estimation(t->d[0], s, x1, batch, code);
    }
    backward_basic(s, batch);
    return loss;
}

real siamese_step(struct siamese *s, const struct cells *batch, const real *code, const real *target, double rate)
{
    real loss = siamese_gradient(s, batch, code, target);
    adam_update(s->weights, &s->adam, s->gradients, s->trained, rate);
    return loss;
}
