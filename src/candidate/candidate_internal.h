/* candidate_internal.h - shared by the candidate*.c files only. */
#ifndef CANDIDATE_INTERNAL_H
#define CANDIDATE_INTERNAL_H

#include "candidate.h"

#include <math.h>

enum { CANDIDATE_SIGNALS_MAX = 64 };

struct candidate_live;

/* Values lie in rows: the cells of a table, the distinct cells of a live search. */
struct candidate {
    const struct space *space;
    const double *label, *accuracy;  /* [rows] percent */
    const double *loss;              /* [rows][loss_stride] */
    int loss_stride;
    int code_length, signals;
    const double **signal;           /* [signals] arrays [cells] that make the code; none when losses do */
    enum code_transform transform;
    double oracle;
    struct candidate_cost cost;
    struct candidate_purchase *history; /* [cost.trainings], room for more */
    int64_t history_room;
    uint8_t *known;                  /* [cells] what this account has bought */
    struct candidate_live *live;     /* NULL: a table */
};

/* The part that both kinds have: everything but values. */
int candidate_begin(struct candidate **out, const struct space *s, const struct candidate_options *o);

/* The signals [CANDIDATE_SIGNALS_MAX] that make the code; none for "early_loss". */
int candidate_find_signals(const double **signal, int *signals, const struct space *s, const struct candidate_options *o);

static inline double candidate_transformed(double value, enum code_transform transform)
{
    return transform == CODE_LOG ? log(value) : value;
}

/* -- candidate_live.c -- */

/* Make sure that the values of these cells are known. Collective over the group. */
int candidate_live_need(struct candidate *c, enum measurement_kind kind, const int64_t *cell, int64_t n);
int64_t candidate_live_row(const struct candidate_live *l, int64_t cell);
void candidate_live_destroy(struct candidate_live **l);

/* -- candidate_measure.c -- */

/* Measure the classes wanted[count], or find them in the ledger after all, spread over the teams of the group. found
 * [count], zeroed, is filled in on one rank of the group for each; so is here [count], true for what was measured by this
 * rank. Collective over the group, which agrees on the status. */
int candidate_measure(struct measurement *found, bool *here, const struct candidate_source *from, enum measurement_kind kind,
                      const int64_t *wanted, int64_t count);

#endif
