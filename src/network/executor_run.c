#include "executor_internal.h"

#include "status.h"

#include <string.h>

static float *value_of(const struct executor *x, int tensor, const struct executor_step *s)
{
    return span_at(&x->value[tensor], s->first);
}

static size_t floats_of(const struct executor *x, int tensor, const struct executor_step *s)
{
    return (size_t)s->images * executor_image_floats(x, tensor);
}

static struct rows rows_of(const struct executor *x, int tensor, const struct executor_step *s)
{
    const struct tensor *t = &x->network->tensor[tensor];
    return (struct rows){s->images, t->channels, t->height * t->width, x->dnn.block};
}

/* -- forward ------------------------------------------------------------------------------------------------- */

static void concat(struct executor *x, const struct executor_step *s)
{
    const struct layer *layer = &x->network->layer[s->layer];
    const struct rows r = rows_of(x, layer->output, s);
    float *out = value_of(x, layer->output, s);
    int first = 0;
    if (r.channels % r.block != 0) memset(out, 0, floats_of(x, layer->output, s) * sizeof *out);
    for (int i = 0; i < layer->inputs; i++) {
        const int tensor = executor_input(x, s->layer, i)->tensor, channels = x->network->tensor[tensor].channels;
        rows_copy(out, r.channels, first, value_of(x, tensor, s), channels, 0, channels, &r);
        first += channels;
    }
}

static void slice(struct executor *x, const struct executor_step *s)
{
    const struct layer *layer = &x->network->layer[s->layer];
    const struct rows r = rows_of(x, layer->output, s);
    const int from = executor_input(x, s->layer, 0)->tensor;
    float *out = value_of(x, layer->output, s);
    if (r.channels % r.block != 0) memset(out, 0, floats_of(x, layer->output, s) * sizeof *out);
    rows_copy(out, r.channels, 0, value_of(x, from, s), x->network->tensor[from].channels, layer->channel, r.channels, &r);
}

static const struct join *join_of(struct executor *x, const struct executor_step *s)
{
    const struct layer *layer = &x->network->layer[s->layer];
    struct join *j = &x->layer[s->layer].join;
    j->begin = s->begin;
    j->end = s->end;
    j->images = s->images;
    j->sum = value_of(x, layer->output, s);
    j->activated = layer->activated >= 0 ? value_of(x, layer->activated, s) : NULL;
    j->gradient = span_at(&x->layer[s->layer].gradient, s->first);
    for (int i = 0; i < j->inputs; i++) j->input[i].value = value_of(x, executor_input(x, s->layer, i)->tensor, s);
    return j;
}

static int forward(struct executor *x, const struct executor_step *s, enum join_mode mode)
{
    const struct layer *layer = &x->network->layer[s->layer];
    const struct executor_layer *own = &x->layer[s->layer];
    float *out = value_of(x, layer->output, s), *in[3] = {NULL};
    for (int i = 0; i < layer->inputs && i < 3; i++) in[i] = value_of(x, executor_input(x, s->layer, i)->tensor, s);
    const struct rows r = layer->inputs > 0 ? rows_of(x, executor_input(x, s->layer, 0)->tensor, s) : (struct rows){0};
    switch (layer->kind) {
    case LAYER_CONV: return convolution_forward(&own->convolution, &x->dnn, in[0], out);
    case LAYER_POOL: return pooling_forward(&own->pooling, &x->dnn, in[0], out);
    case LAYER_JOIN: join_forward(join_of(x, s), mode); break;
    case LAYER_GLOBAL_POOL: rows_mean(out, in[0], &r); break;
    case LAYER_CONCAT: concat(x, s); break;
    case LAYER_SLICE: slice(x, s); break;
    case LAYER_GATE:
        if (mode == JOIN_LINEAR)
            memcpy(out, in[0], floats_of(x, layer->output, s) * sizeof *out);
        else
            rows_gate(out, in[0], in[1], &r);
        break;
    case LAYER_MIX: rows_mix(out, in[0], in[1], in[2], &r); break;
    }
    return STATUS_OK;
}

/* For those who will normalise what has just been made. */
static void take_moments(struct executor *x, int tensor, const struct executor_step *s)
{
    for (int k = x->first_reader[tensor]; k < x->first_reader[tensor + 1]; k++) {
        const struct reader *r = &x->reader[k];
        if (x->network->input[r->input].normalised)
            join_moments(&x->layer[r->layer].join, &x->join_input[r->input], value_of(x, tensor, s), s->images, s->begin);
    }
}

int executor_step_forward(struct executor *x, const struct executor_step *s, enum join_mode mode)
{
    const struct layer *layer = &x->network->layer[s->layer];
    TRY(forward(x, s, mode));
    if (mode == JOIN_TRAINING) take_moments(x, layer->output, s);
    if (mode == JOIN_TRAINING && layer->activated >= 0) take_moments(x, layer->activated, s);
    return STATUS_OK;
}

/* -- backward ------------------------------------------------------------------------------------------------ */

static void concat_backward(struct executor *x, const struct executor_step *s, const float *out)
{
    const struct layer *layer = &x->network->layer[s->layer];
    const struct rows r = rows_of(x, layer->output, s);
    int first = 0;
    for (int i = 0; i < layer->inputs; i++) {
        const int tensor = executor_input(x, s->layer, i)->tensor, channels = x->network->tensor[tensor].channels;
        float *gradient = span_at(&x->slot_gradient[layer->first + i], s->first);
        if (channels % r.block != 0) memset(gradient, 0, floats_of(x, tensor, s) * sizeof *gradient);
        rows_copy(gradient, channels, 0, out, r.channels, first, channels, &r);
        first += channels;
    }
}

static void slice_backward(struct executor *x, const struct executor_step *s, const float *out)
{
    const struct layer *layer = &x->network->layer[s->layer];
    const struct rows r = rows_of(x, layer->output, s);
    const int from = executor_input(x, s->layer, 0)->tensor;
    float *gradient = span_at(&x->slot_gradient[layer->first], s->first);
    memset(gradient, 0, floats_of(x, from, s) * sizeof *gradient);
    rows_copy(gradient, x->network->tensor[from].channels, layer->channel, out, r.channels, 0, r.channels, &r);
}

static int convolve_backward(struct executor *x, const struct executor_step *s, float *out)
{
    const struct convolution_part part = {
        .source = value_of(x, executor_input(x, s->layer, 0)->tensor, s),
        .source_gradient = span_at(&x->slot_gradient[x->network->layer[s->layer].first], s->first),
        .target_gradient = out,
        .begin = s->end, .end = s->begin,
    };
    return convolution_backward(&x->layer[s->layer].convolution, &x->dnn, &part);
}

/* What the readers of a tensor give: those that normalise it are past the whole batch, and say it now. */
static void find_sources(struct executor *x, int tensor, const struct executor_step *s)
{
    for (int k = x->first_reader[tensor]; k < x->first_reader[tensor + 1]; k++) {
        const struct reader *r = &x->reader[k];
        const struct executor_layer *by = &x->layer[r->layer];
        float *gradient = span_at(&x->slot_gradient[r->input], s->first);
        if (x->network->input[r->input].normalised)
            join_put_gradient(gradient, &by->join, &x->join_input[r->input], span_at(&by->gradient, s->first),
                              value_of(x, tensor, s), s->images);
        x->source[k] = gradient;
    }
}

static void join_backwards(struct executor *x, const struct executor_step *s, enum join_mode mode)
{
    const int activated = x->network->layer[s->layer].activated;
    if (activated >= 0) find_sources(x, activated, s);
    join_backward(join_of(x, s), mode);
}

int executor_step_backward(struct executor *x, const struct executor_step *s, enum join_mode mode)
{
    const struct layer *layer = &x->network->layer[s->layer];
    find_sources(x, layer->output, s);
    if (layer->kind == LAYER_JOIN) {
        join_backwards(x, s, mode);
        return STATUS_OK;
    }
    const int first = x->first_reader[layer->output], sources = x->first_reader[layer->output + 1] - first;
    float *out = span_at(&x->gathered[layer->output], s->first), *in[3] = {NULL}, *gradient[3] = {NULL};
    if (sources > 1) join_add(out, x->source + first, sources, floats_of(x, layer->output, s));
    for (int i = 0; i < layer->inputs && i < 3; i++) {
        in[i] = value_of(x, executor_input(x, s->layer, i)->tensor, s);
        gradient[i] = span_at(&x->slot_gradient[layer->first + i], s->first);
    }
    const struct rows r = rows_of(x, executor_input(x, s->layer, 0)->tensor, s);
    switch (layer->kind) {
    case LAYER_CONV: return convolve_backward(x, s, out);
    case LAYER_POOL: return pooling_backward(&x->layer[s->layer].pooling, &x->dnn, gradient[0], out);
    case LAYER_GLOBAL_POOL: rows_mean_backward(gradient[0], out, &r); break;
    case LAYER_CONCAT: concat_backward(x, s, out); break;
    case LAYER_SLICE: slice_backward(x, s, out); break;
    case LAYER_GATE:
        if (mode == JOIN_LINEAR) {
            memcpy(gradient[0], out, floats_of(x, layer->output, s) * sizeof *out);
            memset(gradient[1], 0, floats_of(x, executor_input(x, s->layer, 1)->tensor, s) * sizeof *out);
        } else {
            rows_gate_backward(gradient[0], gradient[1], out, in[0], in[1], &r);
        }
        break;
    case LAYER_MIX: rows_mix_backward(gradient[0], gradient[1], gradient[2], out, in[0], in[1], in[2], &r); break;
    case LAYER_JOIN: break;
    }
    return STATUS_OK;
}

/* -- the whole ----------------------------------------------------------------------------------------------- */

int executor_forward(float *logits, struct executor *x, bool training)
{
    const struct network *n = x->network;
    for (int i = 0; i < x->steps; i++) TRY(executor_step_forward(x, &x->step[i], training ? JOIN_TRAINING : JOIN_INFERENCE));
    const int classes = n->tensor[n->logits].channels, stride = executor_blocks(x, classes) * x->dnn.block;
    for (int i = 0; i < x->batch; i++)
        memcpy(logits + (size_t)i * (size_t)classes, x->value[n->logits].data + (size_t)i * (size_t)stride,
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
    for (int i = x->steps - 1; i >= 0; i--) TRY(executor_step_backward(x, &x->step[i], JOIN_TRAINING));
    return STATUS_OK;
}
