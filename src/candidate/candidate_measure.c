/* Measurements spread over the teams of a group by a dynamic queue. Other groups and other jobs may measure the same cells
 * with the same ledger: who claims a cell measures it, the others take up something else meanwhile and find it in the ledger
 * at the end. */
#include "candidate_internal.h"

#include "memory.h"
#include "progress.h"
#include "queue.h"
#include "status.h"
#include "stop.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

enum { PAUSES = 20 }; /* from one look at the claims of others to the next */
static const char *const what[MEASUREMENT_KINDS] = {"Estimation Codes", "trainings"};

struct batch {
    const struct candidate_source *from;
    enum measurement_kind kind;
    const int64_t *wanted;
    struct measurement *found;
    bool *here;
    struct pulse pulse;      /* that of this work: serves its queue, too */
    struct progress progress;
    /* on the leaders of teams */
    struct queue *queue;
    bool drained;            /* the queue has answered -1 */
    int64_t *later, laters;  /* units that somebody else has claimed */
    int64_t count;           /* units */
};

static void beat(void *argument)
{
    struct batch *b = argument;
    if (b->queue != NULL) queue_serve(b->queue);
    pulse_beat(b->from->pulse);
    if (b->from->shows_progress && b->queue != NULL) progress_show(&b->progress, queue_done(b->queue));
}

static void nap(const struct batch *b)
{
    const struct timespec pause = {.tv_nsec = 2 * 1000 * 1000};
    pulse_beat(&b->pulse);
    nanosleep(&pause, NULL);
}

/* Wait for a request without burning the core: trainings take long. */
static void wait_for(MPI_Request *request, const struct batch *b)
{
    for (int done;;) {
        MPI_Test(request, &done, MPI_STATUS_IGNORE);
        if (done) return;
        nap(b);
    }
}

static int fail_stopped(const struct batch *b, int64_t done)
{
    return status_fail(STATUS_STOPPED, "stopped cleanly%s after %" PRId64 " of %" PRId64 " %s; the same command goes on", stop_reason(),
                       done, b->count, what[b->kind]);
}

/* -- which unit is next ------------------------------------------------------------------------------------------- */

enum standing { OURS, KNOWN, ELSEWHERE };

/* Claim a unit, and look into the ledger once more: somebody else may just have measured it. */
static int try_unit(enum standing *standing, struct batch *b, int64_t unit)
{
    struct ledger *ledger = b->from->ledger;
    const int64_t row = b->wanted[unit];
    *standing = ELSEWHERE;
    if (!ledger_claim(ledger, row, b->kind)) return STATUS_OK;
    int status = ledger_read(&b->found[unit], ledger, row, b->kind);
    *standing = status == STATUS_OK && b->found[unit].outcome == MEASUREMENT_NONE ? OURS : KNOWN;
    if (*standing != OURS) ledger_release(ledger, row, b->kind);
    return status;
}

/* The next unit for this team, claimed; -1 when all are known or taken by other teams of this group. On the team's leader. */
static int next_unit(int64_t *unit, struct batch *b)
{
    enum standing standing;
    while (!b->drained) {
        if (stop_wanted()) queue_stop(b->queue);
        *unit = queue_next(b->queue);
        b->drained = *unit < 0;
        if (b->drained) break;
        TRY(try_unit(&standing, b, *unit));
        if (standing == OURS) return STATUS_OK;
        if (standing == ELSEWHERE) b->later[b->laters++] = *unit;
    }
    while (b->laters > 0) {
        if (stop_wanted()) return fail_stopped(b, queue_done(b->queue));
        for (int64_t i = 0; i < b->laters;) {
            *unit = b->later[i];
            TRY(try_unit(&standing, b, *unit));
            if (standing == ELSEWHERE) i++;
            else b->later[i] = b->later[--b->laters];
            if (standing == OURS) return STATUS_OK;
        }
        for (int i = 0; i < PAUSES && b->laters > 0; i++) nap(b);
    }
    *unit = -1;
    return STATUS_OK;
}

/* -- the work ----------------------------------------------------------------------------------------------------- */

static void tell_team(int64_t *unit, const struct batch *b)
{
    const struct group *team = b->from->team;
    MPI_Request request;
    if (team->size == 1) return;
    MPI_Ibcast(unit, 1, MPI_INT64_T, 0, team->comm, &request);
    wait_for(&request, b);
}

/* Collective over the team, whose leader alone may fail to write. */
static int measure_unit(struct batch *b, int64_t unit)
{
    const struct candidate_source *from = b->from;
    const struct measurer *who = from->measurer;
    struct measurement m = {0};
    int status = who->measure(&m, who->self, from->first[b->wanted[unit]], b->kind, &b->pulse);
    if (from->team->size > 1) status = status_agree(from->team->comm, status);
    if (from->team->rank != 0) return status;
    if (status == STATUS_OK) {
        assert(m.outcome != MEASUREMENT_NONE && 0 <= m.losses && m.losses <= MEASUREMENT_LOSSES_MAX);
        b->found[unit] = m;
        b->here[unit] = true;
        status = ledger_write(from->ledger, b->wanted[unit], b->kind, &m);
        if (status == STATUS_OK && who->forget != NULL) who->forget(who->self, from->first[b->wanted[unit]], b->kind);
    }
    ledger_release(from->ledger, b->wanted[unit], b->kind);
    return status;
}

/* One unit after the other, until there is none or something failed. Only the leader decides, so that its team never waits
 * for it. */
static int work(struct batch *b)
{
    const bool leads = b->from->team->rank == 0;
    int status = STATUS_OK;
    for (;;) {
        int64_t unit = -1;
        if (leads && status == STATUS_OK) status = next_unit(&unit, b);
        if (status != STATUS_OK) unit = -1;
        tell_team(&unit, b);
        if (unit < 0) break;
        int failed = measure_unit(b, unit);
        if (status == STATUS_OK) status = failed;
    }
    if (leads && status != STATUS_OK) {
        queue_stop(b->queue);
        while (!b->drained) b->drained = queue_next(b->queue) < 0;
    }
    return status;
}

static int prepare(struct batch *b, int64_t count)
{
    if (b->from->team->leaders == MPI_COMM_NULL) return STATUS_OK;
    int status = memory_alloc(&b->later, (size_t)count, sizeof *b->later);
    TRY(status_agree(b->from->team->leaders, status));
    return queue_create(&b->queue, b->from->team->leaders, count);
}

int candidate_measure(struct measurement *found, bool *here, const struct candidate_source *from, enum measurement_kind kind,
                      const int64_t *wanted, int64_t count)
{
    struct batch b = {.from = from, .kind = kind, .wanted = wanted, .found = found, .here = here, .count = count};
    MPI_Request request;
    b.pulse = (struct pulse){beat, &b};
    if (from->shows_progress) progress_open(&b.progress, what[kind], 0, count, NULL);
    int status = status_agree(from->group->comm, prepare(&b, count));
    if (status == STATUS_OK) {
        if (!from->team->idle) status = work(&b);
        if (b.queue != NULL) queue_finish(b.queue, &b.pulse);
        if (b.queue != NULL && queue_left(b.queue) > 0 && status == STATUS_OK) status = fail_stopped(&b, queue_done(b.queue));
        MPI_Ibarrier(from->group->comm, &request);
        wait_for(&request, &b);
        status = status_agree(from->group->comm, status);
    }
    if (from->shows_progress) progress_close(&b.progress);
    queue_destroy(&b.queue);
    free(b.later);
    return status;
}
