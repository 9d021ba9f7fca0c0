/* Expected improvement, Thompson sampling and upper confidence bound: an initial design, then rounds in which the predictor learns from
 * all that is trained and says which cells to train next. */
#include "memory.h"
#include "status.h"
#include "trial_internal.h"

#include <math.h>
#include <stdlib.h>

/* Add cells and keep what the predictor expected of them; their codes are in `a` as well. */
static int add(struct trial *t, const int64_t *cell, const float *score, int n)
{
    struct pool *pool = t->pool;
    const int64_t size = pool->view.size;
    TRY(pool_add(pool, t->candidate, cell, n, predictor_rescores(t->predictor)));
    for (int i = 0; i < n && score != NULL; i++) pool->score[size + i] = score[i];
    if (predictor_rescores(t->predictor)) TRY(acquisition_buy(t->acquisition, t->candidate, cell, n));
    return STATUS_OK;
}

/* ---- the initial design ---- */

/* Buy the codes of all; those of the third with the lowest last loss come first, in that order: how many there are. Of signals nobody
 * knows whether more is better: all stay. */
static int keep_best(int64_t *cell, int *count, struct trial *t)
{
    struct topset best;
    TRY(acquisition_buy(t->acquisition, t->candidate, cell, *count));
    if (!candidate_code_is_losses(t->candidate)) return STATUS_OK;
    TRY(topset_create(&best, *count / 3 > 0 ? *count / 3 : 1));
    for (int i = 0; i < *count; i++)
        topset_push(&best, -(double)acquisition_code(t->acquisition, cell[i])[t->code_length - 1], cell[i]);
    *count = best.count;
    for (int i = 0; i < best.count; i++) cell[i] = best.item[i].cell;
    topset_destroy(&best);
    return STATUS_OK;
}

static double distance(const struct traits *traits, int64_t a, int64_t b)
{
    const float *x = traits_of(traits, traits->class_of[a]), *y = traits_of(traits, traits->class_of[b]);
    double sum = 0;
    for (int d = 0; d < traits_width(traits); d++) sum += ((double)x[d] - (double)y[d]) * ((double)x[d] - (double)y[d]);
    return sum;
}

/* Bring n of `count` cells to the front: the first, and again and again the one that is farthest from all before it. */
static int spread(int64_t *cell, int count, int n, const struct traits *traits)
{
    double *nearest;
    TRY(memory_alloc(&nearest, (size_t)count, sizeof *nearest));
    for (int i = 0; i < count; i++) nearest[i] = INFINITY;
    for (int chosen = 1; chosen < n; chosen++) {
        int farthest = chosen;
        for (int i = chosen; i < count; i++) {
            const double d = distance(traits, cell[i], cell[chosen - 1]);
            if (d < nearest[i]) nearest[i] = d;
            if (nearest[i] > nearest[farthest]) farthest = i;
        }
        const int64_t taken = cell[farthest];
        for (int i = farthest; i > chosen; i--) { /* the others keep their order */
            cell[i] = cell[i - 1];
            nearest[i] = nearest[i - 1];
        }
        cell[chosen] = taken;
    }
    free(nearest);
    return STATUS_OK;
}

/* Cells of a random pool, far from each other; by code only among the best. */
static int design_from_pool(struct trial *t, int n, bool by_code)
{
    const int wanted = t->settings.acquisition.design_pool < 3 * n ? 3 * n : t->settings.acquisition.design_pool;
    int count = wanted < t->space->cells ? wanted : (int)t->space->cells;
    struct random_stream stream = trial_stream(t, RANDOM_DESIGN);
    int64_t *cell;
    TRY(memory_alloc(&cell, (size_t)count, sizeof *cell));
    random_subset(cell, count, t->space->cells, &stream);
    const int64_t lot = random_below(&stream, count), drawn = cell[lot]; /* the first of a spread, unless codes say which */
    cell[lot] = cell[0], cell[0] = drawn;
    int status = by_code ? keep_best(cell, &count, t) : STATUS_OK;
    if (n > count) n = count;
    if (status == STATUS_OK) status = spread(cell, count, n, predictor_traits(t->predictor));
    if (status == STATUS_OK) status = add(t, cell, NULL, n);
    free(cell);
    return status;
}

/* Codes are bought only for predictors that read them; cells are compared only by the traits of those that have any. */
static int design(struct trial *t)
{
    const struct acquisition_settings *s = &t->settings.acquisition;
    const int n = s->initial < t->spec->n ? s->initial : t->spec->n;
    const bool reads = predictor_rescores(t->predictor), by_code = s->design == DESIGN_CODE && reads;
    if (s->design != DESIGN_RANDOM && predictor_traits(t->predictor) != NULL) return design_from_pool(t, n, by_code);
    TRY(trial_draw(t, n, NULL));
    return reads ? acquisition_buy(t->acquisition, t->candidate, t->pool->cell, n) : STATUS_OK;
}

static int make(struct trial *t)
{
    const struct acquisition_settings *s = &t->settings.acquisition;
    if (t->acquisition == NULL)
        TRY(acquisition_create(&t->acquisition, t->group, t->space, t->code_length, s->batch, s->codes, t->pulse));
    const struct random_stream twins = trial_stream(t, RANDOM_TWIN), thompson = trial_stream(t, RANDOM_THOMPSON);
    acquisition_start(t->acquisition, &twins, &thompson);
    return STATUS_OK;
}

/* One round; *found cells came into the pool. */
static int round_of(struct trial *t, uint64_t number, int64_t *cell, float *score, int *found)
{
    const struct acquisition_settings *s = &t->settings.acquisition;
    const bool by_code = predictor_rescores(t->predictor) && s->codes > 0;
    const struct acquisition_question q = {t->spec->method.sampler, s->kappa, t->pool->member, number};
    const int64_t left = t->spec->n - t->pool->view.size;
    TRY(trial_fit(t, NULL));
    const double begin = timer_now();
    predictor_share(t->predictor, t->group);
    if (by_code) TRY(acquisition_explore(t->acquisition, t->predictor, t->candidate, &q, s->codes));
    TRY(acquisition_choose(cell, score, found, t->acquisition, t->predictor, &q, by_code, left < s->batch ? (int)left : s->batch));
    t->timer.seconds[TIMER_RANK] += timer_now() - begin;
    return add(t, cell, score, *found);
}

int sample_acquisition(struct trial *t)
{
    const size_t batch = (size_t)t->settings.acquisition.batch;
    int64_t *cell;
    float *score = NULL;
    int status, found = 1;
    TRY(memory_alloc(&cell, batch, sizeof *cell));
    TRY_DONE(memory_alloc(&score, batch, sizeof *score));
    TRY_DONE(make(t));
    TRY_DONE(design(t));
    for (uint64_t round = 0; t->pool->view.size < t->spec->n && found > 0; round++)
        TRY_DONE(round_of(t, round, cell, score, &found));
    status = trial_fit(t, NULL);
done:
    free(score);
    free(cell);
    return status;
}
