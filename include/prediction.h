/* prediction.h - the scores that a trained predictor gives the cells of a space, and the file they go to. */
#ifndef PREDICTION_H
#define PREDICTION_H

#include "group.h"
#include "predictor.h"
#include "pulse.h"
#include "space.h"

struct prediction {
    int64_t cells;
    int64_t *cell;       /* [cells] indices into the space */
    float *basic;        /* [cells] in [0, 1] */
    float *estimation;   /* [cells], NaN where the Estimation Code is not known; NULL without an estimation branch */
};

/* Collective over the group; the result is on rank 0. Score every cell of a table, in the order of the space; code_length is the
 * predictor's E, 0 for the basic branch only. */
int prediction_all(struct prediction *out, struct predictor *predictor, int code_length, const struct space *space,
                   const struct group *group);

/* The `top` best cells by the basic branch, best first. The space is streamed in blocks shared by the ranks: memory does not depend on
 * its size. Beats the pulse after every RANKING_BLOCK cells. */
int prediction_top(struct prediction *out, struct predictor *predictor, int code_length, const struct space *space,
                   const struct group *group, int64_t top, const struct pulse *pulse);

void prediction_destroy(struct prediction *p);

/* NetCDF: id(cell), basic(cell), estimation(cell), arch(cell) when the space has arch strings; `source` names the weights. Serial. */
int prediction_write(const struct prediction *p, const struct space *space, const char *weights, const char *path);

#endif
