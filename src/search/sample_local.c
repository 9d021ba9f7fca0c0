/* Local search (White, Nolen and Savani 2021): all neighbours of the present cell are trained, the best of them becomes the present
 * one if it is better, and else the search begins anew at a random cell. It starts from the best of some random ones. */
#include "status.h"
#include "trial_internal.h"

static int64_t best_of_pool(const struct trial *t)
{
    int64_t best = 0;
    for (int64_t i = 1; i < t->pool->view.size; i++)
        if (t->pool->label[i] > t->pool->label[best]) best = i;
    return t->pool->cell[best];
}

/* Train the new ones among `near`, in random order, as far as N goes. */
static int explore(struct trial *t, int count, struct random_stream *stream)
{
    int64_t *fresh = t->pool->cell + t->pool->view.size, found = 0; /* where they will stand */
    const int64_t left = t->spec->n - t->pool->view.size;
    random_shuffle(t->near, count, stream);
    for (int i = 0; i < count && found < left; i++)
        if (!t->pool->member[t->near[i]]) fresh[found++] = t->near[i];
    return pool_add(t->pool, t->candidate, fresh, found, false);
}

/* Go to the best of `near`, all of which are trained, or to a new place when *present is better. What is known costs nothing. */
static int move(int64_t *present, struct trial *t, int count, struct random_stream *stream)
{
    const int64_t from = *present;
    double best, label;
    TRY(candidate_train(t->candidate, &best, NULL, &from, 1));
    for (int i = 0; i < count; i++) {
        TRY(candidate_train(t->candidate, &label, NULL, &t->near[i], 1));
        if (label > best || (label == best && *present != from && t->near[i] < *present)) {
            best = label;
            *present = t->near[i];
        }
    }
    if (*present != from) return STATUS_OK;
    *present = trial_unseen(t, stream);
    return pool_add(t->pool, t->candidate, present, 1, false);
}

int sample_local(struct trial *t)
{
    struct random_stream stream = trial_stream(t, RANDOM_WALK);
    const int n = t->spec->n, initial = t->settings.local_search.initial;
    TRY(trial_draw(t, initial < n ? initial : n, &stream));
    int64_t present = best_of_pool(t);
    while (t->pool->view.size < n) {
        const int count = neighbourhood_list(t->near, t->neighbourhood, present);
        TRY(explore(t, count, &stream));
        if (t->pool->view.size < n) TRY(move(&present, t, count, &stream));
        pulse_beat(t->pulse);
    }
    return trial_fit(t, NULL);
}
