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

/* Scale a part of the outputs of a join below 1; returns the exponent that was taken away. */
static int scale_down(struct executor *x, const struct executor_step *s)
{
    const size_t count = (size_t)s->images * executor_image_floats(x, x->network->layer[s->layer].output);
    float *const part[] = {x->layer[s->layer].join.sum, x->layer[s->layer].join.activated};
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

static void scale_gradient(struct executor *x, const struct executor_step *s, int exponent)
{
    const size_t count = (size_t)s->images * executor_image_floats(x, x->network->layer[s->layer].output);
    float *gradient = x->layer[s->layer].join.gradient;
    for (size_t i = 0; i < count; i++) gradient[i] = ldexpf(gradient[i], -exponent);
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
    for (int i = 0; i < x->steps; i++) {
        const struct executor_step *s = &x->step[i];
        TRY(executor_step_forward(x, s, JOIN_LINEAR));
        if (s->first > 0) continue; /* parts of zeros */
        exponent[s->layer] = cut[s->layer] ? scale_down(x, s) : 0;
        total += exponent[s->layer];
    }
    memset(x->logits_gradient, 0, (size_t)x->batch * stride * sizeof *x->logits_gradient);
    for (int c = 0; c < logits->channels; c++) x->logits_gradient[c] = 1;
    for (int i = x->steps - 1; i >= 0; i--) {
        const struct executor_step *s = &x->step[i];
        TRY(executor_step_backward(x, s, JOIN_LINEAR));
        if (s->first == 0 && exponent[s->layer] != 0) scale_gradient(x, s, exponent[s->layer]);
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
