#include "cholesky_internal.h"

#include "memory.h"
#include "status.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define JITTER_FIRST 1e-12
#define JITTER_LAST  1.0001e-4

static const int one = 1, zero = 0;

/* -- the grid ------------------------------------------------------------------------------------------------------ */

int cholesky_deal(struct cholesky_side *s, int n, int place, int places)
{
    s->count = 0;
    TRY(memory_alloc(&s->index, (size_t)n, sizeof *s->index));
    for (int i = 0; i < n; i++)
        if (i / CHOLESKY_BLOCK % places == place) s->index[s->count++] = i;
    return STATUS_OK;
}

void cholesky_describe(int desc[SCALAPACK_DESC], const struct cholesky *c, int columns)
{
    const int block = CHOLESKY_BLOCK;
    int info;
    c->lib->descinit_(desc, &c->n, &columns, &block, &block, &zero, &zero, &c->context, &c->lld, &info);
    assert(info == 0);
}

static int open_grid(struct cholesky *c)
{
    c->context = c->handle = c->lib->Csys2blacs_handle(c->comm);
    c->lib->Cblacs_gridinit(&c->context, "Row", c->grid_rows, c->grid_columns);
    c->lib->Cblacs_gridinfo(c->context, &c->grid_rows, &c->grid_columns, &c->row, &c->column);
    return STATUS_OK;
}

static int create(struct cholesky *c)
{
    TRY(cholesky_deal(&c->rows, c->n, c->row, c->grid_rows));
    TRY(cholesky_deal(&c->columns, c->n, c->column, c->grid_columns));
    c->lld = c->rows.count > 0 ? c->rows.count : 1;
    if (!c->alone && (int64_t)c->lld * c->columns.count > INT32_MAX) /* ScaLAPACK counts a rank's entries in 32 bits */
        return status_fail(STATUS_FAILURE,
                           "a matrix of order %d is too large for %d ranks: one may have 2^31 entries at most; take more ranks",
                           c->n, c->grid_rows * c->grid_columns);
    return memory_alloc(&c->a, (size_t)c->lld * (size_t)c->columns.count, sizeof *c->a);
}

int cholesky_create(struct cholesky **out, MPI_Comm comm, int n, int grid_rows, int grid_columns)
{
    int ranks, sides[2] = {grid_rows, grid_columns};
    struct cholesky *c;
    *out = NULL;
    TRY(status_agree(comm, memory_alloc(&c, 1, sizeof *c)));
    *c = (struct cholesky){.n = n, .comm = MPI_COMM_NULL};
    MPI_Comm_dup(comm, &c->comm);
    MPI_Comm_size(c->comm, &ranks);
    MPI_Dims_create(ranks, 2, sides);
    c->alone = ranks == 1;
    if (grid_rows == 0 && grid_columns == 0) { /* the larger side comes first; rows are few: their ranks meet at every column of a panel */
        c->grid_rows = sides[1], c->grid_columns = sides[0];
    } else {
        c->grid_rows = sides[0], c->grid_columns = sides[1];
    }
    int status = status_agree(c->comm, scalapack_open(&c->lib));
    if (status == STATUS_OK && !c->alone) status = open_grid(c);
    if (status == STATUS_OK) status = status_agree(c->comm, create(c));
    if (status == STATUS_OK && !c->alone) cholesky_describe(c->desc, c, c->n);
    if (status == STATUS_OK)
        *out = c;
    else
        cholesky_destroy(&c);
    return status;
}

void cholesky_destroy(struct cholesky **out)
{
    struct cholesky *c = *out;
    if (c == NULL) return;
    if (!c->alone && c->lib != NULL && c->row >= 0) {
        c->lib->Cblacs_gridexit(c->context);
        c->lib->Cfree_blacs_system_handle(c->handle);
    }
    MPI_Comm_free(&c->comm);
    free(c->rows.index);
    free(c->columns.index);
    free(c->a);
    free(c);
    *out = NULL;
}

/* -- entries ------------------------------------------------------------------------------------------------------- */

void cholesky_fill(double *a, const struct cholesky *c, const struct cholesky_side *columns,
                   const struct cholesky_entries *entries, bool symmetric)
{
    for (int j = 0; j < columns->count; j += CHOLESKY_BLOCK)
        for (int i = 0; i < c->rows.count; i += CHOLESKY_BLOCK) {
            if (symmetric && c->rows.index[i] / CHOLESKY_BLOCK < columns->index[j] / CHOLESKY_BLOCK) continue;
            entries->fill(a + (size_t)j * (size_t)c->lld + i, c->lld, c->rows.index + i,
                          cholesky_smaller(CHOLESKY_BLOCK, c->rows.count - i), columns->index + j,
                          cholesky_smaller(CHOLESKY_BLOCK, columns->count - j), entries->self);
        }
}

/* Every entry is on one rank. */
void cholesky_gather_diagonal(double *diagonal, const struct cholesky *c)
{
    memset(diagonal, 0, (size_t)c->n * sizeof *diagonal);
    for (int j = 0, i = 0; j < c->columns.count; j++) {
        while (i < c->rows.count && c->rows.index[i] < c->columns.index[j]) i++;
        if (i < c->rows.count && c->rows.index[i] == c->columns.index[j])
            diagonal[c->rows.index[i]] = c->a[(size_t)j * (size_t)c->lld + i];
    }
    if (!c->alone) MPI_Allreduce(MPI_IN_PLACE, diagonal, c->n, MPI_DOUBLE, MPI_SUM, c->comm);
}

static void add_to_diagonal(struct cholesky *c, double more)
{
    for (int j = 0, i = 0; j < c->columns.count; j++) {
        while (i < c->rows.count && c->rows.index[i] < c->columns.index[j]) i++;
        if (i < c->rows.count && c->rows.index[i] == c->columns.index[j]) c->a[(size_t)j * (size_t)c->lld + i] += more;
    }
}

/* -- factor ---------------------------------------------------------------------------------------------------------- */

/* 0 when it is positive definite. */
static int factor_once(struct cholesky *c, const struct cholesky_entries *entries, double jitter)
{
    int info;
    cholesky_fill(c->a, c, &c->columns, entries, true);
    if (jitter > 0) add_to_diagonal(c, jitter);
    if (c->alone)
        c->lib->dpotrf_("L", &c->n, c->a, &c->lld, &info);
    else
        c->lib->pdpotrf_("L", &c->n, c->a, &one, &one, c->desc, &info);
    return info;
}

int cholesky_factor(struct cholesky *c, const struct cholesky_entries *entries, double *jitter)
{
    double *diagonal, mean = 0;
    TRY(status_agree(c->comm, memory_alloc(&diagonal, (size_t)c->n, sizeof *diagonal)));
    int bad = factor_once(c, entries, *jitter = 0);
    if (bad != 0) { /* what is stored is half a factor: the mean diagonal is that of the matrix */
        cholesky_fill(c->a, c, &c->columns, entries, true);
        cholesky_gather_diagonal(diagonal, c);
        for (int i = 0; i < c->n; i++) mean += diagonal[i] / c->n;
    }
    for (double share = JITTER_FIRST; bad != 0 && isfinite(mean) && share < JITTER_LAST; share *= 10)
        bad = factor_once(c, entries, *jitter = share * mean);
    if (bad == 0) {
        cholesky_gather_diagonal(diagonal, c);
        c->log_determinant = 0;
        for (int i = 0; i < c->n; i++) c->log_determinant += 2 * log(diagonal[i]);
    }
    free(diagonal);
    if (bad == 0) return STATUS_OK;
    return status_fail(STATUS_FAILURE, "a matrix of order %d is not positive definite, even with %g added to its diagonal", c->n,
                       *jitter);
}

double cholesky_log_determinant(const struct cholesky *c)
{
    return c->log_determinant;
}
