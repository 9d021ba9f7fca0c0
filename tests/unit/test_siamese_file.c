/* Weights on disk: our own files give back the same bits, and every file that is something else is refused. */
#include "weights_fixture.h"

#include <math.h>
#include <netcdf.h>

/* ---- our own files ---------------------------------------------------------------------------------------------- */
static void test_round_trip(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPES; i++) {
        struct siamese *written = scrambled(&shapes[i]), *read;
        char *vocabulary;
        assert_int_equal(siamese_file_write(written, "input conv output", path), STATUS_OK);
        assert_int_equal(siamese_file_read(&read, &vocabulary, path), STATUS_OK);
        assert_string_equal(vocabulary, "input conv output");
        expect_equal(written, read);
        free(vocabulary);
        siamese_destroy(&read);
        siamese_destroy(&written);
        fixture_release();
    }
}

static void test_write_fails(void **state)
{
    (void)state;
    struct siamese *s = scrambled(&shapes[0]);
    const char *nowhere = scratch("no-such-folder/weights");
    status_clear();
    assert_int_not_equal(siamese_file_write(s, "", nowhere), STATUS_OK);
    assert_non_null(strstr(status_message(), nowhere));
    status_clear();
    siamese_destroy(&s);
}

/* The format once more, without values, which no refusal gets to. Open for definitions. */
static int define_own(void)
{
    static const char *const names[] = {"nodes", "operations", "code_length", "nsam", "efm_value_own"};
    const int values[] = {shapes[1].nodes, shapes[1].operations, shapes[1].code_length, 0, 0};
    struct siamese *s = scrambled(&shapes[1]);
    struct siamese_array array[SIAMESE_ARRAYS_MAX];
    const double epsilon = 1e-4;
    int file, arrays = siamese_arrays(array, s), failures = 0;
    assert_int_equal(nc_create(path, NC_NETCDF4 | NC_CLOBBER, &file), NC_NOERR);
    for (int i = 0; i < 5; i++) failures += nc_put_att_int(file, NC_GLOBAL, names[i], NC_INT, 1, &values[i]);
    failures += nc_put_att_double(file, NC_GLOBAL, "norm_epsilon", NC_DOUBLE, 1, &epsilon);
    failures += nc_put_att_text(file, NC_GLOBAL, "vocabulary", 3, "a b");
    for (int i = 0; i < arrays; i++) {
        int axis[3], variable;
        for (int k = 0; k < array[i].rank; k++)
            if (nc_inq_dimid(file, array[i].axis[k], &axis[k]) != NC_NOERR)
                failures += nc_def_dim(file, array[i].axis[k], array[i].length[k], &axis[k]);
        failures += nc_def_var(file, array[i].name, NC_FLOAT, array[i].rank, axis, &variable);
    }
    assert_int_equal(failures, NC_NOERR);
    siamese_destroy(&s);
    return file;
}

/* What someone may have done to a file of the network {7, 11, 3}. */
static void spoil(int file, int how)
{
    const int many[2] = {7, 7}, values[] = {8, INT32_MAX, 0, -1, 12, 0, 256, 4, 2, 1, 1};
    static const char *const names[] = {"nodes", "nodes", "nodes", "code_length", "operations", "operations", "operations",
                                        "code_length", "nsam", "nsam", "efm_value_own"};
    int variable, axis, failures = 0;
    if (how < 11) failures += nc_put_att_int(file, NC_GLOBAL, names[how], NC_INT, 1, &values[how]);
    switch (how) {
    case 11: failures += nc_del_att(file, NC_GLOBAL, "nodes"); break;
    case 12: failures += nc_put_att_text(file, NC_GLOBAL, "nodes", 1, "7"); break;
    case 13: failures += nc_put_att_int(file, NC_GLOBAL, "nodes", NC_INT, 2, many); break;
    case 14: failures += nc_del_att(file, NC_GLOBAL, "norm_epsilon"); break;
    case 15: failures += nc_put_att_text(file, NC_GLOBAL, "norm_epsilon", 1, "x"); break;
    case 16: failures += nc_put_att_double(file, NC_GLOBAL, "norm_epsilon", NC_DOUBLE, 1, &(double){0}); break;
    case 17: failures += nc_put_att_double(file, NC_GLOBAL, "norm_epsilon", NC_DOUBLE, 1, &(double){NAN}); break;
    case 24: failures += nc_put_att_double(file, NC_GLOBAL, "norm_epsilon", NC_DOUBLE, 1, &(double){INFINITY}); break;
    case 25: failures += nc_put_att_double(file, NC_GLOBAL, "norm_epsilon", NC_DOUBLE, 100, (double[100]){1e-4}); break;
    case 26: case 27: case 28: /* numbers that no training leaves */
        failures += nc_inq_varid(file, how == 28 ? "group_2_variance1" : "group_2_weight1", &variable);
        failures += nc_put_var1_float(file, variable, (size_t[]){5, 3}, &(float){how == 26 ? NAN : how == 27 ? INFINITY : -1e-3F});
        break;
    case 18: failures += nc_del_att(file, NC_GLOBAL, "vocabulary"); break;
    case 19: failures += nc_put_att_int(file, NC_GLOBAL, "vocabulary", NC_INT, 1, many); break;
    case 20:
        failures += nc_inq_varid(file, "group_2_weight1", &variable) + nc_rename_var(file, variable, "group_2_wait1");
        break;
    case 21: case 22: /* head_bias as text; as a scalar */
        failures += nc_inq_varid(file, "head_bias", &variable) + nc_rename_var(file, variable, "old");
        failures += nc_inq_dimid(file, "one", &axis);
        failures += nc_def_var(file, "head_bias", how == 21 ? NC_CHAR : NC_FLOAT, how == 21, &axis, &variable);
        break;
    case 23: /* a key of Keras in a file that is none */
        failures += nc_put_att_text(file, NC_GLOBAL, "layer_names", 1, "x");
        break;
    }
    assert_int_equal(failures, NC_NOERR);
}
enum { SPOILS = 29 };

static void test_foreign_own(void **state)
{
    (void)state;
    int file = define_own();
    struct siamese *good;
    char *vocabulary;
    assert_int_equal(nc_close(file), NC_NOERR);
    assert_int_equal(siamese_file_read(&good, &vocabulary, path), STATUS_OK); /* the mistakes alone make the difference */
    siamese_destroy(&good);
    free(vocabulary);
    for (int how = 0; how < SPOILS; how++) {
        file = define_own();
        spoil(file, how);
        assert_int_equal(nc_close(file), NC_NOERR);
        expect_refusal(path, "");
    }
}

/* ---- other numbers for the operations --------------------------------------------------------------------------- */
static void test_renumber(void **state)
{
    (void)state;
    enum { NODES = 7, CODE = 3 };
    const struct siamese_shape shape = {NODES, 4, CODE, true, false, false, false};
    struct siamese *old = scrambled(&shape), *s = scrambled(&shape);
    size_t count;
    real *weights = siamese_weights(old, &count);
    memcpy(siamese_weights(s, &count), weights, count * sizeof(real));

    char first[] = "output", second[] = "conv3", third[] = "conv", unknown[] = "conv33";
    char *name[] = {first, second, third}, *bad[] = {first, unknown};
    struct siamese *before = s;
    status_clear();
    assert_int_equal(siamese_renumber(&s, "conv none conv3 output", bad, 2, "cells.nc"), STATUS_INPUT);
    assert_non_null(strstr(status_message(), "cells.nc"));
    assert_non_null(strstr(status_message(), "conv33"));
    status_clear();
    assert_ptr_equal(s, before);
    expect_equal(old, s); /* unchanged */

    const uint8_t place[] = {3, 2, 0}; /* fewer than the network knows, in another order, one the beginning of another */
    assert_int_equal(siamese_renumber(&s, "conv none conv3 output", name, 3, "cells.nc"), STATUS_OK);
    assert_int_equal(siamese_shape(s)->operations, 3);
    assert_true(siamese_norm_epsilon(s) == siamese_norm_epsilon(old));
    struct cells cells = fixture_cells(COUNT, NODES, 3, &stream), same = cells;
    uint8_t operation[COUNT * NODES];
    for (int i = 0; i < COUNT * NODES; i++) operation[i] = place[cells.operation[i]];
    same.operation = operation;
    const real *code = fixture_reals(COUNT * CODE, 2, &stream);
    real score[COUNT], expected[COUNT];
    siamese_fold(old);
    siamese_fold(s);
    for (int branch = 0; branch < 2; branch++) {
        siamese_score(score, s, &cells, branch == 0 ? NULL : code);
        siamese_score(expected, old, &same, branch == 0 ? NULL : code);
        assert_memory_equal(score, expected, sizeof score);
    }
    siamese_destroy(&old);
    siamese_destroy(&s);
    fixture_release();
}

/* ---- files that are no weights at all --------------------------------------------------------------------------- */
static void test_no_weights(void **state)
{
    (void)state;
    const char text[] = "[predictor]\nname = siamese\n";
    int file;
    expect_refusal("/no/such/weights.nc", "");
    expect_refusal(scratch_folder, "");
    put(other, text, sizeof text - 1);
    expect_refusal(other, "");
    assert_int_equal(nc_create(other, NC_NETCDF4 | NC_CLOBBER, &file), NC_NOERR);
    assert_int_equal(nc_close(file), NC_NOERR);
    expect_refusal(other, "nodes");
    assert_int_equal(nc_create(other, NC_CLOBBER, &file), NC_NOERR); /* the classic format has no groups */
    assert_int_equal(nc_put_att_text(file, NC_GLOBAL, "layer_names", 1, "x"), NC_NOERR);
    assert_int_equal(nc_close(file), NC_NOERR);
    expect_refusal(other, "classic");
    assert_int_equal(nc_create(other, NC_NETCDF4 | NC_CLOBBER, &file), NC_NOERR);
    assert_int_equal(nc_put_att_text(file, NC_GLOBAL, "layer_names", 1, "x"), NC_NOERR);
    assert_int_equal(nc_close(file), NC_NOERR);
    expect_refusal(other, "layers");
    struct siamese *s = scrambled(&shapes[2]);
    assert_int_equal(siamese_file_write(s, "a b", path), STATUS_OK);
    siamese_destroy(&s);
    expect_truncated_refused(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_write_fails), cmocka_unit_test(test_foreign_own),
        cmocka_unit_test(test_renumber), cmocka_unit_test(test_no_weights),
    };
    random_open(&stream, 3, 0, 0, RANDOM_TEST);
    return cmocka_run_group_tests(tests, make_folder, scratch_close);
}
