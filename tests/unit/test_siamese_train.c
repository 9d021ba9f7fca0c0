/* Training as a whole: Adam by hand, the loss goes down, the same seed gives the same bits, running statistics. */
#include "fixture.h"

#include "adam.h"
#include "reference.h"
#include "siamese.h"

#include <string.h>

enum { POOL = 32, BATCH = 8, NODES = 5, OPERATIONS = 4, CODE = 3 };

/* ---- Adam ------------------------------------------------------------------------------------------------------- */
/* Three weights with their own gradients over four steps, worked out from the definition; the last one's gradients are so
 * small that epsilon counts. 0.999 as a float makes a relative difference of 7e-6 to each step of up to 0.1. */
static const double adam_gradient[3][4] = {{0.5, -0.25, 0.125, 0}, {-3, -3, 6, -1}, {1e-8, 1e-8, 1e-8, 1e-8}};
static const double adam_rate[4] = {0.1, 0.1, 0.1, 0.05};
static const double adam_weight[3][5] = {
    {1, 0.9000006324515321, 0.8733670792079219, 0.8393243524819285, 0.8253814873712182},
    {-2, -1.9000001054091442, -1.8000001799633294, -1.8075651097827574, -1.8067142849205629},
    {1, 0.999684769081674, 0.9992396574057695, 0.9986951893699973, 0.9983811831661971},
};

static void test_adam(void **state)
{
    (void)state;
    enum { SIZE = 2 * LANES };
    real *w = fixture_zeros(SIZE), *gradient = fixture_zeros(SIZE);
    struct adam a = {fixture_zeros(SIZE), fixture_zeros(SIZE), 0, 0.9, 0.999, 1e-7};
    for (int again = 0; again < 2; again++) { /* a restart forgets everything */
        adam_restart(&a, SIZE);
        for (int i = 0; i < SIZE; i++) w[i] = i < 3 ? (real)adam_weight[i][0] : (real)i;
        for (int step = 0; step < 4; step++) {
            for (int i = 0; i < 3; i++) gradient[i] = (real)adam_gradient[i][step];
            adam_update(w, &a, gradient, SIZE, adam_rate[step]);
            assert_int_equal(a.step, step + 1);
            for (int i = 0; i < 3; i++) assert_true(fabs((double)w[i] - adam_weight[i][step + 1]) < 3e-6);
            for (int i = 3; i < SIZE; i++) assert_true(w[i] == (real)i); /* no gradient, no change */
        }
    }
    fixture_release();
}

/* ---- the training step ------------------------------------------------------------------------------------------ */
/* A pool with something to learn: the accuracy depends on the operations, the code says most of it. */
struct pool {
    struct cells all;
    real code[POOL * CODE], target[POOL];
};

static struct pool pool_create(int operations_used, struct random_stream *s)
{
    static const double worth[] = {0.1, 0.3, -0.2, 0.05};
    struct pool p = {.all = fixture_cells(POOL, NODES, operations_used, s)};
    for (int b = 0; b < POOL; b++) {
        double value = 0.5;
        for (int i = 0; i < NODES; i++) value += worth[p.all.operation[b * NODES + i]] / 2;
        p.target[b] = (real)value;
        for (int e = 0; e < CODE; e++) p.code[b * CODE + e] = (real)(2 - value - 0.3 * e + 0.05 * random_uniform(s));
    }
    return p;
}

static struct siamese *start(int kind, uint64_t seed)
{
    const struct siamese_shape shape = {NODES, OPERATIONS, kind == 0 ? 0 : CODE, kind >= 2, kind == 3, false, false};
    const struct siamese_training training = {.huber_delta = 0.5, .adam_beta1 = 0.9, .adam_beta2 = 0.999, .adam_epsilon = 1e-7,
                                              .norm_momentum = 0.997, .norm_epsilon = 1e-4};
    struct siamese *s;
    struct random_stream weights;
    assert_int_equal(siamese_create(&s, &shape, &training, BATCH), STATUS_OK);
    random_open(&weights, seed, 0, 0, RANDOM_WEIGHTS);
    siamese_initialise(s, &weights);
    return s;
}

static bool same_weights(struct siamese *a, struct siamese *b)
{
    size_t count, same;
    const real *wa = siamese_weights(a, &count), *wb = siamese_weights(b, &same);
    return count == same && memcmp(wa, wb, count * sizeof(real)) == 0;
}

/* Steps of batches drawn from the pool; the mean loss of each ten steps goes to loss[steps / 10]. */
static void train(double *loss, struct siamese *s, const struct pool *p, int steps, uint64_t seed)
{
    struct random_stream draw;
    random_open(&draw, seed, 0, 0, RANDOM_BATCH);
    memset(loss, 0, (size_t)(steps / 10) * sizeof *loss);
    for (int step = 0; step < steps; step++) {
        uint8_t operation[BATCH * NODES];
        const uint32_t *mask[2][BATCH];
        real code[BATCH * CODE], target[BATCH];
        for (int b = 0; b < BATCH; b++) {
            int64_t cell = random_below(&draw, POOL);
            memcpy(operation + b * NODES, p->all.operation + cell * NODES, NODES);
            for (int d = 0; d < 2; d++) mask[d][b] = p->all.mask[d][cell];
            memcpy(code + b * CODE, p->code + cell * CODE, CODE * sizeof(real));
            target[b] = p->target[cell];
        }
        const struct cells batch = {BATCH, NODES, operation, {mask[0], mask[1]}};
        loss[step / 10] += (double)siamese_step(s, &batch, code, target, 1e-3) / 10;
    }
}

static void test_learns(void **state)
{
    (void)state;
    enum { STEPS = 300 };
    for (int kind = 0; kind < 4; kind++) {
        struct random_stream stream;
        random_open(&stream, 4, (uint32_t)kind, 0, RANDOM_TEST);
        struct pool pool = pool_create(OPERATIONS, &stream);
        struct siamese *s = start(kind, 1), *same = start(kind, 1), *different = start(kind, 2);
        double loss[STEPS / 10], again[STEPS / 10];
        train(loss, s, &pool, STEPS, 1);
        double begin = (loss[0] + loss[1]) / 2, end = (loss[STEPS / 10 - 2] + loss[STEPS / 10 - 1]) / 2;
        if (!(end < 0.5 * begin)) {
            print_error("kind %d: the loss goes from %g to %g\n", kind, begin, end);
            fail();
        }
        /* the same seed gives the same bits, another one does not */
        train(again, same, &pool, STEPS, 1);
        assert_memory_equal(loss, again, sizeof loss);
        assert_true(same_weights(s, same));
        assert_false(same_weights(s, different));

        /* what it learned shows in its scores: the best of the pool above the worst, clearly */
        real score[POOL];
        int best = 0, worst = 0;
        for (int b = 0; b < POOL; b++) {
            if (pool.target[b] > pool.target[best]) best = b;
            if (pool.target[b] < pool.target[worst]) worst = b;
        }
        siamese_fold(s);
        siamese_score(score, s, &pool.all, kind == 0 ? NULL : pool.code);
        assert_true(score[best] > score[worst] + (real)0.05);

        /* started once more, nothing of the first training is left */
        struct random_stream weights;
        random_open(&weights, 1, 0, 0, RANDOM_WEIGHTS);
        siamese_initialise(s, &weights);
        train(again, s, &pool, STEPS, 1);
        assert_memory_equal(loss, again, sizeof loss);
        assert_true(same_weights(s, same));
        siamese_destroy(&s);
        siamese_destroy(&same);
        siamese_destroy(&different);
        fixture_release();
    }
}

static void test_restart(void **state)
{
    (void)state;
    struct random_stream stream;
    random_open(&stream, 5, 0, 0, RANDOM_TEST);
    struct pool pool = pool_create(OPERATIONS, &stream);
    struct siamese *on = start(2, 1), *restarted = start(2, 1);
    double loss[2];
    train(loss, on, &pool, 10, 1);
    train(loss, restarted, &pool, 10, 1);
    siamese_restart_optimiser(restarted);
    assert_true(same_weights(on, restarted));
    train(loss, on, &pool, 10, 2);
    train(loss, restarted, &pool, 10, 2);
    assert_false(same_weights(on, restarted));
    siamese_destroy(&on);
    siamese_destroy(&restarted);
    fixture_release();
}

/* An operation that no cell has keeps its weights, to the bit. */
static void test_unseen(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        struct random_stream stream;
        random_open(&stream, 6, 0, 0, RANDOM_TEST);
        struct pool pool = pool_create(OPERATIONS - 1, &stream);
        struct siamese *s = start(kind, 1);
        const struct graph_conv *g = &siamese_parameters(s)->group[GROUP_1];
        real before[2][OPERATIONS * WIDTH];
        double loss[5];
        for (int d = 0; d < 2; d++) memcpy(before[d], g->weight[d], sizeof before[d]);
        train(loss, s, &pool, 50, 1);
        for (int d = 0; d < 2; d++)
            for (int o = 0; o < OPERATIONS; o++) {
                bool same = memcmp(before[d] + o * WIDTH, g->weight[d] + o * WIDTH, WIDTH * sizeof(real)) == 0;
                assert_true(same == (o == OPERATIONS - 1));
            }
        siamese_destroy(&s);
        fixture_release();
    }
}

/* ---- initial weights and running statistics --------------------------------------------------------------------- */
static void expect_glorot(const real *w, int inputs, int outputs)
{
    const double limit = sqrt(6.0 / (inputs + outputs));
    const int n = inputs * outputs;
    double largest = 0, square = 0;
    for (int i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)w[i]));
        square += (double)w[i] * (double)w[i] / n;
    }
    assert_true(largest <= limit * (1 + 1e-6) && largest > 0.9 * limit);
    assert_true(fabs(square / (limit * limit / 3) - 1) < 0.2); /* the variance of a uniform number */
}

static void expect_constant(const real *x, int n, double value)
{
    for (int i = 0; i < n; i++) assert_true((double)x[i] == value);
}

static void expect_neutral(const struct norm *n)
{
    expect_constant(n->gamma, WIDTH, 1);
    expect_constant(n->beta, WIDTH, 0);
    expect_constant(n->mean, WIDTH, 0);
    expect_constant(n->variance, WIDTH, 1);
}

static void test_initial(void **state)
{
    (void)state;
    struct siamese *s = start(3, 7);
    const struct siamese_parameters *p = siamese_parameters(s);
    for (int g = 0; g < SIAMESE_GROUPS; g++)
        for (int d = 0; d < 2; d++) {
            expect_glorot(p->group[g].weight[d], g == GROUP_1 ? OPERATIONS : WIDTH, WIDTH);
            expect_constant(p->group[g].bias[d], WIDTH, 0);
            expect_neutral(&p->group[g].norm[d]);
        }
    expect_glorot(p->code_weight, CODE, NODES * WIDTH);
    expect_constant(p->code_bias, NODES * WIDTH, 0);
    expect_neutral(&p->code_norm);
    for (int i = 0; i < NODES; i++) assert_true(p->head.weight[i] != 0 && fabsf(p->head.weight[i]) <= 1);
    expect_constant(p->head.bias, 1, 0);
    siamese_destroy(&s);
    for (int kind = 0; kind < 3; kind++) { /* groups that the shape lacks are NULL */
        s = start(kind, 7);
        p = siamese_parameters(s);
        for (int g = NSAM_QUERY; g <= NSAM_OUT; g++) assert_true((p->group[g].weight[0] == NULL) == (kind < 2));
        for (int g = EFM_QUERY; g <= EFM_OUT; g++)
            assert_true((p->group[g].weight[0] == NULL) == (kind == 0 || g == EFM_VALUE));
        assert_true((p->code_weight == NULL) == (kind == 0));
        siamese_destroy(&s);
    }
}

/* running = 0.997 running + 0.003 batch, the biased variance, the mean of A X W + b; over two batches. */
static void test_running(void **state)
{
    (void)state;
    struct random_stream stream;
    random_open(&stream, 8, 0, 0, RANDOM_TEST);
    struct siamese *s = start(2, 1);
    const struct siamese_parameters *p = siamese_parameters(s);
    real *bias = fixture_reals(WIDTH, 1, &stream);
    memcpy(p->group[GROUP_1].bias[1], bias, WIDTH * sizeof(real));
    struct matrix mean = reference_matrix(1, WIDTH), variance = reference_matrix(1, WIDTH);
    struct matrix code_mean = reference_matrix(1, WIDTH), code_variance = reference_matrix(1, WIDTH);
    for (int i = 0; i < WIDTH; i++) variance.v[i] = code_variance.v[i] = 1;
    for (int batch = 0; batch < 2; batch++) {
        double m[WIDTH], v[WIDTH];
        struct cells cells = fixture_cells(BATCH, NODES, OPERATIONS, &stream);
        const real *code = fixture_reals(BATCH * CODE, 2, &stream), *target = fixture_reals(BATCH, 1, &stream);
        siamese_gradient(s, &cells, code, target);
        struct matrix z = reference_direction(reference_one_hot(&cells, OPERATIONS), &p->group[GROUP_1], 1, &cells);
        reference_norm(z, &p->group[GROUP_1].norm[1], true, 1e-4, m, v);
        for (int i = 0; i < WIDTH; i++) {
            mean.v[i] = 0.997 * mean.v[i] + 0.003 * m[i];
            variance.v[i] = 0.997 * variance.v[i] + 0.003 * v[i];
        }
        reference_norm(reference_code_affine(p, code, CODE, BATCH, NODES), &p->code_norm, true, 1e-4, m, v);
        for (int i = 0; i < WIDTH; i++) {
            code_mean.v[i] = 0.997 * code_mean.v[i] + 0.003 * m[i];
            code_variance.v[i] = 0.997 * code_variance.v[i] + 0.003 * v[i];
        }
    }
    reference_expect("mean", p->group[GROUP_1].norm[1].mean, mean, 1e-6);
    reference_expect("variance", p->group[GROUP_1].norm[1].variance, variance, 1e-6);
    reference_expect("mean of the code's features", p->code_norm.mean, code_mean, 1e-6);
    reference_expect("variance of the code's features", p->code_norm.variance, code_variance, 1e-6);
    assert_memory_equal(p->group[GROUP_1].bias[1], bias, WIDTH * sizeof(real)); /* a constant */
    siamese_destroy(&s);
    fixture_release();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adam), cmocka_unit_test(test_learns), cmocka_unit_test(test_restart),
        cmocka_unit_test(test_unseen), cmocka_unit_test(test_initial), cmocka_unit_test(test_running),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
