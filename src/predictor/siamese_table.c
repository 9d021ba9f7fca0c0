/* What the first two groups have in common among cells of one graph, computed once instead of for every cell.
 *
 * The first group's output at a node is a function of the operations of the node and its neighbours. On NAS-Bench-201, where a node
 * next to an edge's node is always the same junction, there are 530 such neighbourhoods in all, for 156,250 nodes of cells. The second
 * group's dense products act on each of these rows alone, so they can be tabulated, too. */
#include "matmul.h"
#include "siamese_internal.h"
#include "status.h"

#include <string.h>

/* Which rows there are. Returns their number, or -1 when it exceeds rows_max. */
static int64_t number_rows(struct siamese_table *t, int nodes, int64_t rows_max)
{
    int64_t rows = 0;
    for (int v = 0; v < nodes; v++) {
        int64_t kinds = 1;
        t->near[v] = t->mask[0][v] | t->mask[1][v];
        t->first[v] = (uint32_t)rows;
        for (uint32_t left = t->near[v]; left != 0; left &= left - 1) {
            const int u = __builtin_ctz(left);
            t->step[v][u] = (uint32_t)kinds;
            kinds *= t->choices[u];
            if (kinds > rows_max) return -1;
        }
        rows += kinds;
        if (rows > rows_max) return -1;
    }
    return rows;
}

static void take(struct siamese *s, int64_t rows)
{
    struct siamese_table *t = &s->table;
    for (int d = 0; d < 2; d++) t->product[d] = workspace_take(&t->workspace, (size_t)rows * WIDTH, sizeof(real));
    t->index = workspace_take(&t->workspace, (size_t)(SCORE_TILE * s->shape.nodes), sizeof *t->index);
    t->number = workspace_take(&t->workspace, (size_t)(s->shape.nodes * s->shape.operations), 1);
    t->choice = workspace_take(&t->workspace, (size_t)(s->shape.nodes * s->shape.operations), 1);
}

int siamese_promise(struct siamese *s, const uint32_t *const mask[2], const bool *allowed, int64_t rows_max)
{
    struct siamese_table *t = &s->table;
    const int V = s->shape.nodes, O = s->shape.operations;
    workspace_close(&t->workspace);
    *t = (struct siamese_table){.mask = {mask[0], mask[1]}};
    for (int v = 0; v < V; v++)
        for (int o = 0; o < O; o++) t->choices[v] += allowed[v * O + o];
    int64_t rows = number_rows(t, V, rows_max);
    if (rows <= 0) return STATUS_OK;
    take(s, rows);
    TRY(workspace_open(&t->workspace));
    take(s, rows);
    t->rows = rows;
    memset(t->number, UINT8_MAX, (size_t)(V * O));
    for (int v = 0; v < V; v++)
        for (int o = 0, n = 0; o < O; o++)
            if (allowed[v * O + o]) {
                t->choice[v * O + n] = (uint8_t)o;
                t->number[v * O + o] = (uint8_t)n++;
            }
    return STATUS_OK;
}

/* The operations of some cell in which node v has neighbourhood number `kind`. */
static void make_cell(uint8_t *operation, const struct siamese *s, int v, uint32_t kind)
{
    const struct siamese_table *t = &s->table;
    for (int u = 0; u < s->shape.nodes; u++) {
        uint32_t n = t->near[v] >> u & 1 ? kind / t->step[v][u] % t->choices[u] : 0;
        operation[u] = t->choice[u * s->shape.operations + (int)n];
    }
}

void siamese_table_fill(struct siamese *s)
{
    struct siamese_table *t = &s->table;
    const int V = s->shape.nodes;
    uint8_t operation[SCORE_TILE * 32];
    const uint32_t *mask[2][SCORE_TILE];
    for (int i = 0; i < SCORE_TILE; i++) mask[0][i] = t->mask[0], mask[1][i] = t->mask[1];
    for (int v = 0; v < V && t->rows > 0; v++) {
        const uint32_t end = v + 1 < V ? t->first[v + 1] : (uint32_t)t->rows;
        for (uint32_t row = t->first[v]; row < end; row += SCORE_TILE) {
            struct cells tile = {SCORE_TILE, V, operation, {mask[0], mask[1]}};
            if (end - row < SCORE_TILE) tile.count = (int)(end - row);
            for (int i = 0; i < tile.count; i++) make_cell(operation + i * V, s, v, row - t->first[v] + (uint32_t)i);
            graph_conv_infer(s->folded.y, &s->folded.group[GROUP_1], NULL, &tile, s->folded.scratch);
            for (int i = 0; i < tile.count; i++) /* of each cell, the row of node v */
                memcpy(s->folded.x + i * WIDTH, s->folded.y + (i * V + v) * WIDTH, WIDTH * sizeof(real));
            for (int d = 0; d < 2; d++)
                matmul(t->product[d] + (size_t)row * WIDTH, s->folded.x, s->folded.group[GROUP_2].weight[d], tile.count, WIDTH, WIDTH,
                       1, false);
        }
    }
}

bool siamese_table_find(struct siamese *s, const struct cells *tile)
{
    struct siamese_table *t = &s->table;
    const int V = s->shape.nodes, O = s->shape.operations;
    if (t->rows == 0) return false;
    const uint8_t *operation = tile->operation;
    uint32_t *index = t->index;
    for (int cell = 0; cell < tile->count; cell++, operation += V, index += V) {
        uint32_t number[32];
        if (tile->mask[0][cell] != t->mask[0] || tile->mask[1][cell] != t->mask[1]) return false;
        for (int v = 0; v < V; v++) {
            number[v] = t->number[v * O + operation[v]];
            if (number[v] == UINT8_MAX) return false;
        }
        for (int v = 0; v < V; v++) {
            uint32_t row = t->first[v];
            for (uint32_t left = t->near[v]; left != 0; left &= left - 1) {
                const int u = __builtin_ctz(left);
                row += t->step[v][u] * number[u];
            }
            index[v] = row;
        }
    }
    return true;
}
