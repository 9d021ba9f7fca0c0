#include "explain.h"

#include "file.h"
#include "nasbench201.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

/* Does the space number its nodes and operations as NAS-Bench-201 does? Then operations are edges between the cell's own four nodes. */
static bool is_nasbench201(const struct space *s)
{
    if (s->nodes != NASBENCH201_NODES || s->operations != NASBENCH201_OPERATIONS || s->graph_of != NULL) return false;
    struct graph g;
    nasbench201_graph(&g);
    for (int i = 0; i < s->operations; i++)
        if (strcmp(s->vocabulary[i], nasbench201_vocabulary[i]) != 0) return false;
    return memcmp(g.successors, s->graph[0].successors, (size_t)s->nodes * sizeof g.successors[0]) == 0;
}

static void put_nasbench201(FILE *f, const struct space *s, const uint8_t *operation)
{
    struct nasbench201_kind kind;
    nasbench201_kind(&kind, 4);
    fputs("    node [shape=circle];\n    0 [label=\"in\"]; 1 [label=\"\"]; 2 [label=\"\"]; 3 [label=\"out\"];\n", f);
    for (int e = 0; e < kind.edges; e++) {
        const char *name = s->vocabulary[operation[kind.edge_node[e]]];
        const bool zeros = strcmp(name, "zeros") == 0;
        fprintf(f, "    %d -> %d [label=\"%s\"%s];\n", kind.edge_from[e], kind.edge_to[e], zeros ? "none" : name,
                zeros ? ", style=dotted, color=gray, fontcolor=gray" : "");
    }
}

/* Names are a user's. */
static void put_quoted(FILE *f, const char *text)
{
    fputc('"', f);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') fputc('\\', f);
        fputc(*text, f);
    }
    fputc('"', f);
}

/* Nodes are operations; those without any edge only fill up the cell. */
static void put_nodes(FILE *f, const struct space *s, const struct graph *g, const uint8_t *operation)
{
    fputs("    node [shape=box, style=rounded];\n", f);
    for (int i = 0; i < s->nodes; i++) {
        const uint32_t self = UINT32_C(1) << i;
        if (((g->successors[i] | g->predecessors[i]) & ~self) == 0) continue;
        fprintf(f, "    %d [label=", i);
        put_quoted(f, s->vocabulary[operation[i]]);
        fputs("];\n", f);
        for (int j = 0; j < s->nodes; j++)
            if (j != i && (g->successors[i] >> j & 1) != 0) fprintf(f, "    %d -> %d;\n", i, j);
    }
}

int explain_dot(const struct explanation *e, const char *path)
{
    const struct space *s = e->space;
    const int winner = explain_winner(e);
    int64_t cell = -1;
    uint8_t operation[SPACE_NODES_MAX];
    char *text;
    size_t length;
    for (int64_t i = 0; i < s->cells && winner >= 0; i++)
        if ((double)space_id(s, i) == e->chosen[winner]) cell = i;
    if (cell < 0) return status_fail(STATUS_INPUT, "%s: the trial has no best cell of %s to draw", e->file.in.path, s->path);
    FILE *f = open_memstream(&text, &length);
    if (f == NULL) return status_fail(STATUS_FAILURE, "out of memory");
    space_cell(operation, s, cell);
    fprintf(f, "digraph cell {\n    rankdir=LR;\n"
            "    graph [fontname=\"Helvetica\"]; node [fontname=\"Helvetica\"]; edge [fontname=\"Helvetica\"];\n"
            "    label=\"cell %.0f, accuracy %.3f %%\";\n", e->chosen[winner], e->chosen_accuracy[winner]);
    if (is_nasbench201(s)) put_nasbench201(f, s, operation);
    else put_nodes(f, s, space_graph(s, cell), operation);
    fputs("}\n", f);
    if (fclose(f) != 0) return status_fail(STATUS_FAILURE, "out of memory");
    const int status = file_write(path, text, length);
    free(text);
    return status;
}
