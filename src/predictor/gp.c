#include "gp_internal.h"

#include "memory.h"
#include "status.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int allocate(struct gp *g)
{
    const size_t n = (size_t)g->n_max, columns = (size_t)g->columns, outputs = (size_t)g->shape.outputs;
    TRY(memory_alloc(&g->x, columns * n, sizeof *g->x));
    TRY(memory_alloc(&g->norm, (size_t)g->shape.groups * n, sizeof *g->norm));
    TRY(memory_alloc(&g->target, outputs * n, sizeof *g->target));
    TRY(memory_alloc(&g->alpha, outputs * n, sizeof *g->alpha));
    TRY(memory_alloc(&g->white, n, sizeof *g->white));
    TRY(memory_alloc(&g->ones, n, sizeof *g->ones));
    TRY(memory_alloc(&g->scaled, columns * n, sizeof *g->scaled));
    TRY(memory_alloc(&g->scaled_norm, n, sizeof *g->scaled_norm));
    return memory_alloc(&g->block, GP_BLOCK * n, sizeof *g->block);
}

int gp_create(struct gp **out, MPI_Comm comm, const struct gp_shape *shape, const struct gp_prior *prior, int n_max)
{
    struct gp *g;
    int ranks;
    *out = NULL;
    assert(shape->groups <= GP_GROUPS_MAX && 1 <= shape->outputs && shape->outputs <= GP_OUTPUTS_MAX && n_max >= 1);
    TRY(status_agree(comm, memory_alloc(&g, 1, sizeof *g)));
    *g = (struct gp){.shape = *shape, .prior = *prior, .n_max = n_max};
    MPI_Comm_dup(comm, &g->comm);
    MPI_Comm_size(g->comm, &ranks);
    g->alone = ranks == 1;
    for (int i = 0; i < shape->groups; i++) g->columns += shape->width[i];
    gp_restart(g);
    int status = scalapack_open(&g->lib);
    if (status == STATUS_OK) status = allocate(g);
    status = status_agree(g->comm, status);
    if (status == STATUS_OK) *out = g;
    else gp_destroy(&g);
    return status;
}

void gp_destroy(struct gp **out)
{
    struct gp *g = *out;
    if (g == NULL) return;
    cholesky_destroy(&g->cholesky);
    MPI_Comm_free(&g->comm);
    free(g->x);
    free(g->norm);
    free(g->target);
    free(g->alpha);
    free(g->white);
    free(g->ones);
    free(g->scaled);
    free(g->scaled_norm);
    free(g->block);
    free(g);
    *out = NULL;
}

void gp_restart(struct gp *g)
{
    for (int i = 0; i < g->shape.groups; i++) g->hyper.length[i] = g->prior.length[i];
    g->hyper.noise = g->prior.noise;
}

void gp_set_hyper(struct gp *g, const struct gp_hyper *h)
{
    g->hyper = *h;
}

const struct gp_hyper *gp_hyper(const struct gp *g)
{
    return &g->hyper;
}

int gp_set_data(struct gp *g, const double *x, const double *target, int n)
{
    const size_t room = (size_t)g->n_max;
    assert(1 <= n && n <= g->n_max);
    g->n = n;
    memset(g->norm, 0, (size_t)g->shape.groups * room * sizeof *g->norm);
    for (int group = 0, d = 0; group < g->shape.groups; group++)
        for (int end = d + g->shape.width[group]; d < end; d++)
            for (int i = 0; i < n; i++) {
                const double value = x[(size_t)i * (size_t)g->columns + (size_t)d];
                g->x[(size_t)d * room + (size_t)i] = value;
                g->norm[(size_t)group * room + (size_t)i] += value * value;
            }
    for (int o = 0; o < g->shape.outputs; o++)
        memcpy(g->target + (size_t)o * room, target + (size_t)o * (size_t)n, (size_t)n * sizeof *target);
    if (g->cholesky_n == n) return STATUS_OK;
    cholesky_destroy(&g->cholesky);
    g->cholesky_n = 0;
    TRY(cholesky_create(&g->cholesky, g->comm, n, 0, 0));
    g->cholesky_n = n;
    return STATUS_OK;
}

/* -- the matrix ------------------------------------------------------------------------------------------------------ */

/* A block of kernel plus noise. Rows and columns of a block are neighbours, so inner products are one product of matrices. */
static void fill(double *a, int lda, const int *row, int rows, const int *column, int columns, void *self)
{
    const struct gp *g = self;
    const double minus_two = -2, unit = 1;
    for (int j = 0; j < columns; j++)
        for (int i = 0; i < rows; i++) a[(size_t)j * (size_t)lda + i] = g->scaled_norm[column[j]] + g->scaled_norm[row[i]];
    g->lib->dgemm_("N", "T", &rows, &columns, &g->columns, &minus_two, g->x + row[0], &g->n_max, g->scaled + column[0], &g->n_max, &unit,
                   a, &lda);
    for (int j = 0; j < columns; j++) {
        double *to = a + (size_t)j * (size_t)lda;
        gp_matern(to, rows);
        for (int i = 0; i < rows; i++)
            if (row[i] == column[j]) to[i] = 1 + g->hyper.noise;
    }
}

static double dot(const double *a, const double *b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

int gp_solve(struct gp *g, double *jitter)
{
    const struct cholesky_entries entries = {fill, g};
    const int n = g->n;
    gp_prepare(g);
    TRY(cholesky_factor(g->cholesky, &entries, jitter));
    for (int i = 0; i < n; i++) g->ones[i] = 1;
    TRY(cholesky_half_solve(g->cholesky, g->ones, 1));
    const double weight = dot(g->ones, g->ones, n);
    for (int o = 0; o < g->shape.outputs; o++) {
        double *r = g->white;
        memcpy(r, g->target + (size_t)o * (size_t)g->n_max, (size_t)n * sizeof *r);
        TRY(cholesky_half_solve(g->cholesky, r, 1));
        g->mean[o] = dot(g->ones, r, n) / weight;
        for (int i = 0; i < n; i++) r[i] -= g->mean[o] * g->ones[i];
        g->signal[o] = (dot(r, r, n) + GP_SIGNAL_WEIGHT) / (n + GP_SIGNAL_WEIGHT);
    }
    g->is_ready = false;
    return STATUS_OK;
}

/* -- predictions ----------------------------------------------------------------------------------------------------- */

int gp_factor(struct gp *g, double *jitter)
{
    TRY(gp_solve(g, jitter));
    for (int o = 0; o < g->shape.outputs; o++) {
        double *alpha = g->alpha + (size_t)o * (size_t)g->n_max;
        for (int i = 0; i < g->n; i++) alpha[i] = g->target[(size_t)o * (size_t)g->n_max + (size_t)i] - g->mean[o];
        TRY(cholesky_solve(g->cholesky, alpha, 1));
    }
    g->is_ready = true;
    return STATUS_OK;
}

static double floor_of(double share)
{
    return share > 1e-10 ? share : 1e-10;
}

/* Where kernels between data and rows of a prediction come from, when they are spread over a grid. */
struct rows {
    const struct gp *gp;
    const double *x;
};

static void fill_rows(double *a, int lda, const int *row, int rows, const int *column, int columns, void *self)
{
    const struct rows *r = self;
    const struct gp *g = r->gp;
    const size_t room = (size_t)g->n_max;
    for (int j = 0; j < columns; j++) {
        double *to = a + (size_t)j * (size_t)lda;
        const double *y = r->x + (size_t)column[j] * (size_t)g->columns;
        const double own = gp_scaled_norm(g, y);
        for (int i = 0; i < rows; i++) to[i] = own + g->scaled_norm[row[i]];
        for (int d = 0; d < g->columns; d++)
            for (int i = 0; i < rows; i++) to[i] += -2 * y[d] * g->scaled[(size_t)d * room + (size_t)row[i]];
        gp_matern(to, rows);
    }
}

/* On one rank the triangular solve may take the block of kernels as it is. */
static int variances_here(double *variance, struct gp *g, int rows)
{
    TRY(cholesky_half_solve(g->cholesky, g->block, rows));
    for (int i = 0; i < rows; i++) {
        const double *row = g->block + (size_t)i * (size_t)g->n;
        variance[i] = g->signal[0] * floor_of(1 - dot(row, row, g->n));
    }
    return STATUS_OK;
}

int gp_predict(double *mean, double *variance, struct gp *g, const double *x, int m)
{
    assert(g->is_ready);
    const double unit = 1, none = 0;
    const int one = 1;
    for (int first = 0; first < m; first += GP_BLOCK) {
        const int rows = m - first < GP_BLOCK ? m - first : GP_BLOCK;
        gp_kernel_rows(g->block, g, x + (size_t)first * (size_t)g->columns, rows);
        for (int o = 0; o < g->shape.outputs; o++) {
            double *to = mean + (size_t)o * (size_t)m + first;
            g->lib->dgemm_("T", "N", &rows, &one, &g->n, &unit, g->block, &g->n, g->alpha + (size_t)o * (size_t)g->n_max,
                           &g->n_max, &none, to, &rows);
            for (int i = 0; i < rows; i++) to[i] += g->mean[o];
        }
        if (variance != NULL && g->alone) TRY(variances_here(variance + first, g, rows));
    }
    if (variance == NULL || g->alone) return STATUS_OK;
    struct rows r = {g, x};
    const struct cholesky_entries entries = {fill_rows, &r};
    TRY(cholesky_norms(variance, g->cholesky, &entries, m));
    for (int i = 0; i < m; i++) variance[i] = g->signal[0] * floor_of(1 - variance[i]);
    return STATUS_OK;
}

int gp_covariance(double *covariance, struct gp *g, const double *one, const double *x, int m)
{
    assert(g->is_ready);
    double *weight;
    TRY(memory_alloc(&weight, (size_t)g->n, sizeof *weight));
    gp_kernel_rows(weight, g, one, 1);
    int status = cholesky_solve(g->cholesky, weight, 1);
    for (int first = 0; first < m && status == STATUS_OK; first += GP_BLOCK) {
        const int rows = m - first < GP_BLOCK ? m - first : GP_BLOCK;
        gp_kernel_rows(g->block, g, x + (size_t)first * (size_t)g->columns, rows);
        for (int i = 0; i < rows; i++) {
            const double prior = gp_kernel(g, one, x + (size_t)(first + i) * (size_t)g->columns);
            covariance[first + i] = g->signal[0] * (prior - dot(g->block + (size_t)i * (size_t)g->n, weight, g->n));
        }
    }
    free(weight);
    return status;
}
