#include "aggregate.h"

void aggregate(real *y, const real *x, const uint32_t *const *mask, int cells, int nodes)
{
    for (int cell = 0; cell < cells; cell++) {
        const real *xc = x + cell * nodes * WIDTH;
        for (int i = 0; i < nodes; i++, y += WIDTH) {
            vec sum[WIDTH_VECTORS] = {{0}};
            for (uint32_t left = mask[cell][i]; left != 0; left &= left - 1) {
                const real *row = xc + __builtin_ctz(left) * WIDTH;
                for (int c = 0; c < WIDTH_VECTORS; c++) sum[c] += vec_load(row + c * LANES);
            }
            for (int c = 0; c < WIDTH_VECTORS; c++) vec_store(y + c * LANES, sum[c]);
        }
    }
}

void aggregate_one_hot(real *y, const real *w, const uint8_t *operation, const uint32_t *const *mask, int cells, int nodes)
{
    for (int cell = 0; cell < cells; cell++, operation += nodes)
        for (int i = 0; i < nodes; i++, y += WIDTH) {
            vec sum[WIDTH_VECTORS] = {{0}};
            for (uint32_t left = mask[cell][i]; left != 0; left &= left - 1) {
                const real *row = w + operation[__builtin_ctz(left)] * WIDTH;
                for (int c = 0; c < WIDTH_VECTORS; c++) sum[c] += vec_load(row + c * LANES);
            }
            for (int c = 0; c < WIDTH_VECTORS; c++) vec_store(y + c * LANES, sum[c]);
        }
}

void aggregate_one_hot_backward(real *dw, const real *dx, const uint8_t *operation, int rows)
{
    for (int j = 0; j < rows; j++, dx += WIDTH) {
        real *row = dw + operation[j] * WIDTH;
        for (int c = 0; c < WIDTH; c += LANES) vec_store(row + c, vec_load(row + c) + vec_load(dx + c));
    }
}
