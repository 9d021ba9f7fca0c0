/* Neighbours against brute force: spaces with one graph and with many, full and with holes, with cells that occur twice. */
#include "fixture.h"

#include "neighbourhood.h"
#include "sample_space.h"

/* One edit apart? */
static bool brute_force(const struct space *s, int64_t a, int64_t b)
{
    int operations = 0, edges = 0;
    for (int v = 0; v < s->nodes; v++) {
        operations += s->operation[a * s->nodes + v] != s->operation[b * s->nodes + v];
        edges += __builtin_popcount(space_graph(s, a)->successors[v] ^ space_graph(s, b)->successors[v]);
    }
    return operations + edges == 1;
}

static bool same(const struct space *s, int64_t a, int64_t b)
{
    return memcmp(s->operation + a * s->nodes, s->operation + b * s->nodes, (size_t)s->nodes) == 0 &&
           memcmp(space_graph(s, a), space_graph(s, b), sizeof(struct graph)) == 0;
}

static bool is_first(const struct space *s, int64_t cell)
{
    for (int64_t i = 0; i < cell; i++)
        if (same(s, i, cell)) return false;
    return true;
}

/* How many neighbours there are in all. */
static int64_t check(struct space *s)
{
    struct neighbourhood *n;
    int64_t total = 0;
    assert_int_equal(neighbourhood_create(&n, s), STATUS_OK);
    int64_t *list = fixture_take((size_t)neighbourhood_most(n) + 1, sizeof *list);
    bool *first = fixture_take((size_t)s->cells, sizeof *first);
    for (int64_t i = 0; i < s->cells; i++) first[i] = is_first(s, i);
    for (int64_t i = 0; i < s->cells; i++) {
        const int64_t found = neighbourhood_find(n, space_graph(s, i), s->operation + i * s->nodes);
        assert_true(first[i] ? found == i : found < i && same(s, i, found));
        const int count = neighbourhood_list(list, n, i);
        assert_in_range(count, 0, neighbourhood_most(n));
        int at = 0;
        for (int64_t j = 0; j < s->cells; j++)
            if (first[j] && brute_force(s, i, j)) assert_true(at < count && list[at++] == j);
        assert_int_equal(at, count);
        total += count;
    }
    uint8_t nowhere[SPACE_NODES_MAX];
    memset(nowhere, 250, sizeof nowhere);
    assert_int_equal(neighbourhood_find(n, s->graph, nowhere), -1);
    neighbourhood_destroy(&n);
    fixture_release();
    return total;
}

static void test_holes(void **state)
{
    (void)state;
    for (int per_cell = 0; per_cell < 2; per_cell++)
        for (int nodes = 1; nodes <= 5; nodes += 2) {
            struct space s;
            sample_space(&s, 300, nodes, per_cell ? SAMPLE_PER_CELL : 0, (uint64_t)nodes);
            assert_true(check(&s) > 0);
            space_destroy(&s);
        }
}

/* All 5^3 cells of one graph, in which each has 3 x 4 neighbours. */
static void test_full(void **state)
{
    (void)state;
    struct space s;
    sample_space(&s, 125, 3, 0, 3);
    for (int i = 0; i < 125; i++)
        for (int v = 0, rest = i; v < 3; v++, rest /= 5) s.operation[i * 3 + v] = (uint8_t)(rest % 5);
    assert_int_equal(check(&s), 125 * 12);
    space_destroy(&s);
}

/* All 64 graphs on four ordered nodes, with two choices of operations: six edges to take or leave, and one operation. */
static void test_edges(void **state)
{
    (void)state;
    struct space s;
    struct graph_set set = {0};
    uint32_t *graph_of;
    sample_space(&s, 128, 4, SAMPLE_PER_CELL, 4);
    assert_int_equal(memory_alloc(&graph_of, 128, sizeof *graph_of), STATUS_OK);
    for (int i = 0; i < 128; i++) {
        uint8_t matrix[16] = {0};
        struct graph g;
        for (int from = 0, bit = 0; from < 4; from++)
            for (int to = from + 1; to < 4; to++, bit++) matrix[from * 4 + to] = i >> bit & 1;
        assert_int_equal(graph_from_matrix(&g, matrix, 4, "test"), STATUS_OK);
        assert_int_equal(graph_set_add(&set, &graph_of[i], &g), STATUS_OK);
        memset(s.operation + i * 4, 1, 4);
        s.operation[i * 4 + 2] = (uint8_t)(i >> 6);
    }
    free(s.graph);
    free(s.graph_of);
    graph_set_give(&set, &s, graph_of);
    assert_int_equal(check(&s), 128 * 7);
    space_destroy(&s);
}

/* Cells that are all the same have nobody to go to. */
static void test_twins(void **state)
{
    (void)state;
    struct space s;
    sample_space(&s, 40, 3, 0, 5);
    memset(s.operation, 2, 40 * 3);
    assert_int_equal(check(&s), 0);
    space_destroy(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_holes), cmocka_unit_test(test_full), cmocka_unit_test(test_edges),
                                       cmocka_unit_test(test_twins)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
