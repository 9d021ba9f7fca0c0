/* Iterative sampling of BRP-NAS (Dudziak et al. 2020): N in equal rounds. The first is random; of each later one, half is the top of the
 * ranking and half is drawn from its upper part, which is a half, a quarter, an eighth ... of the space. The predictor goes on from round to
 * round, each time for longer. */
#include "correlation.h"
#include "status.h"
#include "trial_internal.h"

/* On rank 0, from the scores of all cells: `want` new ones. */
static int choose(int64_t *chosen, struct trial *t, int64_t want, int round, struct random_stream *stream)
{
    int64_t *order = t->evaluation.order, upper = t->space->cells, found = 0, left = 0;
    TRY(correlation_order(order, t->evaluation.score, t->space->cells));
    for (int64_t i = 0; found < want - want / 2; i++)
        if (!t->pool->member[order[i]]) {
            chosen[found++] = order[i];
            order[i] = -1; /* taken */
        }
    if (round < 62) upper >>= round;
    for (int64_t i = 0; i < upper || left < want - found; i++) { /* the upper part, or more if it has too few new ones */
        if (order[i] >= 0 && !t->pool->member[order[i]]) left++;
        if (i >= upper) upper = i + 1;
    }
    while (found < want) {
        const int64_t i = random_below(stream, upper);
        if (order[i] < 0 || t->pool->member[order[i]]) continue;
        chosen[found++] = order[i];
        order[i] = -1;
    }
    return STATUS_OK;
}

int sample_brp(struct trial *t)
{
    const int rounds = t->settings.brp.rounds;
    const int64_t n = t->spec->n;
    struct random_stream stream = trial_stream(t, RANDOM_WALK);
    for (int round = 0; round < rounds; round++) {
        const int64_t want = (n * (round + 1) + rounds - 1) / rounds - t->pool->view.size;
        if (want == 0) continue;
        if (round == 0) {
            TRY(trial_draw(t, want, &stream));
        } else {
            const struct topset *top;
            TRY(trial_rank(t, &top, t->evaluation.score));
            TRY(trial_share(t, t->list, want, t->group->rank == 0 ? choose(t->list, t, want, round, &stream) : STATUS_OK));
            TRY(pool_add(t->pool, t->candidate, t->list, want, false));
        }
        TRY(trial_fit(t, &(struct predictor_phase){.epochs = t->settings.brp.epochs * (round + 1)}));
    }
    return STATUS_OK;
}
