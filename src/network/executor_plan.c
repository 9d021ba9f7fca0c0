#include "executor_internal.h"

#include "memory.h"
#include "status.h"

#include <stdlib.h>

/* Step l runs layer l forward, step 2 L - 1 - l runs it backward. A value lives from its layer to its last reader, which may be a
 * backward pass; a gradient from the consumer that makes it to the producer that reads it. */

static int backward_step(const struct executor *x, int layer)
{
    return 2 * x->network->layers - 1 - layer;
}

static void until(struct arena_buffer *b, int step)
{
    if (step > b->end) b->end = step;
}

/* Whether a layer's backward pass reads its inputs' values. */
static bool rereads(const struct layer *layer, const struct layer_input *input)
{
    return layer->kind == LAYER_CONV || layer->kind == LAYER_GATE || layer->kind == LAYER_MIX ||
           (layer->kind == LAYER_JOIN && input->normalised);
}

static int consumers(const struct executor *x, int tensor)
{
    return x->first_source[tensor + 1] - x->first_source[tensor];
}

bool executor_deferred(const struct executor *x, int layer, int i)
{
    const struct layer_input *input = executor_input(x, layer, i);
    const int producer = x->network->tensor[input->tensor].producer;
    return x->network->layer[layer].kind == LAYER_JOIN && input->normalised && producer >= 0 &&
           x->network->layer[producer].kind == LAYER_CONV && consumers(x, input->tensor) == 1;
}

/* Its own backward pass needs a join's ReLU, or the sum before another activation. */
static bool keeps_sum(const struct layer *layer)
{
    return layer->activated >= 0 && layer->activation != ACTIVATION_RELU;
}

static void plan_values(struct executor *x, struct arena_buffer *value)
{
    const struct network *n = x->network;
    for (int t = 1; t < n->tensors; t++) {
        const struct tensor *tensor = &n->tensor[t];
        const struct layer *producer = &n->layer[tensor->producer];
        bool wanted = consumers(x, t) > 0 || t == n->logits;
        value[t].begin = value[t].end = tensor->producer;
        if (t == n->logits) until(&value[t], n->layers);
        if (producer->kind == LAYER_JOIN && (tensor->activated ? !keeps_sum(producer) : keeps_sum(producer))) {
            until(&value[t], backward_step(x, tensor->producer));
            wanted = true;
        }
        value[t].floats = wanted ? executor_floats(x, t) : 0;
    }
    for (int l = 0; l < n->layers; l++)
        for (int i = 0; i < n->layer[l].inputs; i++) {
            const struct layer_input *input = executor_input(x, l, i);
            until(&value[input->tensor], rereads(&n->layer[l], input) ? backward_step(x, l) : l);
            if (executor_deferred(x, l, i)) until(&value[input->tensor], backward_step(x, n->tensor[input->tensor].producer));
        }
    value[0].floats = 0; /* the images stand elsewhere */
}

static void plan_gradients(struct executor *x, struct arena_buffer *slot, struct arena_buffer *sum, struct arena_buffer *gathered)
{
    const struct network *n = x->network;
    for (int l = 0; l < n->layers; l++) {
        const struct layer *layer = &n->layer[l];
        const int step = backward_step(x, l);
        if (layer->kind == LAYER_JOIN) sum[l] = (struct arena_buffer){executor_floats(x, layer->output), step, step, 0};
        for (int i = 0; i < layer->inputs; i++) {
            const struct layer_input *input = executor_input(x, l, i);
            const int producer = n->tensor[input->tensor].producer;
            if (producer < 0) continue;
            struct arena_buffer *b = layer->kind == LAYER_JOIN && !input->normalised ? &sum[l] : &slot[layer->first + i];
            const int reader = backward_step(x, producer);
            if (executor_deferred(x, l, i)) {
                const size_t parts = (size_t)x->layer[producer].convolution.shape.parts;
                *b = (struct arena_buffer){executor_floats(x, input->tensor) / parts, reader, reader, 0};
                until(&sum[l], reader);
                continue;
            }
            if (b != &sum[l]) *b = (struct arena_buffer){executor_floats(x, input->tensor), step, step, 0};
            until(b, reader);
        }
    }
    for (int t = 1; t < n->tensors; t++) {
        const int producer = n->tensor[t].producer, step = backward_step(x, producer);
        if (n->layer[producer].kind != LAYER_JOIN && consumers(x, t) > 1)
            gathered[t] = (struct arena_buffer){executor_floats(x, t), step, step, 0};
    }
}

static float *at(const struct executor *x, const struct arena_buffer *b)
{
    return b->floats > 0 ? x->arena + b->offset : NULL;
}

/* The pointers to what has been placed. */
static void point(struct executor *x, const struct arena_buffer *value, const struct arena_buffer *slot,
                  const struct arena_buffer *sum, const struct arena_buffer *gathered)
{
    const struct network *n = x->network;
    int *next = x->first_source; /* counts up to the next tensor's first, and is moved back below */
    for (int t = 0; t < n->tensors; t++) x->value[t] = at(x, &value[t]);
    x->value[0] = x->images;
    for (int l = 0; l < n->layers; l++) {
        const struct layer *layer = &n->layer[l];
        if (layer->kind == LAYER_JOIN) x->layer[l].join.gradient = at(x, &sum[l]);
        for (int i = 0; i < layer->inputs; i++) {
            const struct layer_input *input = executor_input(x, l, i);
            float **gradient = &x->slot_gradient[layer->first + i];
            *gradient = at(x, &slot[layer->first + i]);
            if (layer->kind == LAYER_JOIN && !input->normalised) *gradient = x->layer[l].join.gradient;
            x->source[next[input->tensor]++] = *gradient;
        }
    }
    for (int t = n->tensors; t > 0; t--) next[t] = next[t - 1];
    next[0] = 0;
    for (int t = 1; t < n->tensors; t++) {
        x->gathered[t] = at(x, &gathered[t]);
        if (x->gathered[t] == NULL && consumers(x, t) == 1) x->gathered[t] = (float *)x->source[x->first_source[t]];
    }
    x->gathered[n->logits] = x->logits_gradient;
}

/* first_source: how many consumers the tensors before have. */
static void count_consumers(struct executor *x)
{
    const struct network *n = x->network;
    for (int i = 0; i < n->inputs; i++) x->first_source[n->input[i].tensor + 1]++;
    for (int t = 0; t < n->tensors; t++) x->first_source[t + 1] += x->first_source[t];
}

int executor_plan(struct executor *x)
{
    const struct network *n = x->network;
    const int buffers = 2 * n->tensors + n->inputs + n->layers;
    struct arena_buffer *value, *slot, *sum, *gathered;
    TRY(memory_alloc(&x->value, (size_t)n->tensors, sizeof *x->value));
    TRY(memory_alloc(&x->gathered, (size_t)n->tensors, sizeof *x->gathered));
    TRY(memory_alloc(&x->slot_gradient, (size_t)n->inputs, sizeof *x->slot_gradient));
    TRY(memory_alloc(&x->source, (size_t)n->inputs, sizeof *x->source));
    TRY(memory_alloc(&x->first_source, (size_t)n->tensors + 1, sizeof *x->first_source));
    TRY(memory_alloc(&x->buffer, (size_t)buffers, sizeof *x->buffer));
    value = x->buffer, slot = value + n->tensors, sum = slot + n->inputs, gathered = sum + n->layers;
    count_consumers(x);
    plan_values(x, value);
    plan_gradients(x, slot, sum, gathered);
    TRY(arena_place(&x->arena_floats, x->buffer, buffers));
    TRY(memory_alloc(&x->arena, x->arena_floats, sizeof *x->arena));
    const struct tensor *images = &n->tensor[0], *logits = &n->tensor[n->logits];
    TRY(memory_alloc(&x->images, (size_t)x->batch * (size_t)(images->channels * images->height * images->width), sizeof(float)));
    TRY(memory_alloc(&x->logits_gradient, (size_t)x->batch * (size_t)(executor_blocks(x, logits->channels) * x->dnn.block),
                     sizeof(float)));
    point(x, value, slot, sum, gathered);
    return STATUS_OK;
}
