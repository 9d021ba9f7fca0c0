/* What a trial pays and when, as method.md sections 4, 6, 7 and 9 say; and the published settings. */
#include "ranks.h"

#include "trial_fixture.h"

static int64_t count_known(const bool *known)
{
    int64_t n = 0;
    for (int i = 0; i < CELLS; i++) n += known[i];
    return n;
}

static void expect_costs(const struct plain_result *r, const struct trial_spec *spec, const struct trial_settings *set)
{
    const bool learns = spec->method.predictor != PREDICTOR_RANDOM, codes = method_needs_code(spec->method);
    bool pool[CELLS] = {0}, code[CELLS] = {0}, maybe[CELLS] = {0};
    int64_t part[CELLS];
    struct random_stream s;

    /* N - 3 different cells in the pool, and at most the three looked-up first choices besides */
    assert_int_equal(r->pool_size, learns ? spec->n - 3 : 0);
    for (int i = 0; i < r->pool_size; i++) pool[r->pool[i]] = true;
    assert_int_equal(count_known(pool), r->pool_size);
    int64_t looked_up = r->training_cost.trainings - r->pool_size;
    assert_in_range(looked_up, 0, learns ? 3 : 0);

    /* the first choices are among the fixed tenth; c = 30 is all of it here, so its codes are all bought */
    random_open(&s, spec->seed, spec->trial, (uint32_t)spec->n, RANDOM_SELECT);
    random_subset(part, CELLS / 10, CELLS, &s);
    for (int i = 0; i < CELLS / 10; i++) maybe[part[i]] = learns && !pool[part[i]];
    for (int i = 0; i < CELLS; i++) code[i] = codes && (pool[i] || maybe[i]);
    if (spec->method.sampler == SAMPLER_RANDOM)
        assert_int_equal(r->training_cost.codes, count_known(code));
    else if (codes) /* the heads of ten more rankings, 30 each at most */
        assert_in_range(r->training_cost.codes, count_known(code), count_known(code) + 300);
    else
        assert_int_equal(r->training_cost.codes, 0);

    /* the final ranking: codes of its first 60, where not known */
    int64_t bought = r->training_cost.codes;
    for (int k = 0; codes && k < set->c_evaluate; k++) code[r->chosen[k]] = true;
    if (spec->method.sampler == SAMPLER_RANDOM)
        assert_int_equal(bought + r->codes_evaluate, count_known(code));
    else
        assert_in_range(r->codes_evaluate, 0, codes ? set->c_evaluate : 0);

    /* the first K: each costs one training unless it is in the pool or was looked up; never more than N + K in all */
    int64_t free_of_charge = 0;
    bool chosen[CELLS] = {0};
    for (int k = 0; k < r->k_max; k++) {
        int64_t step = r->trainings[k] - (k > 0 ? r->trainings[k - 1] : r->training_cost.trainings);
        const int64_t cell = r->chosen[k];
        assert_false(chosen[cell]);
        chosen[cell] = true;
        if (pool[cell]) assert_int_equal(step, 0);
        else if (!maybe[cell]) assert_int_equal(step, 1);
        else free_of_charge += 1 - step;
        assert_true(r->trainings[k] <= (learns ? spec->n : 0) + k + 1);
        assert_true(r->chosen_accuracy[k] == space.accuracy[cell] / 100);
        assert_true(k == 0 ? r->best[0] == r->chosen_accuracy[0] : r->best[k] == fmax(r->best[k - 1], r->chosen_accuracy[k]));
    }
    assert_true(free_of_charge <= looked_up);
    if (r->k_max == CELLS) {
        assert_int_equal(r->trainings[CELLS - 1], CELLS);
        assert_int_equal(free_of_charge, looked_up);
    }
}

static void test_costs(void **state)
{
    (void)state;
    ON_RANK(0);
    struct trial_settings set = settings(false);
    for (int k_max = 80; k_max <= CELLS; k_max += CELLS - 80) {
        set.k_max = k_max;
        struct bench b = bench_create(&set, &options[0], NULL);
        for (int p = 0; p < PREDICTOR_KINDS; p++)
            for (int s = 0; s < SAMPLER_KINDS; s++) {
                if (!is_method(p, s, true)) continue;
                const struct trial_spec spec = spec_of((enum predictor_kind)p, (enum sampler_kind)s, 30, 1);
                struct plain_result r = run(&b, &spec);
                expect_costs(&r, &spec, &set);
            }
        bench_destroy(&b);
        fixture_release();
    }
}

/* Methods of one trial start from the same random pool. */
static void test_paired(void **state)
{
    (void)state;
    ON_RANK(1);
    const struct trial_settings set = settings(false);
    struct bench b = bench_create(&set, &options[0], NULL);
    struct trial_spec spec = spec_of(PREDICTOR_NAIVE, SAMPLER_RANDOM, 33, 5);
    struct plain_result naive = run(&b, &spec);
    spec.method = (struct method){PREDICTOR_SIAMESE_NSAM, SAMPLER_RANDOM};
    struct plain_result nsam = run(&b, &spec);
    assert_memory_equal(naive.pool, nsam.pool, 30 * sizeof *naive.pool);
    for (int i = 1; i < 30; i++) assert_true(naive.pool[i - 1] < naive.pool[i]);
    spec.method.sampler = SAMPLER_BTS; /* lambda = 0.3: nine of these 30 slots at random */
    struct plain_result bts = run(&b, &spec);
    for (int i = 1; i < 9; i++) assert_true(bts.pool[i - 1] < bts.pool[i]);
    for (uint32_t trial = 0; trial < 5; trial++) { /* trials differ */
        struct trial_spec other = spec_of(PREDICTOR_RANDOM, SAMPLER_RANDOM, 33, trial);
        struct plain_result one = run(&b, &other);
        other.trial++;
        struct plain_result two = run(&b, &other);
        assert_memory_not_equal(one.chosen, two.chosen, 80 * sizeof *one.chosen);
    }
    bench_destroy(&b);
    fixture_release();
}

/* ---- the calendar of Batch Top Sampling ------------------------------------------------------------------------- */
enum { BEATS_MAX = 8000 };
struct calendar {
    const struct candidate *candidate;
    int beats;
    int64_t trainings[BEATS_MAX];
};

static void note(void *argument)
{
    struct calendar *c = argument;
    if (c->candidate != NULL && c->beats < BEATS_MAX) c->trainings[c->beats++] = candidate_cost(c->candidate).trainings;
}

/* N = 23: a pool of 20, two steps an epoch, 6 at the start, 14 in ten rounds: one each, and five in the last. There is a beat
 * after each step and after each block that is scored: one for a tenth of the space, two for all of it. */
static void expect_calendar(enum sampler_kind sampler)
{
    struct calendar *c = fixture_take(1, sizeof *c);
    const struct pulse pulse = {note, c};
    const struct trial_settings set = settings(true);
    struct bench b = bench_create(&set, &options[0], &pulse);
    c->candidate = b.candidate;
    const struct trial_spec spec = spec_of(PREDICTOR_NAIVE, sampler, 23, 3);
    run(&b, &spec);
    int at = 0, steps = 2, blocks = sampler == SAMPLER_FTS ? 2 : 1;
    if (sampler == SAMPLER_RANDOM) {
        for (int i = 0; i < 200 * steps; i++) assert_int_equal(c->trainings[at++], 20);
    } else {
        for (int i = 0; i < 40 * steps; i++) assert_int_equal(c->trainings[at++], 6);
        for (int round = 0; round < 10; round++) {
            for (int i = 0; i < 9 * steps + blocks; i++) assert_int_equal(c->trainings[at++], 6 + round);
        }
        for (int i = 0; i < (10 + 60) * steps; i++) assert_int_equal(c->trainings[at++], 20);
    }
    for (int epoch = 0; epoch < 3; epoch++)
        for (int i = 0; i < steps + 1; i++) assert_in_range(c->trainings[at++], 20, 20 + epoch);
    at += 2; /* the whole space, once */
    assert_int_equal(c->beats, at);
    bench_destroy(&b);
    fixture_release();
}

static void test_calendar(void **state)
{
    (void)state;
    ON_RANK(2);
    for (int s = 0; s <= SAMPLER_FTS; s++) expect_calendar((enum sampler_kind)s);
}

static void test_defaults(void **state)
{
    (void)state;
    struct trial_settings s;
    trial_defaults(&s);
    assert_memory_equal(s.epochs, ((int[]){40, 100, 60, 3}), sizeof s.epochs);
    assert_memory_equal(s.learning_rate, ((double[]){1e-3, 1e-3, 1e-4, 1e-4}), sizeof s.learning_rate);
    assert_true(s.batch == 8 && s.huber_delta == 0.5);
    assert_true(s.adam_beta1 == 0.9 && s.adam_beta2 == 0.999 && s.adam_epsilon == 1e-7);
    assert_true(s.norm_momentum == 0.997 && s.norm_epsilon == 1e-4 && !s.efm_value_own);
    assert_true(!s.rank_loss && !s.standardise && !s.prune && s.ensemble == 1);
    assert_true(s.initial_share == 0.3 && s.rounds == 10 && s.part == 0.1);
    assert_true(s.c_train == 30 && s.c_evaluate == 60 && s.k_max == 200);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begin), cmocka_unit_test(test_defaults), cmocka_unit_test(test_costs), cmocka_unit_test(test_paired),
        cmocka_unit_test(test_calendar), cmocka_unit_test(end),
    };
    RANKS_MAIN(tests);
}
