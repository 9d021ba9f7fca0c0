/* cholesky_internal.h - shared by the cholesky*.c files only. */
#ifndef CHOLESKY_INTERNAL_H
#define CHOLESKY_INTERNAL_H

#include "cholesky.h"
#include "scalapack.h"

#include <stdbool.h>

/* One side of a matrix dealt out in blocks: the global indices of this rank's rows or columns, ascending. */
struct cholesky_side {
    int count, *index;
};

struct cholesky {
    const struct scalapack *lib;
    MPI_Comm comm;
    bool alone;                      /* LAPACK does it */
    int n, handle, context;
    int grid_rows, grid_columns, row, column; /* and this rank's place */
    struct cholesky_side rows, columns;
    int lld, desc[SCALAPACK_DESC];
    double *a;                       /* [lld][columns.count] by columns */
    double log_determinant;
};

static inline int cholesky_smaller(int a, int b)
{
    return a < b ? a : b;
}

/* The rows or columns of `place` of `places` in one direction. */
int cholesky_deal(struct cholesky_side *s, int n, int place, int places);

/* Of a matrix with this many columns. */
void cholesky_describe(int desc[SCALAPACK_DESC], const struct cholesky *c, int columns);

/* Blocks of a matrix with these sides; of a symmetric one only those that reach the lower triangle. */
void cholesky_fill(double *a, const struct cholesky *c, const struct cholesky_side *columns,
                   const struct cholesky_entries *entries, bool symmetric);

/* The diagonal of what is stored, on all ranks. */
void cholesky_gather_diagonal(double *diagonal, const struct cholesky *c);

#endif
