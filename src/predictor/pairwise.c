#include "pairwise.h"

#include "adam.h"
#include "dense.h"
#include "layer_norm.h"
#include "memory.h"
#include "status.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS = 4 };
static const double DROPOUT = 0.2, DECAY = 5e-4;

struct pairwise {
    struct pairwise_shape shape;
    int max_cells, panels;
    size_t trained;
    real *weights, *gradients;
    struct dense dense[LAYERS], d_dense[LAYERS];
    struct layer_norm norm[LAYERS], d_norm[LAYERS];
    real *head[2][2], *d_head[2][2];         /* [panels][WIDTH] of an output, for the first and the second cell */
    real *bias, *d_bias;                     /* [2] */
    struct adam adam;
    real *in[LAYERS], *out[LAYERS];          /* [panels][rows][WIDTH] of each layer: A h, and h */
    struct layer_norm_cache cache[LAYERS];
    real *d[2], *scratch;
    real *side[2], *d_side[2];               /* [max_cells] products of the head with each cell as the first and as the second */
    struct workspace workspace;
};

static int inputs_of(const struct pairwise *p, int layer)
{
    return layer == 0 ? p->shape.features + 1 : p->shape.width;
}

/* Rows of a layer's input: the last one gives the global node only. */
static int rows_of(const struct pairwise *p, int layer, int cells)
{
    return layer == LAYERS - 1 ? cells : cells * (p->shape.nodes + 1);
}

static real *carve(real *base, size_t *at, size_t count)
{
    real *here = base == NULL ? NULL : base + *at;
    *at += (count + LANES - 1) / LANES * LANES;
    return here;
}

static size_t map(struct dense *dense, struct layer_norm *norm, real *head[2][2], real **bias, const struct pairwise *p, real *base)
{
    const size_t wide = (size_t)p->panels * WIDTH;
    size_t at = 0;
    for (int l = 0; l < LAYERS; l++) {
        dense[l].inputs = inputs_of(p, l), dense[l].outputs = p->shape.width;
        dense[l].weight = carve(base, &at, dense_weights(inputs_of(p, l), p->shape.width));
        dense[l].bias = carve(base, &at, wide);
        norm[l].gamma = carve(base, &at, wide);
        norm[l].beta = carve(base, &at, wide);
    }
    for (int i = 0; i < 4; i++) head[i / 2][i % 2] = carve(base, &at, wide);
    *bias = carve(base, &at, 2);
    return at;
}

static void take(struct pairwise *p)
{
    struct workspace *w = &p->workspace;
    const size_t rows = (size_t)rows_of(p, 0, p->max_cells), wide = (size_t)p->panels * rows * WIDTH;
    p->weights = workspace_take(w, p->trained, sizeof(real));
    p->gradients = workspace_take(w, p->trained, sizeof(real));
    p->adam.first = workspace_take(w, p->trained, sizeof(real));
    p->adam.second = workspace_take(w, p->trained, sizeof(real));
    for (int l = 0; l < LAYERS; l++) {
        p->in[l] = workspace_take(w, l == 0 ? (size_t)dense_panels(inputs_of(p, 0)) * rows * WIDTH : wide, sizeof(real));
        p->out[l] = workspace_take(w, wide, sizeof(real));
        p->cache[l].normal = workspace_take(w, wide, sizeof(real));
        p->cache[l].slope = workspace_take(w, wide, sizeof(real));
        p->cache[l].inverse = workspace_take(w, rows, sizeof(real));
    }
    for (int i = 0; i < 2; i++) {
        p->d[i] = workspace_take(w, wide, sizeof(real));
        p->side[i] = workspace_take(w, (size_t)p->max_cells, sizeof(real));
        p->d_side[i] = workspace_take(w, (size_t)p->max_cells, sizeof(real));
    }
    p->scratch = workspace_take(w, WIDTH * WIDTH, sizeof(real));
}

int pairwise_create(struct pairwise **out, const struct pairwise_shape *shape, int max_cells)
{
    struct pairwise *p;
    *out = NULL;
    TRY(memory_alloc(&p, 1, sizeof *p));
    p->shape = *shape;
    p->max_cells = max_cells;
    p->panels = dense_panels(shape->width);
    p->adam = (struct adam){.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    p->trained = map(p->dense, p->norm, p->head, &p->bias, p, NULL);
    take(p);
    int status = workspace_open(&p->workspace);
    if (status != STATUS_OK) {
        free(p);
        return status;
    }
    take(p);
    map(p->dense, p->norm, p->head, &p->bias, p, p->weights);
    map(p->d_dense, p->d_norm, p->d_head, &p->d_bias, p, p->gradients);
    *out = p;
    return STATUS_OK;
}

void pairwise_destroy(struct pairwise **p)
{
    if (*p == NULL) return;
    workspace_close(&(*p)->workspace);
    free(*p);
    *p = NULL;
}

void pairwise_restart_optimiser(struct pairwise *p)
{
    adam_restart(&p->adam, p->trained);
}

static real draw(double bound, struct random_stream *stream)
{
    return (real)(bound * (2 * random_uniform(stream) - 1));
}

void pairwise_initialise(struct pairwise *p, struct random_stream *stream)
{
    const int width = p->shape.width;
    const double bound = 1 / sqrt(width), last = 1 / sqrt(2 * width);
    for (int l = 0; l < LAYERS; l++) {
        for (int i = 0; i < inputs_of(p, l); i++)
            for (int o = 0; o < width; o++) p->dense[l].weight[dense_place(i, o, width)] = draw(bound, stream);
        for (int o = 0; o < width; o++) {
            p->dense[l].bias[o] = draw(bound, stream);
            p->norm[l].gamma[o] = 1;
            p->norm[l].beta[o] = 0;
        }
    }
    for (int i = 0; i < 4; i++)
        for (int o = 0; o < width; o++) p->head[i / 2][i % 2][o] = draw(last, stream);
    for (int i = 0; i < 2; i++) p->bias[i] = draw(last, stream);
    pairwise_restart_optimiser(p);
}

real *pairwise_weights(struct pairwise *p, size_t *count)
{
    *count = p->trained;
    return p->weights;
}

const real *pairwise_gradients(const struct pairwise *p)
{
    return p->gradients;
}

/* ---- message passing ---- */

/* A X of the one-hot features: how often each occurs among a node's successors. Row 0 of a cell is the global node. */
static void count_features(real *x, const struct pairwise *p, const struct pairwise_cells *cells)
{
    const int nodes = p->shape.nodes, rows = rows_of(p, 0, cells->count);
    memset(x, 0, (size_t)dense_panels(inputs_of(p, 0)) * (size_t)rows * WIDTH * sizeof *x);
#define FEATURE(row, f) x[((size_t)((f) / WIDTH) * (size_t)rows + (size_t)(row)) * WIDTH + (size_t)((f) % WIDTH)]
    for (int b = 0; b < cells->count; b++) {
        const uint8_t *feature = cells->feature + b * nodes;
        const int first = b * (nodes + 1);
        FEATURE(first, p->shape.features) = 1;
        for (int i = 0; i < nodes; i++) {
            if (feature[i] != PAIRWISE_NOTHING) FEATURE(first, feature[i])++;
            for (uint32_t left = cells->mask[b * nodes + i]; left != 0; left &= left - 1) {
                const int f = feature[__builtin_ctz(left)];
                if (f != PAIRWISE_NOTHING) FEATURE(first + 1 + i, f)++;
            }
        }
    }
#undef FEATURE
}

static void add(real *y, const real *x)
{
    for (int c = 0; c < WIDTH; c += LANES) vec_store(y + c, vec_load(y + c) + vec_load(x + c));
}

/* y = A x; only the rows of global nodes when `last`. */
static void gather(real *y, const real *x, const struct pairwise *p, const struct pairwise_cells *cells, bool last)
{
    const int nodes = p->shape.nodes;
    for (int panel = 0; panel < p->panels; panel++)
        for (int b = 0; b < cells->count; b++, x += (nodes + 1) * WIDTH, y += last ? WIDTH : (nodes + 1) * WIDTH) {
            memcpy(y, x, WIDTH * sizeof *y);
            for (int i = 1; i <= nodes; i++) add(y, x + i * WIDTH);
            for (int i = 0; i < nodes && !last; i++) {
                real *row = y + (i + 1) * WIDTH;
                memset(row, 0, WIDTH * sizeof *row);
                for (uint32_t left = cells->mask[b * nodes + i]; left != 0; left &= left - 1) add(row, x + (__builtin_ctz(left) + 1) * WIDTH);
            }
        }
}

/* dx = A^T dy */
static void scatter(real *dx, const real *dy, const struct pairwise *p, const struct pairwise_cells *cells, bool last)
{
    const int nodes = p->shape.nodes;
    for (int panel = 0; panel < p->panels; panel++)
        for (int b = 0; b < cells->count; b++, dx += (nodes + 1) * WIDTH, dy += last ? WIDTH : (nodes + 1) * WIDTH) {
            for (int i = 0; i <= nodes; i++) memcpy(dx + i * WIDTH, dy, WIDTH * sizeof *dx);
            for (int i = 0; i < nodes && !last; i++)
                for (uint32_t left = cells->mask[b * nodes + i]; left != 0; left &= left - 1)
                    add(dx + (__builtin_ctz(left) + 1) * WIDTH, dy + (i + 1) * WIDTH);
        }
}

/* ---- both directions ---- */

static const real *embed(struct pairwise *p, const struct pairwise_cells *cells, struct random_stream *stream)
{
    assert(cells->count <= p->max_cells);
    for (int l = 0; l < LAYERS; l++) {
        const int rows = rows_of(p, l, cells->count);
        if (l == 0) count_features(p->in[0], p, cells);
        else gather(p->in[l], p->out[l - 1], p, cells, l == LAYERS - 1);
        dense_forward(p->cache[l].normal, &p->dense[l], p->in[l], rows, false);
        layer_norm_forward(p->out[l], &p->cache[l], &p->norm[l], rows, p->shape.width, DROPOUT, stream);
    }
    return p->out[LAYERS - 1];
}

/* From d[0], the gradient of the cells' vectors, down. */
static void embed_backward(struct pairwise *p, const struct pairwise_cells *cells)
{
    for (int l = LAYERS - 1; l >= 0; l--) {
        const int rows = rows_of(p, l, cells->count);
        layer_norm_backward(p->d[1], &p->d_norm[l], p->d[0], &p->cache[l], &p->norm[l], rows, p->shape.width);
        dense_backward(l == 0 ? NULL : p->d[0], &p->d_dense[l], p->d[1], &p->dense[l], p->in[l], NULL, rows, p->scratch);
        if (l == 0) break;
        scatter(p->d[1], p->d[0], p, cells, l == LAYERS - 1);
        real *swap = p->d[0];
        p->d[0] = p->d[1], p->d[1] = swap;
    }
}

/* What the two outputs differ by on account of each cell, as the first or the second of a pair. */
static void sides(struct pairwise *p, const real *e, int count)
{
    for (int s = 0; s < 2; s++)
        for (int b = 0; b < count; b++) {
            vec sum = {0};
            for (int k = 0; k < p->panels; k++)
                for (int c = 0; c < WIDTH; c += LANES)
                    sum += vec_load(e + (k * count + b) * WIDTH + c) *
                           (vec_load(p->head[0][s] + k * WIDTH + c) - vec_load(p->head[1][s] + k * WIDTH + c));
            p->side[s][b] = vec_sum(sum);
        }
}

/* From d_side to the gradients of the last layer, and d[0] of the cells' vectors. */
static void sides_backward(struct pairwise *p, const real *e, int count)
{
    for (int k = 0; k < p->panels; k++)
        for (int c = 0; c < WIDTH; c += LANES) {
            vec sum[2] = {{0}}, w[2];
            for (int s = 0; s < 2; s++) w[s] = vec_load(p->head[0][s] + k * WIDTH + c) - vec_load(p->head[1][s] + k * WIDTH + c);
            for (int b = 0; b < count; b++) {
                const int at = (k * count + b) * WIDTH + c;
                for (int s = 0; s < 2; s++) sum[s] += p->d_side[s][b] * vec_load(e + at);
                vec_store(p->d[0] + at, p->d_side[0][b] * w[0] + p->d_side[1][b] * w[1]);
            }
            for (int s = 0; s < 2; s++) {
                vec_store(p->d_head[0][s] + k * WIDTH + c, sum[s]);
                vec_store(p->d_head[1][s] + k * WIDTH + c, -sum[s]);
            }
        }
}

/* The chance that goes with a difference of two outputs, 1 / (1 + e^-x), and its logarithm; that of the other cell's is less by x. */
static double chance_of(double *logarithm, double x)
{
    const double e = exp(-fabs(x));
    *logarithm = (x < 0 ? x : 0) - log1p(e);
    return (x < 0 ? e : 1) / (1 + e);
}

real pairwise_gradient(struct pairwise *p, const struct pairwise_cells *cells, const real *label, struct random_stream *stream)
{
    const int n = cells->count;
    const real *e = embed(p, cells, stream);
    double loss = 0, d_bias = 0;
    sides(p, e, n);
    for (int s = 0; s < 2; s++) memset(p->d_side[s], 0, (size_t)n * sizeof(real));
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            if (i == j) continue;
            const double x = (double)(p->side[0][i] + p->side[1][j] + p->bias[0] - p->bias[1]), y = (double)(label[i] - label[j]);
            double log_chance, log_truth;
            const double chance = chance_of(&log_chance, x), truth = chance_of(&log_truth, y), g = chance - truth;
            loss += truth * (log_truth - log_chance) + (1 - truth) * (log_truth - y - (log_chance - x));
            p->d_side[0][i] += (real)g;
            p->d_side[1][j] += (real)g;
            d_bias += g;
        }
    p->d_bias[0] = (real)d_bias;
    p->d_bias[1] = (real)-d_bias;
    sides_backward(p, e, n);
    embed_backward(p, cells);
    return (real)loss;
}

real pairwise_step(struct pairwise *p, const struct pairwise_cells *cells, const real *label, double rate, struct random_stream *stream)
{
    const real loss = pairwise_gradient(p, cells, label, stream), keep = (real)(1 - rate * DECAY);
    for (size_t i = 0; i < p->trained; i += LANES) vec_store(p->weights + i, keep * vec_load(p->weights + i));
    adam_update(p->weights, &p->adam, p->gradients, p->trained, rate);
    return loss;
}

void pairwise_score(real *score, struct pairwise *p, const struct pairwise_cells *cells)
{
    sides(p, embed(p, cells, NULL), cells->count);
    for (int b = 0; b < cells->count; b++) score[b] = (p->side[0][b] - p->side[1][b]) / 2;
}
