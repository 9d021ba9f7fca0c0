#include "executor_internal.h"

#include "memory.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

/* Smaller parts of tensors would stay closer to the core, but Winograd's transformations of weights and the sums of their gradients
 * are per part; whole batches leave even the last cache. */
enum { PART_BYTES = 2 * 1024 * 1024 };

/* -- layers and their memory --------------------------------------------------------------------------------- */

static int create_convolution(struct executor *x, int l)
{
    const struct layer *layer = &x->network->layer[l];
    const int source = executor_input(x, l, 0)->tensor, images = x->layer[l].images;
    const struct tensor *in = &x->network->tensor[source], *out = &x->network->tensor[layer->output];
    const struct convolution_shape shape = {
        .batch = images, .parts = x->batch / images, .in_channels = in->channels, .in_height = in->height, .in_width = in->width,
        .out_channels = out->channels, .kernel = layer->kernel, .stride = layer->stride,
        .depthwise = layer->depthwise, .bias = layer->bias, .images = source == 0,
    };
    return convolution_create(&x->layer[l].convolution, &x->dnn, &shape);
}

static int create_layers(struct executor *x)
{
    const struct network *n = x->network;
    for (int l = 0; l < n->layers; l++) {
        const struct layer *layer = &n->layer[l];
        if (layer->kind == LAYER_CONV) TRY(create_convolution(x, l));
        if (layer->kind == LAYER_POOL) {
            const struct tensor *in = &n->tensor[executor_input(x, l, 0)->tensor];
            TRY(pooling_create(&x->layer[l].pooling, &x->dnn, x->layer[l].images, in->channels, in->height, in->width, layer->kernel,
                               layer->stride));
        }
        if (layer->kind == LAYER_JOIN && layer->inputs > JOIN_INPUTS_MAX)
            return status_fail(STATUS_INPUT, "a sum of %d tensors; at most %d are possible", layer->inputs, JOIN_INPUTS_MAX);
        const int channels = n->tensor[layer->output].channels;
        if (layer->kind == LAYER_MIX && channels > MIX_CHANNELS_MAX)
            return status_fail(STATUS_INPUT, "attention of %d channels; at most %d are possible; use fewer channels", channels,
                               MIX_CHANNELS_MAX);
    }
    return STATUS_OK;
}

static int bind_convolution(struct executor *x, int l, const struct parameter *weights, const struct parameter *bias)
{
    const struct convolution_memory m = {
        .weights = x->parameter_value + weights->offset,
        .weights_gradient = x->parameter_gradient + weights->offset,
        .bias = bias != NULL ? x->parameter_value + bias->offset : NULL,
        .bias_gradient = bias != NULL ? x->parameter_gradient + bias->offset : NULL,
    };
    return convolution_bind(&x->layer[l].convolution, &x->dnn, &m);
}

static void bind_join(struct executor *x, int l)
{
    const struct network *n = x->network;
    const struct layer *layer = &n->layer[l];
    const struct tensor *out = &n->tensor[layer->output];
    struct join *j = &x->layer[l].join;
    *j = (struct join){
        .batch = x->batch, .blocks = executor_blocks(x, out->channels), .pixels = out->height * out->width, .block = x->dnn.block,
        .inputs = layer->inputs, .input = x->join_input + layer->first, .activation = layer->activation,
        .sum_sources = x->first_reader[layer->output + 1] - x->first_reader[layer->output],
        .sum_source = x->source + x->first_reader[layer->output],
    };
    if (layer->activated >= 0) {
        j->activated_sources = x->first_reader[layer->activated + 1] - x->first_reader[layer->activated];
        j->activated_source = x->source + x->first_reader[layer->activated];
    }
    for (int i = 0; i < layer->inputs; i++) j->input[i].normalised = executor_input(x, l, i)->normalised;
}

/* Statistics of the normalisations: the first half of both arrays means, the second variances and deviations. */
static int bind_statistics(struct executor *x)
{
    size_t used = 0;
    for (int i = 0; i < x->parameters; i++)
        if (x->parameter[i].kind == PARAMETER_GAMMA) x->running_floats += 2 * x->parameter[i].kept;
    TRY(memory_alloc(&x->running, x->running_floats, sizeof(float)));
    TRY(memory_alloc(&x->batch_statistics, x->running_floats, sizeof(float)));
    TRY(memory_alloc(&x->moments, x->running_floats, sizeof(double)));
    TRY(memory_alloc(&x->coefficients, 3 * (x->running_floats / 2), sizeof(float)));
    const size_t half = x->running_floats / 2;
    for (int i = 0; i < x->parameters; i++) {
        const struct parameter *p = &x->parameter[i];
        if (p->kind != PARAMETER_GAMMA) continue;
        struct join_input *in = &x->layer[p->layer].join.input[p->input];
        const struct parameter *beta = p + 1; /* follows its gamma */
        in->gamma = x->parameter_value + p->offset;
        in->gamma_gradient = x->parameter_gradient + p->offset;
        in->beta = x->parameter_value + beta->offset;
        in->beta_gradient = x->parameter_gradient + beta->offset;
        in->running_mean = x->running + used;
        in->running_variance = x->running + half + used;
        in->mean = x->batch_statistics + used;
        in->deviation = x->batch_statistics + half + used;
        in->moment = x->moments + 2 * used;
        in->coefficient = x->coefficients + 3 * used;
        used += p->kept;
    }
    return STATUS_OK;
}

static int bind_layers(struct executor *x)
{
    const struct network *n = x->network;
    for (int l = 0; l < n->layers; l++)
        if (n->layer[l].kind == LAYER_JOIN) bind_join(x, l);
    for (int i = 0; i < x->parameters; i++) {
        const struct parameter *p = &x->parameter[i];
        if (p->kind == PARAMETER_WEIGHTS)
            TRY(bind_convolution(x, p->layer, p, n->layer[p->layer].bias ? p + 1 : NULL));
    }
    return bind_statistics(x);
}

static int create(struct executor *x)
{
    TRY(memory_alloc(&x->layer, (size_t)x->network->layers, sizeof *x->layer));
    TRY(memory_alloc(&x->join_input, (size_t)x->network->inputs, sizeof *x->join_input));
    TRY(dnn_open(&x->dnn));
    TRY(executor_divide(x));
    TRY(create_layers(x));
    TRY(executor_plan(x));
    TRY(executor_list_parameters(x));
    return bind_layers(x);
}

int executor_create(struct executor **out, const struct network *n, int batch)
{
    return executor_create_parts(out, n, batch, PART_BYTES);
}

int executor_create_parts(struct executor **out, const struct network *n, int batch, size_t part_bytes)
{
    *out = NULL;
    struct executor *x;
    TRY(memory_alloc(&x, 1, sizeof *x));
    x->network = n;
    x->batch = batch;
    x->part_floats = part_bytes / sizeof(float);
    int status = create(x);
    if (status == STATUS_OK)
        *out = x;
    else
        executor_destroy(&x);
    return status;
}

void executor_destroy(struct executor **out)
{
    struct executor *x = *out;
    if (x == NULL) return;
    for (int l = 0; x->layer != NULL && l < x->network->layers; l++) {
        if (x->network->layer[l].kind == LAYER_CONV) convolution_destroy(&x->layer[l].convolution);
        if (x->network->layer[l].kind == LAYER_POOL) pooling_destroy(&x->layer[l].pooling);
    }
    dnn_close(&x->dnn);
    free(x->layer);
    free(x->join_input);
    free(x->step);
    free(x->arena);
    free(x->images);
    free(x->logits_gradient);
    free(x->value);
    free(x->slot_gradient);
    free(x->source);
    free(x->reader);
    free(x->first_reader);
    free(x->gathered);
    free(x->buffer);
    free(x->parameter);
    free(x->parameter_value);
    free(x->parameter_gradient);
    free(x->running);
    free(x->batch_statistics);
    free(x->moments);
    free(x->coefficients);
    free(x);
    *out = NULL;
}

float *executor_images(struct executor *x)
{
    return x->images;
}

size_t executor_memory(const struct executor *x)
{
    return (x->arena_floats + 2 * x->parameter_floats + 2 * x->running_floats) * sizeof(float);
}
