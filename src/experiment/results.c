#include "results_internal.h"

#include "lock.h"
#include "memory.h"
#include "status.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netcdf_par.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct results {
    const struct results_plan *plan;
    struct results_paths path;
    struct lock *lock;         /* on rank 0 */
    MPI_Comm leaders;          /* borrowed from the group; MPI_COMM_NULL on ranks that do not write */
    int file, timing;          /* -1: not open */
    int variable[RESULT_VARIABLES], seconds;
    long long *cell;           /* [max(k_max, pool)] ids on their way to the file */
    double *percent, *cost;    /* [k_max] */
};

/* -- before the work: rank 0 alone --------------------------------------------------------------------------- */

/* The folder of `path`, which can be written into; its last part is created when it is missing. */
static int prepare_folder(char folder[PATH_MAX], const char *path)
{
    results_folder(folder, path);
    if (access(folder, F_OK) != 0 && mkdir(folder, 0777) != 0)
        return status_fail(STATUS_FAILURE, "%s: cannot create this folder for the results: %s", folder, strerror(errno));
    if (access(folder, W_OK) != 0)
        return status_fail(STATUS_FAILURE, "%s: cannot write results into this folder: %s", folder, strerror(errno));
    return STATUS_OK;
}

static int reserve(const struct results_plan *p, const struct results_paths *path, const char *folder)
{
    char draft[PATH_MAX + 8];
    const int64_t needed = results_bytes(p) + results_timing_bytes(p);
    snprintf(draft, sizeof draft, "%s.new", path->part);
    return results_reserve(draft, folder, needed);
}

/* A timing file that was published just before a kill goes on as part; anything else begins anew. */
static int prepare_timing(const struct results_paths *path, const struct results_plan *p, enum results_state state)
{
    char difference[DIFFERENCE_MAX];
    enum results_match match = MATCH_ABSENT;
    if (state == RESULTS_PART) {
        TRY(results_match(&match, difference, path->timing_part, p));
        if (match == MATCH_ABSENT) {
            TRY(results_match(&match, difference, path->timing, p));
            if (match == MATCH_SAME && rename(path->timing, path->timing_part) != 0) match = MATCH_ABSENT;
        }
    }
    return match == MATCH_SAME ? STATUS_OK : results_define_timing(path->timing_part, p);
}

/* Another run may have written until this one had the lock: what counts is what is there then. */
static int prepare(enum results_state *state, bool *finished, struct results *r, double wait)
{
    const struct results_plan *p = r->plan;
    const struct results_paths *path = &r->path;
    char folder[PATH_MAX];
    TRY(results_inspect(state, finished, p));
    if (*state == RESULTS_COMPLETE) return STATUS_OK;
    TRY(prepare_folder(folder, path->final));
    TRY(lock_take(&r->lock, path->final, wait));
    memset(finished, 0, (size_t)p->grid->units * sizeof *finished);
    TRY(results_inspect(state, finished, p));
    if (*state == RESULTS_COMPLETE) return STATUS_OK;
    if (*state == RESULTS_NEW) TRY(reserve(p, path, folder));
    TRY(prepare_timing(path, p, *state));
    return *state == RESULTS_NEW ? results_define(path->part, p) : STATUS_OK;
}

/* -- opening ------------------------------------------------------------------------------------------------- */

static int open_variables(struct results *r)
{
    const struct job *j = r->plan->job;
    int code = NC_NOERR, pool = results_pool(j), longest = j->settings.k_max > pool ? j->settings.k_max : pool;
    TRY(memory_alloc(&r->cell, (size_t)longest, sizeof *r->cell));
    TRY(memory_alloc(&r->percent, (size_t)j->settings.k_max, sizeof *r->percent));
    TRY(memory_alloc(&r->cost, (size_t)j->settings.k_max, sizeof *r->cost));
    for (int i = 0; i < RESULT_VARIABLES && code == NC_NOERR; i++)
        code = nc_inq_varid(r->file, results_name[i], &r->variable[i]);
    if (code == NC_NOERR) code = nc_inq_varid(r->timing, "seconds", &r->seconds);
    return results_check(code, r->path.part, "open");
}

/* Every leader makes the same calls, also after a failure of one: they are collective. */
static int open_files(struct results *r)
{
    int code = nc_open_par(r->path.part, NC_WRITE, r->leaders, MPI_INFO_NULL, &r->file);
    int timing_code = nc_open_par(r->path.timing_part, NC_WRITE, r->leaders, MPI_INFO_NULL, &r->timing);
    if (code != NC_NOERR) r->file = -1;
    if (timing_code != NC_NOERR) r->timing = -1;
    TRY(results_check(code, r->path.part, "open"));
    TRY(results_check(timing_code, r->path.timing_part, "open"));
    return open_variables(r);
}

static int close_files(struct results *r)
{
    int code = r->file < 0 ? NC_NOERR : nc_close(r->file);
    int timing_code = r->timing < 0 ? NC_NOERR : nc_close(r->timing);
    r->file = r->timing = -1;
    TRY(results_check(code, r->path.part, "close"));
    return results_check(timing_code, r->path.timing_part, "close");
}

static void release(struct results **r)
{
    lock_release(&(*r)->lock);
    free((*r)->cell);
    free((*r)->percent);
    free((*r)->cost);
    free(*r);
    *r = NULL;
}

int results_open(struct results **out, enum results_state *state, bool *finished, const struct results_plan *p,
                 const struct group *g, double wait, MPI_Comm comm)
{
    int rank, status;
    MPI_Comm_rank(comm, &rank);
    *out = NULL;
    *state = RESULTS_NEW;
    struct results *r;
    TRY(status_agree(comm, memory_alloc(&r, 1, sizeof *r)));
    *r = (struct results){.plan = p, .leaders = g->leaders, .file = -1, .timing = -1};
    status = results_paths(&r->path, p->job);
    if (status == STATUS_OK && rank == 0) status = prepare(state, finished, r, wait);
    group_wait(comm); /* perhaps for long */
    status = status_agree(comm, status);
    MPI_Bcast(state, sizeof *state, MPI_BYTE, 0, comm);
    MPI_Bcast(finished, (int)p->grid->units, MPI_C_BOOL, 0, comm);
    if (status == STATUS_OK && *state != RESULTS_COMPLETE) {
        if (r->leaders != MPI_COMM_NULL) status = open_files(r);
        status = status_agree(comm, status);
        if (status != STATUS_OK) close_files(r);
        else *out = r;
    }
    if (*out == NULL) release(&r);
    return status;
}

void results_touch(const struct results *r)
{
    if (r != NULL) lock_touch(r->lock);
}

/* -- a unit -------------------------------------------------------------------------------------------------- */

/* Where a unit's record lies; the last number is its length along k, pool or phase. */
struct record {
    size_t start[5], count[5];
};

static struct record record_of(const struct results *r, int64_t id, size_t length)
{
    struct unit u = grid_unit(r->plan->grid, id);
    return (struct record){
        {(size_t)u.dataset, (size_t)u.method, (size_t)u.budget, (size_t)u.realization, 0}, {1, 1, 1, 1, length}};
}

static int put_percent(const struct results *r, enum results_variable v, const struct record *at, const double *share)
{
    for (int i = 0; i < r->plan->job->settings.k_max; i++) r->percent[i] = 100 * share[i];
    return nc_put_vara_double(r->file, r->variable[v], at->start, at->count, r->percent);
}

static int put_cells(const struct results *r, enum results_variable v, const struct record *at, const int64_t *cell)
{
    for (size_t i = 0; i < at->count[4]; i++) r->cell[i] = r->plan->space->id[cell[i]];
    return nc_put_vara_longlong(r->file, r->variable[v], at->start, at->count, r->cell);
}

static int put_curves(const struct results *r, const struct record *at, const struct trial_result *t, int64_t codes)
{
    for (int i = 0; i < t->k_max; i++) {
        r->cell[i] = t->trainings[i];
        r->cost[i] = (double)t->trainings[i] + CANDIDATE_CODE_COST * (double)codes;
    }
    int code = nc_put_vara_longlong(r->file, r->variable[RESULT_TRAININGS], at->start, at->count, r->cell);
    if (code == NC_NOERR) code = nc_put_vara_double(r->file, r->variable[RESULT_COST], at->start, at->count, r->cost);
    if (code == NC_NOERR) code = nc_put_vara_double(r->file, r->variable[RESULT_CHOSEN_SCORE], at->start, at->count, t->score);
    if (code == NC_NOERR) code = put_percent(r, RESULT_BEST, at, t->best);
    if (code == NC_NOERR) code = put_percent(r, RESULT_CHOSEN_ACCURACY, at, t->chosen_accuracy);
    if (code == NC_NOERR) code = put_cells(r, RESULT_CHOSEN, at, t->chosen);
    return code;
}

static int put_numbers(const struct results *r, const size_t *index, const struct trial_result *t, int64_t codes)
{
    const struct { enum results_variable variable; double value; } number[] = {
        {RESULT_POOL_SIZE, t->pool_size}, {RESULT_CODES, (double)codes},
        {RESULT_RHO, t->rho}, {RESULT_TAU, t->tau}, {RESULT_TAU_TOP, t->tau_top},
    };
    int code = NC_NOERR;
    for (size_t i = 0; i < sizeof number / sizeof *number && code == NC_NOERR; i++)
        code = nc_put_var1_double(r->file, r->variable[number[i].variable], index, &number[i].value);
    return code;
}

int results_write(struct results *r, int64_t unit, const struct trial_result *t)
{
    assert(t->k_max == r->plan->job->settings.k_max && t->pool_size <= results_pool(r->plan->job));
    const double begin = timer_now();
    const struct record curve = record_of(r, unit, (size_t)t->k_max), pool = record_of(r, unit, (size_t)t->pool_size),
                        phase = record_of(r, unit, TIMER_PHASES);
    const int64_t codes = t->training_cost.codes + t->codes_evaluate;
    const signed char complete = 1;
    int code = put_curves(r, &curve, t, codes);
    if (code == NC_NOERR) code = put_cells(r, RESULT_POOL, &pool, t->pool);
    if (code == NC_NOERR) code = put_numbers(r, curve.start, t, codes);
    TRY(results_check(code, r->path.part, "write"));

    struct timer timer = t->timer;
    timer.seconds[TIMER_WRITE] += timer_now() - begin;
    code = nc_put_vara_double(r->timing, r->seconds, phase.start, phase.count, timer.seconds);
    TRY(results_check(code, r->path.timing_part, "write"));
    code = nc_put_var1_schar(r->file, r->variable[RESULT_COMPLETE], curve.start, &complete);
    return results_check(code, r->path.part, "write");
}

/* -- after the work ------------------------------------------------------------------------------------------ */

static int publish(const struct results *r, const struct results_run *run, int ranks)
{
    int each = r->plan->job->ranks_per_trial;
    char line[RESULTS_HISTORY_MAX];
    results_history(line, run->command);
    const struct results_history h = {line, ranks, each < ranks ? each : ranks, run->elapsed, run->peak};
    TRY(results_put_history(r->path.timing_part, &h));
    TRY(results_publish(r->path.timing_part, r->path.timing)); /* first: the results under their name mean that all is done */
    return results_publish(r->path.part, r->path.final);
}

int results_close(struct results **r, int status, const struct results_run *run, MPI_Comm comm)
{
    if (*r == NULL) return status;
    int rank, ranks, closed = close_files(*r);
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &ranks);
    if (status == STATUS_OK) {
        status = status_agree(comm, closed);
        if (status == STATUS_OK && rank == 0) status = publish(*r, run, ranks);
        status = status_agree(comm, status);
    }
    release(r);
    return status;
}
