#include "results_internal.h"

#include "checksum.h"
#include "file.h"
#include "lock.h"
#include "memory.h"
#include "status.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netcdf_par.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { IO_ROOM = 32 << 20 }; /* bytes that MPI-IO takes for its files */

struct results {
    const struct results_plan *plan;
    struct results_paths path;
    struct lock *lock;         /* on rank 0 */
    MPI_Comm leaders;          /* borrowed from the group; MPI_COMM_NULL on ranks that do not write */
    int file, timing;          /* -1: not open */
    int variable[RESULT_VARIABLES], seconds;
    double *value;             /* [max(pool, query)] on their way to the file */
};

/* -- before the work: rank 0 alone --------------------------------------------------------------------------- */

/* The folder of `path`, which can be written into; its last part is created when it is missing. */
static int prepare_folder(char folder[PATH_MAX], const char *path)
{
    file_folder(folder, path);
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
    if (access(path->final, F_OK) == 0) { /* nothing to wait for */
        lock_clear(path->final);
        return results_inspect(state, finished, p);
    }
    TRY(prepare_folder(folder, path->final));
    TRY(lock_take(&r->lock, path->final, wait));
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
    int code = NC_NOERR;
    TRY(memory_alloc(&r->value, (size_t)results_query(j), sizeof *r->value)); /* the longest */
    for (int i = 0; i < RESULT_VARIABLES && code == NC_NOERR; i++)
        code = nc_inq_varid(r->file, results_name[i], &r->variable[i]);
    if (code == NC_NOERR) code = nc_inq_varid(r->timing, "seconds", &r->seconds);
    return results_check(code, r->path.part, "open");
}

/* On a leader: what must be so before all leaders open the files together, since one that fails there alone keeps the others waiting.
 * They share the folder, and MPI-IO has the memory that it takes. */
static int check_ground(const struct results *r, const char *owner)
{
    if (r->lock == NULL) TRY(lock_find(r->path.final, owner));
    return memory_require(IO_ROOM, "parallel NetCDF");
}

/* -- collective over the leaders ----------------------------------------------------------------------------- */

static int open_file(int *file, const char *path, MPI_Comm leaders)
{
    int code = nc_open_par(path, NC_WRITE, leaders, MPI_INFO_NULL, file), status = STATUS_OK;
    if (code != NC_NOERR) {
        *file = -1;
        status = status_fail(STATUS_FAILURE, "%s: cannot open the file: %s; is it the same one on all nodes?", path, nc_strerror(code));
    }
    return status_agree_or_abort(leaders, status);
}

static int open_files(struct results *r)
{
    TRY(open_file(&r->file, r->path.part, r->leaders));
    TRY(open_file(&r->timing, r->path.timing_part, r->leaders));
    return open_variables(r);
}

static int close_file(int *file, const char *path, MPI_Comm leaders)
{
    if (*file < 0) return STATUS_OK;
    const int code = nc_close(*file);
    *file = -1;
    return status_agree_or_abort(leaders, results_check(code, path, "close"));
}

static int close_files(struct results *r)
{
    const int status = close_file(&r->file, r->path.part, r->leaders);
    const int timing = close_file(&r->timing, r->path.timing_part, r->leaders);
    return status != STATUS_OK ? status : timing;
}

/* -- collective over all ranks ------------------------------------------------------------------------------- */

static int open_checked(struct results *r, MPI_Comm comm)
{
    const bool leads = r->leaders != MPI_COMM_NULL;
    char owner[LOCK_OWNER_MAX] = "";
    if (r->lock != NULL) lock_owner(owner, r->lock);
    MPI_Bcast(owner, sizeof owner, MPI_CHAR, 0, comm);
    TRY(status_agree(comm, leads ? check_ground(r, owner) : STATUS_OK));
    return status_agree(comm, leads ? open_files(r) : STATUS_OK);
}

static void release(struct results **r)
{
    lock_release(&(*r)->lock);
    free((*r)->value);
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
        status = open_checked(r, comm);
        if (status == STATUS_OK) *out = r;
        else close_files(r);
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

static size_t take_percent(double *to, const double *share, size_t count)
{
    for (size_t i = 0; i < count; i++) to[i] = 100 * share[i];
    return count;
}

static size_t take_cells(double *to, const struct results *r, const int64_t *cell, size_t count, size_t room)
{
    for (size_t i = 0; i < room; i++) to[i] = i < count ? (double)r->plan->space->id[cell[i]] : -1;
    return room;
}

enum purchase { PURCHASE_CELL, PURCHASE_ACCURACY, PURCHASE_LABEL, PURCHASE_COST };

static size_t take_queries(double *to, const struct results *r, enum purchase what, const struct trial_result *t)
{
    const size_t room = (size_t)results_query(r->plan->job);
    for (size_t i = 0; i < room; i++) {
        const struct candidate_purchase *q = i < (size_t)t->queries ? &t->query[i] : NULL;
        to[i] = q == NULL ? (what == PURCHASE_CELL ? -1 : NAN)
                : what == PURCHASE_CELL     ? (double)r->plan->space->id[q->cell]
                : what == PURCHASE_ACCURACY ? 100 * q->accuracy
                : what == PURCHASE_LABEL    ? 100 * q->label
                                            : q->total;
    }
    return room;
}

static size_t take_scores(double *to, const float *score, size_t count, size_t room)
{
    for (size_t i = 0; i < room; i++) to[i] = i < count ? (double)score[i] : NAN;
    return room;
}

static size_t take_number(double *to, double value)
{
    *to = value;
    return 1;
}

/* The numbers of a variable in a trial's record, as the file will hold them; how many. */
static size_t take_values(double *to, const struct results *r, enum results_variable v, const struct trial_result *t)
{
    const size_t k_max = (size_t)t->k_max;
    const int64_t codes = t->training_cost.codes + t->codes_evaluate;
    const size_t pool = (size_t)results_pool(r->plan->job);
    switch (v) {
    case RESULT_BEST: return take_percent(to, t->best, k_max);
    case RESULT_CHOSEN_ACCURACY: return take_percent(to, t->chosen_accuracy, k_max);
    case RESULT_CHOSEN: return take_cells(to, r, t->chosen, k_max, k_max);
    case RESULT_POOL: return take_cells(to, r, t->pool, (size_t)t->pool_size, pool);
    case RESULT_POOL_SCORE: return take_scores(to, t->pool_score, (size_t)t->pool_size, pool);
    case RESULT_CHOSEN_SCORE:
        for (size_t i = 0; i < k_max; i++) to[i] = (double)(float)t->score[i];
        return k_max;
    case RESULT_CHOSEN_PLACE:
        for (size_t i = 0; i < k_max; i++) to[i] = t->place[i];
        return k_max;
    case RESULT_TRAININGS:
        for (size_t i = 0; i < k_max; i++) to[i] = (double)t->trainings[i];
        return k_max;
    case RESULT_COST:
        for (size_t i = 0; i < k_max; i++) to[i] = candidate_total((struct candidate_cost){t->trainings[i], codes});
        return k_max;
    case RESULT_POOL_SIZE: return take_number(to, t->pool_size);
    case RESULT_CODES: return take_number(to, (double)codes);
    case RESULT_RHO: return take_number(to, t->rho);
    case RESULT_TAU: return take_number(to, t->tau);
    case RESULT_TAU_TOP: return take_number(to, t->tau_top);
    case RESULT_QUERY: return take_queries(to, r, PURCHASE_CELL, t);
    case RESULT_QUERY_ACCURACY: return take_queries(to, r, PURCHASE_ACCURACY, t);
    case RESULT_QUERY_LABEL: return take_queries(to, r, PURCHASE_LABEL, t);
    case RESULT_QUERY_COST: return take_queries(to, r, PURCHASE_COST, t);
    case RESULT_QUERIES: return take_number(to, (double)t->queries);
    default: return 0;
    }
}

/* All numbers, and their checksum: a node may die before it is on the disk that they are complete, or before they are. */
static int put_record(const struct results *r, int64_t unit, const struct trial_result *t)
{
    uint64_t sum = CHECKSUM_BEGIN;
    for (int v = 0; v < RESULT_CHECKSUM; v++) {
        const size_t count = take_values(r->value, r, (enum results_variable)v, t);
        const struct record at = record_of(r, unit, count);
        int code = nc_put_vara_double(r->file, r->variable[v], at.start, at.count, r->value);
        if (code != NC_NOERR) return code;
        results_add_numbers(&sum, r->value, count);
    }
    const long long number = (long long)sum;
    return nc_put_var1_longlong(r->file, r->variable[RESULT_CHECKSUM], record_of(r, unit, 1).start, &number);
}

int results_write(struct results *r, int64_t unit, const struct trial_result *t)
{
    assert(t->k_max == r->plan->job->settings.k_max && t->pool_size <= results_pool(r->plan->job));
    assert(t->queries <= results_query(r->plan->job));
    const double begin = timer_now();
    const struct record phase = record_of(r, unit, TIMER_PHASES);
    const signed char complete = 1;
    int code = put_record(r, unit, t);
    TRY(results_check(code, r->path.part, "write"));

    struct timer timer = t->timer;
    timer.seconds[TIMER_WRITE] += timer_now() - begin;
    code = nc_put_vara_double(r->timing, r->seconds, phase.start, phase.count, timer.seconds);
    TRY(results_check(code, r->path.timing_part, "write"));
    code = nc_put_var1_schar(r->file, r->variable[RESULT_COMPLETE], phase.start, &complete);
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
    if (status == STATUS_OK || status == STATUS_STOPPED) { /* what is complete must be in the file, too */
        closed = status_agree(comm, closed);
        if (closed != STATUS_OK) status = closed;
    }
    if (status == STATUS_OK) {
        if (rank == 0) status = publish(*r, run, ranks);
        status = status_agree(comm, status);
    }
    release(r);
    return status;
}
