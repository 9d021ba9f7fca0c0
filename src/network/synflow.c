#include "executor_internal.h"

#include "memory.h"
#include "status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Without normalisation the network multiplies by some ten at every convolution: R leaves the range of float in deep networks.
 * Wherever all paths run through one sum, that sum can be scaled by a power of two without changing anything but the scale of R
 * and of all w dR/dw: exact, and undone at the end. */

/* cut[l]: everything after layer l depends on what came before through the outputs of l alone, which is a join. */
static void find_cuts(bool *cut, const struct network *n)
{
    for (int l = 0; l < n->layers; l++) cut[l] = n->layer[l].kind == LAYER_JOIN;
    for (int reader = 0; reader < n->layers; reader++)
        for (int i = 0; i < n->layer[reader].inputs; i++) {
            const int producer = n->tensor[n->input[n->layer[reader].first + i].tensor].producer;
            for (int l = producer + 1; l < reader; l++) cut[l] = false; /* this tensor passes by l */
        }
}

/* Scale the outputs of a join below 1; returns the exponent that was taken away. */
static int scale_down(struct executor *x, int l)
{
    const struct layer *layer = &x->network->layer[l];
    const size_t count = executor_floats(x, layer->output);
    float *const part[] = {x->layer[l].join.sum, x->layer[l].join.activated};
    float most = 0;
    int exponent;
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; part[k] != NULL && i < count; i++) most = fmaxf(most, fabsf(part[k][i]));
    if (!(most > 0) || !isfinite(most)) return 0;
    frexpf(most, &exponent);
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; part[k] != NULL && i < count; i++) part[k][i] = ldexpf(part[k][i], -exponent);
    return exponent;
}

static void scale_gradient(struct executor *x, int l, int exponent)
{
    const struct layer *layer = &x->network->layer[l];
    const struct join *j = &x->layer[l].join;
    const size_t count = executor_floats(x, layer->output);
    for (size_t i = 0; i < count; i++) j->gradient[i] = ldexpf(j->gradient[i], -exponent);
    for (int k = 0; k < j->inputs; k++)
        for (size_t i = 0; j->input[k].normalised && !j->input[k].deferred && i < count; i++)
            j->input[k].value_gradient[i] = ldexpf(j->input[k].value_gradient[i], -exponent);
}

static int run(double *score, struct executor *x, const bool *cut, int *exponent)
{
    const struct network *n = x->network;
    const struct tensor *images = &n->tensor[0], *logits = &n->tensor[n->logits];
    const size_t one = (size_t)(images->channels * images->height * images->width);
    const size_t stride = (size_t)(executor_blocks(x, logits->channels) * x->dnn.block);
    int total = 0;
    memset(x->images, 0, (size_t)x->batch * one * sizeof *x->images); /* the other images give zeros */
    for (size_t i = 0; i < one; i++) x->images[i] = 1;
    for (int l = 0; l < n->layers; l++) {
        TRY(executor_layer_forward(x, l, JOIN_LINEAR));
        exponent[l] = cut[l] ? scale_down(x, l) : 0;
        total += exponent[l];
    }
    memset(x->logits_gradient, 0, (size_t)x->batch * stride * sizeof *x->logits_gradient);
    for (int c = 0; c < logits->channels; c++) x->logits_gradient[c] = 1;
    for (int l = n->layers - 1; l >= 0; l--) {
        TRY(executor_layer_backward(x, l, JOIN_LINEAR));
        if (exponent[l] != 0) scale_gradient(x, l, exponent[l]);
    }
    *score = 0;
    for (int i = 0; i < x->parameters; i++) {
        const struct parameter *p = &x->parameter[i];
        for (size_t k = 0; p->kind == PARAMETER_WEIGHTS && k < p->kept; k++)
            *score += (double)x->parameter_value[p->offset + k] * x->parameter_gradient[p->offset + k];
    }
    *score = ldexp(*score, total);
    return STATUS_OK;
}

int executor_synflow(double *score, struct executor *x)
{
    float *kept;
    bool *cut = NULL;
    int *exponent = NULL, status;
    TRY(memory_alloc(&kept, x->parameter_floats, sizeof *kept));
    TRY_DONE(memory_alloc(&cut, (size_t)x->network->layers, sizeof *cut));
    TRY_DONE(memory_alloc(&exponent, (size_t)x->network->layers, sizeof *exponent));
    memcpy(kept, x->parameter_value, x->parameter_floats * sizeof *kept);
    for (int i = 0; i < x->parameters; i++) { /* biases are no part of the flow */
        const struct parameter *p = &x->parameter[i];
        for (size_t k = 0; k < p->kept; k++) {
            float *w = &x->parameter_value[p->offset + k];
            *w = p->kind == PARAMETER_WEIGHTS ? fabsf(*w) : p->kind == PARAMETER_BIAS ? 0 : *w;
        }
    }
    find_cuts(cut, x->network);
    status = run(score, x, cut, exponent);
    memcpy(x->parameter_value, kept, x->parameter_floats * sizeof *kept);
done:
    free(exponent);
    free(cut);
    free(kept);
    return status;
}
