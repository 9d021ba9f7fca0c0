#include "experiment_internal.h"

#include "log.h"
#include "memory.h"
#include "pulse.h"
#include "status.h"
#include "stop.h"

#include <inttypes.h>
#include <stdlib.h>

/* -- units --------------------------------------------------------------------------------------------------- */

void experiment_serve(struct experiment *e)
{
    if (e->queue == NULL) return;
    queue_serve(e->queue);
    results_touch(e->results);
}

/* Between the steps of a trial, on rank 0: answer the ranks that ask for a unit, show progress. */
static void beat(void *argument)
{
    struct experiment *e = argument;
    experiment_serve(e);
    progress_show(&e->progress, queue_done(e->queue));
}

/* The next unit for the caller's group, or -1. Collective over the group. */
static int64_t next_unit(struct experiment *e)
{
    int64_t place = -1;
    int wanted = stop_wanted();
    if (e->group.size > 1) /* a signal may reach any of them */
        MPI_Reduce(e->group.rank == 0 ? MPI_IN_PLACE : &wanted, &wanted, 1, MPI_INT, MPI_MAX, 0, e->group.comm);
    if (e->queue != NULL) {
        if (wanted) queue_stop(e->queue);
        place = queue_next(e->queue);
    }
    if (e->group.size > 1) MPI_Bcast(&place, 1, MPI_INT64_T, 0, e->group.comm);
    return place < 0 ? -1 : e->order[place];
}

static int run_unit(struct experiment *e, int64_t id)
{
    const struct unit u = grid_unit(&e->grid, id);
    const struct trial_spec spec = {
        .method = e->job->method[u.method],
        .n = e->job->n[u.budget],
        .trial = (uint32_t)(e->job->first_trial + u.realization),
        .seed = e->job->seed,
    };
    struct trial_result result;
    int status = trial_run(&result, e->trial, e->candidate[u.dataset], &spec);
    if (e->group.size > 1) status = status_agree(e->group.comm, status);
    if (status != STATUS_OK || e->group.rank != 0) return status;
    double begin = timer_now();
    status = results_write(e->results, id, &result);
    result.timer.seconds[TIMER_WRITE] += timer_now() - begin;
    for (int i = 0; i < TIMER_PHASES; i++) e->timer.seconds[i] += result.timer.seconds[i];
    e->completed += status == STATUS_OK;
    return status;
}

/* A group whose unit fails, or is left because the run shall stop, stops the queue: its next request, and every other one, is
 * answered with -1. */
static int run_units(struct experiment *e, const struct pulse *pulse)
{
    int status = STATUS_OK;
    for (int64_t id; (id = next_unit(e)) >= 0;) {
        int unit_status = run_unit(e, id);
        if (unit_status == STATUS_OK) continue;
        if (e->queue != NULL) queue_stop(e->queue);
        if (status == STATUS_OK) status = unit_status;
    }
    if (e->queue != NULL) queue_finish(e->queue, pulse);
    return status;
}

/* Collective over comm. Units are finished once they are begun, or left without a trace: what is missing was not begun. */
static int check_stopped(struct experiment *e, int status)
{
    int64_t completed = e->completed;
    MPI_Allreduce(MPI_IN_PLACE, &completed, 1, MPI_INT64_T, MPI_SUM, e->comm);
    if ((status != STATUS_OK && status != STATUS_STOPPED) || completed == e->remaining) return status;
    stop_share_reason(e->comm);
    if (e->rank != 0) return STATUS_STOPPED;
    status_clear(); /* this message says more */
    return status_fail(STATUS_STOPPED, "stopped cleanly%s: %" PRId64 " of %" PRId64 " units are complete in %s.part; the same command "
                       "goes on", stop_reason(), e->grid.units - e->remaining + completed, e->grid.units, e->job->output);
}

/* -- the run ------------------------------------------------------------------------------------------------- */

static int schedule(struct experiment *e, double **work)
{
    const int64_t cells = e->space.cells;
    TRY(memory_alloc(&e->order, (size_t)e->grid.units, sizeof *e->order));
    TRY(grid_schedule(e->order, &e->remaining, &e->grid, e->job, cells, e->finished));
    if (e->rank != 0) return STATUS_OK; /* shows no progress */
    TRY(memory_alloc(work, (size_t)e->grid.units + 1, sizeof **work));
    for (int64_t i = 0; i < e->remaining; i++)
        (*work)[i + 1] = (*work)[i] + grid_work(e->job, grid_unit(&e->grid, e->order[i]), cells);
    return STATUS_OK;
}

/* Everything a rank needs before the first unit. Idle ranks need nothing. */
static int prepare_units(struct experiment *e, const struct pulse *pulse)
{
    if (e->group.idle) return STATUS_OK;
    if (e->group.leaders != MPI_COMM_NULL) TRY(queue_create(&e->queue, e->group.leaders, e->remaining));
    if (e->is_live) TRY(experiment_begin_live(e));
    return trial_create(&e->trial, &e->group, &e->space, &e->job->settings, e->job->n[e->job->budgets - 1], pulse);
}

static int compute(struct experiment *e, const struct pulse *pulse)
{
    double *work = NULL;
    int status = status_agree(e->comm, schedule(e, &work));
    if (status == STATUS_OK) {
        experiment_log_idle(e);
        if (e->rank == 0) progress_open(&e->progress, "units", e->grid.units - e->remaining, e->remaining, work);
        status = status_agree(e->comm, prepare_units(e, pulse));
    }
    if (status == STATUS_OK) {
        if (!e->group.idle) status = run_units(e, pulse);
        if (e->rank == 0) progress_close(&e->progress);
        group_wait(e->comm);
        status = status_agree(e->comm, status);
        status = status_agree(e->comm, check_stopped(e, status));
    }
    free(work);
    return status;
}

static int run(struct experiment *e)
{
    const struct pulse pulse = {e->rank == 0 ? beat : NULL, e};
    enum results_state state;
    TRY(results_open(&e->results, &state, e->finished, &e->plan, &e->group, e->options->wait, e->comm));
    if (state == RESULTS_COMPLETE) {
        log_info("%s is complete already: nothing to do", e->job->output);
        return STATUS_OK;
    }
    experiment_log_start(e);
    if (state == RESULTS_PART) {
        int64_t finished = 0;
        for (int64_t i = 0; i < e->grid.units; i++) finished += e->finished[i];
        log_info("  resumed   %s.part, %lld of %lld units are complete", e->job->output, (long long)finished,
                 (long long)e->grid.units);
    }
    int status = compute(e, &pulse);
    if (status == STATUS_OK && e->is_live) status = experiment_end_live(e);
    int64_t peak = experiment_peak(e);
    const struct results_run facts = {e->options->command, timer_now() - e->begin, peak};
    status = results_close(&e->results, status, &facts, e->comm);
    if (status == STATUS_OK) {
        experiment_log_end(e, peak);
        log_info("results are in %s", e->job->output);
    }
    return status;
}

/* What a run would find and do. */
static int dry_run(struct experiment *e)
{
    static const char *const meaning[] = {
        [RESULTS_NEW] = "does not exist yet",
        [RESULTS_PART] = "is unfinished and would be resumed",
        [RESULTS_COMPLETE] = "is complete already: nothing would be done",
    };
    enum results_state state;
    TRY(status_agree(e->comm, e->rank == 0 ? results_inspect(&state, e->finished, &e->plan) : STATUS_OK));
    if (e->rank == 0) {
        experiment_log_start(e);
        log_info("dry run: %s %s", e->job->output, meaning[state]);
    }
    return STATUS_OK;
}

static int prepare(struct experiment *e)
{
    TRY(grid_create(&e->grid, e->job)); /* the same on all ranks */
    TRY(experiment_read_space(e));
    TRY(status_agree(e->comm, memory_alloc(&e->finished, (size_t)e->grid.units, sizeof *e->finished)));
    TRY(group_create(&e->group, e->comm, e->job->ranks_per_trial));
    if (e->is_live) TRY(experiment_open_live(e));
    e->plan = (struct results_plan){
        .job = e->job, .grid = &e->grid, .space = &e->space, .file_checksum = e->file_checksum,
        .file_cells = e->file_cells, .filtered = e->filtered, .missing = e->missing, .oracle = e->oracle,
        .measurer = e->live.measurer.fingerprint,
    };
    return STATUS_OK;
}

void experiment_release(struct experiment *e)
{
    trial_destroy(&e->trial);
    queue_destroy(&e->queue);
    for (int d = 0; e->candidate != NULL && d < e->job->datasets; d++) candidate_destroy(&e->candidate[d]);
    if (e->is_live) experiment_close_live(e);
    group_destroy(&e->group);
    free(e->candidate);
    free(e->oracle);
    free(e->finished);
    free(e->order);
    space_destroy(&e->space);
    MPI_Comm_free(&e->comm);
}

int experiment_run(const struct job *j, const struct experiment_options *o, MPI_Comm comm)
{
    struct experiment e = {.job = j, .options = o, .begin = timer_now(),
                           .group = {.comm = MPI_COMM_NULL, .leaders = MPI_COMM_NULL}};
    MPI_Comm_dup(comm, &e.comm);
    MPI_Comm_rank(e.comm, &e.rank);
    MPI_Comm_size(e.comm, &e.ranks);
    int status = prepare(&e);
    if (status == STATUS_OK) status = o->dry_run ? dry_run(&e) : run(&e);
    experiment_release(&e);
    return status;
}
