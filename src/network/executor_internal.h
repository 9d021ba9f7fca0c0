/* executor_internal.h - shared by the executor's files only. */
#ifndef EXECUTOR_INTERNAL_H
#define EXECUTOR_INTERNAL_H

#include "arena.h"
#include "dnn.h"
#include "executor.h"
#include "join.h"

/* What one layer needs beyond its tensors. */
struct executor_layer {
    struct convolution convolution;
    struct pooling pooling;
    struct join join;
    const struct join *normalised_by;      /* of a convolution: the join that normalises its output, and which of its inputs that is; */
    const struct join_input *normalised;   /* NULL: none does */
};

struct executor {
    const struct network *network;
    int batch;
    struct dnn dnn;
    struct executor_layer *layer;  /* [layers] */
    struct join_input *join_input; /* [inputs] of the network */
    float *arena;                  /* activations and their gradients */
    size_t arena_floats;
    float *images, *logits_gradient;
    float **value;                 /* [tensors] NULL: nobody wants it */
    float **slot_gradient;         /* [inputs] the gradient that a layer gives to an input; joins: their sum's for those as they are */
    const float **source;          /* [inputs] gradients of each tensor, one a consumer, */
    int *first_source;             /* [tensors + 1] where each tensor's begin */
    float **gathered;              /* [tensors] their sum, for all producers but joins */
    struct arena_buffer *buffer;   /* plan: values, slots, sums of joins, gathered */
    /* parameters */
    int parameters;
    struct parameter *parameter;
    size_t parameter_floats, plain_count;
    float *parameter_value, *parameter_gradient;
    size_t running_floats;         /* mean and variance, all normalisations one after the other */
    float *running, *batch_statistics;
    double *moments;               /* [running_floats] */
    float *coefficients;           /* [3/2 running_floats] of the normalisations' gradients */
};

static inline int executor_blocks(const struct executor *x, int channels)
{
    return (channels + x->dnn.block - 1) / x->dnn.block;
}

static inline size_t executor_floats(const struct executor *x, int tensor)
{
    const struct tensor *t = &x->network->tensor[tensor];
    return (size_t)x->batch * (size_t)(executor_blocks(x, t->channels) * x->dnn.block) * (size_t)(t->height * t->width);
}

static inline const struct layer_input *executor_input(const struct executor *x, int layer, int i)
{
    return &x->network->input[x->network->layer[layer].first + i];
}

/* Whether an input of a layer is a normalised output of a convolution that nobody else reads: then the convolution's backward pass
 * has the input's gradient made, a part of the batch at a time, and no more than a part of it is ever stored. */
bool executor_deferred(const struct executor *x, int layer, int i);

/* Places for all values and gradients; sets the pointers. */
int executor_plan(struct executor *x);

/* List the parameters and allocate them; the convolutions have been created. */
int executor_list_parameters(struct executor *x);

int executor_layer_forward(struct executor *x, int layer, enum join_mode mode);
int executor_layer_backward(struct executor *x, int layer, enum join_mode mode);

/* The logits' gradients [batch][classes] to where the backward pass begins. */
void executor_begin_backward(struct executor *x, const float *gradient);

/* ---- layers without parameters, on tensors in blocks of channels; rows are [pixels][block] ---- */

struct rows {
    int batch, channels, pixels, block;
};
void rows_mean(float *out, const float *in, const struct rows *r);
void rows_mean_backward(float *in, const float *out, const struct rows *r);
/* count channels of source from source_first on become those of target from target_first on. */
void rows_copy(float *target, int target_channels, int target_first, const float *source, int source_channels, int source_first,
               int count, const struct rows *r);
void rows_gate(float *out, const float *in, const float *gate, const struct rows *r);
void rows_gate_backward(float *in_gradient, float *gate_gradient, const float *out_gradient, const float *in, const float *gate,
                        const struct rows *r);
/* One pixel: out = softmax(q k^T) v; at most MIX_CHANNELS_MAX channels. */
enum { MIX_CHANNELS_MAX = 4096 };
void rows_mix(float *out, const float *q, const float *k, const float *v, const struct rows *r);
void rows_mix_backward(float *dq, float *dk, float *dv, const float *out_gradient, const float *q, const float *k, const float *v,
                       const struct rows *r);

#endif
