/* ranking.h - Siamese-Ranking (paper, Algorithm 1; method.md section 5) shared by the ranks of a group. */
#ifndef RANKING_H
#define RANKING_H

#include "candidate.h"
#include "group.h"
#include "predictor.h"
#include "pulse.h"
#include "topset.h"

struct ranking;

/* Cells scored at a time. The ranks of a group share whole blocks: a fixed size, never "remaining / ranks". */
enum { RANKING_BLOCK = 256 };

/* Collective over the group. most: the longest list that will be asked for; code_length E. */
int ranking_create(struct ranking **out, const struct group *group, const struct space *space, int most, int code_length,
                   const struct pulse *pulse);
void ranking_destroy(struct ranking **r);

/* Collective over the group. Rank the cells subset[n] (NULL: the whole space, n = cells) with the group's copies of the
 * predictor, which are made equal to that of rank 0 first: the basic branch scores all, the best c get their codes, the
 * estimation branch re-sorts these. Result on every rank: *top, best first, min(most, n) items, owned by the ranking until
 * the next call. basic [n], or NULL on all ranks: on
 * rank 0 receives the basic scores in the order of the subset (scratch on the others). */
int ranking_top(const struct topset **top, double *basic, struct ranking *r, struct predictor *predictor, struct candidate *candidate,
                const int64_t *subset, int64_t n, int c);

/* [top->count] the places, from 1, that the items of the last result had by their basic scores alone. */
const int *ranking_places(const struct ranking *r);

#endif
