/* Cells as vectors: against a count of the paths of NAS-Bench-201's arch strings by hand, on graphs whose nodes are renumbered, and where
 * there are too many paths to count. */
#include "fixture.h"

#include "graph.h"
#include "nasbench201.h"
#include "sample_space.h"
#include "space.h"
#include "traits.h"

#include <math.h>
#include <string.h>

/* ---- NAS-Bench-201 ---- */

enum { EDGES = 6, PATHS = 4, TUPLES = 40, CELLS = 15625 };

/* Digits of a cell: none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3 on the edges 01, 02, 12, 03, 13, 23. */
static void digits_of(int digit[EDGES], int cell)
{
    for (int e = EDGES - 1; e >= 0; e--, cell /= 5) digit[e] = cell % 5;
}

struct plain {
    int count[TUPLES]; /* of the sequences of 0 to 3 of three operations */
    int live[5], paths, shortest, longest, most[5];
    double mean;
};

static void count_plainly(struct plain *p, int cell)
{
    static const int path[PATHS][4] = {{1, 3}, {2, 0, 4}, {2, 1, 5}, {3, 0, 2, 5}}, base[] = {0, 1, 4, 13};
    int digit[EDGES], alive[EDGES] = {0}, sum = 0;
    digits_of(digit, cell);
    *p = (struct plain){.shortest = 9};
    for (int i = 0; i < PATHS; i++) {
        int length = 0, number = 0, each[5] = {0};
        bool dead = false;
        for (int k = 1; k <= path[i][0]; k++) {
            const int d = digit[path[i][k]];
            dead = dead || d == 0;
            if (d >= 2) number = 3 * number + d - 2, length++, each[d]++;
        }
        if (dead) continue;
        for (int k = 1; k <= path[i][0]; k++) alive[path[i][k]] = 1;
        p->count[base[length] + number]++;
        p->paths++, sum += length;
        if (length < p->shortest) p->shortest = length;
        if (length > p->longest) p->longest = length;
        for (int d = 2; d < 5; d++) p->most[d] = each[d] > p->most[d] ? each[d] : p->most[d];
    }
    if (p->paths == 0) p->shortest = 0;
    p->mean = p->paths > 0 ? (double)sum / p->paths : 0;
    for (int e = 0; e < EDGES; e++) p->live[digit[e]] += alive[e];
}

static bool same_counts(const struct plain *a, const struct plain *b)
{
    return memcmp(a->count, b->count, sizeof a->count) == 0 && memcmp(a->live, b->live, sizeof a->live) == 0;
}

static void test_nasbench201(void **state)
{
    (void)state;
    struct space s;
    struct traits *t;
    struct random_stream r;
    static struct plain plain[CELLS];
    assert_int_equal(nasbench201_space(&s, 4), STATUS_OK);
    assert_int_equal(s.cells, CELLS);
    assert_int_equal(traits_create(&t, &s), STATUS_OK);
    assert_int_equal(t->counts, TUPLES);
    assert_int_equal(t->statistics, 11); /* four live operations, three lengths, number of paths, most of three operations */
    assert_false(t->labels);
    for (int i = 0; i < CELLS; i++) count_plainly(&plain[i], i);

    int distinct = 0;
    for (int64_t c = 0; c < t->classes; c++) {
        assert_true(c == 0 || t->member[t->begin[c]] > t->member[t->begin[c - 1]]); /* in the order of their first cells */
        for (int64_t k = t->begin[c]; k < t->begin[c + 1]; k++) {
            assert_int_equal(t->class_of[t->member[k]], c);
            assert_true(k == t->begin[c] || t->member[k] > t->member[k - 1]);
            assert_true(same_counts(&plain[t->member[k]], &plain[t->member[t->begin[c]]]));
        }
        distinct++;
    }
    assert_int_equal(t->begin[t->classes], CELLS);
    assert_int_equal(distinct, 5179);

    /* every two cells: the distance of the counts, the same class or not, and one scale for each statistic */
    random_open(&r, 1, 0, 0, RANDOM_TEST);
    for (int n = 0; n < 20000; n++) {
        const int a = (int)random_below(&r, CELLS), b = (int)random_below(&r, CELLS);
        const float *x = traits_of(t, t->class_of[a]), *y = traits_of(t, t->class_of[b]);
        double distance = 0, expected = 0;
        for (int k = 0; k < TUPLES; k++) {
            distance += ((double)x[k] - (double)y[k]) * ((double)x[k] - (double)y[k]);
            expected += (plain[a].count[k] - plain[b].count[k]) * (plain[a].count[k] - plain[b].count[k]);
        }
        assert_true(distance == expected);
        assert_int_equal(t->class_of[a] == t->class_of[b], same_counts(&plain[a], &plain[b]));
    }
    traits_destroy(&t);
    assert_null(t);
    space_destroy(&s);
}

/* Each statistic is, up to one factor and shift, one of those counted by hand, and has mean 0 and variance 1. */
static void test_statistics(void **state)
{
    (void)state;
    struct space s;
    struct traits *t;
    static double known[11][CELLS];
    assert_int_equal(nasbench201_space(&s, 4), STATUS_OK);
    assert_int_equal(traits_create(&t, &s), STATUS_OK);
    for (int i = 0; i < CELLS; i++) {
        struct plain p;
        count_plainly(&p, i);
        const double value[] = {p.paths, p.shortest, p.longest, p.mean, p.live[1], p.live[2], p.live[3], p.live[4],
                                p.most[2], p.most[3], p.most[4]};
        for (int k = 0; k < 11; k++) known[k][i] = value[k];
    }
    bool used[11] = {false};
    for (int k = 0; k < 11; k++) {
        double sum = 0, squares = 0;
        int match = -1;
        for (int i = 0; i < CELLS; i++) {
            const double z = (double)traits_of(t, t->class_of[i])[TUPLES + k];
            sum += z, squares += z * z;
        }
        assert_true(fabs(sum / CELLS) < 1e-5 && fabs(squares / CELLS - 1) < 1e-5);
        for (int c = 0; c < 11 && match < 0; c++) {
            double mean = 0, variance = 0, cross = 0;
            for (int i = 0; i < CELLS; i++) mean += known[c][i] / CELLS;
            for (int i = 0; i < CELLS; i++) {
                variance += (known[c][i] - mean) * (known[c][i] - mean) / CELLS;
                cross += (known[c][i] - mean) * (double)traits_of(t, t->class_of[i])[TUPLES + k] / CELLS;
            }
            if (!used[c] && fabs(cross / sqrt(variance) - 1) < 1e-5) match = c;
        }
        assert_true(match >= 0);
        used[match] = true;
    }
    traits_destroy(&t);
    space_destroy(&s);
}

/* ---- graphs of their own ---- */

enum { NODES = 9, MANY = 40 };

/* A random cell, and in the next place the same with its nodes in another order. */
static void make_pairs(struct space *s, int edges_in_three, struct random_stream *r)
{
    static char word[][16] = {"a", "b", "zeros", "skip_connect", "output"};
    static char *vocabulary[] = {word[0], word[1], word[2], word[3], word[4]};
    struct graph_set set = {0};
    uint32_t *graph_of;
    uint8_t *operation;
    sample_ok(memory_alloc(&graph_of, 2 * MANY, sizeof *graph_of));
    sample_ok(memory_alloc(&operation, 2 * MANY * NODES, 1));
    for (int i = 0; i < MANY; i++) {
        uint8_t matrix[2][NODES * NODES] = {{0}};
        int order[NODES];
        for (int v = 0; v < NODES; v++) {
            const int at = (int)random_below(r, v + 1);
            order[v] = order[at];
            order[at] = v;
        }
        for (int v = 0; v < NODES; v++) {
            const uint8_t o = v == NODES - 1 ? 4 : (uint8_t)random_below(r, 4);
            operation[2 * i * NODES + v] = operation[(2 * i + 1) * NODES + order[v]] = o;
            for (int w = v + 1; w < NODES; w++)
                matrix[0][v * NODES + w] = matrix[1][order[v] * NODES + order[w]] = w == v + 1 || random_below(r, 3) < edges_in_three;
        }
        for (int k = 0; k < 2; k++) {
            struct graph g;
            sample_ok(graph_from_matrix(&g, matrix[k], NODES, "pair"));
            sample_ok(graph_set_add(&set, &graph_of[2 * i + k], &g));
        }
    }
    *s = (struct space){.cells = 2 * MANY, .nodes = NODES, .operations = 5, .vocabulary = vocabulary, .operation = operation};
    graph_set_give(&set, s, graph_of);
}

static void free_pairs(struct space *s)
{
    free(s->operation);
    free(s->graph);
    free(s->graph_of);
}

static void test_renumbered(void **state)
{
    (void)state;
    struct random_stream r;
    random_open(&r, 7, 0, 0, RANDOM_TEST);
    for (int round = 0; round < 3; round++) {
        struct space s;
        struct traits *t;
        make_pairs(&s, round, &r);
        assert_int_equal(traits_create(&t, &s), STATUS_OK);
        assert_false(t->labels);
        for (int i = 0; i < MANY; i++) assert_int_equal(t->class_of[2 * i], t->class_of[2 * i + 1]);
        assert_true(t->classes > 1 && t->classes <= MANY);
        traits_destroy(&t);
        free_pairs(&s);
    }
}

/* A ladder of 31 nodes, each with edges to the next three: millions of paths, so labels are counted; those of renumbered ladders are
 * the same, of other operations others. */
static void test_labels(void **state)
{
    (void)state;
    enum { LONG = 31, LADDERS = 12 };
    static char word[][16] = {"a", "b", "output"};
    static char *vocabulary[] = {word[0], word[1], word[2]};
    static uint8_t operation[2 * LADDERS * LONG], matrix[LONG * LONG];
    struct random_stream r;
    struct graph_set set = {0};
    struct traits *t;
    uint32_t *graph_of;
    random_open(&r, 8, 0, 0, RANDOM_TEST);
    sample_ok(memory_alloc(&graph_of, 2 * LADDERS, sizeof *graph_of));
    for (int i = 0; i < 2 * LADDERS; i++) {
        struct graph g;
        memset(matrix, 0, sizeof matrix);
        for (int v = 0; v < LONG; v++) {
            const int at = i % 2 == 0 ? v : LONG - 1 - v; /* the second one from back to front */
            operation[i * LONG + at] = i % 2 == 0 ? (v == LONG - 1 ? 2 : (uint8_t)random_below(&r, 2)) : operation[(i - 1) * LONG + v];
            for (int w = v + 1; w < LONG && w <= v + 3; w++) matrix[at * LONG + (i % 2 == 0 ? w : LONG - 1 - w)] = 1;
        }
        sample_ok(graph_from_matrix(&g, matrix, LONG, "ladder"));
        sample_ok(graph_set_add(&set, &graph_of[i], &g));
    }
    struct space s = {.cells = 2 * LADDERS, .nodes = LONG, .operations = 3, .vocabulary = vocabulary, .operation = operation};
    graph_set_give(&set, &s, graph_of);
    assert_int_equal(traits_create(&t, &s), STATUS_OK);
    assert_true(t->labels);
    assert_int_equal(t->classes, LADDERS);
    for (int i = 0; i < LADDERS; i++) assert_int_equal(t->class_of[2 * i], t->class_of[2 * i + 1]);
    for (int64_t i = 0; i < t->classes * traits_width(t); i++) assert_true(isfinite(t->value[i]));
    traits_destroy(&t);
    free(s.graph);
    free(s.graph_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nasbench201), cmocka_unit_test(test_statistics), cmocka_unit_test(test_renumbered),
        cmocka_unit_test(test_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
