/* queue.h - a dynamic queue of work units 0..units-1, handed out in order to whoever asks.
 *
 * Rank 0 of the communicator holds the counter and computes as well: it answers requests whenever it calls
 * queue_poll(), which costs one MPI_Test and belongs into every step of a long computation (pulse.h). Two small
 * messages a unit; no rank but the holder sees more than its own units. */
#ifndef QUEUE_H
#define QUEUE_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

struct queue;

/* Collective over comm, which is duplicated. units may be 0. */
int queue_create(struct queue **out, MPI_Comm comm, int64_t units);
void queue_destroy(struct queue **q); /* collective, after queue_finish */

/* The next unit for the caller, or -1 when none is left. Asking also says that the caller's previous unit is done.
 * Not collective. */
int64_t queue_next(struct queue *q);

/* At once and without waiting: the counter holder answers all waiting requests, the others hear whether the queue was stopped. */
void queue_poll(struct queue *q);

/* Hand out no further unit to anyone (a failure, a stop request). Callable on any rank, again and again. Not collective. */
void queue_stop(struct queue *q);

/* Whether some rank stopped it, as far as queue_poll() and queue_next() have heard: who is busy with a unit then may want to leave
 * it. One more message for each rank, once. */
bool queue_stopped(const struct queue *q);

/* What a rank that computes calls in every step: queue_poll(), and stops go both ways: the process's own (stop.h) stops the queue,
 * and that of another rank becomes one of this process, since a long unit would otherwise hear of it too late. */
void queue_serve(struct queue *q);

/* Counter holder, after queue_finish(): units that nobody got because of queue_stop(). Others: 0. */
int64_t queue_left(const struct queue *q);

/* Counter holder: units reported done so far, its own included. Others: their own. */
int64_t queue_done(const struct queue *q);

/* After the caller got -1: the counter holder serves the others until each got -1. Calls pulse meanwhile. */
struct pulse;
void queue_finish(struct queue *q, const struct pulse *pulse);

#endif
