/* The unit queue: every unit once, the holder answers while it computes, nobody is left waiting. */
#include "pulse.h"
#include "queue.h"
#include "stop.h"

#include "ranks.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>

enum { UNITS = 200 };

static void poll_queue(void *q)
{
    queue_poll(q);
}

/* Sum of the ranks' tallies must be one for each unit below `units`, zero elsewhere. */
static void expect_each_once(const int *mine, int units)
{
    int total[UNITS], wrong = 0;
    MPI_Allreduce(mine, total, UNITS, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    for (int i = 0; i < UNITS; i++) wrong += total[i] != (i < units);
    MPI_ASSERT(wrong == 0);
}

static void test_each_unit_once(void **state)
{
    (void)state;
    const int counts[] = {0, 1, 2, 3, 50, UNITS};
    for (int c = 0; c < 6; c++) {
        struct queue *q;
        int mine[UNITS] = {0}, got = 0;
        MPI_ASSERT(queue_create(&q, MPI_COMM_WORLD, counts[c]) == 0);
        struct pulse pulse = {poll_queue, q};
        int64_t last = -1, unit;
        bool ascending = true;
        while ((unit = queue_next(q)) >= 0) {
            ascending = ascending && unit > last;
            last = unit;
            mine[unit]++;
            got++;
            for (int step = 0; step < 100; step++) pulse_beat(&pulse);
        }
        queue_finish(q, &pulse);
        MPI_ASSERT(ascending);
        MPI_ASSERT(queue_done(q) == (rank == 0 ? counts[c] : got)); /* the holder heard of all */
        queue_destroy(&q);
        MPI_ASSERT(q == NULL);
        expect_each_once(mine, counts[c]);
    }
}

/* The holder takes one unit and computes until the others, with its answers, have done all the rest: this can end only
 * because a poll inside the computation is enough for them. */
static void test_holder_answers_while_computing(void **state)
{
    (void)state;
    struct queue *q;
    int mine[UNITS] = {0};
    MPI_ASSERT(queue_create(&q, MPI_COMM_WORLD, UNITS) == 0);
    int64_t unit = -1;
    if (rank == 0) {
        unit = queue_next(q);
        mine[unit]++;
    }
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) {
        while (ranks > 1 && queue_done(q) < UNITS - 1) queue_poll(q);
        while ((unit = queue_next(q)) >= 0) mine[unit]++;
    } else {
        while ((unit = queue_next(q)) >= 0) mine[unit]++;
    }
    queue_finish(q, NULL);
    MPI_ASSERT(rank != 0 || ranks == 1 || mine[0] == 1);
    queue_destroy(&q);
    int holder_units = 0;
    for (int i = 0; i < UNITS; i++) holder_units += mine[i];
    MPI_ASSERT(rank != 0 || ranks == 1 || holder_units == 1);
    expect_each_once(mine, UNITS);
}

/* One rank after the other plays the one that fails: it stops the queue and is dismissed; whoever asks after that gets
 * nothing. The barrier comes after the stop has arrived, for the holder's answer to the stopper says so. */
static void test_stop(void **state)
{
    (void)state;
    for (int stopper = 0; stopper < ranks; stopper++) {
        struct queue *q;
        int64_t unit = 0;
        MPI_ASSERT(queue_create(&q, MPI_COMM_WORLD, UNITS) == 0);
        MPI_Request request;
        if (rank == stopper) {
            queue_stop(q);
            unit = queue_next(q);
        }
        MPI_Ibarrier(MPI_COMM_WORLD, &request);
        for (int all_there = 0; !all_there; queue_poll(q)) MPI_Test(&request, &all_there, MPI_STATUS_IGNORE);
        if (rank != stopper) unit = queue_next(q);
        queue_finish(q, NULL);
        MPI_ASSERT(queue_left(q) == (rank == 0 ? UNITS : 0) && queue_stopped(q));
        queue_destroy(&q);
        MPI_ASSERT(unit == -1);
    }
}

/* In the middle of their units all ranks hear that one of them, whichever, has stopped the queue; again and again does no harm. */
static void test_stop_is_heard(void **state)
{
    (void)state;
    for (int stopper = 0; stopper < ranks; stopper++) {
        struct queue *q;
        int mine[UNITS] = {0}, units = 0;
        MPI_ASSERT(queue_create(&q, MPI_COMM_WORLD, UNITS) == 0);
        for (int64_t unit; (unit = queue_next(q)) >= 0; units++) {
            mine[unit]++;
            if (rank == stopper) queue_stop(q);
            if (rank == stopper) queue_stop(q);
            while (!queue_stopped(q)) queue_poll(q);
            queue_stop(q); /* each rank passes it on, as it does not know who began */
        }
        queue_finish(q, NULL);
        queue_stop(q);
        int64_t got = units, left = queue_left(q), done = queue_done(q);
        MPI_Allreduce(MPI_IN_PLACE, &got, 1, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD);
        MPI_ASSERT(rank != 0 || (left == UNITS - got && done == got));
        MPI_ASSERT(rank == 0 || (left == 0 && done == units));
        MPI_ASSERT(1 <= got && got <= ranks && units <= 1);
        MPI_ASSERT(rank != stopper || units == 1);
        expect_each_once(mine, (int)got);
        queue_destroy(&q);
    }
}

/* A rank that is busy when all units are taken stops the queue in vain: nothing is left. */
static void test_stop_comes_too_late(void **state)
{
    (void)state;
    for (int stopper = 0; stopper < ranks; stopper++) {
        struct queue *q;
        MPI_ASSERT(queue_create(&q, MPI_COMM_WORLD, 3) == 0);
        for (int64_t unit; (unit = queue_next(q)) >= 0;) queue_poll(q);
        if (rank == stopper) queue_stop(q); /* nobody listens any more */
        queue_finish(q, NULL);
        MPI_ASSERT(queue_left(q) == 0);
        MPI_ASSERT(rank != 0 || queue_done(q) == 3);
        queue_destroy(&q);
    }
}

/* What one rank knows of the reason, all know in the end: the lowest counts. */
static void test_reason(void **state)
{
    (void)state;
    for (int told = 0; told < ranks; told++) {
        MPI_ASSERT(stop_open(false, -1) == 0);
        if (rank == told) raise(SIGUSR1);
        if (rank == told + 1) raise(SIGTERM);
        stop_want();
        stop_share_reason(MPI_COMM_WORLD);
        MPI_ASSERT(strcmp(stop_reason(), " (SIGUSR1)") == 0);
    }
    MPI_ASSERT(stop_open(false, -1) == 0);
    stop_share_reason(MPI_COMM_WORLD);
    MPI_ASSERT(strcmp(stop_reason(), "") == 0 && !stop_wanted());
}

/* A queue that is given up before anyone asked, though its holder has listened already. */
static void test_given_up(void **state)
{
    (void)state;
    struct queue *q;
    MPI_ASSERT(queue_create(&q, MPI_COMM_WORLD, UNITS) == 0);
    queue_poll(q);
    MPI_ASSERT(queue_done(q) == 0);
    queue_destroy(&q);
    MPI_ASSERT(q == NULL);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_unit_once), cmocka_unit_test(test_holder_answers_while_computing),
        cmocka_unit_test(test_stop), cmocka_unit_test(test_stop_is_heard), cmocka_unit_test(test_stop_comes_too_late),
        cmocka_unit_test(test_reason), cmocka_unit_test(test_given_up),
    };
    RANKS_MAIN(tests);
}
