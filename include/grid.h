/* grid.h - the units of work of a job: one trial of one method at one budget on one dataset. A unit's number is its
 * place in the row-major results array (dataset, method, budget, realization), whatever the number of ranks. */
#ifndef GRID_H
#define GRID_H

#include "job.h"

struct grid {
    int datasets, methods, budgets, trials;
    int64_t units;
};

struct unit {
    int dataset, method, budget, realization; /* indexes into the job's lists; realization counts from 0 */
};

/* STATUS_INPUT when the job has more units than can be counted. */
int grid_create(struct grid *g, const struct job *j);

struct unit grid_unit(const struct grid *g, int64_t id);
int64_t grid_id(const struct grid *g, struct unit u);

/* Estimated work of a unit in forward passes of one cell: what the schedule and the time left are computed from. */
double grid_work(const struct job *j, struct unit u, int64_t cells);

/* An upper bound of what a unit's trial can buy: N architectures (the pool, and one for each epoch that selects weights),
 * K_max at the end; the codes of the pool and of the head of every ranking. The predictor random buys no pool. */
struct candidate_cost grid_cost_bound(const struct job *j, struct unit u);

/* Fill order[] with the units that are not finished, the longest first, ties by number, and *count with how many.
 * order has room for all units; finished may be NULL. */
int grid_schedule(int64_t *order, int64_t *count, const struct grid *g, const struct job *j, int64_t cells,
                  const bool *finished);

#endif
