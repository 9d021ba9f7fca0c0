/* The grid of units: numbers and coordinates, the schedule, bounds of cost. */
#include "grid.h"
#include "status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CELLS = 15625 };

static struct method methods[] = {
    {PREDICTOR_RANDOM, SAMPLER_RANDOM}, {PREDICTOR_NAIVE, SAMPLER_RANDOM}, {PREDICTOR_SIAMESE, SAMPLER_RANDOM},
    {PREDICTOR_SIAMESE_NSAM, SAMPLER_RANDOM}, {PREDICTOR_SIAMESE_NSAM, SAMPLER_BTS}, {PREDICTOR_SIAMESE_NSAM, SAMPLER_FTS},
};
enum { METHODS = sizeof methods / sizeof *methods };
static int budgets[] = {30, 100, 170};

static struct job make_job(void)
{
    static char path[] = "test.ini";
    struct job j = {.path = path, .datasets = 2, .methods = METHODS, .method = methods, .budgets = 3, .n = budgets,
                    .trials = 5, .first_trial = 11};
    trial_defaults(&j.settings);
    return j;
}

static void test_ids(void **state)
{
    (void)state;
    struct job j = make_job();
    struct grid g;
    assert_int_equal(grid_create(&g, &j), STATUS_OK);
    assert_int_equal(g.units, 2 * METHODS * 3 * 5);
    int64_t id = 0;
    for (int d = 0; d < 2; d++)
        for (int m = 0; m < METHODS; m++)
            for (int n = 0; n < 3; n++)
                for (int t = 0; t < 5; t++, id++) {
                    struct unit u = grid_unit(&g, id);
                    assert_true(u.dataset == d && u.method == m && u.budget == n && u.realization == t);
                    assert_int_equal(grid_id(&g, u), id);
                }
}

static void test_too_many(void **state)
{
    (void)state;
    struct job j = make_job();
    struct grid g;
    j.trials = 1000000000;
    assert_int_equal(grid_create(&g, &j), STATUS_INPUT);
    assert_non_null(strstr(status_message(), "too many units"));
    status_clear();
}

static void test_schedule(void **state)
{
    (void)state;
    struct job j = make_job();
    struct grid g;
    int64_t order[2 * METHODS * 3 * 5], count;
    bool seen[2 * METHODS * 3 * 5] = {false}, finished[2 * METHODS * 3 * 5] = {false};
    assert_int_equal(grid_create(&g, &j), STATUS_OK);
    assert_int_equal(grid_schedule(order, &count, &g, &j, CELLS, NULL), STATUS_OK);
    assert_int_equal(count, g.units);
    for (int64_t i = 0; i < count; i++) {
        assert_false(seen[order[i]]);
        seen[order[i]] = true;
        if (i == 0) continue;
        double before = grid_work(&j, grid_unit(&g, order[i - 1]), CELLS), now = grid_work(&j, grid_unit(&g, order[i]), CELLS);
        assert_true(before > now || (before == now && order[i - 1] < order[i]));
    }
    struct unit first = grid_unit(&g, order[0]), last = grid_unit(&g, order[count - 1]);
    assert_true(methods[first.method].sampler == SAMPLER_FTS && budgets[first.budget] == 170);
    assert_int_equal(methods[last.method].predictor, PREDICTOR_RANDOM);

    for (int64_t id = 0; id < g.units; id += 2) finished[id] = true;
    assert_int_equal(grid_schedule(order, &count, &g, &j, CELLS, finished), STATUS_OK);
    assert_int_equal(count, g.units / 2);
    for (int64_t i = 0; i < count; i++) assert_int_equal(order[i] % 2, 1);
}

/* Dearer methods and larger budgets take longer. */
static void test_work(void **state)
{
    (void)state;
    struct job j = make_job();
    for (int m = 0; m < METHODS; m++)
        for (int n = 0; n < 3; n++) {
            double here = grid_work(&j, (struct unit){0, m, n, 0}, CELLS);
            assert_true(here > 0);
            if (m > 0) assert_true(here > grid_work(&j, (struct unit){0, m - 1, n, 0}, CELLS));
            if (n > 0 && m > 0) assert_true(here > grid_work(&j, (struct unit){0, m, n - 1, 0}, CELLS));
        }
}

static void test_cost_bound(void **state)
{
    (void)state;
    struct job j = make_job();
    struct candidate_cost lot = grid_cost_bound(&j, (struct unit){0, 0, 1, 0}), naive = grid_cost_bound(&j, (struct unit){0, 1, 1, 0}),
                          siamese = grid_cost_bound(&j, (struct unit){0, 2, 1, 0}), bts = grid_cost_bound(&j, (struct unit){0, 4, 1, 0});
    assert_true(lot.trainings == 200 && lot.codes == 0);
    assert_true(naive.trainings == 300 && naive.codes == 0);
    assert_true(siamese.trainings == 300 && siamese.codes == 97 + 3 * 30 + 60);
    assert_true(bts.trainings == 300 && bts.codes == 97 + 13 * 30 + 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids), cmocka_unit_test(test_too_many), cmocka_unit_test(test_schedule),
        cmocka_unit_test(test_work), cmocka_unit_test(test_cost_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
