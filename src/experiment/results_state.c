#include "results_internal.h"

#include "guard.h"
#include "log.h"
#include "memory.h"
#include "netcdf_input.h"
#include "parameters.h"
#include "results_verify.h"
#include "status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int results_check(int code, const char *path, const char *action)
{
    if (code == NC_NOERR) return STATUS_OK;
    return status_fail(STATUS_FAILURE, "%s: cannot %s the file: %s; is the folder writable and the disk not full?", path,
                       action, nc_strerror(code));
}

int results_paths(struct results_paths *paths, const struct job *j)
{
    size_t length = strlen(j->output);
    if (length > PATH_MAX - 32) return status_fail(STATUS_INPUT, "output.file: the name of %zu bytes is too long", length);
    snprintf(paths->final, PATH_MAX, "%s", j->output);
    snprintf(paths->part, PATH_MAX, "%s.part", j->output);
    results_companion(paths->timing, j->output);
    strcpy(stpcpy(paths->timing_part, paths->timing), ".part");
    return STATUS_OK;
}

/* -- is it the same job? ------------------------------------------------------------------------------------- */

/* Where a space file lies does not matter, its checksum does. */
static const char *const place[] = {"space.file", NULL};

/* What damage there is should show here, on one rank, and not when all have opened the file. */
static int look_at_variables(struct netcdf_input *in)
{
    struct netcdf_variable v;
    int variables;
    int code = nc_inq_nvars(in->file, &variables);
    if (code != NC_NOERR) return status_fail(STATUS_INPUT, "%s: cannot be read: %s", in->path, nc_strerror(code));
    for (int i = 0; i < variables; i++) TRY(netcdf_input_describe(&v, in, i));
    return STATUS_OK;
}

int results_match(enum results_match *match, char difference[DIFFERENCE_MAX], const char *path,
                  const struct results_plan *p)
{
    struct stat facts;
    difference[0] = '\0';
    *match = MATCH_ABSENT;
    if (stat(path, &facts) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return STATUS_OK;
        return status_fail(STATUS_FAILURE, "%s: %s", path, strerror(errno));
    }
    struct netcdf_input in;
    char *parameters = NULL, *checksum = NULL, *measurer = NULL, here[32], measurer_here[RESULTS_MEASURER_MAX];
    guard_begin(path);
    int status = netcdf_input_open(&in, path);
    if (status == STATUS_OK) status = look_at_variables(&in);
    if (status == STATUS_OK) status = netcdf_input_attribute(&parameters, &in, NC_GLOBAL, "job_parameters");
    if (status == STATUS_OK) status = netcdf_input_attribute(&checksum, &in, NC_GLOBAL, "space_checksum");
    if (status == STATUS_OK) status = netcdf_input_attribute(&measurer, &in, NC_GLOBAL, "measurer_fingerprint");
    netcdf_input_close(&in);
    guard_end();
    if (status != STATUS_OK || parameters == NULL || checksum == NULL) {
        status_clear(); /* what it is instead does not matter */
        *match = MATCH_UNREADABLE;
    } else {
        snprintf(here, sizeof here, "%016" PRIx64, p->file_checksum);
        *match = MATCH_OTHER;
        if (parameters_differ(difference, parameters, p->job->parameters, place)) goto done;
        results_measurer(measurer_here, p);
        if (strcmp(checksum, here) != 0)
            snprintf(difference, DIFFERENCE_MAX, "there a space with checksum %s, here %s", checksum, here);
        else if (strcmp(measurer == NULL ? "" : measurer, measurer_here) != 0)
            snprintf(difference, DIFFERENCE_MAX, "there candidates were trained in another way (fingerprint %s) than here (%s)",
                     measurer == NULL ? "none" : measurer, measurer_here);
        else
            *match = MATCH_SAME;
    }
done:
    free(parameters);
    free(checksum);
    free(measurer);
    return STATUS_OK;
}

/* A resumed job holds units of both programs: allowed, but the promise of the same bytes is for one program. */
static void compare_program(const char *path)
{
    struct netcdf_input in;
    char *source = NULL, here[RESULTS_SOURCE_MAX];
    results_source(here);
    if (netcdf_input_open(&in, path) == STATUS_OK) netcdf_input_attribute(&source, &in, NC_GLOBAL, "source");
    netcdf_input_close(&in);
    if (source != NULL && strcmp(source, here) != 0)
        log_warning("%s was begun by %s and is continued by %s", path, source, here);
    free(source);
}

/* -- what is there already ----------------------------------------------------------------------------------- */

/* Has it the units that the job has? */
static int check_units(const struct netcdf_input *in, const struct results_plan *p)
{
    size_t length[4] = {0};
    const size_t expected[4] = {(size_t)p->grid->datasets, (size_t)p->grid->methods, (size_t)p->grid->budgets,
                                (size_t)p->grid->trials};
    int v, rank, dimension[NC_MAX_VAR_DIMS], code = nc_inq_varid(in->file, results_name[RESULT_COMPLETE], &v);
    if (code == NC_NOERR) code = nc_inq_var(in->file, v, NULL, NULL, &rank, dimension, NULL);
    for (int d = 0; d < 4 && code == NC_NOERR && rank == 4; d++) code = nc_inq_dimlen(in->file, dimension[d], &length[d]);
    if (code == NC_NOERR && memcmp(length, expected, sizeof length) != 0) code = NC_EDIMSIZE;
    if (code == NC_NOERR) return STATUS_OK;
    return status_fail(STATUS_INPUT, "%s: damaged (%s); remove it to start anew", in->path, nc_strerror(code));
}

static int read_finished(bool *finished, const char *path, const struct results_plan *p)
{
    struct netcdf_input in;
    int64_t damaged = 0;
    guard_begin(path);
    int status = netcdf_input_open(&in, path);
    if (status == STATUS_OK) status = check_units(&in, p);
    if (status == STATUS_OK) status = results_verify(&damaged, finished, &in);
    netcdf_input_close(&in);
    guard_end();
    if (status == STATUS_OK && damaged > 0)
        log_warning("%s: the records of %" PRId64 " units are not what was written: they are computed again", path, damaged);
    return status;
}

static int check_final(const char *path, const struct results_plan *p)
{
    struct netcdf_input in;
    guard_begin(path);
    int status = netcdf_input_open(&in, path);
    if (status == STATUS_OK) status = check_units(&in, p);
    if (status == STATUS_OK) status = results_verify_all(&in);
    netcdf_input_close(&in);
    guard_end();
    return status;
}

int results_match_final(bool *there, const char *path, const struct results_plan *p)
{
    static const char remedy[] = "name another file with -o, or remove this one";
    enum results_match match;
    char difference[DIFFERENCE_MAX];
    *there = false;
    TRY(results_match(&match, difference, path, p));
    if (match == MATCH_UNREADABLE)
        return status_fail(STATUS_INPUT, "%s: exists and is no results file; %s", path, remedy);
    if (match == MATCH_OTHER)
        return status_fail(STATUS_INPUT, "%s: holds the results of a different job: %s; %s", path, difference, remedy);
    *there = match == MATCH_SAME;
    return STATUS_OK;
}

int results_inspect(enum results_state *state, bool *finished, const struct results_plan *p)
{
    struct results_paths path;
    enum results_match match;
    char difference[DIFFERENCE_MAX];
    TRY(results_paths(&path, p->job));
    *state = RESULTS_NEW;
    bool complete;
    TRY(results_match_final(&complete, path.final, p));
    if (complete) {
        *state = RESULTS_COMPLETE;
        return check_final(path.final, p);
    }
    TRY(results_match(&match, difference, path.part, p));
    if (match == MATCH_OTHER)
        return status_fail(STATUS_INPUT, "%s: holds unfinished results of a different job: %s; name another file with -o, or "
                           "remove this one", path.part, difference);
    if (match == MATCH_UNREADABLE) log_warning("%s cannot be read and is begun anew", path.part);
    if (match != MATCH_SAME) return STATUS_OK; /* a part that a kill left before it was defined holds nothing */
    TRY(read_finished(finished, path.part, p));
    compare_program(path.part);
    *state = RESULTS_PART;
    return STATUS_OK;
}
