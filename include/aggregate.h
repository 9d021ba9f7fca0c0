/* aggregate.h - message passing along the edges of each cell: y = A x, cell by cell.
 * Adjacency is sparse (a quarter full on NAS-Bench-201) and 0/1, so rows are added, not multiplied. */
#ifndef AGGREGATE_H
#define AGGREGATE_H

#include "vector.h"

/* Row i of a cell's y is the sum of the rows j of its x for which bit j of mask[cell][i] is set.
 * y, x [cells * nodes][WIDTH], not overlapping; mask[cell] points to `nodes` bit masks. */
void aggregate(real *y, const real *x, const uint32_t *const *mask, int cells, int nodes);

/* The same where row j of x is w[operation[j]]: the product of a one-hot matrix with w. operation [cells * nodes]. */
void aggregate_one_hot(real *y, const real *w, const uint8_t *operation, const uint32_t *const *mask, int cells, int nodes);

/* dw[o] += the sum of the rows j of dx with operation[j] == o: the gradient of the one-hot product. */
void aggregate_one_hot_backward(real *dw, const real *dx, const uint8_t *operation, int rows);

#endif
