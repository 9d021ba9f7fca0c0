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

/* MPI_User_function: no context is handed over, but the size of the type tells the capacity. */
static void merge_sets(void *from, void *into, int *sets, MPI_Datatype *type)
{
    int bytes;
    MPI_Type_size(*type, &bytes);
    int capacity = (int)((size_t)bytes / sizeof(struct scored));
    const struct scored *f = from;
    struct scored *i = into;
    for (int s = 0; s < *sets; s++) merge(f + (size_t)s * capacity, i + (size_t)s * capacity, capacity);
}

int topset_create(struct topset *t, int capacity)
{
    assert(capacity >= 1);
    *t = (struct topset){.capacity = capacity, .type = MPI_DATATYPE_NULL, .merge = MPI_OP_NULL};
    if ((size_t)capacity > INT32_MAX / sizeof *t->item)
        return status_fail(STATUS_INPUT, "a list of the best %d cells is too long", capacity);
    TRY(memory_alloc(&t->item, (size_t)capacity, sizeof *t->item));
    MPI_Type_contiguous((int)(capacity * sizeof *t->item), MPI_BYTE, &t->type);
    MPI_Type_commit(&t->type);
    MPI_Op_create(merge_sets, 1, &t->merge);
    topset_clear(t);
    return STATUS_OK;
}

void topset_destroy(struct topset *t)
{
    if (t->item == NULL) return;
    MPI_Op_free(&t->merge);
    MPI_Type_free(&t->type);
    free(t->item);
    *t = (struct topset){.type = MPI_DATATYPE_NULL, .merge = MPI_OP_NULL};
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

void topset_reduce(struct topset *t, MPI_Comm comm)
{
    int size;
    MPI_Comm_size(comm, &size);
    if (size == 1) return;
    MPI_Allreduce(MPI_IN_PLACE, t->item, 1, t->type, t->merge, comm);
    for (t->count = 0; t->count < t->capacity && t->item[t->count].cell != INT64_MAX;) t->count++;
}
