#include "nasbench201.h"

#include "memory.h"
#include "status.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { SKIP_CONNECT, ZEROS, NONE, SPLIT_2, SPLIT_3, CONV_3X3, CONV_1X1, AVG_POOL, OUTPUT, SPLIT_4 };

const char *const nasbench201_vocabulary[] = {
    "skip_connect", "zeros", "none", "split_2", "split_3", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3", "output",
    "split_4", "split_5", "split_6",
};

/* What an arch string calls the five operations of an edge: its "none" is the vocabulary's "zeros". */
static const struct {
    const char *name;
    uint8_t operation;
} edge_operation[] = {
    {"none", ZEROS}, {"skip_connect", SKIP_CONNECT}, {"nor_conv_1x1", CONV_1X1}, {"nor_conv_3x3", CONV_3X3},
    {"avg_pool_3x3", AVG_POOL},
};
enum { EDGE_OPERATIONS = sizeof edge_operation / sizeof edge_operation[0] };

/* The operation of a node of the cell that feeds `edges` edges. */
static uint8_t junction(int edges)
{
    if (edges == 0) return OUTPUT;
    if (edges == 1) return NONE;
    return (uint8_t)(edges <= 3 ? SPLIT_2 + edges - 2 : SPLIT_4 + edges - 4);
}

void nasbench201_kind(struct nasbench201_kind *k, int cell_nodes)
{
    assert(cell_nodes >= NASBENCH201_CELL_MIN && cell_nodes <= NASBENCH201_CELL_MAX);
    *k = (struct nasbench201_kind){.cell_nodes = cell_nodes,
                                   .operations = NASBENCH201_OPERATIONS + (cell_nodes > 4 ? cell_nodes - 4 : 0)};
    for (int to = 0; to < cell_nodes; to++) {
        for (int from = 0; from < to; from++) {
            k->edge_from[k->edges] = (uint8_t)from;
            k->edge_to[k->edges] = (uint8_t)to;
            k->edge_node[k->edges++] = (uint8_t)k->nodes++;
        }
        k->fixed[k->nodes++] = junction(cell_nodes - 1 - to);
    }
}

/* Where node number `node` of the cell stands: after all edges into it and all that comes before. */
static int place(int node)
{
    return node * (node + 1) / 2 + node;
}

void nasbench201_kind_graph(struct graph *g, const struct nasbench201_kind *k)
{
    uint8_t matrix[SPACE_NODES_MAX * SPACE_NODES_MAX] = {0};
    for (int e = 0; e < k->edges; e++) {
        matrix[place(k->edge_from[e]) * k->nodes + k->edge_node[e]] = 1;
        matrix[k->edge_node[e] * k->nodes + place(k->edge_to[e])] = 1;
    }
    graph_from_matrix(g, matrix, k->nodes, "NAS-Bench-201");
}

void nasbench201_kind_cell(uint8_t *operation, const struct nasbench201_kind *k, int64_t index)
{
    memcpy(operation, k->fixed, (size_t)k->nodes);
    for (int e = k->edges - 1; e >= 0; e--, index /= EDGE_OPERATIONS)
        operation[k->edge_node[e]] = edge_operation[index % EDGE_OPERATIONS].operation;
}

/* What stands before edge e in an arch string. */
static const char *before(const struct nasbench201_kind *k, int e)
{
    return e > 0 && k->edge_from[e] == 0 ? "|+|" : "|";
}

int nasbench201_kind_parse(uint8_t *operation, const struct nasbench201_kind *kind, const char *arch, const char *where)
{
    memcpy(operation, kind->fixed, (size_t)kind->nodes);
    const char *at = arch;
    for (int e = 0; e < kind->edges; e++) {
        size_t skip = strlen(before(kind, e));
        if (strncmp(at, before(kind, e), skip) != 0) goto malformed;
        at += skip;
        size_t length = strcspn(at, "~|");
        int k = 0;
        while (k < EDGE_OPERATIONS && (strlen(edge_operation[k].name) != length ||
                                       strncmp(at, edge_operation[k].name, length) != 0)) k++;
        if (k == EDGE_OPERATIONS && at[length] == '~')
            return status_fail(STATUS_INPUT, "%s: unknown operation '%.*s' in arch string '%.100s'; NAS-Bench-201 has none, "
                               "skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3", where,
                               (int)(length < 40 ? length : 40), at, arch);
        at += length;
        if (k == EDGE_OPERATIONS || at[0] != '~' || at[1] != '0' + kind->edge_from[e]) goto malformed;
        at += 2;
        operation[kind->edge_node[e]] = edge_operation[k].operation;
    }
    if (strcmp(at, "|") == 0) return STATUS_OK;
malformed:
    return status_fail(STATUS_INPUT, "%s: '%.100s' is no arch string |OP~0|+|OP~0|OP~1|+... of a cell of %d nodes; it goes wrong at "
                       "character %d", where, arch, kind->cell_nodes, (int)(at - arch) + 1);
}

bool nasbench201_kind_format(char arch[NASBENCH201_KIND_ARCH_MAX], const struct nasbench201_kind *kind, const uint8_t *operation)
{
    uint8_t rest[SPACE_NODES_MAX];
    memcpy(rest, operation, (size_t)kind->nodes);
    int used = 0;
    for (int e = 0; e < kind->edges; e++) {
        int k = 0;
        while (k < EDGE_OPERATIONS && edge_operation[k].operation != operation[kind->edge_node[e]]) k++;
        if (k == EDGE_OPERATIONS) return false;
        used += snprintf(arch + used, NASBENCH201_KIND_ARCH_MAX - (size_t)used, "%s%s~%d", before(kind, e), edge_operation[k].name,
                         kind->edge_from[e]);
        rest[kind->edge_node[e]] = 0;
    }
    snprintf(arch + used, NASBENCH201_KIND_ARCH_MAX - (size_t)used, "|");
    return memcmp(rest, kind->fixed, (size_t)kind->nodes) == 0;
}

static void generate(uint8_t *operation, const void *rule, int64_t cell)
{
    nasbench201_kind_cell(operation, rule, cell);
}

static void describe(char *arch, const void *rule, int64_t cell)
{
    uint8_t operation[SPACE_NODES_MAX];
    nasbench201_kind_cell(operation, rule, cell);
    memset(arch, 0, NASBENCH201_KIND_ARCH_MAX);
    nasbench201_kind_format(arch, rule, operation);
}

static void allow(bool *allowed, const void *rule)
{
    const struct nasbench201_kind *k = rule;
    bool edge[SPACE_NODES_MAX] = {false};
    for (int e = 0; e < k->edges; e++) {
        edge[k->edge_node[e]] = true;
        for (int o = 0; o < EDGE_OPERATIONS; o++) allowed[k->edge_node[e] * k->operations + edge_operation[o].operation] = true;
    }
    for (int v = 0; v < k->nodes; v++)
        if (!edge[v]) allowed[v * k->operations + k->fixed[v]] = true;
}

int nasbench201_space(struct space *out, int cell_nodes)
{
    struct nasbench201_kind *kind;
    char name[64];
    *out = (struct space){0};
    TRY(memory_alloc(&kind, 1, sizeof *kind));
    nasbench201_kind(kind, cell_nodes);
    out->generate = generate;
    out->describe = describe;
    out->allow = allow;
    out->arch_length = NASBENCH201_KIND_ARCH_MAX;
    out->rule = kind;
    out->cells = 1;
    for (int e = 0; e < kind->edges; e++) out->cells *= EDGE_OPERATIONS;
    out->nodes = kind->nodes;
    snprintf(name, sizeof name, "nas-bench-201:%d", cell_nodes);
    TRY(memory_copy_text(&out->path, name));
    snprintf(name, sizeof name, "cells of NAS-Bench-201's kind with %d nodes", cell_nodes);
    TRY(memory_copy_text(&out->title, name));
    TRY(memory_alloc(&out->vocabulary, (size_t)kind->operations, sizeof *out->vocabulary));
    for (; out->operations < kind->operations; out->operations++)
        TRY(memory_copy_text(&out->vocabulary[out->operations], nasbench201_vocabulary[out->operations]));
    TRY(memory_alloc(&out->graph, 1, sizeof *out->graph));
    out->graphs = 1;
    nasbench201_kind_graph(out->graph, kind);
    return STATUS_OK;
}

/* ---- n = 4 ---- */

static struct nasbench201_kind published(void)
{
    struct nasbench201_kind k;
    nasbench201_kind(&k, 4);
    return k;
}

void nasbench201_graph(struct graph *g)
{
    const struct nasbench201_kind k = published();
    nasbench201_kind_graph(g, &k);
}

int nasbench201_parse(uint8_t operation[NASBENCH201_NODES], const char *arch, const char *where)
{
    const struct nasbench201_kind k = published();
    return nasbench201_kind_parse(operation, &k, arch, where);
}

bool nasbench201_format(char arch[NASBENCH201_ARCH_MAX], const uint8_t operation[NASBENCH201_NODES])
{
    const struct nasbench201_kind k = published();
    char longest[NASBENCH201_KIND_ARCH_MAX] = "";
    bool known = nasbench201_kind_format(longest, &k, operation);
    memcpy(arch, longest, NASBENCH201_ARCH_MAX - 1);
    arch[NASBENCH201_ARCH_MAX - 1] = '\0';
    return known;
}
