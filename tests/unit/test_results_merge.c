/* Results files of parts of a job: their order, copies in blocks, and the bytes of the undivided job. */
#include "../../src/experiment/results_copy.h"

#include "results_fixture.h"
#include "results_input.h"
#include "results_merge.h"

#include <netcdf.h>

/* -- which trials -------------------------------------------------------------------------------------------- */

static void test_order(void **state)
{
    (void)state;
    struct results_part part[] = {{"c", 9, 1}, {"a", 2, 3}, {"b", 5, 4}};
    assert_int_equal(results_order_parts(part, 3), STATUS_OK);
    for (int i = 0; i < 3; i++) assert_int_equal(part[i].path[0], "abc"[i]);
    assert_int_equal(results_order_parts(part, 1), STATUS_OK);
    struct results_part far[] = {{"b", INT32_MAX, 1}, {"a", INT32_MAX - 5, 5}};
    assert_int_equal(results_order_parts(far, 2), STATUS_OK);
}

static void refuse_order(struct results_part *part, int parts, const char *words)
{
    assert_int_equal(results_order_parts(part, parts), STATUS_INPUT);
    if (strstr(status_message(), words) == NULL) print_error("\"%s\" does not say \"%s\"\n", status_message(), words);
    assert_non_null(strstr(status_message(), words));
    status_clear();
}

static void test_disorder(void **state)
{
    (void)state;
    refuse_order((struct results_part[]){{"b", 4, 3}, {"a", 1, 4}}, 2, "a and b both have trial 4;");
    refuse_order((struct results_part[]){{"b", 2, 2}, {"a", 1, 9}}, 2, "a and b both have trials 2 to 3;");
    refuse_order((struct results_part[]){{"b", 1, 2}, {"a", 1, 2}}, 2, "both have trials 1 to 2;");
    refuse_order((struct results_part[]){{"a", 1, 9}, {"b", 10, 1}, {"c", 5, 1}}, 3, "a and c both have trial 5;");
    refuse_order((struct results_part[]){{"b", 4, 1}, {"a", 1, 2}}, 2,
                 "no file has trial 3, between a and b; run the job with -P experiment.first_trial=3 -P experiment.trials=1");
    refuse_order((struct results_part[]){{"a", 1, 1}, {"b", 1000, 1}, {"c", 2, 7}}, 3, "no file has trials 9 to 999, between c and b;");
    refuse_order((struct results_part[]){{"b", 600001, 600000}, {"a", 1, 600000}}, 2, "1200000 trials together");
}

/* -- blocks -------------------------------------------------------------------------------------------------- */

static int make_variable(const char *path, const size_t length[5], bool fill)
{
    int file, dimension[5], v;
    char name[16];
    assert_int_equal(nc_create(path, NC_NETCDF4, &file), NC_NOERR);
    for (int d = 0; d < 5; d++) {
        snprintf(name, sizeof name, "d%d", d);
        assert_int_equal(nc_def_dim(file, name, length[d], &dimension[d]), NC_NOERR);
    }
    assert_int_equal(nc_def_var(file, "v", NC_INT, 5, dimension, &v), NC_NOERR);
    assert_int_equal(nc_def_var_chunking(file, v, NC_CONTIGUOUS, NULL), NC_NOERR);
    assert_int_equal(nc_enddef(file), NC_NOERR);
    const size_t count = length[0] * length[1] * length[2] * length[3] * length[4];
    int *value = malloc(count * sizeof *value);
    assert_non_null(value);
    for (size_t i = 0; i < count; i++) value[i] = fill ? (int)i + 1 : -1;
    assert_int_equal(nc_put_var_int(file, v, value), NC_NOERR);
    free(value);
    return file;
}

/* All values arrive in their places, and no others change. */
static void check_copy(const size_t length[5], size_t trials, size_t place)
{
    const size_t whole[5] = {length[0], length[1], length[2], trials, length[4]};
    const int from = make_variable(scratch("from.nc"), length, true), to = make_variable(scratch("to.nc"), whole, false);
    void *block = malloc(RESULTS_BLOCK);
    const struct results_copy copy = {from, to, "from.nc", "to.nc", place, block};
    assert_int_equal(results_copy_variable(&copy, "v"), STATUS_OK);
    const size_t count = whole[0] * whole[1] * whole[2] * trials * whole[4];
    int *value = malloc(count * sizeof *value), next = 1;
    int64_t wrong = 0;
    assert_int_equal(nc_get_var_int(to, 0, value), NC_NOERR);
    for (size_t i = 0; i < count; i++) {
        const size_t trial = i / whole[4] % trials;
        wrong += value[i] != (trial >= place && trial < place + length[3] ? next++ : -1);
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(next - 1, length[0] * length[1] * length[2] * length[3] * length[4]);
    free(value);
    free(block);
    nc_close(from);
    nc_close(to);
}

static void test_copy(void **state)
{
    (void)state;
    check_copy((size_t[]){2, 1, 3, 4, 5}, 9, 3);
    check_copy((size_t[]){1, 2, 1, 1001, 600}, 1003, 2);             /* several blocks of whole records, the last a short one */
    check_copy((size_t[]){1, 1, 2, 3, RESULTS_BLOCK / 2 + 7}, 3, 0); /* records longer than a block */
    check_copy((size_t[]){2, 1, 1, 1, RESULTS_BLOCK / sizeof(int)}, 2, 1);
}

static void test_misfits(void **state)
{
    (void)state;
    const size_t length[5] = {1, 1, 1, 2, 5};
    const int from = make_variable(scratch("from.nc"), length, true);
    void *block = malloc(RESULTS_BLOCK);
    struct results_copy copy = {.from = from, .from_path = "from.nc", .to_path = "to.nc", .block = block};
    for (int d = 0; d < 5; d++) {
        size_t other[5] = {1, 1, 1, 2, 5};
        other[d] = d == 3 ? 1 : other[d] + 1;
        copy.to = make_variable(scratch("to.nc"), other, false);
        assert_int_equal(results_copy_variable(&copy, "v"), STATUS_INPUT);
        assert_non_null(strstr(status_message(), "from.nc: v has not the type and size"));
        status_clear();
        nc_close(copy.to);
    }
    copy.to = make_variable(scratch("to.nc"), length, false);
    copy.place = 1;
    assert_int_equal(results_copy_variable(&copy, "v"), STATUS_INPUT);
    status_clear();
    copy.place = 0;
    assert_int_equal(results_copy_variable(&copy, "v"), STATUS_OK);
    nc_close(copy.to);
    nc_close(from);
    free(block);
}

/* -- whole files --------------------------------------------------------------------------------------------- */

enum kind { TABLE, WIDE, LIVE, KINDS };

/* Numbers of cells beyond 32 bits; nobody knows the best cell and somebody measured. */
static void make(const char *name, int first_trial, int trials, enum kind kind)
{
    static const double unknown[] = {NAN, NAN};
    struct fixture f;
    enum results_state found;
    fixture_make(&f, name, first_trial, trials);
    for (int i = 0; i < FIXTURE_CELLS && kind == WIDE; i++) f.id[i] += INT64_C(1) << 40;
    if (kind == LIVE) f.plan.measurer = 0x77, f.plan.oracle = unknown;
    assert_int_equal(fixture_run(&f, fixture_all, STATUS_OK, &found, 1), STATUS_OK);
}

static void test_bytes(void **state)
{
    (void)state;
    static const char *const kind_name[KINDS] = {"table", "wide", "live"};
    for (enum kind kind = 0; kind < KINDS; kind++) {
        char name[4][40];
        for (int i = 0; i < 4; i++) snprintf(name[i], sizeof name[i], "%s-%c.nc", kind_name[kind], "wabm"[i]);
        make(name[0], 3, 5, kind);
        make(name[1], 3, 1, kind);
        make(name[2], 4, 4, kind);
        const char *part[] = {scratch(name[2]), scratch(name[1])};
        if (results_merge(scratch(name[3]), part, 2, 0, "siamese-nas merge") != STATUS_OK) print_error("%s\n", status_message());
        assert_string_equal(status_message(), "");
        assert_true(scratch_same(name[0], name[3]));
        struct results_input f;
        assert_int_equal(results_input_open(&f, scratch(name[3])), STATUS_OK);
        assert_int_equal(f.first_trial, 3);
        assert_int_equal(f.trials, 5);
        assert_int_equal(f.pool, FIXTURE_POOL);
        assert_string_equal(f.text[RESULTS_MEASURER], kind == LIVE ? "0000000000000077" : "");
        results_input_close(&f);
    }
    const char *mixed[] = {scratch("table-a.nc"), scratch("live-b.nc")};
    assert_int_equal(results_merge(scratch("mixed.nc"), mixed, 2, 0, "siamese-nas merge"), STATUS_INPUT);
    assert_non_null(strstr(status_message(), "there measurer_fingerprint = none, here measurer_fingerprint = 0000000000000077"));
    status_clear();
    assert_int_equal(access(scratch("mixed.nc"), F_OK), -1);
}

static void test_companions(void **state)
{
    (void)state;
    char a[] = "a.timing.nc", b[] = "b.nc", c[] = "a.nc", d[] = "x/a.timing.nc", e[] = ".timing.nc", f[] = "b.timing.nc";
    char *path[] = {a, b, c, d, e, f};
    assert_int_equal(results_leave_companions(path, 6), 4);
    char *const kept[] = {b, c, d, e};
    assert_memory_equal(path, kept, sizeof kept);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_bytes, ranks_scratch_open), cmocka_unit_test(test_order), cmocka_unit_test(test_disorder),
        cmocka_unit_test(test_companions), cmocka_unit_test(test_copy),
        cmocka_unit_test_teardown(test_misfits, ranks_scratch_close),
    };
    RANKS_MAIN(tests); /* on one rank, like those who merge */
}
