/* experiment.h - a whole job: its grid of trials over the ranks, into one results file. */
#ifndef EXPERIMENT_H
#define EXPERIMENT_H

#include "job.h"

#include <mpi.h>

struct experiment_options {
    bool dry_run;        /* check everything, print units, memory and cost, write nothing */
    double wait;         /* seconds for another run on the same output to end */
    const char *command; /* the command line, for the history of the timing file */
};

/* Collective over comm, with the same job on all ranks. Returns the same status on all ranks. A job whose results are
 * already complete returns STATUS_OK at once; one that was interrupted goes on with what is missing. STATUS_STOPPED when it was
 * asked to stop (stop.h): what is finished is in the file, and the same call goes on. */
int experiment_run(const struct job *j, const struct experiment_options *o, MPI_Comm comm);

/* Collective over comm: run one trial, the first of the job's first data set, method and N, on all ranks together, and write the
 * weights of its predictor. Nothing is written when it fails. */
int experiment_fit(const struct job *j, const char *weights, MPI_Comm comm);

#endif
