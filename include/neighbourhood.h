/* neighbourhood.h - the cells that are one edit away: evolution and local search move along these.
 *
 * Two cells are neighbours when they differ in the operation of one node and share their graph, or, in a space whose cells have graphs
 * of their own, when they differ in one edge and share their operations. Only cells of the space count; of cells that are the same in
 * both, only the one of the lowest index. A hash table of graphs and operations finds each in O(1), at most 12 bytes a cell. */
#ifndef NEIGHBOURHOOD_H
#define NEIGHBOURHOOD_H

#include "space.h"

struct neighbourhood;

/* A view on the space, which must outlive it. STATUS_INPUT for 2^32 - 1 cells or more. Not collective. */
int neighbourhood_create(struct neighbourhood **out, const struct space *space);
void neighbourhood_destroy(struct neighbourhood **n);

/* The cell of this graph and these operations [V]; -1 when the space has none. graph is of no account when all cells share theirs. */
int64_t neighbourhood_find(const struct neighbourhood *n, const struct graph *graph, const uint8_t *operation);

/* The longest list that any cell can have. */
int neighbourhood_most(const struct neighbourhood *n);

/* Fill cells [most] with the neighbours of a cell, ascending; returns how many. */
int neighbourhood_list(int64_t *cells, const struct neighbourhood *n, int64_t cell);

#endif
