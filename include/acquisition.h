/* acquisition.h - which cells are worth a training when a predictor says how sure it is: expected improvement (Jones et al. 1998),
 * Thompson sampling (independent for each cell), upper confidence bound.
 *
 * Cells of one class of the predictor's traits are asked about once; which of them is trained first is drawn by lot. */
#ifndef ACQUISITION_H
#define ACQUISITION_H

#include "candidate.h"
#include "group.h"
#include "method.h"
#include "pool.h"
#include "predictor.h"
#include "pulse.h"
#include "random.h"

struct acquisition;

/* Not collective. batch: most cells of one choice, codes: most codes bought at a time. */
int acquisition_create(struct acquisition **out, const struct group *group, const struct space *space, int code_length, int batch,
                       int codes, const struct pulse *pulse);
void acquisition_destroy(struct acquisition **a);

/* A new trial: no code is known, lots are drawn anew. */
void acquisition_start(struct acquisition *a, const struct random_stream *twins, const struct random_stream *thompson);

/* Collective over the group, as are those below: buy codes, and keep them for later choices. */
int acquisition_buy(struct acquisition *a, struct candidate *candidate, const int64_t *cell, int n);

/* The code [E] of a cell; NULL when it is not known. */
const float *acquisition_code(const struct acquisition *a, int64_t cell);

/* What is asked for. */
struct acquisition_question {
    enum sampler_kind sampler;  /* SAMPLER_EI, SAMPLER_TS, SAMPLER_UCB */
    double kappa;
    const uint8_t *trained;     /* [cells] these are out of the question */
    uint64_t round;             /* draws of Thompson sampling differ from round to round */
};

/* Buy the codes of the `codes` best cells, by the basic branch, whose codes are not known yet. */
int acquisition_explore(struct acquisition *a, struct predictor *predictor, struct candidate *candidate,
                        const struct acquisition_question *q, int codes);

/* Choose up to n cells to be trained together, *found of them: by the basic branch any, by the estimation branch those with codes.
 * After each choice the variances of the others become what they would be if its accuracy were known. score [n]: what the branch
 * expects of them. */
int acquisition_choose(int64_t *cell, float *score, int *found, struct acquisition *a, struct predictor *predictor,
                       const struct acquisition_question *q, bool by_code, int n);

/* One cell's worth, for any predictor: the value that choices maximise, from mean and standard deviation. */
double acquisition_improvement(double mean, double deviation, double incumbent);

#endif
