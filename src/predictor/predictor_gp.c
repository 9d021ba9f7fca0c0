/* The Gaussian process as a predictor. Basic branch ("gp-paths" has no other): the traits of a cell, path counts and path statistics.
 * Estimation branch: these and the Estimation Code.
 *
 * Targets are t = -ln(best + d - accuracy), standardised, where d is 0.7 standard deviations of the better half: among the best, where
 * a search decides, small differences in accuracy become large, and the broken cells far below stay near the rest. Ranks would do the
 * first for any n alike and forget by how much the best leads. */
#include "gp.h"
#include "memory.h"
#include "predictor.h"
#include "status.h"
#include "traits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TOP_SHARE 0.7

enum branch { BASIC, ESTIMATION, BRANCHES };

/* One branch: its process, and what it was trained on. */
struct process {
    struct gp *gp;
    int columns;         /* D */
    bool current;        /* trained on the present pool */
    int searched;        /* size of the pool when hyper-parameters were last looked for from several starts */
};

struct gaussian {
    struct traits *traits;
    MPI_Comm comm;       /* of the matrices: the group's, or this rank alone */
    bool together;
    struct process branch[BRANCHES];
    int code_length, n_max;
    /* the pool */
    int n;
    int64_t *cell;       /* [n] */
    float *code;         /* [n][E] */
    double *target, *scratch; /* [n_max] */
    double best, offset, mean, deviation; /* of the target's transformation */
    double *code_mean, *code_deviation;   /* [E] over the pool */
    double *x;           /* [max(n_max, GP_BLOCK)][D] rows of data or of a prediction */
    double *one;         /* [D] */
    double *value;       /* [GP_BLOCK] */
    struct predictor_class class;
};

static void destroy(void *self)
{
    struct gaussian *p = self;
    for (int b = 0; b < BRANCHES; b++) gp_destroy(&p->branch[b].gp);
    traits_destroy(&p->traits);
    free(p->cell);
    free(p->code);
    free(p->target);
    free(p->scratch);
    free(p->code_mean);
    free(p->code_deviation);
    free(p->x);
    free(p->one);
    free(p->value);
    free(p);
}

static void start(void *self, uint64_t seed, uint32_t trial, uint32_t budget)
{
    struct gaussian *p = self;
    (void)seed, (void)trial, (void)budget; /* nothing is random */
    for (int b = 0; b < BRANCHES; b++) {
        if (p->branch[b].gp != NULL) gp_restart(p->branch[b].gp);
        p->branch[b].searched = 0;
        p->branch[b].current = false;
    }
    p->n = 0;
}

/* -- targets --------------------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double deviation_of(const double *value, int n, double *mean)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < n; i++) sum += value[i] / n;
    for (int i = 0; i < n; i++) squares += (value[i] - sum) * (value[i] - sum) / n;
    *mean = sum;
    return sqrt(squares);
}

static void take_targets(struct gaussian *p, const struct predictor_pool *pool)
{
    const int n = (int)pool->size;
    double ignored, *t = p->target, *sorted = p->scratch;
    for (int i = 0; i < n; i++) sorted[i] = t[i] = (double)pool->label[i];
    qsort(sorted, (size_t)n, sizeof *sorted, ascending);
    const double median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
    int half = 0;
    while (half < n && sorted[half] < median) half++;
    p->best = sorted[n - 1];
    p->offset = TOP_SHARE * deviation_of(sorted + half, n - half, &ignored);
    if (p->offset < 1e-11) p->offset = 1e-11;
    for (int i = 0; i < n; i++) t[i] = -log(p->best + p->offset - t[i]);
    p->deviation = deviation_of(t, n, &p->mean);
    if (!(p->deviation > 1e-12)) p->deviation = 1;
    for (int i = 0; i < n; i++) t[i] = (t[i] - p->mean) / p->deviation;
}

/* The accuracy that a target stands for. */
static double accuracy_of(const struct gaussian *p, double target)
{
    return p->best + p->offset - exp(-(target * p->deviation + p->mean));
}

/* -- rows ------------------------------------------------------------------------------------------------------------ */

static double *put_traits(double *to, const struct gaussian *p, int64_t cell)
{
    const float *value = traits_of(p->traits, p->traits->class_of[cell]);
    for (int d = 0; d < traits_width(p->traits); d++) *to++ = (double)value[d];
    return to;
}

static double *put_code(double *to, const struct gaussian *p, const float *code)
{
    for (int e = 0; e < p->code_length; e++) *to++ = ((double)code[e] - p->code_mean[e]) / p->code_deviation[e];
    return to;
}

static void put_rows(double *to, const struct gaussian *p, enum branch b, const int64_t *cell, const float *code, int count)
{
    for (int i = 0; i < count; i++) {
        to = put_traits(to, p, cell[i]);
        if (b == ESTIMATION) to = put_code(to, p, code + i * p->code_length);
    }
}

/* Codes are compared in units of what they vary by in the pool. */
static void measure_codes(struct gaussian *p)
{
    for (int e = 0; e < p->code_length; e++) {
        for (int i = 0; i < p->n; i++) p->scratch[i] = (double)p->code[i * p->code_length + e];
        p->code_deviation[e] = deviation_of(p->scratch, p->n, &p->code_mean[e]);
        if (!(p->code_deviation[e] > 1e-12)) p->code_deviation[e] = 1;
    }
}

/* -- learning -------------------------------------------------------------------------------------------------------- */

/* Hyper-parameters go on from those of the pool before; from time to time other starts are tried as well. */
static int learn(struct gaussian *p, enum branch b)
{
    struct process *process = &p->branch[b];
    double jitter;
    const int starts = p->n >= 2 * process->searched ? 2 : 0;
    if (process->current) return STATUS_OK;
    if (b == ESTIMATION) measure_codes(p);
    put_rows(p->x, p, b, p->cell, p->code, p->n);
    TRY(gp_set_data(process->gp, p->x, p->target, p->n));
    TRY(gp_optimise(process->gp, starts));
    if (starts > 0) process->searched = p->n;
    TRY(gp_factor(process->gp, &jitter));
    process->current = true;
    return STATUS_OK;
}

static int fit(void *self, const struct predictor_pool *pool, const struct predictor_phase *phase, const struct pulse *pulse)
{
    struct gaussian *p = self;
    (void)phase;
    p->n = (int)pool->size;
    memcpy(p->cell, pool->cell, (size_t)p->n * sizeof *p->cell);
    if (p->code_length > 0) memcpy(p->code, pool->code, (size_t)p->n * (size_t)p->code_length * sizeof *p->code);
    take_targets(p, pool);
    for (int b = 0; b < BRANCHES; b++) p->branch[b].current = false;
    pulse_beat(pulse);
    TRY(learn(p, BASIC));
    return p->together && p->code_length > 0 ? learn(p, ESTIMATION) : STATUS_OK; /* else when it is asked */
}

static void prepare(void *self)
{
    (void)self;
}

/* -- what is thought of cells ---------------------------------------------------------------------------------------- */

static int predict(struct gaussian *p, enum branch b, double *mean, double *variance, const struct predictor_batch *batch)
{
    TRY(learn(p, b));
    for (int first = 0; first < batch->count; first += GP_BLOCK) {
        const int count = batch->count - first < GP_BLOCK ? batch->count - first : GP_BLOCK;
        put_rows(p->x, p, b, batch->cell + first, b == ESTIMATION ? batch->code + first * p->code_length : NULL, count);
        TRY(gp_predict(mean + first, variance == NULL ? NULL : variance + first, p->branch[b].gp, p->x, count));
    }
    return STATUS_OK;
}

static void score_by(struct gaussian *p, enum branch b, float *score, const struct predictor_batch *batch)
{
    for (int first = 0; first < batch->count; first += GP_BLOCK) {
        const int count = batch->count - first < GP_BLOCK ? batch->count - first : GP_BLOCK;
        const struct predictor_batch part = {batch->space, count, batch->cell + first,
                                             b == ESTIMATION ? batch->code + first * p->code_length : NULL};
        const bool known = p->n > 0 && predict(p, b, p->value, NULL, &part) == STATUS_OK;
        for (int i = 0; i < count; i++) score[first + i] = known ? (float)accuracy_of(p, p->value[i]) : 0;
    }
}

static void score(void *self, float *out, const struct predictor_batch *batch)
{
    score_by(self, BASIC, out, batch);
}

static void rescore(void *self, float *out, const struct predictor_batch *batch)
{
    score_by(self, ESTIMATION, out, batch);
}

static enum branch branch_of(const struct predictor_batch *batch)
{
    return batch->code == NULL ? BASIC : ESTIMATION;
}

static int believe(void *self, double *mean, double *variance, const struct predictor_batch *batch)
{
    return predict(self, branch_of(batch), mean, variance, batch);
}

static int covariance(void *self, double *out, const struct predictor_batch *one, const struct predictor_batch *batch)
{
    struct gaussian *p = self;
    const enum branch b = branch_of(batch);
    TRY(learn(p, b));
    put_rows(p->one, p, b, one->cell, one->code, 1);
    for (int first = 0; first < batch->count; first += GP_BLOCK) {
        const int count = batch->count - first < GP_BLOCK ? batch->count - first : GP_BLOCK;
        put_rows(p->x, p, b, batch->cell + first, b == ESTIMATION ? batch->code + first * p->code_length : NULL, count);
        TRY(gp_covariance(out + first, p->branch[b].gp, p->one, p->x, count));
    }
    return STATUS_OK;
}

static double incumbent(void *self)
{
    const struct gaussian *p = self;
    double best = p->target[0];
    for (int i = 1; i < p->n; i++)
        if (p->target[i] > best) best = p->target[i];
    return best;
}

static const struct traits *traits(void *self)
{
    return ((struct gaussian *)self)->traits;
}

/* -- creation -------------------------------------------------------------------------------------------------------- */

static int create_branch(struct gaussian *p, enum branch b)
{
    struct process *process = &p->branch[b];
    const struct gp_shape shape = {b == ESTIMATION ? 3 : 2, {p->traits->counts, p->traits->statistics, p->code_length}, 1};
    /* medians: two cells of NAS-Bench-201 differ by 2 to 4 in path counts, by 4 to 6 in standardised statistics, by 2 in codes */
    const struct gp_prior prior = {{8, 5.657, 3}, 0.6, 0.01, 1.5};
    process->columns = traits_width(p->traits) + (b == ESTIMATION ? p->code_length : 0);
    return gp_create(&process->gp, p->comm, &shape, &prior, p->n_max);
}

static int create(struct gaussian *p, const struct space *space)
{
    const size_t n = (size_t)p->n_max, e = (size_t)p->code_length, rows = n > GP_BLOCK ? n : GP_BLOCK;
    TRY(traits_create(&p->traits, space));
    for (int b = 0; b < (p->code_length > 0 ? BRANCHES : ESTIMATION); b++) TRY(create_branch(p, (enum branch)b));
    TRY(memory_alloc(&p->cell, n, sizeof *p->cell));
    TRY(memory_alloc(&p->code, n * e, sizeof *p->code));
    TRY(memory_alloc(&p->target, n, sizeof *p->target));
    TRY(memory_alloc(&p->scratch, n, sizeof *p->scratch));
    TRY(memory_alloc(&p->code_mean, e, sizeof *p->code_mean));
    TRY(memory_alloc(&p->code_deviation, e, sizeof *p->code_deviation));
    TRY(memory_alloc(&p->one, (size_t)traits_width(p->traits) + e, sizeof *p->one));
    TRY(memory_alloc(&p->value, GP_BLOCK, sizeof *p->value));
    return memory_alloc(&p->x, rows * ((size_t)traits_width(p->traits) + e), sizeof *p->x);
}

int predictor_gp_create(void **self, const struct predictor_class **class, enum predictor_kind kind, const struct space *space,
                        int code_length, const struct trial_settings *settings, int n_max, MPI_Comm comm)
{
    int ranks;
    struct gaussian *p;
    TRY(status_agree(comm, memory_alloc(&p, 1, sizeof *p)));
    MPI_Comm_size(comm, &ranks);
    p->together = ranks > 1 && n_max >= settings->gp_together_from;
    p->comm = p->together ? comm : MPI_COMM_SELF;
    p->code_length = kind == PREDICTOR_GP ? code_length : 0;
    p->n_max = n_max;
    p->class = (struct predictor_class){
        .everywhere = true, .together = p->together, .destroy = destroy, .start = start, .fit = fit, .prepare = prepare,
        .score = score, .rescore = p->code_length > 0 ? rescore : NULL, .believe = believe, .covariance = covariance,
        .incumbent = incumbent, .traits = traits};
    const int status = status_agree(comm, create(p, space));
    if (status != STATUS_OK) {
        destroy(p);
        return status;
    }
    *self = p;
    *class = &p->class;
    return STATUS_OK;
}
