#include "attention.h"

#include "matmul.h"

#include <string.h>

/* All V x V matrices of a cell are kept transposed, one key j a row and the queries i side by side in the lanes: the softmax over
 * the keys then works on whole vectors, without sums across lanes. Lanes from V on compute on zeros and are never read. */

/* weight^T = softmax over j of (mask o score)^T, where lane i of row j is an edge when bit i of mask[j] is set. */
static void softmax(real *weight, const real *score, const uint32_t *mask, int nodes, int columns)
{
    for (int c = 0; c < columns; c += LANES) {
        vec largest = vec_all(-(real)INFINITY), total = {0};
        for (int j = 0; j < nodes; j++) {
            vec s = vec_select(vec_mask(mask[j], c), vec_load(score + j * columns + c), (vec){0});
            vec_store(weight + j * columns + c, s);
            largest = vec_max(s, largest);
        }
        for (int j = 0; j < nodes; j++) {
            vec e = vec_exp(vec_load(weight + j * columns + c) - largest);
            vec_store(weight + j * columns + c, e);
            total += e;
        }
        total = 1 / total;
        for (int j = 0; j < nodes; j++) vec_store(weight + j * columns + c, vec_load(weight + j * columns + c) * total);
    }
}

/* product[j][i] = b_j . a_i for one cell: (a b^T)^T. */
static void products(real *product, const real *a, const real *b, int nodes, int columns, real *transposed)
{
    matmul_transpose(transposed, a, nodes, columns);
    matmul_narrow(product, b, transposed, nodes, WIDTH, columns, WIDTH);
}

void attention_forward(real *y, struct attention_cache *cache, const real *x, const real *q, const real *k, const real *v,
                       const struct cells *cells, struct attention_scratch *scratch)
{
    const int nodes = cells->nodes, columns = attention_columns(nodes), size = nodes * WIDTH;
    if (y != x) memcpy(y, x, sizeof(real) * (size_t)(cells->count * size));
    for (int cell = 0; cell < cells->count; cell++, q += size, k += size, v += size, y += size) {
        real *forth = cache->weight[0] + cell * nodes * columns, *back = cache->weight[1] + cell * nodes * columns;
        products(scratch->score, q, k, nodes, columns, scratch->transposed);
        softmax(forth, scratch->score, cells->mask[1][cell], nodes, columns); /* row j of A^T: the queries with an edge to key j */
        softmax(back, scratch->score, cells->mask[0][cell], nodes, columns);
        for (int i = 0; i < nodes * columns; i += LANES) vec_store(scratch->sum + i, vec_load(forth + i) + vec_load(back + i));
        matmul(y, scratch->sum, v, nodes, nodes, 1, columns, true);
    }
}

/* ds^T += the gradient of one softmax: mask o weight o (dp - sum over j of dp weight). */
static void softmax_backward(real *ds, const real *dp, const real *weight, const uint32_t *mask, int nodes, int columns)
{
    for (int c = 0; c < columns; c += LANES) {
        vec dot = {0};
        for (int j = 0; j < nodes; j++) dot += vec_load(dp + j * columns + c) * vec_load(weight + j * columns + c);
        for (int j = 0; j < nodes; j++) {
            const int at = j * columns + c;
            vec g = vec_load(weight + at) * (vec_load(dp + at) - dot);
            vec_store(ds + at, vec_load(ds + at) + vec_select(vec_mask(mask[j], c), g, (vec){0}));
        }
    }
}

void attention_backward(real *dq, real *dk, real *dv, const real *dy, const struct attention_cache *cache, const real *q,
                        const real *k, const real *v, const struct cells *cells, struct attention_scratch *scratch)
{
    const int nodes = cells->nodes, columns = attention_columns(nodes), size = nodes * WIDTH;
    real *dp = scratch->score, *sum = scratch->sum, *ds = scratch->sum;
    for (int cell = 0; cell < cells->count; cell++) {
        const int at = cell * size;
        const real *forth = cache->weight[0] + cell * nodes * columns, *back = cache->weight[1] + cell * nodes * columns;
        for (int i = 0; i < nodes * columns; i += LANES) vec_store(sum + i, vec_load(forth + i) + vec_load(back + i));
        matmul(dv + at, sum, dy + at, nodes, nodes, columns, 1, false); /* (P1 + P2)^T dy */
        products(dp, dy + at, v + at, nodes, columns, scratch->transposed);
        memset(ds, 0, sizeof(real) * (size_t)(nodes * columns));
        softmax_backward(ds, dp, forth, cells->mask[1][cell], nodes, columns);
        softmax_backward(ds, dp, back, cells->mask[0][cell], nodes, columns);
        matmul(dq + at, ds, k + at, nodes, nodes, 1, columns, dq == dv);
        matmul(dk + at, ds, q + at, nodes, nodes, columns, 1, false);
    }
}
