#include "results_internal.h"

#include "memory.h"
#include "status.h"
#include "version.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void results_source(char source[RESULTS_SOURCE_MAX])
{
    snprintf(source, RESULTS_SOURCE_MAX, "siamese-nas %s (revision %s)", version_number, version_revision);
}

void results_measurer(char text[RESULTS_MEASURER_MAX], const struct results_plan *p)
{
    text[0] = '\0';
    if (p->measurer != 0) snprintf(text, RESULTS_MEASURER_MAX, "%016" PRIx64, p->measurer);
}

static int put_text(int file, const char *name, const char *text)
{
    return nc_put_att_text(file, NC_GLOBAL, name, strlen(text), text);
}

static int put_int64(int file, const char *name, int64_t value)
{
    const long long wide = value;
    return nc_put_att_longlong(file, NC_GLOBAL, name, NC_INT64, 1, &wide);
}

static bool sets(const char *line, const char *key)
{
    size_t length = strlen(key);
    return strncmp(line, key, length) == 0 && strchr(" \t=:", line[length]) != NULL;
}

static bool leaves_out(const char *line, bool in_output)
{
    static const char *const key[] = {"ranks_per_trial", "ranks_per_candidate", "ledger", "trials", "first_trial"};
    for (size_t i = 0; i < sizeof key / sizeof *key; i++)
        if (sets(line, key[i])) return true;
    return in_output && sets(line, "file");
}

/* The job file without the values that change no result, numbers of ranks, the ledger and [output] file: they would make
 * files of the same results differ. Nor with its range of trials, since parts of a job differ in it; job_parameters has it. */
static int put_job_file(int file, const char *text)
{
    char *copy;
    if (memory_alloc(&copy, strlen(text) + 1, 1) != STATUS_OK) return NC_ENOMEM;
    char *to = copy;
    bool in_output = false;
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        length += text[length] == '\n';
        const char *line = text + strspn(text, " \t");
        if (*line == '[') in_output = strncmp(line, "[output]", strlen("[output]")) == 0;
        if (!leaves_out(line, in_output)) {
            memcpy(to, text, length);
            to += length;
        }
        text += length;
    }
    int code = put_text(file, "job_file", copy);
    free(copy);
    return code;
}

static int put_space(int file, const struct results_plan *p)
{
    char line[256];
    int code = put_text(file, "space_title", p->space->title == NULL ? "" : p->space->title);
    snprintf(line, sizeof line, "%016" PRIx64, p->file_checksum);
    if (code == NC_NOERR) code = put_text(file, "space_checksum", line);
    if (code == NC_NOERR) code = put_int64(file, "space_file_cells", p->file_cells);
    if (code == NC_NOERR) code = put_int64(file, "space_cells", p->space->cells);
    if (code == NC_NOERR) code = put_int64(file, "space_cells_filtered", p->filtered);
    if (code == NC_NOERR) code = put_int64(file, "space_cells_dropped", p->missing);
    snprintf(line, sizeof line, "%" PRId64 " cells without a known label, accuracy or Estimation Code", p->missing);
    if (code == NC_NOERR && p->missing > 0) code = put_text(file, "space_cells_dropped_reason", line);
    return code;
}

int results_provenance(int file, const struct results_plan *p, const char *title)
{
    char source[RESULTS_SOURCE_MAX], libraries[256];
    results_source(source);
    snprintf(libraries, sizeof libraries, "%s, NetCDF %s", version_mpi(), version_netcdf());
    const struct results_origin here = {.source = source, .compiler = version_compiler, .libraries = libraries};
    const struct results_origin *origin = p->origin != NULL ? p->origin : &here;
    const char *const text[][2] = {
        {"Conventions", "CF-1.10"},
        {"title", title},
        {"source", origin->source},
        {"references", "Zhang, Hsieh, Lee, Fan: Siamese-NAS: Using Trained Samples Efficiently to Find Lightweight Neural "
                       "Architecture by Prior Knowledge, arXiv:2210.00546, 2022"},
        {"compiler", origin->compiler},
        {"libraries", origin->libraries},
        {"job_parameters", p->job->parameters},
    };
    int code = NC_NOERR;
    for (size_t i = 0; i < sizeof text / sizeof *text && code == NC_NOERR; i++) code = put_text(file, text[i][0], text[i][1]);
    if (code == NC_NOERR) code = put_job_file(file, p->job->text);
    if (code == NC_NOERR) code = put_space(file, p);
    if (code == NC_NOERR && p->measurer != 0) {
        char line[RESULTS_MEASURER_MAX];
        results_measurer(line, p);
        code = put_text(file, "measurer_fingerprint", line);
    }
    return code;
}
