#include "mlp.h"

#include "adam.h"
#include "dense.h"
#include "memory.h"
#include "status.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS_MAX = 16 };

struct mlp {
    struct mlp_shape shape;
    struct mlp_training training;
    int max_batch;
    size_t trained;                          /* parameters */
    real *weights, *gradients;               /* [trained + LANES], [trained] */
    struct dense layer[LAYERS_MAX], gradient[LAYERS_MAX];
    struct dense out, out_gradient;          /* weight [panels of width][WIDTH], bias [1] */
    struct adam adam;
    real *y[LAYERS_MAX], *d[2];              /* [panels of width][max_batch][WIDTH] */
    real *score, *dscore, *scratch;          /* [max_batch], [max_batch], [WIDTH][WIDTH] */
    double best;                             /* loss of an epoch */
    int bad;                                 /* epochs in a row that were not better */
    struct workspace workspace;
};

void mlp_defaults(struct mlp_training *t)
{
    *t = (struct mlp_training){.rate = 1e-3, .decay = 1e-4, .tolerance = 1e-4, .patience = 10};
}

static int inputs_of(const struct mlp *m, int layer)
{
    return layer == 0 ? m->shape.inputs : m->shape.width;
}

static real *carve(real *base, size_t *at, size_t count)
{
    real *here = base == NULL ? NULL : base + *at;
    *at += (count + LANES - 1) / LANES * LANES;
    return here;
}

/* Views into one array of all parameters, or of all gradients. */
static size_t map(struct dense *layer, struct dense *out, const struct mlp *m, real *base)
{
    const int width = m->shape.width;
    const size_t wide = (size_t)dense_panels(width) * WIDTH;
    size_t at = 0;
    for (int l = 0; l < m->shape.layers; l++) {
        layer[l].inputs = inputs_of(m, l), layer[l].outputs = width;
        layer[l].weight = carve(base, &at, dense_weights(inputs_of(m, l), width));
        layer[l].bias = carve(base, &at, wide);
    }
    out->inputs = width, out->outputs = 1;
    out->weight = carve(base, &at, wide);
    out->bias = carve(base, &at, 1);
    return at;
}

static void take(struct mlp *m)
{
    struct workspace *w = &m->workspace;
    const size_t rows = (size_t)m->max_batch, wide = (size_t)dense_panels(m->shape.width) * rows * WIDTH;
    m->weights = workspace_take(w, m->trained + LANES, sizeof(real));
    m->gradients = workspace_take(w, m->trained, sizeof(real));
    m->adam.first = workspace_take(w, m->trained, sizeof(real));
    m->adam.second = workspace_take(w, m->trained, sizeof(real));
    for (int l = 0; l < m->shape.layers; l++) m->y[l] = workspace_take(w, wide, sizeof(real));
    for (int i = 0; i < 2; i++) m->d[i] = workspace_take(w, wide, sizeof(real));
    m->score = workspace_take(w, rows, sizeof(real));
    m->dscore = workspace_take(w, rows, sizeof(real));
    m->scratch = workspace_take(w, WIDTH * WIDTH, sizeof(real));
}

int mlp_create(struct mlp **out, const struct mlp_shape *shape, const struct mlp_training *training, int max_batch)
{
    struct mlp *m;
    assert(1 <= shape->layers && shape->layers <= LAYERS_MAX);
    *out = NULL;
    TRY(memory_alloc(&m, 1, sizeof *m));
    m->shape = *shape;
    m->training = *training;
    m->max_batch = max_batch;
    m->adam = (struct adam){.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    m->trained = map(m->layer, &m->out, m, NULL);
    take(m);
    int status = workspace_open(&m->workspace);
    if (status != STATUS_OK) {
        free(m);
        return status;
    }
    take(m);
    map(m->layer, &m->out, m, m->weights);
    map(m->gradient, &m->out_gradient, m, m->gradients);
    *out = m;
    return STATUS_OK;
}

void mlp_destroy(struct mlp **m)
{
    if (*m == NULL) return;
    workspace_close(&(*m)->workspace);
    free(*m);
    *m = NULL;
}

void mlp_initialise(struct mlp *m, struct random_stream *stream)
{
    const int width = m->shape.width;
    for (int l = 0; l < m->shape.layers; l++) {
        const double bound = sqrt(6.0 / (inputs_of(m, l) + width));
        for (int i = 0; i < inputs_of(m, l); i++)
            for (int o = 0; o < width; o++)
                m->layer[l].weight[dense_place(i, o, width)] = (real)(bound * (2 * random_uniform(stream) - 1));
        for (int o = 0; o < width; o++) m->layer[l].bias[o] = (real)(bound * (2 * random_uniform(stream) - 1));
    }
    const double bound = sqrt(6.0 / (width + 1));
    for (int i = 0; i < width; i++) m->out.weight[i] = (real)(bound * (2 * random_uniform(stream) - 1));
    m->out.bias[0] = (real)(bound * (2 * random_uniform(stream) - 1));
    adam_restart(&m->adam, m->trained);
    m->best = INFINITY;
    m->bad = 0;
}

real *mlp_weights(struct mlp *m, size_t *count)
{
    *count = m->trained + LANES;
    return m->weights;
}

real *mlp_extra(struct mlp *m)
{
    return m->weights + m->trained;
}

const real *mlp_gradients(const struct mlp *m)
{
    return m->gradients;
}

void mlp_predict(real *score, struct mlp *m, const real *x, int rows)
{
    assert(rows <= m->max_batch);
    for (int l = 0; l < m->shape.layers; l++) dense_forward(m->y[l], &m->layer[l], l == 0 ? x : m->y[l - 1], rows, true);
    const real *y = m->y[m->shape.layers - 1];
    for (int r = 0; r < rows; r++) {
        vec sum = {0};
        for (int panel = 0; panel < dense_panels(m->shape.width); panel++)
            for (int c = 0; c < WIDTH; c += LANES)
                sum += vec_load(y + ((size_t)panel * (size_t)rows + (size_t)r) * WIDTH + c) * vec_load(m->out.weight + panel * WIDTH + c);
        score[r] = vec_sum(sum) + m->out.bias[0];
    }
}

/* From dscore to the gradients of the last layer and of what it read. */
static void out_backward(struct mlp *m, real *dy, int rows)
{
    const real *y = m->y[m->shape.layers - 1];
    memset(m->out_gradient.weight, 0, (size_t)dense_panels(m->shape.width) * WIDTH * sizeof(real));
    m->out_gradient.bias[0] = 0;
    for (int r = 0; r < rows; r++) m->out_gradient.bias[0] += m->dscore[r];
    for (int panel = 0; panel < dense_panels(m->shape.width); panel++)
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < WIDTH; c += LANES) {
                const size_t at = ((size_t)panel * (size_t)rows + (size_t)r) * WIDTH + (size_t)c;
                real *dw = m->out_gradient.weight + panel * WIDTH + c;
                vec_store(dw, vec_load(dw) + m->dscore[r] * vec_load(y + at));
                vec_store(dy + at, m->dscore[r] * vec_load(m->out.weight + panel * WIDTH + c));
            }
}

/* Add factor * weight to the gradient; returns the sum of squares. */
static double decay(real *dw, const real *w, size_t count, real factor)
{
    double sum = 0;
    for (size_t i = 0; i < count; i += LANES) {
        const vec v = vec_load(w + i);
        vec_store(dw + i, vec_load(dw + i) + factor * v);
        sum += (double)vec_sum(v * v);
    }
    return sum;
}

real mlp_gradient(struct mlp *m, const real *x, const real *target, int rows)
{
    double loss = 0, squares = 0;
    mlp_predict(m->score, m, x, rows);
    for (int r = 0; r < rows; r++) {
        const real d = m->score[r] - target[r];
        loss += (double)(d * d) / (2 * rows);
        m->dscore[r] = d / (real)rows;
    }
    real *dy = m->d[0], *dx = m->d[1];
    out_backward(m, dy, rows);
    for (int l = m->shape.layers - 1; l >= 0; l--) {
        dense_backward(l == 0 ? NULL : dx, &m->gradient[l], dy, &m->layer[l], l == 0 ? x : m->y[l - 1], m->y[l], rows, m->scratch);
        real *swap = dy;
        dy = dx, dx = swap;
    }
    const real factor = (real)(m->training.decay / rows);
    for (int l = 0; l < m->shape.layers; l++)
        squares += decay(m->gradient[l].weight, m->layer[l].weight, dense_weights(inputs_of(m, l), m->shape.width), factor);
    squares += decay(m->out_gradient.weight, m->out.weight, (size_t)dense_panels(m->shape.width) * WIDTH, factor);
    return (real)(loss + m->training.decay * squares / (2 * rows));
}

real mlp_step(struct mlp *m, const real *x, const real *target, int rows)
{
    const real loss = mlp_gradient(m, x, target, rows);
    adam_update(m->weights, &m->adam, m->gradients, m->trained, m->training.rate);
    return loss;
}

int mlp_is_done(struct mlp *m, double loss)
{
    m->bad = loss > m->best - m->training.tolerance ? m->bad + 1 : 0;
    if (loss < m->best) m->best = loss;
    return m->bad > m->training.patience;
}
