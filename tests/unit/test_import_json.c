/* JSON cells become the space they describe; every kind of bad input is named with its file and field. */
#include "import.h"
#include "sample_space.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_message(const char *part)
{
    if (strstr(status_message(), part) == NULL) fail_msg("expected '%s', got: %s", part, status_message());
    status_clear();
}

#define CHAIN "[[0,1,0],[0,0,1],[0,0,0]]"
#define CELL(id, rest) "{\"id\": " id ", \"adj_matrix\": " CHAIN ", \"operations\": [\"a\", \"c\", \"b\"]" rest "}"

static const char *new_folder(void)
{
    const char *folder = scratch("cells");
    scratch_remove(folder);
    if (mkdir(folder, 0777) != 0) abort();
    return folder;
}

static void test_json_folder(void **state)
{
    (void)state;
    const char *folder = new_folder();
    scratch_write("cells/x.json", CELL("20", ", \"gt_accuracy\": 0.5, \"flops\": 12.5, \"est_code\": [3, 2, 1.5], "
                                             "\"pred_accuracy\": -1"));
    scratch_write("cells/y.json", CELL("3", ", \"gt_accuracy\": 1, \"flops\": -1, \"init_channel\": 16, "
                                            "\"est_code\": null"));
    scratch_write("cells/z.json", "{\"id\": 7, \"adj_matrix\": [[0,1],[0,0]], \"operations\": [\"b\", \"none\"]}");
    scratch_write("cells/README", "not a cell");
    struct space s;
    struct import_json_options o = {.dataset = "cifar100"};
    assert_int_equal(import_json_cells(&s, folder, &o), STATUS_OK);
    assert_int_equal(s.cells, 3);
    const int64_t ids[] = {3, 7, 20};
    assert_memory_equal(s.id, ids, sizeof ids);
    assert_string_equal(s.dataset[0], "cifar100");
    assert_true(s.accuracy[0] == 100 && isnan(s.accuracy[1]) && s.accuracy[2] == 50);
    assert_string_equal(s.signal[0].name, "flops");
    assert_string_equal(s.signal[0].units, "1e6");
    assert_true(isnan(s.signal[0].value[0]) && isnan(s.signal[0].value[1]) && s.signal[0].value[2] == 12.5);
    assert_int_equal(s.code_length, 3);
    assert_true(isnan(s.early_loss[0]) && isnan(s.early_loss[5]) && s.early_loss[8] == 1.5);
    const char *const words[] = {"a", "b", "c", "none"}; /* sorted */
    assert_int_equal(s.operations, 4);
    for (int i = 0; i < 4; i++) assert_string_equal(s.vocabulary[i], words[i]);
    const uint8_t operation[] = {0, 2, 1, 1, 3, 3, 0, 2, 1}; /* the middle one padded */
    assert_memory_equal(s.operation, operation, 9);
    assert_int_equal(s.graphs, 2);
    assert_int_equal(space_graph(&s, 0)->successors[1], 6);
    assert_int_equal(space_graph(&s, 1)->successors[0], 3);
    assert_int_equal(space_graph(&s, 1)->successors[1], 2);
    assert_int_equal(space_graph(&s, 1)->successors[2], 4); /* a padding node has its self-loop only */
    assert_null(s.arch);
    space_destroy(&s);

    o = (struct import_json_options){.vocabulary = "none,c,b,a", .nodes = 5};
    assert_int_equal(import_json_cells(&s, folder, &o), STATUS_OK);
    assert_int_equal(s.nodes, 5);
    assert_string_equal(s.dataset[0], "default");
    const uint8_t padded[] = {3, 1, 2, 0, 0};
    assert_memory_equal(s.operation, padded, 5);
    space_destroy(&s);
}

static void test_json_file(void **state)
{
    (void)state;
    struct space s;
    assert_int_equal(import_json_cells(&s, scratch_write("one.json", CELL("9", "")), NULL), STATUS_OK);
    assert_int_equal(s.cells, 1);
    assert_int_equal(s.id[0], 9);
    assert_int_equal(s.signals, 0);
    assert_int_equal(s.code_length, 0);
    assert_true(isnan(s.accuracy[0]));
    space_destroy(&s);
    const char *const several[] = {
        "[" CELL("4", "") "," CELL("2", "") "]",
        "{\"cells\": [" CELL("4", "") "," CELL("2", "") "], \"vocabulary\": [\"c\", \"b\", \"a\", \"spare\"]}",
        "{\"cases\": [" CELL("4", "") "," CELL("2", "") "]}",
    };
    for (int i = 0; i < 3; i++) {
        assert_int_equal(import_json_cells(&s, scratch_write("some.json", several[i]), NULL), STATUS_OK);
        assert_int_equal(s.cells, 2);
        assert_int_equal(s.id[0], 2);
        assert_int_equal(s.operations, i == 1 ? 4 : 3);
        assert_int_equal(s.operation[0], i == 1 ? 2 : 0);
        assert_null(s.graph_of);
        space_destroy(&s);
    }
    const char *without_id = "[{\"adj_matrix\": [[0]], \"operations\": [\"a\"]},"
                             " {\"adj_matrix\": [[0]], \"operations\": [\"b\"]}]";
    assert_int_equal(import_json_cells(&s, scratch_write("some.json", without_id), NULL), STATUS_OK);
    assert_int_equal(s.id[1], 1);
    space_destroy(&s);
}

static void test_json_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } wrong[] = {
        {"{\"id\": 1,\n \"adj_matrix\": [[0,1],\n", "cells/b.json:3: not valid JSON"},
        {"[]", "a cell must be a JSON object"},
        {"{\"adj_matrix\": [[0]], \"operations\": [\"a\"]}", "cells/b.json: field id is missing"},
        {"{\"id\": \"1\", \"adj_matrix\": [[0]], \"operations\": [\"a\"]}", "field id must be a whole number"},
        {"{\"id\": 1, \"operations\": [\"a\"]}", "field adj_matrix is missing"},
        {"{\"id\": 1, \"adj_matrix\": [[0]]}", "field operations is missing"},
        {"{\"id\": 1, \"adj_matrix\": [[0]], \"operations\": []}", "field operations has 0 nodes"},
        {"{\"id\": 1, \"adj_matrix\": [[0]], \"operations\": [3]}", "field operations[0] must be a name"},
        {"{\"id\": 1, \"adj_matrix\": [[0]], \"operations\": [\"a b\"]}", "field operations[0] must be a name"},
        {"{\"id\": 1, \"adj_matrix\": [[0,1],[0]], \"operations\": [\"a\",\"b\"]}", "field adj_matrix[1] has 1 entries"},
        {"{\"id\": 1, \"adj_matrix\": [[0,1]], \"operations\": [\"a\",\"b\"]}", "field adj_matrix has 1 rows"},
        {"{\"id\": 1, \"adj_matrix\": [[0,2],[0,0]], \"operations\": [\"a\",\"b\"]}",
         "field adj_matrix[0][1] must be 0 or 1"},
        {"{\"id\": 1, \"adj_matrix\": [[0,1],[1,0]], \"operations\": [\"a\",\"b\"]}",
         "field adj_matrix: the adjacency has a cycle"},
        {CELL("1", ", \"gt_accuracy\": 67.8"), "field gt_accuracy must be a fraction"},
        {CELL("1", ", \"gt_accuracy\": -0.1"), "field gt_accuracy must be a fraction"},
        {CELL("1", ", \"gt_accuracy\": \"0.5\""), "field gt_accuracy must be a number"},
        {CELL("1", ", \"gt_accuracy\": NaN"), "cells/b.json:1: not valid JSON"},
        {CELL("1", ", \"flops\": -2"), "field flops must be 0 or more"},
        {CELL("1", ", \"est_code\": 3"), "field est_code must be an array"},
        {CELL("1", ", \"est_code\": [1, null]"), "field est_code[1] must be a number"},
        {CELL("1", ", \"est_code\": [1, 2]"), "field est_code has 2 losses, but"},
        {CELL("0", ""), "cells/b.json: field id is 0, as in"},
        {CELL("1", ", \"id\": 2"), "not valid JSON"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct space s;
        const char *folder = new_folder();
        scratch_write("cells/a.json", CELL("0", ", \"est_code\": [1, 2, 3]"));
        scratch_write("cells/b.json", wrong[i].text);
        assert_int_equal(import_json_cells(&s, folder, NULL), STATUS_INPUT);
        assert_null(s.operation);
        assert_message(wrong[i].message);
    }
    struct space s;
    assert_int_equal(import_json_cells(&s, new_folder(), NULL), STATUS_INPUT);
    assert_message("no files NAME.json");
    assert_int_equal(import_json_cells(&s, scratch("absent"), NULL), STATUS_INPUT);
    assert_message("No such file");
    struct import_json_options o = {.vocabulary = "a,b"};
    const char *cell = scratch_write("one.json", CELL("9", ""));
    assert_int_equal(import_json_cells(&s, cell, &o), STATUS_INPUT);
    assert_message("one.json: field operations[1]: 'c' is not in the vocabulary");
    o = (struct import_json_options){.vocabulary = "a,b,c,a"};
    assert_int_equal(import_json_cells(&s, cell, &o), STATUS_INPUT);
    assert_message("'a' is there twice");
    o = (struct import_json_options){.nodes = 5};
    assert_int_equal(import_json_cells(&s, cell, &o), STATUS_INPUT);
    assert_message("no 'none' to pad with");
    o = (struct import_json_options){.nodes = 2};
    assert_int_equal(import_json_cells(&s, cell, &o), STATUS_INPUT);
    assert_message("2 are the most");
}

/* ---- the published data ---- */

/* The JSON cells are cells of the table: both ways in must agree. */
static void test_published_cells(void **state)
{
    (void)state;
    struct space table, cells;
    const char *path = scratch_data("nas-bench-201.csv");
    if (path == NULL) skip();
    struct columns columns = {0};
    assert_int_equal(columns_parse(&columns, columns_nas_bench_201, "built-in"), STATUS_OK);
    assert_int_equal(import_csv(&table, path, &columns), STATUS_OK);
    columns_destroy(&columns);
    assert_int_equal(import_json_cells(&cells, scratch_data("siamese-json"), NULL), STATUS_OK);
    assert_int_equal(cells.cells, 200);
    assert_null(cells.graph_of);
    assert_memory_equal(cells.graph, table.graph, sizeof(struct graph));
    for (int64_t i = 0; i < 200; i++) {
        int64_t id = cells.id[i];
        assert_true(i == 0 || id > cells.id[i - 1]);
        assert_memory_equal(cells.operation + 10 * i, table.operation + 10 * id, 10);
        assert_string_equal(cells.arch + i * cells.arch_length, table.arch + id * table.arch_length);
        assert_true(cells.signal[0].value[i] == table.signal[0].value[id]);
    }
    space_destroy(&table);
    space_destroy(&cells);
}

static void test_published_golden(void **state)
{
    (void)state;
    struct space s;
    const char *path = scratch_data("golden-forward.json");
    if (path == NULL) skip();
    assert_int_equal(import_json_cells(&s, path, NULL), STATUS_OK);
    assert_int_equal(s.cells, 24);
    assert_int_equal(s.nodes, 7);
    assert_int_equal(s.operations, 11);
    assert_string_equal(s.vocabulary[5], "dwconv3x3");
    assert_string_equal(s.vocabulary[s.operation[0]], "atten");
    assert_int_equal(space_graph(&s, 0)->successors[0], 1 | 8 | 16 | 64);
    assert_true(s.early_loss[0] == 2.434336);
    space_destroy(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_folder),
        cmocka_unit_test(test_json_file),
        cmocka_unit_test(test_json_refused),
        cmocka_unit_test(test_published_cells),
        cmocka_unit_test(test_published_golden),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
