#include "group.h"

#include "status.h"

#include <assert.h>
#include <time.h>

int group_create(struct group *g, MPI_Comm parent, int ranks_per_group)
{
    assert(ranks_per_group >= 1);
    int rank, size;
    MPI_Comm_rank(parent, &rank);
    MPI_Comm_size(parent, &size);
    if (ranks_per_group > size) ranks_per_group = size;
    *g = (struct group){.comm = MPI_COMM_NULL, .leaders = MPI_COMM_NULL, .rank = -1, .index = -1,
                        .groups = size / ranks_per_group};
    g->idle = rank >= g->groups * ranks_per_group;
    if (!g->idle) g->index = rank / ranks_per_group;

    MPI_Comm_split(parent, g->idle ? MPI_UNDEFINED : g->index, rank, &g->comm);
    if (!g->idle) {
        MPI_Comm_rank(g->comm, &g->rank);
        MPI_Comm_size(g->comm, &g->size);
    }
    MPI_Comm_split(parent, g->rank == 0 ? 0 : MPI_UNDEFINED, rank, &g->leaders);
    return STATUS_OK;
}

void group_destroy(struct group *g)
{
    if (g->leaders != MPI_COMM_NULL) MPI_Comm_free(&g->leaders);
    if (g->comm != MPI_COMM_NULL) MPI_Comm_free(&g->comm);
    *g = (struct group){.comm = MPI_COMM_NULL, .leaders = MPI_COMM_NULL, .rank = -1, .index = -1};
}

void group_share(const struct group *g, int64_t blocks, int64_t *first, int64_t *last)
{
    /* blocks * rank may leave 64 bits, so whole shares and the remainder are dealt out apart. */
    int64_t each = blocks / g->size, rest = blocks % g->size;
    *first = each * g->rank + rest * g->rank / g->size;
    *last = each * (g->rank + 1) + rest * (g->rank + 1) / g->size;
}

void group_wait(MPI_Comm comm)
{
    enum { SHORTEST_NS = 50 * 1000, LONGEST_NS = 5 * 1000 * 1000 };
    struct timespec pause = {.tv_nsec = SHORTEST_NS};
    MPI_Request request;
    MPI_Ibarrier(comm, &request);
    for (;;) {
        int done;
        MPI_Test(&request, &done, MPI_STATUS_IGNORE);
        if (done) return;
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < LONGEST_NS) pause.tv_nsec *= 2;
    }
}
