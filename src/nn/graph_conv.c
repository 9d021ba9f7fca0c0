#include "graph_conv.h"

#include "aggregate.h"
#include "matmul.h"

#include <string.h>

void graph_conv_forward(real *y, struct graph_conv_cache *cache, const struct graph_conv *p, const real *x, const struct cells *cells,
                        struct graph_conv_scratch *scratch, real momentum, real epsilon)
{
    const int rows = cells->count * cells->nodes;
    for (int d = 0; d < 2; d++) {
        real *z = cache->norm[d].normal;
        if (x == NULL) {
            aggregate_one_hot(z, p->weight[d], cells->operation, cells->mask[d], cells->count, cells->nodes);
        } else {
            matmul(scratch->a, x, p->weight[d], rows, WIDTH, WIDTH, 1, false);
            aggregate(z, scratch->a, cells->mask[d], cells->count, cells->nodes);
        }
        norm_forward(y, &cache->norm[d], &p->norm[d], p->bias[d], rows, (real)0.5, d == 1, momentum, epsilon);
    }
}

void graph_conv_backward(real *dx, struct graph_conv *d, const real *dy, const struct graph_conv_cache *cache,
                         const struct graph_conv *p, const real *x, const struct cells *cells, int inputs,
                         struct graph_conv_scratch *scratch)
{
    const int rows = cells->count * cells->nodes;
    for (int side = 0; side < 2; side++) {
        real *dz = scratch->a, *g = scratch->b;
        norm_backward(dz, &d->norm[side], dy, &cache->norm[side], &p->norm[side], rows, (real)0.5);
        aggregate(g, dz, cells->mask[1 - side], cells->count, cells->nodes); /* the transpose of the forward pass */
        if (x == NULL) {
            memset(d->weight[side], 0, (size_t)inputs * WIDTH * sizeof(real));
            aggregate_one_hot_backward(d->weight[side], g, cells->operation, rows);
        } else {
            matmul(d->weight[side], x, g, WIDTH, rows, 1, WIDTH, false); /* x^T g */
            matmul_transpose(scratch->w, p->weight[side], WIDTH, WIDTH);
            matmul(dx, g, scratch->w, rows, WIDTH, WIDTH, 1, true);
        }
    }
}

void graph_conv_fold(struct graph_conv_folded *f, const struct graph_conv *p, int inputs, real epsilon)
{
    for (int d = 0; d < 2; d++) {
        real scale[WIDTH];
        norm_fold(scale, f->shift[d], &p->norm[d], p->bias[d], epsilon);
        for (int i = 0; i < inputs; i++)
            for (int j = 0; j < WIDTH; j++) f->weight[d][i * WIDTH + j] = p->weight[d][i * WIDTH + j] * scale[j];
    }
}

/* Where row j of a cell's x is found: x[j]; x[operation[j]] for one-hot cells; x[index[j]] in a table of rows. */
enum source { PLAIN, ONE_HOT, TABLE };

/* y (+)= mish(A x + shift) / 2 */
static inline __attribute__((always_inline)) void side(real *y, const real *x, const uint8_t *operation, const uint32_t *index,
                                                       const real *shift, const uint32_t *const *mask, int count, int nodes,
                                                       const enum source source, const bool add)
{
    vec bias[WIDTH_VECTORS];
    for (int c = 0; c < WIDTH_VECTORS; c++) bias[c] = vec_load(shift + c * LANES);
    for (int cell = 0; cell < count; cell++) {
        for (int i = 0; i < nodes; i++, y += WIDTH) {
            vec sum[WIDTH_VECTORS];
            for (int c = 0; c < WIDTH_VECTORS; c++) sum[c] = bias[c];
            for (uint32_t left = mask[cell][i]; left != 0; left &= left - 1) {
                const int j = __builtin_ctz(left);
                const real *row = x + (source == ONE_HOT ? operation[j] : source == TABLE ? index[j] : (uint32_t)j) * WIDTH;
                for (int c = 0; c < WIDTH_VECTORS; c++) sum[c] += vec_load(row + c * LANES);
            }
            for (int c = 0; c < WIDTH_VECTORS; c++) {
                vec m = (real)0.5 * vec_mish(sum[c]);
                if (add) m += vec_load(y + c * LANES);
                vec_store(y + c * LANES, m);
            }
        }
        if (source == ONE_HOT) operation += nodes;
        if (source == TABLE) index += nodes;
        if (source == PLAIN) x += nodes * WIDTH;
    }
}

void graph_conv_infer(real *y, const struct graph_conv_folded *f, const real *x, const struct cells *cells, real *scratch)
{
    const int rows = cells->count * cells->nodes;
    for (int d = 0; d < 2; d++) {
        const uint32_t *const *mask = cells->mask[d];
        if (x != NULL) matmul(scratch, x, f->weight[d], rows, WIDTH, WIDTH, 1, false);
        if (x == NULL && d == 0)
            side(y, f->weight[d], cells->operation, NULL, f->shift[d], mask, cells->count, cells->nodes, ONE_HOT, false);
        else if (x == NULL)
            side(y, f->weight[d], cells->operation, NULL, f->shift[d], mask, cells->count, cells->nodes, ONE_HOT, true);
        else if (d == 0)
            side(y, scratch, NULL, NULL, f->shift[d], mask, cells->count, cells->nodes, PLAIN, false);
        else
            side(y, scratch, NULL, NULL, f->shift[d], mask, cells->count, cells->nodes, PLAIN, true);
    }
}

void graph_conv_look_up(real *y, const struct graph_conv_folded *f, real *const table[2], const uint32_t *index,
                        const struct cells *cells)
{
    side(y, table[0], NULL, index, f->shift[0], cells->mask[0], cells->count, cells->nodes, TABLE, false);
    side(y, table[1], NULL, index, f->shift[1], cells->mask[1], cells->count, cells->nodes, TABLE, true);
}
