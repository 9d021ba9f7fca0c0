/* The report: statistics of known numbers, pooling of parts, refusal of what does not belong together. */
#include "report.h"

#include "results_fixture.h"
#include "../../src/experiment/results_internal.h"

#include <netcdf.h>

static const char *make(char path[300], const char *name, int first_trial, int trials)
{
    struct fixture f;
    enum results_state found;
    fixture_make(&f, name, first_trial, trials);
    assert_int_equal(fixture_run(&f, fixture_all, STATUS_OK, &found, 1), STATUS_OK);
    snprintf(path, 300, "%s", f.output);
    return path;
}

static void assert_near(double a, double b)
{
    if (!(fabs(a - b) < 1e-9)) print_error("%.12g is not %.12g\n", a, b);
    assert_true(fabs(a - b) < 1e-9);
}

/* Trials 1, 2, 3 of the fixture differ by 0.25 each, so their mean is that of trial 2 and their deviation 0.25. */
static void test_statistics(void **state)
{
    (void)state;
    char path[300];
    const char *paths[] = {make(path, "three.nc", 1, 3)};
    struct report r;
    assert_int_equal(report_read(&r, paths, 1, NULL, 0), STATUS_OK);
    assert_int_equal(r.rows, 2 * 2 * 2 * 2);
    assert_int_equal(r.units, 24);
    assert_int_equal(r.finished, 24);
    assert_int_equal(r.space_cells, FIXTURE_CELLS);
    for (int i = 0; i < r.rows; i++) {
        const struct report_row *row = &r.row[i];
        int d = i / 8, m = i / 4 % 2, b = i / 2 % 2, n = b == 0 ? 8 : 12, k = i % 2 == 0 ? 2 : 5;
        double oracle = d == 0 ? 90 : 70, mean = oracle - 20 + 2 * k + m + 0.5 * b + 0.25 * 2;
        assert_string_equal(row->dataset, d == 0 ? "first" : "second, one");
        assert_string_equal(row->predictor, m == 0 ? "naive" : "siamese+nsam");
        assert_string_equal(row->sampler, m == 0 ? "random" : "bts");
        assert_int_equal(row->n, n);
        assert_int_equal(row->k, k);
        assert_int_equal(row->trials, 3);
        assert_near(row->mean, mean);
        assert_near(row->std, 0.25);
        assert_near(row->se, 0.25 / sqrt(3));
        assert_near(row->regret, oracle - mean);
        assert_near(row->found, 0);
        assert_near(row->trainings, n + k);
        assert_near(row->codes, 15 * m);
        assert_near(row->cost, n + k + 0.045 * m);
        assert_near(row->rho, 0.2);
        assert_near(row->tau, 0.1);
    }
    report_destroy(&r);
}

/* At K = 6 trial 3 finds the best cell, 1 and 2 do not. */
static void test_found(void **state)
{
    (void)state;
    char path[300];
    const char *paths[] = {make(path, "three.nc", 1, 3)};
    const int k[] = {1, 6};
    struct report r;
    assert_int_equal(report_read(&r, paths, 1, k, 2), STATUS_OK);
    assert_int_equal(r.rows, 16);
    assert_near(r.row[0].found, 0);
    assert_near(r.row[1].found, 1.0 / 3);
    assert_near(r.row[1].mean, (82.25 + 82.5 + 90) / 3);
    report_destroy(&r);
}

/* A live search: nobody knows how good the best cell is. */
static void test_no_oracle(void **state)
{
    (void)state;
    struct fixture made;
    enum results_state found;
    struct report r;
    char text[4096] = "", path[300];
    fixture_make(&made, "no-oracle.nc", 1, 3);
    made.plan.oracle = (const double[]){NAN, 70};
    assert_int_equal(fixture_run(&made, fixture_all, STATUS_OK, &found, 1), STATUS_OK);
    snprintf(path, sizeof path, "%s", made.output);
    assert_int_equal(report_read(&r, (const char *[]){path}, 1, NULL, 0), STATUS_OK);
    assert_true(isnan(r.row[0].regret) && isnan(r.row[0].found));
    assert_near(r.row[0].mean, 90 - 20 + 4 + 0.5);
    assert_near(r.row[8].regret, 70 - r.row[8].mean); /* the other data set */
    assert_near(r.row[8].found, 0);
    FILE *f = tmpfile();
    assert_non_null(f);
    report_print(f, &r);
    report_csv(f, &r);
    rewind(f);
    assert_true(fread(text, 1, sizeof text - 1, f) > 0);
    fclose(f);
    assert_null(strstr(text, "nan"));
    report_destroy(&r);
}

static void test_one_trial(void **state)
{
    (void)state;
    char path[300];
    const char *paths[] = {make(path, "one.nc", 7, 1)};
    struct report r;
    assert_int_equal(report_read(&r, paths, 1, NULL, 0), STATUS_OK);
    assert_int_equal(r.row[0].trials, 1);
    assert_near(r.row[0].mean, 70 + 4 + 0.25 * 7);
    assert_true(isnan(r.row[0].std) && isnan(r.row[0].se));
    report_destroy(&r);
}

/* Parts with different trials give exactly what one file with all of them gives, in any order. */
static void test_pool(void **state)
{
    (void)state;
    char whole[300], a[300], b[300];
    const char *one[] = {make(whole, "five.nc", 1, 5)};
    make(a, "part-a.nc", 1, 2);
    make(b, "part-b.nc", 3, 3);
    struct report expected, r;
    assert_int_equal(report_read(&expected, one, 1, NULL, 0), STATUS_OK);
    for (int turn = 0; turn < 2; turn++) {
        const char *two[] = {turn == 0 ? a : b, turn == 0 ? b : a};
        assert_int_equal(report_read(&r, two, 2, NULL, 0), STATUS_OK);
        assert_int_equal(r.rows, expected.rows);
        assert_int_equal(r.finished, expected.finished);
        for (int i = 0; i < r.rows; i++) {
            assert_int_equal(r.row[i].trials, 5);
            assert_true(r.row[i].mean == expected.row[i].mean && r.row[i].std == expected.row[i].std);
            assert_true(r.row[i].cost == expected.row[i].cost && r.row[i].rho == expected.row[i].rho);
        }
        report_destroy(&r);
    }
    report_destroy(&expected);
}

static bool early(int64_t id)
{
    return id < 4; /* the first series, and one trial of the second */
}

static void test_unfinished(void **state)
{
    (void)state;
    struct fixture f;
    enum results_state found;
    struct report r;
    fixture_make(&f, "half.nc", 1, 3);
    assert_int_equal(fixture_run(&f, early, STATUS_FAILURE, &found, 1), STATUS_FAILURE);
    const char *paths[] = {scratch("half.nc.part")};
    assert_int_equal(report_read(&r, paths, 1, NULL, 0), STATUS_OK);
    assert_int_equal(r.finished, 4);
    assert_int_equal(r.units, 24);
    assert_int_equal(r.rows, 4);
    assert_int_equal(r.row[0].trials, 3);
    assert_int_equal(r.row[2].trials, 1);
    report_destroy(&r);
}

static void expect_error(const char *const *path, int paths, const int *k, int ks, const char *part)
{
    struct report r;
    assert_int_equal(report_read(&r, path, paths, k, ks), STATUS_INPUT);
    if (strstr(status_message(), part) == NULL) print_error("\"%s\" does not say \"%s\"\n", status_message(), part);
    assert_non_null(strstr(status_message(), part));
    status_clear();
}

static void test_errors(void **state)
{
    (void)state;
    char a[300], b[300], other[300];
    struct fixture f;
    enum results_state found;
    make(a, "part-a.nc", 1, 2);
    make(b, "again.nc", 2, 2);
    expect_error((const char *[]){a, b}, 2, NULL, 0, "trial 2 of first, naive, N = 8");
    expect_error((const char *[]){a}, 1, (const int[]){3, 7}, 2, "K = 7");

    fixture_make(&f, "other-space.nc", 5, 2);
    f.plan.file_checksum++;
    assert_int_equal(fixture_run(&f, fixture_all, STATUS_OK, &found, 1), STATUS_OK);
    snprintf(other, sizeof other, "%s", f.output);
    expect_error((const char *[]){a, other}, 2, NULL, 0, "there space_checksum = 000000001234abcd, here space_checksum = 000000001234abce");

    fixture_make(&f, "other-settings.nc", 5, 2);
    *strstr(f.parameters, "batch = 8") = 'B';
    assert_int_equal(fixture_run(&f, fixture_all, STATUS_OK, &found, 1), STATUS_OK);
    snprintf(other, sizeof other, "%s", f.output);
    expect_error((const char *[]){a, other}, 2, NULL, 0, "there training.batch = 8, here nothing");
    expect_error((const char *[]){other, a}, 2, NULL, 0, "part-a.nc: does not belong to ");

    fixture_make(&f, "other-measurer.nc", 5, 2);
    f.plan.measurer = 0x77;
    assert_int_equal(fixture_run(&f, fixture_all, STATUS_OK, &found, 1), STATUS_OK);
    snprintf(other, sizeof other, "%s", f.output);
    expect_error((const char *[]){a, other}, 2, NULL, 0, "there measurer_fingerprint = none, here measurer_fingerprint = 0000000000000077");

    expect_error((const char *[]){scratch_write("text.nc", "no results at all")}, 1, NULL, 0, "text.nc");
    expect_error((const char *[]){"/no/such/file.nc"}, 1, NULL, 0, "/no/such/file.nc");
    expect_error((const char *[]){scratch("part-a.timing.nc")}, 1, NULL, 0, "no results file");
}

/* Trials of the same numbers, but other seeds, are different trials. */
static void test_seeds(void **state)
{
    (void)state;
    static const char *const name[] = {"seed-1.nc", "seed-2.nc"};
    char path[2][300];
    struct report r;
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        enum results_state found;
        fixture_make(&f, name[i], 1, 2);
        sprintf(f.parameters + strlen(f.parameters), "experiment.seed = %d\n", i + 1);
        assert_int_equal(fixture_run(&f, fixture_all, STATUS_OK, &found, 1), STATUS_OK);
        snprintf(path[i], sizeof path[i], "%s", f.output);
    }
    assert_int_equal(report_read(&r, (const char *[]){path[0], path[1]}, 2, NULL, 0), STATUS_OK);
    assert_int_equal(r.finished, 32);
    assert_int_equal(r.row[0].trials, 4);
    assert_near(r.row[0].mean, 74.375); /* trials 1 and 2, twice */
    report_destroy(&r);
    expect_error((const char *[]){path[0], path[1], path[0]}, 3, NULL, 0, "trial 1 of first, naive, N = 8");
}

/* A header that promises far more than the file holds must not cost memory. */
static void check_huge(const char *name, const size_t length[7])
{
    static const char *const dimension_name[] = {"dataset", "method", "budget", "realization", "k", "pool", "query"};
    const char *path = scratch(name);
    int file, dimension[7], v;
    assert_int_equal(nc_create(path, NC_NETCDF4, &file), NC_NOERR);
    for (int d = 0; d < 7; d++) assert_int_equal(nc_def_dim(file, dimension_name[d], length[d], &dimension[d]), NC_NOERR);
    for (enum results_variable i = 0; i < RESULT_VARIABLES; i++) {
        const bool alone = i == RESULT_POOL_SIZE || i == RESULT_CODES || (i >= RESULT_RHO && i <= RESULT_TAU_TOP) || i >= RESULT_QUERIES;
        const int extra = i == RESULT_POOL || i == RESULT_POOL_SCORE ? 5 : i >= RESULT_QUERY && i < RESULT_QUERIES ? 6 : 4;
        const int along[] = {dimension[0], dimension[1], dimension[2], dimension[3], dimension[extra]};
        assert_int_equal(nc_def_var(file, results_name[i], NC_DOUBLE, alone ? 4 : 5, along, &v), NC_NOERR);
        assert_int_equal(nc_def_var_chunking(file, v, NC_CHUNKED, (size_t[]){1, 1, 1, 1, 1}), NC_NOERR);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(nc_def_var(file, i == 0 ? "predictor" : "sampler", NC_STRING, 1, &dimension[1], &v), NC_NOERR);
    assert_int_equal(nc_def_var(file, "dataset", NC_STRING, 1, &dimension[0], &v), NC_NOERR);
    assert_int_equal(nc_def_var(file, "oracle", NC_DOUBLE, 1, &dimension[0], &v), NC_NOERR);
    assert_int_equal(nc_def_var(file, "budget", NC_INT, 1, &dimension[2], &v), NC_NOERR);
    assert_int_equal(nc_def_var(file, "realization", NC_INT, 1, &dimension[3], &v), NC_NOERR);
    assert_int_equal(nc_close(file), NC_NOERR);
    expect_error((const char *[]){path}, 1, NULL, 0, "more than it can hold");
}

static void test_huge_header(void **state)
{
    (void)state;
    const size_t huge = 2000000000;
    check_huge("huge.nc", (size_t[]){1, 1, 1, huge, huge, 1, 1});
    check_huge("long.nc", (size_t[]){1, 1, 1, 1, huge, 1, 1});
    check_huge("deep.nc", (size_t[]){1, 1, 1, 1, 1, huge, 1});
    check_huge("wide.nc", (size_t[]){1, 1, 1, 1, 1, 1, huge});
    check_huge("many.nc", (size_t[]){1, huge, huge, 1, 1, 1, 1});
}

/* Comparisons that grow faster than the file have an end. */
static void test_too_many(void **state)
{
    (void)state;
    enum { BUDGETS = 5001, LINES = 1000, LINE = 8 };
    static int n[BUDGETS];
    static char long_list[LINES * LINE + 512];
    struct fixture f;
    enum results_state found;
    fixture_make(&f, "many-series.nc", 1, 1);
    for (int i = 0; i < BUDGETS; i++) n[i] = 8 + i % 5;
    f.job.budgets = BUDGETS;
    f.job.n = n;
    assert_int_equal(grid_create(&f.grid, &f.job), STATUS_OK);
    assert_int_equal(results_define(f.output, &f.plan), STATUS_OK);
    expect_error((const char *[]){f.output}, 1, NULL, 0, "20004 series of trials, where 20000 are the most");

    fixture_make(&f, "many-lines.nc", 1, 1);
    char *end = stpcpy(long_list, f.parameters);
    for (int i = 0; i < LINES; i++) end += sprintf(end, "a%d =\n", i);
    f.job.parameters = long_list;
    assert_int_equal(fixture_run(&f, fixture_all, STATUS_OK, &found, 1), STATUS_OK);
    expect_error((const char *[]){f.output}, 1, NULL, 0, "its job_parameters have too many lines");
}

static void test_csv(void **state)
{
    (void)state;
    char path[300], line[256];
    const char *paths[] = {make(path, "one.nc", 7, 1)};
    struct report r;
    assert_int_equal(report_read(&r, paths, 1, NULL, 0), STATUS_OK);
    FILE *f = tmpfile();
    assert_non_null(f);
    report_csv(f, &r);
    rewind(f);
    assert_non_null(fgets(line, sizeof line, f));
    assert_string_equal(line, "dataset,predictor,sampler,N,K,trials,mean,std,se,regret,found,cost\n");
    assert_non_null(fgets(line, sizeof line, f));
    assert_string_equal(line, "first,naive,random,8,2,1,75.75,,,14.25,0,10\n");
    for (int i = 0; i < 8; i++) assert_non_null(fgets(line, sizeof line, f));
    assert_string_equal(line, "\"second, one\",naive,random,8,2,1,55.75,,,14.25,0,10\n");
    fclose(f);
    report_destroy(&r);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_statistics, ranks_scratch_open), cmocka_unit_test(test_found), cmocka_unit_test(test_no_oracle),
        cmocka_unit_test(test_one_trial),
        cmocka_unit_test(test_pool), cmocka_unit_test(test_unfinished), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_seeds), cmocka_unit_test(test_huge_header), cmocka_unit_test(test_too_many),
        cmocka_unit_test_teardown(test_csv, ranks_scratch_close),
    };
    RANKS_MAIN(tests); /* on one rank; the results are written in parallel */
}
