/* candidate.h - where true accuracies and Estimation Codes come from, and the one place where they are charged
 * (method.md section 9). Here: looked up in the space's table. */
#ifndef CANDIDATE_H
#define CANDIDATE_H

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
    int dataset;              /* index into the space's data sets */
    bool label_is_validation; /* the predictor learns validation accuracy; results always report accuracy */
    const char *code;         /* "early_loss", or signal names separated by commas */
    int code_length;          /* E: the first E losses; ignored for signals */
    enum code_transform transform;
};

/* A view on the space, which must outlive it. No charge. STATUS_INPUT when the space lacks what is asked for. */
int candidate_create(struct candidate **out, const struct space *s, const struct candidate_options *o);
void candidate_destroy(struct candidate **c);

int candidate_code_length(const struct candidate *c); /* E; 0 when the space has no code */

/* Start a new account: nothing is known, nothing is charged. */
void candidate_reset(struct candidate *c);
struct candidate_cost candidate_cost(const struct candidate *c);

/* Buy label and accuracy, both in [0, 1], of n cells. A value that this account already knows is free.
 * label or accuracy may be NULL. */
int candidate_train(struct candidate *c, double *label, double *accuracy, const int64_t *cell, int64_t n);

/* Buy the Estimation Codes [n][E]. */
int candidate_code(struct candidate *c, float *code, const int64_t *cell, int64_t n);

/* The true accuracy in [0, 1] for judging a result, never for deciding: free. */
double candidate_truth(const struct candidate *c, int64_t cell);

/* The best true accuracy of all cells, in [0, 1]. */
double candidate_oracle(const struct candidate *c);

/* keep[cell] = false where the label, the accuracy, or (when needs_code) the code is not known. Returns how many. */
int64_t candidate_missing(const struct space *s, const struct candidate_options *o, bool needs_code, bool *keep);

#endif
