#include "live.h"

#include "memory.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

static void find_words(bool *found, const struct space *s, const char *const *list)
{
    for (int o = 0; o < s->operations; o++) {
        found[o] = false;
        for (int i = 0; list[i] != NULL; i++) found[o] = found[o] || strcmp(s->vocabulary[o], list[i]) == 0;
    }
}

void live_dead(bool *dead, const struct space *s)
{
    find_words(dead, s, (const char *const[]){"zeros", "zero", NULL});
}

void live_pass(bool *pass, const struct space *s)
{
    find_words(pass, s, (const char *const[]){"skip_connect", "skip", "identity", "none", NULL});
}

int live_fixed(bool *fixed, const struct space *s)
{
    bool *allowed;
    TRY(memory_alloc(&allowed, (size_t)(s->nodes * s->operations), sizeof *allowed));
    space_allowed(allowed, s);
    for (int v = 0; v < s->nodes; v++) {
        int kinds = 0;
        for (int o = 0; o < s->operations; o++) kinds += allowed[v * s->operations + o];
        fixed[v] = s->graph_of == NULL && kinds == 1;
    }
    free(allowed);
    return STATUS_OK;
}

uint32_t live_nodes(uint32_t *ends, const struct graph *g, const uint8_t *operation, const bool *dead, int nodes)
{
    uint32_t begin = 0, end = 0, here = 0, forward = 0, backward = 0;
    for (int v = 0; v < nodes; v++) {
        const uint32_t self = UINT32_C(1) << v, in = g->predecessors[v] & ~self, out = g->successors[v] & ~self;
        if ((in | out) == 0 && nodes > 1) continue; /* padding */
        if (!dead[operation[v]]) here |= self;
        if (in == 0) begin |= self;
        if (out == 0) end |= self;
    }
    for (bool grows = true; grows;) { /* node numbers need not follow the edges */
        const uint32_t f = forward, b = backward;
        for (int v = 0; v < nodes; v++) {
            const uint32_t self = UINT32_C(1) << v & here;
            if ((self & begin) != 0 || (g->predecessors[v] & forward & ~self) != 0) forward |= self;
            if ((self & end) != 0 || (g->successors[v] & backward & ~self) != 0) backward |= self;
        }
        grows = f != forward || b != backward;
    }
    *ends = end & forward & backward;
    return forward & backward;
}

void live_prune(struct graph *out, const struct graph *g, uint32_t live, int nodes)
{
    for (int v = 0; v < nodes; v++) {
        const uint32_t self = UINT32_C(1) << v, kept = self & live ? live : self;
        out->successors[v] = g->successors[v] & kept;
        out->predecessors[v] = g->predecessors[v] & kept;
    }
}
