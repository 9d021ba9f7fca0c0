#include "cholesky.h"

#include "memory.h"
#include "scalapack.h"
#include "status.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = CHOLESKY_BLOCK, COLUMNS_AT_A_TIME = 2048 };
#define JITTER_FIRST 1e-12
#define JITTER_LAST  1.0001e-4

static const int one = 1, zero = 0;

/* One side of a matrix dealt out in blocks: the global indices of this rank's rows or columns, ascending. */
struct side {
    int count, *index;
};

struct cholesky {
    const struct scalapack *lib;
    MPI_Comm comm;
    bool alone;                      /* LAPACK does it */
    int n, handle, context;
    int grid_rows, grid_columns, row, column; /* and this rank's place */
    struct side rows, columns;
    int lld, desc[SCALAPACK_DESC];
    double *a;                       /* [lld][columns.count] by columns */
    double log_determinant;
};

/* -- the grid ------------------------------------------------------------------------------------------------------ */

/* This rank is `place` of `places` in its direction. */
static int deal(struct side *s, int n, int place, int places)
{
    s->count = 0;
    TRY(memory_alloc(&s->index, (size_t)n, sizeof *s->index));
    for (int i = 0; i < n; i++)
        if (i / BLOCK % places == place) s->index[s->count++] = i;
    return STATUS_OK;
}

static int describe(int desc[SCALAPACK_DESC], const struct cholesky *c, int columns)
{
    const int block = BLOCK;
    int info;
    c->lib->descinit_(desc, &c->n, &columns, &block, &block, &zero, &zero, &c->context, &c->lld, &info);
    assert(info == 0);
    return STATUS_OK;
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
    TRY(deal(&c->rows, c->n, c->row, c->grid_rows));
    TRY(deal(&c->columns, c->n, c->column, c->grid_columns));
    c->lld = c->rows.count > 0 ? c->rows.count : 1;
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
    c->grid_rows = sides[0], c->grid_columns = sides[1];
    int status = status_agree(c->comm, scalapack_open(&c->lib));
    if (status == STATUS_OK && !c->alone) status = open_grid(c);
    if (status == STATUS_OK) status = status_agree(c->comm, create(c));
    if (status == STATUS_OK && !c->alone) status = describe(c->desc, c, c->n);
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

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Blocks of a matrix with these sides; of a symmetric one only those that reach the lower triangle. */
static void fill(double *a, const struct cholesky *c, const struct side *columns, const struct cholesky_entries *entries, bool symmetric)
{
    for (int j = 0; j < columns->count; j += BLOCK)
        for (int i = 0; i < c->rows.count; i += BLOCK) {
            if (symmetric && c->rows.index[i] / BLOCK < columns->index[j] / BLOCK) continue;
            entries->fill(a + (size_t)j * (size_t)c->lld + i, c->lld, c->rows.index + i, smaller(BLOCK, c->rows.count - i),
                          columns->index + j, smaller(BLOCK, columns->count - j), entries->self);
        }
}

/* The diagonal of what is stored, on all ranks; every entry is on one rank. */
static void gather_diagonal(double *diagonal, const struct cholesky *c)
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

void cholesky_each(const struct cholesky *c, cholesky_visit *visit, void *self)
{
    for (int j = 0; j < c->columns.count; j += BLOCK)
        for (int i = 0; i < c->rows.count; i += BLOCK)
            if (c->rows.index[i] / BLOCK >= c->columns.index[j] / BLOCK)
                visit(c->a + (size_t)j * (size_t)c->lld + i, c->lld, c->rows.index + i, smaller(BLOCK, c->rows.count - i),
                      c->columns.index + j, smaller(BLOCK, c->columns.count - j), self);
}

/* -- factor ---------------------------------------------------------------------------------------------------------- */

/* 0 when it is positive definite. */
static int factor_once(struct cholesky *c, const struct cholesky_entries *entries, double jitter)
{
    int info;
    fill(c->a, c, &c->columns, entries, true);
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
        fill(c->a, c, &c->columns, entries, true);
        gather_diagonal(diagonal, c);
        for (int i = 0; i < c->n; i++) mean += diagonal[i] / c->n;
    }
    for (double share = JITTER_FIRST; bad != 0 && isfinite(mean) && share < JITTER_LAST; share *= 10)
        bad = factor_once(c, entries, *jitter = share * mean);
    if (bad == 0) {
        gather_diagonal(diagonal, c);
        c->log_determinant = 0;
        for (int i = 0; i < c->n; i++) c->log_determinant += 2 * log(diagonal[i]);
    }
    free(diagonal);
    if (bad == 0) return STATUS_OK;
    return status_fail(STATUS_FAILURE, "a matrix of order %d is not positive definite, even with %g added to its diagonal", c->n, *jitter);
}

double cholesky_log_determinant(const struct cholesky *c)
{
    return c->log_determinant;
}

/* -- solve ------------------------------------------------------------------------------------------------------------ */

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
    describe(desc, c, columns);
    if (how == HALF)
        c->lib->pdtrsm_("L", "L", "N", "N", &c->n, &columns, &unit, c->a, &one, &one, c->desc, b, &one, &one, desc);
    else
        c->lib->pdpotrs_("L", &c->n, &columns, c->a, &one, &one, c->desc, b, &one, &one, desc, &info);
}

/* Between the whole [n][columns] on every rank and this rank's part. */
static void take_part(double *part, const double *whole, const struct cholesky *c, const struct side *columns)
{
    for (int j = 0; j < columns->count; j++)
        for (int i = 0; i < c->rows.count; i++)
            part[(size_t)j * (size_t)c->lld + i] = whole[(size_t)columns->index[j] * (size_t)c->n + c->rows.index[i]];
}

static void put_part(double *whole, const double *part, const struct cholesky *c, const struct side *columns, int count)
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
    struct side mine = {0};
    double *part = NULL;
    int status = deal(&mine, columns, c->column, c->grid_columns);
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

static void norms_of(double *norm, struct cholesky *c, const struct cholesky_entries *entries, double *part, struct side *mine, int first,
                     int columns)
{
    for (int j = 0; j < mine->count; j++) mine->index[j] += first; /* the callback counts from the first of all */
    fill(part, c, mine, entries, false);
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
    const int most = smaller(columns, COLUMNS_AT_A_TIME);
    struct side mine = {0};
    double *part = NULL;
    int status = deal(&mine, most, c->column, c->grid_columns);
    if (status == STATUS_OK) status = memory_alloc(&part, (size_t)c->lld * (size_t)mine.count, sizeof *part);
    status = status_agree(c->comm, status);
    for (int first = 0; first < columns && status == STATUS_OK; first += most) {
        const int now = smaller(most, columns - first);
        while (mine.count > 0 && mine.index[mine.count - 1] >= now) mine.count--;
        norms_of(norm + first, c, entries, part, &mine, first, now);
    }
    free(part);
    free(mine.index);
    return status;
}

/* -- inverse ---------------------------------------------------------------------------------------------------------- */

int cholesky_invert(struct cholesky *c)
{
    int info;
    if (c->alone)
        c->lib->dpotri_("L", &c->n, c->a, &c->lld, &info);
    else
        c->lib->pdpotri_("L", &c->n, c->a, &one, &one, c->desc, &info);
    return info == 0 ? STATUS_OK : status_fail(STATUS_FAILURE, "the inverse of a matrix of order %d does not exist", c->n);
}

void cholesky_inverse_diagonal(double *diagonal, const struct cholesky *c)
{
    gather_diagonal(diagonal, c);
}
