/* The whole network in float64 against reference.h, in training and at inference, and the gradient of its code's affine
 * layer, which has no function of its own. All other gradients of whole networks: double_siamese.c. */
#include "fixture.h"

#include "gradient.h"
#include "reference.h"
#include "siamese.h"

#include <string.h>

enum { CELLS = 4, OPERATIONS = 5 };
static const double EXACT = 1e-12, EPSILON = 1e-4, DIFFERENCE = 1e-6;

static struct random_stream stream;

static real *array(int rows, int columns, double scale)
{
    return fixture_reals((size_t)rows * (size_t)columns, scale, &stream);
}

struct network {
    struct siamese *s;
    struct cells cells;
    real *code, *target;
};

static double network_loss(void *argument)
{
    struct network *t = argument;
    return (double)siamese_gradient(t->s, &t->cells, t->code, t->target);
}

/* Weights as after training: nothing at its initial value. */
static void scramble(struct siamese *s)
{
    size_t count, trained = siamese_trained(s);
    real *w = siamese_weights(s, &count);
    const struct siamese_parameters *p = siamese_parameters(s);
    gradient_fill(w, trained, 0.3, &stream);
    gradient_fill(w + trained, count - trained, 0.3, &stream);
    for (int g = 0; g <= SIAMESE_GROUPS; g++)
        for (int d = 0; d < 2; d++) {
            const struct norm *n = g < SIAMESE_GROUPS ? &p->group[g].norm[d] : &p->code_norm;
            for (int i = 0; i < WIDTH && n->gamma != NULL; i++) {
                n->variance[i] += d == 0 || g < SIAMESE_GROUPS; /* once each */
                n->gamma[i] += d == 0 || g < SIAMESE_GROUPS;
            }
        }
}

static void check_network(int nodes, int code_length, bool nsam, bool own)
{
    const struct siamese_shape shape = {nodes, OPERATIONS, code_length, nsam, own, false, false};
    const struct siamese_training training = {.huber_delta = 0.5, .norm_momentum = 0, .norm_epsilon = EPSILON};
    struct network t = {.cells = fixture_cells(CELLS, nodes, OPERATIONS, &stream)};
    t.code = array(CELLS, code_length + 1, 2);
    t.target = array(1, CELLS, 1);
    assert_int_equal(siamese_create(&t.s, &shape, &training, CELLS), STATUS_OK);
    scramble(t.s);
    const struct siamese_parameters *p = siamese_parameters(t.s);
    struct matrix basic = reference_matrix(1, CELLS), estimation = reference_matrix(1, CELLS);
    real *score = array(1, CELLS, 9);

    siamese_fold(t.s);
    reference_network(basic.v, estimation.v, p, &shape, &t.cells, t.code, false, EPSILON);
    siamese_score(score, t.s, &t.cells, NULL);
    reference_expect("basic branch", score, basic, EXACT);
    if (code_length > 0) {
        siamese_score(score, t.s, &t.cells, t.code);
        reference_expect("estimation branch", score, estimation, EXACT);
    }

    /* training mode; momentum 0 leaves this batch's statistics as the running ones, so inference must now agree with it */
    double value = network_loss(&t);
    reference_network(basic.v, estimation.v, p, &shape, &t.cells, t.code, true, EPSILON);
    double expected = reference_loss(basic.v, t.target, CELLS, 0.5);
    if (code_length > 0) expected += reference_loss(estimation.v, t.target, CELLS, 0.5);
    assert_true(fabs(value - expected) < EXACT);
    siamese_fold(t.s);
    siamese_score(score, t.s, &t.cells, NULL);
    reference_expect("basic branch, statistics of the batch", score, basic, 1e-10);
    if (code_length > 0) {
        siamese_score(score, t.s, &t.cells, t.code);
        reference_expect("estimation branch, statistics of the batch", score, estimation, 1e-10);
    }

    if (code_length > 0) {
        size_t all, trained = siamese_trained(t.s);
        const real *weights = siamese_weights(t.s, &all);
        real *gradient = fixture_zeros(trained);
        network_loss(&t);
        memcpy(gradient, siamese_gradients(t.s), trained * sizeof *gradient);
        const size_t wide = (size_t)nodes * WIDTH, bias = (size_t)(p->code_bias - weights);
        gradient_check("code weight", network_loss, &t, p->code_weight, gradient + (p->code_weight - weights),
                       (size_t)code_length * wide, wide / 20 + 1, DIFFERENCE);
        gradient_check("code bias", network_loss, &t, p->code_bias, gradient + bias, wide, wide / 20 + 1, DIFFERENCE);
    }
    siamese_destroy(&t.s);
    fixture_release();
}

static void test_network(void **state)
{
    (void)state;
    const int node_counts[] = {1, 2, 7, 10, 17, 32};
    for (int n = 0; n < 6; n++) {
        check_network(node_counts[n], 0, false, false);
        check_network(node_counts[n], 3, false, false);
        check_network(node_counts[n], 3, true, false);
        check_network(node_counts[n], 1, true, true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_network)};
    random_open(&stream, 1, 0, 0, RANDOM_TEST);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
