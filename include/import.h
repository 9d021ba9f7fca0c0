/* import.h - spaces from published tables. Serial: call on one rank. Errors are STATUS_INPUT and name file, line or field.
 * inputs/space.cdl describes what comes out. */
#ifndef IMPORT_H
#define IMPORT_H

#include "columns.h"
#include "space.h"

/* A table of NAS-Bench-201 cells: comma-separated, a header line, one line a cell, empty = not known. */
int import_csv(struct space *out, const char *path, const struct columns *columns);

struct import_json_options {
    const char *dataset;    /* the data set of gt_accuracy; NULL: "default" */
    const char *vocabulary; /* names separated by commas; NULL: the file's, as published for known spaces, or sorted */
    int nodes;              /* V, smaller cells are padded; 0: the largest cell */
};

/* Cells in the published JSON form: a directory of files NAME.json with one cell each, or one file with a cell, an array
 * of cells, or an object with "cells" or "cases" and perhaps "vocabulary". Cells are sorted by id; in one file a cell
 * without id gets its place. Unknown accuracies, losses and flops are NaN. o may be NULL. */
int import_json_cells(struct space *out, const char *path, const struct import_json_options *o);

#endif
