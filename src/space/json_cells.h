/* json_cells.h - cells as their JSON files say them, before they become a space. */
#ifndef JSON_CELLS_H
#define JSON_CELLS_H

#include "space.h"

struct json_cell {
    char *where; /* file, and the place in it if it holds several cells */
    int64_t id;
    int nodes;
    struct graph graph;
    uint8_t operation[SPACE_NODES_MAX]; /* index into the names */
    double accuracy, flops;             /* percent, millions; NaN = not known */
    int code_length;                    /* 0 = not known */
    double *code;
};

struct json_cells {
    int64_t cells, capacity;
    struct json_cell *cell;
    int names;
    char *name[SPACE_OPERATIONS_MAX];   /* operations in order of first appearance */
    char *vocabulary;                   /* separated by commas, NULL when no file says it */
};

/* Read a directory or a file (import.h). Start with a zeroed struct. */
int json_cells_read(struct json_cells *out, const char *path);
void json_cells_destroy(struct json_cells *c);

#endif
