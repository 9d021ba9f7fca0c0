/* results_merge.h - results files of one job with different trials become the file of the undivided job. Serial. */
#ifndef RESULTS_MERGE_H
#define RESULTS_MERGE_H

#include <stdint.h>

/* A file's part of the trials: first_trial .. first_trial + trials - 1. */
struct results_part {
    const char *path; /* not owned */
    int first_trial, trials;
};

/* Order the parts by their trials. STATUS_INPUT when a trial is in two parts or in none between the first and the last, or when
 * they are more than one job can have. */
int results_order_parts(struct results_part *part, int parts);

/* Write the file that the job with the trials of all these files would have written, byte for byte, and its companion
 * NAME.timing.nc when all files have theirs; each appears under its name complete or not at all. `command` is for the
 * companion's history; a run that writes the same output is waited for up to `wait` seconds (lock.h). STATUS_INPUT when a
 * file is no results file, is incomplete, or does not belong to the first, when trials overlap or are missing, or when
 * something else lies under the output's name. Records are copied in blocks: memory does not depend on how many there are. */
int results_merge(const char *output, const char *const *path, int paths, double wait, const char *command);

#endif
