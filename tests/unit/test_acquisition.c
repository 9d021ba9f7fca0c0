/* What is worth a training: the formulas, who is chosen, and what a trial makes of it. */
#include "ranks.h"

#include "acquisition.h"
#include "scratch.h"
#include "traits.h"
#include "trial_fixture.h"

#include <math.h>

/* Expected improvement against an integral, and its logarithm where it is too small to be one. */
static void test_improvement(void **state)
{
    (void)state;
    static const double mean[] = {-4, -0.3, 0, 0.7, 3}, deviation[] = {0.2, 1, 2.5};
    for (int m = 0; m < 5; m++)
        for (int d = 0; d < 3; d++) {
            double sum = 0;
            const double step = deviation[d] / 2000, z0 = (1 - mean[m]) / deviation[d];
            if (z0 > 7) continue;
            for (int i = 0; i < 40000; i++) { /* over what is better than the incumbent 1 */
                const double y = 1 + (i + 0.5) * step, z = (y - mean[m]) / deviation[d];
                sum += (y - 1) * exp(-0.5 * z * z) / (deviation[d] * sqrt(2 * acos(-1))) * step;
            }
            assert_true(fabs(acquisition_improvement(mean[m], deviation[d], 1) - log(sum)) < 1e-4);
        }
    double last = acquisition_improvement(0, 1, 0);
    for (double far = 0.01; far < 200; far *= 1.01) { /* falls without end, also across the place where the formula changes */
        const double now = acquisition_improvement(-far, 1, 0);
        assert_true(isfinite(now) && now < last);
        last = now;
    }
    const double near = acquisition_improvement(-24.9999999, 1, 0), beyond = acquisition_improvement(-25.0000001, 1, 0);
    assert_true(fabs(near - beyond) < 1e-5);
}

static struct predictor *taught(enum predictor_kind kind, const int64_t *cell, int n)
{
    struct trial_settings set = settings(false);
    struct predictor *p;
    float label[N_MAX], code[N_MAX * 3];
    for (int i = 0; i < n; i++) {
        label[i] = (float)(space.accuracy[cell[i]] / 100);
        for (int e = 0; e < 3; e++) code[i * 3 + e] = (float)space.early_loss[cell[i] * space.code_length + e];
    }
    const struct predictor_pool pool = {&space, n, cell, label, code};
    assert_int_equal(predictor_create(&p, kind, &space, 3, &set, N_MAX, MPI_COMM_SELF), STATUS_OK);
    predictor_start(p, 1, 1, 20);
    assert_int_equal(predictor_fit(p, &pool, NULL, NULL), STATUS_OK);
    return p;
}

/* The best by one look at every cell. */
static void test_choice(void **state)
{
    (void)state;
    static const enum sampler_kind sampler[] = {SAMPLER_EI, SAMPLER_UCB};
    static uint8_t trained[CELLS];
    int64_t cell[20];
    struct group group;
    struct random_stream stream;
    struct candidate *candidate;
    struct acquisition *a;
    MPI_ASSERT(group_create(&group, MPI_COMM_WORLD, ranks) == STATUS_OK);
    memset(trained, 0, sizeof trained);
    for (int i = 0; i < 20; i++) trained[cell[i] = i * 14 + 3] = 1;
    struct predictor *p = taught(PREDICTOR_GP, cell, 20);
    const struct traits *traits = predictor_traits(p);
    assert_true(predictor_believes(p) && traits != NULL);
    MPI_ASSERT(candidate_create(&candidate, &space, &options[0]) == STATUS_OK);
    MPI_ASSERT(acquisition_create(&a, &group, &space, 3, 5, 10, NULL) == STATUS_OK);
    random_open(&stream, 3, 0, 0, RANDOM_TWIN);
    acquisition_start(a, &stream, &stream);
    const double incumbent = predictor_incumbent(p);
    for (int s = 0; s < 2; s++) {
        const struct acquisition_question q = {sampler[s], 1.5, trained, 0};
        int64_t chosen[5];
        float score[5];
        int found;
        double best = -INFINITY, worth[CELLS];
        for (int64_t i = 0; i < CELLS; i++) {
            double mean, variance;
            assert_int_equal(predictor_believe(p, &mean, &variance, &(struct predictor_batch){&space, 1, &i, NULL}), STATUS_OK);
            worth[i] = s == 0 ? acquisition_improvement(mean, sqrt(variance), incumbent) : mean + 1.5 * sqrt(variance);
            if (!trained[i] && worth[i] > best) best = worth[i];
        }
        MPI_ASSERT(acquisition_choose(chosen, score, &found, a, p, &q, false, 5) == STATUS_OK && found == 5);
        MPI_ASSERT(fabs(worth[chosen[0]] - best) < 1e-9);
        for (int i = 0; i < 5; i++) {
            float expected;
            assert_false(trained[chosen[i]]);
            for (int k = 0; k < i; k++) assert_true(chosen[k] != chosen[i]);
            predictor_score(p, &expected, &(struct predictor_batch){&space, 1, &chosen[i], NULL});
            assert_true(score[i] == expected);
        }
        /* side by side they are spread: a twin of the first tells little more */
        for (int i = 1; i < 5 && s == 0; i++) assert_true(traits->class_of[chosen[i]] != traits->class_of[chosen[0]]);

        /* codes of the best by the basic branch, each once; then only these can be chosen by code */
        const int64_t before = candidate_cost(candidate).codes;
        MPI_ASSERT(acquisition_explore(a, p, candidate, &q, 10) == STATUS_OK);
        assert_int_equal(candidate_cost(candidate).codes, before + 10);
        MPI_ASSERT(acquisition_choose(chosen, score, &found, a, p, &q, true, 5) == STATUS_OK && found == 5);
        for (int i = 0; i < 5; i++) assert_non_null(acquisition_code(a, chosen[i]));
        assert_int_equal(candidate_cost(candidate).codes, before + 10);
        assert_int_equal(candidate_cost(candidate).trainings, 0);
    }
    acquisition_destroy(&a);
    assert_null(a);
    candidate_destroy(&candidate);
    predictor_destroy(&p);
    group_destroy(&group);
}

/* A trial trains N cells, none twice, and pays for what it says; a longer one begins like a shorter one would not: N is a key of its
 * random numbers. */
static void test_trial(void **state)
{
    (void)state;
    ON_RANK(0);
    static const enum sampler_kind sampler[] = {SAMPLER_RANDOM, SAMPLER_EI, SAMPLER_TS, SAMPLER_UCB};
    struct trial_settings set = settings(false);
    set.acquisition.design_pool = 40;
    for (int s = 0; s < 4; s++)
        for (int codes = 0; codes <= 12; codes += 12)
            for (int batch = 1; batch <= 4; batch += 3) {
                set.acquisition.codes = codes, set.acquisition.batch = batch;
                struct bench b = bench_create(&set, &options[0], NULL);
                const struct trial_spec spec = spec_of(PREDICTOR_GP, sampler[s], 21, 1);
                struct plain_result r = run(&b, &spec);
                assert_int_equal(r.pool_size, 21);
                assert_int_equal(r.training_cost.trainings, 21);
                for (int i = 0; i < 21; i++)
                    for (int k = 0; k < i; k++) assert_true(r.pool[i] != r.pool[k]);
                const int64_t rounds = (21 - 6 + batch - 1) / batch;
                if (s == 0) assert_int_equal(r.training_cost.codes, 21);
                else assert_in_range(r.training_cost.codes, 40, 40 + 21 + rounds * codes);
                bench_destroy(&b);
                fixture_release();
            }
}

/* It finds the best of a space where random search does not. */
static void test_finds(void **state)
{
    (void)state;
    ON_RANK(1);
    const struct trial_settings set = settings(false);
    double best = 0;
    int found[2] = {0};
    for (int64_t i = 0; i < CELLS; i++) best = fmax(best, space.accuracy[i] / 100);
    struct bench b = bench_create(&set, &options[0], NULL);
    for (uint32_t trial = 1; trial <= 12; trial++)
        for (int s = 0; s < 2; s++) {
            const struct trial_spec spec = spec_of(PREDICTOR_GP_PATHS, s == 0 ? SAMPLER_EI : SAMPLER_RANDOM, 40, trial);
            struct plain_result r = run(&b, &spec);
            for (int i = 0; i < r.pool_size; i++) found[s] += space.accuracy[r.pool[i]] / 100 == best;
        }
    assert_true(found[0] >= 8 && found[0] > 2 * found[1]);
    bench_destroy(&b);
    fixture_release();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begin), cmocka_unit_test(test_improvement), cmocka_unit_test(test_choice), cmocka_unit_test(test_trial),
        cmocka_unit_test(test_finds), cmocka_unit_test(end),
    };
    RANKS_MAIN(tests);
}
