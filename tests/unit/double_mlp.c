/* The MLP against central differences and against the plain formula, in float64: widths that fill no panel, one, and more. */
#include "gradient.h"

#include "dense.h"
#include "fixture.h"
#include "mlp.h"

#include <string.h>

enum { ROWS = 7 };

struct setting {
    struct mlp *m;
    real *x, target[ROWS];
};

static double loss(void *argument)
{
    struct setting *t = argument;
    return (double)mlp_gradient(t->m, t->x, t->target, ROWS);
}

static struct setting make(int inputs, int width, int layers, double decay)
{
    struct setting t = {NULL, fixture_zeros((size_t)(dense_panels(inputs) * ROWS * WIDTH)), {0}};
    struct mlp_training training;
    struct random_stream s;
    mlp_defaults(&training);
    training.decay = decay;
    random_open(&s, (uint64_t)width, (uint32_t)inputs, 0, RANDOM_TEST);
    assert_int_equal(mlp_create(&t.m, &(struct mlp_shape){inputs, width, layers}, &training, ROWS), STATUS_OK);
    mlp_initialise(t.m, &s);
    for (int r = 0; r < ROWS; r++)
        for (int i = 0; i < inputs; i++) t.x[(i / WIDTH * ROWS + r) * WIDTH + i % WIDTH] = (real)(2 * random_uniform(&s) - 1);
    gradient_fill(t.target, ROWS, 2, &s);
    return t;
}

static void check(int inputs, int width, int layers, double decay)
{
    struct setting t = make(inputs, width, layers, decay);
    size_t count;
    real *weights = mlp_weights(t.m, &count);
    count -= LANES;
    loss(&t);
    real *gradient = fixture_zeros(count);
    memcpy(gradient, mlp_gradients(t.m), count * sizeof *gradient);
    for (size_t i = 0; i < count; i++) assert_true(gradient[i] == 0 || weights[i] != 0 || i >= count - 2 * LANES); /* padding has none */
    for (size_t i = 0; i < count; i++) /* what is padding is not moved */
        if (weights[i] == 0) gradient[i] = NAN;
    size_t used = 0;
    for (size_t i = 0; i < count; i++) used += !isnan((double)gradient[i]);
    const size_t stride = used / 400 + 1;
    for (size_t i = 0, at = 0; i < count; i++)
        if (!isnan((double)gradient[i]) && at++ % stride == 0) gradient_check("parameter", loss, &t, weights + i, gradient + i, 1, 1, 1e-5);
    mlp_destroy(&t.m);
    fixture_release();
}

static void test_gradient(void **state)
{
    (void)state;
    check(9, 20, 4, 0);
    check(30, 64, 4, 0.3);
    check(70, 130, 2, 0.1);
    check(128, 5, 1, 0.01);
}

/* The loss falls, padding stays zero, and rows do not depend on each other. */
static void test_step(void **state)
{
    (void)state;
    struct setting t = make(70, 100, 4, 1e-4);
    size_t count;
    real *weights = mlp_weights(t.m, &count), all[ROWS], one[1];
    bool *used = fixture_take(count, sizeof *used);
    for (size_t i = 0; i < count; i++) used[i] = weights[i] != 0;
    const double before = loss(&t);
    for (int i = 0; i < 60; i++) mlp_step(t.m, t.x, t.target, ROWS);
    assert_true(loss(&t) < before / 20);
    for (size_t i = 0; i < count; i++) assert_true(used[i] || weights[i] == 0);
    mlp_predict(all, t.m, t.x, ROWS);
    real *row = fixture_zeros(2 * WIDTH);
    for (int r = 0; r < ROWS; r++) {
        for (int panel = 0; panel < 2; panel++) memcpy(row + panel * WIDTH, t.x + (panel * ROWS + r) * WIDTH, WIDTH * sizeof *row);
        mlp_predict(one, t.m, row, 1);
        assert_true(one[0] == all[r]);
    }
    mlp_destroy(&t.m);
    fixture_release();
}

/* Ten epochs in a row may be no better than the best by the tolerance, the eleventh ends it. */
static void test_patience(void **state)
{
    (void)state;
    struct setting t = make(9, 20, 1, 0);
    assert_false(mlp_is_done(t.m, 1.0));
    for (int i = 0; i < 10; i++) assert_false(mlp_is_done(t.m, 0.99995));
    assert_false(mlp_is_done(t.m, 0.5));
    for (int i = 0; i < 10; i++) assert_false(mlp_is_done(t.m, 0.7));
    assert_true(mlp_is_done(t.m, 0.49995));
    mlp_destroy(&t.m);
    fixture_release();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_gradient), cmocka_unit_test(test_step), cmocka_unit_test(test_patience)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
