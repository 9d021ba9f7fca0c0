/* gp_internal.h - shared by the gp*.c files only. */
#ifndef GP_INTERNAL_H
#define GP_INTERNAL_H

#include "cholesky.h"
#include "gp.h"
#include "scalapack.h"

#include <stdbool.h>

/* A weak prior of the signal variance around 1, worth this many data: what standardised targets have. */
#define GP_SIGNAL_WEIGHT 0.5

struct gp {
    MPI_Comm comm;
    bool alone;                      /* one rank */
    const struct scalapack *lib;
    struct gp_shape shape;
    struct gp_prior prior;
    int columns, n_max, n;           /* D */
    struct gp_hyper hyper;
    double *x;                       /* [D][n_max] data, by columns */
    double *norm;                    /* [groups][n_max] squared norms by group */
    double *target;                  /* [outputs][n_max] */
    double *alpha;                   /* [outputs][n_max] A^-1 (t - mean) */
    double *white;                   /* [n_max] L^-1 (t - mean) of one output */
    double *ones;                    /* [n_max] L^-1 1 */
    double mean[GP_OUTPUTS_MAX], signal[GP_OUTPUTS_MAX];
    struct cholesky *cholesky;       /* of order n */
    int cholesky_n;
    bool is_ready;                   /* factored, and alpha known: predictions may be asked for */
    /* of a prediction */
    double *scaled;                  /* [D][n_max] data divided by squared lengths */
    double *scaled_norm;             /* [n_max] sum over groups of norms by squared lengths */
    double *block;                   /* [GP_BLOCK][n_max] kernel of rows and data, by rows */
};

/* Matern 5/2 of r^2, in place; and minus its derivative by the logarithm of a length, over that length's share of r^2. */
void gp_matern(double *value, int count);
void gp_matern_slope(double *value, int count);

/* kernel [rows][n], each row's with all data; rows at most GP_BLOCK. After gp_prepare(). */
void gp_prepare(struct gp *g);
double gp_scaled_norm(const struct gp *g, const double *x); /* sum over groups of the squared norm by the squared length */
void gp_kernel_rows(double *kernel, const struct gp *g, const double *x, int rows);

/* Factor and estimate means and signal variances. */
int gp_solve(struct gp *g, double *jitter);

#endif
