/* ceiling.h - how much of the final accuracy a smooth predictor can explain: exact predictions of every cell of a space from all
 * other cells, by a Gaussian process (gp.h) on one set of features at a time: the cell itself (traits.h), the first losses of
 * its training, both, or a signal such as FLOPs.
 *
 * What is predicted is the standard normal quantile of a cell's rank by accuracy: errors in percent are dominated by a few
 * broken cells. Losses enter as logarithms with mean 0 and variance 1, signals as normal quantiles of their ranks, as only their
 * order means something. Lengths and noise are shared by the data sets and maximise their marginal likelihood on a random part
 * of the cells; the mean is estimated by generalised least squares without the cells that are predicted.
 *
 * A cell is predicted without itself, and once more without its whole class, the cells that compute the same (traits.h): the
 * former is helped by twins with the very same features. Where features explain nothing, tau is negative rather than 0, as a
 * cell draws the mean of the others away from itself; errors tell: of z they are then 1. */
#ifndef CEILING_H
#define CEILING_H

#include <mpi.h>
#include <stdint.h>

enum { CEILING_EPOCHS_MAX = 64, CEILING_SIGNALS_MAX = 32, CEILING_SAMPLE_MIN = 20, CEILING_SAMPLE_MAX = 10000 };

/* All of it is borrowed. */
struct ceiling_options {
    const char *space, *output;
    int codes;                 /* how many of: the losses of the first so many epochs; negative: of 1, 2, 3 and 10, if known */
    const int *epochs;         /* [codes] ascending */
    int signals;               /* negative: flops and synflow, if there */
    const char *const *signal; /* [signals] */
    int sample, starts;        /* cells, and searches, for lengths and noise */
    uint64_t seed;             /* of that sample */
};

/* Collective over comm. The table on standard output, all predictions in `output`; what is finished stays in OUTPUT.part, from
 * where the same call goes on. STATUS_STOPPED between two sets of features (stop.h). */
int ceiling_run(const struct ceiling_options *o, MPI_Comm comm);

#endif
