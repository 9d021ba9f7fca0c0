#include "results_merge_internal.h"

#include "file.h"
#include "lock.h"
#include "log.h"
#include "memory.h"
#include "results_copy.h"
#include "results_verify.h"
#include "status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const results_part_keys[] = {"space.file", RESULTS_TRIALS, RESULTS_FIRST_TRIAL, NULL};

/* -- which trials -------------------------------------------------------------------------------------------- */

static int by_first_trial(const void *a, const void *b)
{
    const struct results_part *x = a, *y = b;
    return x->first_trial < y->first_trial ? -1 : x->first_trial > y->first_trial;
}

/* "trial 3" or "trials 3 to 5" */
enum { TRIALS_MAX = 64 };
static void name_trials(char text[TRIALS_MAX], int64_t first, int64_t last)
{
    if (first == last) snprintf(text, TRIALS_MAX, "trial %" PRId64, first);
    else snprintf(text, TRIALS_MAX, "trials %" PRId64 " to %" PRId64, first, last);
}

int results_order_parts(struct results_part *part, int parts)
{
    enum { JOB_TRIALS = 1000000 }; /* the bound of experiment.trials */
    char trials[TRIALS_MAX];
    int64_t all = 0;
    qsort(part, (size_t)parts, sizeof *part, by_first_trial);
    for (int i = 0; i < parts; i++) {
        const struct results_part *a = &part[i], *b = a + 1;
        const int64_t next = (int64_t)a->first_trial + a->trials;
        all += a->trials;
        if (i + 1 == parts || b->first_trial == next) continue;
        if (b->first_trial > next) {
            name_trials(trials, next, b->first_trial - 1);
            return status_fail(STATUS_INPUT, "no file has %s, between %s and %s; run the job with -P " RESULTS_FIRST_TRIAL
                               "=%" PRId64 " -P " RESULTS_TRIALS "=%" PRId64 " and merge its results, too", trials, a->path,
                               b->path, next, b->first_trial - next);
        }
        const int64_t other_next = (int64_t)b->first_trial + b->trials;
        name_trials(trials, b->first_trial, (other_next < next ? other_next : next) - 1);
        return status_fail(STATUS_INPUT, "%s and %s both have %s; each trial must be in one file only", a->path, b->path, trials);
    }
    if (all <= JOB_TRIALS) return STATUS_OK;
    return status_fail(STATUS_INPUT, "these files have %" PRId64 " trials together, but one job has at most %d; merge fewer of "
                       "them", all, JOB_TRIALS);
}

/* -- the parts ----------------------------------------------------------------------------------------------- */

static int check_names(const struct merge *m, const char *output)
{
    const size_t length = strlen(output);
    if (length < 4 || strcmp(output + length - 3, ".nc") != 0)
        return status_fail(STATUS_INPUT, "-o %s: the name of a results file ends in .nc", output);
    for (int i = 0; i < m->paths; i++) {
        TRY(file_check_distinct(output, m->path[i]));
        for (int k = 0; k < i; k++)
            if (file_same(m->path[i], m->path[k]))
                return status_fail(STATUS_INPUT, "%s: given twice%s%s; name each file once", m->path[i],
                                   strcmp(m->path[i], m->path[k]) == 0 ? "" : ", also as ",
                                   strcmp(m->path[i], m->path[k]) == 0 ? "" : m->path[k]);
    }
    return STATUS_OK;
}

/* Say how far the job of an unfinished file has come; `part` is where its results are. */
static int check_complete(struct merge *m, const struct results_input *f, const char *path, const char *part)
{
    const int64_t units = (int64_t)f->datasets * f->methods * f->budgets * f->trials;
    int64_t complete;
    TRY(results_count_complete(&complete, f->in.file, f->variable[RESULT_COMPLETE], part, m->block));
    if (complete == units && path == part) return STATUS_OK;
    return status_fail(STATUS_INPUT, "%s: unfinished, %" PRId64 " of %" PRId64 " trials are complete%s%s; run its job again "
                       "first", path, complete, units, path == part ? "" : " in ", path == part ? "" : part);
}

/* NAME.nc is missing, but there is a NAME.nc.part? */
static int check_missing(struct merge *m, const char *path)
{
    struct results_input f;
    const char *const name[] = {path, ".part"};
    char *part;
    if (access(path, F_OK) == 0) return STATUS_OK;
    TRY(memory_join(&part, name, 2, ""));
    int status = STATUS_OK;
    if (access(part, F_OK) == 0) status = results_input_open(&f, part);
    else status = status_fail(STATUS_INPUT, "%s: there is no such file", path);
    if (status == STATUS_OK) {
        status = check_complete(m, &f, path, part);
        results_input_close(&f);
    }
    free(part);
    return status;
}

static int check_part(struct merge *m, struct results_input *f, const struct results_input *first)
{
    TRY(results_input_belongs(f, first->facts, first->in.path, results_part_keys, "merge results of one job only"));
    if (strcmp(f->text[RESULTS_LIBRARIES], first->text[RESULTS_LIBRARIES]) != 0)
        log_warning("%s was made with %s, but %s with %s", f->in.path, f->text[RESULTS_LIBRARIES], first->in.path,
                    first->text[RESULTS_LIBRARIES]);
    TRY(check_complete(m, f, f->in.path, f->in.path));
    return results_verify_all(&f->in);
}

/* Open, check and close each file; the first is what the others are compared with. */
static int check_parts(struct merge *m)
{
    struct results_input first = {0}, f = {0};
    int status = STATUS_OK;
    for (int i = 0; i < m->paths && status == STATUS_OK; i++) {
        TRY_DONE(check_missing(m, m->path[i]));
        TRY_DONE(results_input_open(&f, m->path[i]));
        m->part[i] = (struct results_part){m->path[i], f.first_trial, f.trials};
        if (i == 0) first = f, f = (struct results_input){0};
        status = check_part(m, i == 0 ? &first : &f, &first);
        results_input_close(&f);
    }
done:
    results_input_close(&first);
    results_input_close(&f);
    return status;
}

/* -- the whole ----------------------------------------------------------------------------------------------- */

/* Only the same results may lie under the output's name: they are replaced. */
static int check_output(struct merge *m, double wait)
{
    bool there;
    char folder[PATH_MAX];
    TRY(results_paths(&m->target, &m->job));
    snprintf(m->draft, sizeof m->draft, "%.*s.merge", PATH_MAX - 16, m->target.final);
    snprintf(m->timing_draft, sizeof m->timing_draft, "%.*s.merge", PATH_MAX - 16, m->target.timing);
    file_folder(folder, m->target.final);
    if (access(folder, W_OK) != 0)
        return status_fail(STATUS_FAILURE, "%s: cannot write results into this folder: %s", folder, strerror(errno));
    TRY(lock_take(&m->lock, m->target.final, wait)); /* neither a run nor another merge writes there */
    TRY(results_match_final(&there, m->target.final, &m->plan));
    if (access(m->target.part, F_OK) == 0)
        return status_fail(STATUS_INPUT, "%s: unfinished results lie here; let their job end, name another file with -o, or "
                           "remove this one", m->target.part);
    return results_reserve(m->draft, folder, results_bytes(&m->plan) + results_timing_bytes(&m->plan));
}

static int publish(struct merge *m, const char *command)
{
    bool timing = false;
    TRY(merge_write(m));
    int status = merge_write_timing(&timing, m, command);
    if (status == STATUS_OK && timing) status = results_publish(m->timing_draft, m->target.timing);
    if (status == STATUS_OK) status = results_publish(m->draft, m->target.final);
    if (status == STATUS_OK) return status;
    unlink(m->draft);
    if (timing) unlink(m->timing_draft);
    return status;
}

int results_merge(const char *output, const char *const *path, int paths, double wait, const char *command)
{
    struct merge m = {.path = path, .paths = paths, .base.in.file = -1};
    int status;
    TRY_DONE(check_names(&m, output));
    TRY_DONE(memory_alloc(&m.part, (size_t)paths, sizeof *m.part));
    TRY_DONE(memory_alloc(&m.block, RESULTS_BLOCK, 1));
    TRY_DONE(check_parts(&m));
    TRY_DONE(results_order_parts(m.part, paths));
    TRY_DONE(merge_plan(&m, output));
    TRY_DONE(check_output(&m, wait));
    TRY_DONE(publish(&m, command));
    log_info("%s: trials %d to %d, %" PRId64 " in all, of %d files", output, m.job.first_trial,
             m.job.first_trial + (m.job.trials - 1), m.grid.units, paths);
done:
    merge_release(&m);
    return status;
}
