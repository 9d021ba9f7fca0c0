/* The dense linear algebra of all ranks together, `name: value unit` on rank 0: the peak, as products of square matrices on every
 * rank at the same time, then the factor of a symmetric matrix and its inverse. GFLOP/s are those of all ranks.
 * usage: cholesky [N [RUNS [GRID_ROWS GRID_COLUMNS]]] */
#include "cholesky.h"
#include "log.h"
#include "memory.h"
#include "scalapack.h"
#include "status.h"
#include "timer.h"

#include "median.h"

#include <stdio.h>
#include <stdlib.h>

enum { RUNS_MAX = 9, PEAK_N = 2000 };

static void fill(double *a, int lda, const int *row, int rows, const int *column, int columns, void *self)
{
    (void)self;
    for (int j = 0; j < columns; j++)
        for (int i = 0; i < rows; i++) {
            const double distance = row[i] < column[j] ? column[j] - row[i] : row[i] - column[j];
            a[i + (size_t)j * (size_t)lda] = 1 / (1 + 0.01 * distance) + (row[i] == column[j]);
        }
}

/* Between two barriers: the seconds of the slowest. */
static double since(double begin)
{
    MPI_Barrier(MPI_COMM_WORLD);
    return timer_now() - begin;
}

static double start(void)
{
    MPI_Barrier(MPI_COMM_WORLD);
    return timer_now();
}

static int peak(double *rate, int runs, int ranks)
{
    const struct scalapack *lib;
    const int n = PEAK_N;
    const double unit = 1, none = 0;
    double *a;
    TRY(scalapack_open(&lib));
    TRY(memory_alloc(&a, 3 * (size_t)n * (size_t)n, sizeof *a));
    double *b = a + (size_t)n * (size_t)n, *c = b + (size_t)n * (size_t)n;
    for (int i = 0; i < 2 * n * n; i++) a[i] = i % 1009 / 1009.0;
    for (int run = -1; run < runs; run++) {
        const double begin = start();
        lib->dgemm_("N", "N", &n, &n, &n, &unit, a, &n, b, &n, &none, c, &n);
        const double seconds = since(begin);
        if (run >= 0) rate[run] = 2e-9 * n * n * n * ranks / seconds;
    }
    free(a);
    return STATUS_OK;
}

static int bench(int n, int runs, int rows, int columns, int rank, int ranks)
{
    const struct cholesky_entries entries = {fill, NULL};
    const double work = 1e-9 / 3 * n * n * n;
    double top[RUNS_MAX], factor[RUNS_MAX], inverse[RUNS_MAX], jitter;
    struct cholesky *c;
    char with[64];
    TRY(peak(top, runs, ranks));
    TRY(cholesky_create(&c, MPI_COMM_WORLD, n, rows, columns));
    for (int run = 0; run < runs; run++) {
        double begin = start();
        TRY(cholesky_factor(c, &entries, &jitter));
        factor[run] = work / since(begin);
        begin = start();
        TRY(cholesky_invert_factor(c));
        inverse[run] = work / since(begin);
    }
    cholesky_destroy(&c);
    if (rank != 0) return STATUS_OK;
    snprintf(with, sizeof with, "%d ranks, n = %d, ", ranks, PEAK_N);
    median_print("dgemm_peak_ranks", top, runs, "GFLOP/s", with);
    snprintf(with, sizeof with, "%d ranks, n = %d, ", ranks, n);
    median_print("pdpotrf", factor, runs, "GFLOP/s", with);
    median_print("inverse_factor", inverse, runs, "GFLOP/s", with);
    return STATUS_OK;
}

int main(int argc, char **argv)
{
    int rank, ranks;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    log_open(rank);
    const int n = argc > 1 ? atoi(argv[1]) : 15625, runs = argc > 2 ? atoi(argv[2]) : 3;
    const int rows = argc > 4 ? atoi(argv[3]) : 0, columns = argc > 4 ? atoi(argv[4]) : 0;
    int status = n > 0 && 0 < runs && runs <= RUNS_MAX && rows >= 0 && columns >= 0 && (rows == 0 || rows * columns == ranks)
        ? bench(n, runs, rows, columns, rank, ranks)
        : status_fail(STATUS_INPUT, "cholesky: [N [RUNS [GRID_ROWS GRID_COLUMNS]]], a grid of these %d ranks, at most %d runs",
                      ranks, RUNS_MAX);
    if (status != STATUS_OK && rank == 0) log_error(status_message());
    MPI_Finalize();
    return status;
}
