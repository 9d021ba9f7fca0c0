/* The float32 kernels as they run in production: against the plain loops in double of reference.h, and what the program's
 * reproducibility stands on: a row of a product, and the score of a cell, never depend on what else is in the call. */
#include "fixture.h"

#include "aggregate.h"
#include "attention.h"
#include "head.h"
#include "matmul.h"
#include "reference.h"
#include "siamese.h"

#include <float.h>
#include <string.h>

enum { ROWS_MAX = 23, OPERATIONS = 5 };

static struct random_stream stream;

static real *array(int rows, int columns, double scale)
{
    return fixture_reals((size_t)rows * (size_t)columns, scale, &stream);
}

/* Units in the last place of a float near `exact`. */
static double ulps(float got, double exact)
{
    int exponent;
    frexp(exact, &exponent);
    return fabs((double)got - exact) / ldexp(FLT_EPSILON, exponent - 1);
}

/* ---- vectors ---------------------------------------------------------------------------------------------------- */
static void test_exp(void **state)
{
    (void)state;
    double worst = 0;
    for (double x = -87; x <= 88; x += LANES / 4096.0) {
        vec in, out;
        for (int i = 0; i < LANES; i++) in[i] = (float)fmin(x + i / 4096.0, 88);
        out = vec_exp(in);
        for (int i = 0; i < LANES; i++) worst = fmax(worst, ulps(out[i], exp((double)in[i])));
    }
    assert_true(worst <= 2);
    assert_true(vec_exp(vec_all(0))[0] == 1);
    /* outside: the value at the nearer end, finite and not a denormal */
    const float low[] = {-87.5f, -100, -1e30f, -INFINITY}, high[] = {88.5f, 100, 1e30f, INFINITY};
    for (int i = 0; i < 4; i++) {
        assert_true(vec_exp(vec_all(low[i]))[LANES - 1] == vec_exp(vec_all(-87))[0]);
        assert_true(vec_exp(vec_all(high[i]))[LANES - 1] == vec_exp(vec_all(88))[0]);
    }
    assert_true(vec_exp(vec_all(-87))[0] >= FLT_MIN && vec_exp(vec_all(88))[0] < INFINITY);
}

static double mish_slope(double x)
{
    double t = tanh(log1p(exp(x))), sigmoid = 1 / (1 + exp(-x));
    return t + x * sigmoid * (1 - t) * (1 + t);
}

/* Error of at most 8 units in the last place of mish itself: exp is good to 2, and four roundings follow. */
static void expect_mish(float x)
{
    double exact = reference_mish((double)x), tolerance = 8 * FLT_EPSILON * fabs(exact);
    if (x < -87) tolerance = 2 * FLT_MIN * fabs((double)x); /* e^-87 stands for what is smaller */
    vec slope, both = vec_mish_slope(vec_all(x), &slope);
    float alone = vec_mish(vec_all(x))[LANES - 1];
    if (!(fabs((double)alone - exact) <= tolerance) || !(fabs((double)both[0] - exact) <= tolerance)) {
        print_error("mish(%.9g) is %.9g and, with the slope, %.9g; %.9g is expected\n", (double)x, (double)alone,
                    (double)both[0], exact);
        fail();
    }
    if (fabsf(x) > 1e6f) return; /* the slope's cancellation is good up to sizes that no normalised value has */
    if (!(fabs((double)slope[LANES - 1] - mish_slope((double)x)) <= 8 * FLT_EPSILON)) {
        print_error("mish'(%.9g) is %.9g, %.9g is expected\n", (double)x, (double)slope[LANES - 1], mish_slope((double)x));
        fail();
    }
}

static void test_mish(void **state)
{
    (void)state;
    for (double x = -87; x <= 40; x += 1 / 512.0) expect_mish((float)x);
    const float extremes[] = {-1e30f, -1e6f, -100, -88,     -87, -1e-30f, 0,   1e-30f, 19.999f,
                              20,     20.001f, 87, 88,      89,  100,     1e6f, 1e30f};
    for (size_t i = 0; i < sizeof extremes / sizeof *extremes; i++) expect_mish(extremes[i]);
    /* a NaN is not lost: it reaches the loss */
    vec mixed = vec_all(1), slope;
    mixed[1] = NAN;
    assert_true(isnan(vec_mish(mixed)[1]) && !isnan(vec_mish(mixed)[0]));
    assert_true(isnan(vec_mish_slope(mixed, &slope)[1]) && isnan(slope[1]) && !isnan(slope[0]));
}

static void test_vectors(void **state)
{
    (void)state;
    for (int round = 0; round < 100; round++) {
        const uint32_t bits = round == 0 ? 0 : round == 1 ? UINT32_MAX : random_bits(&stream);
        for (int first = 0; first < 32; first += LANES)
            for (int i = 0; i < LANES; i++) assert_int_equal(vec_mask(bits, first)[i], bits >> (first + i) & 1 ? -1 : 0);
    }
    const real *a = array(1, LANES, 1), *b = array(1, LANES, 1);
    vec va = vec_load(a), vb = vec_load(b), small = vec_min(va, vb), large = vec_max(va, vb);
    vec mixed = vec_select(vec_mask(5, 0), va, vb);
    double sum = 0;
    for (int i = 0; i < LANES; i++) {
        sum += (double)a[i];
        assert_true(small[i] == fminf(a[i], b[i]) && large[i] == fmaxf(a[i], b[i]));
        assert_true(mixed[i] == (i == 0 || i == 2 ? a[i] : b[i]));
    }
    assert_true(fabs((double)vec_sum(va) - sum) <= LANES * (double)FLT_EPSILON);
    fixture_release();
}

/* ---- products --------------------------------------------------------------------------------------------------- */
/* Rounding: `depth` products and as many sums, each off by half a unit at most, so depth epsilon sum |x w| bounds them. */
static void expect_product(const char *what, const real *y, struct matrix x, struct matrix w, struct matrix before)
{
    for (int i = 0; i < x.rows; i++)
        for (int j = 0; j < w.columns; j++) {
            double exact = *reference_at(before, i, j), size = fabs(exact);
            for (int k = 0; k < x.columns; k++) {
                double term = *reference_at(x, i, k) * *reference_at(w, k, j);
                exact += term;
                size += fabs(term);
            }
            if (!(fabs((double)y[i * w.columns + j] - exact) <= (x.columns + 1) * FLT_EPSILON * size)) {
                print_error("%s: %d rows, depth %d: y[%d][%d] is %.9g, %.9g is expected\n", what, x.rows, x.columns, i, j,
                            (double)y[i * w.columns + j], exact);
                fail();
            }
        }
}

static void test_matmul(void **state)
{
    (void)state;
    const int depths[] = {1, 3, 7, 64, 80};
    for (int d = 0; d < 5; d++) {
        const int depth = depths[d];
        for (int rows = 1; rows <= ROWS_MAX; rows++) {
            const real *x = array(rows, depth, 1), *w = array(depth, WIDTH, 1);
            struct matrix rx = reference_copy(x, rows, depth), rw = reference_copy(w, depth, WIDTH);
            real *y = array(rows + 1, WIDTH, 9), *guard = array(1, WIDTH, 1);
            memcpy(y + rows * WIDTH, guard, WIDTH * sizeof(real)); /* the row behind the last one stays untouched */
            matmul(y, x, w, rows, depth, depth, 1, false);
            expect_product("plain", y, rx, rw, reference_matrix(rows, WIDTH));
            struct matrix before = reference_copy(y, rows, WIDTH);
            matmul(y, x, w, rows, depth, depth, 1, true);
            expect_product("adding", y, rx, rw, before);

            const int leading = rows + 3; /* x transposed: a column of a wider matrix */
            real *across = array(depth, leading, 9);
            for (int i = 0; i < rows; i++)
                for (int k = 0; k < depth; k++) across[k * leading + i] = x[i * depth + k];
            matmul(y, across, w, rows, depth, 1, leading, false);
            expect_product("transposed", y, rx, rw, reference_matrix(rows, WIDTH));
            before = reference_copy(y, rows, WIDTH);
            matmul(y, across, w, rows, depth, 1, leading, true);
            expect_product("transposed, adding", y, rx, rw, before);
            assert_memory_equal(y + rows * WIDTH, guard, WIDTH * sizeof(real));

            for (int columns = LANES; columns <= 2 * LANES; columns += LANES) {
                const real *narrow = array(depth, columns, 1);
                matmul_narrow(y, x, narrow, rows, depth, columns, depth);
                expect_product("narrow", y, rx, reference_copy(narrow, depth, columns), reference_matrix(rows, columns));
            }
        }
        fixture_release();
    }
}

static void test_rows_alone(void **state)
{
    (void)state;
    const int depth = WIDTH;
    const real *x = array(ROWS_MAX, depth, 1), *w = array(depth, WIDTH, 1), *narrow = array(depth, LANES, 1);
    real *all = array(ROWS_MAX, WIDTH, 9), *some = array(ROWS_MAX, WIDTH, 9);
    for (int rows = 1; rows <= ROWS_MAX; rows++)
        for (int first = 0; first + rows <= ROWS_MAX; first++) {
            matmul(all, x, w, ROWS_MAX, depth, depth, 1, false);
            matmul(some, x + first * depth, w, rows, depth, depth, 1, false);
            assert_memory_equal(some, all + first * WIDTH, (size_t)rows * WIDTH * sizeof(real));
            matmul(all, x, w, ROWS_MAX, depth, depth, 1, true);
            matmul(some, x + first * depth, w, rows, depth, depth, 1, true);
            assert_memory_equal(some, all + first * WIDTH, (size_t)rows * WIDTH * sizeof(real));
            matmul_narrow(all, x, narrow, ROWS_MAX, depth, LANES, depth);
            matmul_narrow(some, x + first * depth, narrow, rows, depth, LANES, depth);
            assert_memory_equal(some, all + first * LANES, (size_t)rows * LANES * sizeof(real));
        }
    fixture_release();
}

static void test_transpose(void **state)
{
    (void)state;
    for (int rows = 1; rows <= WIDTH; rows++) {
        const int step = (rows + LANES - 1) / LANES * LANES;
        const real *a = array(rows, WIDTH, 1);
        real *t = array(WIDTH, step, 9);
        matmul_transpose(t, a, rows, step);
        for (int j = 0; j < WIDTH; j++)
            for (int i = 0; i < step; i++) assert_true(t[j * step + i] == (i < rows ? a[i * WIDTH + j] : 0));
        fixture_release();
    }
}

/* ---- layers ----------------------------------------------------------------------------------------------------- */
/* Scores of the attention are sums of 64 products of size up to 0.36: off by about 64 x 2e-6 at most, which is also the
 * relative error of the weights, and rounding errors mostly cancel. */
static void test_attention(void **state)
{
    (void)state;
    const int node_counts[] = {1, 2, 7, 10, 16, 17, 32}, count = 5;
    for (int n = 0; n < 7; n++) {
        const int nodes = node_counts[n], rows = count * nodes, columns = attention_columns(nodes);
        struct cells cells = fixture_cells(count, nodes, OPERATIONS, &stream);
        struct attention_cache cache = {{array(rows, columns, 9), array(rows, columns, 9)}};
        struct attention_scratch scratch = {array(WIDTH, columns, 9), array(nodes, columns, 9), array(nodes, columns, 9)};
        const real *x = array(rows, WIDTH, 1), *v = array(rows, WIDTH, 1);
        real *y = array(rows, WIDTH, 9), *q = array(rows, WIDTH, 0.6), *k = array(rows, WIDTH, 0.6);
        struct matrix rx = reference_copy(x, rows, WIDTH), rv = reference_copy(v, rows, WIDTH);
        struct matrix rq = reference_copy(q, rows, WIDTH), rk = reference_copy(k, rows, WIDTH);
        attention_forward(y, &cache, x, q, k, v, &cells, &scratch);
        reference_expect("attention", y, reference_attention(rx, rq, rk, rv, &cells), 1e-5);
        /* scores beyond the range of exp in both directions, also in rows where every node is a successor: about +-640, off
         * by 640 x 1e-6 */
        for (int sign = -1; sign <= 1; sign += 2) {
            q = array(rows, WIDTH, 0.1);
            k = array(rows, WIDTH, 0.1);
            for (int i = 0; i < rows * WIDTH; i++) q[i] += 2, k[i] = (real)sign * (5 + k[i]);
            rq = reference_copy(q, rows, WIDTH);
            rk = reference_copy(k, rows, WIDTH);
            attention_forward(y, &cache, x, q, k, v, &cells, &scratch);
            reference_expect("extreme scores", y, reference_attention(rx, rq, rk, rv, &cells), 2e-3);
        }
        fixture_release();
    }
}

static void test_head(void **state)
{
    (void)state;
    const int nodes = 7, count = 3;
    const struct cells cells = {count, nodes, NULL, {NULL, NULL}};
    const real *x = array(count * nodes, WIDTH, 2);
    const double biases[] = {0.3, -200, 200}; /* saturated, but a number */
    for (int i = 0; i < 3; i++) {
        real bias = (real)biases[i];
        const struct head p = {array(1, nodes, 1), &bias};
        struct matrix expected = reference_matrix(1, count);
        real score[3], pooled[3 * 7];
        head_forward(score, pooled, &p, x, count, nodes);
        reference_head(expected.v, reference_copy(x, count * nodes, WIDTH), &p, &cells);
        reference_expect("score", score, expected, 2e-6);
    }
    fixture_release();
}

/* ---- the whole network ------------------------------------------------------------------------------------------ */
static struct siamese *network(const struct siamese_shape *shape)
{
    const struct siamese_training training = {.huber_delta = 0.5, .norm_momentum = 0.5, .norm_epsilon = 1e-4,
                                              .adam_beta1 = 0.9, .adam_beta2 = 0.999, .adam_epsilon = 1e-7};
    struct siamese *s;
    assert_int_equal(siamese_create(&s, shape, &training, 8), STATUS_OK);
    siamese_initialise(s, &stream);
    const real *code = array(8, shape->code_length + 1, 2), *target = array(1, 8, 1);
    for (int step = 0; step < 20; step++) { /* away from the initial weights and statistics */
        struct cells batch = fixture_cells(8, shape->nodes, shape->operations, &stream);
        siamese_step(s, &batch, code, target, 1e-2);
    }
    siamese_fold(s);
    return s;
}

static void test_network(void **state)
{
    (void)state;
    const int node_counts[] = {1, 7, 10, 17, 32}, count = 11;
    for (int n = 0; n < 5; n++)
        for (int kind = 0; kind < 4; kind++) {
            const struct siamese_shape shape = {node_counts[n], OPERATIONS, kind == 0 ? 0 : 3, kind >= 2, kind == 3, false, false};
            struct siamese *s = network(&shape);
            struct cells cells = fixture_cells(count, shape.nodes, OPERATIONS, &stream);
            const real *code = array(count, shape.code_length + 1, 2);
            struct matrix basic = reference_matrix(1, count), estimation = reference_matrix(1, count);
            real *score = array(1, count, 9);
            reference_network(basic.v, estimation.v, siamese_parameters(s), &shape, &cells, code, false, 1e-4);
            siamese_score(score, s, &cells, NULL); /* in [0, 1], behind some ten layers: 16 units of float */
            reference_expect("basic branch", score, basic, 2e-6);
            if (kind > 0) {
                siamese_score(score, s, &cells, code);
                reference_expect("estimation branch", score, estimation, 2e-6);
            }
            siamese_destroy(&s);
            fixture_release();
        }
}

/* Score some cells of a batch in the order `place`, and expect the bits that they have in the whole batch. */
static void expect_same_scores(struct siamese *s, const struct cells *all, const real *code, const real *expected,
                               const int *place, int n)
{
    const int V = all->nodes, E = siamese_shape(s)->code_length;
    uint8_t *operation = fixture_take((size_t)(n * V), 1);
    const uint32_t **mask[2] = {fixture_take((size_t)n, sizeof(uint32_t *)), fixture_take((size_t)n, sizeof(uint32_t *))};
    real *some_code = fixture_zeros((size_t)(n * (E + 1))), *score = fixture_zeros((size_t)n);
    for (int i = 0; i < n; i++) {
        memcpy(operation + i * V, all->operation + place[i] * V, (size_t)V);
        for (int d = 0; d < 2; d++) mask[d][i] = all->mask[d][place[i]];
        if (code != NULL) memcpy(some_code + i * E, code + place[i] * E, (size_t)E * sizeof(real));
    }
    const struct cells some = {n, V, operation, {mask[0], mask[1]}};
    siamese_score(score, s, &some, code == NULL ? NULL : some_code);
    for (int i = 0; i < n; i++) assert_memory_equal(&score[i], &expected[place[i]], sizeof(real));
}

static void test_cells_alone(void **state)
{
    (void)state;
    enum { COUNT = 19 };
    const int node_counts[] = {7, 10, 17};
    for (int n = 0; n < 3; n++)
        for (int nsam = 0; nsam < 2; nsam++) {
            const struct siamese_shape shape = {node_counts[n], OPERATIONS, 3, nsam, nsam, false, false};
            struct siamese *s = network(&shape);
            struct cells cells = fixture_cells(COUNT, shape.nodes, OPERATIONS, &stream);
            const real *codes = array(COUNT, 3, 2);
            for (int branch = 0; branch < 2; branch++) {
                const real *code = branch == 0 ? NULL : codes;
                real *expected = fixture_zeros(COUNT);
                int place[COUNT];
                siamese_score(expected, s, &cells, code);
                for (int i = 0; i < COUNT; i++) { /* alone; behind others; in front of others */
                    expect_same_scores(s, &cells, code, expected, &i, 1);
                    for (int k = i; k < COUNT; k++) place[k - i] = COUNT - 1 - k + i;
                    expect_same_scores(s, &cells, code, expected, place, COUNT - i);
                    for (int k = 0; k < COUNT; k++) place[k] = (int)random_below(&stream, COUNT);
                    expect_same_scores(s, &cells, code, expected, place, COUNT);
                }
            }
            siamese_destroy(&s);
            fixture_release();
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exp), cmocka_unit_test(test_mish), cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_matmul), cmocka_unit_test(test_rows_alone), cmocka_unit_test(test_transpose),
        cmocka_unit_test(test_attention), cmocka_unit_test(test_head), cmocka_unit_test(test_network),
        cmocka_unit_test(test_cells_alone),
    };
    random_open(&stream, 2, 0, 0, RANDOM_TEST);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
