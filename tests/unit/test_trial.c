/* A trial: against the step-by-step version of plain_search.h, bit by bit; and the promise that only space, candidate,
 * settings and spec matter: not the group's size, nor what ran before. Costs: test_trial_cost.c. */
#include "ranks.h"

#include "scratch.h"
#include "siamese_file.h"
#include "trial_fixture.h"

/* ---- the trial against the method, step by step ----------------------------------------------------------------- */
static void test_plain(void **state)
{
    (void)state;
    int done = 0;
    for (int p = 0; p < PREDICTOR_KINDS; p++)
        for (int s = 0; s < SAMPLER_KINDS; s++)
            for (int n = 4; n <= 44; n += 20) {
                if (!is_method(p, s, true)) continue;
                if (done++ % ranks != rank) continue; /* the ranks share the cases */
                const struct candidate_options *o = &options[done % 3];
                const struct trial_spec spec = spec_of((enum predictor_kind)p, (enum sampler_kind)s, n, (uint32_t)n);
                const struct trial_settings set = settings(p == PREDICTOR_NAIVE && n == 24);
                struct bench b = bench_create(&set, o, NULL);
                struct plain_result got = run(&b, &spec), expected;
                plain_trial(&expected, &space, o, &set, &spec);
                expect_same(&got, &expected, &spec);
                bench_destroy(&b);
                fixture_release();
            }
    MPI_ASSERT(done == 30);
}

/* ---- nothing else matters --------------------------------------------------------------------------------------- */
static void test_repeat(void **state)
{
    (void)state;
    ON_RANK(0);
    const struct trial_settings set = settings(false);
    struct bench b = bench_create(&set, &options[0], NULL), fresh = bench_create(&set, &options[0], NULL);
    struct candidate *other, *first = b.candidate;
    assert_int_equal(candidate_create(&other, &space, &options[1]), STATUS_OK);
    for (int s = 0; s <= SAMPLER_FTS; s++) {
        const struct trial_spec spec = spec_of(PREDICTOR_SIAMESE_NSAM, (enum sampler_kind)s, 20, 2);
        struct plain_result before = run(&b, &spec), again = run(&b, &spec), only = run(&fresh, &spec);
        expect_same(&before, &again, &spec);
        expect_same(&before, &only, &spec);
        for (int p = 0; p < PREDICTOR_KINDS; p++) { /* other predictors, budgets, trials, and a code of another length */
            const int n = p == 0 ? N_MAX : 27;
            if (!is_method(p, SAMPLER_RANDOM, false)) continue;
            const struct trial_spec between = spec_of((enum predictor_kind)p, SAMPLER_RANDOM, n, (uint32_t)p);
            b.candidate = p % 2 == 0 ? other : first;
            run(&b, &between);
        }
        b.candidate = first;
        again = run(&b, &spec);
        expect_same(&before, &again, &spec);
    }
    candidate_destroy(&other);
    bench_destroy(&b);
    bench_destroy(&fresh);
    fixture_release();
}

/* The result of groups of every size is that of one rank. */
static void test_groups(void **state)
{
    (void)state;
    const struct trial_settings set = settings(false);
    struct bench alone = bench_create(&set, &options[0], NULL);
    for (int members = 1; members <= ranks; members++) {
        struct group group;
        struct trial *trial = NULL;
        struct candidate *candidate;
        MPI_ASSERT(group_create(&group, MPI_COMM_WORLD, members) == STATUS_OK);
        MPI_ASSERT(candidate_create(&candidate, &space, &options[0]) == STATUS_OK);
        MPI_ASSERT(group.idle || trial_create(&trial, &group, &space, &set, N_MAX, NULL) == STATUS_OK);
        for (int p = 0; p < PREDICTOR_KINDS; p++)
            for (int s = 0; s < SAMPLER_KINDS; s++) {
                /* beyond the paper's once a number of ranks: test_rounds.c, test_walk.c and test_acquisition.c look closer */
                if (!is_method(p, s, members == 1 || members < ranks)) continue;
                /* each group has a trial of its own */
                const uint32_t number = (uint32_t)group.index;
                const struct trial_spec spec = spec_of((enum predictor_kind)p, (enum sampler_kind)s, 24, number);
                struct trial_result r;
                MPI_ASSERT(group.idle || trial_run(&r, trial, candidate, &spec) == STATUS_OK);
                if (group.rank == 0) {
                    struct plain_result got = keep(&r), expected = run(&alone, &spec);
                    expect_same(&got, &expected, &spec);
                }
            }
        trial_destroy(&trial);
        candidate_destroy(&candidate);
        group_destroy(&group);
    }
    bench_destroy(&alone);
    fixture_release();
}

/* ---- the predictor that is left ---------------------------------------------------------------------------------- */
/* It gives the scores that the cells were chosen by, also after a way over a file. */
static void test_predictor(void **state)
{
    (void)state;
    ON_RANK(2);
    const struct trial_settings set = settings(false);
    struct bench b = bench_create(&set, &options[0], NULL);
    const struct trial_spec spec = spec_of(PREDICTOR_SIAMESE_NSAM, SAMPLER_BTS, 20, 1);
    struct plain_result r = run(&b, &spec);
    struct siamese *weights;
    struct predictor *p = trial_predictor(b.trial), *again;
    char *vocabulary;
    assert_int_equal(scratch_open(state), 0);
    assert_int_equal(predictor_save(p, &space, scratch("weights")), STATUS_OK);
    assert_int_equal(siamese_file_read(&weights, &vocabulary, scratch("weights")), STATUS_OK);
    assert_string_equal(vocabulary, "op_0 op_1 op_2 op_3 op_4");
    assert_int_equal(predictor_adopt(&again, weights, &space), STATUS_OK);
    predictor_prepare(again);
    assert_true(predictor_rescores(again));
    for (int k = 0; k < set.k_max; k++) {
        float score[2], code[3];
        for (int e = 0; e < 3; e++) code[e] = (float)space.early_loss[r.chosen[k] * space.code_length + e];
        const struct predictor_batch one = {&space, 1, &r.chosen[k], code};
        for (int i = 0; i < 2; i++) {
            if (k < set.c_evaluate) predictor_rescore(i == 0 ? p : again, &score[i], &one);
            else predictor_score(i == 0 ? p : again, &score[i], &one);
            assert_true((double)score[i] == r.score[k]);
        }
    }
    free(vocabulary);
    predictor_destroy(&again);
    scratch_close(state);
    bench_destroy(&b);
    fixture_release();
}

/* ---- odd cases -------------------------------------------------------------------------------------------------- */
/* A predictor that reads a code, on a space without losses. */
static void test_no_code(void **state)
{
    (void)state;
    ON_RANK(1);
    struct space poor = space;
    poor.early_loss = NULL;
    poor.code_length = 0;
    const struct trial_settings set = settings(false);
    struct bench b = bench_create(&set, &options[0], NULL);
    struct trial_result r;
    trial_destroy(&b.trial);
    candidate_destroy(&b.candidate);
    assert_int_equal(trial_create(&b.trial, &b.group, &poor, &set, N_MAX, NULL), STATUS_OK);
    assert_int_equal(candidate_create(&b.candidate, &poor, &options[0]), STATUS_OK);
    struct trial_spec spec = spec_of(PREDICTOR_SIAMESE, SAMPLER_RANDOM, 20, 1);
    status_clear();
    assert_int_equal(trial_run(&r, b.trial, b.candidate, &spec), STATUS_INPUT);
    assert_non_null(strstr(status_message(), poor.path));
    status_clear();
    spec.method.predictor = PREDICTOR_NAIVE; /* needs none, and goes on after the refusal */
    assert_int_equal(trial_run(&r, b.trial, b.candidate, &spec), STATUS_OK);
    assert_int_equal(r.training_cost.codes + r.codes_evaluate, 0);
    bench_destroy(&b);
    fixture_release();
}

/* A part so small that the rounds run out of new cells: the pool stays short, and nothing is charged for what is not there. */
static void test_short(void **state)
{
    (void)state;
    ON_RANK(2);
    struct trial_settings set = settings(false);
    set.part = 0.004; /* one cell */
    struct bench b = bench_create(&set, &options[0], NULL);
    const struct trial_spec spec = spec_of(PREDICTOR_NAIVE, SAMPLER_BTS, 53, 1);
    struct plain_result r = run(&b, &spec);
    assert_in_range(r.pool_size, 15, 25);
    assert_in_range(r.training_cost.trainings, r.pool_size, r.pool_size + 1);
    bench_destroy(&b);
    fixture_release();
}

/* It learns: chosen cells are better than cells chosen by lot. */
static void test_learns(void **state)
{
    (void)state;
    ON_RANK(3);
    const struct trial_settings set = settings(true);
    struct bench b = bench_create(&set, &options[0], NULL);
    struct trial_spec spec = spec_of(PREDICTOR_SIAMESE_NSAM, SAMPLER_BTS, 40, 1);
    struct plain_result r = run(&b, &spec);
    assert_true(r.rho > 0.5 && r.tau > 0.3 && r.rho <= 1 && r.tau <= 1);
    spec.method = (struct method){PREDICTOR_RANDOM, SAMPLER_RANDOM};
    struct plain_result lot = run(&b, &spec);
    assert_true(fabs(lot.rho) < 0.2 && fabs(lot.tau) < 0.2);
    assert_true(r.best[9] > lot.best[9] && r.best[9] <= candidate_oracle(b.candidate));
    bench_destroy(&b);
    fixture_release();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begin), cmocka_unit_test(test_plain), cmocka_unit_test(test_repeat), cmocka_unit_test(test_groups),
        cmocka_unit_test(test_predictor), cmocka_unit_test(test_no_code), cmocka_unit_test(test_short),
        cmocka_unit_test(test_learns), cmocka_unit_test(end),
    };
    RANKS_MAIN(tests);
}
