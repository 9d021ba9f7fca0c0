#include "topset.h"

#include "memory.h"
#include "status.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct scored empty = {-INFINITY, INT64_MAX};

bool scored_before(struct scored a, struct scored b)
{
    if (isnan(a.score)) a.score = -INFINITY;
    if (isnan(b.score)) b.score = -INFINITY;
    if (a.score != b.score) return a.score > b.score;
    return a.cell < b.cell;
}

/* The best `capacity` of two sorted sets, into `into`. Nothing but `into` is written: count first how many of each set
 * survive, then merge from the back, where the place written is never before one still to be read. */
static void merge(const struct scored *from, struct scored *into, int capacity)
{
    int f = 0, i = 0;
    while (f + i < capacity) {
        if (scored_before(from[f], into[i])) f++;
        else i++;
    }
    for (int place = capacity - 1; f > 0; place--) {
        if (i > 0 && scored_before(from[f - 1], into[i - 1])) into[place] = into[--i];
        else into[place] = from[--f];
    }
}

int topset_create(struct topset *t, int capacity)
{
    assert(capacity >= 1);
    *t = (struct topset){.capacity = capacity};
    if ((size_t)capacity > INT32_MAX / sizeof *t->item)
        return status_fail(STATUS_INPUT, "a list of the best %d cells is too long", capacity);
    TRY(memory_alloc(&t->item, 2 * (size_t)capacity, sizeof *t->item));
    t->other = t->item + capacity;
    topset_clear(t);
    return STATUS_OK;
}

void topset_destroy(struct topset *t)
{
    free(t->item);
    *t = (struct topset){0};
}

void topset_clear(struct topset *t)
{
    for (int i = 0; i < t->capacity; i++) t->item[i] = empty;
    t->count = 0;
}

void topset_push(struct topset *t, double score, int64_t cell)
{
    struct scored new = {isnan(score) ? -INFINITY : score, cell};
    if (!scored_before(new, t->item[t->capacity - 1])) return;
    int low = 0, high = t->count; /* the place is in low..high */
    while (low < high) {
        int middle = (low + high) / 2;
        if (scored_before(t->item[middle], new)) low = middle + 1;
        else high = middle;
    }
    if (t->count < t->capacity) t->count++;
    memmove(&t->item[low + 1], &t->item[low], (size_t)(t->count - 1 - low) * sizeof new);
    t->item[low] = new;
}

/* Recursive doubling, written out: with MPI_Allreduce a set would be one element of a user-defined type, which a library cannot
 * cut in pieces; Open MPI then sends all sets to one rank, and P messages from there. Ranks beyond the largest power of two
 * hand in their set first and are told at the end. */
void topset_reduce(struct topset *t, MPI_Comm comm)
{
    enum { TAG = 1 };
    int rank, size, core = 1;
    const int bytes = t->capacity * (int)sizeof *t->item;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    while (core <= size / 2) core *= 2;
    if (rank >= core) {
        MPI_Send(t->item, bytes, MPI_BYTE, rank - core, TAG, comm);
        MPI_Recv(t->item, bytes, MPI_BYTE, rank - core, TAG, comm, MPI_STATUS_IGNORE);
    } else {
        const int follower = rank + core;
        if (follower < size) {
            MPI_Recv(t->other, bytes, MPI_BYTE, follower, TAG, comm, MPI_STATUS_IGNORE);
            merge(t->other, t->item, t->capacity);
        }
        for (int step = 1; step < core; step *= 2) {
            MPI_Sendrecv(t->item, bytes, MPI_BYTE, rank ^ step, TAG, t->other, bytes, MPI_BYTE, rank ^ step, TAG, comm,
                         MPI_STATUS_IGNORE);
            merge(t->other, t->item, t->capacity);
        }
        if (follower < size) MPI_Send(t->item, bytes, MPI_BYTE, follower, TAG, comm);
    }
    for (t->count = 0; t->count < t->capacity && t->item[t->count].cell != INT64_MAX;) t->count++;
}
