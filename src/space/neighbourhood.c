#include "neighbourhood.h"

#include "memory.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

struct neighbourhood {
    const struct space *space;
    bool *allowed;   /* [V][O] */
    int most;
    uint32_t *slot;  /* [mask + 1] the cell's index plus 1, 0 = free */
    uint64_t mask;
};

/* A cell's hash is the exclusive or of a random-looking number for each of its edges and operations: an edit changes it in O(1). The
 * mixing is that of splitmix64 (Steele, Lea and Flood 2014). */
static uint64_t part(unsigned what, unsigned a, unsigned b)
{
    uint64_t x = ((uint64_t)what << 32 | a << 16 | b) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint64_t part_of_operation(int node, uint8_t operation)
{
    return part(1, (unsigned)node, operation);
}

static uint64_t part_of_edge(int from, int to)
{
    return part(2, (unsigned)from, (unsigned)to);
}

static uint64_t hash(const struct space *s, const struct graph *g, const uint8_t *operation)
{
    uint64_t h = 0;
    for (int v = 0; v < s->nodes; v++) h ^= part_of_operation(v, operation[v]);
    if (s->graph_of == NULL) return h; /* all share one */
    for (int v = 0; v < s->nodes; v++)
        for (uint32_t left = g->successors[v]; left != 0; left &= left - 1) h ^= part_of_edge(v, __builtin_ctz(left));
    return h;
}

static bool is(const struct space *s, int64_t cell, const struct graph *g, const uint8_t *operation)
{
    uint8_t own[SPACE_NODES_MAX];
    space_cell(own, s, cell);
    return memcmp(own, operation, (size_t)s->nodes) == 0 &&
           (s->graph_of == NULL || memcmp(space_graph(s, cell), g, sizeof *g) == 0);
}

/* Where this cell is, or the free place where it belongs. */
static uint32_t *place(const struct neighbourhood *n, uint64_t h, const struct graph *g, const uint8_t *operation)
{
    for (uint64_t at = h & n->mask;; at = (at + 1) & n->mask)
        if (n->slot[at] == 0 || is(n->space, (int64_t)n->slot[at] - 1, g, operation)) return &n->slot[at];
}

static int fill(struct neighbourhood *n)
{
    const struct space *s = n->space;
    uint64_t slots = 16;
    while (2 * slots < 3 * (uint64_t)s->cells) slots *= 2; /* at most two thirds full keeps probing short */
    TRY(memory_alloc(&n->slot, slots, sizeof *n->slot));
    n->mask = slots - 1;
    for (int64_t cell = 0; cell < s->cells; cell++) {
        uint8_t operation[SPACE_NODES_MAX];
        space_cell(operation, s, cell);
        const struct graph *g = space_graph(s, cell);
        uint32_t *slot = place(n, hash(s, g, operation), g, operation);
        if (*slot == 0) *slot = (uint32_t)cell + 1;
    }
    return STATUS_OK;
}

int neighbourhood_create(struct neighbourhood **out, const struct space *space)
{
    struct neighbourhood *n;
    int status;
    *out = NULL;
    if (space->cells >= UINT32_MAX)
        return status_fail(STATUS_INPUT, "%s: %lld cells are too many for a method that walks from neighbour to neighbour", space->path,
                           (long long)space->cells);
    TRY(memory_alloc(&n, 1, sizeof *n));
    n->space = space;
    TRY_DONE(memory_alloc(&n->allowed, (size_t)(space->nodes * space->operations), sizeof *n->allowed));
    space_allowed(n->allowed, space);
    for (int i = 0; i < space->nodes * space->operations; i++) n->most += n->allowed[i];
    n->most -= space->nodes; /* its own operations */
    if (space->graph_of != NULL) n->most += space->nodes * (space->nodes - 1);
    TRY_DONE(fill(n));
    *out = n;
done:
    if (status != STATUS_OK) neighbourhood_destroy(&n);
    return status;
}

void neighbourhood_destroy(struct neighbourhood **n)
{
    if (*n == NULL) return;
    free((*n)->allowed);
    free((*n)->slot);
    free(*n);
    *n = NULL;
}

int64_t neighbourhood_find(const struct neighbourhood *n, const struct graph *graph, const uint8_t *operation)
{
    return (int64_t)*place(n, hash(n->space, graph, operation), graph, operation) - 1;
}

int neighbourhood_most(const struct neighbourhood *n)
{
    return n->most;
}

static int ascending(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

int neighbourhood_list(int64_t *cells, const struct neighbourhood *n, int64_t cell)
{
    const struct space *s = n->space;
    struct graph g = *space_graph(s, cell);
    uint8_t operation[SPACE_NODES_MAX];
    int count = 0;
    space_cell(operation, s, cell);
    const uint64_t own = hash(s, &g, operation);
    for (int v = 0; v < s->nodes; v++) {
        const uint8_t keep = operation[v];
        for (int o = 0; o < s->operations; o++) {
            if (o == keep || !n->allowed[v * s->operations + o]) continue;
            operation[v] = (uint8_t)o;
            const uint64_t h = own ^ part_of_operation(v, keep) ^ part_of_operation(v, operation[v]);
            const uint32_t found = *place(n, h, &g, operation);
            if (found != 0) cells[count++] = (int64_t)found - 1;
        }
        operation[v] = keep;
    }
    for (int i = 0; s->graph_of != NULL && i < s->nodes; i++)
        for (int j = 0; j < s->nodes; j++) {
            if (i == j) continue;
            g.successors[i] ^= UINT32_C(1) << j, g.predecessors[j] ^= UINT32_C(1) << i;
            const uint32_t found = *place(n, own ^ part_of_edge(i, j), &g, operation);
            g.successors[i] ^= UINT32_C(1) << j, g.predecessors[j] ^= UINT32_C(1) << i;
            if (found != 0) cells[count++] = (int64_t)found - 1;
        }
    qsort(cells, (size_t)count, sizeof *cells, ascending);
    return count;
}
