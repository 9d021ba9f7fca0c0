/* The methods whose predictor chooses in rounds: what they pay, that they find sooner than by lot, that only the trial's key matters. */
#include "ranks.h"

#include "rounds_fixture.h"

static struct trial_settings small(void)
{
    struct trial_settings s = settings(false);
    s.weaknas.width = 64;
    s.weaknas.top = 20;
    s.brp.epochs = 25;
    s.prednas.batch = 8;
    return s;
}

/* By lot, the best of 625 cells is found after 313 on average. */
static void test_weaknas(void **state)
{
    (void)state;
    ON_RANK(0);
    const struct trial_settings set = small();
    assert_true(check_rounds(&set, "weaknas", 100, 6) < 60);
    assert_true(check_rounds(&set, "weaknas", 7, 2) > 0); /* less than it begins with */
}

static void test_brp(void **state)
{
    (void)state;
    ON_RANK(3);
    const struct trial_settings set = small();
    assert_true(check_rounds(&set, "brp", 100, 2) < 85);
    assert_true(check_rounds(&set, "brp", 4, 2) > 0); /* fewer than rounds */
}

static void test_prednas(void **state)
{
    (void)state;
    ON_RANK(2);
    const struct trial_settings set = small();
    assert_true(check_rounds(&set, "prednas", 100, 3) < 70);
    assert_true(check_rounds(&set, "prednas", 7, 2) > 0);
}

/* How many of the cells that prednas chose have more FLOPs than the space on average. */
static int chosen_above(const struct trial_settings *set, const double *flops, double mean)
{
    struct toy_bench *b = toy_open(set, MPI_COMM_SELF, 1);
    const struct trial_spec spec = toy_spec("prednas", 60, 1);
    struct trial_result r;
    int above = 0;
    assert_int_equal(trial_run(&r, b->trial, b->candidate, &spec), STATUS_OK);
    expect_paid(&r, &spec);
    for (int i = 20; i < 60; i++) above += flops[r.pool[i]] > mean;
    toy_close(b);
    return above;
}

/* Where more FLOPs are better, most of what is chosen has more than the mean; where that has a price, less than half as much. */
static void test_penalty(void **state)
{
    (void)state;
    ON_RANK(1);
    struct trial_settings set = small();
    char name[] = "flops";
    double *flops = fixture_take(TOY_CELLS, sizeof *flops), mean = 0;
    struct space_signal signal = {.name = name, .value = flops}, *keep = toy.signal;
    for (int i = 0; i < TOY_CELLS; i++) {
        flops[i] = toy.accuracy[i] / 10;
        mean += flops[i] / TOY_CELLS;
    }
    toy.signal = &signal, toy.signals = 1;
    const int no_limit = chosen_above(&set, flops, mean);
    set.prednas.flops_limit = mean;
    const int dear = chosen_above(&set, flops, mean);
    set.prednas.flops_penalty = 0;
    const int no_price = chosen_above(&set, flops, mean);
    toy.signal = keep, toy.signals = 0;
    fixture_release();
    assert_true(no_limit > 25);
    assert_int_equal(no_price, no_limit);
    assert_true(dear < no_limit / 2);
}

/* Whatever came before, on the same memory. */
static void test_repeat(void **state)
{
    (void)state;
    ON_RANK(1);
    static const char *const name[] = {"weaknas", "brp", "prednas", "random", "siamese+nsam", "regularized-evolution", "naive+bts"};
    enum { NAMES = sizeof name / sizeof *name };
    struct trial_settings set = small();
    set.brp.epochs = 3;
    struct toy_bench *b = toy_open(&set, MPI_COMM_SELF, 1);
    struct plain_result first[NAMES];
    struct trial_result r;
    for (int again = 0; again < 2; again++)
        for (int i = 0; i < NAMES; i++) {
            const int which = again ? NAMES - 1 - i : i;
            const struct trial_spec spec = toy_spec(name[which], 25, 3);
            assert_int_equal(trial_run(&r, b->trial, b->candidate, &spec), STATUS_OK);
            struct plain_result got = keep(&r);
            if (again) expect_same(&got, &first[which], &spec);
            else first[which] = got;
        }
    toy_close(b);
    fixture_release();
}

/* A space whose cells have graphs of their own, twins among them. */
static void test_graphs(void **state)
{
    (void)state;
    ON_RANK(2);
    const struct trial_settings set = small();
    static const char *const name[] = {"weaknas", "brp", "prednas"};
    synthetic_space(&space, CELLS, NODES, 1);
    struct bench b = bench_create(&set, &options[0], NULL);
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        struct trial_spec spec = {.n = 60, .trial = 1, .seed = 5};
        struct trial_result r;
        assert_int_equal(method_parse(&spec.method, name[i]), STATUS_OK);
        assert_int_equal(trial_run(&r, b.trial, b.candidate, &spec), STATUS_OK);
        assert_int_equal(r.pool_size, 60);
        assert_int_equal(r.training_cost.trainings, 60);
        assert_true(r.rho > 0.5);
    }
    bench_destroy(&b);
    space_destroy(&space);
    fixture_release();
}

static void test_groups(void **state)
{
    (void)state;
    struct trial_settings set = small();
    set.brp.epochs = 3;
    check_groups(&set, "weaknas", 35);
    check_groups(&set, "brp", 26);
    check_groups(&set, "prednas", 34);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(toy_begin), cmocka_unit_test(test_weaknas), cmocka_unit_test(test_brp), cmocka_unit_test(test_prednas),
        cmocka_unit_test(test_penalty), cmocka_unit_test(test_repeat), cmocka_unit_test(test_graphs),
        cmocka_unit_test(test_groups), cmocka_unit_test(toy_end),
    };
    RANKS_MAIN(tests);
}
