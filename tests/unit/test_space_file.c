/* Space files: what is written is read again bit for bit, files of others are understood, bad ones are refused. */
#include "sample_space.h"
#include "scratch.h"
#include "space_file.h"

#include <netcdf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* ---- round trip ---- */

static void test_round_trip(void **state)
{
    (void)state;
    for (int options = 0; options <= SAMPLE_ALL; options++) {
        struct space s, back;
        int nodes = options % 7 == 0 ? 32 : 1 + options % 9;
        sample_space(&s, 1 + options * 13, nodes, options, (uint64_t)options);
        assert_int_equal(space_file_write(&s, scratch("a.nc"), "made by a test"), STATUS_OK);
        assert_int_equal(space_file_read(&back, scratch("a.nc")), STATUS_OK);
        assert_true(same_space(&s, &back));
        assert_true(back.checksum == s.checksum);
        assert_string_equal(back.title, s.title);
        assert_string_equal(back.path, scratch("a.nc"));
        space_destroy(&s);
        space_destroy(&back);
    }
}

static void test_same_bytes(void **state)
{
    (void)state;
    size_t first_size = 0, second_size = 0;
    struct space s;
    sample_space(&s, 500, 8, SAMPLE_ALL, 3);
    assert_int_equal(space_file_write(&s, scratch("a.nc"), "history"), STATUS_OK);
    sleep(1); /* a time stamp would differ now */
    assert_int_equal(space_file_write(&s, scratch("b.nc"), "history"), STATUS_OK);
    char *first = scratch_read(scratch("a.nc"), &first_size), *second = scratch_read(scratch("b.nc"), &second_size);
    assert_int_equal(first_size, second_size);
    assert_memory_equal(first, second, first_size);
    free(first);
    free(second);
    space_destroy(&s);
}

static void test_unwritable(void **state)
{
    (void)state;
    struct space s;
    sample_space(&s, 5, 3, 0, 3);
    assert_int_equal(space_file_write(&s, scratch("missing/a.nc"), ""), STATUS_FAILURE);
    assert_non_null(strstr(status_message(), "missing/a.nc"));
    assert_non_null(strstr(status_message(), "No such file or directory"));
    status_clear();
    assert_int_equal(mkdir(scratch("folder.nc"), 0777), 0);
    assert_int_equal(space_file_write(&s, scratch("folder.nc"), ""), STATUS_FAILURE);
    assert_int_not_equal(access(scratch("folder.nc.part"), F_OK), 0);
    status_clear();
    space_destroy(&s);
}

/* ---- files of others: two cells of three nodes, written with plain NetCDF calls ---- */

enum variant {
    GOOD, SINGLE, SINGLE_NAMED, CHAR_DATASETS, SPACED_FLAGS, NO_FLAGS, CELL_COORDINATE, TEXT_ARCH, MISSING_VALUE,
    DEFAULT_FILL, NUMBERS_AS_FLOAT,
    LAST_GOOD = NUMBERS_AS_FLOAT,
    NO_OPERATION, NO_ADJACENCY, NO_ACCURACY, NO_MEANINGS, NO_DATASET, FLOAT_OPERATION, SWAPPED_OPERATION, OUTSIDE_VOCABULARY,
    NEGATIVE_OPERATION, TWICE_IN_VOCABULARY, FLAGS_DIFFER, CYCLE, ADJACENCY_TWO, ADJACENCY_SHAPE, ADJACENCY_FLAT,
    NAN_ACCURACY, NEGATIVE_ACCURACY, ABOVE_100, INFINITE_SIGNAL, NAN_LOSS, ACCURACY_SHAPE, LOSS_SHAPE, VALIDATION_SHAPE,
    PACKED, SAME_IDS,
    FLOAT_IDS, SAME_DATASETS, BLANK_DATASET, HUGE, HUGE_LOSS, TOO_MANY_NODES, ARCH_SHAPE, EMPTY_VOCABULARY,
    VARIANTS
};

#define NC(call) assert_int_equal(call, NC_NOERR)

static int file, cell, node, node_to, dataset, other;

static void put_numbers(const char *name, nc_type type, int rank, const int *dim, const double *value)
{
    int id;
    NC(nc_def_var(file, name, type, rank, dim, &id));
    NC(nc_put_var_double(file, id, value));
}

static void put_operation(enum variant v)
{
    static const double plain[] = {0, 1, 2, 0, 0, 2}, spaced[] = {10, 20, 255, 10, 10, 255}, outside[] = {0, 1, 2, 0, 3, 2},
                        negative[] = {0, 1, 2, 0, -1, 2};
    static const int flags[] = {0, 1, 2}, far[] = {10, 20, 255};
    int id, dim[] = {cell, node}, swapped[] = {node, cell};
    if (v == NO_OPERATION) return;
    put_numbers("operation", v == FLOAT_OPERATION ? NC_FLOAT : NC_SHORT, 2, v == SWAPPED_OPERATION ? swapped : dim,
                v == SPACED_FLAGS ? spaced : v == OUTSIDE_VOCABULARY ? outside : v == NEGATIVE_OPERATION ? negative : plain);
    NC(nc_inq_varid(file, "operation", &id));
    size_t count = v == FLAGS_DIFFER ? 2 : 3;
    if (v != NO_FLAGS) NC(nc_put_att_int(file, id, "flag_values", NC_INT, count, v == SPACED_FLAGS ? far : flags));
    const char *meanings = "input conv output";
    if (v == TWICE_IN_VOCABULARY) meanings = "input conv input";
    if (v == EMPTY_VOCABULARY) meanings = "  ";
    if (v != NO_MEANINGS) NC(nc_put_att_text(file, id, "flag_meanings", strlen(meanings), meanings));
}

static void put_adjacency(enum variant v)
{
    double chain[] = {0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    int dim[] = {node, node_to}, wrong[] = {node, other};
    if (v == NO_ADJACENCY) return;
    if (v == CYCLE) chain[6] = 1;
    if (v == ADJACENCY_TWO) chain[2] = 2;
    put_numbers("adjacency", NC_INT, v == ADJACENCY_FLAT ? 1 : 2, v == ADJACENCY_SHAPE ? wrong : dim, chain);
}

static void put_datasets(enum variant v)
{
    static const char *names[] = {"a", "b"}, *same[] = {"a", "a"}, *blank[] = {"a", "b c"}, *one[] = {"only"};
    int id, chars[] = {dataset, cell};
    if (v == SINGLE || v == NO_DATASET) return;
    if (v == CHAR_DATASETS) { /* two characters a name */
        NC(nc_def_var(file, "dataset", NC_CHAR, 2, chars, &id));
        NC(nc_put_var_text(file, id, "a b\0"));
    } else if (v == SINGLE_NAMED) {
        NC(nc_def_var(file, "dataset", NC_STRING, 0, NULL, &id));
        NC(nc_put_var_string(file, id, one));
    } else {
        NC(nc_def_var(file, "dataset", NC_STRING, 1, &dataset, &id));
        NC(nc_put_var_string(file, id, v == SAME_DATASETS ? same : v == BLANK_DATASET ? blank : names));
    }
}

static void put_accuracy(enum variant v)
{
    double value[8] = {50, 60, 70.5, NAN};
    int id, dim[] = {dataset, cell}, wrong[] = {dataset, other};
    double fill = v == MISSING_VALUE ? -9 : v == DEFAULT_FILL ? NC_FILL_DOUBLE : NAN;
    bool single = v == SINGLE || v == SINGLE_NAMED;
    if (v == NO_ACCURACY) return;
    value[3] = fill;
    if (v == NEGATIVE_ACCURACY) value[2] = -3;
    if (v == ABOVE_100) value[2] = 100.5;
    NC(nc_def_var(file, "accuracy", v == NUMBERS_AS_FLOAT ? NC_FLOAT : NC_DOUBLE, single ? 1 : 2,
                  single ? &cell : v == ACCURACY_SHAPE ? wrong : dim, &id));
    if (v == MISSING_VALUE) NC(nc_put_att_double(file, id, "missing_value", NC_DOUBLE, 1, &fill));
    else if (v == NUMBERS_AS_FLOAT) NC(nc_put_att_double(file, id, "_FillValue", NC_FLOAT, 1, &fill));
    else if (v != NAN_ACCURACY && v != DEFAULT_FILL) NC(nc_put_att_double(file, id, "_FillValue", NC_DOUBLE, 1, &fill));
    if (v == PACKED) NC(nc_put_att_double(file, id, "scale_factor", NC_DOUBLE, 1, &value[0]));
    NC(nc_put_var_double(file, id, value));
}

static void put_rest(enum variant v)
{
    static const double value[] = {1, 2, 3, 4, 5, 6}, ids[] = {7, 5}, same[] = {7, 7};
    static const double infinite[] = {1, INFINITY}, lost[] = {1, NAN, 3, 4}, losses[] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const char *arch[] = {"first", "second one"};
    int id, loss[] = {cell, other}, turned[] = {other, cell}, by_dataset[] = {dataset, cell};
    put_numbers("flops", v == NUMBERS_AS_FLOAT ? NC_SHORT : NC_DOUBLE, 1, &cell, v == INFINITE_SIGNAL ? infinite : value);
    put_numbers("unrelated", NC_DOUBLE, 1, &node, value);
    if (v == NAN_LOSS) put_numbers("early_loss", NC_FLOAT, 2, (int[]){cell, dataset}, lost);
    else if (v != HUGE_LOSS) put_numbers("early_loss", NC_FLOAT, 2, v == LOSS_SHAPE ? turned : loss, losses);
    if (v == HUGE_LOSS) NC(nc_def_var(file, "early_loss", NC_FLOAT, 2, loss, &id));
    if (v == VALIDATION_SHAPE) put_numbers("validation_accuracy", NC_DOUBLE, 1, &cell, value);
    else if (v != SINGLE && v != SINGLE_NAMED) put_numbers("validation_accuracy", NC_DOUBLE, 2, by_dataset, value);
    if (v == CELL_COORDINATE) put_numbers("cell", NC_INT, 1, &cell, ids);
    else if (v != NO_FLAGS) put_numbers("id", v == FLOAT_IDS ? NC_FLOAT : NC_INT, 1, &cell, v == SAME_IDS ? same : ids);
    if (v == TEXT_ARCH || v == ARCH_SHAPE) {
        NC(nc_def_var(file, "arch", NC_STRING, 1, v == ARCH_SHAPE ? &dataset : &cell, &id));
        NC(nc_put_var_string(file, id, arch));
    }
}

static const char *make_file(enum variant v)
{
    const char *path = scratch("made.nc");
    size_t cells = v == HUGE ? (size_t)1000000000000 : 2;
    NC(nc_create(path, NC_NETCDF4 | NC_CLOBBER, &file));
    NC(nc_def_dim(file, "cell", cells, &cell));
    NC(nc_def_dim(file, "node", v == TOO_MANY_NODES ? 33 : 3, &node));
    NC(nc_def_dim(file, "node_to", 3, &node_to));
    NC(nc_def_dim(file, "dataset", 2, &dataset));
    NC(nc_def_dim(file, "other", v == HUGE_LOSS ? 2000000000 : 4, &other));
    if (v == HUGE || v == TOO_MANY_NODES) { /* the header says it all */
        int id, dim[] = {cell, node};
        NC(nc_def_var(file, "operation", NC_BYTE, 2, dim, &id));
        NC(nc_put_att_text(file, id, "flag_meanings", 1, "a"));
    } else {
        put_operation(v);
        put_adjacency(v);
        put_datasets(v);
        put_accuracy(v);
        put_rest(v);
    }
    NC(nc_close(file));
    return path;
}

static void test_others(void **state)
{
    (void)state;
    for (enum variant v = GOOD; v <= LAST_GOOD; v++) {
        struct space s;
        if (space_file_read(&s, make_file(v)) != STATUS_OK)
            fail_msg("variant %d: %s", (int)v, status_message());
        bool single = v == SINGLE || v == SINGLE_NAMED, ids = v != NO_FLAGS;
        assert_int_equal(s.cells, 2);
        assert_int_equal(s.nodes, 3);
        assert_int_equal(s.datasets, single ? 1 : 2);
        assert_string_equal(s.dataset[0], v == SINGLE ? "default" : v == SINGLE_NAMED ? "only" : "a");
        if (!single) assert_string_equal(s.dataset[1], "b");
        assert_true(s.accuracy[0] == 50 && s.accuracy[1] == 60);
        if (!single) assert_true(s.accuracy[2] == 70.5 && isnan(s.accuracy[3]));
        const uint8_t operation[] = {0, 1, 2, 0, 0, 2};
        assert_memory_equal(s.operation, operation, 6);
        assert_string_equal(s.vocabulary[2], "output");
        assert_null(s.graph_of);
        assert_int_equal(s.graph[0].successors[0], 3);
        assert_int_equal(s.graph[0].successors[2], 4);
        assert_int_equal(s.id[0], ids ? 7 : 0);
        assert_int_equal(s.id[1], ids ? 5 : 1);
        if (v == TEXT_ARCH) {
            assert_int_equal(s.arch_length, 10);
            assert_memory_equal(s.arch, "first\0\0\0\0\0second one", 20);
        } else {
            assert_null(s.arch);
        }
        assert_int_equal(s.signals, 1); /* not id, cell or what has other dimensions */
        assert_string_equal(s.signal[0].name, "flops");
        assert_true(s.signal[0].value[1] == 2);
        assert_int_equal(s.code_length, 4);
        assert_true(s.early_loss[4] == 5);
        space_destroy(&s);
    }
}

static void test_refused(void **state)
{
    (void)state;
    const struct {
        enum variant variant;
        const char *message;
    } wrong[] = {
        {NO_OPERATION, "no variable operation"}, {NO_ADJACENCY, "no variable adjacency"},
        {NO_ACCURACY, "no variable accuracy"},
        {NO_MEANINGS, "flag_meanings"}, {NO_DATASET, "no variable dataset"}, {FLOAT_OPERATION, "operation(cell=2, node=3)"},
        {SWAPPED_OPERATION, "found operation(node=3, cell=2)"}, {OUTSIDE_VOCABULARY, "operation(cell=1, node=1) is 3"},
        {NEGATIVE_OPERATION, "operation(cell=1, node=1) is -1"}, {TWICE_IN_VOCABULARY, "'input' twice"},
        {FLAGS_DIFFER, "flag_values must be 3"}, {EMPTY_VOCABULARY, "empty"}, {CYCLE, "cycle"},
        {ADJACENCY_TWO, "from node 0 to node 2 is 2"}, {ADJACENCY_SHAPE, "adjacency(node=3, other=4)"},
        {ADJACENCY_FLAT, "adjacency(node=3)"}, {NAN_ACCURACY, "accuracy(dataset=1, cell=1) is nan"},
        {NEGATIVE_ACCURACY, "accuracy(dataset=1, cell=0) is -3"}, {ABOVE_100, "is 100.5"},
        {INFINITE_SIGNAL, "flops(cell=1) is inf"},
        {NAN_LOSS, "early_loss(cell=0, dataset=1)"}, {ACCURACY_SHAPE, "accuracy(dataset=2, other=4)"},
        {LOSS_SHAPE, "early_loss(other=4, cell=2)"}, {VALIDATION_SHAPE, "validation_accuracy(cell=2)"},
        {PACKED, "scale_factor"},
        {SAME_IDS, "id 7"}, {FLOAT_IDS, "whole numbers"}, {SAME_DATASETS, "'a' twice"}, {BLANK_DATASET, "'b c'"},
        {HUGE, "more than the file can hold"}, {HUGE_LOSS, "more than the file can hold"}, {TOO_MANY_NODES, "33 nodes"},
        {ARCH_SHAPE, "arch(dataset=2)"},
    };
    assert_int_equal(sizeof wrong / sizeof wrong[0], VARIANTS - LAST_GOOD - 1);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct space s;
        const char *path = make_file(wrong[i].variant);
        assert_int_equal(space_file_read(&s, path), STATUS_INPUT);
        if (strstr(status_message(), wrong[i].message) == NULL || strstr(status_message(), path) == NULL)
            fail_msg("expected '%s', got: %s", wrong[i].message, status_message());
        assert_null(s.operation);
        status_clear();
    }
}

static void test_no_netcdf(void **state)
{
    (void)state;
    struct space s;
    sample_space(&s, 300, 8, SAMPLE_ALL, 3);
    assert_int_equal(space_file_write(&s, scratch("whole.nc"), ""), STATUS_OK);
    space_destroy(&s);
    size_t size = 0;
    char *bytes = scratch_read(scratch("whole.nc"), &size);
    size_t end = size;
    while (bytes[end - 1] == 0) end--; /* made in memory, the file ends with unused zeros */
    const size_t length[] = {0, 3, 8, 60, 1000, end / 2, end - 1};
    for (int i = 0; i < 7; i++) {
        FILE *cut = fopen(scratch("cut.nc"), "wb");
        assert_int_equal(fwrite(bytes, 1, length[i], cut), length[i]);
        fclose(cut);
        assert_int_equal(space_file_read(&s, scratch("cut.nc")), STATUS_INPUT);
        assert_non_null(strstr(status_message(), "cut.nc: not a NetCDF file, or cut short"));
        status_clear();
    }
    free(bytes);
    assert_int_equal(space_file_read(&s, scratch_write("text.nc", "cell,accuracy\n1,2\n")), STATUS_INPUT);
    status_clear();
    assert_int_equal(space_file_read(&s, scratch("absent.nc")), STATUS_INPUT);
    assert_non_null(strstr(status_message(), "No such file"));
    status_clear();
    assert_int_equal(space_file_read(&s, scratch_folder), STATUS_INPUT);
    status_clear();
}

static void test_classic(void **state)
{
    (void)state;
    struct space s;
    NC(nc_create(scratch("classic.nc"), NC_CLOBBER, &file));
    NC(nc_close(file));
    assert_int_equal(space_file_read(&s, scratch("classic.nc")), STATUS_INPUT);
    assert_non_null(strstr(status_message(), "nccopy -k nc4"));
    status_clear();
}

/* Names are compared with each other, which must come to an end. */
static void test_many_datasets(void **state)
{
    (void)state;
    struct space s;
    int id, dim[2];
    NC(nc_create(scratch("many.nc"), NC_NETCDF4, &file));
    NC(nc_def_dim(file, "cell", 1, &cell));
    NC(nc_def_dim(file, "node", 1, &node));
    NC(nc_def_dim(file, "dataset", 1001, &dataset));
    put_numbers("operation", NC_BYTE, 2, (int[]){cell, node}, (double[]){0});
    NC(nc_inq_varid(file, "operation", &id));
    NC(nc_put_att_text(file, id, "flag_meanings", 1, "a"));
    put_numbers("adjacency", NC_BYTE, 2, (int[]){node, node}, (double[]){0});
    dim[0] = dataset, dim[1] = cell;
    NC(nc_def_var(file, "accuracy", NC_DOUBLE, 2, dim, &id));
    NC(nc_def_var(file, "dataset", NC_STRING, 1, &dataset, &id));
    NC(nc_close(file));
    assert_int_equal(space_file_read(&s, scratch("many.nc")), STATUS_INPUT);
    assert_non_null(strstr(status_message(), "many.nc: accuracy has 1001 data sets, where 1000 are the most"));
    status_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_same_bytes),  cmocka_unit_test(test_unwritable),
        cmocka_unit_test(test_others),     cmocka_unit_test(test_refused),     cmocka_unit_test(test_no_netcdf),
        cmocka_unit_test(test_classic),    cmocka_unit_test(test_many_datasets),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
