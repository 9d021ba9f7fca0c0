/* Candidates that are measured when they are asked for: the values and the account of a table, whoever measures and however
 * many ranks there are; every distinct cell once; what failed, diverged or was known before. */
#include "ranks.h"

#include "candidate_live_fixture.h"

/* -- against a table ---------------------------------------------------------------------------------------------- */

static bool same_cost(const struct candidate *a, const struct candidate *b)
{
    return candidate_cost(a).trainings == candidate_cost(b).trainings && candidate_cost(a).codes == candidate_cost(b).codes;
}

/* The same random purchases of a live candidate and of a table's, in two accounts. */
static void compare_purchases(struct live_bench *b, const struct candidate_options *o)
{
    struct candidate *table;
    struct random_stream r;
    MPI_ASSERT(candidate_create(&table, &space, o) == STATUS_OK);
    MPI_ASSERT(b->group.idle || candidate_code_length(b->candidate) == candidate_code_length(table));
    random_open(&r, 4, 0, 0, RANDOM_TEST);
    for (int round = 0; round < 12; round++) {
        int64_t cell[9];
        double label[2][9], accuracy[2][9];
        float code[2][9 * 4];
        const int n = (int)random_below(&r, 10);
        for (int i = 0; i < n; i++) cell[i] = random_below(&r, 40);
        if (round == 6) candidate_reset(table);
        candidate_train(table, label[0], accuracy[0], cell, n);
        candidate_code(table, code[0], cell, n);
        bool good = true;
        if (!b->group.idle) {
            if (round == 6) candidate_reset(b->candidate);
            if (round % 3 == 0) good = candidate_expect(b->candidate, MEASUREMENT_TRAINING, cell, n) == STATUS_OK; /* costs nothing */
            good = good && candidate_train(b->candidate, label[1], accuracy[1], cell, n) == STATUS_OK;
            good = good && candidate_code(b->candidate, code[1], cell, n) == STATUS_OK;
            good = good && memcmp(label[0], label[1], (size_t)n * sizeof(double)) == 0 &&
                   memcmp(accuracy[0], accuracy[1], (size_t)n * sizeof(double)) == 0 &&
                   memcmp(code[0], code[1], (size_t)(n * candidate_code_length(table)) * sizeof(float)) == 0;
            good = good && same_cost(table, b->candidate);
        }
        MPI_ASSERT(good);
    }
    candidate_destroy(&table);
}

static void test_same_as_table(void **state)
{
    (void)state;
    static const struct candidate_options kinds[] = {
        {0, false, "early_loss", 3, CODE_RAW}, {0, true, "early_loss", 4, CODE_LOG}, {0, false, "zeta1,flops", 1, CODE_LOG}};
    static const int layout[][2] = {{1, 1}, {2, 1}, {2, 2}, {3, 1}, {3, 2}, {7, 2}, {100, 1}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t i = 0; i < sizeof layout / sizeof *layout; i++) {
            struct live_bench b;
            int total[MEASUREMENT_KINDS][CELLS];
            bool once = true;
            bench_open(&b, "table.ledger", layout[i][0], layout[i][1], false, &kinds[k]);
            compare_purchases(&b, &kinds[k]);
            count_calls(total, &b); /* although all groups ask for the same at the same time */
            for (int cell = 0; cell < CELLS; cell++)
                once = once && total[MEASUREMENT_TRAINING][cell] <= 1 && total[MEASUREMENT_CODE][cell] <= (k < 2);
            MPI_ASSERT(once);
            bench_close(&b);
            forget_ledger("table.ledger");
        }
}

/* A whole trial finds and pays what it does with a table. */
static void test_trials(void **state)
{
    (void)state;
    const struct trial_settings set = settings(false);
    struct bench table = bench_create(&set, &losses, NULL);
    for (int members = 1; members <= ranks; members++)
        for (int p = 0; p < PREDICTOR_KINDS; p++) {
            const enum sampler_kind s = p % 2 == 0 ? SAMPLER_RANDOM : is_method(p, SAMPLER_BTS, false) ? SAMPLER_BTS : SAMPLER_EI;
            if (!is_method(p, s, false)) continue;
            const struct trial_spec spec = spec_of((enum predictor_kind)p, s, 24, 3);
            struct plain_result expected = run(&table, &spec);
            struct live_bench b;
            struct trial *trial = NULL;
            bench_open(&b, "trial.ledger", members, 1 + members / 3, false, &losses);
            MPI_ASSERT(b.group.idle || trial_create(&trial, &b.group, &space, &set, N_MAX, NULL) == STATUS_OK);
            struct trial_result result;
            MPI_ASSERT(b.group.idle || trial_run(&result, trial, b.candidate, &spec) == STATUS_OK);
            if (b.group.rank == 0) {
                struct plain_result got = keep(&result);
                assert_true(isnan(got.rho) && isnan(got.tau) && isnan(got.tau_top));
                expected.rho = expected.tau = expected.tau_top = NAN;
                expect_same(&got, &expected, &spec);
            }
            MPI_Barrier(MPI_COMM_WORLD);
            trial_destroy(&trial);
            bench_close(&b);
            if (p % 2 == 1) forget_ledger("trial.ledger"); /* whatever the ledger knows */
        }
    bench_destroy(&table);
    fixture_release();
}

/* -- each distinct cell once -------------------------------------------------------------------------------------- */

static void test_classes(void **state)
{
    (void)state;
    int64_t cell[MAPPED];
    double accuracy[MAPPED];
    float code[MAPPED * 3];
    for (int i = 0; i < MAPPED; i++) cell[i] = i;
    for (int size = 1; size <= 3; size++) {
        struct live_bench b;
        struct candidate_tally tally;
        int total[MEASUREMENT_KINDS][CELLS];
        bench_open(&b, "classes.ledger", size, 1, true, &losses);
        b.fake.slow = true;
        bool good = b.group.idle || (candidate_code(b.candidate, code, cell, MAPPED) == STATUS_OK &&
                                     candidate_train(b.candidate, NULL, accuracy, cell, MAPPED) == STATUS_OK);
        for (int i = 0; i < MAPPED && good && !b.group.idle; i++)
            good = accuracy[i] == space.accuracy[i % CLASSES] / 100 &&
                   code[i * 3 + 2] == (float)space.early_loss[i % CLASSES * space.code_length + 2];
        MPI_ASSERT(good);
        MPI_ASSERT(b.group.idle || candidate_cost(b.candidate).trainings == MAPPED); /* every cell is paid for */
        MPI_ASSERT(b.group.idle || candidate_cost(b.candidate).codes == MAPPED);
        count_calls(total, &b);
        for (int i = 0; i < CELLS; i++)
            for (int kind = 0; kind < MEASUREMENT_KINDS; kind++) good = good && total[kind][i] == (size == 1 && i < CLASSES);
        MPI_ASSERT(good); /* only the first time: then the ledger knows them all */
        MPI_ASSERT(candidate_tally(&tally, b.candidate, CLASSES, MPI_COMM_WORLD) == STATUS_OK);
        for (int kind = 0; kind < MEASUREMENT_KINDS; kind++) {
            const int64_t here = size == 1 ? CLASSES : 0;
            MPI_ASSERT(tally.measured[kind] == here && tally.known[kind] == CLASSES - here);
            MPI_ASSERT(tally.diverged[kind] == 0 && tally.failed[kind] == 0);
        }
        bench_close(&b);
    }
    forget_ledger("classes.ledger");
}

/* -- diverged and failed ------------------------------------------------------------------------------------------ */

static void test_diverged_and_failed(void **state)
{
    (void)state;
    const int64_t cell[] = {7, 8, 9};
    for (int pass = 0; pass < 4; pass++) { /* measured, then from the ledger; raw, then the logarithm */
        const struct candidate_options o = {0, true, "early_loss", 3, pass / 2 == 0 ? CODE_RAW : CODE_LOG};
        struct live_bench b;
        struct candidate_tally tally;
        double label[3], accuracy[3];
        float code[9];
        bench_open(&b, "diverged.ledger", 2, 1, false, &o);
        b.fake.diverges = 7, b.fake.fails = 9;
        bool good = b.group.idle || (candidate_train(b.candidate, label, accuracy, cell, 3) == STATUS_OK &&
                                     candidate_code(b.candidate, code, cell, 3) == STATUS_OK);
        MPI_ASSERT(good);
        if (!b.group.idle) {
            good = label[0] == 0 && accuracy[0] == 0 && label[2] == 0 && accuracy[2] == 0 && accuracy[1] == space.accuracy[8] / 100 &&
                   label[1] == space.validation_accuracy[8] / 100;
            const float expected[] = {2.25f, 10, 10, 0, 0, 0, 10, 10, 10};
            for (int i = 0; i < 9; i++)
                good = good && (i / 3 == 1 || code[i] == (pass / 2 == 0 ? expected[i] : (float)log((double)expected[i])));
            good = good && candidate_cost(b.candidate).trainings == 3 && candidate_cost(b.candidate).codes == 3;
        }
        MPI_ASSERT(good);
        MPI_ASSERT(candidate_tally(&tally, b.candidate, CELLS, MPI_COMM_WORLD) == STATUS_OK);
        for (int kind = 0; kind < MEASUREMENT_KINDS; kind++)
            MPI_ASSERT(tally.diverged[kind] == 1 && tally.failed[kind] == 1 && tally.measured[kind] == (pass == 0 ? 3 : 0));
        bench_close(&b);
    }
    forget_ledger("diverged.ledger");
}

/* A loss that has no logarithm still makes a code. */
static void test_no_logarithm(void **state)
{
    (void)state;
    const struct candidate_options o = {0, false, "early_loss", 2, CODE_LOG};
    struct live_bench b;
    float code[2];
    double *loss = &space.early_loss[11 * space.code_length], before[2] = {loss[0], loss[1]};
    bench_open(&b, "logarithm.ledger", 1, 1, false, &o);
    loss[0] = 0, loss[1] = -1;
    MPI_ASSERT(b.group.idle || candidate_code(b.candidate, code, &(int64_t){11}, 1) == STATUS_OK);
    MPI_ASSERT(isfinite(code[0]) && code[0] < -20 && code[1] == code[0]);
    loss[0] = before[0], loss[1] = before[1];
    bench_close(&b);
    forget_ledger("logarithm.ledger");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_up), cmocka_unit_test(test_same_as_table), cmocka_unit_test(test_trials), cmocka_unit_test(test_classes),
        cmocka_unit_test(test_diverged_and_failed), cmocka_unit_test(test_no_logarithm), cmocka_unit_test(tear_down),
    };
    RANKS_MAIN(tests);
}
