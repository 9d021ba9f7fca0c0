/* The inverse: all of it, or of the factor alone, which is half the work and enough for blocks on the diagonal. */
#include "cholesky_internal.h"

#include "memory.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

enum { REDUCED = 1 << 20 /* entries at a time */ };

static const int one = 1;

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
    cholesky_gather_diagonal(diagonal, c);
}

void cholesky_each(const struct cholesky *c, cholesky_visit *visit, void *self)
{
    for (int j = 0; j < c->columns.count; j += CHOLESKY_BLOCK)
        for (int i = 0; i < c->rows.count; i += CHOLESKY_BLOCK)
            if (c->rows.index[i] / CHOLESKY_BLOCK >= c->columns.index[j] / CHOLESKY_BLOCK)
                visit(c->a + (size_t)j * (size_t)c->lld + i, c->lld, c->rows.index + i,
                      cholesky_smaller(CHOLESKY_BLOCK, c->rows.count - i), c->columns.index + j,
                      cholesky_smaller(CHOLESKY_BLOCK, c->columns.count - j), self);
}

/* -- of the factor --------------------------------------------------------------------------------------------------- */

/* The number of rows of this rank that lie above a row of the matrix. */
static int rows_above(const struct cholesky *c, int row)
{
    int low = 0, high = c->rows.count;
    while (low < high) {
        const int middle = (low + high) / 2;
        if (c->rows.index[middle] < row) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* What a step of the inversion needs beside the matrix. */
struct inversion {
    MPI_Comm along_row, along_column; /* ranks of this row and of this column of the grid */
    double *panel;                    /* [lld][block] this rank's rows of the block column of L that is used up */
    double *solved;                   /* [block][columns] a block row of the inverse, this rank's columns */
};

static int open_inversion(struct inversion *v, const struct cholesky *c)
{
    MPI_Comm_split(c->comm, c->row, c->column, &v->along_row);
    MPI_Comm_split(c->comm, c->column, c->row, &v->along_column);
    TRY(memory_alloc(&v->panel, (size_t)c->lld * CHOLESKY_BLOCK, sizeof *v->panel));
    return memory_alloc(&v->solved, (size_t)CHOLESKY_BLOCK * (size_t)c->columns.count, sizeof *v->solved);
}

static void close_inversion(struct inversion *v)
{
    MPI_Comm_free(&v->along_row);
    MPI_Comm_free(&v->along_column);
    free(v->panel);
    free(v->solved);
}

/* Take the block column of L that begins at `first` to all ranks of this row, and put the identity in its place. */
static void take_panel(struct inversion *v, struct cholesky *c, int first, int size, int at, int rows)
{
    const int from = first / CHOLESKY_BLOCK % c->grid_columns;
    if (c->column == from) {
        double *own = c->a + (size_t)(first / (CHOLESKY_BLOCK * c->grid_columns) * CHOLESKY_BLOCK) * (size_t)c->lld;
        for (int j = 0; j < size; j++) {
            double *column = own + (size_t)j * (size_t)c->lld + at;
            memcpy(v->panel + (size_t)j * (size_t)rows, column, (size_t)rows * sizeof *column);
            for (int i = 0; i < rows; i++) column[i] = c->rows.index[at + i] == first + j;
        }
    }
    MPI_Bcast(v->panel, rows * size, MPI_DOUBLE, from, v->along_row);
}

/* One step of L X = 1, solved from above in the place of L: when the blocks of a block column of L have been used, X takes their
 * place. pdtrtri does the same work in narrow products and waits for every one of them. */
static void invert_step(struct inversion *v, struct cholesky *c, int first)
{
    const double unit = 1, minus = -1;
    const int size = cholesky_smaller(CHOLESKY_BLOCK, c->n - first), owner = first / CHOLESKY_BLOCK % c->grid_rows;
    const int at = rows_above(c, first), rows = c->rows.count - at;
    int columns = 0;
    while (columns < c->columns.count && c->columns.index[columns] < first + size) columns++; /* those that X has by now */
    take_panel(v, c, first, size, at, rows);
    if (c->row == owner && columns > 0) {
        double *b = c->a + at;
        c->lib->dtrsm_("L", "L", "N", "N", &size, &columns, &unit, v->panel, &rows, b, &c->lld);
        for (int j = 0; j < columns; j++)
            memcpy(v->solved + (size_t)j * (size_t)size, b + (size_t)j * (size_t)c->lld, (size_t)size * sizeof *b);
    }
    MPI_Bcast(v->solved, size * columns, MPI_DOUBLE, owner, v->along_column);
    const int done = c->row == owner ? size : 0, left = rows - done;
    if (left > 0 && columns > 0)
        c->lib->dgemm_("N", "N", &left, &columns, &size, &minus, v->panel + done, &rows, v->solved, &size, &unit,
                       c->a + at + done, &c->lld);
}

static int invert_on_grid(struct cholesky *c)
{
    struct inversion v = {0};
    int status = status_agree(c->comm, open_inversion(&v, c));
    for (int first = 0; first < c->n && status == STATUS_OK; first += CHOLESKY_BLOCK) invert_step(&v, c, first);
    close_inversion(&v);
    return status;
}

int cholesky_invert_factor(struct cholesky *c)
{
    int info;
    if (!c->alone) return invert_on_grid(c);
    c->lib->dtrtri_("L", "N", &c->n, c->a, &c->lld, &info);
    return info == 0 ? STATUS_OK : status_fail(STATUS_FAILURE, "the inverse of a factor of order %d does not exist", c->n);
}

static int owner(const struct cholesky *c, int column)
{
    return column / CHOLESKY_BLOCK % c->grid_columns;
}

/* One column of the inverse factor on this rank, from its row `first` on; zeros above the diagonal. */
static void copy_column(double *to, const struct cholesky *c, int column, int first)
{
    const int turn = CHOLESKY_BLOCK * c->grid_columns, place = column / turn * CHOLESKY_BLOCK + column % CHOLESKY_BLOCK;
    const double *from = c->a + (size_t)place * (size_t)c->lld;
    int i = first;
    for (; i < c->rows.count && c->rows.index[i] < column; i++) to[i - first] = 0;
    memcpy(to + (i - first), from + i, (size_t)(c->rows.count - i) * sizeof *to);
}

/* Columns begin to end - 1 of the inverse factor, this rank's rows of them, on the ranks that own the first of these columns.
 * Most groups lie in one block: then nobody else has to send. True where the columns are; *rows is how many rows each has. */
static bool bring(double *to, int *rows, const struct cholesky *c, int begin, int end)
{
    const int first = rows_above(c, begin), here = owner(c, begin), tag = 1;
    *rows = c->rows.count - first;
    for (int column = begin; column < end && *rows > 0; column++, to += *rows) {
        const int from = owner(c, column);
        const bool have = c->column == from, need = c->column == here;
        if (have) copy_column(to, c, column, first);
        if (have && !need) MPI_Send(to, *rows, MPI_DOUBLE, c->row * c->grid_columns + here, tag, c->comm);
        if (need && !have) MPI_Recv(to, *rows, MPI_DOUBLE, c->row * c->grid_columns + from, tag, c->comm, MPI_STATUS_IGNORE);
    }
    return c->column == here && *rows > 0;
}

int cholesky_inverse_blocks(double *block, const struct cholesky *c, const int *begin, int groups)
{
    const double unit = 1, none = 0;
    size_t entries = 0;
    int largest = 0;
    double *columns;
    for (int g = 0; g < groups; g++) {
        const int size = begin[g + 1] - begin[g];
        entries += (size_t)size * (size_t)size;
        largest = size > largest ? size : largest;
    }
    TRY(status_agree(c->comm, memory_alloc(&columns, (size_t)largest * (size_t)c->lld, sizeof *columns)));
    memset(block, 0, entries * sizeof *block);
    double *to = block;
    for (int g = 0, rows; g < groups; g++) {
        const int size = begin[g + 1] - begin[g];
        if (bring(columns, &rows, c, begin[g], begin[g + 1]))
            c->lib->dgemm_("T", "N", &size, &size, &rows, &unit, columns, &rows, columns, &rows, &none, to, &size);
        to += (size_t)size * (size_t)size;
    }
    for (size_t at = 0; at < entries && !c->alone; at += REDUCED) {
        const size_t left = entries - at;
        MPI_Allreduce(MPI_IN_PLACE, block + at, left < REDUCED ? (int)left : REDUCED, MPI_DOUBLE, MPI_SUM, c->comm);
    }
    free(columns);
    return STATUS_OK;
}
