/* One set of features: lengths and noise from a part of the cells, then all cells predicted from all others. */
#include "ceiling_internal.h"

#include "log.h"
#include "memory.h"
#include "random.h"
#include "status.h"
#include "timer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- lengths and noise: every start is one rank's, and the result does not depend on their number ------------------- */

/* The best of this rank's starts. */
static int search_here(struct gp_hyper *best, double *value, int *start, struct gp *g, const struct ceiling *c)
{
    *value = INFINITY;
    *start = c->options->starts;
    for (int i = c->rank; i < c->options->starts; i += c->ranks) {
        double objective;
        gp_start(g, i);
        TRY(gp_optimise(g, 0));
        TRY(gp_objective(&objective, NULL, g));
        if (objective < *value) *value = objective, *start = i, *best = *gp_hyper(g);
    }
    return STATUS_OK;
}

static int search(struct gp_hyper *best, const struct ceiling *c, const struct gp_shape *shape, const struct gp_prior *prior,
                  const double *x, const double *target, int n)
{
    struct gp *g;
    struct {
        double value;
        int start;
    } mine = {INFINITY, 0}, all;
    int status = gp_create(&g, MPI_COMM_SELF, shape, prior, n);
    if (status == STATUS_OK) status = gp_set_data(g, x, target, n);
    if (status == STATUS_OK) status = search_here(best, &mine.value, &mine.start, g, c);
    gp_destroy(&g);
    TRY(status_agree(c->comm, status));
    MPI_Allreduce(&mine, &all, 1, MPI_DOUBLE_INT, MPI_MINLOC, c->comm); /* of equals the first start */
    MPI_Bcast(best, (int)sizeof *best, MPI_BYTE, all.start % c->ranks, c->comm);
    return STATUS_OK;
}

/* Rows and targets of a random part of the cells, the same for all sets. */
static int sample(double **x, double **target, const struct ceiling *c, const double *from, int columns, int n)
{
    struct random_stream stream;
    int64_t *chosen;
    random_open(&stream, c->options->seed, 0, 0, RANDOM_SELECT);
    TRY(memory_alloc(&chosen, (size_t)n, sizeof *chosen));
    random_subset(chosen, n, c->n, &stream);
    int status = memory_alloc(x, (size_t)n * (size_t)columns, sizeof **x);
    if (status == STATUS_OK) status = memory_alloc(target, (size_t)n * (size_t)c->datasets, sizeof **target);
    for (int i = 0; i < n && status == STATUS_OK; i++) {
        memcpy(*x + (size_t)i * (size_t)columns, from + (size_t)chosen[i] * (size_t)columns, (size_t)columns * sizeof **x);
        for (int d = 0; d < c->datasets; d++) (*target)[d * n + i] = c->target[(size_t)d * (size_t)c->n + (size_t)chosen[i]];
    }
    free(chosen);
    return status;
}

static int find_hyper(struct gp_hyper *best, const struct ceiling *c, const struct gp_shape *shape, const struct gp_prior *prior,
                      const double *x)
{
    const int n = c->n < c->options->sample ? c->n : c->options->sample;
    double *part = NULL, *target = NULL;
    int columns = 0;
    for (int g = 0; g < shape->groups; g++) columns += shape->width[g];
    int status = status_agree(c->comm, sample(&part, &target, c, x, columns, n));
    if (status == STATUS_OK) status = search(best, c, shape, prior, part, target, n);
    free(part);
    free(target);
    return status;
}

/* -- predictions ----------------------------------------------------------------------------------------------------- */

static void keep(struct ceiling *c, int set, enum ceiling_left_out left_out, const double *mean, const double *variance,
                 const struct gp *g)
{
    const size_t n = (size_t)c->n;
    for (int d = 0; d < c->datasets; d++) {
        const size_t to = ceiling_series(c, set, left_out, d) * n;
        for (size_t i = 0; i < n; i++) {
            c->prediction[to + i] = (float)mean[(size_t)d * n + i];
            c->deviation[to + i] = (float)sqrt(gp_signal(g, d) * variance[i]);
        }
    }
}

static int leave_out(struct ceiling *c, int set, struct gp *g, const double *x)
{
    const size_t n = (size_t)c->n, means = (size_t)c->datasets * n;
    double *room, jitter;
    TRY(status_agree(c->comm, memory_alloc(&room, 2 * (means + n), sizeof *room)));
    const struct gp_left_out out = {room, room + means, room + means + n, room + 2 * means + n};
    int status = gp_set_data(g, x, c->target, c->n);
    if (status == STATUS_OK) status = gp_leave_out(&out, g, c->begin, c->classes, &jitter);
    if (status == STATUS_OK && c->rank == 0) {
        keep(c, set, CEILING_LEFT_CELL, out.mean, out.variance, g);
        keep(c, set, CEILING_LEFT_CLASS, out.group_mean, out.group_variance, g);
        c->jitter[set] = jitter;
        if (jitter > 0) log_warning("%s: %g was added to the diagonal of the matrix", c->set[set].name, jitter);
    }
    free(room);
    return status;
}

int ceiling_predict(struct ceiling *c, int set)
{
    const double begin = timer_now();
    struct gp_shape shape;
    struct gp_prior prior;
    struct gp_hyper best = {{0}, 0};
    enum ceiling_group group[GP_GROUPS_MAX];
    struct gp *g = NULL;
    double *x = NULL, searched = 0;
    int status = status_agree(c->comm, ceiling_features(&x, &shape, &prior, group, c, &c->set[set]));
    if (status == STATUS_OK) status = find_hyper(&best, c, &shape, &prior, x);
    searched = timer_now();
    if (status == STATUS_OK) status = gp_create(&g, c->comm, &shape, &prior, c->n);
    if (status == STATUS_OK) {
        gp_set_hyper(g, &best);
        status = leave_out(c, set, g, x);
    }
    if (status == STATUS_OK && c->rank == 0) {
        for (int i = 0; i < shape.groups; i++) c->length[set * CEILING_GROUPS + (int)group[i]] = best.length[i];
        c->noise[set] = best.noise;
        status = ceiling_judge(c, set);
        c->complete[set] = 1;
    }
    status = status_agree(c->comm, status);
    const double end = timer_now(), work = 2.0 / 3 * c->n * c->n * c->n;
    if (status == STATUS_OK)
        log_info("  %-14s %6.1f s for lengths and noise, %6.1f s for the matrix (%.1f GFLOP/s)", c->set[set].name,
                 searched - begin, end - searched,
                 1e-9 * work / (end - searched));
    gp_destroy(&g);
    free(x);
    return status;
}
