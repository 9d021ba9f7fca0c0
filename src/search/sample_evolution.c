/* Regularized evolution (Real, Aggarwal, Huang and Le 2019): the population is the last P architectures trained, so that the oldest
 * dies when a child is born. The parent is the best of S drawn with replacement; the child differs from it in one edit. */
#include "status.h"
#include "trial_internal.h"

enum { ATTEMPTS = 100 }; /* to find a child that is not trained yet; then a random cell takes its place */

/* The best of a few of the population, the one drawn first among equals. */
static int64_t find_parent(const struct trial *t, struct random_stream *stream)
{
    const struct predictor_pool *pool = &t->pool->view;
    const int64_t population = t->settings.evolution.population < pool->size ? t->settings.evolution.population : pool->size;
    int64_t best = -1;
    for (int i = 0; i < t->settings.evolution.sample; i++) {
        const int64_t drawn = pool->size - 1 - random_below(stream, population);
        if (best < 0 || pool->label[drawn] > pool->label[best]) best = drawn;
    }
    return pool->cell[best];
}

static int64_t find_child(const struct trial *t, struct random_stream *stream)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        const int count = neighbourhood_list(t->near, t->neighbourhood, find_parent(t, stream));
        if (count == 0) continue;
        const int64_t child = t->near[random_below(stream, count)];
        if (!t->pool->member[child]) return child;
    }
    return trial_unseen(t, stream);
}

int sample_evolution(struct trial *t)
{
    struct random_stream stream = trial_stream(t, RANDOM_WALK);
    const int n = t->spec->n, population = t->settings.evolution.population;
    TRY(trial_draw(t, population < n ? population : n, &stream));
    while (t->pool->view.size < n) {
        const int64_t child = find_child(t, &stream);
        TRY(pool_add(t->pool, t->candidate, &child, 1, false));
        pulse_beat(t->pulse);
    }
    return trial_fit(t, NULL);
}
