/* candidate.h - where true accuracies and Estimation Codes come from, and the one place where they are charged
 * (method.md section 9): looked up in the space's table, or measured when they are asked for. */
#ifndef CANDIDATE_H
#define CANDIDATE_H

#include "group.h"
#include "ledger.h"
#include "measurement.h"
#include "pulse.h"
#include "space.h"

#include <stdint.h>

struct candidate;

/* What a trial bought. One full training = 1, one Estimation Code = CANDIDATE_CODE_COST. */
struct candidate_cost {
    int64_t trainings, codes;
};
#define CANDIDATE_CODE_COST 0.003

enum code_transform { CODE_RAW, CODE_LOG };

/* Which known values play which part. */
struct candidate_options {
    int dataset;              /* index into the space's data sets; of no account when candidates are measured */
    bool label_is_validation; /* the predictor learns validation accuracy; results always report accuracy */
    const char *code;         /* "early_loss", or signal names separated by commas */
    int code_length;          /* E: the first E losses; ignored for signals */
    enum code_transform transform;
};

/* Candidates from the space's table. A view on the space, which must outlive it. No charge. STATUS_INPUT when the space
 * lacks what is asked for. */
int candidate_create(struct candidate **out, const struct space *s, const struct candidate_options *o);
void candidate_destroy(struct candidate **c);

/* ---- candidates that are measured ---- */

/* What a missing loss of a training that diverged or failed counts in a code. Its accuracy counts as 0. */
#define CANDIDATE_WORST_LOSS 10.0

/* All of it is borrowed. */
struct candidate_source {
    const int64_t *class_of;        /* [cells of the space] which of the distinct cells each one is */
    const int64_t *first;           /* [classes] the number by which the measurer knows it */
    int64_t classes;
    const struct measurer *measurer;
    struct ledger *ledger;          /* of `classes` cells */
    const struct group *group;      /* ranks that ask together, with the same cells in the same order */
    const struct group *team;       /* a group of that group: ranks that measure one candidate together */
    const struct pulse *pulse;      /* while measuring and while waiting for others */
    bool shows_progress;            /* on this rank */
};

/* Accuracies, and the losses of codes, are measured when they are asked for: cells of one class once, spread over the teams
 * of the group, each written to the ledger as soon as it is known, and read from there if it is known already. From then on
 * candidate_train(), candidate_code() and candidate_expect() are collective over the group; the account is that of a table,
 * whatever the ledger knew. Not collective itself. STATUS_INPUT when the space has no signals of the code's names, or E is
 * beyond MEASUREMENT_LOSSES_MAX. */
int candidate_create_live(struct candidate **out, const struct space *s, const struct candidate_options *o,
                          const struct candidate_source *from);
bool candidate_is_live(const struct candidate *c);

/* These cells will be asked for one by one: measure them now, all together. No charge. Nothing to do for values of a table. */
int candidate_expect(struct candidate *c, enum measurement_kind kind, const int64_t *cell, int64_t n);

/* What the ranks of comm have done since their candidates were created, in distinct cells: measured now, and taken from the
 * ledger, of all these diverged and failed. Collective over comm; the result is on rank 0. c = NULL on ranks that have none. */
struct candidate_tally {
    int64_t measured[MEASUREMENT_KINDS], known[MEASUREMENT_KINDS], diverged[MEASUREMENT_KINDS], failed[MEASUREMENT_KINDS];
};
int candidate_tally(struct candidate_tally *out, const struct candidate *c, int64_t classes, MPI_Comm comm);

/* ---- any candidates ---- */

int candidate_code_length(const struct candidate *c); /* E; 0 when the space has no code */
bool candidate_code_is_losses(const struct candidate *c); /* of which less is better; not of signals */

/* Start a new account: nothing is known, nothing is charged. */
void candidate_reset(struct candidate *c);
struct candidate_cost candidate_cost(const struct candidate *c);
double candidate_total(struct candidate_cost cost); /* in full trainings */

/* A full training that was paid, in [0, 1], and what the account had come to with it. */
struct candidate_purchase {
    int64_t cell;
    double label, accuracy, total;
};

/* All full trainings of this account in the order in which they were paid, how many; owned by c until the next purchase. */
int64_t candidate_history(const struct candidate_purchase **out, const struct candidate *c);

/* Buy label and accuracy, both in [0, 1], of n cells. A value that this account already knows is free.
 * label or accuracy may be NULL. */
int candidate_train(struct candidate *c, double *label, double *accuracy, const int64_t *cell, int64_t n);

/* Buy the Estimation Codes [n][E]. */
int candidate_code(struct candidate *c, float *code, const int64_t *cell, int64_t n);

/* The true accuracy in [0, 1] for judging a result, never for deciding: free. Of a table only. */
double candidate_truth(const struct candidate *c, int64_t cell);

/* The best true accuracy of all cells, in [0, 1]. Of a table only. */
double candidate_oracle(const struct candidate *c);

/* keep[cell] = false where the label, the accuracy, or (when needs_code) the code is not known. Returns how many. */
int64_t candidate_missing(const struct space *s, const struct candidate_options *o, bool needs_code, bool *keep);

/* The same before cells are measured: only a code of signals must be known. STATUS_INPUT when the space has no such signals. */
int candidate_missing_live(int64_t *missing, const struct space *s, const struct candidate_options *o, bool needs_code, bool *keep);

#endif
