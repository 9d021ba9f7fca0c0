/* trial_fixture.h - what the tests of trials share: a space, settings, results that stay, a trial on one rank. */
#ifndef TRIAL_FIXTURE_H
#define TRIAL_FIXTURE_H

#include "ranks.h"

#include "plain_search.h"

enum { CELLS = 300, NODES = 5, N_MAX = 60 };

static struct space space;

/* Tests that need one rank only are spread over the ranks. */
#define ON_RANK(which) \
    if (rank != (which) % ranks) return

static inline void begin(void **state)
{
    (void)state;
    synthetic_space(&space, CELLS, NODES, 1);
}

static inline void end(void **state)
{
    (void)state;
    space_destroy(&space);
}

/* The published settings where they matter; elsewhere fewer epochs, and last ones in which the first choice still changes. */
static inline struct trial_settings settings(bool published)
{
    struct trial_settings s;
    trial_defaults(&s);
    if (!published) {
        memcpy(s.epochs, (int[]){4, 24, 5, 3}, sizeof s.epochs);
        s.learning_rate[3] = 1e-2;
        s.weaknas.width = 64;
        s.brp.epochs = 3;
        s.prednas.steps = 10;
    }
    s.k_max = 80;
    return s;
}

/* Is there such a method, and, when `plain` says so, one that plain_search.h knows? Those that need an ensemble: test_ensemble.c. */
static inline bool is_method(int predictor, int sampler, bool plain)
{
    struct method m;
    return method_of(&m, predictor_kind_name[predictor], sampler_kind_name[sampler]) &&
           !(method_asks(m) && method_is_neural(m)) && !(plain && method_family(m) == METHOD_ROUNDS);
}

static const struct candidate_options options[] = {
    {0, false, "early_loss", 3, CODE_RAW}, {1, true, "early_loss", 2, CODE_LOG}, {1, false, "early_loss", 4, CODE_RAW},
};

static inline struct trial_spec spec_of(enum predictor_kind predictor, enum sampler_kind sampler, int n, uint32_t trial)
{
    return (struct trial_spec){{predictor, sampler}, n, trial, 2024};
}

/* ---- results, kept and compared --------------------------------------------------------------------------------- */
static inline void *kept(const void *from, int count, size_t size_of_one)
{
    void *copy = fixture_take((size_t)count, size_of_one);
    if (count > 0) memcpy(copy, from, (size_t)count * size_of_one);
    return copy;
}

static inline struct plain_result keep(const struct trial_result *r)
{
    return (struct plain_result){
        r->pool_size, r->k_max, kept(r->pool, r->pool_size, sizeof *r->pool), kept(r->chosen, r->k_max, sizeof *r->chosen),
        kept(r->trainings, r->k_max, sizeof *r->trainings), kept(r->best, r->k_max, sizeof *r->best),
        kept(r->chosen_accuracy, r->k_max, sizeof *r->best), kept(r->score, r->k_max, sizeof *r->best), r->training_cost,
        r->codes_evaluate, r->rho, r->tau, r->tau_top,
    };
}

static inline bool same_number(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

/* Names the first difference; NULL when there is none. */
static inline const char *difference(const struct plain_result *a, const struct plain_result *b)
{
    if (a->pool_size != b->pool_size) return "pool_size";
    if (memcmp(a->pool, b->pool, (size_t)a->pool_size * sizeof *a->pool) != 0) return "pool";
    if (a->training_cost.trainings != b->training_cost.trainings) return "trainings of the predictor";
    if (a->training_cost.codes != b->training_cost.codes) return "codes of the predictor";
    if (a->k_max != b->k_max) return "k_max";
    const size_t k = (size_t)a->k_max;
    if (memcmp(a->chosen, b->chosen, k * sizeof *a->chosen) != 0) return "chosen";
    if (memcmp(a->score, b->score, k * sizeof *a->score) != 0) return "score";
    if (memcmp(a->chosen_accuracy, b->chosen_accuracy, k * sizeof *a->score) != 0) return "chosen_accuracy";
    if (memcmp(a->best, b->best, k * sizeof *a->best) != 0) return "best";
    if (memcmp(a->trainings, b->trainings, k * sizeof *a->trainings) != 0) return "trainings";
    if (a->codes_evaluate != b->codes_evaluate) return "codes_evaluate";
    if (!same_number(a->rho, b->rho)) return "rho";
    if (!same_number(a->tau, b->tau)) return "tau";
    if (!same_number(a->tau_top, b->tau_top)) return "tau_top";
    return NULL;
}

static inline void expect_same(const struct plain_result *a, const struct plain_result *b, const struct trial_spec *spec)
{
    const char *where = difference(a, b);
    char name[METHOD_NAME_MAX];
    method_name(name, spec->method);
    if (where != NULL) fprintf(stderr, "%s, N = %d, trial %d: %s differs\n", name, spec->n, (int)spec->trial, where);
    assert_null(where);
}

/* A trial on this rank alone. */
struct bench {
    struct group group;
    struct trial *trial;
    struct candidate *candidate;
};

static inline struct bench bench_create(const struct trial_settings *set, const struct candidate_options *o,
                                        const struct pulse *pulse)
{
    struct bench *b = fixture_take(1, sizeof *b); /* the trial keeps the group's address */
    assert_int_equal(group_create(&b->group, MPI_COMM_SELF, 1), STATUS_OK);
    assert_int_equal(trial_create(&b->trial, &b->group, &space, set, N_MAX, pulse), STATUS_OK);
    assert_int_equal(candidate_create(&b->candidate, &space, o), STATUS_OK);
    return *b;
}

static inline void bench_destroy(struct bench *b)
{
    trial_destroy(&b->trial);
    candidate_destroy(&b->candidate);
    group_destroy(&b->group);
}

static inline struct plain_result run(struct bench *b, const struct trial_spec *spec)
{
    struct trial_result r;
    assert_int_equal(trial_run(&r, b->trial, b->candidate, spec), STATUS_OK);
    return keep(&r);
}

#endif
