/* results_input.h - a results file (or the .part file of an unfinished one) from a stranger: its shape checked, and what it says
 * beside its units. Serial. */
#ifndef RESULTS_INPUT_H
#define RESULTS_INPUT_H

#include "netcdf_input.h"

#include <stdint.h>

/* Variables of NAME.nc that hold one record a unit. */
enum results_variable {
    RESULT_BEST, RESULT_CHOSEN, RESULT_CHOSEN_ACCURACY, RESULT_CHOSEN_SCORE, RESULT_POOL, RESULT_POOL_SIZE,
    RESULT_TRAININGS, RESULT_CODES, RESULT_COST, RESULT_RHO, RESULT_TAU, RESULT_TAU_TOP, RESULT_CHOSEN_PLACE, RESULT_POOL_SCORE,
    RESULT_QUERY, RESULT_QUERY_ACCURACY, RESULT_QUERY_LABEL, RESULT_QUERY_COST, RESULT_QUERIES, RESULT_CHECKSUM, RESULT_COMPLETE,
    RESULT_VARIABLES
};
extern const char *const results_name[RESULT_VARIABLES];

/* Where the results come from, as attributes say: what the numbers depend on, and from the libraries on what they do not. */
enum results_text {
    RESULTS_PARAMETERS, RESULTS_SPACE_CHECKSUM, RESULTS_MEASURER, RESULTS_SOURCE, RESULTS_COMPILER,
    RESULTS_LIBRARIES, RESULTS_JOB_FILE, RESULTS_SPACE_TITLE, RESULTS_TEXTS
};
enum results_number {
    RESULTS_SPACE_FILE_CELLS, RESULTS_SPACE_CELLS, RESULTS_SPACE_FILTERED, RESULTS_SPACE_DROPPED, RESULTS_NUMBERS
};

struct results_input {
    struct netcdf_input in;
    int datasets, methods, budgets, trials, k_max, pool, query; /* lengths of the dimensions */
    int first_trial;                                     /* trials first_trial .. first_trial + trials - 1 */
    int variable[RESULT_VARIABLES];                      /* their ids; all have numbers on the dimensions they should have */
    char **dataset, **predictor, **sampler;
    double *oracle, *budget;                             /* oracle: NaN when it is not known */
    char *text[RESULTS_TEXTS];                           /* "" when there is none; all have parameters and checksum */
    long long number[RESULTS_NUMBERS];
    char *facts;                                         /* "key = value" lines: parameters, then all else that the numbers
                                                          * depend on, and the dimensions but for the trials */
};

/* STATUS_INPUT when it is no results file, or one whose sizes cannot be true. */
int results_input_open(struct results_input *f, const char *path);
void results_input_close(struct results_input *f); /* accepts a zeroed struct */

/* Is it of the same job, space and program as the file with these facts and this name? Keys in free_to (parameters.h) may
 * differ. STATUS_INPUT names the first that does, and the remedy. */
int results_input_belongs(const struct results_input *f, const char *facts, const char *path, const char *const *free_to,
                          const char *remedy);

/* Leave the companions NAME.timing.nc of other files out of the list, as `part-*.nc` names them, too: how many files stay. */
int results_leave_companions(char **path, int paths);

/* The companion's name; `name` has room for strlen(path) + RESULTS_COMPANION_MORE bytes. */
enum { RESULTS_COMPANION_MORE = 16 };
void results_companion(char *name, const char *path);

#endif
