/* The predictor "random": ranks by lot, learns nothing. The floor of every table. */
#include "memory.h"
#include "predictor.h"
#include "random.h"
#include "status.h"

#include <stdlib.h>

struct lot {
    struct random_stream stream;
};

static void destroy(void *self)
{
    free(self);
}

static void start(void *self, uint64_t seed, uint32_t trial, uint32_t budget)
{
    random_open(&((struct lot *)self)->stream, seed, trial, budget, RANDOM_SCORE);
}

static int fit(void *self, const struct predictor_pool *pool, const struct predictor_phase *phase, const struct pulse *pulse)
{
    (void)self, (void)pool, (void)phase, (void)pulse;
    return STATUS_OK;
}

static void prepare(void *self)
{
    (void)self;
}

/* A cell's lot is drawn at the counter of its own index, whatever rank asks for it. */
static void score(void *self, float *out, const struct predictor_batch *batch)
{
    for (int i = 0; i < batch->count; i++) {
        struct random_stream s = ((struct lot *)self)->stream;
        s.counter = (uint64_t)batch->cell[i];
        out[i] = (float)random_uniform(&s);
    }
}

int predictor_random_create(void **self, const struct predictor_class **class)
{
    static const struct predictor_class random_class = {.destroy = destroy, .start = start, .fit = fit, .prepare = prepare, .score = score};
    *class = &random_class;
    return memory_alloc(self, 1, sizeof(struct lot));
}
