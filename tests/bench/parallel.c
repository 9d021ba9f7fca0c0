/* What ranks cost each other, `name: value unit` on rank 0. The queue: all ranks but the holder of the counter ask for empty units
 * as fast as they can, and the holder does nothing but answer; more ranks than cores take turns, and then only the holder's own
 * time, queue_answer, means something. queue_poll is the price of a look at the queue while nobody asks, between two steps of a
 * training. The top set, if every rank has a core: reducing the best 300 of a search, and 1,000 of a scan. */
#include "group.h"
#include "log.h"
#include "queue.h"
#include "status.h"
#include "timer.h"
#include "topset.h"

#include "median.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 9, UNITS = 50000, REDUCTIONS = 2000 };

struct figures {
    double rate[RUNS], answer[RUNS], poll[RUNS];
};

static double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void serve(struct figures *f, int run, struct queue *q)
{
    double cpu = cpu_now();
    for (int i = 0; i < UNITS; i++) queue_poll(q);
    f->poll[run] = (cpu_now() - cpu) / UNITS * 1e6;
    group_wait(MPI_COMM_WORLD);
    const double begin = timer_now();
    cpu = cpu_now();
    while (queue_done(q) < UNITS) queue_poll(q);
    f->rate[run] = UNITS / (timer_now() - begin);
    f->answer[run] = (cpu_now() - cpu) / UNITS * 1e6;
    queue_finish(q, NULL);
}

static int ask_and_answer(struct figures *f, int run, int rank)
{
    struct queue *q;
    TRY(queue_create(&q, MPI_COMM_WORLD, UNITS));
    if (rank == 0) {
        serve(f, run, q);
    } else {
        group_wait(MPI_COMM_WORLD);
        while (queue_next(q) >= 0) {}
    }
    queue_destroy(&q);
    return STATUS_OK;
}

static int reduce(double *microseconds, int capacity, int rank)
{
    struct topset t;
    TRY(topset_create(&t, capacity));
    for (int run = 0; run < RUNS; run++) {
        topset_clear(&t);
        for (int i = 0; i < capacity; i++) topset_push(&t, i * 0.5, 2 * i + rank % 2);
        MPI_Barrier(MPI_COMM_WORLD);
        const double begin = timer_now();
        for (int i = 0; i < REDUCTIONS; i++) topset_reduce(&t, MPI_COMM_WORLD);
        microseconds[run] = (timer_now() - begin) / REDUCTIONS * 1e6;
    }
    topset_destroy(&t);
    return STATUS_OK;
}

static int bench(int rank, int ranks)
{
    static const int capacity[] = {300, 1000};
    struct figures f;
    double microseconds[RUNS];
    char name[64], with[64];
    snprintf(with, sizeof with, "%d ranks, ", ranks);
    for (int run = 0; run < RUNS; run++) TRY(ask_and_answer(&f, run, rank));
    if (rank == 0) {
        median_print("queue_rate", f.rate, RUNS, "requests/s", with);
        median_print("queue_answer", f.answer, RUNS, "us", with);
        median_print("queue_poll", f.poll, RUNS, "us", with);
    }
    for (int c = 0; c < 2 && ranks <= sysconf(_SC_NPROCESSORS_ONLN); c++) {
        TRY(reduce(microseconds, capacity[c], rank));
        snprintf(name, sizeof name, "reduce_top_%d", capacity[c]);
        if (rank == 0) median_print(name, microseconds, RUNS, "us", with);
    }
    return STATUS_OK;
}

int main(int argc, char **argv)
{
    int rank, ranks, status;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    status = ranks > 1 ? bench(rank, ranks) : status_fail(STATUS_INPUT, "parallel: 2 or more ranks");
    if (status != STATUS_OK && rank == 0) log_error(status_message());
    MPI_Finalize();
    return status;
}
