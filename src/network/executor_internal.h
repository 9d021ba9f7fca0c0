/* executor_internal.h - shared by the executor's files only. */
#ifndef EXECUTOR_INTERNAL_H
#define EXECUTOR_INTERNAL_H

#include "arena.h"
#include "dnn.h"
#include "executor.h"
#include "join.h"

/* Images of a tensor or of its gradient: of the whole batch, or, where only one stage needs them, of a part. */
struct span {
    float *data;                   /* NULL: nobody wants it */
    size_t stride;                 /* from one image of the batch to the next; 0: of one part */
};

/* What one layer needs beyond its tensors. */
struct executor_layer {
    struct convolution convolution;
    struct pooling pooling;
    struct join join;
    struct span gradient;          /* of a join's sum, which is that of inputs as they are, too */
    int first, last;               /* layers of its stage, through which the batch goes in parts, */
    int images;                    /* each of so many images */
};

/* A layer on a part of the batch; `first` is an image. */
struct executor_step {
    int layer, first, images;
    bool begin, end;               /* the part is the first one or the last of a forward pass */
};

/* Who reads a tensor. */
struct reader {
    int layer, input;              /* the latter is one of the network's */
};

struct executor {
    const struct network *network;
    int batch;
    size_t part_floats;            /* that a part of a tensor should not exceed */
    struct dnn dnn;
    struct executor_layer *layer;  /* [layers] */
    struct join_input *join_input; /* [inputs] of the network */
    float *arena;                  /* activations and their gradients */
    size_t arena_floats;
    struct executor_step *step;    /* in the order of a forward pass; a backward pass goes from the last to the first */
    int steps;
    float *images, *logits_gradient;
    struct span *value;            /* [tensors] */
    struct span *slot_gradient;    /* [inputs] the gradient that an input receives */
    struct span *gathered;         /* [tensors] the sum of what its readers give, for all producers but joins */
    struct reader *reader;         /* [inputs] of each tensor, one tensor's after the other's, */
    int *first_reader;             /* [tensors + 1] where each one's begin */
    const float **source;          /* [inputs] what the readers give, of the part at hand */
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

static inline size_t executor_image_floats(const struct executor *x, int tensor)
{
    const struct tensor *t = &x->network->tensor[tensor];
    return (size_t)(executor_blocks(x, t->channels) * x->dnn.block) * (size_t)(t->height * t->width);
}

static inline float *span_at(const struct span *s, int image)
{
    return s->stride == 0 ? s->data : s->data + (size_t)image * s->stride;
}

static inline const struct layer_input *executor_input(const struct executor *x, int layer, int i)
{
    return &x->network->input[x->network->layer[layer].first + i];
}

/* executor_create() with a limit of its own to what a part of a tensor takes; a part has an image at least. */
int executor_create_parts(struct executor **out, const struct network *n, int batch, size_t part_bytes);

/* Stages, parts and steps. */
int executor_divide(struct executor *x);

/* Places for all values and gradients; sets the pointers. */
int executor_plan(struct executor *x);

/* List the parameters and allocate them; the convolutions have been created. */
int executor_list_parameters(struct executor *x);

int executor_step_forward(struct executor *x, const struct executor_step *s, enum join_mode mode);
int executor_step_backward(struct executor *x, const struct executor_step *s, enum join_mode mode);

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
