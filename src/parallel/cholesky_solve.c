/* Solutions with the factor. */
#include "cholesky_internal.h"

#include "memory.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS_AT_A_TIME = 2048 };

static const int one = 1;

enum solve { HALF, WHOLE };

static void solve_here(const struct cholesky *c, double *b, int columns, enum solve how)
{
    const double unit = 1;
    int info;
    if (how == HALF)
        c->lib->dtrsm_("L", "L", "N", "N", &c->n, &columns, &unit, c->a, &c->lld, b, &c->n);
    else
        c->lib->dpotrs_("L", &c->n, &columns, c->a, &c->lld, b, &c->n, &info);
}

static void solve_on_grid(const struct cholesky *c, double *b, int columns, enum solve how)
{
    const double unit = 1;
    int desc[SCALAPACK_DESC], info;
    cholesky_describe(desc, c, columns);
    if (how == HALF)
        c->lib->pdtrsm_("L", "L", "N", "N", &c->n, &columns, &unit, c->a, &one, &one, c->desc, b, &one, &one, desc);
    else
        c->lib->pdpotrs_("L", &c->n, &columns, c->a, &one, &one, c->desc, b, &one, &one, desc, &info);
}

/* Between the whole [n][columns] on every rank and this rank's part. */
static void take_part(double *part, const double *whole, const struct cholesky *c, const struct cholesky_side *columns)
{
    for (int j = 0; j < columns->count; j++)
        for (int i = 0; i < c->rows.count; i++)
            part[(size_t)j * (size_t)c->lld + i] = whole[(size_t)columns->index[j] * (size_t)c->n + c->rows.index[i]];
}

static void put_part(double *whole, const double *part, const struct cholesky *c, const struct cholesky_side *columns, int count)
{
    memset(whole, 0, (size_t)count * (size_t)c->n * sizeof *whole);
    for (int j = 0; j < columns->count; j++)
        for (int i = 0; i < c->rows.count; i++)
            whole[(size_t)columns->index[j] * (size_t)c->n + c->rows.index[i]] = part[(size_t)j * (size_t)c->lld + i];
    for (int j = 0; j < count; j++)
        MPI_Allreduce(MPI_IN_PLACE, whole + (size_t)j * (size_t)c->n, c->n, MPI_DOUBLE, MPI_SUM, c->comm); /* one is not 0 */
}

static int solve(struct cholesky *c, double *b, int columns, enum solve how)
{
    if (c->alone) {
        solve_here(c, b, columns, how);
        return STATUS_OK;
    }
    struct cholesky_side mine = {0};
    double *part = NULL;
    int status = cholesky_deal(&mine, columns, c->column, c->grid_columns);
    if (status == STATUS_OK) status = memory_alloc(&part, (size_t)c->lld * (size_t)mine.count, sizeof *part);
    status = status_agree(c->comm, status);
    if (status == STATUS_OK) {
        take_part(part, b, c, &mine);
        solve_on_grid(c, part, columns, how);
        put_part(b, part, c, &mine, columns);
    }
    free(part);
    free(mine.index);
    return status;
}

int cholesky_half_solve(struct cholesky *c, double *b, int columns)
{
    return solve(c, b, columns, HALF);
}

int cholesky_solve(struct cholesky *c, double *b, int columns)
{
    return solve(c, b, columns, WHOLE);
}

/* -- norms of many columns ------------------------------------------------------------------------------------------- */

static void norms_of(double *norm, struct cholesky *c, const struct cholesky_entries *entries, double *part,
                     struct cholesky_side *mine, int first,
                     int columns)
{
    for (int j = 0; j < mine->count; j++) mine->index[j] += first; /* the callback counts from the first of all */
    cholesky_fill(part, c, mine, entries, false);
    for (int j = 0; j < mine->count; j++) mine->index[j] -= first;
    if (c->alone)
        solve_here(c, part, columns, HALF);
    else
        solve_on_grid(c, part, columns, HALF);
    memset(norm, 0, (size_t)columns * sizeof *norm);
    for (int j = 0; j < mine->count; j++) {
        const double *x = part + (size_t)j * (size_t)c->lld;
        double sum = 0;
        for (int i = 0; i < c->rows.count; i++) sum += x[i] * x[i];
        norm[mine->index[j]] = sum;
    }
    if (!c->alone) MPI_Allreduce(MPI_IN_PLACE, norm, columns, MPI_DOUBLE, MPI_SUM, c->comm);
}

int cholesky_norms(double *norm, struct cholesky *c, const struct cholesky_entries *entries, int columns)
{
    const int most = cholesky_smaller(columns, COLUMNS_AT_A_TIME);
    struct cholesky_side mine = {0};
    double *part = NULL;
    int status = cholesky_deal(&mine, most, c->column, c->grid_columns);
    if (status == STATUS_OK) status = memory_alloc(&part, (size_t)c->lld * (size_t)mine.count, sizeof *part);
    status = status_agree(c->comm, status);
    for (int first = 0; first < columns && status == STATUS_OK; first += most) {
        const int now = cholesky_smaller(most, columns - first);
        while (mine.count > 0 && mine.index[mine.count - 1] >= now) mine.count--;
        norms_of(norm + first, c, entries, part, &mine, first, now);
    }
    free(part);
    free(mine.index);
    return status;
}
