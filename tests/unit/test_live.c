/* Live nodes against all paths of a cell, one by one, and what pruning leaves of its edges. */
#include "fixture.h"

#include "live.h"

enum { OPERATIONS = 4, CELLS = 400 };

static const bool dead[OPERATIONS] = {false, true, false, false};

struct walk {
    const struct cells *cells;
    int cell, length, path[SPACE_NODES_MAX];
    uint32_t live;
};

/* Every path without dead nodes from here on; those that come to an end mark their nodes. */
static void go(struct walk *w, int v)
{
    const struct cells *c = w->cells;
    const uint32_t next = c->mask[0][w->cell][v] & ~(UINT32_C(1) << v);
    if (dead[c->operation[w->cell * c->nodes + v]]) return;
    w->path[w->length++] = v;
    for (int to = 0; to < c->nodes; to++)
        if (next >> to & 1) go(w, to);
    for (int i = 0; i < w->length && next == 0; i++) w->live |= UINT32_C(1) << w->path[i];
    w->length--;
}

static uint32_t by_paths(const struct cells *c, int cell)
{
    struct walk w = {.cells = c, .cell = cell};
    for (int v = 0; v < c->nodes; v++) {
        const uint32_t self = UINT32_C(1) << v;
        const bool alone = ((c->mask[0][cell][v] | c->mask[1][cell][v]) & ~self) == 0;
        if ((c->mask[1][cell][v] & ~self) == 0 && (!alone || c->nodes == 1)) go(&w, v);
    }
    return w.live;
}

static void test_paths(void **state)
{
    (void)state;
    struct random_stream stream;
    random_open(&stream, 1, 0, 0, RANDOM_TEST);
    int some = 0;
    for (int nodes = 1; nodes <= 9; nodes++) {
        const struct cells c = fixture_cells(CELLS, nodes, OPERATIONS, &stream);
        for (int i = 0; i < CELLS; i++) {
            struct graph g = {{0}, {0}}, pruned;
            for (int v = 0; v < nodes; v++) g.successors[v] = c.mask[0][i][v], g.predecessors[v] = c.mask[1][i][v];
            uint32_t ends;
            const uint32_t live = live_nodes(&ends, &g, c.operation + i * nodes, dead, nodes), expected = by_paths(&c, i);
            assert_int_equal(live, expected);
            some += live != 0 && live != (UINT32_C(1) << nodes) - 1;
            live_prune(&pruned, &g, live, nodes);
            for (int v = 0; v < nodes; v++)
                for (int u = 0; u < nodes; u++) {
                    const bool kept = u == v || ((live >> v & 1) && (live >> u & 1));
                    assert_int_equal(pruned.successors[v] >> u & 1, kept && (g.successors[v] >> u & 1));
                    assert_int_equal(pruned.predecessors[v] >> u & 1, pruned.successors[u] >> v & 1);
                }
            for (int v = 0; v < nodes; v++) {
                const bool is_end = (g.successors[v] & ~(UINT32_C(1) << v)) == 0;
                assert_int_equal(ends >> v & 1, (live >> v & 1) && is_end);
            }
        }
        fixture_release();
    }
    assert_true(some > 1000); /* cells of which a part is live */
}

static void test_dead(void **state)
{
    (void)state;
    static char zeros[] = "zeros", zero[] = "zero", none[] = "none", conv[] = "zeros_3x3";
    char *vocabulary[] = {none, zeros, conv, zero};
    const struct space s = {.operations = 4, .vocabulary = vocabulary};
    bool found[4];
    live_dead(found, &s);
    assert_true(!found[0] && found[1] && !found[2] && found[3]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_paths), cmocka_unit_test(test_dead)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
