#include "acquisition.h"

#include "memory.h"
#include "ranking.h"
#include "status.h"
#include "topset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = RANKING_BLOCK, SHORT_LIST = 300 /* cells among which those of one batch are chosen */ };

struct acquisition {
    const struct group *group;
    const struct space *space;
    const struct pulse *pulse;
    int code_length, short_list;
    struct random_stream thompson;
    uint32_t *lot;               /* [cells] among cells of one class the lowest comes first */
    float *code;                 /* [cells][E] */
    int64_t *coded, coded_count; /* [cells] those whose code is known */
    bool *is_coded;              /* [cells] */
    struct topset top;           /* [short_list] */
    /* cells at hand: a block, or the short list */
    int64_t *cell;
    float *cell_code, *score;
    double *mean, *variance, *covariance;
};

int acquisition_create(struct acquisition **out, const struct group *group, const struct space *space, int code_length, int batch,
                       int codes, const struct pulse *pulse)
{
    struct acquisition *a;
    int status;
    const size_t cells = (size_t)space->cells, e = (size_t)code_length;
    *out = NULL;
    TRY(memory_alloc(&a, 1, sizeof *a));
    a->group = group, a->space = space, a->pulse = pulse, a->code_length = code_length;
    a->short_list = SHORT_LIST;
    if (a->short_list < 2 * batch) a->short_list = 2 * batch;
    if (a->short_list < codes) a->short_list = codes;
    const size_t most = (size_t)(a->short_list > BLOCK ? a->short_list : BLOCK);
    TRY_DONE(memory_alloc(&a->lot, cells, sizeof *a->lot));
    TRY_DONE(memory_alloc(&a->code, cells * e, sizeof *a->code));
    TRY_DONE(memory_alloc(&a->coded, cells, sizeof *a->coded));
    TRY_DONE(memory_alloc(&a->is_coded, cells, sizeof *a->is_coded));
    TRY_DONE(topset_create(&a->top, a->short_list));
    TRY_DONE(memory_alloc(&a->cell, most, sizeof *a->cell));
    TRY_DONE(memory_alloc(&a->cell_code, most * e, sizeof *a->cell_code));
    TRY_DONE(memory_alloc(&a->score, most, sizeof *a->score));
    TRY_DONE(memory_alloc(&a->mean, most, sizeof *a->mean));
    TRY_DONE(memory_alloc(&a->variance, most, sizeof *a->variance));
    TRY_DONE(memory_alloc(&a->covariance, most, sizeof *a->covariance));
    *out = a;
done:
    if (status != STATUS_OK) acquisition_destroy(&a);
    return status;
}

void acquisition_destroy(struct acquisition **out)
{
    struct acquisition *a = *out;
    if (a == NULL) return;
    if (a->top.item != NULL) topset_destroy(&a->top);
    free(a->lot);
    free(a->code);
    free(a->coded);
    free(a->is_coded);
    free(a->cell);
    free(a->cell_code);
    free(a->score);
    free(a->mean);
    free(a->variance);
    free(a->covariance);
    free(a);
    *out = NULL;
}

void acquisition_start(struct acquisition *a, const struct random_stream *twins, const struct random_stream *thompson)
{
    struct random_stream s = *twins;
    for (int64_t i = 0; i < a->space->cells; i++) a->lot[i] = random_bits(&s);
    for (int64_t i = 0; i < a->coded_count; i++) a->is_coded[a->coded[i]] = false;
    a->coded_count = 0;
    a->thompson = *thompson;
}

/* -- codes ----------------------------------------------------------------------------------------------------------- */

int acquisition_buy(struct acquisition *a, struct candidate *candidate, const int64_t *cell, int n)
{
    TRY(candidate_expect(candidate, MEASUREMENT_CODE, cell, n));
    for (int i = 0; i < n; i++) {
        if (a->is_coded[cell[i]]) continue;
        TRY(candidate_code(candidate, a->code + cell[i] * a->code_length, &cell[i], 1));
        a->is_coded[cell[i]] = true;
        a->coded[a->coded_count++] = cell[i];
    }
    return STATUS_OK;
}

const float *acquisition_code(const struct acquisition *a, int64_t cell)
{
    return a->is_coded[cell] ? a->code + cell * a->code_length : NULL;
}

/* -- worth ----------------------------------------------------------------------------------------------------------- */

/* The logarithm of sd (z Phi(z) + phi(z)), which keeps its order far below, where the improvement itself is no number any more. */
double acquisition_improvement(double mean, double deviation, double incumbent)
{
    const double z = (mean - incumbent) / deviation, density = 0.3989422804014327 * exp(-0.5 * z * z);
    if (z > -25) return log(deviation * (z * 0.5 * erfc(-z * 0.7071067811865476) + density));
    const double z2 = z * z; /* phi(z) / z^2 (1 - 3/z^2 + 15/z^4 - 105/z^6) */
    return log(deviation) - 0.5 * z2 - 0.9189385332046727 - log(z2) + log1p(-3 / z2 + 15 / (z2 * z2) - 105 / (z2 * z2 * z2));
}

/* A standard normal number for one cell and draw. */
static double normal_of(const struct acquisition *a, uint64_t draw, int64_t cell)
{
    struct random_stream s = a->thompson;
    s.counter = draw * (uint64_t)a->space->cells + (uint64_t)cell;
    const double u = 1 - random_uniform(&s), v = random_uniform(&s);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static double worth_of(const struct acquisition *a, const struct acquisition_question *q, double mean, double variance,
                       double incumbent, int64_t cell, int place)
{
    const double deviation = sqrt(variance);
    switch (q->sampler) {
    case SAMPLER_UCB: return mean + q->kappa * deviation;
    case SAMPLER_TS: return mean + deviation * normal_of(a, q->round * (uint64_t)a->short_list + (uint64_t)place, cell);
    default: return acquisition_improvement(mean, deviation, incumbent);
    }
}

/* -- the best of many ------------------------------------------------------------------------------------------------ */

/* Of a class the cell that comes first by lot and can be chosen; -1 when there is none. */
static int64_t first_of(const struct acquisition *a, const struct traits *traits, const struct acquisition_question *q, int64_t class,
                        bool uncoded)
{
    int64_t first = -1;
    for (int64_t i = traits->begin[class]; i < traits->begin[class + 1]; i++) {
        const int64_t cell = traits->member[i];
        if (q->trained[cell] || (uncoded && a->is_coded[cell])) continue;
        if (first < 0 || a->lot[cell] < a->lot[first]) first = cell;
    }
    return first;
}

/* The cell that stands for number i of what is asked about. */
static int64_t cell_of(const struct acquisition *a, const struct traits *traits, const struct acquisition_question *q, int64_t i,
                       bool by_code, bool uncoded)
{
    if (!by_code && traits != NULL) return first_of(a, traits, q, i, uncoded);
    const int64_t cell = by_code ? a->coded[i] : i;
    return q->trained[cell] || (uncoded && a->is_coded[cell]) ? -1 : cell;
}

static int believe(struct acquisition *a, struct predictor *predictor, int count, bool by_code)
{
    if (by_code)
        for (int i = 0; i < count; i++)
            memcpy(a->cell_code + i * a->code_length, a->code + a->cell[i] * a->code_length, (size_t)a->code_length * sizeof *a->code);
    const struct predictor_batch batch = {a->space, count, a->cell, by_code ? a->cell_code : NULL};
    return predictor_believe(predictor, a->mean, a->variance, &batch);
}

/* a->top becomes the short list. The ranks share whole blocks. */
static int sweep(struct acquisition *a, struct predictor *predictor, const struct acquisition_question *q, bool by_code, bool uncoded)
{
    const struct traits *traits = predictor_traits(predictor);
    const int64_t n = by_code ? a->coded_count : traits != NULL ? traits->classes : a->space->cells;
    const double incumbent = predictor_incumbent(predictor);
    int status = STATUS_OK;
    int64_t first, last;
    const bool together = predictor_believes_together(predictor); /* then every rank looks at all */
    topset_clear(&a->top);
    first = 0, last = (n + BLOCK - 1) / BLOCK;
    if (!together) group_share(a->group, last, &first, &last);
    for (int64_t block = first; block < last && status == STATUS_OK; block++) {
        int count = 0;
        for (int64_t i = block * BLOCK; i < n && i < (block + 1) * BLOCK; i++) {
            const int64_t cell = cell_of(a, traits, q, i, by_code, uncoded);
            if (cell >= 0) a->cell[count++] = cell;
        }
        status = believe(a, predictor, count, by_code);
        for (int i = 0; i < count && status == STATUS_OK; i++)
            topset_push(&a->top, worth_of(a, q, a->mean[i], a->variance[i], incumbent, a->cell[i], 0), a->cell[i]);
        pulse_beat(a->pulse);
    }
    if (a->group->size > 1) TRY(status_agree(a->group->comm, status));
    if (!together) topset_reduce(&a->top, a->group->comm);
    return status;
}

int acquisition_explore(struct acquisition *a, struct predictor *predictor, struct candidate *candidate,
                        const struct acquisition_question *q, int codes)
{
    TRY(sweep(a, predictor, q, false, true));
    const int n = codes < a->top.count ? codes : a->top.count;
    for (int i = 0; i < n; i++) a->cell[i] = a->top.item[i].cell;
    return acquisition_buy(a, candidate, a->cell, n);
}

/* -- a batch --------------------------------------------------------------------------------------------------------- */

/* The variances of the short list as if the accuracy of its cell number `chosen` were known. */
static int deflate(struct acquisition *a, struct predictor *predictor, int count, int chosen, bool by_code)
{
    const float *code = by_code ? a->cell_code + chosen * a->code_length : NULL;
    const struct predictor_batch one = {a->space, 1, &a->cell[chosen], code};
    const struct predictor_batch batch = {a->space, count, a->cell, by_code ? a->cell_code : NULL};
    const double own = a->variance[chosen];
    TRY(predictor_covariance(predictor, a->covariance, &one, &batch));
    for (int i = 0; i < count; i++) {
        const double left = a->variance[i] - a->covariance[i] * a->covariance[i] / own;
        a->variance[i] = left > 1e-6 * a->variance[i] ? left : 1e-6 * a->variance[i];
    }
    return STATUS_OK;
}

/* What the branch expects of the chosen ones as accuracies. */
static void expect(float *score, struct acquisition *a, struct predictor *predictor, const int64_t *cell, int n, bool by_code)
{
    for (int i = 0; i < n; i++) {
        const struct predictor_batch one = {a->space, 1, &cell[i], by_code ? a->code + cell[i] * a->code_length : NULL};
        if (by_code) predictor_rescore(predictor, &score[i], &one);
        else predictor_score(predictor, &score[i], &one);
    }
}

int acquisition_choose(int64_t *cell, float *score, int *found, struct acquisition *a, struct predictor *predictor,
                       const struct acquisition_question *q, bool by_code, int n)
{
    double incumbent = predictor_incumbent(predictor);
    *found = 0;
    TRY(sweep(a, predictor, q, by_code, false));
    const int count = a->top.count;
    if (n > count) n = count;
    for (int i = 0; i < count; i++) a->cell[i] = a->top.item[i].cell;
    if (n > 1) TRY(believe(a, predictor, count, by_code));
    for (int place = 0; place < n; place++) {
        int best = place; /* the first choice is the first of the list */
        for (int i = 0; i < count && place > 0; i++) {
            a->covariance[i] = worth_of(a, q, a->mean[i], a->variance[i], incumbent, a->cell[i], place);
            bool taken = false;
            for (int k = 0; k < place; k++) taken = taken || cell[k] == a->cell[i];
            if (taken) a->covariance[i] = -INFINITY;
            if (i == 0 || a->covariance[i] > a->covariance[best]) best = i;
        }
        cell[(*found)++] = a->cell[best];
        if (place + 1 == n) break;
        if (a->mean[best] > incumbent) incumbent = a->mean[best];
        if (q->sampler != SAMPLER_TS) TRY(deflate(a, predictor, count, best, by_code)); /* draws differ by themselves */
    }
    expect(score, a, predictor, cell, *found, by_code);
    return STATUS_OK;
}
