/* measurement.h - what training a candidate for real yields, whoever trained it. */
#ifndef MEASUREMENT_H
#define MEASUREMENT_H

#include <stdint.h>

enum { MEASUREMENT_LOSSES_MAX = 64 };

/* What is asked for: the Estimation Code (a few cheap epochs), or a full training. */
enum measurement_kind { MEASUREMENT_CODE, MEASUREMENT_TRAINING, MEASUREMENT_KINDS };

enum measurement_outcome {
    MEASUREMENT_NONE,      /* not done yet */
    MEASUREMENT_DONE,
    MEASUREMENT_DIVERGED,  /* the loss left the numbers: a fact about the candidate, recorded as such */
    MEASUREMENT_FAILED,    /* the user's trainer did not answer, twice */
};

struct measurement {
    int32_t outcome, losses;
    double loss[MEASUREMENT_LOSSES_MAX]; /* training loss after each epoch: of a code all, of a training the first ones */
    double accuracy;                     /* percent, on the test images; of a training */
    double validation_accuracy;          /* percent, NaN when there is no validation set */
    double synflow;                      /* of the initial weights, NaN when not known */
    double seconds;                      /* wall clock; never part of results */
};

/* Someone who trains candidates. */
struct pulse;
struct measurer {
    /* Measure one cell. Called on the ranks of one team together (ranks_per_candidate), on different teams for different cells.
     * Returns STATUS_OK also when the candidate diverged or failed; anything else ends the run, STATUS_STOPPED one that shall go on
     * later (stop.h). */
    int (*measure)(struct measurement *out, void *self, int64_t cell, enum measurement_kind kind, const struct pulse *pulse);
    /* The result is safe: checkpoints of it may go. NULL: there are none. On the leader of the team. */
    void (*forget)(void *self, int64_t cell, enum measurement_kind kind);
    void *self;
    uint64_t fingerprint; /* of everything that changes its results: recipe, images, seed, or the user's command */
};

#endif
