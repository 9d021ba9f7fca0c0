/* Attention in float64: forward against reference.h, backward against central differences. */
#include "fixture.h"

#include "attention.h"
#include "gradient.h"
#include "reference.h"

enum { CELLS = 4 };
static const double EXACT = 1e-12;

struct layer {
    struct cells cells;
    int rows;
    real *x, *q, *k, *v, *y, *dy; /* [rows][WIDTH] */
    struct attention_cache cache;
    struct attention_scratch scratch;
};

static struct random_stream stream;

static real *array(int rows, int columns, double scale)
{
    return fixture_reals((size_t)rows * (size_t)columns, scale, &stream);
}

static struct layer layer_create(int nodes, double scale)
{
    const int rows = CELLS * nodes, columns = attention_columns(nodes);
    struct layer t = {.cells = fixture_cells(CELLS, nodes, 1, &stream), .rows = rows, .x = array(rows, WIDTH, 1),
                      .q = array(rows, WIDTH, scale), .k = array(rows, WIDTH, scale), .v = array(rows, WIDTH, 1),
                      .dy = array(rows, WIDTH, 1), .y = array(rows, WIDTH, 9)};
    t.cache = (struct attention_cache){{array(rows, columns, 9), array(rows, columns, 9)}};
    t.scratch = (struct attention_scratch){array(WIDTH, columns, 9), array(nodes, columns, 9), array(nodes, columns, 9)};
    return t;
}

/* The same in plain loops. */
static struct matrix expected(const struct layer *t)
{
    return reference_attention(reference_copy(t->x, t->rows, WIDTH), reference_copy(t->q, t->rows, WIDTH),
                               reference_copy(t->k, t->rows, WIDTH), reference_copy(t->v, t->rows, WIDTH), &t->cells);
}

static double attention(void *argument)
{
    struct layer *t = argument;
    double sum = 0;
    attention_forward(t->y, &t->cache, t->x, t->q, t->k, t->v, &t->cells, &t->scratch);
    for (int i = 0; i < t->rows * WIDTH; i++) sum += (double)t->dy[i] * (double)t->y[i];
    return sum;
}

/* The softmax matrices that are kept for the way back: keys by queries. */
static void expect_weights(const struct layer *t)
{
    const int nodes = t->cells.nodes, columns = attention_columns(nodes);
    struct matrix q = reference_copy(t->q, t->rows, WIDTH), k = reference_copy(t->k, t->rows, WIDTH);
    for (int b = 0; b < CELLS; b++) {
        struct matrix a = reference_adjacency(&t->cells, b);
        struct matrix s = reference_product(reference_cell(q, b, nodes), reference_transpose(reference_cell(k, b, nodes)));
        for (int d = 0; d < 2; d++, a = reference_transpose(a)) {
            struct matrix w = reference_transpose(reference_softmax(s, a));
            for (int j = 0; j < nodes; j++)
                reference_expect("softmax", t->cache.weight[d] + (b * nodes + j) * columns,
                                 (struct matrix){1, nodes, w.v + j * nodes}, EXACT);
        }
    }
}

static void check_attention(int nodes, bool value_is_query)
{
    struct layer t = layer_create(nodes, 0.6);
    if (value_is_query) t.v = t.q;
    attention(&t);
    struct matrix y = expected(&t);
    reference_expect("y", t.y, y, EXACT);
    expect_weights(&t);

    real *dq = array(t.rows, WIDTH, 9), *dk = array(t.rows, WIDTH, 9), *dv = value_is_query ? dq : array(t.rows, WIDTH, 9);
    attention_backward(dq, dk, dv, t.dy, &t.cache, t.q, t.k, t.v, &t.cells, &t.scratch);
    const size_t size = (size_t)t.rows * WIDTH, stride = size / 200 + 1;
    gradient_check("dq", attention, &t, t.q, dq, size, stride, 1e-6);
    gradient_check("dk", attention, &t, t.k, dk, size, stride, 1e-6);
    if (!value_is_query) gradient_check("dv", attention, &t, t.v, dv, size, stride, 1e-6);
    gradient_check("dx", attention, &t, t.x, t.dy, size, stride, 1e-6);

    t.y = t.x; /* in place */
    attention(&t);
    reference_expect("in place", t.x, y, EXACT);
    fixture_release();
}

static void test_attention(void **state)
{
    (void)state;
    const int node_counts[] = {1, 2, 7, 10, 17, 32};
    for (int n = 0; n < 6; n++) {
        check_attention(node_counts[n], false);
        check_attention(node_counts[n], true);
    }
}

/* Scores far outside the range of exp, also in rows without any 0: node 0 of the second cell has edges to all others. */
static void test_extremes(void **state)
{
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        struct layer t = layer_create(7, 0.25);
        for (int i = 0; i < t.rows * WIDTH; i++) { /* scores of about -2000 or 2000, which differ by several */
            t.q[i] += 6;
            t.k[i] = sign * (6 + t.k[i]);
        }
        attention(&t);
        reference_expect("y", t.y, expected(&t), 1e-11);
        fixture_release();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_attention), cmocka_unit_test(test_extremes)};
    random_open(&stream, 1, 0, 0, RANDOM_TEST);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
