#include "results_merge_internal.h"

#include "lock.h"
#include "log.h"
#include "memory.h"
#include "results_copy.h"
#include "status.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -- the results --------------------------------------------------------------------------------------------- */

/* Once more as it was checked. */
static int open_again(struct results_input *f, const struct merge *m, const struct results_part *part)
{
    TRY(results_input_open(f, part->path));
    int status = results_input_belongs(f, m->base.facts, m->base.in.path, results_part_keys, "it was changed while it was merged");
    if (status == STATUS_OK && (f->first_trial != part->first_trial || f->trials != part->trials))
        status = status_fail(STATUS_INPUT, "%s: it was changed while it was merged", part->path);
    if (status != STATUS_OK) results_input_close(f);
    return status;
}

static int copy_part(const struct merge *m, const struct results_part *part, int to)
{
    struct results_input f;
    TRY(open_again(&f, m, part));
    const struct results_copy copy = {.from = f.in.file, .to = to, .from_path = part->path, .to_path = m->draft,
                                      .block = m->block, .place = (size_t)(part->first_trial - m->base.first_trial)};
    int status = STATUS_OK;
    for (int v = 0; v < RESULT_VARIABLES && status == STATUS_OK; v++) status = results_copy_variable(&copy, results_name[v]);
    results_input_close(&f);
    return status;
}

int merge_write(struct merge *m)
{
    int to;
    TRY(results_define(m->draft, &m->plan));
    int status = results_check(nc_open(m->draft, NC_WRITE, &to), m->draft, "open");
    if (status == STATUS_OK) {
        for (int i = 0; i < m->paths && status == STATUS_OK; i++) {
            status = copy_part(m, &m->part[i], to);
            lock_touch(m->lock);
        }
        int code = nc_close(to);
        if (status == STATUS_OK) status = results_check(code, m->draft, "close");
    }
    if (status != STATUS_OK) unlink(m->draft);
    return status;
}

/* -- the companion ------------------------------------------------------------------------------------------- */

/* What the companions say of their runs, and the lines of their history as long as there is room: an attribute ends at 64 kB. */
struct runs {
    struct results_history all; /* the sum of the seconds, the largest of the rest */
    FILE *lines;
    size_t length;
};
enum { HISTORY_LONGEST = 32768 };

static double number_of(const struct netcdf_input *in, const char *name)
{
    size_t count;
    double value;
    if (nc_inq_attlen(in->file, NC_GLOBAL, name, &count) != NC_NOERR || count != 1 ||
        nc_get_att_double(in->file, NC_GLOBAL, name, &value) != NC_NOERR || !(value >= 0 && value <= (double)(INT64_MAX / 2)))
        return 0;
    return value;
}

static int larger(int a, double b)
{
    return b > a && b <= INT_MAX ? (int)b : a;
}

static int add_run(struct runs *r, struct netcdf_input *in)
{
    char *line;
    const int64_t peak = (int64_t)number_of(in, "peak_memory_bytes");
    r->all.elapsed += number_of(in, "elapsed_seconds");
    r->all.ranks = larger(r->all.ranks, number_of(in, "ranks"));
    r->all.ranks_per_trial = larger(r->all.ranks_per_trial, number_of(in, "ranks_per_trial"));
    if (peak > r->all.peak) r->all.peak = peak;
    TRY(netcdf_input_attribute(&line, in, NC_GLOBAL, "history"));
    if (line != NULL && fflush(r->lines) == 0 && r->length + strlen(line) < HISTORY_LONGEST) fprintf(r->lines, "\n%s", line);
    free(line);
    return STATUS_OK;
}

/* Is it of the part's results, or does its name only say so? */
static int check_companion(const struct merge *m, const struct results_part *part, struct netcdf_input *in)
{
    static const char *const place[] = {"space.file", NULL};
    char *expected = NULL, *parameters = NULL, *checksum = NULL, difference[DIFFERENCE_MAX];
    int status;
    TRY_DONE(merge_parameters(&expected, m, part->first_trial, part->trials));
    TRY_DONE(netcdf_input_attribute(&parameters, in, NC_GLOBAL, "job_parameters"));
    TRY_DONE(netcdf_input_attribute(&checksum, in, NC_GLOBAL, "space_checksum"));
    if (parameters == NULL || checksum == NULL || strcmp(checksum, m->base.text[RESULTS_SPACE_CHECKSUM]) != 0 ||
        parameters_differ(difference, expected, parameters, place))
        status = status_fail(STATUS_INPUT, "%s does not belong to %s", in->path, part->path);
done:
    free(expected);
    free(parameters);
    free(checksum);
    return status;
}

static int copy_companion(struct runs *r, const struct merge *m, const struct results_part *part, int to)
{
    char *name;
    struct netcdf_input in = {.file = -1};
    int status;
    TRY(memory_alloc(&name, strlen(part->path) + RESULTS_COMPANION_MORE, 1));
    results_companion(name, part->path);
    if (access(name, F_OK) != 0) {
        status = status_fail(STATUS_INPUT, "%s is missing", name);
        goto done;
    }
    TRY_DONE(netcdf_input_open(&in, name));
    TRY_DONE(check_companion(m, part, &in));
    TRY_DONE(add_run(r, &in));
    const struct results_copy copy = {.from = in.file, .to = to, .from_path = name, .to_path = m->timing_draft,
                                      .block = m->block, .place = (size_t)(part->first_trial - m->base.first_trial)};
    status = results_copy_variable(&copy, "seconds");
done:
    netcdf_input_close(&in);
    free(name);
    return status;
}

static int copy_companions(struct runs *r, const struct merge *m)
{
    int to;
    TRY(results_define_timing(m->timing_draft, &m->plan));
    TRY(results_check(nc_open(m->timing_draft, NC_WRITE, &to), m->timing_draft, "open"));
    int status = STATUS_OK;
    for (int i = 0; i < m->paths && status == STATUS_OK; i++) status = copy_companion(r, m, &m->part[i], to);
    int code = nc_close(to);
    return status != STATUS_OK ? status : results_check(code, m->timing_draft, "close");
}

static int write_timing(struct merge *m, const char *command)
{
    struct runs r = {.all.ranks = 1, .all.ranks_per_trial = 1};
    char line[RESULTS_HISTORY_MAX], *text = NULL;
    r.lines = open_memstream(&text, &r.length);
    if (r.lines == NULL) return status_fail(STATUS_FAILURE, "out of memory");
    results_history(line, command);
    fputs(line, r.lines);
    int status = copy_companions(&r, m);
    if (fclose(r.lines) != 0 && status == STATUS_OK) status = status_fail(STATUS_FAILURE, "out of memory");
    r.all.text = text;
    if (status == STATUS_OK) status = results_put_history(m->timing_draft, &r.all);
    free(text);
    return status;
}

int merge_write_timing(bool *written, struct merge *m, const char *command)
{
    int status = write_timing(m, command);
    *written = status == STATUS_OK;
    if (*written) return status;
    unlink(m->timing_draft);
    if (status != STATUS_INPUT) return status;
    log_info("%s is left out: %s", m->target.timing, status_message());
    status_clear();
    return STATUS_OK;
}
