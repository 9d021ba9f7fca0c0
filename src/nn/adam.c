#include "adam.h"

#include <string.h>

void adam_restart(struct adam *a, size_t size)
{
    memset(a->first, 0, size * sizeof(real));
    memset(a->second, 0, size * sizeof(real));
    a->step = 0;
}

void adam_update(real *restrict w, struct adam *a, const real *restrict gradient, size_t size, double rate)
{
    a->step++;
    real *restrict m = a->first, *restrict v = a->second;
    const real beta1 = (real)a->beta1, beta2 = (real)a->beta2, epsilon = (real)a->epsilon;
    const real correct = (real)(rate * sqrt(1 - pow(a->beta2, a->step)) / (1 - pow(a->beta1, a->step)));
    for (size_t i = 0; i < size; i++) {
        real g = gradient[i];
        m[i] = beta1 * m[i] + (1 - beta1) * g;
        v[i] = beta2 * v[i] + (1 - beta2) * g * g;
#ifdef REAL_DOUBLE
        w[i] -= correct * m[i] / (sqrt(v[i]) + epsilon);
#else
        w[i] -= correct * m[i] / (sqrtf(v[i]) + epsilon);
#endif
    }
}
