/* candidate_live_fixture.h - candidates measured by one who knows the table, on any layout of groups and teams. Include ranks.h
 * first. */
#ifndef CANDIDATE_LIVE_FIXTURE_H
#define CANDIDATE_LIVE_FIXTURE_H

#include "stop.h"
#include "trial_fixture.h"

#include <time.h>

enum { CLASSES = 60, MAPPED = CELLS }; /* cell i of the space is of class i % CLASSES, where classes are wanted */

static int64_t identity[CELLS], class_of[CELLS], first[CLASSES];

/* -- a measurer that knows the table ------------------------------------------------------------------------------ */

struct fake {
    const struct group *team;
    int calls[MEASUREMENT_KINDS][CELLS]; /* on leaders of teams */
    int64_t diverges, fails, breaks;     /* these cells; -1: none */
    int losses;
    bool no_validation, slow;
    bool disagrees;                      /* a team was not asked for the same */
};

static inline int fake_measure(struct measurement *out, void *self, int64_t cell, enum measurement_kind kind, const struct pulse *pulse)
{
    struct fake *f = self;
    const struct timespec pause = {.tv_nsec = 1000 * 1000};
    int64_t asked[2] = {cell * 2 + (int)kind, -(cell * 2 + (int)kind)}, most[2];
    MPI_Allreduce(asked, most, 2, MPI_INT64_T, MPI_MAX, f->team->comm);
    if (most[0] != -most[1]) f->disagrees = true;
    if (f->team->rank == 0) f->calls[kind][cell]++;
    for (int i = 0; f->slow && i < 5; i++) {
        pulse_beat(pulse);
        nanosleep(&pause, NULL);
    }
    if (cell == f->breaks) return status_fail(STATUS_FAILURE, "cell %d broke the trainer", (int)cell);
    *out = (struct measurement){.outcome = MEASUREMENT_DONE, .accuracy = NAN, .validation_accuracy = NAN, .synflow = NAN};
    if (cell == f->fails) out->outcome = MEASUREMENT_FAILED;
    if (cell == f->diverges) {
        out->outcome = MEASUREMENT_DIVERGED;
        out->losses = 2;
        out->loss[0] = 2.25, out->loss[1] = NAN;
    }
    if (out->outcome != MEASUREMENT_DONE) return STATUS_OK;
    if (kind == MEASUREMENT_CODE) {
        out->losses = f->losses;
        for (int e = 0; e < f->losses; e++) out->loss[e] = space.early_loss[cell * space.code_length + e];
        return STATUS_OK;
    }
    out->accuracy = space.accuracy[cell];
    if (!f->no_validation) out->validation_accuracy = space.validation_accuracy[cell];
    return STATUS_OK;
}

/* Everything a live candidate needs, on one layout of groups and teams. */
struct live_bench {
    struct group group, team;
    struct fake fake;
    struct measurer measurer;
    struct ledger *ledger;
    struct candidate_source from;
    struct candidate *candidate;
};

static const struct candidate_options losses = {0, false, "early_loss", 3, CODE_RAW};

/* classes: cells share values by class, else all are distinct. Collective. Idle ranks have no candidate. */
static inline void bench_open(struct live_bench *b, const char *ledger, int group_size, int team_size, bool classes,
                       const struct candidate_options *o)
{
    stop_open(false, -1); /* what breaks stops the others: forget it */
    *b = (struct live_bench){.fake = {.team = &b->team, .diverges = -1, .fails = -1, .breaks = -1, .losses = 4}};
    b->team = (struct group){.comm = MPI_COMM_NULL, .leaders = MPI_COMM_NULL, .idle = true};
    b->measurer = (struct measurer){.measure = fake_measure, .self = &b->fake, .fingerprint = 5};
    MPI_ASSERT(group_create(&b->group, MPI_COMM_WORLD, group_size) == STATUS_OK);
    if (!b->group.idle) {
        const int64_t count = classes ? CLASSES : CELLS;
        group_create(&b->team, b->group.comm, team_size);
        assert_int_equal(ledger_open(&b->ledger, scratch(ledger), count, 9), STATUS_OK);
        b->from = (struct candidate_source){.class_of = classes ? class_of : identity, .first = classes ? first : identity,
                                            .classes = count, .measurer = &b->measurer, .ledger = b->ledger, .group = &b->group,
                                            .team = &b->team};
        assert_int_equal(candidate_create_live(&b->candidate, &space, o, &b->from), STATUS_OK);
        assert_true(candidate_is_live(b->candidate));
    }
    MPI_Barrier(MPI_COMM_WORLD);
}

static inline void bench_close(struct live_bench *b)
{
    MPI_ASSERT(!b->fake.disagrees);
    candidate_destroy(&b->candidate);
    ledger_close(&b->ledger);
    group_destroy(&b->team);
    group_destroy(&b->group);
}

/* How often a cell was measured by all ranks together. */
static inline void count_calls(int total[MEASUREMENT_KINDS][CELLS], const struct live_bench *b)
{
    MPI_Allreduce(b->fake.calls, total, MEASUREMENT_KINDS * CELLS, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
}

static inline void forget_ledger(const char *name)
{
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) unlink(scratch(name));
    MPI_Barrier(MPI_COMM_WORLD);
}

static inline void set_up(void **state)
{
    begin(state);
    for (int i = 0; i < CELLS; i++) identity[i] = i, class_of[i] = i % CLASSES;
    for (int i = 0; i < CLASSES; i++) first[i] = i;
    assert_int_equal(ranks_scratch_open(state), 0);
}

static inline void tear_down(void **state)
{
    end(state);
    assert_int_equal(ranks_scratch_close(state), 0);
}

#endif
