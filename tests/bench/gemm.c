/* The peak that the BLAS library reaches on one core: the measure for the fractions that the other figures state. */
#include "memory.h"
#include "status.h"
#include "timer.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 1536, RUNS = 7 };

static int ascending(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void print_median(const char *name, double rate[RUNS])
{
    qsort(rate, RUNS, sizeof *rate, ascending);
    printf("%s: %.4g GFLOP/s (OpenBLAS core %s, n = %d, median of %d, %.4g to %.4g)\n", name, rate[RUNS / 2], openblas_get_corename(),
           N, RUNS, rate[0], rate[RUNS - 1]);
}

int main(void)
{
    const double flop = 2.0 * N * N * N;
    double rate[RUNS];
    float *a, *b, *c;
    double *x, *y, *z;
    TRY(memory_alloc(&a, (size_t)N * N, sizeof *a));
    TRY(memory_alloc(&b, (size_t)N * N, sizeof *b));
    TRY(memory_alloc(&c, (size_t)N * N, sizeof *c));
    TRY(memory_alloc(&x, (size_t)N * N, sizeof *x));
    TRY(memory_alloc(&y, (size_t)N * N, sizeof *y));
    TRY(memory_alloc(&z, (size_t)N * N, sizeof *z));
    for (int i = 0; i < N * N; i++) a[i] = b[i] = (float)(x[i] = y[i] = (i % 17) * 0.01);
    openblas_set_num_threads(1);
    for (int run = -1; run < RUNS; run++) {
        double begin = timer_now();
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, N, N, N, 1, a, N, b, N, 0, c, N);
        if (run >= 0) rate[run] = flop / (timer_now() - begin) * 1e-9; /* run -1 warms up */
    }
    print_median("sgemm_peak", rate);
    for (int run = -1; run < RUNS; run++) {
        double begin = timer_now();
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, N, N, N, 1, x, N, y, N, 0, z, N);
        if (run >= 0) rate[run] = flop / (timer_now() - begin) * 1e-9;
    }
    print_median("dgemm_peak", rate);
    free(a), free(b), free(c), free(x), free(y), free(z);
    return STATUS_OK;
}
