#include "nasbench201.h"

#include "status.h"

#include <stdio.h>
#include <string.h>

enum { SKIP_CONNECT, ZEROS, NONE, SPLIT_2, SPLIT_3, CONV_3X3, CONV_1X1, AVG_POOL, OUTPUT, EDGES = 6 };

const char *const nasbench201_vocabulary[NASBENCH201_OPERATIONS] = {
    "skip_connect", "zeros", "none", "split_2", "split_3", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3", "output",
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

/* The edges in the order of the arch string: the node that holds the edge's operation, and what stands around it. */
static const struct {
    int node, source;
    const char *before;
} edge[EDGES] = {
    {1, 0, "|"}, {3, 0, "|+|"}, {4, 1, "|"}, {6, 0, "|+|"}, {7, 1, "|"}, {8, 2, "|"},
};

static const uint8_t template[NASBENCH201_NODES] = {
    SPLIT_3, 0, SPLIT_2, 0, 0, NONE, 0, 0, 0, OUTPUT,
};

void nasbench201_graph(struct graph *g)
{
    static const uint8_t arrow[][2] = {{0, 1}, {0, 3}, {0, 6}, {1, 2}, {2, 4}, {2, 7}, {3, 5}, {4, 5}, {5, 8}, {6, 9},
                                       {7, 9}, {8, 9}};
    uint8_t matrix[NASBENCH201_NODES * NASBENCH201_NODES] = {0};
    for (size_t i = 0; i < sizeof arrow / sizeof arrow[0]; i++) matrix[arrow[i][0] * NASBENCH201_NODES + arrow[i][1]] = 1;
    graph_from_matrix(g, matrix, NASBENCH201_NODES, "NAS-Bench-201");
}

int nasbench201_parse(uint8_t operation[NASBENCH201_NODES], const char *arch, const char *where)
{
    memcpy(operation, template, sizeof template);
    const char *at = arch;
    for (int e = 0; e < EDGES; e++) {
        size_t before = strlen(edge[e].before);
        if (strncmp(at, edge[e].before, before) != 0) goto malformed;
        at += before;
        size_t length = strcspn(at, "~|");
        int k = 0;
        while (k < EDGE_OPERATIONS && (strlen(edge_operation[k].name) != length ||
                                       strncmp(at, edge_operation[k].name, length) != 0)) k++;
        if (k == EDGE_OPERATIONS && at[length] == '~')
            return status_fail(STATUS_INPUT, "%s: unknown operation '%.*s' in arch string '%.100s'; NAS-Bench-201 has none, "
                               "skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3", where,
                               (int)(length < 40 ? length : 40), at, arch);
        at += length;
        if (k == EDGE_OPERATIONS || at[0] != '~' || at[1] != '0' + edge[e].source) goto malformed;
        at += 2;
        operation[edge[e].node] = edge_operation[k].operation;
    }
    if (strcmp(at, "|") == 0) return STATUS_OK;
malformed:
    return status_fail(STATUS_INPUT, "%s: '%.100s' is no NAS-Bench-201 arch string |OP~0|+|OP~0|OP~1|+|OP~0|OP~1|OP~2|; "
                       "it goes wrong at character %d", where, arch, (int)(at - arch) + 1);
}

bool nasbench201_format(char arch[NASBENCH201_ARCH_MAX], const uint8_t operation[NASBENCH201_NODES])
{
    uint8_t rest[NASBENCH201_NODES];
    memcpy(rest, operation, sizeof rest);
    int used = 0;
    for (int e = 0; e < EDGES; e++) {
        int k = 0;
        while (k < EDGE_OPERATIONS && edge_operation[k].operation != operation[edge[e].node]) k++;
        if (k == EDGE_OPERATIONS) return false;
        used += snprintf(arch + used, NASBENCH201_ARCH_MAX - (size_t)used, "%s%s~%d", edge[e].before, edge_operation[k].name,
                         edge[e].source);
        rest[edge[e].node] = 0;
    }
    snprintf(arch + used, NASBENCH201_ARCH_MAX - (size_t)used, "|");
    return memcmp(rest, template, sizeof rest) == 0;
}
