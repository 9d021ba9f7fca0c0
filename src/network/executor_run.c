#include "executor_internal.h"

#include "status.h"

#include <string.h>

static struct rows rows_of(const struct executor *x, int tensor)
{
    const struct tensor *t = &x->network->tensor[tensor];
    return (struct rows){x->batch, t->channels, t->height * t->width, x->dnn.block};
}

static void concat(struct executor *x, int l)
{
    const struct layer *layer = &x->network->layer[l];
    const struct rows r = rows_of(x, layer->output);
    if (r.channels % r.block != 0) memset(x->value[layer->output], 0, executor_floats(x, layer->output) * sizeof(float));
    int first = 0;
    for (int i = 0; i < layer->inputs; i++) {
        const int tensor = executor_input(x, l, i)->tensor, channels = x->network->tensor[tensor].channels;
        rows_copy(x->value[layer->output], r.channels, first, x->value[tensor], channels, 0, channels, &r);
        first += channels;
    }
}

static void concat_backward(struct executor *x, int l)
{
    const struct layer *layer = &x->network->layer[l];
    const struct rows r = rows_of(x, layer->output);
    int first = 0;
    for (int i = 0; i < layer->inputs; i++) {
        const int tensor = executor_input(x, l, i)->tensor, channels = x->network->tensor[tensor].channels;
        float *gradient = x->slot_gradient[layer->first + i];
        if (channels % r.block != 0) memset(gradient, 0, executor_floats(x, tensor) * sizeof *gradient);
        rows_copy(gradient, channels, 0, x->gathered[layer->output], r.channels, first, channels, &r);
        first += channels;
    }
}

static void slice(struct executor *x, int l)
{
    const struct layer *layer = &x->network->layer[l];
    const struct rows r = rows_of(x, layer->output);
    const int from = executor_input(x, l, 0)->tensor;
    if (r.channels % r.block != 0) memset(x->value[layer->output], 0, executor_floats(x, layer->output) * sizeof(float));
    rows_copy(x->value[layer->output], r.channels, 0, x->value[from], x->network->tensor[from].channels, layer->channel,
              r.channels, &r);
}

static void slice_backward(struct executor *x, int l)
{
    const struct layer *layer = &x->network->layer[l];
    const struct rows r = rows_of(x, layer->output);
    const int from = executor_input(x, l, 0)->tensor;
    float *gradient = x->slot_gradient[layer->first];
    memset(gradient, 0, executor_floats(x, from) * sizeof *gradient);
    rows_copy(gradient, x->network->tensor[from].channels, layer->channel, x->gathered[layer->output], r.channels, 0, r.channels, &r);
}

static int convolve(struct executor *x, int l, enum join_mode mode)
{
    const struct executor_layer *layer = &x->layer[l];
    const int parts = layer->convolution.shape.parts, images = x->batch / parts;
    for (int part = 0; part < parts; part++) {
        TRY(convolution_forward(&layer->convolution, &x->dnn, part));
        if (layer->normalised != NULL && mode == JOIN_TRAINING)
            join_moments(layer->normalised_by, layer->normalised, part * images, images);
    }
    return STATUS_OK;
}

static int convolve_backward(struct executor *x, int l)
{
    const struct executor_layer *layer = &x->layer[l];
    const int parts = layer->convolution.shape.parts, images = x->batch / parts;
    for (int part = 0; part < parts; part++) {
        if (layer->normalised != NULL && layer->normalised->deferred)
            join_put_gradient(layer->normalised->value_gradient, layer->normalised_by, layer->normalised, part * images, images);
        TRY(convolution_backward(&layer->convolution, &x->dnn, part));
    }
    return STATUS_OK;
}

/* Tensors that no convolution made are normalised, too: their moments are taken here. */
static void join(struct executor *x, int l, enum join_mode mode)
{
    const struct join *j = &x->layer[l].join;
    for (int i = 0; i < j->inputs && mode == JOIN_TRAINING; i++) {
        const int producer = x->network->tensor[executor_input(x, l, i)->tensor].producer;
        if (j->input[i].normalised && x->layer[producer].normalised != &j->input[i]) join_moments(j, &j->input[i], 0, x->batch);
    }
    join_forward(j, mode);
}

int executor_layer_forward(struct executor *x, int l, enum join_mode mode)
{
    const struct layer *layer = &x->network->layer[l];
    float *out = x->value[layer->output];
    const float *in[3] = {NULL};
    for (int i = 0; i < layer->inputs && i < 3; i++) in[i] = x->value[executor_input(x, l, i)->tensor];
    const struct rows r = layer->inputs > 0 ? rows_of(x, executor_input(x, l, 0)->tensor) : (struct rows){0};
    switch (layer->kind) {
    case LAYER_CONV: return convolve(x, l, mode);
    case LAYER_POOL: return pooling_forward(&x->layer[l].pooling, &x->dnn);
    case LAYER_JOIN: join(x, l, mode); break;
    case LAYER_GLOBAL_POOL: rows_mean(out, in[0], &r); break;
    case LAYER_CONCAT: concat(x, l); break;
    case LAYER_SLICE: slice(x, l); break;
    case LAYER_GATE:
        if (mode == JOIN_LINEAR)
            memcpy(out, in[0], executor_floats(x, layer->output) * sizeof *out);
        else
            rows_gate(out, in[0], in[1], &r);
        break;
    case LAYER_MIX: rows_mix(out, in[0], in[1], in[2], &r); break;
    }
    return STATUS_OK;
}

/* Sum the gradients of an output with several consumers. */
static void gather(struct executor *x, int tensor)
{
    const int first = x->first_source[tensor], sources = x->first_source[tensor + 1] - first;
    if (sources > 1) join_add(x->gathered[tensor], x->source + first, sources, executor_floats(x, tensor));
}

int executor_layer_backward(struct executor *x, int l, enum join_mode mode)
{
    const struct layer *layer = &x->network->layer[l];
    if (layer->kind == LAYER_JOIN) {
        join_backward(&x->layer[l].join, mode);
        return STATUS_OK;
    }
    gather(x, layer->output);
    const float *out = x->gathered[layer->output], *in[3] = {NULL};
    float *gradient[3] = {NULL};
    for (int i = 0; i < layer->inputs && i < 3; i++) {
        in[i] = x->value[executor_input(x, l, i)->tensor];
        gradient[i] = x->slot_gradient[layer->first + i];
    }
    const struct rows r = rows_of(x, executor_input(x, l, 0)->tensor);
    switch (layer->kind) {
    case LAYER_CONV: return convolve_backward(x, l);
    case LAYER_POOL: return pooling_backward(&x->layer[l].pooling, &x->dnn);
    case LAYER_GLOBAL_POOL: rows_mean_backward(gradient[0], out, &r); break;
    case LAYER_CONCAT: concat_backward(x, l); break;
    case LAYER_SLICE: slice_backward(x, l); break;
    case LAYER_GATE:
        if (mode == JOIN_LINEAR) {
            memcpy(gradient[0], out, executor_floats(x, layer->output) * sizeof *out);
            memset(gradient[1], 0, executor_floats(x, executor_input(x, l, 1)->tensor) * sizeof *out);
        } else {
            rows_gate_backward(gradient[0], gradient[1], out, in[0], in[1], &r);
        }
        break;
    case LAYER_MIX: rows_mix_backward(gradient[0], gradient[1], gradient[2], out, in[0], in[1], in[2], &r); break;
    case LAYER_JOIN: break;
    }
    return STATUS_OK;
}

int executor_forward(float *logits, struct executor *x, bool training)
{
    const struct network *n = x->network;
    for (int l = 0; l < n->layers; l++) TRY(executor_layer_forward(x, l, training ? JOIN_TRAINING : JOIN_INFERENCE));
    const int classes = n->tensor[n->logits].channels, stride = executor_blocks(x, classes) * x->dnn.block;
    for (int i = 0; i < x->batch; i++)
        memcpy(logits + (size_t)i * (size_t)classes, x->value[n->logits] + (size_t)i * (size_t)stride,
               (size_t)classes * sizeof *logits);
    return STATUS_OK;
}

void executor_begin_backward(struct executor *x, const float *gradient)
{
    const int classes = x->network->tensor[x->network->logits].channels, stride = executor_blocks(x, classes) * x->dnn.block;
    for (int i = 0; i < x->batch; i++)
        memcpy(x->logits_gradient + (size_t)i * (size_t)stride, gradient + (size_t)i * (size_t)classes,
               (size_t)classes * sizeof *gradient);
}

int executor_backward(struct executor *x, const float *gradient)
{
    executor_begin_backward(x, gradient);
    for (int l = x->network->layers - 1; l >= 0; l--) TRY(executor_layer_backward(x, l, JOIN_TRAINING));
    return STATUS_OK;
}
