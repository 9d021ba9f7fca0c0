/* ceiling_internal.h - shared by the ceiling*.c files only. Letters: n cells, S sets of features. */
#ifndef CEILING_INTERNAL_H
#define CEILING_INTERNAL_H

#include "ceiling.h"
#include "gp.h"
#include "space.h"
#include "traits.h"

#include <stdbool.h>
#include <stddef.h>

/* A set of features. */
enum { CEILING_NAME_MAX = 96 };
struct ceiling_set {
    char name[CEILING_NAME_MAX];
    bool cell;
    int epochs; /* 0: no losses */
    int signal; /* of the space; negative: none */
};

/* What is left out with a cell that is predicted. */
enum ceiling_left_out { CEILING_LEFT_CELL, CEILING_LEFT_CLASS, CEILING_LEFT_OUT };
extern const char *const ceiling_left_out_name[CEILING_LEFT_OUT];

/* What is judged. */
enum ceiling_figure { CEILING_TAU, CEILING_RHO, CEILING_TAU_TOP, CEILING_RMSE, CEILING_RMSE_TARGET, CEILING_FIGURES };
extern const char *const ceiling_figure_name[CEILING_FIGURES];

/* Columns of vectors come in groups with a length each. */
enum ceiling_group { CEILING_COUNTS, CEILING_STATISTICS, CEILING_LOSSES, CEILING_SIGNAL, CEILING_GROUPS };
extern const char *const ceiling_group_name[CEILING_GROUPS];

struct ceiling {
    const struct ceiling_options *options;
    MPI_Comm comm;
    int rank, ranks;
    struct space space;
    struct traits *traits;
    char *parameters;      /* lines "key = value": what makes a difference to the results */

    /* cells of which all that is needed is known */
    int n, classes, *begin; /* [classes + 1]: cells of one class stand side by side */
    int64_t *cell;         /* [n] of the space */
    int datasets, *dataset; /* [datasets] of the space: those of which anything is known */
    double *accuracy;      /* [datasets][n] percent */
    double *target;        /* [datasets][n] */

    int sets;
    struct ceiling_set *set; /* [S] */

    /* results, on rank 0 */
    signed char *complete; /* [S] */
    double *figure;        /* [CEILING_FIGURES][S][CEILING_LEFT_OUT][datasets] */
    double *length;        /* [S][CEILING_GROUPS], NaN where there is no such group */
    double *noise, *jitter; /* [S] */
    float *prediction, *deviation; /* [S][CEILING_LEFT_OUT][datasets][n], NaN where there is none */
};

/* ceiling_data.c: what is to be predicted from what; the space must be there. Not collective; ceiling_judge.c: normal quantiles
 * of the ranks of x [n], ties at their mean rank. */
int ceiling_plan(struct ceiling *c);
int ceiling_quantiles(double *quantile, const double *x, int n);

/* ceiling_features.c: vectors [n][D] of one set, to be freed, their shape and what is expected of their lengths; `group` says
 * which group of the shape is which. Not collective. */
int ceiling_features(double **x, struct gp_shape *shape, struct gp_prior *prior, enum ceiling_group group[GP_GROUPS_MAX],
                     const struct ceiling *c, const struct ceiling_set *s);

/* ceiling_predict.c: one set, collective; results on rank 0. */
int ceiling_predict(struct ceiling *c, int set);

/* ceiling_judge.c: the figures of one set from its predictions as they are stored. Rank 0. */
int ceiling_judge(struct ceiling *c, int set);

static inline size_t ceiling_series(const struct ceiling *c, int set, enum ceiling_left_out left_out, int dataset)
{
    return ((size_t)set * CEILING_LEFT_OUT + left_out) * (size_t)c->datasets + (size_t)dataset;
}

static inline double *ceiling_figure_of(const struct ceiling *c, enum ceiling_figure f, int set, enum ceiling_left_out left_out,
                                        int dataset)
{
    const size_t series = (size_t)c->sets * CEILING_LEFT_OUT * (size_t)c->datasets;
    return c->figure + (size_t)f * series + ceiling_series(c, set, left_out, dataset);
}

/* ceiling_file.c. Rank 0. Write all there is to `path`. Read it back: *found is false when there is no such file; STATUS_INPUT
 * when it belongs to another space or other options, naming the first difference. */
int ceiling_write(const struct ceiling *c, const char *path);
int ceiling_read(bool *found, struct ceiling *c, const char *path);

#endif
