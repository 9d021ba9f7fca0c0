/* topset.h - the best c of many scored cells, on one rank and over ranks.
 *
 * Order everywhere: higher score first, ties and NaN (which counts as minus infinity) by lower cell index. The
 * order is total, so the result depends neither on the order of arrival nor on how cells are spread over ranks. */
#ifndef TOPSET_H
#define TOPSET_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

struct scored {
    double score;
    int64_t cell; /* INT64_MAX marks an empty place */
};

struct topset {
    int capacity, count;
    struct scored *item; /* [capacity], sorted, best first; places from count on are empty */
    struct scored *other; /* [capacity] of another rank */
};

bool scored_before(struct scored a, struct scored b);

int topset_create(struct topset *t, int capacity); /* capacity >= 1 */
void topset_destroy(struct topset *t);
void topset_clear(struct topset *t);
void topset_push(struct topset *t, double score, int64_t cell);

/* Collective over comm: every rank's set becomes the best of the union. log2 P messages of 16 bytes a place on each rank (two
 * more on some when P is no power of two), nothing at all for one rank. Equal capacity on all ranks. */
void topset_reduce(struct topset *t, MPI_Comm comm);

#endif
