/* fixture.h - what tests of the layers share: memory that is dropped as a whole, random batches of cells. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "graph_conv.h"
#include "memory.h"
#include "random.h"
#include "status.h"
#include "vector.h"

/* Zeroed and aligned; all of it is released by fixture_release(), which belongs at the end of each test. */
enum { FIXTURE_BLOCKS = 1 << 16 };
static void *fixture_block[FIXTURE_BLOCKS];
static int fixture_blocks;

static inline void *fixture_take(size_t count, size_t size)
{
    assert_true(fixture_blocks < FIXTURE_BLOCKS);
    assert_int_equal(memory_alloc(&fixture_block[fixture_blocks], count, size), STATUS_OK);
    return fixture_block[fixture_blocks++];
}

static inline void fixture_release(void)
{
    while (fixture_blocks > 0) free(fixture_block[--fixture_blocks]);
}

static inline real *fixture_zeros(size_t n)
{
    return fixture_take(n, sizeof(real));
}

/* Uniform in [-scale, scale). */
static inline real *fixture_reals(size_t n, double scale, struct random_stream *s)
{
    real *x = fixture_zeros(n);
    for (size_t i = 0; i < n; i++) x[i] = (real)(scale * (2 * random_uniform(s) - 1));
    return x;
}

/* A batch of cells on random graphs, whose nodes are in no particular order. The first cell has no edges, the second all
 * that a graph without cycles can have. */
static inline struct cells fixture_cells(int count, int nodes, int operations, struct random_stream *s)
{
    uint8_t *operation = fixture_take((size_t)(count * nodes), 1);
    const uint32_t **mask[2];
    for (int d = 0; d < 2; d++) mask[d] = fixture_take((size_t)count, sizeof(uint32_t *));
    for (int b = 0; b < count; b++) {
        uint32_t *forth = fixture_take((size_t)nodes, sizeof *forth), *back = fixture_take((size_t)nodes, sizeof *back);
        int order[32] = {0};
        for (int i = 0; i < nodes; i++) {
            int place = (int)random_below(s, i + 1);
            order[i] = order[place];
            order[place] = i;
            operation[b * nodes + i] = (uint8_t)random_below(s, operations);
        }
        for (int i = 0; i < nodes; i++)
            for (int j = i; j < nodes; j++) {
                if (i != j && (b == 0 || (b > 1 && random_below(s, 2)))) continue;
                forth[order[i]] |= UINT32_C(1) << order[j];
                back[order[j]] |= UINT32_C(1) << order[i];
            }
        mask[0][b] = forth;
        mask[1][b] = back;
    }
    return (struct cells){count, nodes, operation, {mask[0], mask[1]}};
}

#endif
