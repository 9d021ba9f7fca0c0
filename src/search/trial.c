#include "trial.h"

#include "memory.h"
#include "status.h"
#include "trial_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void trial_defaults(struct trial_settings *s)
{
    *s = (struct trial_settings){
        .batch = 8,
        .epochs = {40, 100, 60, 3},
        .learning_rate = {1e-3, 1e-3, 1e-4, 1e-4},
        .huber_delta = 0.5,
        .adam_beta1 = 0.9, .adam_beta2 = 0.999, .adam_epsilon = 1e-7,
        .norm_momentum = 0.997, .norm_epsilon = 1e-4,
        .ensemble = 1,
        .initial_share = 0.3, .rounds = 10, .part = 0.1,
        .c_train = 30, .c_evaluate = 60, .k_max = 200,
        .acquisition = {.initial = 6, .design = DESIGN_CODE, .design_pool = 200, .batch = 1, .codes = 0, .epochs = 20, .kappa = 2},
        .gp_together_from = 2000,
        .evolution = {50, 10},
        .local_search = {10},
        .weaknas = {10, 10, 100, 1000, 100},
        .brp = {5, 64, 50},
        .prednas = {20, 10, 50, 0.1, 0, 1},
    };
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* The longest list that a trial asks of a ranking: new cells for the pool may stand behind all that are in it. */
static int longest_list(const struct trial_settings *s, int n_max, struct method m)
{
    const int behind = m.sampler == SAMPLER_WEAKNAS ? s->weaknas.top : 0;
    return larger(larger(s->k_max, n_max + behind), larger(s->c_train, s->c_evaluate));
}

int64_t trial_part(const struct space *space, const struct trial_settings *s)
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
    TRY_DONE(memory_alloc(&t->part, (size_t)trial_part(space, settings), sizeof *t->part));
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
    acquisition_destroy(&t->acquisition);
}

void trial_destroy(struct trial **t)
{
    if (*t == NULL) return;
    release_code_dependent(*t);
    free((*t)->part);
    free((*t)->kept);
    free((*t)->near);
    free((*t)->list);
    neighbourhood_destroy(&(*t)->neighbourhood);
    ascent_destroy(&(*t)->ascent);
    evaluation_destroy(&(*t)->evaluation);
    free(*t);
    *t = NULL;
}

/* Made for the first method that walks. */
static int prepare_neighbourhood(struct trial *t)
{
    if (t->near != NULL) return STATUS_OK;
    if (t->neighbourhood == NULL) TRY(neighbourhood_create(&t->neighbourhood, t->space));
    return memory_alloc(&t->near, (size_t)neighbourhood_most(t->neighbourhood), sizeof *t->near);
}

/* What depends on the code's length is made for the first candidate, and anew only if that changes. */
static int prepare(struct trial *t, struct candidate *candidate, const struct trial_spec *spec)
{
    const int length = candidate_code_length(candidate);
    const int most = longest_list(&t->settings, t->n_max, spec->method);
    if (length != t->code_length) {
        release_code_dependent(t);
        TRY(pool_create(&t->pool, t->space, t->n_max, length));
        t->code_length = length;
    }
    if (t->ranking == NULL || most > t->most) {
        ranking_destroy(&t->ranking);
        TRY(memory_grow(&t->list, 0, (size_t)most, sizeof *t->list));
        TRY(ranking_create(&t->ranking, t->group, t->space, most, length, t->pulse));
        t->most = most;
    }
    if (method_needs_code(spec->method) && length == 0)
        return status_fail(STATUS_INPUT, "%s has no early_loss: the predictor needs an Estimation Code (choose `naive`, or another `code`)",
                           t->space->path);
    if (t->predictor != NULL && t->kind != spec->method.predictor) predictor_destroy(&t->predictor);
    if (t->predictor == NULL) TRY(predictor_create(&t->predictor, spec->method.predictor, t->space, length, &t->settings, t->n_max, t->group->comm));
    t->kind = spec->method.predictor;
    if (method_asks(spec->method) && !predictor_believes(t->predictor))
        return status_fail(STATUS_INPUT, "this sampler asks how sure the predictor is, and one network cannot say: training.ensemble must be "
                           "2 or more");
    size_t state;
    predictor_state(t->predictor, &state);
    if (t->group->rank == 0 && state > t->kept_size) {
        free(t->kept);
        t->kept_size = 0;
        TRY(memory_alloc(&t->kept, state, sizeof *t->kept));
        t->kept_size = state;
    }
    if (method_needs_neighbours(spec->method)) TRY(prepare_neighbourhood(t));
    if (spec->method.sampler == SAMPLER_PREDNAS && t->ascent == NULL) TRY(ascent_create(&t->ascent, t->space));
    t->spec = spec;
    t->candidate = candidate;
    t->timer = (struct timer){{0}};
    return STATUS_OK;
}

struct random_stream trial_stream(const struct trial *t, enum random_purpose purpose)
{
    struct random_stream s;
    random_open(&s, t->spec->seed, t->spec->trial, (uint32_t)t->spec->n, purpose);
    return s;
}

int trial_fit(struct trial *t, const struct predictor_phase *phase)
{
    const double begin = timer_now();
    int status = STATUS_OK;
    if (t->group->rank == 0 || predictor_fits_everywhere(t->predictor))
        status = predictor_fit(t->predictor, &t->pool->view, phase, t->pulse);
    t->timer.seconds[TIMER_TRAIN] += timer_now() - begin;
    return t->group->size > 1 ? status_agree(t->group->comm, status) : status;
}

int trial_draw(struct trial *t, int64_t n, struct random_stream *order)
{
    struct random_stream stream = trial_stream(t, RANDOM_POOL);
    random_subset(t->pool->cell, n, t->space->cells, &stream); /* drawn where they will stand */
    if (order != NULL) random_shuffle(t->pool->cell, n, order);
    return pool_add(t->pool, t->candidate, t->pool->cell, n, predictor_rescores(t->predictor));
}

int64_t trial_unseen(const struct trial *t, struct random_stream *stream)
{
    int64_t cell;
    do cell = random_below(stream, t->space->cells);
    while (t->pool->member[cell]);
    return cell;
}

int trial_rank(struct trial *t, const struct topset **top, double *basic)
{
    const double begin = timer_now();
    int status = ranking_top(top, basic, t->ranking, t->predictor, t->candidate, NULL, t->space->cells, 0);
    t->timer.seconds[TIMER_RANK] += timer_now() - begin;
    return status;
}

int trial_share(const struct trial *t, int64_t *cell, int64_t n, int status)
{
    if (t->group->size == 1) return status;
    TRY(status_agree(t->group->comm, status));
    MPI_Bcast(cell, (int)n, MPI_INT64_T, 0, t->group->comm);
    return STATUS_OK;
}

/* Fill the pool and train the predictor, as the method says. */
static int fill(struct trial *t)
{
    switch (method_family(t->spec->method)) {
    case METHOD_LOT: return STATUS_OK; /* needs no training, and pays for none */
    case METHOD_PHASES: return sample_phases(t);
    case METHOD_ROUNDS: break;
    }
    switch (t->spec->method.sampler) {
    case SAMPLER_EI:
    case SAMPLER_TS:
    case SAMPLER_UCB: return sample_acquisition(t);
    case SAMPLER_EVOLUTION: return sample_evolution(t);
    case SAMPLER_LOCAL: return sample_local(t);
    case SAMPLER_WEAKNAS: return sample_weaknas(t);
    case SAMPLER_BRP: return sample_brp(t);
    case SAMPLER_PREDNAS: return sample_prednas(t);
    default: break;
    }
    TRY(trial_draw(t, t->spec->n, NULL));
    return trial_fit(t, NULL);
}

int trial_run(struct trial_result *out, struct trial *t, struct candidate *candidate, const struct trial_spec *spec)
{
    int status = prepare(t, candidate, spec);
    TRY(t->group->size > 1 ? status_agree(t->group->comm, status) : status); /* collectives follow */
    candidate_reset(candidate);
    pool_clear(t->pool);
    predictor_start(t->predictor, spec->seed, spec->trial, (uint32_t)spec->n);
    TRY(fill(t));
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
    const size_t lists = (size_t)longest_list(settings, n_max, (struct method){0}) * 128;
    const size_t walk = 12 * (size_t)space->cells;               /* neighbourhood.h */
    return (activations + weights) * (size_t)settings->ensemble + cells + lists + walk;
}
