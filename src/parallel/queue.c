#include "queue.h"

#include "memory.h"
#include "pulse.h"
#include "status.h"
#include "stop.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

/* What a rank tells the holder. One tag for all, so that messages of a rank are seen in the order it sent them. */
enum word { WORD_NEXT, WORD_DONE_NEXT, WORD_STOP };
enum { TAG_WORD = 1, TAG_UNIT = 2 };
enum { HOLDER = 0 };
/* What the holder answers beside a unit; the latter also unasked, once, to those that still listen. */
enum { NO_UNIT = -1, STOP_UNITS = -2 };

struct queue {
    MPI_Comm comm;
    int rank, size;
    int64_t units, next; /* the counter, on the holder */
    int64_t done;
    bool busy;           /* the caller has a unit */
    bool stopped;
    bool over;           /* the caller got -1: nobody listens to it any more */
    int dismissed;       /* on the holder: other ranks that got their -1 */
    bool *gone;          /* [size] on the holder: which they are */
    /* on the holder: the next word, received ahead. A probe would look at every rank that ever sent one, each time. */
    int word;
    MPI_Request request;
};

int queue_create(struct queue **out, MPI_Comm comm, int64_t units)
{
    int rank, size, status = memory_alloc(out, 1, sizeof **out);
    struct queue *q = *out;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    if (status == STATUS_OK && rank == HOLDER) status = memory_alloc(&q->gone, (size_t)size, sizeof *q->gone);
    status = status_agree(comm, status); /* before the collective that follows */
    if (status != STATUS_OK) {
        if (q != NULL) free(q->gone);
        free(q);
        *out = NULL;
        return status;
    }
    q->units = units;
    q->rank = rank, q->size = size;
    q->request = MPI_REQUEST_NULL;
    MPI_Comm_dup(comm, &q->comm);
    return STATUS_OK;
}

void queue_destroy(struct queue **q)
{
    if (*q == NULL) return;
    if ((*q)->request != MPI_REQUEST_NULL) { /* given up before queue_finish */
        MPI_Cancel(&(*q)->request);
        MPI_Wait(&(*q)->request, MPI_STATUS_IGNORE);
    }
    MPI_Comm_free(&(*q)->comm);
    free((*q)->gone);
    free(*q);
    *q = NULL;
}

static int64_t take(struct queue *q)
{
    return q->stopped || q->next >= q->units ? NO_UNIT : q->next++;
}

/* On the holder. Whoever got no unit listens no more; the others may be in the middle of a long one. */
static void stop_all(struct queue *q)
{
    const int64_t word = STOP_UNITS;
    if (q->stopped) return;
    q->stopped = true;
    for (int r = 0; r < q->size; r++)
        if (r != HOLDER && !q->gone[r]) MPI_Send(&word, 1, MPI_INT64_T, r, TAG_UNIT, q->comm);
}

static void answer(struct queue *q, int word, int source)
{
    if (word == WORD_STOP) {
        stop_all(q);
        return;
    }
    if (word == WORD_DONE_NEXT) q->done++;
    int64_t unit = take(q);
    q->gone[source] = unit < 0;
    q->dismissed += unit < 0;
    MPI_Send(&unit, 1, MPI_INT64_T, source, TAG_UNIT, q->comm); /* eager, and the other rank waits for it */
}

/* Not on the holder, which says nothing unasked but that the queue was stopped. */
static void listen_to_holder(struct queue *q)
{
    int waiting;
    int64_t word;
    if (q->over || q->stopped) return;
    MPI_Iprobe(HOLDER, TAG_UNIT, q->comm, &waiting, MPI_STATUS_IGNORE);
    if (!waiting) return;
    MPI_Recv(&word, 1, MPI_INT64_T, HOLDER, TAG_UNIT, q->comm, MPI_STATUS_IGNORE);
    assert(word == STOP_UNITS);
    q->stopped = true;
}

void queue_poll(struct queue *q)
{
    if (q->rank != HOLDER) listen_to_holder(q);
    while (q->rank == HOLDER && q->dismissed < q->size - 1) {
        int arrived;
        MPI_Status message;
        if (q->request == MPI_REQUEST_NULL)
            MPI_Irecv(&q->word, 1, MPI_INT, MPI_ANY_SOURCE, TAG_WORD, q->comm, &q->request);
        MPI_Test(&q->request, &arrived, &message);
        if (!arrived) return;
        answer(q, q->word, message.MPI_SOURCE);
    }
}

int64_t queue_next(struct queue *q)
{
    int64_t unit;
    bool was_busy = q->busy;
    if (was_busy) q->done++;
    if (q->rank == HOLDER) {
        queue_poll(q);
        unit = take(q);
    } else {
        int word = was_busy ? WORD_DONE_NEXT : WORD_NEXT;
        MPI_Send(&word, 1, MPI_INT, HOLDER, TAG_WORD, q->comm);
        do {
            MPI_Recv(&unit, 1, MPI_INT64_T, HOLDER, TAG_UNIT, q->comm, MPI_STATUS_IGNORE);
            q->stopped = q->stopped || unit == STOP_UNITS;
        } while (unit == STOP_UNITS);
    }
    q->busy = unit >= 0;
    q->over = unit < 0;
    return unit;
}

void queue_stop(struct queue *q)
{
    if (q->rank == HOLDER) stop_all(q);
    if (q->stopped) return;
    q->stopped = true;
    if (q->over) return;
    int word = WORD_STOP;
    MPI_Send(&word, 1, MPI_INT, HOLDER, TAG_WORD, q->comm);
}

bool queue_stopped(const struct queue *q)
{
    return q->stopped;
}

void queue_serve(struct queue *q)
{
    if (stop_wanted()) queue_stop(q);
    queue_poll(q);
    if (queue_stopped(q)) stop_want();
}

int64_t queue_left(const struct queue *q)
{
    return q->rank == HOLDER ? q->units - q->next : 0;
}

int64_t queue_done(const struct queue *q)
{
    return q->done;
}

void queue_finish(struct queue *q, const struct pulse *pulse)
{
    if (q->rank != HOLDER) return;
    const struct timespec pause = {.tv_nsec = 200 * 1000};
    for (;;) {
        queue_poll(q);
        pulse_beat(pulse);
        if (q->dismissed == q->size - 1) return;
        nanosleep(&pause, NULL);
    }
}
