/* live.h - the part of a cell that computes: nodes on a path from where the cell begins to where it ends, none of whose nodes is dead
 * (zeros). What lies elsewhere changes nothing of what the cell computes. */
#ifndef LIVE_H
#define LIVE_H

#include "space.h"

/* dead[O]: which operations of the space give zeros. */
void live_dead(bool *dead, const struct space *s);

/* pass[O]: which hand their input on (skip connections, none). */
void live_pass(bool *pass, const struct space *s);

/* fixed[V]: nodes with one operation in all cells of a space whose cells share a graph: they are of the cell, not of its choice. */
int live_fixed(bool *fixed, const struct space *s);

/* The live nodes of a cell as a bit mask; *ends: those of them where paths end. A cell begins in nodes without predecessors and ends in
 * those without successors; nodes without any edge are padding, unless the cell has one node. Numbers need not follow the edges. */
uint32_t live_nodes(uint32_t *ends, const struct graph *g, const uint8_t *operation, const bool *dead, int nodes);

/* `out` is g where nodes that are not live have lost all edges but the self-loop. */
void live_prune(struct graph *out, const struct graph *g, uint32_t live, int nodes);

#endif
