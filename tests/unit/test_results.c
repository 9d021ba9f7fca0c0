/* The results file: what is written comes back, in the same bytes whoever wrote it and however often it was begun; files of
 * other jobs are refused. Run with 1 to 4 ranks. */
#include "ranks.h"

#include "results_fixture.h"

#include <netcdf.h>
#include <sys/stat.h>

enum { TRIALS = 3 };

static double get(int file, const char *name, const struct unit *u, size_t last)
{
    int v;
    double value;
    const size_t index[] = {(size_t)u->dataset, (size_t)u->method, (size_t)u->budget, (size_t)u->realization, last};
    assert_int_equal(nc_inq_varid(file, name, &v), NC_NOERR);
    assert_int_equal(nc_get_var1_double(file, v, index, &value), NC_NOERR);
    return value;
}

static void check_unit(int file, struct fixture *f, int64_t id)
{
    const struct unit u = grid_unit(&f->grid, id);
    const struct trial_result t = fixture_trial(f, id);
    const double codes = u.method * 15;
    for (size_t k = 0; k < FIXTURE_K; k++) {
        assert_true(get(file, "best", &u, k) == 100 * t.best[k]);
        assert_true(get(file, "chosen_accuracy", &u, k) == 100 * t.chosen_accuracy[k]);
        assert_true(get(file, "chosen_score", &u, k) == (float)t.score[k]);
        assert_true(get(file, "chosen", &u, k) == (double)f->id[t.chosen[k]]);
        assert_true(get(file, "trainings", &u, k) == (double)t.trainings[k]);
        assert_true(fabs(get(file, "cost", &u, k) - ((double)t.trainings[k] + 0.003 * codes)) < 1e-12);
    }
    for (int i = 0; i < FIXTURE_POOL; i++) {
        double expected = i < t.pool_size ? (double)f->id[t.pool[i]] : -1;
        assert_true(get(file, "pool_cell", &u, (size_t)i) == expected);
    }
    for (int i = 0; i < FIXTURE_POOL; i++) {
        const double score = get(file, "pool_score", &u, (size_t)i);
        assert_true(i < t.pool_size && !isnan(t.pool_score[i]) ? score == t.pool_score[i] : isnan(score));
    }
    for (size_t k = 0; k < FIXTURE_K; k++) assert_true(get(file, "chosen_place", &u, k) == t.place[k]);
    for (size_t i = 0; i < FIXTURE_QUERIES; i++) {
        const bool there = (int64_t)i < t.queries;
        const struct candidate_purchase none = {-1, NAN, NAN, NAN}, *q = there ? &t.query[i] : &none;
        const double accuracy = get(file, "query_accuracy", &u, i), label = get(file, "query_label", &u, i);
        assert_true(get(file, "query_cell", &u, i) == (there ? (double)f->id[q->cell] : -1));
        assert_true(there ? accuracy == 100 * q->accuracy && label == 100 * q->label : isnan(accuracy) && isnan(label));
        assert_true(there ? get(file, "query_cost", &u, i) == q->total : isnan(get(file, "query_cost", &u, i)));
    }
    assert_true(get(file, "query_size", &u, 0) == (double)t.queries);
    assert_true(get(file, "pool_size", &u, 0) == t.pool_size);
    assert_true(get(file, "codes", &u, 0) == codes);
    assert_true(get(file, "rho", &u, 0) == t.rho && get(file, "tau", &u, 0) == t.tau);
    double tau_top = get(file, "tau_top", &u, 0);
    assert_true(isnan(t.tau_top) ? isnan(tau_top) : tau_top == t.tau_top);
    assert_true(get(file, "complete", &u, 0) == 1);
}

static void check_text(int file, const char *name, const char *expected)
{
    char text[1024] = "";
    size_t length;
    assert_int_equal(nc_inq_attlen(file, NC_GLOBAL, name, &length), NC_NOERR);
    assert_true(length < sizeof text);
    assert_int_equal(nc_get_att_text(file, NC_GLOBAL, name, text), NC_NOERR);
    assert_string_equal(text, expected);
}

static void test_values(void **state)
{
    (void)state;
    struct fixture f;
    enum results_state found;
    fixture_make(&f, "values.nc", 1, TRIALS);
    MPI_ASSERT(fixture_run(&f, fixture_all, STATUS_OK, &found, 1) == STATUS_OK);
    MPI_ASSERT(found == RESULTS_NEW);
    if (rank != 0) return;
    int file;
    assert_int_equal(nc_open(f.output, NC_NOWRITE, &file), NC_NOERR);
    for (int64_t id = 0; id < f.grid.units; id++) check_unit(file, &f, id);
    check_text(file, "Conventions", "CF-1.10");
    check_text(file, "job_parameters", f.parameters);
    check_text(file, "job_file", "[experiment]\n[output]\n"); /* without what changes no result, and the trials */
    check_text(file, "space_checksum", "000000001234abcd");
    assert_int_equal(nc_close(file), NC_NOERR);
    assert_false(scratch_has("values.nc.part"));
    assert_true(scratch_has("values.timing.nc"));
    assert_false(scratch_has("values.timing.nc.part"));

    assert_int_equal(nc_open(scratch("values.timing.nc"), NC_NOWRITE, &file), NC_NOERR);
    const struct unit last = grid_unit(&f.grid, f.grid.units - 1);
    assert_true(get(file, "seconds", &last, TIMER_RANK) == 2.5);
    assert_int_equal(nc_inq_att(file, NC_GLOBAL, "history", NULL, NULL), NC_NOERR);
    nc_close(file);
}

static bool even(int64_t id)
{
    return id % 2 == 0;
}

/* Whole run; run that is broken off and resumed; group sizes: the same bytes. */
static void test_resume(void **state)
{
    (void)state;
    struct fixture f;
    enum results_state found;
    fixture_make(&f, "whole.nc", 1, TRIALS);
    MPI_ASSERT(fixture_run(&f, fixture_all, STATUS_OK, &found, 1) == STATUS_OK);
    fixture_make(&f, "broken.nc", 1, TRIALS);
    MPI_ASSERT(fixture_run(&f, even, STATUS_FAILURE, &found, 1) == STATUS_FAILURE);
    MPI_ASSERT(!scratch_has("broken.nc") && scratch_has("broken.nc.part"));

    MPI_ASSERT(fixture_run(&f, fixture_all, STATUS_OK, &found, ranks) == STATUS_OK);
    MPI_ASSERT(found == RESULTS_PART);
    int wrong = 0;
    for (int64_t id = 0; id < f.grid.units; id++) wrong += f.finished[id] != even(id); /* on all ranks */
    MPI_ASSERT(wrong == 0);
    MPI_ASSERT(scratch_has("broken.nc") && !scratch_has("broken.nc.part"));
    MPI_ASSERT(fixture_run(&f, fixture_all, STATUS_OK, &found, 1) == STATUS_OK && found == RESULTS_COMPLETE);

    /* the two jobs differ in the text of the output name only, which is not stored */
    MPI_ASSERT(rank != 0 || scratch_same("whole.nc", "broken.nc"));
}

/* A kill between the two renames at the end, and a part that is no file yet. */
static void test_odd_ends(void **state)
{
    (void)state;
    struct fixture f;
    enum results_state found;
    fixture_make(&f, "odd.nc", 1, TRIALS);
    if (rank == 0) scratch_write("odd.nc.part", "");
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_ASSERT(fixture_run(&f, fixture_all, STATUS_OK, &found, 1) == STATUS_OK && found == RESULTS_NEW);
    if (rank == 0) assert_int_equal(rename(scratch("odd.nc"), scratch("odd.nc.part")), 0);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_ASSERT(fixture_run(&f, fixture_all, STATUS_OK, &found, 1) == STATUS_OK && found == RESULTS_PART);
    MPI_ASSERT(rank != 0 || scratch_same("odd.nc", "whole.nc"));
    if (rank != 0) return;
    int file; /* the seconds of the first run are still there */
    assert_int_equal(nc_open(scratch("odd.timing.nc"), NC_NOWRITE, &file), NC_NOERR);
    assert_true(get(file, "seconds", &(struct unit){0}, TIMER_TRAIN) == 1.5);
    nc_close(file);
}

static void expect_refusal(struct fixture *f, const char *there, const char *here)
{
    enum results_state found;
    MPI_ASSERT(fixture_run(f, fixture_all, STATUS_OK, &found, 1) == STATUS_INPUT);
    MPI_ASSERT(strstr(status_message(), there) != NULL && strstr(status_message(), here) != NULL);
    MPI_ASSERT(strstr(status_message(), "-o") != NULL);
    status_clear();
}

static void test_other_jobs(void **state)
{
    (void)state;
    struct fixture f;
    enum results_state found;
    fixture_make(&f, "mine.nc", 1, TRIALS);
    MPI_ASSERT(fixture_run(&f, even, STATUS_FAILURE, &found, 1) == STATUS_FAILURE);
    for (int finished = 0; finished < 2; finished++) { /* first against mine.nc.part, then against mine.nc */
        fixture_make(&f, "mine.nc", 1, 2);
        expect_refusal(&f, "there experiment.trials = 3", "here experiment.trials = 2");
        fixture_make(&f, "mine.nc", 1, TRIALS);
        strcat(f.parameters, "training.new = 1\n");
        expect_refusal(&f, "there nothing", "here training.new = 1");
        fixture_make(&f, "mine.nc", 1, TRIALS);
        f.plan.file_checksum++;
        expect_refusal(&f, "000000001234abcd", "000000001234abce");
        fixture_make(&f, "mine.nc", 1, TRIALS);
        f.plan.measurer = 0x77;
        expect_refusal(&f, "trained in another way (fingerprint none)", "here (0000000000000077)");
        fixture_make(&f, "mine.nc", 1, TRIALS);
        MPI_ASSERT(fixture_run(&f, fixture_all, STATUS_OK, &found, 1) == STATUS_OK);
        MPI_ASSERT(found == (finished == 0 ? RESULTS_PART : RESULTS_COMPLETE));
    }
    if (rank == 0) scratch_write("text.nc", "my diary");
    MPI_Barrier(MPI_COMM_WORLD);
    fixture_make(&f, "text.nc", 1, TRIALS);
    expect_refusal(&f, "text.nc", "no results file");
}

/* Of a live search: nobody knows the best cell, and who measured must stay the same. */
static void test_live(void **state)
{
    (void)state;
    struct fixture f;
    enum results_state found;
    fixture_make(&f, "live.nc", 1, TRIALS);
    f.plan.measurer = 0x77;
    f.plan.oracle = (const double[]){NAN, NAN};
    MPI_ASSERT(fixture_run(&f, even, STATUS_FAILURE, &found, 1) == STATUS_FAILURE);
    f.plan.measurer = 0x78;
    expect_refusal(&f, "trained in another way (fingerprint 0000000000000077)", "here (0000000000000078)");
    f.plan.measurer = 0x77;
    MPI_ASSERT(fixture_run(&f, fixture_all, STATUS_OK, &found, 1) == STATUS_OK);
    MPI_ASSERT(found == RESULTS_PART);
    if (rank == 0) {
        int file, v;
        double oracle, fill;
        char fingerprint[17] = "";
        assert_int_equal(nc_open(f.output, NC_NOWRITE, &file), NC_NOERR);
        assert_int_equal(nc_inq_varid(file, "oracle", &v), NC_NOERR);
        assert_int_equal(nc_get_var1_double(file, v, (size_t[]){1}, &oracle), NC_NOERR);
        assert_int_equal(nc_get_att_double(file, v, "_FillValue", &fill), NC_NOERR);
        assert_int_equal(nc_get_att_text(file, NC_GLOBAL, "measurer_fingerprint", fingerprint), NC_NOERR);
        nc_close(file);
        assert_true(isnan(oracle) && isnan(fill));
        assert_string_equal(fingerprint, "0000000000000077");
    }
}

/* -- locks ---------------------------------------------------------------------------------------------------------- */

/* There while it is written, gone at the end; what a dead run has left beside finished results is cleared away. */
static void test_locks(void **state)
{
    (void)state;
    struct fixture f;
    struct results *r;
    struct group g;
    enum results_state found;
    const struct results_run run = {"siamese-nas run fixture.ini", 12.5, 1000000};
    fixture_make(&f, "locked.nc", 1, TRIALS);
    group_create(&g, MPI_COMM_WORLD, 1);
    MPI_ASSERT(results_open(&r, &found, f.finished, &f.plan, &g, 0, MPI_COMM_WORLD) == STATUS_OK);
    MPI_ASSERT(scratch_has("locked.nc.lock"));
    MPI_ASSERT(results_close(&r, STATUS_STOPPED, &run, MPI_COMM_WORLD) == STATUS_STOPPED);
    MPI_ASSERT(!scratch_has("locked.nc.lock") && scratch_has("locked.nc.part"));
    group_destroy(&g);
    MPI_ASSERT(fixture_run(&f, fixture_all, STATUS_OK, &found, 1) == STATUS_OK);
    MPI_ASSERT(!scratch_has("locked.nc.lock"));
    if (rank == 0) scratch_write("locked.nc.lock", "");
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_ASSERT(fixture_run(&f, fixture_all, STATUS_OK, &found, 1) == STATUS_OK && found == RESULTS_COMPLETE);
    MPI_ASSERT(!scratch_has("locked.nc.lock"));
}

/* One rank fails: all get the same status and message, nothing is left behind. */
static void test_unwritable(void **state)
{
    (void)state;
    struct fixture f;
    enum results_state found;
    fixture_make(&f, "missing/folder/out.nc", 1, TRIALS);
    MPI_ASSERT(fixture_run(&f, fixture_all, STATUS_OK, &found, 1) == STATUS_FAILURE);
    MPI_ASSERT(strstr(status_message(), "missing/folder") != NULL);
    status_clear();
    MPI_ASSERT(!scratch_has("missing"));
    fixture_make(&f, "made/out.nc", 1, TRIALS); /* the last folder is made */
    MPI_ASSERT(fixture_run(&f, fixture_all, STATUS_OK, &found, 1) == STATUS_OK);
    MPI_ASSERT(scratch_has("made/out.nc"));
}

/* The estimate bounds the file from above, and not by much. */
static void test_bytes(void **state)
{
    (void)state;
    struct fixture f;
    struct stat facts;
    fixture_make(&f, "whole.nc", 1, TRIALS);
    if (rank != 0) return;
    assert_int_equal(stat(f.output, &facts), 0);
    assert_in_range(results_bytes(&f.plan), facts.st_size, facts.st_size + 100000);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_values, ranks_scratch_open), cmocka_unit_test(test_resume), cmocka_unit_test(test_odd_ends),
        cmocka_unit_test(test_other_jobs), cmocka_unit_test(test_live), cmocka_unit_test(test_locks),
        cmocka_unit_test(test_unwritable),
        cmocka_unit_test_teardown(test_bytes, ranks_scratch_close),
    };
    RANKS_MAIN(tests);
}
