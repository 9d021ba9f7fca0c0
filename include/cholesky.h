/* cholesky.h - symmetric positive definite matrices over the ranks of a communicator, in square blocks dealt out cyclically to a grid
 * of ranks (ScaLAPACK); on one rank the same by LAPACK. What a Gaussian process needs of them: Rasmussen and Williams, Gaussian
 * Processes for Machine Learning, algorithm 2.1 and section 5.4.2.
 *
 * Only the lower triangle is stored. Results depend on the grid in their last digits: about 1e-12 relative. All functions are
 * collective over the communicator, with the same arguments on all ranks, and give the same status and results on all of them. */
#ifndef CHOLESKY_H
#define CHOLESKY_H

#include <mpi.h>

struct cholesky;

/* Blocks have this many rows and columns at most, which are neighbours. */
enum { CHOLESKY_BLOCK = 192 };

/* For a matrix of order n. grid_rows x grid_columns ranks must be those of comm; 0, 0: as square as possible, rather wide than high.
 * comm is duplicated. */
int cholesky_create(struct cholesky **out, MPI_Comm comm, int n, int grid_rows, int grid_columns);
void cholesky_destroy(struct cholesky **c);

/* A block of the matrix: entry (row[i], column[j]) into a[i + j lda]. Called for blocks that reach the lower triangle. */
struct cholesky_entries {
    void (*fill)(double *a, int lda, const int *row, int rows, const int *column, int columns, void *self);
    void *self;
};

/* A = L L^T of the matrix that `entries` describes, each rank making its own blocks. When it is not positive definite, a multiple
 * of the identity is added, ten times more with every attempt, from 1e-12 of the mean diagonal up to 1e-4; *jitter is what was
 * added. STATUS_FAILURE when that is not enough. */
int cholesky_factor(struct cholesky *c, const struct cholesky_entries *entries, double *jitter);

/* log |A|. */
double cholesky_log_determinant(const struct cholesky *c);

/* b [n][columns], by columns, on all ranks the same: L^-1 b and A^-1 b, in place, on all ranks. */
int cholesky_half_solve(struct cholesky *c, double *b, int columns);
int cholesky_solve(struct cholesky *c, double *b, int columns);

/* norm[j] = |L^-1 b_j|^2 of columns that `entries` describes (n x columns): what the data take from a variance. In parts of bounded
 * memory, the columns spread over the ranks. */
int cholesky_norms(double *norm, struct cholesky *c, const struct cholesky_entries *entries, int columns);

/* L^-1 in place of L, half the work of an inverse: afterwards only the next one may be called. */
int cholesky_invert_factor(struct cholesky *c);

/* Blocks on the diagonal of A^-1, from inner products of the columns of L^-1: those of rows and columns begin[g] to
 * begin[g + 1] - 1, one behind the other in `block`, on all ranks. Groups of one: the diagonal. Takes memory for the columns of the
 * largest group. */
int cholesky_inverse_blocks(double *block, const struct cholesky *c, const int *begin, int groups);

/* A^-1 in place of L: afterwards only the next two may be called. */
int cholesky_invert(struct cholesky *c);
void cholesky_inverse_diagonal(double *diagonal, const struct cholesky *c);

/* Walk over this rank's entries of the inverse, in blocks of the lower triangle; each entry belongs to one rank. Not collective.
 * Entries above the diagonal in a block mean nothing. */
typedef void cholesky_visit(const double *a, int lda, const int *row, int rows, const int *column, int columns, void *self);
void cholesky_each(const struct cholesky *c, cholesky_visit *visit, void *self);

#endif
