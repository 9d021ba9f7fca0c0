/* results.h - the results file of a job, NAME.nc, and its companion NAME.timing.nc.
 *
 * NAME.nc (NetCDF-4) holds one record a unit on fixed dimensions dataset, method, budget, realization, and nothing that
 * differs from run to run: `cmp` finds it identical for any number of ranks, any group size and any restart. While a
 * job runs it is NAME.nc.part, defined and filled by one rank and then written by the leaders independently; the
 * byte complete(unit) is written last, so a killed job is resumed from what is complete. Fixed, contiguous
 * variables lose nothing that a write call has returned for. Each record has a checksum (results_verify.h): what a dying
 * node did not bring to the disk, or a disk has changed, is computed again. NAME.timing.nc holds what does differ. */
#ifndef RESULTS_H
#define RESULTS_H

#include "grid.h"
#include "group.h"
#include "job.h"
#include "trial.h"

#include <stdbool.h>

/* What a file says of the program that computed it. */
struct results_origin {
    const char *source, *compiler, *libraries;
    bool wide; /* numbers of cells take 64 bits */
};

/* What the file says beside the units themselves. Must outlive the results. */
struct results_plan {
    const struct job *job;
    const struct grid *grid;
    const struct space *space; /* the cells used */
    uint64_t file_checksum;    /* of the space as its file holds it, before filter and drops; without what a live search measures */
    int64_t file_cells, filtered, missing; /* cells of the file, left out by the filter, left out as not known */
    const double *oracle;      /* [datasets] percent, NaN when it is not known */
    uint64_t measurer;         /* fingerprint of whoever measures the candidates; 0 when they come from the table */
    const struct results_origin *origin; /* NULL: this program, and the numbers of the space's cells */
};

enum results_state {
    RESULTS_NEW,      /* nothing usable is there */
    RESULTS_PART,     /* NAME.nc.part of the same job: some units are complete */
    RESULTS_COMPLETE, /* NAME.nc of the same job */
};

/* Look at what lies under the job's output name, without changing it: finished[] (zeroed, [units]) is filled for
 * RESULTS_PART. STATUS_INPUT when it belongs to another job, naming the first difference. One rank. */
int results_inspect(enum results_state *state, bool *finished, const struct results_plan *p);

/* An upper bound of the bytes of NAME.nc, for --dry-run and for the check of free disk space. */
int64_t results_bytes(const struct results_plan *p);

struct results;

/* Collective over comm: inspect, lock (lock.h) with up to `wait` seconds for another run on the same output, create what is
 * missing, open on all leaders of g. finished[] as above, on all ranks. *out is NULL when *state is RESULTS_COMPLETE: there is
 * nothing to do. */
int results_open(struct results **out, enum results_state *state, bool *finished, const struct results_plan *p,
                 const struct group *g, double wait, MPI_Comm comm);

/* Rank 0: a sign of life for the lock; call it in every step. */
void results_touch(const struct results *r);

/* Write one unit and its seconds, then mark it as complete. On the leader that computed it; not collective. */
int results_write(struct results *r, int64_t unit, const struct trial_result *t);

/* Volatile facts of a run, for the companion. */
struct results_run {
    const char *command; /* the command line */
    double elapsed;      /* seconds */
    int64_t peak;        /* bytes resident, the largest of all ranks */
};

/* Collective over comm: close, and when `status` (agreed by all) is STATUS_OK give the files their final names;
 * otherwise the .part files stay for the next run. *r becomes NULL. */
int results_close(struct results **r, int status, const struct results_run *run, MPI_Comm comm);

#endif
