/* correlation.h - rank correlations of two series. */
#ifndef CORRELATION_H
#define CORRELATION_H

#include <stdint.h>

/* Kendall's tau-b (ties in either series accounted for; Knight 1966, O(n log n)) of x and y [n].
 * NaN when n < 2 or a series is constant. STATUS_FAILURE when memory runs out. */
int correlation_kendall(double *tau, const double *x, const double *y, int64_t n);

/* Spearman's rho: Pearson's correlation of the ranks, ties at their mean rank. NaN as above. */
int correlation_spearman(double *rho, const double *x, const double *y, int64_t n);

/* order[n] becomes the indices of x in descending order of value, ties by ascending index; NaN last. */
int correlation_order(int64_t *order, const double *x, int64_t n);

#endif
