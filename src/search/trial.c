#include "trial.h"

#include "memory.h"
#include "pool.h"
#include "predictor.h"
#include "random.h"
#include "ranking.h"
#include "status.h"
#include "trial_evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WARM_UP, SAMPLE, REFINE, SELECT };

struct trial {
    const struct group *group;
    const struct space *space;
    struct trial_settings settings;
    const struct pulse *pulse;
    int n_max, code_length;
    struct predictor *predictor; /* of the last trial; another kind of predictor takes its place */
    enum predictor_kind kind;
    struct ranking *ranking;
    struct pool *pool;
    int64_t *part;              /* [cells of a part] random part of the space */
    float *kept;                /* the selected weights, on rank 0 */
    size_t kept_size;
    struct evaluation evaluation;
    /* the running trial */
    const struct trial_spec *spec;
    struct candidate *candidate;
    struct timer timer;
};

void trial_defaults(struct trial_settings *s)
{
    *s = (struct trial_settings){
        .batch = 8,
        .epochs = {40, 100, 60, 3},
        .learning_rate = {1e-3, 1e-3, 1e-4, 1e-4},
        .huber_delta = 0.5,
        .adam_beta1 = 0.9, .adam_beta2 = 0.999, .adam_epsilon = 1e-7,
        .norm_momentum = 0.997, .norm_epsilon = 1e-4,
        .initial_share = 0.3, .rounds = 10, .part = 0.1,
        .c_train = 30, .c_evaluate = 60, .k_max = 200,
    };
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* The longest list that a trial asks of a ranking: new cells for the pool may stand behind all that are in it. */
static int longest_list(const struct trial_settings *s, int n_max)
{
    return larger(larger(s->k_max, n_max), larger(s->c_train, s->c_evaluate));
}

/* Cells of a part of the space: at least one. */
static int64_t part_size(const struct space *space, const struct trial_settings *s)
{
    int64_t cells = (int64_t)floor(s->part * (double)space->cells + 0.5);
    return cells < 1 ? 1 : cells;
}

int trial_create(struct trial **out, const struct group *group, const struct space *space, const struct trial_settings *settings,
                 int n_max, const struct pulse *pulse)
{
    struct trial *t;
    int status;
    *out = NULL;
    TRY(memory_alloc(&t, 1, sizeof *t));
    t->group = group;
    t->space = space;
    t->settings = *settings;
    t->pulse = pulse;
    t->n_max = n_max;
    t->code_length = -1;
    TRY_DONE(memory_alloc(&t->part, (size_t)part_size(space, settings), sizeof *t->part));
    TRY_DONE(evaluation_create(&t->evaluation, space->cells, settings->k_max));
    *out = t;
done:
    if (status != STATUS_OK) trial_destroy(&t);
    return status;
}

static void release_code_dependent(struct trial *t)
{
    predictor_destroy(&t->predictor);
    ranking_destroy(&t->ranking);
    pool_destroy(&t->pool);
}

void trial_destroy(struct trial **t)
{
    if (*t == NULL) return;
    release_code_dependent(*t);
    free((*t)->part);
    free((*t)->kept);
    evaluation_destroy(&(*t)->evaluation);
    free(*t);
    *t = NULL;
}

/* What depends on the code's length is made for the first candidate, and anew only if that changes. */
static int prepare(struct trial *t, struct candidate *candidate, const struct trial_spec *spec)
{
    const int length = candidate_code_length(candidate);
    if (length != t->code_length) {
        release_code_dependent(t);
        TRY(ranking_create(&t->ranking, t->group, t->space, longest_list(&t->settings, t->n_max), length, t->pulse));
        TRY(pool_create(&t->pool, t->space, t->n_max, length));
        t->code_length = length;
    }
    if (method_needs_code(spec->method) && length == 0)
        return status_fail(STATUS_INPUT, "%s has no early_loss: the predictor needs an Estimation Code (choose `naive`, or another `code`)",
                           t->space->path);
    if (t->predictor != NULL && t->kind != spec->method.predictor) predictor_destroy(&t->predictor);
    if (t->predictor == NULL) TRY(predictor_create(&t->predictor, spec->method.predictor, t->space, length, &t->settings));
    t->kind = spec->method.predictor;
    size_t state;
    predictor_state(t->predictor, &state);
    if (t->group->rank == 0 && state > t->kept_size) {
        free(t->kept);
        t->kept_size = 0;
        TRY(memory_alloc(&t->kept, state, sizeof *t->kept));
        t->kept_size = state;
    }
    t->spec = spec;
    t->candidate = candidate;
    t->timer = (struct timer){{0}};
    return STATUS_OK;
}

/* Train for some epochs of a phase, on rank 0 only: ranking_top hands the weights to the others. */
static void fit(struct trial *t, int phase, int epochs, bool restart)
{
    if (t->group->rank != 0) return;
    const double begin = timer_now();
    int steps = (t->spec->n - t->settings.epochs[SELECT]) / t->settings.batch; /* from the budget, not from the pool's present size */
    struct predictor_phase p = {epochs, larger(steps, 1), t->settings.learning_rate[phase], restart};
    predictor_fit(t->predictor, &t->pool->view, &p, t->pulse);
    t->timer.seconds[TIMER_TRAIN] += timer_now() - begin;
}

/* Rank a random part of the space, or all of it. */
static int rank_part(const struct topset **top, struct trial *t, struct random_stream *stream, bool whole)
{
    const double begin = timer_now();
    int64_t cells = whole ? t->space->cells : part_size(t->space, &t->settings);
    if (!whole) random_subset(t->part, cells, t->space->cells, stream);
    int status = ranking_top(top, NULL, t->ranking, t->predictor, t->candidate, whole ? NULL : t->part, cells, t->settings.c_train);
    t->timer.seconds[TIMER_RANK] += timer_now() - begin;
    return status;
}

static struct random_stream stream_of(const struct trial *t, enum random_purpose purpose)
{
    struct random_stream s;
    random_open(&s, t->spec->seed, t->spec->trial, (uint32_t)t->spec->n, purpose);
    return s;
}

/* The sampling phase: train, and let the sampler add the top of a ranking to the pool `rounds` times. Equal shares; the
 * last round takes the remainder, and what an earlier round could not find. */
static int sample(struct trial *t, int64_t pool_target)
{
    const struct trial_settings *s = &t->settings;
    const bool codes = predictor_rescores(t->predictor);
    const int64_t initial = t->pool->view.size, share = (pool_target - initial) / s->rounds;
    const int every = s->epochs[SAMPLE] / (s->rounds + 1);
    struct random_stream tenth = stream_of(t, RANDOM_TENTH);
    int epochs = 0;
    for (int round = 1; round <= s->rounds && pool_target > initial; round++) {
        const struct topset *top;
        fit(t, SAMPLE, every, round == 1);
        epochs += every;
        TRY(rank_part(&top, t, &tenth, t->spec->method.sampler == SAMPLER_FTS));
        int64_t wanted = (round == s->rounds ? pool_target : initial + round * share) - t->pool->view.size;
        TRY(pool_add_top(t->pool, t->candidate, top, wanted, codes));
    }
    fit(t, SAMPLE, s->epochs[SAMPLE] - epochs, epochs == 0);
    return STATUS_OK;
}

/* The last epochs: after each, look up the first choice on a fixed part of the space; keep the best epoch's weights. */
static int select_weights(struct trial *t)
{
    struct random_stream fixed = stream_of(t, RANDOM_SELECT);
    double best = -1;
    size_t size;
    float *state = predictor_state(t->predictor, &size);
    for (int epoch = 0; epoch < t->settings.epochs[SELECT]; epoch++) {
        const struct topset *top;
        struct random_stream same = fixed;
        double label;
        fit(t, SELECT, 1, epoch == 0);
        TRY(rank_part(&top, t, &same, false));
        TRY(candidate_train(t->candidate, &label, NULL, &top->item[0].cell, 1));
        if (label > best) {
            best = label;
            if (t->group->rank == 0) memcpy(t->kept, state, size * sizeof *state);
        }
    }
    if (best >= 0 && t->group->rank == 0) memcpy(state, t->kept, size * sizeof *state);
    return STATUS_OK;
}

/* Fill the pool and train the predictor. */
static int train(struct trial *t)
{
    const struct trial_settings *s = &t->settings;
    const bool all_at_once = t->spec->method.sampler == SAMPLER_RANDOM;
    const int64_t pool_target = t->spec->n - s->epochs[SELECT]; /* the looked-up first choices are paid from N */
    int64_t initial = all_at_once ? pool_target : (int64_t)floor(s->initial_share * (double)pool_target + 1e-9);
    if (initial < 1) initial = 1;

    struct random_stream stream = stream_of(t, RANDOM_POOL);
    random_subset(t->pool->cell, initial, t->space->cells, &stream); /* drawn where they will stand */
    TRY(pool_add(t->pool, t->candidate, t->pool->cell, initial, predictor_rescores(t->predictor)));
    fit(t, WARM_UP, s->epochs[WARM_UP], true);
    TRY(sample(t, pool_target));
    fit(t, REFINE, s->epochs[REFINE], true);
    return select_weights(t);
}

int trial_run(struct trial_result *out, struct trial *t, struct candidate *candidate, const struct trial_spec *spec)
{
    int status = prepare(t, candidate, spec);
    TRY(t->group->size > 1 ? status_agree(t->group->comm, status) : status); /* collectives follow */
    candidate_reset(candidate);
    pool_clear(t->pool);
    predictor_start(t->predictor, spec->seed, spec->trial, (uint32_t)spec->n);
    if (spec->method.predictor != PREDICTOR_RANDOM) TRY(train(t)); /* a lot needs no training, and pays for none */
    *out = (struct trial_result){.k_max = t->settings.k_max, .training_cost = candidate_cost(candidate)};

    const double begin = timer_now();
    const struct topset *top;
    double *basic = t->evaluation.score;
    TRY(ranking_top(&top, basic, t->ranking, t->predictor, candidate, NULL, t->space->cells, t->settings.c_evaluate));
    out->codes_evaluate = candidate_cost(candidate).codes - out->training_cost.codes;
    int resorted = predictor_rescores(t->predictor) ? t->settings.c_evaluate : 0;
    TRY(evaluation_run(&t->evaluation, out, candidate, t->group, top, resorted));
    t->timer.seconds[TIMER_EVALUATE] += timer_now() - begin;

    out->place = ranking_places(t->ranking);
    out->pool = t->pool->cell;
    out->pool_score = t->pool->score;
    out->pool_size = (int)t->pool->view.size;
    out->queries = candidate_history(&out->query, candidate);
    out->timer = t->timer;
    return STATUS_OK;
}

struct predictor *trial_predictor(const struct trial *t)
{
    return t->predictor;
}

size_t trial_memory(const struct space *space, const struct trial_settings *settings, int n_max)
{
    const size_t rows = (size_t)(settings->batch * space->nodes), wide = 64 * sizeof(float);
    const size_t activations = 60 * rows * wide;                 /* training step of the largest predictor */
    const size_t weights = 5 * 90000 * sizeof(float);            /* weights, folded, gradient, two moments */
    const size_t cells = (size_t)space->cells * (sizeof(double) * 4 + sizeof(int64_t) + 2);
    const size_t lists = (size_t)longest_list(settings, n_max) * 128;
    return activations + weights + cells + lists;
}
