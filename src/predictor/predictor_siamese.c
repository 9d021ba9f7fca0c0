/* The neural predictors (naive, siamese, siamese+nsam) behind the common interface: batches are drawn here, cells are
 * gathered into what the layers read. */
#include "memory.h"
#include "predictor.h"
#include "siamese_file.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 64 }; /* cells gathered at a time for scoring */

struct neural {
    struct siamese *siamese;
    int batch, code_length, nodes;
    struct random_stream stream;   /* of the batches */
    int capacity;                  /* cells that the arrays below hold */
    uint8_t *operation;            /* [capacity][V] */
    const uint32_t **mask[2];      /* [capacity] */
    float *code, *target;          /* [capacity][E], [capacity] */
    struct workspace workspace;
};

static void take(struct neural *p)
{
    struct workspace *w = &p->workspace;
    const size_t n = (size_t)p->capacity;
    p->operation = workspace_take(w, n * (size_t)p->nodes, 1);
    for (int d = 0; d < 2; d++) p->mask[d] = workspace_take(w, n, sizeof(uint32_t *));
    p->code = workspace_take(w, n * (size_t)(p->code_length + 1), sizeof(float));
    p->target = workspace_take(w, n, sizeof(float));
}

static void destroy(void *self)
{
    struct neural *p = self;
    siamese_destroy(&p->siamese);
    workspace_close(&p->workspace);
    free(p);
}

static void start(void *self, uint64_t seed, uint32_t trial, uint32_t budget)
{
    struct neural *p = self;
    struct random_stream weights;
    random_open(&weights, seed, trial, budget, RANDOM_WEIGHTS);
    siamese_initialise(p->siamese, &weights);
    random_open(&p->stream, seed, trial, budget, RANDOM_BATCH);
}

/* Place cell number i of a batch. */
static void gather(struct neural *p, int i, const struct space *space, int64_t cell)
{
    const struct graph *graph = space_graph(space, cell);
    space_cell(p->operation + i * p->nodes, space, cell);
    p->mask[0][i] = graph->successors;
    p->mask[1][i] = graph->predecessors;
}

static struct cells cells(const struct neural *p, int count)
{
    return (struct cells){count, p->nodes, p->operation, {p->mask[0], p->mask[1]}};
}

static int fit(void *self, const struct predictor_pool *pool, const struct predictor_phase *phase, const struct pulse *pulse)
{
    struct neural *p = self;
    const size_t code_bytes = (size_t)p->code_length * sizeof(float);
    if (phase->restart) siamese_restart_optimiser(p->siamese);
    for (int64_t step = 0; step < (int64_t)phase->epochs * phase->steps; step++) {
        for (int i = 0; i < p->batch; i++) {
            int64_t drawn = random_below(&p->stream, pool->size); /* with replacement */
            gather(p, i, pool->space, pool->cell[drawn]);
            p->target[i] = pool->label[drawn];
            if (code_bytes > 0) memcpy(p->code + i * p->code_length, pool->code + drawn * p->code_length, code_bytes);
        }
        struct cells batch = cells(p, p->batch);
        siamese_step(p->siamese, &batch, p->code, p->target, phase->learning_rate);
        pulse_beat(pulse);
    }
    return STATUS_OK;
}

static void prepare(void *self)
{
    siamese_fold(((struct neural *)self)->siamese);
}

static void score_branch(struct neural *p, float *score, const struct predictor_batch *batch, const float *code)
{
    for (int first = 0; first < batch->count; first += CHUNK) {
        int count = batch->count - first < CHUNK ? batch->count - first : CHUNK;
        for (int i = 0; i < count; i++) gather(p, i, batch->space, batch->cell[first + i]);
        struct cells chunk = cells(p, count);
        siamese_score(score + first, p->siamese, &chunk, code == NULL ? NULL : code + first * p->code_length);
    }
}

static void score(void *self, float *out, const struct predictor_batch *batch)
{
    score_branch(self, out, batch, NULL);
}

static void rescore(void *self, float *out, const struct predictor_batch *batch)
{
    score_branch(self, out, batch, batch->code);
}

static float *state(void *self, size_t *count)
{
    return siamese_weights(((struct neural *)self)->siamese, count);
}

static int save(void *self, const char *vocabulary, const char *path)
{
    return siamese_file_write(((struct neural *)self)->siamese, vocabulary, path);
}

static float soft(void *self, float *dsoft, const float *mixture, const struct graph *graph)
{
    const uint32_t *const mask[2] = {graph->successors, graph->predecessors};
    return siamese_soft(dsoft, ((struct neural *)self)->siamese, mixture, mask);
}

/* Cells of one graph share most of the first two groups' work (siamese_promise): worth it when there are many cells. */
static int promise(struct siamese *siamese, const struct space *space)
{
    enum { ROWS_MAX = 4096 }; /* 2 MB of float */
    const int64_t rows_max = space->cells / 4 < ROWS_MAX ? space->cells / 4 : ROWS_MAX;
    bool *allowed;
    if (space->graph_of != NULL) return STATUS_OK;
    TRY(memory_alloc(&allowed, (size_t)(space->nodes * space->operations), sizeof *allowed));
    space_allowed(allowed, space);
    const uint32_t *const mask[2] = {space->graph->successors, space->graph->predecessors};
    int status = siamese_promise(siamese, mask, allowed, rows_max);
    free(allowed);
    return status;
}

/* Take over a network; it is destroyed on failure, too. */
static int wrap(void **self, const struct predictor_class **class, struct siamese *siamese, const struct space *space, int batch)
{
    static const struct predictor_class one_branch = {.destroy = destroy, .start = start, .fit = fit, .prepare = prepare,
                                                      .score = score, .state = state, .save = save, .soft = soft};
    static const struct predictor_class two_branches = {.destroy = destroy, .start = start, .fit = fit, .prepare = prepare,
                                                        .score = score, .rescore = rescore, .state = state, .save = save};
    struct neural *p = NULL;
    int status = memory_alloc(&p, 1, sizeof *p);
    if (status != STATUS_OK) {
        siamese_destroy(&siamese);
        return status;
    }
    p->siamese = siamese;
    p->batch = batch;
    p->code_length = siamese_shape(siamese)->code_length;
    p->nodes = siamese_shape(siamese)->nodes;
    p->capacity = batch > CHUNK ? batch : CHUNK;
    take(p);
    status = workspace_open(&p->workspace);
    if (status == STATUS_OK) status = promise(siamese, space);
    if (status != STATUS_OK) {
        destroy(p);
        return status;
    }
    take(p);
    *self = p;
    *class = p->code_length > 0 ? &two_branches : &one_branch;
    return STATUS_OK;
}

int predictor_siamese_create(void **self, const struct predictor_class **class, enum predictor_kind kind, const struct space *space,
                             int code_length, const struct trial_settings *settings)
{
    const struct siamese_shape shape = {space->nodes, space->operations, kind == PREDICTOR_NAIVE ? 0 : code_length,
                                        kind == PREDICTOR_SIAMESE_NSAM, settings->efm_value_own};
    const struct siamese_training training = {settings->huber_delta,  settings->adam_beta1,    settings->adam_beta2,
                                              settings->adam_epsilon, settings->norm_momentum, settings->norm_epsilon};
    struct siamese *siamese;
    *self = NULL;
    TRY(siamese_create(&siamese, &shape, &training, settings->batch));
    return wrap(self, class, siamese, space, settings->batch);
}

int predictor_siamese_adopt(void **self, const struct predictor_class **class, struct siamese *siamese, const struct space *space)
{
    *self = NULL;
    return wrap(self, class, siamese, space, 0);
}
