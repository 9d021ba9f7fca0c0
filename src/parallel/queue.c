#include "queue.h"

#include "memory.h"
#include "pulse.h"
#include "status.h"

#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

/* What a rank tells the holder. One tag for all, so that messages of a rank are seen in the order it sent them. */
enum word { WORD_NEXT, WORD_DONE_NEXT, WORD_STOP };
enum { TAG_WORD = 1, TAG_UNIT = 2 };
enum { HOLDER = 0 };

struct queue {
    MPI_Comm comm;
    int rank, size;
    int64_t units, next; /* the counter, on the holder */
    int64_t done;
    bool busy;           /* the caller has a unit */
    bool stopped;
    bool over;           /* the caller got -1: nobody listens to it any more */
    int dismissed;       /* on the holder: other ranks that got their -1 */
};

int queue_create(struct queue **out, MPI_Comm comm, int64_t units)
{
    int status = status_agree(comm, memory_alloc(out, 1, sizeof **out)); /* before the collective that follows */
    struct queue *q = *out;
    if (status != STATUS_OK) {
        free(q);
        *out = NULL;
        return status;
    }
    q->units = units;
    MPI_Comm_dup(comm, &q->comm);
    MPI_Comm_rank(q->comm, &q->rank);
    MPI_Comm_size(q->comm, &q->size);
    return STATUS_OK;
}

void queue_destroy(struct queue **q)
{
    if (*q == NULL) return;
    MPI_Comm_free(&(*q)->comm);
    free(*q);
    *q = NULL;
}

static int64_t take(struct queue *q)
{
    return q->stopped || q->next >= q->units ? -1 : q->next++;
}

static void answer(struct queue *q, int source)
{
    int word;
    MPI_Recv(&word, 1, MPI_INT, source, TAG_WORD, q->comm, MPI_STATUS_IGNORE);
    if (word == WORD_STOP) {
        q->stopped = true;
        return;
    }
    if (word == WORD_DONE_NEXT) q->done++;
    int64_t unit = take(q);
    if (unit < 0) q->dismissed++;
    MPI_Send(&unit, 1, MPI_INT64_T, source, TAG_UNIT, q->comm); /* eager, and the other rank waits for it */
}

void queue_poll(struct queue *q)
{
    if (q->rank != HOLDER || q->dismissed == q->size - 1) return;
    for (;;) {
        int waiting;
        MPI_Status message;
        MPI_Iprobe(MPI_ANY_SOURCE, TAG_WORD, q->comm, &waiting, &message);
        if (!waiting) return;
        answer(q, message.MPI_SOURCE);
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
        MPI_Recv(&unit, 1, MPI_INT64_T, HOLDER, TAG_UNIT, q->comm, MPI_STATUS_IGNORE);
    }
    q->busy = unit >= 0;
    q->over = unit < 0;
    return unit;
}

void queue_stop(struct queue *q)
{
    if (q->stopped) return;
    q->stopped = true;
    if (q->rank == HOLDER || q->over) return;
    int word = WORD_STOP;
    MPI_Send(&word, 1, MPI_INT, HOLDER, TAG_WORD, q->comm);
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
