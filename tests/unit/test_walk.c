/* Regularized evolution and local search: what they pay, how they move, that they find, and that only the trial's key matters. */
#include "ranks.h"

#include "neighbourhood.h"
#include "rounds_fixture.h"

enum { TRIALS = 30 };

static struct trial_settings small(void)
{
    struct trial_settings s = settings(true);
    s.evolution.population = 12;
    s.evolution.sample = 4;
    return s;
}

/* By lot, the best of 625 cells is found after 313 on average. */
static void test_account(void **state)
{
    (void)state;
    ON_RANK(0);
    const struct trial_settings set = small();
    assert_true(check_rounds(&set, "regularized-evolution", 200, TRIALS) < 110);
    assert_true(check_rounds(&set, "local-search", 200, TRIALS) < 90);
    assert_true(check_rounds(&set, "regularized-evolution", 8, 3) > 0); /* less than the population */
    assert_true(check_rounds(&set, "local-search", 8, 3) > 0);
}

static bool one_edit(int64_t a, int64_t b)
{
    int edits = 0;
    for (int v = 0; v < TOY_NODES; v++) edits += toy.operation[a * TOY_NODES + v] != toy.operation[b * TOY_NODES + v];
    return edits == 1;
}

/* Every child is one edit away from somebody who was alive, or nobody alive had an untrained neighbour left to draw. */
static void test_evolution(void **state)
{
    (void)state;
    ON_RANK(1);
    const struct trial_settings set = small();
    struct toy_bench *b = toy_open(&set, MPI_COMM_SELF, 1);
    const struct trial_spec spec = toy_spec("regularized-evolution", 150, 1);
    struct trial_result r;
    assert_int_equal(trial_run(&r, b->trial, b->candidate, &spec), STATUS_OK);
    int orphans = 0;
    for (int child = 12; child < 150; child++) {
        bool has_parent = false;
        for (int p = child - 12; p < child; p++) has_parent = has_parent || one_edit(r.pool[p], r.pool[child]);
        orphans += !has_parent;
    }
    assert_in_range(orphans, 0, 2);
    toy_close(b);
    fixture_release();
}

/* From the best of the first ten on, along all neighbours, upwards; on this landscape no start is needed twice before the best is found. */
static void test_local(void **state)
{
    (void)state;
    ON_RANK(2);
    const struct trial_settings set = small();
    struct toy_bench *b = toy_open(&set, MPI_COMM_SELF, 1);
    const struct trial_spec spec = toy_spec("local-search", 150, 1);
    struct trial_result r;
    assert_int_equal(trial_run(&r, b->trial, b->candidate, &spec), STATUS_OK);
    const int found = found_after(&r);
    int64_t present = r.pool[0];
    int at = 10;
    for (int i = 1; i < 10; i++)
        if (toy.accuracy[r.pool[i]] > toy.accuracy[present]) present = r.pool[i];
    while (at < found) {
        int64_t best = present;
        for (; at < 150 && one_edit(present, r.pool[at]); at++) {}
        for (int i = 0; i < at; i++)
            if (one_edit(present, r.pool[i]) && toy.accuracy[r.pool[i]] > toy.accuracy[best]) best = r.pool[i];
        assert_true(best != present);
        present = best;
    }
    toy_close(b);
    fixture_release();
}

/* The whole space, also where cells have twins and graphs of their own, and neighbours are few. */
static void test_whole_space(void **state)
{
    (void)state;
    ON_RANK(3);
    const struct trial_settings set = small();
    static const char *const name[] = {"regularized-evolution", "local-search"};
    struct space keep = space;
    for (int i = 0; i < 2; i++) {
        synthetic_space(&space, 90, NODES, 3);
        struct bench b = bench_create(&set, &options[0], NULL);
        struct trial_result r;
        struct trial_spec spec = {.n = 60, .trial = 1, .seed = 5};
        assert_int_equal(method_parse(&spec.method, name[i]), STATUS_OK);
        assert_int_equal(trial_run(&r, b.trial, b.candidate, &spec), STATUS_OK);
        assert_int_equal(r.pool_size, 60);
        assert_int_equal(r.queries, 80); /* k_max = 80: what was trained, and then by lot what was not */
        bench_destroy(&b);
        space_destroy(&space);
        fixture_release();
    }
    space = keep;
    assert_true(check_rounds(&set, "local-search", 300, 1) > 0);
}

/* The ranking begins with what was trained, best first. */
static void test_ranking(void **state)
{
    (void)state;
    ON_RANK(0);
    const struct trial_settings set = small();
    struct toy_bench *b = toy_open(&set, MPI_COMM_SELF, 1);
    const struct trial_spec spec = toy_spec("regularized-evolution", 30, 2);
    struct trial_result r;
    assert_int_equal(trial_run(&r, b->trial, b->candidate, &spec), STATUS_OK);
    for (int k = 0; k < 80; k++) {
        bool member = false;
        for (int i = 0; i < 30; i++) member = member || r.pool[i] == r.chosen[k];
        assert_int_equal(member, k < 30);
        assert_int_equal(r.trainings[k], k < 30 ? 30 : k + 1);
        if (k > 0) assert_true(r.score[k] <= r.score[k - 1]);
        assert_true(k < 30 ? r.score[k] == (double)(float)r.chosen_accuracy[k] : r.score[k] < 0);
    }
    toy_close(b);
    fixture_release();
}

static void test_groups(void **state)
{
    (void)state;
    const struct trial_settings set = small();
    check_groups(&set, "regularized-evolution", 60);
    check_groups(&set, "local-search", 60);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(toy_begin), cmocka_unit_test(test_account), cmocka_unit_test(test_evolution), cmocka_unit_test(test_local),
        cmocka_unit_test(test_whole_space), cmocka_unit_test(test_ranking), cmocka_unit_test(test_groups), cmocka_unit_test(toy_end),
    };
    RANKS_MAIN(tests);
}
