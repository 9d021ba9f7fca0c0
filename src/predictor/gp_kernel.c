/* The kernel: Matern 5/2, in double precision, for blocks of rows. */
#include "gp_internal.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* e^x for -700 <= x <= 0, to about 1e-16 relative, written so that compilers make vectors of it: 2^k e^r with |r| <= ln 2 / 2. */
static inline double exp_negative(double x)
{
    const double log2e = 1.4426950408889634, ln2_high = 0.693147180369123816490, ln2_low = 1.90821492927058770002e-10;
    const double shift = 6755399441055744.0; /* 1.5 * 2^52: adding it rounds to an integer, in the lowest bits */
    const double k = x * log2e + shift;
    const double r = (x - (k - shift) * ln2_high) - (k - shift) * ln2_low;
    static const double c[] = {1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
                               1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1, 1};
    double p = c[0];
    for (int i = 1; i < 13; i++) p = p * r + c[i];
    uint64_t bits, scale;
    memcpy(&bits, &k, sizeof bits);
    scale = (bits + 1023) << 52;
    double power;
    memcpy(&power, &scale, sizeof power);
    return p * power;
}

void gp_matern(double *value, int count)
{
    for (int i = 0; i < count; i++) {
        const double r2 = value[i] > 0 ? value[i] : 0; /* a difference of rounded numbers may be negative */
        double q = sqrt(5 * r2);
        q = q < 700 ? q : 700;
        value[i] = (1 + q + q * q * (1.0 / 3)) * exp_negative(-q);
    }
}

void gp_matern_slope(double *value, int count)
{
    for (int i = 0; i < count; i++) {
        double q = sqrt(5 * value[i]);
        q = q < 700 ? q : 700;
        value[i] = 5.0 / 3 * (1 + q) * exp_negative(-q);
    }
}

void gp_prepare(struct gp *g)
{
    memset(g->scaled_norm, 0, (size_t)g->n * sizeof *g->scaled_norm);
    for (int group = 0, d = 0; group < g->shape.groups; group++) {
        const double scale = 1 / (g->hyper.length[group] * g->hyper.length[group]);
        for (int i = 0; i < g->n; i++) g->scaled_norm[i] += scale * g->norm[(size_t)group * (size_t)g->n_max + (size_t)i];
        for (int end = d + g->shape.width[group]; d < end; d++)
            for (int i = 0; i < g->n; i++)
                g->scaled[(size_t)d * (size_t)g->n_max + (size_t)i] = scale * g->x[(size_t)d * (size_t)g->n_max + (size_t)i];
    }
}

double gp_scaled_norm(const struct gp *g, const double *x)
{
    double sum = 0;
    for (int group = 0; group < g->shape.groups; group++) {
        double norm = 0;
        for (int d = 0; d < g->shape.width[group]; d++) norm += x[d] * x[d];
        sum += norm / (g->hyper.length[group] * g->hyper.length[group]);
        x += g->shape.width[group];
    }
    return sum;
}

/* r^2 = |a|^2 + |b|^2 - 2 a.b, the last for all pairs as one product. */
void gp_kernel_rows(double *kernel, const struct gp *g, const double *x, int rows)
{
    const double minus_two = -2, none = 0;
    g->lib->dgemm_("N", "N", &g->n, &rows, &g->columns, &minus_two, g->scaled, &g->n_max, x, &g->columns, &none, kernel, &g->n);
    for (int i = 0; i < rows; i++) {
        double *row = kernel + (size_t)i * (size_t)g->n;
        const double own = gp_scaled_norm(g, x + (size_t)i * (size_t)g->columns);
        for (int j = 0; j < g->n; j++) row[j] += own + g->scaled_norm[j];
        gp_matern(row, g->n);
    }
}

double gp_kernel(const struct gp *g, const double *a, const double *b)
{
    double r2 = 0;
    for (int group = 0; group < g->shape.groups; group++) {
        double sum = 0;
        for (int d = 0; d < g->shape.width[group]; d++) sum += (a[d] - b[d]) * (a[d] - b[d]);
        r2 += sum / (g->hyper.length[group] * g->hyper.length[group]);
        a += g->shape.width[group], b += g->shape.width[group];
    }
    gp_matern(&r2, 1);
    return r2;
}
