/* experiment_internal.h - shared by the experiment_*.c files only. */
#ifndef EXPERIMENT_INTERNAL_H
#define EXPERIMENT_INTERNAL_H

#include "experiment.h"
#include "grid.h"
#include "group.h"
#include "progress.h"
#include "queue.h"
#include "results.h"

struct experiment {
    const struct job *job;
    const struct experiment_options *options;
    MPI_Comm comm;                 /* duplicated */
    int rank, ranks;
    struct grid grid;
    struct space space;            /* the cells used */
    uint64_t file_checksum;
    int64_t file_cells, filtered, missing;
    struct candidate **candidate;  /* [datasets] */
    double *oracle;                /* [datasets] percent */
    struct group group;
    struct results_plan plan;
    struct results *results;
    bool *finished;                /* [units] before this run */
    int64_t *order, remaining;     /* [remaining] units of this run, the longest first */
    struct trial *trial;
    struct queue *queue;           /* on leaders */
    struct progress progress;      /* on rank 0 */
    struct timer timer;            /* of the units of this rank's group, on leaders */
    double begin;
};

/* Read, filter and check the space on rank 0, hand it to all ranks, open the candidates. Collective. */
int experiment_read_space(struct experiment *e);

/* Collective over e->comm, which is freed. */
void experiment_release(struct experiment *e);

/* What the log says before and after. experiment_log_end() is collective over comm. */
void experiment_log_start(const struct experiment *e);
void experiment_log_idle(const struct experiment *e);
void experiment_log_end(const struct experiment *e, int64_t peak);

/* The largest resident set of all ranks so far, in bytes. Collective. */
int64_t experiment_peak(const struct experiment *e);

#endif
