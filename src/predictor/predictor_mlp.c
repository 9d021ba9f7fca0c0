/* The predictor "mlp" (WeakNAS): an MLP on what varies in the space, one input for each operation that a node can have and for each edge
 * that not all cells have. Each fit begins afresh, with the labels of the pool standardised. */
#include "dense.h"
#include "memory.h"
#include "mlp.h"
#include "predictor.h"
#include "ranking.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 200, LAYERS = 4, ROWS = BATCH > RANKING_BLOCK ? BATCH : RANKING_BLOCK };

struct perceptron {
    const struct space *space;
    struct mlp *mlp;
    int inputs, edges, epochs; /* the last inputs are those of edges */
    struct random_stream stream;
    int *column;             /* [V][O] of a node's operation; -1: it says nothing */
    uint32_t varies[SPACE_NODES_MAX]; /* edges that some cells have and others have not, in the order of their columns */
    real *x, *target;        /* [panels][ROWS][WIDTH], [ROWS] */
    int64_t *order;          /* [cells] of a pool */
};

static void destroy(void *self)
{
    struct perceptron *p = self;
    mlp_destroy(&p->mlp);
    free(p->column);
    free(p->x);
    free(p->target);
    free(p->order);
    free(p);
}

static void start(void *self, uint64_t seed, uint32_t trial, uint32_t budget)
{
    struct perceptron *p = self;
    random_open(&p->stream, seed, trial, budget, RANDOM_WEIGHTS);
}

/* Number the inputs. */
static int find_columns(struct perceptron *p, const struct space *s)
{
    bool *allowed;
    TRY(memory_alloc(&p->column, (size_t)(s->nodes * s->operations), sizeof *p->column));
    TRY(memory_alloc(&allowed, (size_t)(s->nodes * s->operations), sizeof *allowed));
    space_allowed(allowed, s);
    for (int v = 0; v < s->nodes; v++) {
        int kinds = 0;
        for (int o = 0; o < s->operations; o++) kinds += allowed[v * s->operations + o];
        for (int o = 0; o < s->operations; o++)
            p->column[v * s->operations + o] = kinds > 1 && allowed[v * s->operations + o] ? p->inputs++ : -1;
    }
    free(allowed);
    for (int v = 0; v < s->nodes; v++) {
        uint32_t all = UINT32_MAX, any = 0;
        for (int64_t g = 0; g < s->graphs; g++) all &= s->graph[g].successors[v], any |= s->graph[g].successors[v];
        p->varies[v] = any & ~all;
        p->edges += __builtin_popcount(p->varies[v]);
    }
    p->inputs += p->edges;
    if (p->inputs == 0) p->inputs = 1; /* cells that do not differ */
    return STATUS_OK;
}

/* Row r of a batch of so many rows. */
static void gather(struct perceptron *p, int r, int rows, int64_t cell)
{
    const struct space *s = p->space;
    const struct graph *g = space_graph(s, cell);
    uint8_t operation[SPACE_NODES_MAX];
    int edge = p->inputs - p->edges;
    space_cell(operation, s, cell);
    for (int panel = 0; panel < dense_panels(p->inputs); panel++)
        memset(p->x + ((size_t)panel * (size_t)rows + (size_t)r) * WIDTH, 0, WIDTH * sizeof *p->x);
#define INPUT(c) p->x[((size_t)((c) / WIDTH) * (size_t)rows + (size_t)r) * WIDTH + (size_t)((c) % WIDTH)]
    for (int v = 0; v < s->nodes; v++) {
        const int c = p->column[v * s->operations + operation[v]];
        if (c >= 0) INPUT(c) = 1;
    }
    for (int v = 0; v < s->nodes; v++)
        for (uint32_t left = p->varies[v]; left != 0; left &= left - 1, edge++)
            if (g->successors[v] & left & -left) INPUT(edge) = 1;
#undef INPUT
}

/* Mean and standard deviation of the labels. */
static void find_scale(real *extra, const struct predictor_pool *pool)
{
    double mean = 0, square = 0;
    for (int64_t i = 0; i < pool->size; i++) mean += (double)pool->label[i] / (double)pool->size;
    for (int64_t i = 0; i < pool->size; i++) square += ((double)pool->label[i] - mean) * ((double)pool->label[i] - mean) / (double)pool->size;
    extra[0] = (real)mean;
    extra[1] = square > 0 ? (real)sqrt(square) : 1;
}

static int fit(void *self, const struct predictor_pool *pool, const struct predictor_phase *phase, const struct pulse *pulse)
{
    struct perceptron *p = self;
    real *scale = mlp_extra(p->mlp);
    (void)phase;
    for (int64_t i = 0; i < pool->size; i++) p->order[i] = i;
    mlp_initialise(p->mlp, &p->stream);
    find_scale(scale, pool);
    for (int epoch = 0; epoch < p->epochs; epoch++) {
        double loss = 0;
        if (pool->size > BATCH) random_shuffle(p->order, pool->size, &p->stream);
        for (int64_t first = 0; first < pool->size; first += BATCH) {
            const int rows = pool->size - first < BATCH ? (int)(pool->size - first) : BATCH;
            for (int r = 0; r < rows; r++) {
                const int64_t at = p->order[first + r];
                gather(p, r, rows, pool->cell[at]);
                p->target[r] = (pool->label[at] - scale[0]) / scale[1];
            }
            loss += (double)mlp_step(p->mlp, p->x, p->target, rows) * rows / (double)pool->size;
            pulse_beat(pulse);
        }
        if (mlp_is_done(p->mlp, loss)) break;
    }
    return STATUS_OK;
}

static void prepare(void *self)
{
    (void)self;
}

static void score(void *self, float *out, const struct predictor_batch *batch)
{
    struct perceptron *p = self;
    const real *scale = mlp_extra(p->mlp);
    for (int first = 0; first < batch->count; first += RANKING_BLOCK) {
        const int rows = batch->count - first < RANKING_BLOCK ? batch->count - first : RANKING_BLOCK;
        for (int r = 0; r < rows; r++) gather(p, r, rows, batch->cell[first + r]);
        mlp_predict(out + first, p->mlp, p->x, rows);
        for (int r = 0; r < rows; r++) out[first + r] = out[first + r] * scale[1] + scale[0];
    }
}

static float *state(void *self, size_t *count)
{
    return mlp_weights(((struct perceptron *)self)->mlp, count);
}

int predictor_mlp_create(void **self, const struct predictor_class **class, const struct space *space,
                         const struct trial_settings *settings)
{
    static const struct predictor_class mlp_class = {.destroy = destroy, .start = start, .fit = fit, .prepare = prepare,
                                                     .score = score, .state = state};
    struct mlp_training training;
    struct perceptron *p;
    int status;
    *self = NULL;
    *class = &mlp_class;
    TRY(memory_alloc(&p, 1, sizeof *p));
    p->space = space;
    p->epochs = settings->weaknas.epochs;
    TRY_DONE(find_columns(p, space));
    mlp_defaults(&training);
    const struct mlp_shape shape = {p->inputs, settings->weaknas.width, LAYERS};
    TRY_DONE(mlp_create(&p->mlp, &shape, &training, ROWS));
    TRY_DONE(memory_alloc(&p->x, (size_t)dense_panels(p->inputs) * ROWS * WIDTH, sizeof *p->x));
    TRY_DONE(memory_alloc(&p->target, ROWS, sizeof *p->target));
    TRY_DONE(memory_alloc(&p->order, (size_t)space->cells, sizeof *p->order));
    *self = p;
done:
    if (status != STATUS_OK) destroy(p);
    return status;
}
