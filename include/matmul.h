/* matmul.h - the products of the dense layers. One operand is always WIDTH columns wide; the batch is folded into the
 * rows (M = B V). A register-tiled kernel of fixed width: at these sizes it runs near the peak of the core, where
 * general libraries pay for packing and dispatch, and a row's result never depends on how many rows a call has. */
#ifndef MATMUL_H
#define MATMUL_H

#include "vector.h"

#include <stdbool.h>

/* y[rows][WIDTH] (+)= x w, w[depth][WIDTH], where x(r, k) = x[r * row_step + k * depth_step].
 * row_step = depth, depth_step = 1: plain; row_step = 1, depth_step = leading dimension: x transposed.
 * y and w 64-byte aligned. */
void matmul(real *y, const real *x, const real *w, int rows, int depth, int row_step, int depth_step, bool add);

/* The same for few columns: y[rows][columns] = x w, columns a multiple of LANES, w[depth][columns]. */
void matmul_narrow(real *y, const real *x, const real *w, int rows, int depth, int columns, int row_step);

/* t[WIDTH][t_step] = a[rows][WIDTH] transposed; columns of t from `rows` up to whole vectors are set to 0. */
void matmul_transpose(real *t, const real *a, int rows, int t_step);

#endif
