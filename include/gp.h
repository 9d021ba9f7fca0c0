/* gp.h - an exact Gaussian process on vectors: Rasmussen and Williams, Gaussian Processes for Machine Learning, chapters 2 and 5.
 *
 * Kernel: Matern 5/2 of the distance r, r^2 = sum over groups of columns of (d_g / length_g)^2, times a signal variance, plus noise.
 * Constant mean and signal variance of each output are estimated in closed form; lengths and noise (relative to the signal variance)
 * are shared by all outputs and maximise the marginal likelihood times a log-normal prior. The matrix is factored by cholesky.h:
 * LAPACK on one rank, ScaLAPACK on more.
 *
 * Functions are collective over the communicator, with the same arguments and the same results on all its ranks. Letters: n data,
 * D columns, m rows to be predicted. */
#ifndef GP_H
#define GP_H

#include <mpi.h>

enum { GP_GROUPS_MAX = 4, GP_OUTPUTS_MAX = 64, GP_BLOCK = 256 /* rows of one prediction: a fixed shape */ };

struct gp_shape {
    int groups;
    int width[GP_GROUPS_MAX]; /* columns of each group, side by side; D in all */
    int outputs;
};

/* What is expected of lengths and noise before there are data: their medians, and the standard deviations of their logarithms. */
struct gp_prior {
    double length[GP_GROUPS_MAX], length_spread, noise, noise_spread;
};

struct gp_hyper {
    double length[GP_GROUPS_MAX], noise;
};

struct gp;

/* For up to n_max data. comm is duplicated. The hyper-parameters begin at the medians of the prior. */
int gp_create(struct gp **out, MPI_Comm comm, const struct gp_shape *shape, const struct gp_prior *prior, int n_max);
void gp_destroy(struct gp **g);

/* Forget what was learnt of the hyper-parameters, or set them. */
void gp_restart(struct gp *g);
void gp_set_hyper(struct gp *g, const struct gp_hyper *h);
const struct gp_hyper *gp_hyper(const struct gp *g);

/* The data: x [n][D] and target [outputs][n], which are copied. n >= 1. */
int gp_set_data(struct gp *g, const double *x, const double *target, int n);

/* Minus the logarithm of marginal likelihood times prior at the present hyper-parameters, and, unless it is NULL, its gradient
 * [groups + 1] by the logarithms of lengths and noise; the matrix is not factored afterwards. */
int gp_objective(double *objective, double *gradient, struct gp *g);

/* The hyper-parameters of another start for gp_optimise(): short, long and medium lengths, with less and more noise. */
void gp_start(struct gp *g, int start);

/* Find the hyper-parameters from the present ones, and when `starts` says so also from other starts; keep the best. */
int gp_optimise(struct gp *g, int starts);

/* Factor the matrix with the present hyper-parameters: before predictions. *jitter is what had to be added (cholesky.h). */
int gp_factor(struct gp *g, double *jitter);

/* mean [outputs][m] and, unless it is NULL, variance [m] of the first output, without noise, of rows x [m][D]. */
int gp_predict(double *mean, double *variance, struct gp *g, const double *x, int m);

/* Posterior covariances [m] of the first output between one row and others. */
int gp_covariance(double *covariance, struct gp *g, const double *one, const double *x, int m);

/* What the data outside of them say of some of the data: of each datum alone, and of the data of each group together, which are
 * begin[i] to begin[i + 1] - 1, in all n. At the present hyper-parameters; the mean is estimated from the other data alone. mean
 * [outputs][n]; variance [n] of the targets, noise and the mean's own uncertainty included, by signal variance: that of output o is
 * gp_signal(g, o) times it. Groups of more than GP_GROUP_MAX data or of all data: NaN. group_* may be NULL, then without groups.
 * Factors the matrix; nothing can be predicted afterwards. *jitter as in gp_factor(). */
enum { GP_GROUP_MAX = 2048 };
struct gp_left_out {
    double *mean, *variance, *group_mean, *group_variance;
};
int gp_leave_out(const struct gp_left_out *out, struct gp *g, const int *begin, int groups, double *jitter);
double gp_signal(const struct gp *g, int output);

/* The kernel of two rows without signal variance and noise. */
double gp_kernel(const struct gp *g, const double *a, const double *b);

#endif
