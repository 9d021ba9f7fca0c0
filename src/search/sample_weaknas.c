/* WeakNAS (Wu et al. 2021): a few random cells, then rounds of a predictor that is fitted afresh, each of which pays for a few cells drawn
 * from the best of those that are not trained yet. */
#include "status.h"
#include "trial_internal.h"

int sample_weaknas(struct trial *t)
{
    const struct trial_settings *s = &t->settings;
    struct random_stream stream = trial_stream(t, RANDOM_WALK);
    const int64_t n = t->spec->n;
    TRY(trial_draw(t, s->weaknas.initial < n ? s->weaknas.initial : n, &stream));
    TRY(trial_fit(t, NULL));
    while (t->pool->view.size < n) {
        const struct topset *top;
        const int64_t left = n - t->pool->view.size, want = s->weaknas.batch < left ? s->weaknas.batch : left;
        TRY(trial_rank(t, &top, NULL));
        int64_t found = pool_find_new(t->list, t->pool, top, s->weaknas.top);
        random_shuffle(t->list, found, &stream);
        TRY(pool_add(t->pool, t->candidate, t->list, want < found ? want : found, false));
        TRY(trial_fit(t, NULL));
    }
    return STATUS_OK;
}
