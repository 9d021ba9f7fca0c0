/* PredNAS (Yuan, Huang and Wang 2022): gradient ascent on the relaxed cell through a trained predictor. Every node of a cell has a softmax over
 * its operations; each start climbs to a mixture that the predictor likes best, and pays for the most probable cell of it that is new. Then the
 * predictor, naive, is trained again on all that is known. Half of the starts are random, half lean towards the best cells so far. */
#include "memory.h"
#include "status.h"
#include "trial_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Cells that a mixture is asked for before a random one takes their place, and those that wait for their turn. */
enum { POPS = 2000, WAITING = 4096 };
static const double LEAN = 2; /* of a start towards a known cell, in units of log-probability */

/* Cells of a mixture in the order of their probability: `rank` says which of a node's operations, the most probable being 0. */
struct choice {
    double loss; /* log-probability less than the best one's */
    uint8_t rank[SPACE_NODES_MAX];
    int last;    /* nodes before it are settled: each choice comes up once */
};

struct ascent {
    const struct space *space;
    bool *allowed;                               /* [V][O] */
    double *flops, flops_mean;                   /* [V][O] what an operation adds to the mean; NULL: not known */
    float *soft, *dsoft;                         /* [V][O] */
    double *theta, *first, *second;              /* [V][O] logits, and Adam's moments */
    struct choice waiting[WAITING];              /* a heap, the most probable first */
    int count;
};

/* What each operation of each node adds, on average over the space: exact where the cost of a cell is a sum over its nodes. */
static int find_flops(struct ascent *a)
{
    const struct space *s = a->space;
    const int at = space_find_signal(s, "flops"), O = s->operations;
    double *count;
    if (at < 0) return STATUS_OK;
    const double *flops = s->signal[at].value;
    TRY(memory_alloc(&a->flops, (size_t)(s->nodes * O), sizeof *a->flops));
    TRY(memory_alloc(&count, (size_t)(s->nodes * O), sizeof *count));
    int64_t known = 0;
    for (int64_t cell = 0; cell < s->cells; cell++) {
        uint8_t operation[SPACE_NODES_MAX];
        if (isnan(flops[cell])) continue;
        space_cell(operation, s, cell);
        for (int v = 0; v < s->nodes; v++) a->flops[v * O + operation[v]] += flops[cell], count[v * O + operation[v]]++;
        a->flops_mean += flops[cell];
        known++;
    }
    a->flops_mean /= known > 0 ? (double)known : 1;
    for (int i = 0; i < s->nodes * O; i++) a->flops[i] = count[i] > 0 ? a->flops[i] / count[i] - a->flops_mean : 0;
    free(count);
    return STATUS_OK;
}

int ascent_create(struct ascent **out, const struct space *space)
{
    const size_t size = (size_t)(space->nodes * space->operations);
    struct ascent *a;
    int status;
    *out = NULL;
    TRY(memory_alloc(&a, 1, sizeof *a));
    a->space = space;
    TRY_DONE(memory_alloc(&a->allowed, size, sizeof *a->allowed));
    TRY_DONE(memory_alloc(&a->soft, size, sizeof *a->soft));
    TRY_DONE(memory_alloc(&a->dsoft, size, sizeof *a->dsoft));
    TRY_DONE(memory_alloc(&a->theta, size, sizeof *a->theta));
    TRY_DONE(memory_alloc(&a->first, size, sizeof *a->first));
    TRY_DONE(memory_alloc(&a->second, size, sizeof *a->second));
    space_allowed(a->allowed, space);
    TRY_DONE(find_flops(a));
    *out = a;
done:
    if (status != STATUS_OK) ascent_destroy(&a);
    return status;
}

void ascent_destroy(struct ascent **a)
{
    if (*a == NULL) return;
    free((*a)->allowed);
    free((*a)->flops);
    free((*a)->soft);
    free((*a)->dsoft);
    free((*a)->theta);
    free((*a)->first);
    free((*a)->second);
    free(*a);
    *a = NULL;
}

/* ---- climbing ---- */

static void soften(struct ascent *a)
{
    const int O = a->space->operations;
    for (int v = 0; v < a->space->nodes; v++) {
        double most = -INFINITY, sum = 0;
        for (int o = 0; o < O; o++)
            if (a->allowed[v * O + o]) most = fmax(most, a->theta[v * O + o]);
        for (int o = 0; o < O; o++)
            if (a->allowed[v * O + o]) sum += exp(a->theta[v * O + o] - most);
        for (int o = 0; o < O; o++)
            a->soft[v * O + o] = a->allowed[v * O + o] ? (float)(exp(a->theta[v * O + o] - most) / sum) : 0;
    }
}

/* One step of Adam up the predictor's score, less what the expected FLOPs are above the limit. */
static void climb(struct ascent *a, struct trial *t, const struct graph *g, int step)
{
    const int O = a->space->operations;
    const double limit = t->settings.prednas.flops_limit;
    double above = a->flops_mean - limit;
    soften(a);
    predictor_soft(t->predictor, a->dsoft, a->soft, g);
    if (limit > 0 && a->flops != NULL) {
        for (int i = 0; i < a->space->nodes * O; i++) above += (double)a->soft[i] * a->flops[i];
        for (int i = 0; i < a->space->nodes * O && above > 0; i++)
            a->dsoft[i] -= (float)(t->settings.prednas.flops_penalty * a->flops[i] / limit);
    }
    for (int v = 0; v < a->space->nodes; v++) {
        double mean = 0;
        for (int o = 0; o < O; o++) mean += (double)a->soft[v * O + o] * (double)a->dsoft[v * O + o];
        for (int i = v * O; i < v * O + O; i++) {
            const double d = (double)a->soft[i] * ((double)a->dsoft[i] - mean);
            a->first[i] = 0.9 * a->first[i] + 0.1 * d;
            a->second[i] = 0.999 * a->second[i] + 0.001 * d * d;
            a->theta[i] += t->settings.prednas.rate * (a->first[i] / (1 - pow(0.9, step))) / (sqrt(a->second[i] / (1 - pow(0.999, step))) + 1e-12);
        }
    }
}

/* ---- the cells of a mixture ---- */

static void push(struct ascent *a, const struct choice *c)
{
    int at = a->count;
    if (a->count == WAITING) return;
    for (a->count++; at > 0 && c->loss < a->waiting[(at - 1) / 2].loss; at = (at - 1) / 2) a->waiting[at] = a->waiting[(at - 1) / 2];
    a->waiting[at] = *c;
}

static struct choice pop(struct ascent *a)
{
    const struct choice best = a->waiting[0], last = a->waiting[--a->count];
    int at = 0;
    for (int child; (child = 2 * at + 1) < a->count; at = child) {
        if (child + 1 < a->count && a->waiting[child + 1].loss < a->waiting[child].loss) child++;
        if (a->waiting[child].loss >= last.loss) break;
        a->waiting[at] = a->waiting[child];
    }
    a->waiting[at] = last;
    return best;
}

static bool is_new(const struct trial *t, int64_t cell, const int64_t *chosen, int64_t found)
{
    if (cell < 0 || t->pool->member[cell]) return false;
    for (int64_t i = 0; i < found; i++)
        if (chosen[i] == cell) return false;
    return true;
}

/* The most probable cell of the mixture that is new; -1 when there is none among the first. */
static int64_t project(struct ascent *a, const struct trial *t, const struct graph *g, const int64_t *chosen, int64_t found)
{
    const int V = a->space->nodes, O = a->space->operations;
    uint8_t order[SPACE_NODES_MAX][SPACE_OPERATIONS_MAX];
    int choices[SPACE_NODES_MAX];
    for (int v = 0; v < V; v++) { /* its operations, the most probable first */
        choices[v] = 0;
        for (int o = 0; o < O; o++) {
            if (!a->allowed[v * O + o]) continue;
            int at = choices[v]++;
            for (; at > 0 && a->theta[v * O + order[v][at - 1]] < a->theta[v * O + o]; at--) order[v][at] = order[v][at - 1];
            order[v][at] = (uint8_t)o;
        }
    }
    a->count = 0;
    push(a, &(struct choice){0});
    for (int pops = 0; pops < POPS && a->count > 0; pops++) {
        const struct choice c = pop(a);
        uint8_t operation[SPACE_NODES_MAX];
        for (int v = 0; v < V; v++) operation[v] = order[v][c.rank[v]];
        const int64_t cell = neighbourhood_find(t->neighbourhood, g, operation);
        if (is_new(t, cell, chosen, found)) return cell;
        for (int v = c.last; v < V; v++) {
            struct choice next = c;
            if (++next.rank[v] >= choices[v]) continue;
            next.last = v;
            next.loss += a->theta[v * O + order[v][next.rank[v] - 1]] - a->theta[v * O + order[v][next.rank[v]]];
            push(a, &next);
        }
    }
    return -1;
}

/* ---- rounds ---- */

/* The cell of the pool that has `place` better ones, the earlier first among equals. */
static int64_t placed(const struct predictor_pool *pool, int64_t place)
{
    for (int64_t i = 0; i < pool->size; i++) {
        int64_t better = 0;
        for (int64_t k = 0; k < pool->size; k++) better += pool->label[k] > pool->label[i] || (pool->label[k] == pool->label[i] && k < i);
        if (better == place) return pool->cell[i];
    }
    return pool->cell[0];
}

/* On rank 0: a new cell from each start. */
static int choose(int64_t *chosen, struct trial *t, int64_t want, struct random_stream *stream)
{
    struct ascent *a = t->ascent;
    const int V = a->space->nodes, O = a->space->operations;
    const size_t size = (size_t)(V * O);
    for (int64_t start = 0; start < want; start++) {
        const bool leans = start % 2 == 1 && start / 2 < t->pool->view.size;
        const int64_t from = leans ? placed(&t->pool->view, start / 2) : random_below(stream, a->space->cells);
        const struct graph *g = space_graph(a->space, from);
        uint8_t operation[SPACE_NODES_MAX];
        space_cell(operation, a->space, from);
        for (size_t i = 0; i < size; i++) a->theta[i] = 2 * random_uniform(stream) - 1, a->first[i] = a->second[i] = 0;
        for (int v = 0; v < V && leans; v++) a->theta[v * O + operation[v]] += LEAN;
        for (int step = 1; step <= t->settings.prednas.steps; step++) climb(a, t, g, step);
        chosen[start] = project(a, t, g, chosen, start);
        while (chosen[start] < 0) {
            const int64_t cell = trial_unseen(t, stream);
            if (is_new(t, cell, chosen, start)) chosen[start] = cell;
        }
        pulse_beat(t->pulse);
    }
    return STATUS_OK;
}

/* From the initial weights on, the first three phases of method.md section 4. */
static int train(struct trial *t)
{
    const struct trial_settings *s = &t->settings;
    const int64_t steps = t->pool->view.size / s->batch;
    predictor_start(t->predictor, t->spec->seed, t->spec->trial, (uint32_t)t->spec->n);
    for (int phase = 0; phase < 3; phase++) {
        const struct predictor_phase p = {s->epochs[phase], steps > 1 ? (int)steps : 1, s->learning_rate[phase], true};
        TRY(trial_fit(t, &p));
    }
    predictor_prepare(t->predictor);
    return STATUS_OK;
}

int sample_prednas(struct trial *t)
{
    const int64_t n = t->spec->n, initial = t->settings.prednas.initial, batch = t->settings.prednas.batch;
    struct random_stream stream = trial_stream(t, RANDOM_WALK);
    TRY(trial_draw(t, initial < n ? initial : n, &stream));
    TRY(train(t));
    while (t->pool->view.size < n) {
        const int64_t left = n - t->pool->view.size, want = batch < left ? batch : left;
        TRY(trial_share(t, t->list, want, t->group->rank == 0 ? choose(t->list, t, want, &stream) : STATUS_OK));
        TRY(pool_add(t->pool, t->candidate, t->list, want, false));
        TRY(train(t));
    }
    return STATUS_OK;
}
