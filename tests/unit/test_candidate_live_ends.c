/* Candidates that are measured when they are asked for: what ends a run or is refused before, and who is served meanwhile. */
#include "ranks.h"

#include "candidate_live_fixture.h"

/* -- what ends a run ---------------------------------------------------------------------------------------------- */

static bool message_says(const char *part)
{
    bool says = strstr(status_message(), part) != NULL;
    if (!says) fprintf(stderr, "[rank %d] '%s' does not say %s\n", rank, status_message(), part);
    status_clear();
    return says;
}

/* One trainer breaks: all ranks of the group hear of it, and what the others have done is not lost. */
static void test_broken_measurer(void **state)
{
    (void)state;
    int64_t cell[30];
    for (int i = 0; i < 30; i++) cell[i] = i;
    for (int team = 1; team <= 2; team++) {
        struct live_bench b;
        int total[MEASUREMENT_KINDS][CELLS];
        bool kept = true;
        status_clear();
        bench_open(&b, "broken.ledger", ranks, team, false, &losses);
        b.fake.breaks = 20;
        MPI_ASSERT(candidate_train(b.candidate, NULL, NULL, cell, 30) == STATUS_FAILURE);
        MPI_ASSERT(message_says("cell 20 broke the trainer"));
        count_calls(total, &b);
        for (int i = 0; i < 30; i++) {
            struct measurement m;
            assert_int_equal(ledger_read(&m, b.ledger, i, MEASUREMENT_TRAINING), STATUS_OK);
            kept = kept && (m.outcome == MEASUREMENT_DONE) == (total[MEASUREMENT_TRAINING][i] == 1 && i != 20);
        }
        MPI_ASSERT(kept && total[MEASUREMENT_TRAINING][19] == 1);
        b.fake.breaks = -1; /* mended: it goes on with the rest */
        stop_open(false, -1);
        MPI_ASSERT(candidate_train(b.candidate, NULL, NULL, cell, 30) == STATUS_OK);
        count_calls(total, &b);
        for (int i = 0; i < 30; i++) kept = kept && total[MEASUREMENT_TRAINING][i] == (i == 20 ? 2 : 1);
        MPI_ASSERT(kept);
        bench_close(&b);
        forget_ledger("broken.ledger");
    }
}

static void expect_code_refused(int given, bool no_validation, const char *part)
{
    const struct candidate_options o = {0, true, "early_loss", 3, CODE_RAW};
    struct live_bench b;
    status_clear();
    bench_open(&b, "short.ledger", ranks, 1, false, &o);
    b.fake.losses = given;
    b.fake.no_validation = no_validation;
    if (no_validation) MPI_ASSERT(candidate_train(b.candidate, NULL, NULL, &(int64_t){3}, 1) == STATUS_INPUT);
    else MPI_ASSERT(candidate_code(b.candidate, (float[3]){0}, &(int64_t){3}, 1) == STATUS_INPUT);
    MPI_ASSERT(message_says(part));
    bench_close(&b);
    forget_ledger("short.ledger");
}

static void test_refusals(void **state)
{
    (void)state;
    expect_code_refused(2, false, "2 losses, but space.code_length = 3");
    expect_code_refused(3, true, "no validation accuracy");
    struct candidate *c;
    const struct candidate_source none = {.classes = 1};
    const struct candidate_options unknown = {0, false, "no_such", 3, CODE_RAW}, many = {0, false, "early_loss", 65, CODE_RAW};
    assert_int_equal(candidate_create_live(&c, &space, &unknown, &none), STATUS_INPUT);
    assert_null(c);
    MPI_ASSERT(message_says("no_such"));
    assert_int_equal(candidate_create_live(&c, &space, &many, &none), STATUS_INPUT);
    assert_null(c);
    MPI_ASSERT(message_says("at most 64"));
}

/* Only a code of signals can be missing before anything is measured. */
static void test_missing(void **state)
{
    (void)state;
    bool kept[CELLS];
    int64_t missing;
    const struct candidate_options signal = {0, false, "zeta1", 3, CODE_RAW}, unknown = {0, false, "no_such", 3, CODE_RAW};
    double *value = space.signal[space_find_signal(&space, "zeta1")].value, before = value[6];
    memset(kept, true, sizeof kept);
    value[6] = NAN;
    MPI_ASSERT(candidate_missing_live(&missing, &space, &losses, true, kept) == STATUS_OK && missing == 0);
    MPI_ASSERT(candidate_missing_live(&missing, &space, &signal, false, kept) == STATUS_OK && missing == 0);
    MPI_ASSERT(candidate_missing_live(&missing, &space, &signal, true, kept) == STATUS_OK && missing == 1 && !kept[6] && kept[7]);
    MPI_ASSERT(candidate_missing_live(&missing, &space, &unknown, true, kept) == STATUS_INPUT);
    status_clear();
    value[6] = before;
}

/* -- others meanwhile --------------------------------------------------------------------------------------------- */

static void count_beat(void *beats)
{
    ++*(int *)beats;
}

/* A rank that has nothing to measure, since others have claimed it, serves whoever waits for it. */
static void test_pulse(void **state)
{
    (void)state;
    struct live_bench b;
    int beats = 0, least;
    const struct pulse pulse = {count_beat, &beats};
    bench_open(&b, "pulse.ledger", 1, 1, false, &losses);
    candidate_destroy(&b.candidate);
    b.from.pulse = &pulse;
    b.fake.slow = true;
    MPI_ASSERT(candidate_create_live(&b.candidate, &space, &losses, &b.from) == STATUS_OK);
    MPI_ASSERT(candidate_train(b.candidate, NULL, NULL, (int64_t[]){1, 2, 3}, 3) == STATUS_OK);
    MPI_Allreduce(&beats, &least, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    MPI_ASSERT(least > 0);
    bench_close(&b);
    forget_ledger("pulse.ledger");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_up), cmocka_unit_test(test_broken_measurer), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_missing), cmocka_unit_test(test_pulse), cmocka_unit_test(tear_down),
    };
    RANKS_MAIN(tests);
}
