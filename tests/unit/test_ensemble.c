/* The options of the neural predictors behind the common interface: targets, loss, pruned cells, ensembles, and the samplers that only
 * an ensemble can answer. Gradients: double_siamese.c; live nodes: test_live.c. */
#include "ranks.h"

#include "live.h"
#include "scratch.h"
#include "siamese_file.h"
#include "trial_fixture.h"

enum { POOL = 30, CODE = 3, SCORED = 150 };

static const enum predictor_kind kinds[] = {PREDICTOR_NAIVE, PREDICTOR_SIAMESE, PREDICTOR_SIAMESE_NSAM};

struct pool {
    struct predictor_pool view;
    int64_t cell[POOL];
    float label[POOL], code[POOL * CODE];
};

static void code_of(float *code, int64_t cell)
{
    for (int e = 0; e < CODE; e++) code[e] = (float)space.early_loss[cell * space.code_length + e];
}

/* Labels become offset + scale label. */
static struct pool *pool_create(float offset, float scale)
{
    struct pool *p = fixture_take(1, sizeof *p);
    for (int i = 0; i < POOL; i++) {
        p->cell[i] = i * 7;
        p->label[i] = offset + scale * (float)(space.accuracy[p->cell[i]] / 100);
        code_of(p->code + i * CODE, p->cell[i]);
    }
    p->view = (struct predictor_pool){&space, POOL, p->cell, p->label, p->code};
    return p;
}

static struct predictor *create(enum predictor_kind kind, const struct trial_settings *set, const struct space *s)
{
    struct predictor *p;
    assert_int_equal(predictor_create(&p, kind, s, CODE, set, POOL, MPI_COMM_SELF), STATUS_OK);
    predictor_start(p, 5, 1, POOL);
    return p;
}

static struct predictor *trained(enum predictor_kind kind, const struct trial_settings *set, const struct pool *pool, int epochs)
{
    struct predictor *p = create(kind, set, pool->view.space);
    assert_int_equal(predictor_fit(p, &pool->view, &(struct predictor_phase){epochs, 4, 1e-3, true}, NULL), STATUS_OK);
    predictor_prepare(p);
    return p;
}

static struct trial_settings defaults(int ensemble)
{
    struct trial_settings s;
    trial_defaults(&s);
    s.ensemble = ensemble;
    return s;
}

/* Scores of the first cells; branch 1 is the estimation branch. */
static void score(float *out, struct predictor *p, const struct space *s, int branch)
{
    static int64_t cell[SCORED];
    static float code[SCORED * CODE];
    for (int i = 0; i < SCORED; i++) code_of(code + (cell[i] = i) * CODE, i);
    const struct predictor_batch batch = {s, SCORED, cell, branch == 1 ? code : NULL};
    if (branch == 1) predictor_rescore(p, out, &batch);
    else predictor_score(p, out, &batch);
}

/* ---- ensembles -------------------------------------------------------------------------------------------------- */
/* Mean, variance, covariance and best by hand, from members that are scored one at a time; the first one is the single predictor. */
static void test_members(void **state)
{
    (void)state;
    ON_RANK(0);
    enum { MEMBERS = 3 };
    const struct trial_settings one = defaults(1), many = defaults(MEMBERS);
    const struct pool *pool = pool_create(0, 1);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        struct predictor *single = trained(kinds[k], &one, pool, 20), *all = trained(kinds[k], &many, pool, 20);
        size_t weights, count;
        float *to = predictor_state(single, &weights), *from = predictor_state(all, &count);
        assert_int_equal(count, MEMBERS * weights + 1);
        assert_memory_equal(to, from, weights * sizeof *to);
        assert_false(predictor_believes(single));
        assert_true(predictor_believes(all));
        float best = 0;
        for (int i = 0; i < POOL; i++) best = fmaxf(best, pool->label[i]);
        assert_true(predictor_incumbent(all) == (double)best);

        for (int branch = 0; branch < (kinds[k] == PREDICTOR_NAIVE ? 1 : 2); branch++) {
            static float member[MEMBERS][SCORED], got[SCORED], code[SCORED * CODE];
            static int64_t cell[SCORED];
            double mean[SCORED], variance[SCORED], covariance[SCORED];
            for (int m = 0; m < MEMBERS; m++) {
                memcpy(to, from + (size_t)m * weights, weights * sizeof *to);
                predictor_prepare(single);
                score(member[m], single, &space, branch);
            }
            assert_true(memcmp(member[0], member[1], sizeof member[0]) != 0 && memcmp(member[1], member[2], sizeof member[0]) != 0);
            score(got, all, &space, branch);
            for (int i = 0; i < SCORED; i++) code_of(code + (cell[i] = i) * CODE, i);
            const struct predictor_batch batch = {&space, SCORED, cell, branch == 1 ? code : NULL};
            const struct predictor_batch lone = {&space, 1, &cell[11], branch == 1 ? code + 11 * CODE : NULL};
            assert_int_equal(predictor_believe(all, mean, variance, &batch), STATUS_OK);
            assert_int_equal(predictor_covariance(all, covariance, &lone, &batch), STATUS_OK);
            const double eleven[] = {(double)member[0][11], (double)member[1][11], (double)member[2][11]};
            for (int i = 0; i < SCORED; i++) {
                const double x[] = {(double)member[0][i], (double)member[1][i], (double)member[2][i]};
                const double middle = (x[0] + x[1] + x[2]) / 3, other = (eleven[0] + eleven[1] + eleven[2]) / 3;
                double square = 0, product = 0;
                for (int m = 0; m < MEMBERS; m++) square += (x[m] - middle) * (x[m] - middle) / 2, product += (x[m] - middle) * (eleven[m] - other) / 2;
                assert_true(fabs(mean[i] - middle) < 1e-12 && got[i] == (float)mean[i]);
                assert_true(fabs(variance[i] - fmax(square, 1e-10)) < 1e-12);
                assert_true(fabs(covariance[i] - product) < 1e-12);
            }
        }
        predictor_destroy(&single);
        predictor_destroy(&all);
    }
    fixture_release();
}

/* ---- targets and loss ------------------------------------------------------------------------------------------- */
/* Labels in other units make the same network; its scores are in these units. */
static void test_standardised(void **state)
{
    (void)state;
    ON_RANK(1);
    struct trial_settings set = defaults(2);
    set.standardise = true;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (int branch = 0; branch < (kinds[k] == PREDICTOR_NAIVE ? 1 : 2); branch++) {
            float a[SCORED], b[SCORED];
            const struct pool *plain = pool_create(0, 1), *other = pool_create(-1, 4);
            struct predictor *p = trained(kinds[k], &set, plain, 10), *q = trained(kinds[k], &set, other, 10);
            score(a, p, &space, branch);
            score(b, q, &space, branch);
            for (int i = 0; i < SCORED; i++) assert_true(fabsf(b[i] - (4 * a[i] - 1)) < 1e-3f);
            predictor_destroy(&p);
            predictor_destroy(&q);
            fixture_release();
        }
}

/* Only the order of the labels is learnt; what is said of the pool has their mean and deviation. */
static void test_rank(void **state)
{
    (void)state;
    ON_RANK(2);
    struct trial_settings set = defaults(1);
    set.rank_loss = true;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        struct pool *plain = pool_create(0, 1), *bent = pool_create(0, 1);
        for (int i = 0; i < POOL; i++) bent->label[i] = bent->label[i] * bent->label[i];
        struct predictor *p = trained(kinds[k], &set, plain, 60), *q = trained(kinds[k], &set, bent, 60);
        size_t count;
        const size_t but_units = (LANES > 4 ? LANES : 4);
        const float *a = predictor_state(p, &count), *b = predictor_state(q, &count);
        assert_memory_equal(a, b, (count - but_units) * sizeof *a);
        for (int branch = 0; branch < (kinds[k] == PREDICTOR_NAIVE ? 1 : 2); branch++) {
            const struct predictor_batch batch = {&space, POOL, plain->cell, branch == 1 ? plain->code : NULL};
            float said[POOL];
            double m[2] = {0, 0}, s[2] = {0, 0};
            int right = 0, pairs = 0;
            if (branch == 1) predictor_rescore(p, said, &batch);
            else predictor_score(p, said, &batch);
            for (int i = 0; i < POOL; i++) m[0] += (double)said[i] / POOL, m[1] += (double)plain->label[i] / POOL;
            for (int i = 0; i < POOL; i++) s[0] += pow((double)said[i] - m[0], 2), s[1] += pow((double)plain->label[i] - m[1], 2);
            assert_true(fabs(m[0] - m[1]) < 1e-4 && fabs(sqrt(s[0]) / sqrt(s[1]) - 1) < 1e-3);
            for (int i = 0; i < POOL; i++)
                for (int j = 0; j < POOL; j++)
                    if (plain->label[i] > plain->label[j]) right += said[i] > said[j], pairs++;
            assert_true(right > 0.75 * pairs); /* it learns */
        }
        predictor_destroy(&p);
        predictor_destroy(&q);
        fixture_release();
    }
}

/* ---- pruned cells ----------------------------------------------------------------------------------------------- */
/* A predictor that prunes, on a space, gives the bits of one that does not, on a space whose graphs are pruned. */
static void test_prune(void **state)
{
    (void)state;
    ON_RANK(3);
    struct trial_settings set = defaults(1);
    struct space before = space, after = space;
    bool dead[5];
    static char zeros[] = "zeros";
    char *vocabulary[5];
    memcpy(vocabulary, space.vocabulary, sizeof vocabulary);
    vocabulary[1] = zeros;
    before.vocabulary = after.vocabulary = vocabulary;
    live_dead(dead, &before);
    after.graphs = CELLS;
    after.graph = fixture_take(CELLS, sizeof *after.graph);
    after.graph_of = fixture_take(CELLS, sizeof *after.graph_of);
    int changed = 0;
    for (int64_t i = 0; i < CELLS; i++) {
        uint8_t operation[NODES];
        uint32_t ends;
        after.graph_of[i] = (uint32_t)i;
        space_cell(operation, &before, i);
        live_prune(&after.graph[i], space_graph(&before, i), live_nodes(&ends, space_graph(&before, i), operation, dead, NODES), NODES);
        changed += memcmp(after.graph[i].successors, space_graph(&before, i)->successors, NODES * sizeof(uint32_t)) != 0;
    }
    assert_true(changed > 50 && changed < CELLS);
    struct pool *pool = pool_create(0, 1);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        struct predictor *p[3];
        float said[3][SCORED];
        for (int i = 0; i < 3; i++) { /* pruned by the predictor, beforehand, not at all */
            set.prune = i == 0;
            pool->view.space = i == 1 ? &after : &before;
            p[i] = trained(kinds[k], &set, pool, 10);
            score(said[i], p[i], pool->view.space, kinds[k] != PREDICTOR_NAIVE);
        }
        assert_memory_equal(said[0], said[1], sizeof said[0]);
        assert_true(memcmp(said[0], said[2], sizeof said[0]) != 0);
        for (int i = 0; i < 3; i++) predictor_destroy(&p[i]);
    }
    fixture_release();
}

/* ---- files ------------------------------------------------------------------------------------------------------ */
/* Weights from a file prune and have units as before; an ensemble has no file. */
static void test_files(void **state)
{
    (void)state;
    ON_RANK(4);
    const struct pool *pool = pool_create(0, 1);
    assert_int_equal(scratch_open(state), 0);
    for (int how = 0; how < 3; how++) {
        struct trial_settings set = defaults(1);
        set.rank_loss = how == 0, set.standardise = how == 1, set.prune = how > 0;
        struct predictor *p = trained(PREDICTOR_SIAMESE, &set, pool, 10), *again;
        struct siamese *weights;
        char *vocabulary;
        float before[SCORED], after[SCORED];
        assert_int_equal(predictor_save(p, &space, scratch("weights")), STATUS_OK);
        assert_int_equal(siamese_file_read(&weights, &vocabulary, scratch("weights")), STATUS_OK);
        assert_int_equal(siamese_renumber(&weights, vocabulary, space.vocabulary, space.operations, "cells"), STATUS_OK);
        assert_true(siamese_shape(weights)->pruned == set.prune && siamese_shape(weights)->linear == (how < 2));
        assert_int_equal(predictor_adopt(&again, weights, &space), STATUS_OK);
        predictor_prepare(again);
        for (int branch = 0; branch < 2; branch++) {
            score(before, p, &space, branch);
            score(after, again, &space, branch);
            assert_memory_equal(before, after, sizeof before);
        }
        free(vocabulary);
        predictor_destroy(&p);
        predictor_destroy(&again);
    }
    const struct trial_settings many = defaults(2);
    struct predictor *p = trained(PREDICTOR_NAIVE, &many, pool, 1);
    assert_int_equal(predictor_save(p, &space, scratch("weights")), STATUS_INPUT);
    status_clear();
    predictor_destroy(&p);
    scratch_close(state);
    fixture_release();
}

/* ---- samplers that ask how sure it is --------------------------------------------------------------------------- */
static struct trial_settings asking(int epochs, int codes)
{
    struct trial_settings set = settings(false);
    set.ensemble = 3;
    set.acquisition.epochs = epochs;
    set.acquisition.codes = codes;
    set.acquisition.batch = 4;
    set.acquisition.design_pool = 40;
    return set;
}

/* Groups of every size come to the result of one rank; what ran before does not matter. */
static void test_groups(void **state)
{
    (void)state;
    for (int how = 0; how < 2; how++) {
        struct trial_settings set = asking(how == 0 ? 3 : 0, how == 0 ? 6 : 0);
        set.rank_loss = how == 1;
        set.prune = how == 0;
        struct bench alone = bench_create(&set, &options[0], NULL);
        for (int members = ranks > 1 ? 2 : 1; members <= ranks; members += 2) {
            struct group group;
            struct trial *trial = NULL;
            struct candidate *candidate;
            MPI_ASSERT(group_create(&group, MPI_COMM_WORLD, members) == STATUS_OK);
            MPI_ASSERT(candidate_create(&candidate, &space, &options[0]) == STATUS_OK);
            MPI_ASSERT(group.idle || trial_create(&trial, &group, &space, &set, N_MAX, NULL) == STATUS_OK);
            for (int k = 0; k < 3; k++) { /* each sampler once, of another predictor the second time */
                const enum sampler_kind sampler = (enum sampler_kind)(SAMPLER_EI + (k + how) % 3);
                const struct trial_spec spec = spec_of(kinds[k], sampler, 16, (uint32_t)group.index);
                struct trial_result r;
                MPI_ASSERT(method_family(spec.method) == METHOD_ROUNDS);
                MPI_ASSERT(group.idle || trial_run(&r, trial, candidate, &spec) == STATUS_OK);
                if (group.rank == 0) {
                    struct plain_result got = keep(&r), expected = run(&alone, &spec);
                    expect_same(&got, &expected, &spec);
                    assert_int_equal(got.pool_size, 16);
                    assert_int_equal(got.training_cost.trainings, 16);
                }
            }
            trial_destroy(&trial);
            candidate_destroy(&candidate);
            group_destroy(&group);
        }
        bench_destroy(&alone);
        fixture_release();
    }
}

/* One network cannot answer. */
static void test_refused(void **state)
{
    (void)state;
    ON_RANK(5);
    struct trial_settings set = asking(3, 0);
    set.ensemble = 1;
    struct bench b = bench_create(&set, &options[0], NULL);
    struct trial_spec spec = spec_of(PREDICTOR_NAIVE, SAMPLER_TS, 20, 1);
    struct trial_result r;
    status_clear();
    assert_int_equal(trial_run(&r, b.trial, b.candidate, &spec), STATUS_INPUT);
    assert_non_null(strstr(status_message(), "training.ensemble"));
    status_clear();
    spec.method.sampler = SAMPLER_BTS; /* goes on after the refusal */
    assert_int_equal(trial_run(&r, b.trial, b.candidate, &spec), STATUS_OK);
    bench_destroy(&b);
    fixture_release();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begin), cmocka_unit_test(test_members), cmocka_unit_test(test_standardised), cmocka_unit_test(test_rank),
        cmocka_unit_test(test_prune), cmocka_unit_test(test_files), cmocka_unit_test(test_groups), cmocka_unit_test(test_refused),
        cmocka_unit_test(end),
    };
    RANKS_MAIN(tests);
}
