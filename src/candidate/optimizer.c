#include "optimizer.h"

#include "memory.h"
#include "status.h"

#include <math.h>
#include <stdlib.h>

#define ADAM_BETA1   0.9
#define ADAM_BETA2   0.999
#define ADAM_EPSILON 1e-7f

int optimizer_create(struct optimizer *o, const struct training_options *options, size_t count)
{
    *o = (struct optimizer){.kind = options->optimizer, .count = count, .momentum = (float)options->momentum,
                            .weight_decay = (float)options->weight_decay};
    o->moments = o->kind == OPTIMIZER_ADAM ? 2 * count : count;
    return memory_alloc(&o->moment, o->moments, sizeof *o->moment);
}

void optimizer_destroy(struct optimizer *o)
{
    free(o->moment);
    *o = (struct optimizer){0};
}

static void adam(struct optimizer *o, float *restrict value, const float *restrict gradient, const float *restrict decayed, double rate)
{
    float *restrict m = o->moment, *restrict v = o->moment + o->count;
    const float b1 = (float)ADAM_BETA1, b2 = (float)ADAM_BETA2, decay = o->weight_decay;
    const double t = (double)o->step;
    const float unbias = (float)(1 / (1 - pow(ADAM_BETA2, t))), step = (float)(rate / (1 - pow(ADAM_BETA1, t)));
    for (size_t i = 0; i < o->count; i++) {
        const float g = gradient[i] + decay * decayed[i] * value[i];
        m[i] = b1 * m[i] + (1 - b1) * g;
        v[i] = b2 * v[i] + (1 - b2) * g * g;
        value[i] -= step * m[i] / (sqrtf(v[i] * unbias) + ADAM_EPSILON);
    }
}

static void nesterov(struct optimizer *o, float *restrict value, const float *restrict gradient, const float *restrict decayed,
                     double rate)
{
    float *restrict m = o->moment;
    const float mu = o->momentum, step = (float)rate, decay = o->weight_decay;
    for (size_t i = 0; i < o->count; i++) {
        const float g = gradient[i] + decay * decayed[i] * value[i];
        m[i] = mu * m[i] + g;
        value[i] -= step * (g + mu * m[i]);
    }
}

void optimizer_step(struct optimizer *o, float *value, const float *gradient, const float *decayed, double learning_rate)
{
    o->step++;
    if (o->kind == OPTIMIZER_ADAM)
        adam(o, value, gradient, decayed, learning_rate);
    else
        nesterov(o, value, gradient, decayed, learning_rate);
}
