#include "attention.h"

#include "matmul.h"

#include <string.h>

/* One row of softmax(S o A): weight = softmax over the first `nodes` columns of score where mask, else of 0. */
static void softmax_row(real *weight, const real *score, uint32_t mask, int nodes, int columns)
{
    const uint32_t present = nodes == 32 ? UINT32_MAX : (1u << nodes) - 1;
    real largest = 0, total = 0; /* 0 is attained, or a bound, unless every entry is an edge: then only a shift */
    for (int c = 0; c < columns; c += LANES) {
        vec s = vec_select(vec_mask(mask, c), vec_load(score + c), (vec){0});
        real here = vec_largest(s);
        if (here > largest) largest = here;
    }
    for (int c = 0; c < columns; c += LANES) {
        vec s = vec_select(vec_mask(mask, c), vec_load(score + c), (vec){0});
        vec e = vec_select(vec_mask(present, c), vec_exp(s - largest), (vec){0});
        vec_store(weight + c, e);
        total += vec_sum(e);
    }
    for (int c = 0; c < columns; c += LANES) vec_store(weight + c, vec_load(weight + c) / total);
}

/* score[nodes][columns] = a b^T for one cell. The columns beyond `nodes` stay 0. */
static void products(real *score, const real *a, const real *b, int nodes, int columns, real *transposed)
{
    matmul_transpose(transposed, b, nodes, WIDTH, columns);
    matmul_narrow(score, a, transposed, nodes, WIDTH, columns, WIDTH);
}

void attention_forward(real *y, struct attention_cache *cache, const real *x, const real *q, const real *k, const real *v,
                       const struct cells *cells, struct attention_scratch *scratch)
{
    const int nodes = cells->nodes, columns = attention_columns(nodes), size = nodes * WIDTH;
    memset(scratch->transposed, 0, sizeof(real) * WIDTH * (size_t)columns);
    if (y != x) memcpy(y, x, sizeof(real) * (size_t)(cells->count * size));
    for (int cell = 0; cell < cells->count; cell++, q += size, k += size, v += size, y += size) {
        products(scratch->score, q, k, nodes, columns, scratch->transposed);
        real *forth = cache->weight[0] + cell * nodes * columns, *back = cache->weight[1] + cell * nodes * columns;
        for (int i = 0; i < nodes; i++) {
            softmax_row(forth + i * columns, scratch->score + i * columns, cells->mask[0][cell][i], nodes, columns);
            softmax_row(back + i * columns, scratch->score + i * columns, cells->mask[1][cell][i], nodes, columns);
        }
        for (int i = 0; i < nodes * columns; i += LANES) vec_store(scratch->sum + i, vec_load(forth + i) + vec_load(back + i));
        matmul(y, scratch->sum, v, nodes, nodes, columns, 1, true);
    }
}

/* ds += the gradient of one softmax row: mask o w o (dp - sum(dp w)). */
static void softmax_row_backward(real *ds, const real *dp, const real *weight, uint32_t mask, int columns)
{
    real dot = 0;
    for (int c = 0; c < columns; c += LANES) dot += vec_sum(vec_load(dp + c) * vec_load(weight + c));
    for (int c = 0; c < columns; c += LANES) {
        vec g = vec_load(weight + c) * (vec_load(dp + c) - dot);
        vec_store(ds + c, vec_load(ds + c) + vec_select(vec_mask(mask, c), g, (vec){0}));
    }
}

void attention_backward(real *dq, real *dk, real *dv, const real *dy, const struct attention_cache *cache, const real *q,
                        const real *k, const real *v, const struct cells *cells, struct attention_scratch *scratch)
{
    const int nodes = cells->nodes, columns = attention_columns(nodes), size = nodes * WIDTH;
    real *dp = scratch->score, *sum = scratch->sum, *ds = scratch->sum;
    memset(scratch->transposed, 0, sizeof(real) * WIDTH * (size_t)columns);
    for (int cell = 0; cell < cells->count; cell++) {
        const int at = cell * size;
        const real *forth = cache->weight[0] + cell * nodes * columns, *back = cache->weight[1] + cell * nodes * columns;
        for (int i = 0; i < nodes * columns; i += LANES) vec_store(sum + i, vec_load(forth + i) + vec_load(back + i));
        matmul(dv + at, sum, dy + at, nodes, nodes, 1, columns, false);   /* (P1 + P2)^T dy */
        products(dp, dy + at, v + at, nodes, columns, scratch->transposed);
        for (int i = 0; i < nodes; i++) {
            real *row = ds + i * columns;
            for (int c = 0; c < columns; c += LANES) vec_store(row + c, (vec){0});
            softmax_row_backward(row, dp + i * columns, forth + i * columns, cells->mask[0][cell][i], columns);
            softmax_row_backward(row, dp + i * columns, back + i * columns, cells->mask[1][cell][i], columns);
        }
        matmul(dq + at, ds, k + at, nodes, nodes, columns, 1, dq == dv);
        matmul(dk + at, ds, q + at, nodes, nodes, 1, columns, false);
    }
}
