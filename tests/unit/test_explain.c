/* A trial told: the one that was chosen, its numbers, when the chosen cells were paid, refusals. */
#include "explain.h"

#include "results_fixture.h"

static char path[300];

static void make(const char *name, bool (*wanted)(int64_t), int result)
{
    struct fixture f;
    enum results_state found;
    fixture_make(&f, name, 4, 3);
    assert_int_equal(fixture_run(&f, wanted, result, &found, 1), result);
    snprintf(path, sizeof path, "%s", f.output);
}

static void read_trial(struct explanation *e, int trial, const char *dataset, const char *method, int n, int k)
{
    const struct explain_choice choice = {trial, dataset, method, n, k};
    const int status = explain_read(e, path, &choice);
    if (status != STATUS_OK) print_error("%s\n", status_message());
    assert_int_equal(status, STATUS_OK);
}

static void test_defaults(void **state)
{
    (void)state;
    struct explanation e;
    make("explain.nc", fixture_all, STATUS_OK);
    read_trial(&e, 5, NULL, NULL, 0, 0);
    assert_string_equal(e.method, "siamese+nsam+bts");
    assert_int_equal(e.dataset, 0);
    assert_int_equal(e.n, 12);
    assert_int_equal(e.k, 5);
    assert_int_equal(e.pool, 9);
    assert_int_equal(e.queries, 18);
    assert_int_equal(e.codes, 15);
    explain_destroy(&e);
}

/* Every number of a trial in the middle of the file. */
static void test_numbers(void **state)
{
    (void)state;
    struct explanation e;
    const int number = ((1 * 2 + 0) * 2 + 1) * 5 + 6, first = number % FIXTURE_CELLS; /* as fixture_trial() has it */
    make("numbers.nc", fixture_all, STATUS_OK);
    read_trial(&e, 6, "second, one", "naive", 12, 3);
    assert_int_equal(e.k, 3);
    for (int i = 0; i < e.queries; i++) {
        assert_true(e.cell[i] == 100 + 3 * ((number + i) % FIXTURE_CELLS));
        assert_true(fabs(e.label[i] - 50) < 1e-9 && fabs(e.accuracy[i] - 40 - 0.1 * i) < 1e-9);
        assert_true(fabs(e.cost[i] - 1.25 * (i + 1)) < 1e-9);
    }
    for (int i = 0; i < e.pool; i++) {
        assert_true(e.pool_cell[i] == 100 + 3 * ((2 * number + i) % FIXTURE_CELLS));
        assert_true(i < 3 ? isnan(e.pool_score[i]) : e.pool_score[i] == 0.25 * i);
    }
    for (int k = 0; k < FIXTURE_K; k++) {
        assert_true(e.chosen[k] == 100 + 3 * ((first + k) % FIXTURE_CELLS));
        assert_true(e.place[k] == (k + 6) % FIXTURE_K + 1);
    }
    assert_int_equal(explain_winner(&e), 2); /* odd places are one point worse */
    explain_destroy(&e);
}

/* The chosen cells are found at the end of all trained cells, those that were known before left out. */
static void test_before(void **state)
{
    (void)state;
    struct explanation e;
    make("before.nc", fixture_all, STATUS_OK);
    read_trial(&e, 4, NULL, NULL, 12, 0);
    assert_int_equal(e.before, e.queries); /* the fixture trains others: none of the chosen stands at the end */
    explain_destroy(&e);
    for (int known = 0; known <= 1; known++) {
        struct explanation f;
        double cell[18], chosen[FIXTURE_K];
        read_trial(&f, 4, NULL, NULL, 12, 0);
        for (int i = 0; i < 18; i++) cell[i] = f.cell[i];
        for (int k = 0; k < FIXTURE_K; k++) chosen[k] = 500 + k;
        if (known) chosen[2] = cell[0];
        for (int k = 0, at = 12 + known; k < FIXTURE_K; k++)
            if (chosen[k] != cell[0]) cell[at++] = chosen[k];
        double *const was_cell = f.cell, *const was_chosen = f.chosen;
        f.cell = cell, f.chosen = chosen;
        explain_find_before(&f);
        assert_int_equal(f.before, 12 + known);
        f.cell = was_cell, f.chosen = was_chosen;
        explain_destroy(&f);
    }
}

static void test_print(void **state)
{
    (void)state;
    struct explanation e;
    char text[8192] = "";
    make("print.nc", fixture_all, STATUS_OK);
    read_trial(&e, 5, NULL, "naive", 8, 0);
    for (int all = 0; all < 2; all++) {
        FILE *f = tmpfile();
        assert_non_null(f);
        explain_print(f, &e, all);
        rewind(f);
        text[fread(text, 1, sizeof text - 1, f)] = '\0';
        fclose(f);
        assert_non_null(strstr(text, "trial 5 of naive on first, N = 8"));
        assert_non_null(strstr(text, "Best of the first 5: cell "));
        assert_null(strstr(text, "nan"));
    }
    explain_destroy(&e);
}

static bool half(int64_t id)
{
    return id % 2 == 0;
}

static void test_refused(void **state)
{
    (void)state;
    struct explanation e;
    const struct explain_choice wrong[] = {
        {3, NULL, NULL, 0, 0}, {7, NULL, NULL, 0, 0}, {4, "third", NULL, 0, 0}, {4, NULL, "siamese", 0, 0}, {4, NULL, NULL, 9, 0},
        {4, NULL, NULL, 0, FIXTURE_K + 1},
    };
    const char *const word[] = {"no trial 3; it has trials 4 to 6", "no trial 7", "no data set third; it has first, second, one",
                                "no method siamese; it has naive, siamese+nsam+bts", "no N = 9", "K = 7"};
    make("refused.nc", fixture_all, STATUS_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(explain_read(&e, path, &wrong[i]), STATUS_INPUT);
        if (strstr(status_message(), word[i]) == NULL) fail_msg("%s", status_message());
        status_clear();
        explain_destroy(&e);
    }
    make("unfinished.nc", half, STATUS_STOPPED);
    snprintf(path + strlen(path), sizeof path - strlen(path), ".part");
    int finished = 0;
    for (int trial = 4; trial <= 6; trial++)
        for (int n = 8; n <= 12; n += 4) {
            const int status = explain_read(&e, path, &(struct explain_choice){trial, NULL, NULL, n, 0});
            if (status != STATUS_OK) assert_non_null(strstr(status_message(), "is not finished"));
            finished += status == STATUS_OK;
            status_clear();
            explain_destroy(&e);
        }
    assert_int_equal(finished, 3);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_defaults, ranks_scratch_open), cmocka_unit_test(test_numbers), cmocka_unit_test(test_before),
        cmocka_unit_test(test_print), cmocka_unit_test_teardown(test_refused, ranks_scratch_close),
    };
    RANKS_MAIN(tests); /* on one rank; the results are written in parallel */
}
