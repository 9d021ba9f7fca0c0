/* training.h - training one candidate network on images. */
#ifndef TRAINING_H
#define TRAINING_H

#include "augment.h"
#include "measurement.h"
#include "network.h"
#include "pulse.h"

#include <mpi.h>
#include <stdbool.h>

enum { TRAINING_PHASES_MAX = 16 };
enum training_optimizer { OPTIMIZER_ADAM, OPTIMIZER_SGD };
enum training_decay { DECAY_NONE, DECAY_COSINE };

struct training_options {
    int batch;               /* images of a step, of all ranks together; an epoch's last, smaller batch is left out */
    int phases;
    int epochs[TRAINING_PHASES_MAX];
    double learning_rate[TRAINING_PHASES_MAX];
    enum training_decay decay; /* COSINE: within each phase, from its rate to 0 */
    enum training_optimizer optimizer;
    double momentum;         /* of SGD, Nesterov's; Adam has 0.9, 0.999, 1e-7 */
    double weight_decay;     /* L2, on weights only */
    double share;            /* of the training images that are used: drawn once for all candidates */
    struct augment_options augment;
};

/* Where an unfinished training is kept, so that it goes on after a stop or a kill with the same result. */
struct training_checkpoint {
    const char *path;
    uint64_t fingerprint;    /* of all that decides the result: a file of another one is ignored */
    double every;            /* seconds from one writing to the next; also written when the run shall stop */
};

/* Collective over team, whose size divides the batch: train from the initial weights that `seed` gives, for all phases. out->loss
 * is the mean training loss of each epoch; with `evaluate` the accuracies are those of the final weights. A loss that is no
 * number ends the training: MEASUREMENT_DIVERGED. out->synflow is that of the initial weights. The images' order and
 * augmentation depend on the seed and not on the network, so that candidates are compared on the same batches.
 * All ranks of a team get the same result. It depends on the size of the team: each rank normalises its part of a batch with
 * the statistics of that part, and the running statistics are those that rank 0 saw.
 * STATUS_STOPPED when the run shall stop (stop.h) before the training is done. checkpoint: NULL for none; the caller removes the
 * file when the result is safe. */
int training_run(struct measurement *out, const struct network *n, const struct image_sets *images, const struct training_options *o,
                 bool evaluate, uint64_t seed, MPI_Comm team, const struct pulse *pulse, const struct training_checkpoint *checkpoint);

/* How many of `images` training images are used. */
int64_t training_used(const struct training_options *o, int64_t images);

/* Epochs of all phases. */
int training_epochs(const struct training_options *o);

#endif
