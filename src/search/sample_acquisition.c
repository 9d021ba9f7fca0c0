/* Expected improvement, Thompson sampling and upper confidence bound: an initial design, then rounds in which the predictor learns from
 * all that is trained and says which cells to train next. */
#include "memory.h"
#include "status.h"
#include "trial_internal.h"

#include <math.h>
#include <stdlib.h>

/* The part of a list by code, best first, in which the initial design lies: dense among the best, wider further down. */
#define DESIGN_SHARE 0.6

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

static int best_first(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;
    return scored_before(*y, *x) - scored_before(*x, *y);
}

/* Buy the codes of some cells at random; train the best by their last loss, and others that lie ever farther behind. A code of signals
 * is not known to be better high or low: then those in equal steps. */
static int design_by_code(struct trial *t, int n)
{
    const int wanted = t->settings.acquisition.design_codes;
    const int codes = wanted < n ? n : wanted < t->space->cells ? wanted : (int)t->space->cells;
    struct random_stream stream = trial_stream(t, RANDOM_DESIGN);
    struct scored *list = NULL;
    int64_t *cell;
    int status;
    TRY(memory_alloc(&cell, (size_t)codes, sizeof *cell));
    TRY_DONE(memory_alloc(&list, (size_t)codes, sizeof *list));
    random_subset(cell, codes, t->space->cells, &stream);
    TRY_DONE(acquisition_buy(t->acquisition, t->candidate, cell, codes));
    for (int i = 0; i < codes; i++)
        list[i] = (struct scored){-(double)acquisition_code(t->acquisition, cell[i])[t->code_length - 1], cell[i]};
    qsort(list, (size_t)codes, sizeof *list, best_first);
    const bool losses = candidate_code_is_losses(t->candidate);
    for (int i = 0, next = 0; i < n; i++) {
        const double way = n > 1 ? (double)i / (n - 1) : 0, part = losses ? DESIGN_SHARE * way * way : way;
        int place = (int)floor(part * (codes - 1) + 0.5);
        if (place < next) place = next; /* each once */
        if (place > codes - (n - i)) place = codes - (n - i);
        cell[i] = list[place].cell;
        next = place + 1;
    }
    status = add(t, cell, NULL, n);
done:
    free(list);
    free(cell);
    return status;
}

static int design(struct trial *t)
{
    const struct acquisition_settings *s = &t->settings.acquisition;
    const int n = s->initial < t->spec->n ? s->initial : t->spec->n;
    if (s->design_by_code && predictor_rescores(t->predictor)) return design_by_code(t, n);
    TRY(trial_draw(t, n));
    return predictor_rescores(t->predictor) ? acquisition_buy(t->acquisition, t->candidate, t->pool->cell, n) : STATUS_OK;
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
