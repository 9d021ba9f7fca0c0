/* explain.h - one trial of a results file, told: what was trained when and why, what the predictor thought of it, and where the winner
 * stood before and after the codes were read. Serial. */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "method.h"
#include "results_input.h"
#include "space.h"

#include <stdbool.h>
#include <stdio.h>

/* Which trial. */
struct explain_choice {
    int trial;             /* its number */
    const char *dataset;   /* NULL: the first of the file */
    const char *method;    /* NULL: the last */
    int n;                 /* 0: the largest */
    int k;                 /* how many of the chosen cells; 0: the largest K of the job */
};

struct explanation {
    struct results_input file;
    const struct space *space;      /* for arch strings, or NULL; not owned */
    char method[METHOD_NAME_MAX];
    int trial, dataset, n, k;
    int pool, queries, codes;       /* cells in the training pool, all trained cells, codes */
    int before;                     /* trained cells before the chosen ones */
    double *value;                  /* memory of all that follows; cells are numbers (id) as in the space file, unknown numbers NaN */
    double *pool_cell, *pool_score; /* [file.pool] */
    double *cell, *accuracy, *label, *cost;                        /* [file.query] in the order in which they were paid */
    double *chosen, *chosen_accuracy, *score, *place, *best;       /* [file.k_max] */
};

/* STATUS_INPUT when the file has no such trial, names what it has instead, or the trial is not finished. */
int explain_read(struct explanation *out, const char *path, const struct explain_choice *choice);
void explain_destroy(struct explanation *e); /* accepts a zeroed struct */

/* The name of the space file that the job says; release with free(). */
int explain_space_name(char **out, const struct explanation *e);

/* From now on with the cells of this space: STATUS_INPUT when it is another than the one searched. */
int explain_use_space(struct explanation *e, const struct space *space);

/* all: a line for each cell of the pool, those drawn at random included. */
void explain_print(FILE *f, const struct explanation *e, bool all);

/* Part of explain_read(): `before`. The chosen cells are trained last, in their order, but for those that were trained before. */
void explain_find_before(struct explanation *e);

/* The place from 0 of the best of the first k chosen cells, -1 when no accuracy is known. */
int explain_winner(const struct explanation *e);

/* The best cell as a graph for Graphviz (dot -Tpdf). After explain_use_space(). */
int explain_dot(const struct explanation *e, const char *path);

#endif
