#include "dense.h"

#include "matmul.h"

/* Rows of both operands that stay in the first cache while they are multiplied. */
enum { CHUNK = 64 };

/* Columns of panel number `panel` that are in use: no more depth than that needs to be added up. */
static int depth(int width, int panel)
{
    const int left = width - panel * WIDTH;
    return left < WIDTH ? left : WIDTH;
}

static const real *block(const real *weight, int in, int out, int outputs)
{
    return weight + ((size_t)in * (size_t)dense_panels(outputs) + (size_t)out) * WIDTH * WIDTH;
}

void dense_forward(real *y, const struct dense *p, const real *x, int rows, bool relu)
{
    const size_t panel = (size_t)rows * WIDTH;
    for (int out = 0; out < dense_panels(p->outputs); out++, y += panel) {
        for (int in = 0; in < dense_panels(p->inputs); in++)
            matmul(y, x + (size_t)in * panel, block(p->weight, in, out, p->outputs), rows, depth(p->inputs, in), WIDTH, 1, in > 0);
        for (int c = 0; c < WIDTH; c += LANES) {
            const vec bias = vec_load(p->bias + out * WIDTH + c);
            for (real *row = y + c; row < y + panel; row += WIDTH) {
                const vec z = vec_load(row) + bias;
                vec_store(row, relu ? vec_max(z, (vec){0}) : z);
            }
        }
    }
}

/* dz = dy where the relu let it pass, and its sum over the rows. */
static void relu_backward(real *dbias, real *dy, const real *y, int rows)
{
    for (int c = 0; c < WIDTH; c += LANES) {
        vec sum = {0};
        for (int r = 0; r < rows; r++) {
            const int at = r * WIDTH + c;
            vec d = vec_load(dy + at);
            if (y != NULL) {
                d = vec_select(vec_load(y + at) > 0, d, (vec){0});
                vec_store(dy + at, d);
            }
            sum += d;
        }
        vec_store(dbias + c, sum);
    }
}

void dense_backward(real *dx, struct dense *d, real *dy, const struct dense *p, const real *x, const real *y, int rows, real *scratch)
{
    const size_t panel = (size_t)rows * WIDTH;
    const int ins = dense_panels(p->inputs), outs = dense_panels(p->outputs);
    for (int out = 0; out < outs; out++)
        relu_backward(d->bias + out * WIDTH, dy + (size_t)out * panel, y == NULL ? NULL : y + (size_t)out * panel, rows);
    for (int in = 0; in < ins; in++)
        for (int out = 0; out < outs; out++) {
            const real *dz = dy + (size_t)out * panel;
            real *dw = d->weight + (block(p->weight, in, out, p->outputs) - p->weight);
            for (int r = 0; r < rows; r += CHUNK) /* x^T dz */
                matmul(dw, x + (size_t)in * panel + r * WIDTH, dz + r * WIDTH, depth(p->inputs, in), rows - r < CHUNK ? rows - r : CHUNK, 1,
                       WIDTH, r > 0);
            if (dx == NULL) continue;
            matmul_transpose(scratch, block(p->weight, in, out, p->outputs), WIDTH, WIDTH);
            matmul(dx + (size_t)in * panel, dz, scratch, rows, WIDTH, WIDTH, 1, out > 0);
        }
}
