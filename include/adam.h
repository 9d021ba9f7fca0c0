/* adam.h - Adam (Kingma and Ba 2015) over one flat array, with bias correction folded into the step size. */
#ifndef ADAM_H
#define ADAM_H

#include "vector.h"

#include <stddef.h>

struct adam {
    real *first, *second; /* [size] running moments */
    int step;
    double beta1, beta2, epsilon;
};

/* Forget all moments. */
void adam_restart(struct adam *a, size_t size);

/* w -= rate sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + epsilon). Arrays 64-byte aligned, size a multiple of LANES. */
void adam_update(real *w, struct adam *a, const real *gradient, size_t size, double rate);

#endif
