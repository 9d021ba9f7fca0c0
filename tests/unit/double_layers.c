/* Each layer alone in float64: its forward pass against the plain loops of reference.h, its backward pass against central
 * differences of L = sum(dy o y). Node counts on both sides of one and of several vectors. Attention: double_attention.c. */
#include "fixture.h"

#include "aggregate.h"
#include "gradient.h"
#include "head.h"
#include "matmul.h"
#include "reference.h"

#include <string.h>

enum { CELLS = 4, OPERATIONS = 5 };
static const double EXACT = 1e-12, EPSILON = 1e-4, DIFFERENCE = 1e-6;
static const int node_counts[] = {1, 2, 7, 10, 17, 32};

/* One layer at work: what its scalar function reads. Unused members stay 0. */
struct layer {
    struct cells cells;
    int rows;
    real *x, *y, *dy;                  /* [rows][WIDTH] */
    struct graph_conv p;
    struct graph_conv_cache cache;
    struct graph_conv_scratch scratch;
    struct head head;
    real *pooled, *score, *target;
    real delta;
};

static struct random_stream stream;

static real *array(int rows, int columns, double scale)
{
    return fixture_reals((size_t)rows * (size_t)columns, scale, &stream);
}

static struct layer layer_create(int nodes)
{
    struct layer t = {.cells = fixture_cells(CELLS, nodes, OPERATIONS, &stream), .rows = CELLS * nodes};
    t.x = array(t.rows, WIDTH, 1);
    t.dy = array(t.rows, WIDTH, 1);
    t.y = array(t.rows, WIDTH, 9); /* what stands there before must not matter */
    return t;
}

static struct norm norm_create(void)
{
    struct norm n = {array(1, WIDTH, 1), array(1, WIDTH, 1), array(1, WIDTH, 1), array(1, WIDTH, 1)};
    for (int i = 0; i < WIDTH; i++) n.variance[i] += 2;
    return n;
}

static struct norm_cache norm_cache_create(int rows)
{
    return (struct norm_cache){array(rows, WIDTH, 9), array(rows, WIDTH, 9), array(1, WIDTH, 9)};
}

static double dot(const struct layer *t)
{
    double sum = 0;
    for (int i = 0; i < t->rows * WIDTH; i++) sum += (double)t->dy[i] * (double)t->y[i];
    return sum;
}

/* ---- affine ----------------------------------------------------------------------------------------------------- */
static double affine(void *argument)
{
    struct layer *t = argument;
    matmul(t->y, t->x, t->p.weight[0], t->rows, WIDTH, WIDTH, 1, false);
    return dot(t);
}

static void test_affine(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof node_counts / sizeof *node_counts; n++) {
        struct layer t = layer_create(node_counts[n]);
        t.p.weight[0] = array(WIDTH, WIDTH, 1);
        affine(&t);
        struct matrix x = reference_copy(t.x, t.rows, WIDTH), w = reference_copy(t.p.weight[0], WIDTH, WIDTH);
        reference_expect("y", t.y, reference_product(x, w), EXACT);
        real *dw = array(WIDTH, WIDTH, 9), *dx = array(t.rows, WIDTH, 9), *transposed = array(WIDTH, WIDTH, 9);
        matmul(dw, t.x, t.dy, WIDTH, t.rows, 1, WIDTH, false);
        matmul_transpose(transposed, t.p.weight[0], WIDTH, WIDTH);
        matmul(dx, t.dy, transposed, t.rows, WIDTH, WIDTH, 1, false);
        gradient_check("dw", affine, &t, t.p.weight[0], dw, WIDTH * WIDTH, 37, DIFFERENCE);
        gradient_check("dx", affine, &t, t.x, dx, (size_t)t.rows * WIDTH, 37, DIFFERENCE);
        fixture_release();
    }
}

/* ---- aggregation ------------------------------------------------------------------------------------------------ */
static double one_hot(void *argument)
{
    struct layer *t = argument;
    aggregate_one_hot(t->y, t->p.weight[0], t->cells.operation, t->cells.mask[0], CELLS, t->cells.nodes);
    return dot(t);
}

static double dense(void *argument)
{
    struct layer *t = argument;
    aggregate(t->y, t->x, t->cells.mask[0], CELLS, t->cells.nodes);
    return dot(t);
}

static void test_aggregate(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof node_counts / sizeof *node_counts; n++) {
        struct layer t = layer_create(node_counts[n]);
        for (int d = 0; d < 2; d++) {
            aggregate(t.y, t.x, t.cells.mask[d], CELLS, t.cells.nodes);
            reference_expect("A x", t.y, reference_aggregate(reference_copy(t.x, t.rows, WIDTH), &t.cells, d == 1), EXACT);
        }
        t.p.weight[0] = array(OPERATIONS, WIDTH, 1);
        one_hot(&t);
        struct matrix x = reference_one_hot(&t.cells, OPERATIONS), w = reference_copy(t.p.weight[0], OPERATIONS, WIDTH);
        reference_expect("one-hot", t.y, reference_aggregate(reference_product(x, w), &t.cells, false), EXACT);

        real *dx = array(t.rows, WIDTH, 9), *dw = array(OPERATIONS, WIDTH, 1), *before = fixture_zeros(OPERATIONS * WIDTH);
        memcpy(before, dw, OPERATIONS * WIDTH * sizeof *dw);
        aggregate(dx, t.dy, t.cells.mask[1], CELLS, t.cells.nodes);
        gradient_check("dx", dense, &t, t.x, dx, (size_t)t.rows * WIDTH, 37, DIFFERENCE);
        aggregate_one_hot_backward(dw, dx, t.cells.operation, t.rows);
        for (int i = 0; i < OPERATIONS * WIDTH; i++) dw[i] -= before[i]; /* it adds */
        gradient_check("dw", one_hot, &t, t.p.weight[0], dw, OPERATIONS * WIDTH, 1, DIFFERENCE);
        fixture_release();
    }
}

/* ---- batch normalisation and mish ------------------------------------------------------------------------------- */
static double norm(void *argument)
{
    struct layer *t = argument;
    struct norm_cache *cache = &t->cache.norm[0];
    memcpy(cache->normal, t->x, sizeof(real) * (size_t)t->rows * WIDTH);
    norm_forward(t->y, cache, &t->p.norm[0], NULL, t->rows, 0.5, false, 1, EPSILON);
    return dot(t);
}

static void test_norm(void **state)
{
    (void)state;
    const int rows[] = {1, 2, 7, 80};
    for (int n = 0; n < 4; n++) {
        struct layer t = {.rows = rows[n]};
        t.x = array(t.rows, WIDTH, 1);
        t.y = array(t.rows, WIDTH, 9);
        t.dy = array(t.rows, WIDTH, 1);
        t.p.norm[0] = norm_create();
        t.cache.norm[0] = norm_cache_create(t.rows);
        norm(&t);
        double *mean = fixture_take(WIDTH, sizeof *mean), *variance = fixture_take(WIDTH, sizeof *variance);
        struct matrix x = reference_copy(t.x, t.rows, WIDTH);
        struct matrix m = reference_norm(x, &t.p.norm[0], true, EPSILON, mean, variance);
        reference_expect("training", t.y, reference_sum(reference_matrix(t.rows, WIDTH), 0.5, m), EXACT);

        /* adding to what is there, with running statistics and a bias that was left out of z */
        const struct norm old = t.p.norm[0], *p = &t.p.norm[0];
        struct matrix before = reference_copy(t.y, t.rows, WIDTH), running[2];
        real *bias = array(1, WIDTH, 1);
        running[0] = reference_copy(old.mean, 1, WIDTH);
        running[1] = reference_copy(old.variance, 1, WIDTH);
        memcpy(t.cache.norm[0].normal, t.x, sizeof(real) * (size_t)t.rows * WIDTH);
        norm_forward(t.y, &t.cache.norm[0], p, bias, t.rows, 2, true, 0.75, EPSILON);
        reference_expect("adding", t.y, reference_sum(before, 2, m), EXACT);
        for (int i = 0; i < WIDTH; i++) {
            running[0].v[i] = 0.75 * running[0].v[i] + 0.25 * (mean[i] + (double)bias[i]);
            running[1].v[i] = 0.75 * running[1].v[i] + 0.25 * variance[i];
        }
        reference_expect("running mean", p->mean, running[0], EXACT);
        reference_expect("running variance", p->variance, running[1], EXACT);

        norm(&t);
        struct norm d = {array(1, WIDTH, 9), array(1, WIDTH, 9), NULL, NULL};
        real *dz = array(t.rows, WIDTH, 9);
        norm_backward(dz, &d, t.dy, &t.cache.norm[0], p, t.rows, 0.5);
        gradient_check("dz", norm, &t, t.x, dz, (size_t)t.rows * WIDTH, 7, DIFFERENCE);
        gradient_check("dgamma", norm, &t, p->gamma, d.gamma, WIDTH, 1, DIFFERENCE);
        gradient_check("dbeta", norm, &t, p->beta, d.beta, WIDTH, 1, DIFFERENCE);

        /* at inference */
        real *scale = array(1, WIDTH, 9), *shift = array(1, WIDTH, 9);
        norm_fold(scale, shift, p, bias, EPSILON);
        struct matrix z = reference_matrix(t.rows, WIDTH);
        for (int i = 0; i < t.rows * WIDTH; i++) {
            z.v[i] = (double)t.x[i] + (double)bias[i % WIDTH];
            t.y[i] = (real)reference_mish((double)(scale[i % WIDTH] * t.x[i] + shift[i % WIDTH]));
        }
        reference_expect("inference", t.y, reference_norm(z, p, false, EPSILON, NULL, NULL), EXACT);
        fixture_release();
    }
}

/* ---- graph convolution group ------------------------------------------------------------------------------------ */
static double group(void *argument)
{
    struct layer *t = argument;
    graph_conv_forward(t->y, &t->cache, &t->p, t->x, &t->cells, &t->scratch, 1, EPSILON);
    return dot(t);
}

static void check_group(int nodes, bool one_hot_input)
{
    struct layer t = layer_create(nodes);
    const int inputs = one_hot_input ? OPERATIONS : WIDTH;
    struct matrix x = one_hot_input ? reference_one_hot(&t.cells, OPERATIONS) : reference_copy(t.x, t.rows, WIDTH);
    if (one_hot_input) t.x = NULL;
    struct graph_conv d = {0};
    struct graph_conv_folded folded;
    for (int side = 0; side < 2; side++) {
        t.p.weight[side] = array(inputs, WIDTH, 0.5);
        t.p.bias[side] = array(1, WIDTH, 1);
        t.p.norm[side] = norm_create();
        t.cache.norm[side] = norm_cache_create(t.rows);
        d.weight[side] = array(inputs, WIDTH, 9);
        d.norm[side] = (struct norm){array(1, WIDTH, 9), array(1, WIDTH, 9), NULL, NULL};
        folded.weight[side] = array(inputs, WIDTH, 9);
        folded.shift[side] = array(1, WIDTH, 9);
    }
    t.scratch = (struct graph_conv_scratch){array(t.rows, WIDTH, 9), array(t.rows, WIDTH, 9), array(WIDTH, WIDTH, 9)};

    graph_conv_fold(&folded, &t.p, inputs, EPSILON);
    graph_conv_infer(t.y, &folded, t.x, &t.cells, t.scratch.a);
    reference_expect("inference", t.y, reference_group(x, &t.p, &t.cells, false, EPSILON), EXACT);
    group(&t);
    reference_expect("training", t.y, reference_group(x, &t.p, &t.cells, true, EPSILON), EXACT);

    const size_t size = (size_t)t.rows * WIDTH;
    real *dx = array(t.rows, WIDTH, 1), *before = fixture_zeros(size);
    memcpy(before, dx, size * sizeof *dx);
    graph_conv_backward(one_hot_input ? NULL : dx, &d, t.dy, &t.cache, &t.p, t.x, &t.cells, inputs, &t.scratch);
    for (int side = 0; side < 2; side++) {
        gradient_check("dw", group, &t, t.p.weight[side], d.weight[side], (size_t)inputs * WIDTH, one_hot_input ? 1 : 101,
                       DIFFERENCE);
        gradient_check("dgamma", group, &t, t.p.norm[side].gamma, d.norm[side].gamma, WIDTH, 3, DIFFERENCE);
        gradient_check("dbeta", group, &t, t.p.norm[side].beta, d.norm[side].beta, WIDTH, 3, DIFFERENCE);
    }
    for (size_t i = 0; i < size; i++) dx[i] -= before[i]; /* it adds */
    if (!one_hot_input) gradient_check("dx", group, &t, t.x, dx, size, 101, DIFFERENCE);
    fixture_release();
}

static void test_group(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof node_counts / sizeof *node_counts; n++) {
        check_group(node_counts[n], true);
        check_group(node_counts[n], false);
    }
}

/* ---- head and loss ---------------------------------------------------------------------------------------------- */
static double head(void *argument)
{
    struct layer *t = argument;
    double sum = 0;
    head_forward(t->score, t->pooled, &t->head, t->x, CELLS, t->cells.nodes);
    for (int b = 0; b < CELLS; b++) sum += (double)t->dy[b] * (double)t->score[b];
    return sum;
}

static void test_head(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof node_counts / sizeof *node_counts; n++) {
        const int nodes = node_counts[n];
        struct layer t = layer_create(nodes);
        t.head = (struct head){array(1, nodes, 3), array(1, 1, 1)};
        t.pooled = array(1, t.rows, 9);
        t.score = array(1, CELLS, 9);
        head(&t);
        struct matrix expected = reference_matrix(1, CELLS);
        reference_head(expected.v, reference_copy(t.x, t.rows, WIDTH), &t.head, &t.cells);
        reference_expect("score", t.score, expected, EXACT);

        struct head d = {fixture_zeros((size_t)nodes), fixture_zeros(1)};
        real *dx = array(t.rows, WIDTH, 9);
        for (int twice = 0; twice < 2; twice++) head_backward(dx, &d, t.dy, t.score, t.pooled, &t.head, CELLS, nodes);
        for (int i = 0; i < nodes; i++) d.weight[i] /= 2; /* it adds to these, and overwrites dx */
        d.bias[0] /= 2;
        gradient_check("dx", head, &t, t.x, dx, (size_t)t.rows * WIDTH, 7, DIFFERENCE);
        gradient_check("dweight", head, &t, t.head.weight, d.weight, (size_t)nodes, 1, DIFFERENCE);
        gradient_check("dbias", head, &t, t.head.bias, d.bias, 1, 1, DIFFERENCE);
        fixture_release();
    }
}

static double head_without_sigmoid(void *argument)
{
    struct layer *t = argument;
    double sum = 0;
    head_linear(t->score, t->pooled, &t->head, t->x, CELLS, t->cells.nodes);
    for (int b = 0; b < CELLS; b++) sum += (double)t->dy[b] * (double)t->score[b];
    return sum;
}

static void test_linear_head(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof node_counts / sizeof *node_counts; n++) {
        const int nodes = node_counts[n];
        struct layer t = layer_create(nodes);
        t.head = (struct head){array(1, nodes, 3), array(1, 1, 1)};
        t.pooled = array(1, t.rows, 9);
        t.score = array(1, CELLS, 9);
        real sigmoid[CELLS];
        head_forward(sigmoid, t.pooled, &t.head, t.x, CELLS, nodes);
        head_without_sigmoid(&t);
        for (int b = 0; b < CELLS; b++) assert_true(fabs((double)(sigmoid[b] - 1 / (1 + exp(-t.score[b])))) < EXACT);

        struct head d = {fixture_zeros((size_t)nodes), fixture_zeros(1)};
        real *dx = array(t.rows, WIDTH, 9);
        head_linear_backward(dx, &d, t.dy, t.pooled, &t.head, CELLS, nodes);
        gradient_check("dx", head_without_sigmoid, &t, t.x, dx, (size_t)t.rows * WIDTH, 7, DIFFERENCE);
        gradient_check("dweight", head_without_sigmoid, &t, t.head.weight, d.weight, (size_t)nodes, 1, DIFFERENCE);
        gradient_check("dbias", head_without_sigmoid, &t, t.head.bias, d.bias, 1, 1, DIFFERENCE);
        fixture_release();
    }
}

static double loss(void *argument)
{
    struct layer *t = argument;
    real ignored[CELLS];
    return (double)huber_loss(ignored, t->score, t->target, CELLS, t->delta);
}

static void test_loss(void **state)
{
    (void)state;
    static const double deltas[] = {0.5, 0.2, 2};
    real score[CELLS] = {0.9, 0.1, 0.45, 0.2}, target[CELLS] = {0.05, 0.95, 0.5, 0.1}, dscore[CELLS];
    for (int i = 0; i < 3; i++) { /* d = 0.85 and -0.85 on the far sides, 0.05 and -0.1 inside */
        struct layer t = {.score = score, .target = target, .delta = (real)deltas[i]};
        double expected[CELLS];
        for (int b = 0; b < CELLS; b++) expected[b] = (double)score[b];
        double value = (double)huber_loss(dscore, score, target, CELLS, t.delta);
        assert_true(fabs(value - reference_loss(expected, target, CELLS, deltas[i])) < EXACT);
        gradient_check("dscore", loss, &t, score, dscore, CELLS, 1, 1e-8);
    }
    /* method.md: 0.5 d^2 for |d| < 0.5, else 0.5 (|d| - 0.25) */
    const real one = 1, here[] = {0.75, 0.5, 0.25}, value[] = {0.03125, 0.125, 0.25}, slope[] = {-0.25, -0.5, -0.5};
    for (int i = 0; i < 3; i++) {
        assert_true(fabs((double)(huber_loss(dscore, &here[i], &one, 1, 0.5) - value[i])) < EXACT);
        assert_true(fabs((double)(dscore[0] - slope[i])) < EXACT);
    }
}

static double pairs(void *argument)
{
    struct layer *t = argument;
    real ignored[CELLS];
    return (double)rank_loss(ignored, t->score, t->target, CELLS);
}

static void test_rank_loss(void **state)
{
    (void)state;
    struct layer t = {.score = array(1, CELLS, 3), .target = array(1, CELLS, 1)};
    real d[CELLS];
    rank_loss(d, t.score, t.target, CELLS);
    gradient_check("dvalue", pairs, &t, t.score, d, CELLS, 1, DIFFERENCE);

    /* by hand: pairs in and out of order; equal targets make none; values far apart stay finite */
    const real value[] = {2, 1, 1, -1}, target[] = {(real)0.9, (real)0.5, (real)0.5, (real)0.95};
    const double right = 1 / (1 + exp(1.0)), expected = (2 * log1p(exp(-1.0)) + log1p(exp(3.0)) + 2 * log1p(exp(2.0))) / 5;
    assert_true(fabs((double)rank_loss(d, value, target, 4) - expected) < EXACT);
    assert_true(fabs((double)d[0] - (-2 * right + 1 / (1 + exp(-3.0))) / 5) < EXACT);
    assert_true(fabs((double)d[1] - (right + 1 / (1 + exp(-2.0))) / 5) < EXACT);
    assert_true(fabs((double)(d[0] + d[1] + d[2] + d[3])) < EXACT);
    assert_true(rank_loss(d, value, (real[]){1, 1, 1, 1}, 4) == 0 && d[0] == 0 && d[3] == 0);
    assert_true(fabs((double)rank_loss(d, (real[]){-1000, 1000}, (real[]){1, 0}, 2) - 2000) < EXACT && d[0] == -1 && d[1] == 1);
    assert_true(rank_loss(d, (real[]){1000, -1000}, (real[]){1, 0}, 2) == 0 && d[0] == 0);
    fixture_release();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_affine), cmocka_unit_test(test_aggregate), cmocka_unit_test(test_norm),
        cmocka_unit_test(test_group), cmocka_unit_test(test_head), cmocka_unit_test(test_linear_head), cmocka_unit_test(test_rank_loss),
        cmocka_unit_test(test_loss),
    };
    random_open(&stream, 1, 0, 0, RANDOM_TEST);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
