/* The predictor "known": what was trained is worth its label, all else comes behind it by lot. With it the ranking of a method that
 * learns nothing (evolution, local search) begins with the best cell it found. */
#include "memory.h"
#include "predictor.h"
#include "random.h"
#include "status.h"

#include <stdlib.h>

struct known {
    int64_t cells;
    float *score; /* [cells] */
};

static void destroy(void *self)
{
    free(((struct known *)self)->score);
    free(self);
}

/* Lots lie in [-1, -1/2], below every label, and are those of the predictor "random". */
static void start(void *self, uint64_t seed, uint32_t trial, uint32_t budget)
{
    struct known *k = self;
    struct random_stream s;
    random_open(&s, seed, trial, budget, RANDOM_SCORE);
    for (int64_t i = 0; i < k->cells; i++) {
        s.counter = (uint64_t)i;
        s.left = 0;
        k->score[i] = (float)(random_uniform(&s) / 2 - 1);
    }
}

static int fit(void *self, const struct predictor_pool *pool, const struct predictor_phase *phase, const struct pulse *pulse)
{
    (void)phase, (void)pulse;
    for (int64_t i = 0; i < pool->size; i++) ((struct known *)self)->score[pool->cell[i]] = pool->label[i];
    return STATUS_OK;
}

static void prepare(void *self)
{
    (void)self;
}

static void score(void *self, float *out, const struct predictor_batch *batch)
{
    for (int i = 0; i < batch->count; i++) out[i] = ((struct known *)self)->score[batch->cell[i]];
}

static float *state(void *self, size_t *count)
{
    *count = (size_t)((struct known *)self)->cells;
    return ((struct known *)self)->score;
}

int predictor_known_create(void **self, const struct predictor_class **class, const struct space *space)
{
    static const struct predictor_class known_class = {.destroy = destroy, .start = start, .fit = fit, .prepare = prepare,
                                                       .score = score, .state = state};
    struct known *k;
    *class = &known_class;
    TRY(memory_alloc(&k, 1, sizeof *k));
    k->cells = space->cells;
    int status = memory_alloc(&k->score, (size_t)space->cells, sizeof *k->score);
    if (status != STATUS_OK) free(k);
    *self = k;
    return status;
}
