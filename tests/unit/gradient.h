/* gradient.h - compare an analytic gradient with central differences of a scalar function. */
#ifndef GRADIENT_H
#define GRADIENT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "random.h"
#include "vector.h"

/* f(argument) is evaluated with x[i] moved by +-h; every `stride`-th of n entries is checked. */
static inline void gradient_check(const char *what, double (*f)(void *), void *argument, real *x, const real *dx, size_t n,
                                  size_t stride, double tolerance)
{
    const double h = 1e-5;
    double largest = 0;
    for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs((double)dx[i]));
    for (size_t i = 0; i < n; i += stride) {
        real keep = x[i];
        x[i] = (real)(keep + h);
        double up = f(argument);
        x[i] = (real)(keep - h);
        double down = f(argument);
        x[i] = keep;
        double expected = (up - down) / (2 * h), error = fabs(expected - (double)dx[i]);
        if (!(error <= tolerance * fmax(1e-3, largest))) {
            print_error("%s[%zu]: central difference %.10g, backward pass %.10g\n", what, i, expected, (double)dx[i]);
            fail();
        }
    }
}

static inline void gradient_fill(real *x, size_t n, double scale, struct random_stream *stream)
{
    for (size_t i = 0; i < n; i++) x[i] = (real)(scale * (2 * random_uniform(stream) - 1));
}

#endif
