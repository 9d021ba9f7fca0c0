#include "executor_internal.h"

#include "memory.h"
#include "status.h"

#include <stdlib.h>

/* Step l runs layer l forward, step 2 L - 1 - l runs it backward. A value lives from its layer to its last reader, which may be a
 * backward pass; a gradient from the consumer that makes it to the producer that reads it. A stage's steps are repeated for every
 * part of the batch: what lives within one stage is of one part, and the rest lives from the beginning to the end of stages. */

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

static size_t whole(const struct executor *x, int tensor)
{
    return (size_t)x->batch * executor_image_floats(x, tensor);
}

static int consumers(const struct executor *x, int tensor)
{
    return x->first_reader[tensor + 1] - x->first_reader[tensor];
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
        value[t].floats = wanted ? whole(x, t) : 0;
    }
    for (int l = 0; l < n->layers; l++)
        for (int i = 0; i < n->layer[l].inputs; i++) {
            const struct layer_input *input = executor_input(x, l, i);
            until(&value[input->tensor], rereads(&n->layer[l], input) ? backward_step(x, l) : l);
            const int producer = n->tensor[input->tensor].producer;
            if (input->normalised && producer >= 0) until(&value[input->tensor], backward_step(x, producer));
        }
    value[0].floats = 0; /* the images stand elsewhere */
}

/* The gradient of a normalised input is made when its producer wants it, from that of the sum. */
static void plan_gradients(struct executor *x, struct arena_buffer *slot, struct arena_buffer *sum, struct arena_buffer *gathered)
{
    const struct network *n = x->network;
    for (int l = 0; l < n->layers; l++) {
        const struct layer *layer = &n->layer[l];
        const int step = backward_step(x, l);
        const bool join = layer->kind == LAYER_JOIN;
        if (join) sum[l] = (struct arena_buffer){whole(x, layer->output), step, step, 0};
        for (int i = 0; i < layer->inputs; i++) {
            const struct layer_input *input = executor_input(x, l, i);
            const int producer = n->tensor[input->tensor].producer;
            if (producer < 0) continue;
            const int reader = backward_step(x, producer);
            if (join) until(&sum[l], reader);
            if (!join || input->normalised)
                slot[layer->first + i] = (struct arena_buffer){whole(x, input->tensor), join ? reader : step, reader, 0};
        }
    }
    for (int t = 1; t < n->tensors; t++) {
        const int producer = n->tensor[t].producer, step = backward_step(x, producer);
        if (n->layer[producer].kind != LAYER_JOIN && consumers(x, t) > 1)
            gathered[t] = (struct arena_buffer){whole(x, t), step, step, 0};
    }
}

static int layer_of(const struct executor *x, int step)
{
    return step < x->network->layers ? step : 2 * x->network->layers - 1 - step;
}

/* First and last step, forward or backward, of those that are repeated for every part with this one. */
static void repeated(int *begin, int *end, const struct executor *x, int step)
{
    const struct executor_layer *layer = &x->layer[layer_of(x, step)];
    const bool forward = step < x->network->layers;
    *begin = *end = step;
    if (layer->images == x->batch) return;
    *begin = forward ? layer->first : backward_step(x, layer->last);
    *end = forward ? layer->last : backward_step(x, layer->first);
}

/* One part where all its steps are repeated together, else whole stages. */
static void divide(const struct executor *x, struct arena_buffer *b)
{
    int begin, end, other;
    repeated(&begin, &end, x, b->begin);
    if (b->end <= end) {
        b->floats /= (size_t)(x->batch / x->layer[layer_of(x, b->begin)].images);
        return;
    }
    b->begin = begin;
    repeated(&other, &b->end, x, b->end);
}

static struct span place(const struct executor *x, const struct arena_buffer *b, int tensor)
{
    const size_t image = executor_image_floats(x, tensor);
    return (struct span){b->floats > 0 ? x->arena + b->offset : NULL, b->floats == (size_t)x->batch * image ? image : 0};
}

/* The pointers to what has been placed. */
static void point(struct executor *x, const struct arena_buffer *value, const struct arena_buffer *slot,
                  const struct arena_buffer *sum, const struct arena_buffer *gathered)
{
    const struct network *n = x->network;
    const struct tensor *images = &n->tensor[0];
    x->value[0] = (struct span){x->images, (size_t)(images->channels * images->height * images->width)};
    for (int l = 0; l < n->layers; l++) {
        const struct layer *layer = &n->layer[l];
        if (layer->kind == LAYER_JOIN) x->layer[l].gradient = place(x, &sum[l], layer->output);
        for (int i = 0; i < layer->inputs; i++) {
            const struct layer_input *input = executor_input(x, l, i);
            const bool as_it_is = layer->kind == LAYER_JOIN && !input->normalised;
            x->slot_gradient[layer->first + i] =
                as_it_is ? x->layer[l].gradient : place(x, &slot[layer->first + i], input->tensor);
        }
    }
    for (int t = 1; t < n->tensors; t++) {
        x->value[t] = place(x, &value[t], t);
        x->gathered[t] = consumers(x, t) == 1 ? x->slot_gradient[x->reader[x->first_reader[t]].input] : place(x, &gathered[t], t);
    }
    x->gathered[n->logits] = (struct span){x->logits_gradient, executor_image_floats(x, n->logits)};
}

/* -- the whole ----------------------------------------------------------------------------------------------- */

static void list_readers(struct executor *x)
{
    const struct network *n = x->network;
    int *first = x->first_reader; /* [t + 1] counts tensor t's; then [t] goes from its first to the next one's, and is moved back */
    for (int i = 0; i < n->inputs; i++) first[n->input[i].tensor + 1]++;
    for (int t = 0; t < n->tensors; t++) first[t + 1] += first[t];
    for (int l = 0; l < n->layers; l++)
        for (int i = 0; i < n->layer[l].inputs; i++)
            x->reader[first[executor_input(x, l, i)->tensor]++] = (struct reader){l, n->layer[l].first + i};
    for (int t = n->tensors; t > 0; t--) first[t] = first[t - 1];
    first[0] = 0;
}

int executor_plan(struct executor *x)
{
    const struct network *n = x->network;
    const int buffers = 2 * n->tensors + n->inputs + n->layers;
    struct arena_buffer *value, *slot, *sum, *gathered;
    TRY(memory_alloc(&x->value, (size_t)n->tensors, sizeof *x->value));
    TRY(memory_alloc(&x->gathered, (size_t)n->tensors, sizeof *x->gathered));
    TRY(memory_alloc(&x->slot_gradient, (size_t)n->inputs, sizeof *x->slot_gradient));
    TRY(memory_alloc(&x->reader, (size_t)n->inputs, sizeof *x->reader));
    TRY(memory_alloc(&x->source, (size_t)n->inputs, sizeof *x->source));
    TRY(memory_alloc(&x->first_reader, (size_t)n->tensors + 1, sizeof *x->first_reader));
    TRY(memory_alloc(&x->buffer, (size_t)buffers, sizeof *x->buffer));
    value = x->buffer, slot = value + n->tensors, sum = slot + n->inputs, gathered = sum + n->layers;
    list_readers(x);
    plan_values(x, value);
    plan_gradients(x, slot, sum, gathered);
    for (int i = 0; i < buffers; i++)
        if (x->buffer[i].floats > 0) divide(x, &x->buffer[i]);
    TRY(arena_place(&x->arena_floats, x->buffer, buffers));
    TRY(memory_alloc(&x->arena, x->arena_floats, sizeof *x->arena));
    const struct tensor *images = &n->tensor[0], *logits = &n->tensor[n->logits];
    TRY(memory_alloc(&x->images, (size_t)x->batch * (size_t)(images->channels * images->height * images->width), sizeof(float)));
    TRY(memory_alloc(&x->logits_gradient, (size_t)x->batch * (size_t)(executor_blocks(x, logits->channels) * x->dnn.block),
                     sizeof(float)));
    point(x, value, slot, sum, gathered);
    return STATUS_OK;
}
