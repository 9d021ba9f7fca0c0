/* nasbench201.h - NAS-Bench-201 and its larger kin: arch strings, cells, and spaces that are rules instead of tables
 * (method.md section 1).
 *
 * A cell of n nodes has an edge from every node to every later one; each edge carries one of five operations. For the predictor the
 * edges become nodes: V = n (n - 1) / 2 + n, in the order node 0, e(0>1), node 1, e(0>2), e(1>2), node 2, ... A node that
 * feeds m > 1 edges is split_m, one that feeds a single edge is none, the last is the output. NAS-Bench-201 is n = 4. */
#ifndef NASBENCH201_H
#define NASBENCH201_H

#include "space.h"

enum {
    NASBENCH201_NODES = 10, NASBENCH201_OPERATIONS = 9, NASBENCH201_ARCH_MAX = 96, /* of n = 4; with the zero */
    NASBENCH201_CELL_MIN = 3, NASBENCH201_CELL_MAX = 7, NASBENCH201_EDGES_MAX = 21, NASBENCH201_KIND_ARCH_MAX = 400,
};

/* Everything about cells of n nodes. */
struct nasbench201_kind {
    int cell_nodes, edges, nodes, operations;          /* n, n (n - 1) / 2, V, O */
    uint8_t edge_node[NASBENCH201_EDGES_MAX];          /* in the order of the arch string: where the operation stands, */
    uint8_t edge_from[NASBENCH201_EDGES_MAX], edge_to[NASBENCH201_EDGES_MAX]; /* and between which nodes of the cell */
    uint8_t fixed[SPACE_NODES_MAX];                    /* operations of the other nodes */
};

/* The vocabulary: the published nine names, then split_4, split_5, split_6 for larger kinds. */
extern const char *const nasbench201_vocabulary[];

/* CELL_MIN <= cell_nodes <= CELL_MAX. */
void nasbench201_kind(struct nasbench201_kind *k, int cell_nodes);

/* The adjacency that all cells of a kind share. */
void nasbench201_kind_graph(struct graph *g, const struct nasbench201_kind *k);

/* Cell number `index` of the 5^edges: its base-5 digits, the most significant for the first edge of the arch string, choose from
 * none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3. (The published table of n = 4 has another order.) */
void nasbench201_kind_cell(uint8_t *operation, const struct nasbench201_kind *k, int64_t index);

/* "|a~0|+|b~0|c~1|+...|" to the operations of the nodes and back, as below. */
int nasbench201_kind_parse(uint8_t *operation, const struct nasbench201_kind *k, const char *arch, const char *where);
bool nasbench201_kind_format(char arch[NASBENCH201_KIND_ARCH_MAX], const struct nasbench201_kind *k, const uint8_t *operation);

/* The whole space of a kind as a rule: all 5^edges cells, nothing known of any, no memory per cell. Not collective: every rank makes
 * its own. */
int nasbench201_space(struct space *out, int cell_nodes);

/* ---- n = 4 ---- */

void nasbench201_graph(struct graph *g);

/* "|a~0|+|b~0|c~1|+|d~0|e~1|f~2|" to the operations of the nodes. STATUS_INPUT when it is no such string; `where` begins
 * the message. */
int nasbench201_parse(uint8_t operation[NASBENCH201_NODES], const char *arch, const char *where);

/* The way back. false when the operations are those of no NAS-Bench-201 cell. */
bool nasbench201_format(char arch[NASBENCH201_ARCH_MAX], const uint8_t operation[NASBENCH201_NODES]);

#endif
