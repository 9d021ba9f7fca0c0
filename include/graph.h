/* graph.h - adjacencies without repetition: the distinct graphs of a space and their order of first appearance. */
#ifndef GRAPH_H
#define GRAPH_H

#include "space.h"

struct graph_set {
    struct graph *graph; /* [graphs], owned until graph_set_give */
    int64_t graphs, capacity;
    uint32_t *slot;      /* [slots] hash table: index into graph plus 1, 0 = free */
    int64_t slots;
};

/* Find g in the set or add it; *index is its place. Start with a zeroed set. */
int graph_set_add(struct graph_set *set, uint32_t *index, const struct graph *g);
void graph_set_destroy(struct graph_set *set);

/* Hand the graphs over to the space, and graph_of [cells] with them; graph_of is released when all cells share one
 * graph. The set is empty afterwards. */
void graph_set_give(struct graph_set *set, struct space *s, uint32_t *graph_of);

/* One byte an entry, row-major, without the self-loops that A + I brought. */
void graph_to_matrix(uint8_t *matrix, const struct graph *g, int nodes);

#endif
