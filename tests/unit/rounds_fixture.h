/* rounds_fixture.h - what the tests of the methods with rounds share: a toy space that is full and smooth, a trial on it, and what holds for
 * all of these methods. */
#ifndef ROUNDS_FIXTURE_H
#define ROUNDS_FIXTURE_H

#include "trial_fixture.h"

enum { TOY_NODES = 4, TOY_CELLS = 625 }; /* 5^4 */

static struct space toy;

/* Every cell of four nodes and five operations on one graph; one edit towards the best one is always an improvement. */
static inline void toy_begin(void **state)
{
    (void)state;
    sample_space(&toy, TOY_CELLS, TOY_NODES, SAMPLE_LOSS, 11);
    for (int i = 0; i < TOY_CELLS; i++) {
        double worth = 0;
        for (int v = 0, rest = i; v < TOY_NODES; v++, rest /= 5) {
            toy.operation[i * TOY_NODES + v] = (uint8_t)(rest % 5);
            worth += (double)((rest % 5 + 2 * v + 1) % 5) * (1 + 0.1 * v);
        }
        for (int d = 0; d < 2; d++) toy.accuracy[d * TOY_CELLS + i] = 30 + 3 * worth + d;
        for (int e = 0; e < toy.code_length; e++) toy.early_loss[i * toy.code_length + e] = 2;
    }
}

static inline void toy_end(void **state)
{
    (void)state;
    space_destroy(&toy);
}

/* A trial of the whole group on the toy space. */
struct toy_bench {
    struct group group;
    struct trial *trial;
    struct candidate *candidate;
};

static inline struct toy_bench *toy_open(const struct trial_settings *set, MPI_Comm comm, int members)
{
    struct toy_bench *b = fixture_take(1, sizeof *b);
    assert_int_equal(group_create(&b->group, comm, members), STATUS_OK);
    assert_int_equal(candidate_create(&b->candidate, &toy, &options[0]), STATUS_OK);
    if (!b->group.idle) assert_int_equal(trial_create(&b->trial, &b->group, &toy, set, 300, NULL), STATUS_OK);
    return b;
}

static inline void toy_close(struct toy_bench *b)
{
    trial_destroy(&b->trial);
    candidate_destroy(&b->candidate);
    group_destroy(&b->group);
}

static inline struct trial_spec toy_spec(const char *method, int n, uint32_t trial)
{
    struct trial_spec spec = {.n = n, .trial = trial, .seed = 31};
    assert_int_equal(method_parse(&spec.method, method), STATUS_OK);
    return spec;
}

/* N trainings, each of another cell, in the order of the pool; nothing else is paid before the end; nothing at all on the way for what
 * the ranking begins with again. */
static inline void expect_paid(const struct trial_result *r, const struct trial_spec *spec)
{
    static bool seen[TOY_CELLS];
    memset(seen, false, sizeof seen);
    assert_int_equal(r->pool_size, spec->n);
    assert_int_equal(r->training_cost.trainings, spec->n);
    assert_int_equal(r->training_cost.codes + r->codes_evaluate, 0);
    for (int i = 0; i < spec->n; i++) {
        assert_false(seen[r->pool[i]]);
        seen[r->pool[i]] = true;
        assert_int_equal(r->query[i].cell, r->pool[i]);
    }
    assert_int_equal(r->trainings[r->k_max - 1], r->queries);
}

/* How many trainings it takes to find the best cell; N + 1 when it is not among them. */
static inline int found_after(const struct trial_result *r)
{
    double best = 0;
    for (int i = 0; i < TOY_CELLS; i++) best = fmax(best, toy.accuracy[i] / 100);
    for (int i = 0; i < r->pool_size; i++)
        if (r->query[i].accuracy >= best) return i + 1;
    return r->pool_size + 1;
}

/* What holds for each of these methods: the account, and the mean number of trainings until the best cell is found. */
static inline double check_rounds(const struct trial_settings *set, const char *method, int n, int trials)
{
    struct toy_bench *b = toy_open(set, MPI_COMM_SELF, 1);
    double total = 0;
    for (int i = 1; i <= trials; i++) {
        const struct trial_spec spec = toy_spec(method, n, (uint32_t)i);
        struct trial_result r;
        assert_int_equal(trial_run(&r, b->trial, b->candidate, &spec), STATUS_OK);
        expect_paid(&r, &spec);
        total += found_after(&r);
    }
    toy_close(b);
    fixture_release();
    return total / trials;
}

/* Groups of every size find what one rank finds. Collective. */
static inline void check_groups(const struct trial_settings *set, const char *method, int n)
{
    struct toy_bench *alone = toy_open(set, MPI_COMM_SELF, 1);
    for (int members = 1; members <= ranks; members++) {
        struct toy_bench *b = toy_open(set, MPI_COMM_WORLD, members);
        const struct trial_spec spec = toy_spec(method, n, (uint32_t)b->group.index);
        struct trial_result r;
        MPI_ASSERT(b->group.idle || trial_run(&r, b->trial, b->candidate, &spec) == STATUS_OK);
        if (!b->group.idle && b->group.rank == 0) {
            struct plain_result got = keep(&r), expected;
            assert_int_equal(trial_run(&r, alone->trial, alone->candidate, &spec), STATUS_OK);
            expected = keep(&r);
            expect_same(&got, &expected, &spec);
        }
        toy_close(b);
    }
    toy_close(alone);
    fixture_release();
}

#endif
