/* The predictor "pairwise" (BRP-NAS): cells without what does not compute, the schedule of its training, and the network of pairwise.h
 * behind the common interface. */
#include "live.h"
#include "memory.h"
#include "pairwise.h"
#include "predictor.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

/* Published: 12 to 60 pairs a batch with 20 to 100 cells; a training that gets no better for a while ends. */
enum { CELLS_MAX = 32, PATIENCE = 35, PATIENT_FROM = 20 };
static const double RATE = 3.5e-4, PAIRS_A_CELL = 0.6, PI = 3.14159265358979323846;

struct comparer {
    const struct space *space;
    struct pairwise *network;
    int epochs;                     /* of a training of which nobody says how long it is */
    struct random_stream order_stream, dropout_stream;
    bool dead[SPACE_OPERATIONS_MAX], pass[SPACE_OPERATIONS_MAX];
    bool fixed[SPACE_NODES_MAX];    /* inner nodes with one operation in all cells, which share a graph: they sum or pass on */
    int nodes, node[SPACE_NODES_MAX]; /* those that the network sees */
    uint8_t feature[CELLS_MAX * SPACE_NODES_MAX];
    uint32_t mask[CELLS_MAX * SPACE_NODES_MAX];
    int64_t *order;                 /* [cells] of a pool */
    float *best;                    /* the weights of the best epoch */
};

static void destroy(void *self)
{
    struct comparer *p = self;
    pairwise_destroy(&p->network);
    free(p->order);
    free(p->best);
    free(p);
}

static void start(void *self, uint64_t seed, uint32_t trial, uint32_t budget)
{
    struct comparer *p = self;
    random_open(&p->order_stream, seed, trial, budget, RANDOM_WEIGHTS);
    random_open(&p->dropout_stream, seed, trial, budget, RANDOM_DROPOUT);
    pairwise_initialise(p->network, &p->order_stream);
}

/* ---- cells ---- */

static int find_nodes(struct comparer *p, const struct space *s)
{
    live_dead(p->dead, s);
    live_pass(p->pass, s);
    TRY(live_fixed(p->fixed, s));
    for (int v = 0; v < s->nodes; v++) {
        const uint32_t self = UINT32_C(1) << v;
        p->fixed[v] = p->fixed[v] && (s->graph->successors[v] & ~self) != 0 && (s->graph->predecessors[v] & ~self) != 0;
        if (!p->fixed[v]) p->node[p->nodes++] = v;
    }
    return STATUS_OK;
}

/* Nodes that can be reached from `from` along `to`, with those themselves. */
static uint32_t reached(uint32_t from, const uint32_t *to, int nodes)
{
    for (uint32_t before = 0; before != from;) {
        before = from;
        for (int v = 0; v < nodes; v++)
            if (from >> v & 1) from |= to[v];
    }
    return from;
}

/* Cell number i of a batch: dead nodes go with their edges, nodes that pass on give their edges to their neighbours, and so does not
 * count what lies on no path from where the cell begins to where it ends. What is taken out leaves an empty place. */
static void reduce(struct comparer *p, int i, int64_t cell)
{
    const struct space *s = p->space;
    const struct graph *g = space_graph(s, cell);
    uint32_t after[SPACE_NODES_MAX], before[SPACE_NODES_MAX], here = 0, begins = 0, ends = 0;
    uint8_t operation[SPACE_NODES_MAX];
    space_cell(operation, s, cell);
    for (int v = 0; v < s->nodes; v++) {
        const uint32_t self = UINT32_C(1) << v;
        after[v] = g->successors[v] & ~self, before[v] = g->predecessors[v] & ~self;
        if (before[v] == 0 && (after[v] != 0 || s->nodes == 1)) begins |= self;
        if (after[v] == 0 && (before[v] != 0 || s->nodes == 1)) ends |= self;
        here |= self;
    }
    for (int v = 0; v < s->nodes; v++) {
        const uint32_t self = UINT32_C(1) << v;
        const bool passes = p->fixed[v] || p->pass[operation[v]];
        if (((begins | ends) & self) != 0 || !(passes || p->dead[operation[v]])) continue;
        for (int u = 0; u < s->nodes; u++) {
            if (after[u] & self) after[u] = (after[u] & ~self) | (passes ? after[v] : 0);
            if (before[u] & self) before[u] = (before[u] & ~self) | (passes ? before[v] : 0);
        }
        here &= ~self;
    }
    const uint32_t live = here & reached(begins, after, s->nodes) & reached(ends, before, s->nodes);
    for (int k = 0; k < p->nodes; k++) {
        const int v = p->node[k];
        const bool is_live = live >> v & 1;
        uint32_t mask = UINT32_C(1) << k;
        for (int j = 0; j < p->nodes && is_live; j++) mask |= (after[v] & live) >> p->node[j] & 1 ? UINT32_C(1) << j : 0;
        p->mask[i * p->nodes + k] = mask;
        p->feature[i * p->nodes + k] = is_live ? operation[v] : PAIRWISE_NOTHING;
    }
}

static struct pairwise_cells cells(const struct comparer *p, int count)
{
    return (struct pairwise_cells){count, p->feature, p->mask};
}

/* ---- training ---- */

/* Labels in units of their standard deviation: what a softmax of two of them makes of a difference does not depend on the data set. */
static double find_scale(const struct predictor_pool *pool)
{
    double mean = 0, square = 0;
    for (int64_t i = 0; i < pool->size; i++) mean += (double)pool->label[i] / (double)pool->size;
    for (int64_t i = 0; i < pool->size; i++) square += ((double)pool->label[i] - mean) * ((double)pool->label[i] - mean) / (double)pool->size;
    return square > 0 ? 1 / sqrt(square) : 1;
}

/* How many cells make a batch: all their ordered pairs are at most 0.6 a cell of the pool. */
static int cells_a_batch(int64_t size)
{
    int count = 2;
    while (count < CELLS_MAX && count < size && (count + 1) * count <= PAIRS_A_CELL * (double)size) count++;
    return count;
}

/* One pass over the pool in a random order, cut into batches: the loss of a pair. */
static double pass(struct comparer *p, const struct predictor_pool *pool, int batch, double scale, double rate, const struct pulse *pulse)
{
    double loss = 0, pairs = 0;
    random_shuffle(p->order, pool->size, &p->order_stream);
    for (int64_t first = 0; first + 1 < pool->size; first += batch) {
        const int count = pool->size - first < batch ? (int)(pool->size - first) : batch;
        float label[CELLS_MAX];
        for (int i = 0; i < count; i++) {
            reduce(p, i, pool->cell[p->order[first + i]]);
            label[i] = (float)(scale * (double)pool->label[p->order[first + i]]);
        }
        const struct pairwise_cells c = cells(p, count);
        loss += (double)pairwise_step(p->network, &c, label, rate, &p->dropout_stream);
        pairs += count * (count - 1);
        pulse_beat(pulse);
    }
    return loss / pairs;
}

/* An epoch has as many pairs as the pool has; the rate falls along a cosine; the weights of the best epoch stay. */
static int fit(void *self, const struct predictor_pool *pool, const struct predictor_phase *phase, const struct pulse *pulse)
{
    struct comparer *p = self;
    size_t count;
    float *weights = pairwise_weights(p->network, &count);
    const int batch = cells_a_batch(pool->size);
    const int passes = (int)((pool->size - 1) / (batch - 1) > 0 ? (pool->size - 1) / (batch - 1) : 1);
    const double scale = find_scale(pool);
    const int epochs = phase == NULL ? p->epochs : phase->epochs;
    double best = INFINITY;
    int best_epoch = 0;
    if (pool->size < 2) return STATUS_OK; /* no pair */
    for (int64_t i = 0; i < pool->size; i++) p->order[i] = i;
    pairwise_restart_optimiser(p->network);
    for (int epoch = 0; epoch < epochs; epoch++) {
        const double rate = RATE * (1 + cos(PI * epoch / epochs)) / 2;
        double loss = 0;
        for (int i = 0; i < passes; i++) loss += pass(p, pool, batch, scale, rate, pulse) / passes;
        if (loss < best) {
            best = loss;
            best_epoch = epoch;
            memcpy(p->best, weights, count * sizeof *weights);
        }
        if (epoch >= PATIENT_FROM && epoch - best_epoch >= PATIENCE) break;
    }
    if (best < INFINITY) memcpy(weights, p->best, count * sizeof *weights);
    return STATUS_OK;
}

/* ---- scoring ---- */

static void prepare(void *self)
{
    (void)self;
}

static void score(void *self, float *out, const struct predictor_batch *batch)
{
    struct comparer *p = self;
    for (int first = 0; first < batch->count; first += CELLS_MAX) {
        const int count = batch->count - first < CELLS_MAX ? batch->count - first : CELLS_MAX;
        for (int i = 0; i < count; i++) reduce(p, i, batch->cell[first + i]);
        const struct pairwise_cells c = cells(p, count);
        pairwise_score(out + first, p->network, &c);
    }
}

static float *state(void *self, size_t *count)
{
    return pairwise_weights(((struct comparer *)self)->network, count);
}

int predictor_pairwise_create(void **self, const struct predictor_class **class, const struct space *space,
                              const struct trial_settings *settings)
{
    static const struct predictor_class pairwise_class = {.destroy = destroy, .start = start, .fit = fit, .prepare = prepare,
                                                          .score = score, .state = state};
    struct comparer *p;
    size_t count;
    int status;
    *self = NULL;
    *class = &pairwise_class;
    TRY(memory_alloc(&p, 1, sizeof *p));
    p->space = space;
    p->epochs = settings->brp.epochs;
    TRY_DONE(find_nodes(p, space));
    TRY_DONE(pairwise_create(&p->network, &(struct pairwise_shape){p->nodes, space->operations, settings->brp.width}, CELLS_MAX));
    pairwise_weights(p->network, &count);
    TRY_DONE(memory_alloc(&p->best, count, sizeof *p->best));
    TRY_DONE(memory_alloc(&p->order, (size_t)space->cells, sizeof *p->order));
    *self = p;
done:
    if (status != STATUS_OK) destroy(p);
    return status;
}
