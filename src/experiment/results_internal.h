/* results_internal.h - shared by the results_*.c files only. */
#ifndef RESULTS_INTERNAL_H
#define RESULTS_INTERNAL_H

#include "parameters.h"
#include "results.h"
#include "results_input.h"

#include <limits.h>
#include <netcdf.h>

/* What a variable has behind the dimensions dataset, method, budget, realization. */
enum results_extra { RESULTS_ALONE, RESULTS_ALONG_K, RESULTS_ALONG_POOL, RESULTS_ALONG_QUERY };
enum results_extra results_extra(enum results_variable v);

struct results_paths {
    char final[PATH_MAX], part[PATH_MAX], timing[PATH_MAX], timing_part[PATH_MAX];
};
int results_paths(struct results_paths *paths, const struct job *j); /* STATUS_INPUT when the name is too long */

/* Pass a NetCDF code on as a failure that names the file. */
int results_check(int code, const char *path, const char *action);

/* An upper bound of the size of NAME.timing.nc, as results_bytes() is of NAME.nc. */
int64_t results_timing_bytes(const struct results_plan *p);

/* "siamese-nas VERSION (revision REVISION)" */
enum { RESULTS_SOURCE_MAX = 128 };
void results_source(char source[RESULTS_SOURCE_MAX]);

/* The fingerprint of whoever measured the candidates, "" when they came from a table. */
enum { RESULTS_MEASURER_MAX = 32 };
void results_measurer(char text[RESULTS_MEASURER_MAX], const struct results_plan *p);

/* All attributes of the root group that do not change from run to run. Returns a NetCDF code. */
int results_provenance(int file, const struct results_plan *p, const char *title);

/* What results_verify.h compares. Of a record: all its numbers up to RESULT_CHECKSUM, variable after variable, as doubles. Of what
 * lies along the dimensions: the variables of an open file, as 16 hexadecimal digits in an attribute. */
enum { RESULTS_CHECKSUM_MAX = 32 };
#define results_coordinates_name "coordinates_checksum"
void results_add_numbers(uint64_t *sum, const double *value, size_t count);
int results_coordinates_checksum(uint64_t *sum, struct netcdf_input *in);

/* Longest pool of the job, and the most full trainings that one of its trials pays for. */
int results_pool(const struct job *j);
int results_query(const struct job *j);

/* Write the file with all definitions and every value initialised, under a temporary name first: `path` never
 * names a file whose definition is not complete. One rank. */
int results_define(const char *path, const struct results_plan *p);
int results_define_timing(const char *path, const struct results_plan *p);

/* Make sure of `bytes` of disk space before HDF5 writes them: a write that fails inside it cannot be recovered from. The space is
 * taken for real, by a file `draft` in `folder`, which also notices quotas and file size limits, and given back at once. */
int results_reserve(const char *draft, const char *folder, int64_t bytes);

/* Bring `part` to the disk, then give it the name `final`. */
int results_publish(const char *part, const char *final);

/* What the companion says of the runs that made it. */
struct results_history {
    const char *text;
    int ranks, ranks_per_trial;
    double elapsed; /* seconds */
    int64_t peak;   /* bytes */
};
int results_put_history(const char *path, const struct results_history *h);

/* "DATE HOST: COMMAND" */
enum { RESULTS_HISTORY_MAX = 4096 };
void results_history(char line[RESULTS_HISTORY_MAX], const char *command);

/* Does the file hold results of this job? `difference` (DIFFERENCE_MAX bytes) says why not. */
enum results_match { MATCH_ABSENT, MATCH_UNREADABLE, MATCH_OTHER, MATCH_SAME };
enum { DIFFERENCE_MAX = PARAMETERS_DIFFERENCE_MAX };
int results_match(enum results_match *match, char difference[DIFFERENCE_MAX], const char *path,
                  const struct results_plan *p);

/* Look at NAME.nc, whose results are of this job when it is there; STATUS_INPUT when it is something else. */
int results_match_final(bool *there, const char *path, const struct results_plan *p);

#endif
