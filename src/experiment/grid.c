#include "grid.h"

#include "memory.h"
#include "status.h"

#include <assert.h>
#include <stdlib.h>

int grid_create(struct grid *g, const struct job *j)
{
    *g = (struct grid){j->datasets, j->methods, j->budgets, j->trials, 1};
    const int extent[] = {g->datasets, g->methods, g->budgets, g->trials};
    for (int i = 0; i < 4; i++)
        if (__builtin_mul_overflow(g->units, (int64_t)extent[i], &g->units) || g->units > INT32_MAX)
            return status_fail(STATUS_INPUT,
                               "%s: %d datasets x %d methods x %d budgets x %d trials are too many units; split the job",
                               j->path, g->datasets, g->methods, g->budgets, g->trials);
    return STATUS_OK;
}

struct unit grid_unit(const struct grid *g, int64_t id)
{
    assert(0 <= id && id < g->units);
    struct unit u;
    u.realization = (int)(id % g->trials), id /= g->trials;
    u.budget = (int)(id % g->budgets), id /= g->budgets;
    u.method = (int)(id % g->methods);
    u.dataset = (int)(id / g->methods);
    return u;
}

int64_t grid_id(const struct grid *g, struct unit u)
{
    return (((int64_t)u.dataset * g->methods + u.method) * g->budgets + u.budget) * g->trials + u.realization;
}

double grid_work(const struct job *j, struct unit u, int64_t cells)
{
    /* Time of one cell relative to siamese+nsam, and of a training step's cell relative to a scored one. */
    static const double weight[PREDICTOR_KINDS] = {
        [PREDICTOR_RANDOM] = 1e-3, [PREDICTOR_NAIVE] = 0.4, [PREDICTOR_SIAMESE] = 0.7, [PREDICTOR_SIAMESE_NSAM] = 1};
    const double backward = 3;
    const struct trial_settings *s = &j->settings;
    const struct method m = j->method[u.method];
    const double n = j->n[u.budget], space = (double)cells, part = s->part * space;

    if (method_family(m) == METHOD_LOT) return weight[m.predictor] * space;
    if (method_family(m) == METHOD_ROUNDS) { /* fitting grows with the cube of the pool, ranking with its square */
        const double rounds = m.sampler == SAMPLER_RANDOM ? 1 : n / s->acquisition.batch;
        return rounds * (n * n * n / 5e4 + space * n * n / 3e5);
    }
    double pool = n - s->epochs[3], steps = pool < s->batch ? 1 : pool / s->batch, trained = 0;
    for (int phase = 0; phase < 4; phase++) trained += s->epochs[phase] * steps * s->batch * backward;
    double sampled = m.sampler == SAMPLER_BTS ? s->rounds * part : m.sampler == SAMPLER_FTS ? s->rounds * space : 0;
    double ranked = sampled + s->epochs[3] * part + space;
    return weight[m.predictor] * (trained + ranked);
}

struct candidate_cost grid_cost_bound(const struct job *j, struct unit u)
{
    const struct trial_settings *s = &j->settings;
    const struct method m = j->method[u.method];
    struct candidate_cost bound = {.trainings = s->k_max};
    if (method_family(m) != METHOD_LOT) bound.trainings += j->n[u.budget];
    if (method_family(m) == METHOD_ROUNDS && method_needs_code(m)) {
        const struct acquisition_settings *a = &s->acquisition;
        const int64_t rounds = m.sampler == SAMPLER_RANDOM ? 0 : (j->n[u.budget] + a->batch - 1) / a->batch;
        bound.codes = j->n[u.budget] + rounds * a->codes + (a->design == DESIGN_CODE ? a->design_pool : 0) + s->c_evaluate;
    } else if (method_needs_code(m)) {
        int64_t heads = s->epochs[3] + (m.sampler == SAMPLER_RANDOM ? 0 : s->rounds);
        bound.codes = j->n[u.budget] - s->epochs[3] + heads * s->c_train + s->c_evaluate;
    }
    return bound;
}

struct entry {
    double work;
    int64_t id;
};

static int longest_first(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->work != y->work) return x->work > y->work ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

int grid_schedule(int64_t *order, int64_t *count, const struct grid *g, const struct job *j, int64_t cells,
                  const bool *finished)
{
    struct entry *entry;
    TRY(memory_alloc(&entry, (size_t)g->units, sizeof *entry));
    int64_t n = 0;
    for (int64_t id = 0; id < g->units; id++)
        if (finished == NULL || !finished[id]) entry[n++] = (struct entry){grid_work(j, grid_unit(g, id), cells), id};
    qsort(entry, (size_t)n, sizeof *entry, longest_first);
    for (int64_t i = 0; i < n; i++) order[i] = entry[i].id;
    *count = n;
    free(entry);
    return STATUS_OK;
}
