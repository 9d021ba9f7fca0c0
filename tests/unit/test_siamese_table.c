/* Scoring with what cells have in common looked up (siamese_promise) gives the bits of scoring without. */
#include "fixture.h"

#include "../../src/predictor/siamese_internal.h"
#include "nasbench201.h"
#include "predictor.h"
#include "sample_space.h"

enum { COUNT = 43, CODE = 3 };

static struct random_stream stream;

/* Two predictors with the same weights. */
struct pair {
    struct siamese *plain, *table;
};

static void scramble(struct pair *p)
{
    size_t count;
    siamese_initialise(p->plain, &stream);
    real *weights = siamese_weights(p->plain, &count);
    for (size_t i = siamese_trained(p->plain); i < count; i++) weights[i] += (real)(0.1 * random_uniform(&stream));
    memcpy(siamese_weights(p->table, &count), weights, count * sizeof *weights);
    siamese_fold(p->plain);
    siamese_fold(p->table);
}

static struct pair pair_create(int nodes, int operations, bool nsam)
{
    const struct siamese_shape shape = {nodes, operations, CODE, nsam, false, false, false};
    const struct siamese_training training = {.norm_epsilon = 1e-4};
    struct pair p;
    assert_int_equal(siamese_create(&p.plain, &shape, &training, 0), STATUS_OK);
    assert_int_equal(siamese_create(&p.table, &shape, &training, 0), STATUS_OK);
    return p;
}

static void pair_destroy(struct pair *p)
{
    siamese_destroy(&p->plain);
    siamese_destroy(&p->table);
}

static void expect_same(const struct pair *p, const struct cells *cells)
{
    const real *codes = fixture_reals((size_t)(cells->count * CODE), 2, &stream);
    real *score = fixture_zeros((size_t)cells->count), *expected = fixture_zeros((size_t)cells->count);
    for (int branch = 0; branch < 2; branch++) {
        siamese_score(expected, p->plain, cells, branch == 0 ? NULL : codes);
        siamese_score(score, p->table, cells, branch == 0 ? NULL : codes);
        assert_memory_equal(score, expected, (size_t)cells->count * sizeof *score);
    }
    for (int i = 1; i < cells->count && siamese_shape(p->plain)->operations > 5; i++) /* cells differ, and so do their scores */
        assert_true(score[i] != score[0]);
}

/* Cells of one graph, node v with one of the operations allowed[v * operations + o]. */
static struct cells alike(int nodes, int operations, const bool *allowed, const uint32_t *const mask[2])
{
    uint8_t *operation = fixture_take((size_t)(COUNT * nodes), 1);
    const uint32_t **masks[2];
    for (int d = 0; d < 2; d++) {
        masks[d] = fixture_take(COUNT, sizeof **masks);
        for (int b = 0; b < COUNT; b++) masks[d][b] = mask[d];
    }
    for (int i = 0; i < COUNT * nodes; i++)
        do operation[i] = (uint8_t)random_below(&stream, operations);
        while (!allowed[i % nodes * operations + operation[i]]);
    return (struct cells){COUNT, nodes, operation, {masks[0], masks[1]}};
}

static void test_graphs(void **state)
{
    (void)state;
    const int node_counts[] = {1, 2, 5, 7};
    int mixed = 0; /* tables with rows behind the second group for some of the nodes */
    for (int n = 0; n < 4; n++)
        for (int operations = 2; operations <= 5; operations += 3)
            for (int nsam = 0; nsam < 2; nsam++) {
                const int nodes = node_counts[n];
                struct pair p = pair_create(nodes, operations, nsam);
                struct cells graphs = fixture_cells(3, nodes, operations, &stream);
                for (int g = 0; g < 3; g++) { /* no edges, all edges, some; a promise replaces the last one */
                    const uint32_t *const mask[2] = {graphs.mask[0][g], graphs.mask[1][g]};
                    bool allowed[7 * 5];
                    for (int i = 0; i < nodes * operations; i++)
                        allowed[i] = i % operations == i / operations % 2 || random_below(&stream, 2);
                    assert_int_equal(siamese_promise(p.table, mask, allowed, INT64_C(1) << 20), STATUS_OK);
                    assert_true(p.table->table.near.count > 0);
                    int far = 0;
                    for (int v = 0; v < nodes; v++) far += p.table->table.far.near[v] != 0;
                    mixed += 0 < far && far < nodes;
                    for (int weights = 0; weights < 2; weights++) { /* the table follows the weights */
                        scramble(&p);
                        struct cells cells = alike(nodes, operations, allowed, mask);
                        cells.count = COUNT - 11 * weights;
                        expect_same(&p, &cells);
                    }
                }
                pair_destroy(&p);
                fixture_release();
            }
    assert_true(mixed > 0);
}

/* NAS-Bench-201: 530 neighbourhoods, and 125 of two edges around each of the four junctions; one row less is no table at all. */
static void test_nasbench201(void **state)
{
    (void)state;
    enum { V = NASBENCH201_NODES, O = NASBENCH201_OPERATIONS };
    struct graph g;
    bool allowed[V * O] = {0};
    uint8_t some[V];
    nasbench201_graph(&g);
    static const char *const edge[] = {"none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"};
    for (int e = 0; e < 5; e++) {
        char arch[NASBENCH201_ARCH_MAX];
        snprintf(arch, sizeof arch, "|%s~0|+|%s~0|%s~1|+|%s~0|%s~1|%s~2|", edge[e], edge[e], edge[e], edge[e], edge[e], edge[e]);
        assert_int_equal(nasbench201_parse(some, arch, "test"), STATUS_OK);
        for (int v = 0; v < V; v++) allowed[v * O + some[v]] = true;
    }
    const uint32_t *const mask[2] = {g.successors, g.predecessors};
    struct pair p = pair_create(V, O, true);
    for (int64_t most = 530; most >= 528; most--) {
        assert_int_equal(siamese_promise(p.table, mask, allowed, most), STATUS_OK);
        assert_int_equal(p.table->table.near.count, most == 530 ? 530 : 0);
        assert_int_equal(p.table->table.far.count, most == 530 ? 500 : 0);
        scramble(&p);
        struct cells cells = alike(V, O, allowed, mask);
        expect_same(&p, &cells);
    }
    pair_destroy(&p);
    fixture_release();
}

/* Cells that break the promise, wherever they stand: another graph, even an equal one elsewhere, or another operation. */
static void test_broken(void **state)
{
    (void)state;
    enum { V = 5, O = 4 };
    struct pair p = pair_create(V, O, true);
    struct cells graphs = fixture_cells(4, V, O, &stream);
    const uint32_t *const mask[2] = {graphs.mask[0][2], graphs.mask[1][2]};
    uint32_t equal[2][V];
    bool allowed[V * O];
    for (int i = 0; i < V * O; i++) allowed[i] = i % O > 0;
    for (int d = 0; d < 2; d++) memcpy(equal[d], mask[d], sizeof equal[d]);
    assert_int_equal(siamese_promise(p.table, mask, allowed, 100000), STATUS_OK);
    assert_true(p.table->table.near.count > 0);
    scramble(&p);
    for (int round = 0; round < 30; round++) {
        struct cells cells = alike(V, O, allowed, mask);
        const uint32_t *masks[2][COUNT];
        uint8_t operation[COUNT * V];
        memcpy(operation, cells.operation, sizeof operation);
        for (int d = 0; d < 2; d++) {
            memcpy(masks[d], cells.mask[d], sizeof masks[d]);
            cells.mask[d] = masks[d];
        }
        cells.operation = operation;
        for (int i = 0; i < 3; i++) {
            int cell = (int)random_below(&stream, COUNT), how = (int)random_below(&stream, 3);
            if (how == 0) operation[cell * V + (int)random_below(&stream, V)] = 0;
            for (int d = 0; d < 2 && how > 0; d++) masks[d][cell] = how == 1 ? graphs.mask[d][1] : equal[d];
        }
        expect_same(&p, &cells);
    }
    pair_destroy(&p);
    fixture_release();
}

/* The predictors promise what their space keeps: the same scores as the bare network. */
static void test_predictor(void **state)
{
    (void)state;
    enum { CELLS = 400, NODES = 5 };
    for (int per_cell = 0; per_cell < 2; per_cell++) {
        struct space space;
        sample_space(&space, CELLS, NODES, per_cell ? SAMPLE_PER_CELL : 0, 3);
        struct pair p = pair_create(NODES, space.operations, true);
        scramble(&p);
        const uint32_t *masks[2][CELLS];
        int64_t cell[CELLS];
        float score[CELLS], expected[CELLS];
        for (int i = 0; i < CELLS; i++) {
            cell[i] = CELLS - 1 - i;
            masks[0][CELLS - 1 - i] = space_graph(&space, CELLS - 1 - i)->successors;
            masks[1][CELLS - 1 - i] = space_graph(&space, CELLS - 1 - i)->predecessors;
        }
        const struct cells all = {CELLS, NODES, space.operation, {masks[0], masks[1]}};
        siamese_score(expected, p.plain, &all, NULL);
        struct predictor *predictor;
        assert_int_equal(predictor_adopt(&predictor, p.table, &space), STATUS_OK); /* takes the network over */
        predictor_prepare(predictor);
        predictor_score(predictor, score, &(struct predictor_batch){&space, CELLS, cell, NULL});
        for (int i = 0; i < CELLS; i++) assert_memory_equal(&score[i], &expected[cell[i]], sizeof *score);
        predictor_destroy(&predictor);
        siamese_destroy(&p.plain);
        space_destroy(&space);
    }
    fixture_release();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_graphs), cmocka_unit_test(test_nasbench201), cmocka_unit_test(test_broken),
        cmocka_unit_test(test_predictor),
    };
    random_open(&stream, 5, 0, 0, RANDOM_TEST);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
