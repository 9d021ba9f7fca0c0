/* group.h - a rank group: the ranks that work on one trial together. */
#ifndef GROUP_H
#define GROUP_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

struct group {
    MPI_Comm comm;    /* duplicated or split off; owned */
    MPI_Comm leaders; /* the rank 0 of every group, MPI_COMM_NULL on other ranks; owned */
    int rank, size;   /* within comm */
    int index, groups;
    bool idle;        /* this rank is left over: size of the parent is no multiple of ranks_per_group */
};

/* Collective over parent: consecutive ranks form groups of ranks_per_group (at least 1; a value above the size of the
 * parent means one group of all). Left-over ranks are idle and take part only in collectives of the parent. */
int group_create(struct group *g, MPI_Comm parent, int ranks_per_group);
void group_destroy(struct group *g); /* collective */

/* Fixed-size blocks of [0, n) dealt out in contiguous runs: this rank's share is blocks [*first, *last). */
void group_share(const struct group *g, int64_t blocks, int64_t *first, int64_t *last);

/* Collective over comm: wait for all ranks without burning the core (idle ranks wait for hours). */
void group_wait(MPI_Comm comm);

#endif
