/* WeakNAS (Wu et al. 2021): a few random cells, then rounds of a predictor that is fitted afresh, each of which pays for a few cells drawn
 * from the best of those that are not trained yet. */
#include "status.h"
#include "trial_internal.h"

/* The first of a ranking that are not in the pool, in place; returns how many. */
static int64_t unseen(int64_t *cell, const struct trial *t, const struct topset *top, int64_t most)
{
    int64_t found = 0;
    for (int i = 0; i < top->count && found < most; i++)
        if (!t->pool->member[top->item[i].cell]) cell[found++] = top->item[i].cell;
    return found;
}

int sample_weaknas(struct trial *t)
{
    const struct trial_settings *s = &t->settings;
    struct random_stream stream = trial_stream(t, RANDOM_WALK);
    const int64_t n = t->spec->n;
    TRY(trial_draw_shuffled(t, s->weaknas.initial < n ? s->weaknas.initial : n, &stream));
    TRY(trial_fit(t, NULL));
    while (t->pool->view.size < n) {
        const struct topset *top;
        const int64_t left = n - t->pool->view.size, want = s->weaknas.batch < left ? s->weaknas.batch : left;
        TRY(trial_rank(t, &top, NULL));
        int64_t found = unseen(t->list, t, top, s->weaknas.top);
        random_shuffle(t->list, found, &stream);
        TRY(pool_add(t->pool, t->candidate, t->list, want < found ? want : found, false));
        TRY(trial_fit(t, NULL));
    }
    return STATUS_OK;
}
