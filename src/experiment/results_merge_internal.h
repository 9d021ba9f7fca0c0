/* results_merge_internal.h - shared by the results_merge*.c files only. */
#ifndef RESULTS_MERGE_INTERNAL_H
#define RESULTS_MERGE_INTERNAL_H

#include "results_internal.h"
#include "results_merge.h"

/* What parts of a job differ in. */
#define RESULTS_TRIALS      "experiment.trials"
#define RESULTS_FIRST_TRIAL "experiment.first_trial"
extern const char *const results_part_keys[];

struct merge {
    const char *const *path;   /* [paths] as they were given */
    int paths;
    struct results_part *part; /* [paths] in the order of their trials */
    void *block;               /* for copies */
    struct results_input base; /* the first part, open: what it says holds for all, but for the trials */
    /* the undivided job */
    struct job job;
    struct method *method;
    int *n;
    double *oracle;
    struct grid grid;
    struct space space;
    struct results_origin origin;
    struct results_plan plan;
    struct results_paths target;
    struct lock *lock;         /* of the output */
    char draft[PATH_MAX], timing_draft[PATH_MAX]; /* where it is written before it gets its name */
};

/* Make the plan of the undivided job out of what its first part says; the parts are in order. */
int merge_plan(struct merge *m, const char *output);
void merge_release(struct merge *m);

/* The job parameters of the first part with other trials. Release with free(). */
int merge_parameters(char **out, const struct merge *m, int first_trial, int trials);

/* Write all parts' records into m->draft; nothing is left of it on failure. */
int merge_write(struct merge *m);

/* The same for the companions into m->timing_draft. When one is missing or does not fit, *written is false and the log says
 * why. */
int merge_write_timing(bool *written, struct merge *m, const char *command);

#endif
