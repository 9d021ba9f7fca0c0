/* Steps of the optimisers over many numbers at once against the published formulas, one number at a time and in double. */
#include "../../src/candidate/optimizer.h"

#include "random.h"
#include "status.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { COUNT = 1003, STEPS = 20 };

struct bench {
    float value[COUNT], gradient[COUNT], decayed[COUNT];
    double expected[COUNT], first[COUNT], second[COUNT]; /* by the formulas */
};

/* Every third number is not decayed; some gradients are zero, some tiny, some large. */
static void bench_begin(struct bench *b, struct random_stream *s)
{
    *b = (struct bench){0};
    random_open(s, 3, 0, 0, RANDOM_TEST);
    for (int i = 0; i < COUNT; i++) {
        b->value[i] = (float)(4 * random_uniform(s) - 2);
        b->decayed[i] = i % 3 != 0;
        b->expected[i] = (double)b->value[i];
    }
}

static void new_gradient(struct bench *b, struct random_stream *s)
{
    static const double size[] = {1, 0, 1e-4, 100, 1e-6};
    for (int i = 0; i < COUNT; i++) b->gradient[i] = (float)(size[i % 5] * (2 * random_uniform(s) - 1));
}

/* Kingma and Ba (2015), algorithm 1, with the L2 penalty as part of the gradient. */
static void plain_adam(struct bench *b, int step, double rate, double decay)
{
    for (int i = 0; i < COUNT; i++) {
        const double g = (double)b->gradient[i] + (i % 3 != 0 ? decay * b->expected[i] : 0);
        b->first[i] = 0.9 * b->first[i] + 0.1 * g;
        b->second[i] = 0.999 * b->second[i] + 0.001 * g * g;
        const double m = b->first[i] / (1 - pow(0.9, step)), v = b->second[i] / (1 - pow(0.999, step));
        b->expected[i] -= rate * m / (sqrt(v) + 1e-7);
    }
}

/* Nesterov's momentum as PyTorch has it: the velocity is free of the rate, which may change. */
static void plain_nesterov(struct bench *b, double rate, double momentum, double decay)
{
    for (int i = 0; i < COUNT; i++) {
        const double g = (double)b->gradient[i] + (i % 3 != 0 ? decay * b->expected[i] : 0);
        b->first[i] = momentum * b->first[i] + g;
        b->expected[i] -= rate * (g + momentum * b->first[i]);
    }
}

static void expect_values(const struct bench *b)
{
    for (int i = 0; i < COUNT; i++) {
        const double error = fabs((double)b->value[i] - b->expected[i]);
        if (error > 2e-5 * (1 + fabs(b->expected[i]))) {
            print_error("number %d is %.8g instead of %.8g\n", i, (double)b->value[i], b->expected[i]);
            fail();
        }
    }
}

static void check(enum training_optimizer kind, double momentum, double decay)
{
    static struct bench b;
    struct random_stream s;
    struct optimizer o;
    const struct training_options options = {.optimizer = kind, .momentum = momentum, .weight_decay = decay};
    bench_begin(&b, &s);
    assert_int_equal(optimizer_create(&o, &options, COUNT), STATUS_OK);
    for (int step = 1; step <= STEPS; step++) {
        const double rate = step <= 10 ? 0.01 : 0.002; /* the state stays when the rate changes */
        new_gradient(&b, &s);
        optimizer_step(&o, b.value, b.gradient, b.decayed, rate);
        if (kind == OPTIMIZER_ADAM) plain_adam(&b, step, rate, decay);
        else plain_nesterov(&b, rate, momentum, decay);
        expect_values(&b);
    }
    optimizer_destroy(&o);
    assert_null(o.moment);
}

static void test_adam(void **state)
{
    (void)state;
    check(OPTIMIZER_ADAM, 0.9, 0);
    check(OPTIMIZER_ADAM, 0, 0); /* momentum is of no account */
}

static void test_adam_with_decay(void **state)
{
    (void)state;
    check(OPTIMIZER_ADAM, 0.9, 0.1);
}

static void test_nesterov(void **state)
{
    (void)state;
    check(OPTIMIZER_SGD, 0.9, 0);
    check(OPTIMIZER_SGD, 0, 0);
}

static void test_nesterov_with_decay(void **state)
{
    (void)state;
    check(OPTIMIZER_SGD, 0.9, 0.1);
}

/* Without a gradient only what is marked moves. */
static void test_decay_only_where_marked(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        float value[] = {1, 1, -1, -1, 0}, decayed[] = {1, 0, 1, 0, 1};
        const float gradient[5] = {0};
        struct optimizer o;
        const struct training_options options = {.optimizer = (enum training_optimizer)kind, .weight_decay = 0.5};
        assert_int_equal(optimizer_create(&o, &options, 5), STATUS_OK);
        optimizer_step(&o, value, gradient, decayed, 0.125);
        /* Adam's first step is the whole rate, SGD's the rate times the penalty's gradient */
        const double moved = kind == OPTIMIZER_ADAM ? 0.125 : 0.0625;
        assert_true(fabs((double)value[0] - (1 - moved)) < 1e-6);
        assert_true(value[1] == 1 && value[3] == -1 && value[4] == 0);
        assert_true(fabs((double)value[2] + (1 - moved)) < 1e-6);
        optimizer_destroy(&o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adam),     cmocka_unit_test(test_adam_with_decay),
        cmocka_unit_test(test_nesterov), cmocka_unit_test(test_nesterov_with_decay),
        cmocka_unit_test(test_decay_only_where_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
