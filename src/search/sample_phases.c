/* The paper's schedule of training (method.md section 4) with random, batch top and fully top sampling (section 6). */
#include "status.h"
#include "trial_internal.h"

#include <math.h>
#include <string.h>

enum { WARM_UP, SAMPLE, REFINE, SELECT };

/* Train for some epochs of a phase: ranking_top hands the weights to the others. */
static int fit(struct trial *t, int phase, int epochs, bool restart)
{
    int steps = (t->spec->n - t->settings.epochs[SELECT]) / t->settings.batch; /* from the budget, not from the pool's present size */
    const struct predictor_phase p = {epochs, steps > 1 ? steps : 1, t->settings.learning_rate[phase], restart};
    return trial_fit(t, &p);
}

/* Rank a random part of the space, or all of it. */
static int rank_part(const struct topset **top, struct trial *t, struct random_stream *stream, bool whole)
{
    const double begin = timer_now();
    int64_t cells = whole ? t->space->cells : trial_part(t->space, &t->settings);
    if (!whole) random_subset(t->part, cells, t->space->cells, stream);
    int status = ranking_top(top, NULL, t->ranking, t->predictor, t->candidate, whole ? NULL : t->part, cells, t->settings.c_train);
    t->timer.seconds[TIMER_RANK] += timer_now() - begin;
    return status;
}

/* The sampling phase: train, and let the sampler add the top of a ranking to the pool `rounds` times. Equal shares; the
 * last round takes the remainder, and what an earlier round could not find. */
static int sample(struct trial *t, int64_t pool_target)
{
    const struct trial_settings *s = &t->settings;
    const bool codes = predictor_rescores(t->predictor);
    const int64_t initial = t->pool->view.size, share = (pool_target - initial) / s->rounds;
    const int every = s->epochs[SAMPLE] / (s->rounds + 1);
    struct random_stream tenth = trial_stream(t, RANDOM_TENTH);
    int epochs = 0;
    for (int round = 1; round <= s->rounds && pool_target > initial; round++) {
        const struct topset *top;
        TRY(fit(t, SAMPLE, every, round == 1));
        epochs += every;
        TRY(rank_part(&top, t, &tenth, t->spec->method.sampler == SAMPLER_FTS));
        int64_t wanted = (round == s->rounds ? pool_target : initial + round * share) - t->pool->view.size;
        TRY(pool_add_top(t->pool, t->candidate, top, wanted, codes));
    }
    return fit(t, SAMPLE, s->epochs[SAMPLE] - epochs, epochs == 0);
}

/* The last epochs: after each, look up the first choice on a fixed part of the space; keep the best epoch's weights. */
static int select_weights(struct trial *t)
{
    struct random_stream fixed = trial_stream(t, RANDOM_SELECT);
    double best = -1;
    size_t size;
    float *state = predictor_state(t->predictor, &size);
    for (int epoch = 0; epoch < t->settings.epochs[SELECT]; epoch++) {
        const struct topset *top;
        struct random_stream same = fixed;
        double label;
        TRY(fit(t, SELECT, 1, epoch == 0));
        TRY(rank_part(&top, t, &same, false));
        TRY(candidate_train(t->candidate, &label, NULL, &top->item[0].cell, 1));
        if (label > best) {
            best = label;
            if (t->group->rank == 0) memcpy(t->kept, state, size * sizeof *state);
        }
    }
    if (best >= 0 && t->group->rank == 0) memcpy(state, t->kept, size * sizeof *state);
    return STATUS_OK;
}

int sample_phases(struct trial *t)
{
    const struct trial_settings *s = &t->settings;
    const bool all_at_once = t->spec->method.sampler == SAMPLER_RANDOM;
    const int64_t pool_target = t->spec->n - s->epochs[SELECT]; /* the looked-up first choices are paid from N */
    int64_t initial = all_at_once ? pool_target : (int64_t)floor(s->initial_share * (double)pool_target + 1e-9);
    if (initial < 1) initial = 1;

    TRY(trial_draw(t, initial, NULL));
    TRY(fit(t, WARM_UP, s->epochs[WARM_UP], true));
    TRY(sample(t, pool_target));
    TRY(fit(t, REFINE, s->epochs[REFINE], true));
    return select_weights(t);
}
