/* optimizer.h - steps of Adam and of SGD with Nesterov momentum over all parameters of a network at once. */
#ifndef OPTIMIZER_H
#define OPTIMIZER_H

#include "training.h"

#include <stddef.h>

struct optimizer {
    enum training_optimizer kind;
    size_t count;
    float *moment;         /* [moments] Adam's first, then its second; SGD has the first only */
    size_t moments;
    float momentum, weight_decay;
    int64_t step;
};

int optimizer_create(struct optimizer *o, const struct training_options *options, size_t count);
void optimizer_destroy(struct optimizer *o);

/* decayed [count]: 1 where weight decay applies, 0 elsewhere. */
void optimizer_step(struct optimizer *o, float *value, const float *gradient, const float *decayed, double learning_rate);

#endif
