/* association.h - how well one series orders the cells as another does, also in samples of the cells with replacement. */
#ifndef ASSOCIATION_H
#define ASSOCIATION_H

#include <stdint.h>

/* What association_measure() fills in; precision at each k follows. */
enum { ASSOCIATION_RHO, ASSOCIATION_TAU, ASSOCIATION_TAU_TOP, ASSOCIATION_PRECISION };

struct association;

/* x: a signal, y: the truth, [n] each. Cells of which either is NaN are left out. k [ks]: of precision at k. x, y and k are not
 * kept. Sorts once: samples then cost O(n log n) without any sorting. */
int association_create(struct association **out, const double *x, const double *y, int64_t n, const int *k, int ks);
void association_destroy(struct association **a);

int64_t association_known(const struct association *a); /* cells of which both are known */
int association_direction(const struct association *a); /* 1 or -1: the sign of rho; -1 when small values of the signal are good */

/* value [ASSOCIATION_PRECISION + ks] of a sample that holds each of the n cells weight[cell] times; NULL: each once.
 *   rho        Spearman's, ties at their mean rank
 *   tau        Kendall's tau-b
 *   tau_top    tau-b within the tenth of the sample with the largest y, ties by the lower index
 *   precision  share of the k cells with the largest y among the k that the signal puts first; where ties leave a choice, what a
 *              choice by lot gives in the mean
 * NaN where it is not defined: fewer than two different values, fewer than k cells. */
void association_measure(double *value, struct association *a, const uint16_t *weight);

/* weight [n]: how often each cell is in sample number `sample` of n draws with replacement; the same for every signal, so that signals
 * are compared on the same samples. */
void association_sample(uint16_t *weight, int64_t n, uint64_t seed, uint32_t sample);

#endif
