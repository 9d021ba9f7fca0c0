/* The whole training step of every shape of the predictor against central differences, in float64. */
#include "gradient.h"
#include "siamese.h"
#include "status.h"

#include <string.h>

enum { BATCH = 3, NODES = 6, OPERATIONS = 5, CODE = 3 };

struct setting {
    struct siamese *s;
    struct cells batch;
    real code[BATCH * CODE], target[BATCH];
    uint8_t operation[BATCH * NODES];
    uint32_t forth[BATCH][NODES], back[BATCH][NODES];
    const uint32_t *mask[2][BATCH];
};

static double loss(void *argument)
{
    struct setting *t = argument;
    return (double)siamese_gradient(t->s, &t->batch, t->code, t->target);
}

/* Cells with different random graphs, one of them without any edge. */
static void fill(struct setting *t, struct random_stream *stream)
{
    for (int b = 0; b < BATCH; b++) {
        memset(t->forth[b], 0, sizeof t->forth[b]);
        memset(t->back[b], 0, sizeof t->back[b]);
        for (int i = 0; i < NODES; i++)
            for (int j = i; j < NODES; j++)
                if (i == j || (b > 0 && random_below(stream, 2))) {
                    t->forth[b][i] |= 1u << j;
                    t->back[b][j] |= 1u << i;
                }
        t->mask[0][b] = t->forth[b];
        t->mask[1][b] = t->back[b];
        t->target[b] = (real)(0.3 * b);
        for (int i = 0; i < NODES; i++) t->operation[b * NODES + i] = (uint8_t)random_below(stream, OPERATIONS);
    }
    gradient_fill(t->code, BATCH * CODE, 2, stream);
    t->batch = (struct cells){BATCH, NODES, t->operation, {t->mask[0], t->mask[1]}};
}

static void check_with(int code_length, bool nsam, bool own, bool linear, bool rank)
{
    static struct setting t;
    const struct siamese_shape shape = {NODES, OPERATIONS, code_length, nsam, own, linear, false};
    /* momentum 1 leaves the running statistics alone, so that evaluations do not change the state */
    const struct siamese_training training = {.huber_delta = 0.5, .adam_beta1 = 0.9, .adam_beta2 = 0.999, .adam_epsilon = 1e-7,
                                              .norm_momentum = 1, .norm_epsilon = 1e-4, .rank_loss = rank};
    struct random_stream stream;
    random_open(&stream, 7, (uint32_t)code_length, nsam, RANDOM_TEST);
    fill(&t, &stream);
    assert_int_equal(siamese_create(&t.s, &shape, &training, BATCH), STATUS_OK);
    siamese_initialise(t.s, &stream);
    size_t all, trained = siamese_trained(t.s);
    real *weights = siamese_weights(t.s, &all);
    loss(&t);
    real *gradient = test_malloc(trained * sizeof(real));
    memcpy(gradient, siamese_gradients(t.s), trained * sizeof(real));
    gradient_check("parameter", loss, &t, weights, gradient, trained, trained / 1500 + 1, 1e-6);
    size_t head = trained - 2 * (size_t)LANES; /* all of the head, and what is before it */
    gradient_check("head", loss, &t, weights + head, gradient + head, trained - head, 1, 1e-6);
    test_free(gradient);
    siamese_destroy(&t.s);
}

static void check(int code_length, bool nsam, bool own)
{
    check_with(code_length, nsam, own, false, false);
}

static void naive(void **state) { (void)state; check(0, false, false); }
static void siamese(void **state) { (void)state; check(CODE, false, false); }
static void siamese_nsam(void **state) { (void)state; check(CODE, true, false); }
static void siamese_own_value(void **state) { (void)state; check(CODE, true, true); }

/* Targets in deviations from the mean leave [0, 1]. */
static void linear_naive(void **state) { (void)state; check_with(0, false, false, true, false); }
static void linear_siamese_nsam(void **state) { (void)state; check_with(CODE, true, false, true, false); }
static void rank_naive(void **state) { (void)state; check_with(0, false, false, true, true); }
static void rank_siamese(void **state) { (void)state; check_with(CODE, false, false, true, true); }
static void rank_siamese_nsam(void **state) { (void)state; check_with(CODE, true, true, true, true); }

/* The bias before a batch normalisation has no gradient: moving it leaves the loss where it is. */
static void bias_is_cancelled(void **state)
{
    (void)state;
    static struct setting t;
    const struct siamese_shape shape = {NODES, OPERATIONS, CODE, true, false, false, false};
    const struct siamese_training training = {.huber_delta = 0.5, .norm_momentum = 1, .norm_epsilon = 1e-4};
    struct random_stream stream;
    random_open(&stream, 9, 0, 0, RANDOM_TEST);
    fill(&t, &stream);
    assert_int_equal(siamese_create(&t.s, &shape, &training, BATCH), STATUS_OK);
    siamese_initialise(t.s, &stream);
    double before = loss(&t);
    for (int g = 0; g < SIAMESE_GROUPS; g++)
        for (int d = 0; d < 2 && siamese_parameters(t.s)->group[g].bias[d] != NULL; d++)
            gradient_fill(siamese_parameters(t.s)->group[g].bias[d], WIDTH, 1, &stream);
    assert_true(fabs(loss(&t) - before) < 1e-12);
    siamese_destroy(&t.s);
}

/* The derivative of a relaxed cell's score by its mixture; on one-hot mixtures the score is that of the cell. */
static void soft_input(void **state)
{
    (void)state;
    static struct setting t;
    static real mixture[NODES * OPERATIONS], gradient[NODES * OPERATIONS];
    for (int kind = 0; kind < 3; kind++) { /* naive, siamese, naive with a linear head */
        const struct siamese_shape shape = {NODES, OPERATIONS, kind == 1 ? CODE : 0, false, false, kind == 2, false};
        const struct siamese_training training = {.huber_delta = 0.5, .norm_momentum = 0.5, .norm_epsilon = 1e-4};
        struct random_stream stream;
        real hard;
        random_open(&stream, 11, (uint32_t)kind, 0, RANDOM_TEST);
        fill(&t, &stream);
        assert_int_equal(siamese_create(&t.s, &shape, &training, BATCH), STATUS_OK);
        siamese_initialise(t.s, &stream);
        for (int i = 0; i < 5; i++) loss(&t); /* running statistics that are not those of the start */
        siamese_fold(t.s);
        const uint32_t *const mask[2] = {t.mask[0][2], t.mask[1][2]};
        const struct cells one = {1, NODES, t.operation + 2 * NODES, {t.mask[0] + 2, t.mask[1] + 2}};
        memset(mixture, 0, sizeof mixture);
        for (int v = 0; v < NODES; v++) mixture[v * OPERATIONS + t.operation[2 * NODES + v]] = 1;
        siamese_score(&hard, t.s, &one, NULL);
        assert_true(fabs((double)(siamese_soft(NULL, t.s, mixture, mask) - hard)) < 1e-12);
        for (int i = 0; i < NODES * OPERATIONS; i++) mixture[i] = (real)random_uniform(&stream);
        siamese_soft(gradient, t.s, mixture, mask);
        for (int i = 0; i < NODES * OPERATIONS; i++) {
            const double h = 1e-5;
            const real keep = mixture[i];
            mixture[i] = (real)(keep + h);
            const double up = (double)siamese_soft(NULL, t.s, mixture, mask);
            mixture[i] = (real)(keep - h);
            const double down = (double)siamese_soft(NULL, t.s, mixture, mask);
            mixture[i] = keep;
            assert_true(fabs((up - down) / (2 * h) - (double)gradient[i]) < 1e-9);
            assert_true(gradient[i] != 0);
        }
        siamese_destroy(&t.s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(naive), cmocka_unit_test(siamese), cmocka_unit_test(siamese_nsam), cmocka_unit_test(siamese_own_value),
        cmocka_unit_test(linear_naive), cmocka_unit_test(linear_siamese_nsam), cmocka_unit_test(rank_naive), cmocka_unit_test(rank_siamese),
        cmocka_unit_test(rank_siamese_nsam), cmocka_unit_test(bias_is_cancelled), cmocka_unit_test(soft_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
