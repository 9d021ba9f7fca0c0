/* plain_search.h - ranking and trial of method.md sections 3 to 7 and 9 once more, written down step by step with full sorts
 * and no sharing, as the oracle of src/search; and a synthetic space with something to learn. Only predictors are shared. */
#ifndef PLAIN_SEARCH_H
#define PLAIN_SEARCH_H

#include "fixture.h"

#include "candidate.h"
#include "correlation.h"
#include "predictor.h"
#include "sample_space.h"
#include "topset.h"
#include "trial.h"

/* A space whose accuracy depends on operations and graph; the early losses and the signals tell of it. Everything is
 * known. Some cells are the same architecture as an earlier one: their scores tie. */
static inline void synthetic_space(struct space *s, int64_t cells, int nodes, uint64_t seed)
{
    static const double worth[] = {6, -9, 2, -3, 10};
    struct random_stream r;
    random_open(&r, seed, 2, 0, RANDOM_TEST);
    sample_space(s, cells, nodes, SAMPLE_ALL & ~SAMPLE_ARCH, seed);
    for (int64_t i = 0; i < cells; i++) {
        if (i % 9 == 8) {
            memcpy(s->operation + i * nodes, s->operation + i / 2 * nodes, (size_t)nodes);
            s->graph_of[i] = s->graph_of[i / 2];
        }
        double value = 55 + 3 * random_uniform(&r) - 4 * s->graph_of[i];
        for (int k = 0; k < nodes; k++) value += worth[s->operation[i * nodes + k]] * (1 + 0.1 * k) / nodes * 3;
        for (int d = 0; d < s->datasets; d++) {
            s->accuracy[d * cells + i] = value + d * random_uniform(&r);
            s->validation_accuracy[d * cells + i] = value - 5 + random_uniform(&r);
        }
        for (int e = 0; e < s->code_length; e++)
            s->early_loss[i * s->code_length + e] = 3 - value / 50 - 0.2 * e + 0.05 * random_uniform(&r);
        for (int g = 0; g < s->signals; g++) s->signal[g].value[i] = value * (g + 1) + random_uniform(&r);
    }
}

/* What has been paid for, and for which cells. */
struct plain_account {
    bool *trained, *coded; /* [cells] */
    struct candidate_cost cost;
};

struct plain_search {
    const struct space *space;
    const struct candidate_options *options;
    struct predictor *predictor;
    int code_length;
    struct plain_account account;
};

static inline double plain_train(struct plain_search *p, int64_t cell, bool label)
{
    const double *known = label && p->options->label_is_validation ? p->space->validation_accuracy : p->space->accuracy;
    p->account.cost.trainings += !p->account.trained[cell];
    p->account.trained[cell] = true;
    return known[p->options->dataset * p->space->cells + cell] / 100;
}

static inline void plain_code(float *code, struct plain_search *p, int64_t cell)
{
    p->account.cost.codes += !p->account.coded[cell];
    p->account.coded[cell] = true;
    for (int e = 0; e < p->code_length; e++) {
        double loss = p->space->early_loss[cell * p->space->code_length + e];
        code[e] = (float)(p->options->transform == CODE_LOG ? log(loss) : loss);
    }
}

static inline int plain_order(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return (x->cell > y->cell) - (x->cell < y->cell);
}

/* Siamese-Ranking: everything, in its final order. One cell a call of the predictor. */
static inline void plain_rank(struct scored *ranked, double *basic, struct plain_search *p, const int64_t *subset, int64_t n,
                              int c)
{
    predictor_prepare(p->predictor);
    for (int64_t i = 0; i < n; i++) {
        float score;
        ranked[i].cell = subset == NULL ? i : subset[i];
        predictor_score(p->predictor, &score, &(struct predictor_batch){p->space, 1, &ranked[i].cell, NULL});
        ranked[i].score = (double)score;
        if (basic != NULL) basic[i] = (double)score;
    }
    qsort(ranked, (size_t)n, sizeof *ranked, plain_order);
    if (!predictor_rescores(p->predictor)) return;
    for (int64_t i = 0; i < c && i < n; i++) {
        float code[64], score;
        plain_code(code, p, ranked[i].cell);
        predictor_rescore(p->predictor, &score, &(struct predictor_batch){p->space, 1, &ranked[i].cell, code});
        ranked[i].score = (double)score;
    }
    qsort(ranked, (size_t)(c < n ? c : n), sizeof *ranked, plain_order);
}

/* A trial's result that stays: arrays of the fixture. */
struct plain_result {
    int pool_size, k_max;
    int64_t *pool, *chosen, *trainings;
    double *best, *chosen_accuracy, *score;
    struct candidate_cost training_cost;
    int64_t codes_evaluate;
    double rho, tau, tau_top;
};

/* The pool: what is trained for the predictor. */
struct plain_pool {
    struct predictor_pool view;
    int64_t *cell;
    float *label, *code;
    bool *member;
};

static inline void plain_pool_add(struct plain_pool *pool, struct plain_search *p, int64_t cell)
{
    int64_t at = pool->view.size++;
    pool->member[cell] = true;
    pool->cell[at] = cell;
    pool->label[at] = (float)plain_train(p, cell, true);
    if (predictor_rescores(p->predictor)) plain_code(pool->code + at * p->code_length, p, cell);
}

static inline void plain_fit(struct plain_search *p, const struct plain_pool *pool, const struct trial_settings *set,
                             const struct trial_spec *spec, int phase, int epochs, bool restart)
{
    int steps = (spec->n - 3) / 8 > 1 ? (spec->n - 3) / 8 : 1;
    const struct predictor_phase stretch = {epochs, steps, set->learning_rate[phase], restart};
    predictor_fit(p->predictor, &pool->view, &stretch, NULL);
}

/* Sections 4 and 6: the pool grows while the predictor is trained; the best of the last three epochs is kept. */
static inline void plain_learn(struct plain_pool *pool, struct plain_search *p, const struct trial_settings *set,
                               const struct trial_spec *spec)
{
    const int64_t cells = p->space->cells, tenth = (cells + 5) / 10;
    const int target = spec->n - 3;
    int64_t *part = fixture_take((size_t)cells, sizeof *part);
    struct scored *ranked = fixture_take((size_t)cells, sizeof *ranked);
    struct random_stream s;
    random_open(&s, spec->seed, spec->trial, (uint32_t)spec->n, RANDOM_POOL);
    int initial = spec->method.sampler == SAMPLER_RANDOM ? target : 3 * target / 10;
    if (initial < 1) initial = 1;
    random_subset(part, initial, cells, &s);
    for (int i = 0; i < initial; i++) plain_pool_add(pool, p, part[i]);
    plain_fit(p, pool, set, spec, 0, set->epochs[0], true);

    int rounds = initial < target ? 10 : 0, epochs = 0, each = (target - initial) / 10;
    random_open(&s, spec->seed, spec->trial, (uint32_t)spec->n, RANDOM_TENTH);
    for (int round = 1; round <= rounds; round++) {
        plain_fit(p, pool, set, spec, 1, set->epochs[1] / 11, round == 1);
        epochs += set->epochs[1] / 11;
        bool whole = spec->method.sampler == SAMPLER_FTS;
        if (!whole) random_subset(part, tenth, cells, &s);
        plain_rank(ranked, NULL, p, whole ? NULL : part, whole ? cells : tenth, set->c_train);
        int wanted = round == 10 ? target : initial + each * round;
        for (int64_t i = 0; i < (whole ? cells : tenth) && pool->view.size < wanted; i++)
            if (!pool->member[ranked[i].cell]) plain_pool_add(pool, p, ranked[i].cell);
    }
    plain_fit(p, pool, set, spec, 1, set->epochs[1] - epochs, epochs == 0);
    plain_fit(p, pool, set, spec, 2, set->epochs[2], true);

    random_open(&s, spec->seed, spec->trial, (uint32_t)spec->n, RANDOM_SELECT);
    random_subset(part, tenth, cells, &s);
    size_t count;
    float *weights = predictor_state(p->predictor, &count), *kept = fixture_take(count, sizeof *kept);
    double best = -1;
    for (int epoch = 0; epoch < 3; epoch++) {
        plain_fit(p, pool, set, spec, 3, 1, epoch == 0);
        plain_rank(ranked, NULL, p, part, tenth, set->c_train);
        double truth = plain_train(p, ranked[0].cell, true);
        if (truth > best) memcpy(kept, weights, count * sizeof *kept);
        best = truth > best ? truth : best;
    }
    memcpy(weights, kept, count * sizeof *kept);
}

/* Section 7: judge the whole ranking, and train its first K. */
static inline void plain_evaluate(struct plain_result *out, struct plain_search *p, const struct trial_settings *set)
{
    const int64_t cells = p->space->cells, tenth = cells / 10;
    struct scored *ranked = fixture_take((size_t)cells, sizeof *ranked);
    plain_rank(ranked, NULL, p, NULL, cells, set->c_evaluate);
    out->codes_evaluate = p->account.cost.codes - out->training_cost.codes;
    for (int k = 0; k < set->k_max; k++) {
        out->chosen[k] = ranked[k].cell;
        out->score[k] = ranked[k].score;
        out->chosen_accuracy[k] = plain_train(p, ranked[k].cell, false);
        out->trainings[k] = p->account.cost.trainings;
        for (int before = 0; before <= k; before++) out->best[k] = fmax(out->best[k], out->chosen_accuracy[before]);
    }
    double *worth = fixture_take((size_t)cells, sizeof *worth), *truth = fixture_take((size_t)cells, sizeof *truth);
    double *top_worth = fixture_take((size_t)tenth, sizeof *worth), *top_truth = fixture_take((size_t)tenth, sizeof *truth);
    int64_t *order = fixture_take((size_t)cells, sizeof *order);
    for (int64_t i = 0; i < cells; i++) {
        worth[ranked[i].cell] = (double)(cells - i);
        truth[i] = p->space->accuracy[p->options->dataset * cells + i];
    }
    correlation_spearman(&out->rho, worth, truth, cells);
    correlation_kendall(&out->tau, worth, truth, cells);
    correlation_order(order, truth, cells);
    for (int64_t i = 0; i < tenth; i++) {
        top_worth[i] = worth[order[i]];
        top_truth[i] = truth[order[i]];
    }
    correlation_kendall(&out->tau_top, top_worth, top_truth, tenth);
}

static inline void plain_trial(struct plain_result *out, const struct space *space, const struct candidate_options *options,
                               const struct trial_settings *set, const struct trial_spec *spec)
{
    const size_t cells = (size_t)space->cells, k = (size_t)set->k_max;
    const struct plain_account account = {fixture_take(cells, 1), fixture_take(cells, 1), {0, 0}};
    struct plain_search p = {space, options, NULL, options->code_length, account};
    struct plain_pool pool = {{0}, fixture_take(cells, sizeof(int64_t)), fixture_take(cells, sizeof(float)),
                              fixture_take(cells * (size_t)(p.code_length + 1), sizeof(float)), fixture_take(cells, 1)};
    pool.view = (struct predictor_pool){space, 0, pool.cell, pool.label, pool.code};
    *out = (struct plain_result){.k_max = set->k_max, .pool = pool.cell};
    out->chosen = fixture_take(k, sizeof *out->chosen);
    out->trainings = fixture_take(k, sizeof *out->trainings);
    out->best = fixture_take(k, sizeof *out->best);
    out->chosen_accuracy = fixture_take(k, sizeof *out->chosen_accuracy);
    out->score = fixture_take(k, sizeof *out->score);
    assert_int_equal(predictor_create(&p.predictor, spec->method.predictor, space, p.code_length, set, (int)space->cells, MPI_COMM_SELF), STATUS_OK);
    predictor_start(p.predictor, spec->seed, spec->trial, (uint32_t)spec->n);
    if (spec->method.predictor != PREDICTOR_RANDOM) plain_learn(&pool, &p, set, spec);
    out->pool_size = (int)pool.view.size;
    out->training_cost = p.account.cost;
    plain_evaluate(out, &p, set);
    predictor_destroy(&p.predictor);
}

#endif
