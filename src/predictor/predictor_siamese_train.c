/* Training of the neural predictors: new weights, batches, phases, units. */
#include "predictor_siamese_internal.h"

#include "status.h"

#include <math.h>
#include <string.h>

#define MEMBER_STREAM (UINT64_C(1) << 48) /* where the next member's numbers begin in a random stream */

/* New weights. */
static void initialise(struct neural *p)
{
    for (int m = 0; m < p->members; m++) {
        struct random_stream weights;
        random_open(&weights, p->seed, p->trial, (uint32_t)p->budget, RANDOM_WEIGHTS);
        weights.counter = (uint64_t)m * MEMBER_STREAM;
        siamese_initialise(p->member[m].siamese, &weights);
    }
}

void predictor_siamese_start(void *self, uint64_t seed, uint32_t trial, uint32_t budget)
{
    struct neural *p = self;
    p->seed = seed, p->trial = trial, p->budget = (int)budget;
    p->fresh = true;
    initialise(p);
    for (int m = 0; m < p->members; m++) {
        random_open(&p->member[m].stream, seed, trial, budget, RANDOM_BATCH);
        p->member[m].stream.counter = (uint64_t)m * MEMBER_STREAM;
    }
}

struct moments {
    double mean, deviation;
};

static struct moments moments_of(double sum, double squares, int64_t n)
{
    const double mean = sum / (double)n, variance = squares / (double)n - mean * mean;
    return (struct moments){mean, variance > 1e-12 ? sqrt(variance) : 1e-6};
}

static struct moments labels_of(const struct predictor_pool *pool)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < pool->size; i++) sum += (double)pool->label[i], squares += (double)pool->label[i] * (double)pool->label[i];
    return moments_of(sum, squares, pool->size);
}

/* Values that were learnt without a unit get that of the labels. */
static void take_units(struct neural *p, const struct predictor_pool *pool, const struct moments *labels)
{
    for (int branch = 0; branch < (p->code_length > 0 ? 2 : 1); branch++)
        for (int m = 0; m < p->members; m++) {
            struct siamese *s = p->member[m].siamese;
            double sum = 0, squares = 0;
            siamese_set_unit(s, branch, 0, 1);
            if (branch == 0) siamese_fold(s);
            for (int64_t first = 0; first < pool->size; first += CHUNK) {
                const int count = pool->size - first < CHUNK ? (int)(pool->size - first) : CHUNK;
                for (int i = 0; i < count; i++) predictor_siamese_gather(p, i, pool->space, pool->cell[first + i]);
                const struct cells chunk = predictor_siamese_cells(p, count);
                siamese_score(p->score, s, &chunk, branch == 0 ? NULL : pool->code + first * p->code_length);
                for (int i = 0; i < count; i++) sum += (double)p->score[i], squares += (double)p->score[i] * (double)p->score[i];
            }
            const struct moments values = moments_of(sum, squares, pool->size);
            const double scale = labels->deviation / values.deviation;
            siamese_set_unit(s, branch, labels->mean - scale * values.mean, scale);
        }
}

static void step(struct neural *p, struct member *m, const struct predictor_pool *pool, const struct moments *unit, double rate)
{
    const size_t code_bytes = (size_t)p->code_length * sizeof(float);
    for (int i = 0; i < p->batch; i++) {
        int64_t drawn = random_below(&m->stream, pool->size); /* with replacement */
        predictor_siamese_gather(p, i, pool->space, pool->cell[drawn]);
        p->target[i] = unit == NULL ? pool->label[drawn] : (float)(((double)pool->label[drawn] - unit->mean) / unit->deviation);
        if (code_bytes > 0) memcpy(p->code + i * p->code_length, pool->code + drawn * p->code_length, code_bytes);
    }
    const struct cells batch = predictor_siamese_cells(p, p->batch);
    siamese_step(m->siamese, &batch, p->code, p->target, rate);
}

static void train(struct neural *p, const struct predictor_pool *pool, const struct predictor_phase *phase, const struct moments *unit,
                  const struct pulse *pulse)
{
    for (int m = 0; m < p->members; m++) {
        if (phase->restart) siamese_restart_optimiser(p->member[m].siamese);
        for (int64_t n = 0; n < (int64_t)phase->epochs * phase->steps; n++) {
            step(p, &p->member[m], pool, unit, phase->learning_rate);
            pulse_beat(pulse);
        }
    }
}

/* A round of a sampler: on from the last weights, or, at first and on demand, the phases of training from new ones. */
static void train_round(struct neural *p, const struct predictor_pool *pool, const struct moments *unit, const struct pulse *pulse)
{
    const struct trial_settings *s = &p->settings;
    const int steps = (p->budget - s->epochs[3]) / s->batch; /* as sample_phases.c counts them */
    struct predictor_phase phase = {s->acquisition.epochs, steps > 1 ? steps : 1, s->learning_rate[1], true};
    if (!p->fresh && phase.epochs > 0) {
        train(p, pool, &phase, unit, pulse);
        return;
    }
    if (!p->fresh) initialise(p);
    for (int i = 0; i < 3; i++) {
        phase.epochs = s->epochs[i], phase.learning_rate = s->learning_rate[i];
        train(p, pool, &phase, unit, pulse);
    }
}

int predictor_siamese_fit(void *self, const struct predictor_pool *pool, const struct predictor_phase *phase, const struct pulse *pulse)
{
    struct neural *p = self;
    const struct moments labels = labels_of(pool), *unit = p->settings.standardise ? &labels : NULL;
    if (phase != NULL) train(p, pool, phase, unit, pulse);
    else train_round(p, pool, unit, pulse);
    p->fresh = false;
    if (p->settings.rank_loss) take_units(p, pool, &labels);
    for (int i = 0; i < 2 * p->members && unit != NULL; i++) siamese_set_unit(p->member[i / 2].siamese, i % 2, unit->mean, unit->deviation);
    for (int64_t i = 0; i < pool->size && p->best != NULL; i++)
        if (i == 0 || pool->label[i] > *p->best) *p->best = pool->label[i];
    return STATUS_OK;
}
