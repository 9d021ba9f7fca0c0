/* Tables: a CSV becomes the space it describes; every kind of bad input is named with its line and column. */
#include "import.h"
#include "sample_space.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ARCH_A "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|nor_conv_1x1~1|avg_pool_3x3~2|"
#define ARCH_B "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"

static int import_with(struct space *s, const char *table, const char *ini, const char *const *set, int sets)
{
    struct columns c = {0};
    int status = ini != NULL ? columns_parse(&c, ini, "map.ini") : STATUS_OK;
    for (int i = 0; i < sets && status == STATUS_OK; i++) status = columns_set(&c, set[i]);
    *s = (struct space){0};
    if (status == STATUS_OK) status = import_csv(s, table, &c);
    columns_destroy(&c);
    return status;
}

static void assert_message(const char *part)
{
    if (strstr(status_message(), part) == NULL) fail_msg("expected '%s', got: %s", part, status_message());
    status_clear();
}

/* ---- CSV ---- */

static const char mapping[] =
    "[table]\ntitle = Small ; inline comment\n[columns]\nid = n\narch = cell\naccuracy.two = t2\naccuracy.one = t1\n"
    "validation_accuracy.one = v1\nearly_loss = l9..l11, extra\nflops = fl\n"
    "[units]\nflops = 1e6\n[long_name]\nflops = many words\n";

static void test_csv(void **state)
{
    (void)state;
    const char *path = scratch_write("t.csv",
        "\xef\xbb\xbfn,cell, t1 ,t2,\"v1\",l9,l10,l11,extra,fl,unused\r\n"
        "42," ARCH_A ",91.5,70.25,90,3,2,1.5,.5,1e1,x\r\n"
        "\r\n"
        "-7,\"" ARCH_B "\",10, ,,,,,,,\"a,\"\"b\"\"\"\n");
    struct space s;
    assert_int_equal(import_with(&s, path, mapping, NULL, 0), STATUS_OK);
    assert_string_equal(s.title, "Small");
    assert_int_equal(s.cells, 2);
    assert_int_equal(s.nodes, 10);
    assert_int_equal(s.operations, 9);
    assert_int_equal(s.graphs, 1);
    assert_null(s.graph_of);
    assert_int_equal(s.id[0], 42);
    assert_int_equal(s.id[1], -7);
    assert_int_equal(s.datasets, 2);
    assert_string_equal(s.dataset[0], "two"); /* in the order of the mapping */
    assert_true(s.accuracy[0] == 70.25 && isnan(s.accuracy[1]));
    assert_true(s.accuracy[2] == 91.5 && s.accuracy[3] == 10);
    assert_true(isnan(s.validation_accuracy[0]) && isnan(s.validation_accuracy[1])); /* none for this data set */
    assert_true(s.validation_accuracy[2] == 90 && isnan(s.validation_accuracy[3]));
    assert_int_equal(s.code_length, 4);
    assert_true(s.early_loss[0] == 3 && s.early_loss[2] == 1.5 && s.early_loss[3] == 0.5 && isnan(s.early_loss[4]));
    assert_int_equal(s.signals, 1);
    assert_string_equal(s.signal[0].units, "1e6");
    assert_string_equal(s.signal[0].long_name, "many words");
    assert_true(s.signal[0].value[0] == 10 && isnan(s.signal[0].value[1]));
    assert_string_equal(s.arch, ARCH_A);
    assert_string_equal(s.arch + s.arch_length, ARCH_B);
    const char *const edges[] = {"split_3", "nor_conv_3x3", "split_2", "zeros", "skip_connect", "none", "zeros",
                                 "nor_conv_1x1", "avg_pool_3x3", "output"};
    for (int i = 0; i < 10; i++) assert_string_equal(s.vocabulary[s.operation[i]], edges[i]);
    assert_true(s.checksum == space_checksum(&s));
    space_destroy(&s);
}

static void test_csv_command_line(void **state)
{
    (void)state;
    const char *path = scratch_write("t.csv", "cell,t1,t2\n" ARCH_A ",1,2\n" ARCH_B ",3,4\n");
    const char *const set[] = {"arch=cell", "accuracy.x=t1", "accuracy.x=t2"}; /* the last one wins */
    struct space s;
    assert_int_equal(import_with(&s, path, NULL, set, 3), STATUS_OK);
    assert_int_equal(s.datasets, 1);
    assert_true(s.accuracy[0] == 2 && s.accuracy[1] == 4);
    assert_int_equal(s.id[1], 1); /* no id column */
    assert_null(s.early_loss);
    assert_null(s.validation_accuracy);
    space_destroy(&s);
}

static void test_csv_refused(void **state)
{
    (void)state;
    static const char *const set[] = {"id=n", "arch=cell", "accuracy.x=t1", "early_loss=l1,l2"};
    static const struct {
        const char *text, *message;
    } wrong[] = {
        {"", "t.csv: the file is empty"},
        {"n,cell,t1,l1,l2\n", "no line after the header"},
        {"n,cell,t1,l1,l1\n", "t.csv:1: the column 'l1' is there twice"},
        {"n,cell,t2,l1,l2\n1," ARCH_A ",1,2,3\n", "did you mean 't2'?"},
        {"n,cell,t1,l1,l2\n1," ARCH_A ",1,2\n", "t.csv:2: 4 fields, but the header has 5"},
        {"n,cell,t1,l1,l2\n1," ARCH_A ",1,2,3\n2," ARCH_A ",1,2,3,4\n", "t.csv:3: 6 fields, but the header has 5"},
        {"n,cell,t1,l1,l2\n1,no arch,1,2,3\n2\n", "t.csv:3: 1 fields, but the header has 5"}, /* before room is made for lines */
        {"n,cell,t1,l1,l2\n1," ARCH_A ",abc,2,3\n", "t.csv:2: column t1: 'abc' is not a number"},
        {"n,cell,t1,l1,l2\n1," ARCH_A ",1,2,3\n2," ARCH_A ",1,nan,3\n", "t.csv:3: column l1: 'nan' is not a number"},
        {"n,cell,t1,l1,l2\n1," ARCH_A ",inf,2,3\n", "'inf' is not a number"},
        {"n,cell,t1,l1,l2\n1," ARCH_A ",0x1p3,2,3\n", "is not a number"},
        {"n,cell,t1,l1,l2\n1," ARCH_A ",1,2 3,3\n", "'2 3' is not a number"},
        {"n,cell,t1,l1,l2\n1," ARCH_A ",1,1e999,3\n", "too large"},
        {"n,cell,t1,l1,l2\n1," ARCH_A ",-0.5,2,3\n", "t.csv:2: column t1: -0.5 is no percentage"},
        {"n,cell,t1,l1,l2\n1," ARCH_A ",100.1,2,3\n", "column t1: 100.1 is no percentage"},
        {"n,cell,t1,l1,l2\n1,|none~0|,1,2,3\n", "t.csv:2: column cell: '|none~0|'"},
        {"n,cell,t1,l1,l2\n1,|max_pool~0|+|none~0|none~1|+|none~0|none~1|none~2|,1,2,3\n", "unknown operation 'max_pool'"},
        {"n,cell,t1,l1,l2\n1.5," ARCH_A ",1,2,3\n", "t.csv:2: column n: '1.5' is not a whole number"},
        {"n,cell,t1,l1,l2\n," ARCH_A ",1,2,3\n", "column n: '' is not a whole number"},
        {"n,cell,t1,l1,l2\n5," ARCH_A ",1,2,3\n5," ARCH_B ",1,2,3\n", "two cells have the id 5"},
        {"n,cell,t1,l1,l2\n1,\"" ARCH_A ",1,2,3\n", "t.csv:2: field 2 has quotes"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct space s;
        assert_int_equal(import_with(&s, scratch_write("t.csv", wrong[i].text), NULL, set, 4), STATUS_INPUT);
        assert_null(s.operation);
        assert_message(wrong[i].message);
    }
    struct space s;
    assert_int_equal(import_with(&s, scratch("absent.csv"), NULL, set, 4), STATUS_INPUT);
    assert_message("No such file");
}

static void test_columns_refused(void **state)
{
    (void)state;
    static const struct {
        const char *ini, *set, *message;
    } wrong[] = {
        {"[columns]\nid = n\nid = m\n", NULL, "map.ini:3: 'id' is there twice, first at map.ini:2"},
        {"[columns]\nid\n", NULL, "map.ini:2: this is neither"},
        {"[colums]\nid = n\n", NULL, "map.ini:2: unknown key [colums] id"},
        {"[columns]\nid = n\n[units]\nflops = 1\n", NULL, "map.ini:4: [units] flops"},
        {"[columns]\naccuracy = t1\n", NULL, "accuracy.DATASET"},
        {"[columns]\n2fast = t1\n", NULL, "'2fast' is no name"},
        {"[columns]\noperation = t1\n", NULL, "uses the name 'operation' itself"},
        {"[columns]\nflops =\n", NULL, "column is missing"},
        {NULL, "flops", "write NAME=COLUMN"},
        {NULL, "=t1", "write NAME=COLUMN"},
        {"[columns]\naccuracy.x = t1\n", NULL, "no arch"},
        {"[columns]\narch = cell\n", NULL, "no accuracy.DATASET"},
        {"[columns]\narch = cell\naccuracy.x = t1\nvalidation_accuracy.y = t1\n", NULL, "needs accuracy.y"},
        {"[columns]\narch = cell\naccuracy.x = t1\nearly_loss = l1..l3\n", NULL, "no column 'l3' (map.ini:4: early_loss)"},
        {"[columns]\narch = cell\naccuracy.x = t1\nearly_loss = l2..l1\n", NULL, "no range"},
        {"[columns]\narch = cell\naccuracy.x = t1\nearly_loss = l1..m2\n", NULL, "no range"},
        {"[columns]\narch = cell\naccuracy.x = t1\nearly_loss = l1,,l2\n", NULL, "a name is missing"},
    };
    const char *path = scratch_write("t.csv", "n,cell,t1,l1,l2\n1," ARCH_A ",1,2,3\n");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct space s;
        assert_int_equal(import_with(&s, path, wrong[i].ini, &wrong[i].set, wrong[i].set != NULL), STATUS_INPUT);
        assert_message(wrong[i].message);
    }
    struct columns c = {0};
    assert_int_equal(columns_read(&c, scratch("absent.ini")), STATUS_INPUT);
    columns_destroy(&c);
    assert_message("absent.ini");
}

/* What grows faster than the file has an end. */
static void test_too_many(void **state)
{
    (void)state;
    enum { COLUMNS = 20000, LONGEST = 16 };
    char *text = calloc(COLUMNS, LONGEST), *end = text;
    struct columns c = {0};
    struct space s;
    assert_non_null(text);
    for (int i = 0; i < COLUMNS; i++) end += sprintf(end, "c%d%s", i, i + 1 < COLUMNS ? "," : "\n");
    const char *const set[] = {"arch=c0", "accuracy.x=c1"};
    assert_int_equal(import_with(&s, scratch_write("wide.csv", text), NULL, set, 2), STATUS_INPUT);
    assert_message("wide.csv: more than 16384 columns");
    end = text + sprintf(text, "[columns]\n");
    for (int i = 0; i < COLUMNS; i++) end += sprintf(end, "s%d=a\n", i);
    assert_int_equal(columns_parse(&c, text, "map.ini"), STATUS_INPUT);
    assert_message("map.ini:5002: more than 5000 columns are named");
    columns_destroy(&c);
    free(text);
}

static void test_built_in_columns(void **state)
{
    (void)state;
    char *ini = scratch_read("inputs/nas-bench-201.ini", NULL);
    assert_non_null(ini);
    assert_string_equal(ini, columns_nas_bench_201);
    free(ini);
}

/* ---- the published data ---- */

static void import_table(struct space *s, const char *path)
{
    if (import_with(s, path, columns_nas_bench_201, NULL, 0) != STATUS_OK) fail_msg("%s", status_message());
}

static void test_published_table(void **state)
{
    (void)state;
    struct space s;
    const char *path = scratch_data("nas-bench-201.csv");
    if (path == NULL) skip();
    import_table(&s, path);
    assert_int_equal(s.cells, 15625);
    assert_int_equal(s.datasets, 3);
    const double best[] = {94.3733, 73.5133, 47.3111};
    for (int d = 0; d < 3; d++) {
        double high = 0;
        for (int64_t i = 0; i < s.cells; i++) high = fmax(high, s.accuracy[d * s.cells + i]);
        assert_true(high == best[d]);
    }
    int64_t missing = 0;
    assert_int_equal(s.code_length, 50);
    for (int64_t i = 0; i < s.cells; i++) {
        missing += isnan(s.early_loss[50 * i]);
        assert_true(isnan(s.early_loss[50 * i]) == (i >= 3989 && i <= 3999));
        assert_int_equal(s.id[i], i);
    }
    assert_int_equal(missing, 11);
    assert_true(s.early_loss[0] == 4.5638 && s.early_loss[49] == 1.2643);
    assert_true(s.signal[space_find_signal(&s, "flops")].value[1] == 113.95137);
    assert_int_equal(space_filter(&s, "flops<35"), STATUS_OK);
    /* 4^6: one 3x3 convolution is too much already */
    for (int64_t i = 0; i < s.cells; i++) assert_null(strstr(s.arch + i * s.arch_length, "nor_conv_3x3"));
    assert_int_equal(s.cells, 4096);
    space_destroy(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_csv_command_line),
        cmocka_unit_test(test_csv_refused),
        cmocka_unit_test(test_columns_refused), cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_built_in_columns),
        cmocka_unit_test(test_published_table),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
