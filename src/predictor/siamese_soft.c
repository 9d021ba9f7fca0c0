/* The basic branch on mixtures of operations, and the derivative by the mixture: what gradient ascent on relaxed cells asks for. */
#include "siamese_internal.h"

#include "aggregate.h"
#include "matmul.h"

#include <assert.h>
#include <string.h>

enum { GROUPS = 3 };
_Static_assert(2 * GROUPS <= SCORE_TILE, "the slopes of a cell stand where scoring has the queries of a tile");

/* y = (mish(A (x W1) + b1) + mish(A^T (x W2) + b2)) / 2 from folded weights, and the slopes of both. product, z [V][H]. */
static void forward(real *y, real *const slope[2], const struct graph_conv_folded *f, const real *x, int inputs, const uint32_t *const mask[2],
                    int nodes, real *product, real *z)
{
    for (int d = 0; d < 2; d++) {
        matmul(product, x, f->weight[d], nodes, inputs, inputs, 1, false);
        aggregate(z, product, &mask[d], 1, nodes);
        for (int i = 0; i < nodes * WIDTH; i += LANES) {
            vec by, m = (real)0.5 * vec_mish_slope(vec_load(z + i) + vec_load(f->shift[d] + i % WIDTH), &by);
            vec_store(slope[d] + i, (real)0.5 * by);
            if (d == 1) m += vec_load(y + i);
            vec_store(y + i, m);
        }
    }
}

/* dx [V][inputs] from dy. dz, g [V][H]. */
static void backward(real *dx, const real *dy, real *const slope[2], const struct graph_conv_folded *f, int inputs, bool wide,
                     const uint32_t *const mask[2], int nodes, real *dz, real *g)
{
    real transposed[WIDTH * WIDTH] __attribute__((aligned(64)));
    if (!wide) memset(dx, 0, (size_t)(nodes * inputs) * sizeof *dx);
    for (int d = 0; d < 2; d++) {
        for (int i = 0; i < nodes * WIDTH; i += LANES) vec_store(dz + i, vec_load(dy + i) * vec_load(slope[d] + i));
        aggregate(g, dz, &mask[1 - d], 1, nodes);
        if (wide) {
            matmul_transpose(transposed, f->weight[d], WIDTH, WIDTH);
            matmul(dx, g, transposed, nodes, WIDTH, WIDTH, 1, d == 1);
            continue;
        }
        for (int v = 0; v < nodes; v++)
            for (int o = 0; o < inputs; o++) {
                vec sum = {0};
                for (int c = 0; c < WIDTH; c += LANES) sum += vec_load(g + v * WIDTH + c) * vec_load(f->weight[d] + o * WIDTH + c);
                dx[v * inputs + o] += vec_sum(sum);
            }
    }
}

real siamese_soft(real *dsoft, struct siamese *s, const real *soft, const uint32_t *const mask[2])
{
    struct siamese_folded *f = &s->folded;
    const int V = s->shape.nodes, size = V * WIDTH;
    real *slope[GROUPS][2], score;
    const real *x = soft;
    assert(!s->shape.nsam);
    for (int g = 0; g < GROUPS; g++) {
        for (int d = 0; d < 2; d++) slope[g][d] = f->q + (2 * g + d) * size;
        real *y = f->x + g * size;
        forward(y, slope[g], &f->group[GROUP_1 + g], x, siamese_inputs(&s->shape, GROUP_1 + g), mask, V, f->y, f->k);
        x = y;
    }
    (s->shape.linear ? head_linear : head_forward)(&score, f->pooled, &s->parameters.head, x, 1, V);
    if (dsoft == NULL) return score;
    const real slope_of_head = s->shape.linear ? 1 : score * (1 - score);
    real *dy = f->v, *dx = f->v + size;
    for (int i = 0; i < size; i += LANES)
        vec_store(dy + i, vec_all(slope_of_head * s->parameters.head.weight[i / WIDTH] / WIDTH));
    for (int g = GROUPS - 1; g >= 0; g--) {
        backward(g == 0 ? dsoft : dx, dy, slope[g], &f->group[GROUP_1 + g], siamese_inputs(&s->shape, GROUP_1 + g), g > 0, mask, V, f->y, f->k);
        real *swap = dy;
        dy = dx, dx = swap;
    }
    return score;
}
