/* The neural predictors (naive, siamese, siamese+nsam) behind the common interface: batches are drawn here, cells are
 * gathered into what the layers read.
 *
 * An ensemble is several networks, each with its own weights and batches. Its score is their mean; two or more of them also say how sure
 * they are: the variance among them. All is in units of accuracy: of a linear head, what it says of the present pool is given the mean and
 * deviation of the labels, by targets that have mean 0 and deviation 1 or, when only their order is learnt, afterwards. */
#include "predictor_siamese_internal.h"

#include "live.h"
#include "memory.h"
#include "siamese_file.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

#define SURE 1e-10 /* the least variance: members may agree in every bit */

static void take(struct neural *p, const struct space *space)
{
    struct workspace *w = &p->workspace;
    const size_t n = (size_t)p->capacity, members = (size_t)p->members;
    size_t weights;
    siamese_weights(p->member[0].siamese, &weights);
    p->operation = workspace_take(w, n * (size_t)p->nodes, 1);
    for (int d = 0; d < 2; d++) p->mask[d] = workspace_take(w, n, sizeof(uint32_t *));
    p->code = workspace_take(w, n * (size_t)(p->code_length + 1), sizeof(float));
    p->target = workspace_take(w, n, sizeof(float));
    p->dead = workspace_take(w, p->pruned ? (size_t)space->operations : 0, sizeof *p->dead);
    p->graph = workspace_take(w, p->pruned ? n : 0, sizeof *p->graph);
    p->score = workspace_take(w, members * CHUNK, sizeof(float));
    p->one = workspace_take(w, members, sizeof(float));
    p->shared_size = p->members > 1 ? members * weights + 1 : 0;
    p->shared = workspace_take(w, p->shared_size, sizeof(float));
}

static void destroy(void *self)
{
    struct neural *p = self;
    for (int m = 0; m < p->members; m++) siamese_destroy(&p->member[m].siamese);
    workspace_close(&p->workspace);
    free(p->member);
    free(p);
}

void predictor_siamese_gather(struct neural *p, int i, const struct space *space, int64_t cell)
{
    const struct graph *graph = space_graph(space, cell);
    uint8_t *operation = p->operation + i * p->nodes;
    space_cell(operation, space, cell);
    if (p->pruned) {
        uint32_t ends;
        live_prune(&p->graph[i], graph, live_nodes(&ends, graph, operation, p->dead, p->nodes), p->nodes);
        graph = &p->graph[i];
    }
    p->mask[0][i] = graph->successors;
    p->mask[1][i] = graph->predecessors;
}

struct cells predictor_siamese_cells(const struct neural *p, int count)
{
    return (struct cells){count, p->nodes, p->operation, {p->mask[0], p->mask[1]}};
}

/* -- what is thought of cells ---------------------------------------------------------------------------------------- */

/* The members' opinions of `count` cells, CHUNK at most: score[member * CHUNK + i]. */
static void score_chunk(struct neural *p, float *score, const struct space *space, const int64_t *cell, const float *code, int count)
{
    for (int i = 0; i < count; i++) predictor_siamese_gather(p, i, space, cell[i]);
    const struct cells chunk = predictor_siamese_cells(p, count);
    for (int m = 0; m < p->members; m++) siamese_score(score + m * CHUNK, p->member[m].siamese, &chunk, code);
}

static void prepare(void *self)
{
    const struct neural *p = self;
    for (int m = 0; m < p->members; m++) siamese_fold(p->member[m].siamese);
}

static double mean_of(const struct neural *p, const float *score, int stride)
{
    double sum = 0;
    for (int m = 0; m < p->members; m++) sum += (double)score[m * stride];
    return sum / p->members;
}

static void score_branch(struct neural *p, float *score, const struct predictor_batch *batch, const float *code)
{
    for (int first = 0; first < batch->count; first += CHUNK) {
        const int count = batch->count - first < CHUNK ? batch->count - first : CHUNK;
        const float *codes = code == NULL ? NULL : code + first * p->code_length;
        score_chunk(p, p->score, batch->space, batch->cell + first, codes, count);
        for (int i = 0; i < count; i++) score[first + i] = (float)mean_of(p, p->score + i, CHUNK);
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

/* Mean [count] (unless NULL) of the members' opinions, and their covariance [count] with `one` [members]; one NULL: their variance. */
static void compare(struct neural *p, double *mean, double *covariance, const struct predictor_batch *batch, const float *one)
{
    for (int first = 0; first < batch->count; first += CHUNK) {
        const int count = batch->count - first < CHUNK ? batch->count - first : CHUNK;
        const float *codes = batch->code == NULL ? NULL : batch->code + first * p->code_length;
        score_chunk(p, p->score, batch->space, batch->cell + first, codes, count);
        for (int i = 0; i < count; i++) {
            const float *own = p->score + i, *other = one == NULL ? own : one;
            const int stride = one == NULL ? CHUNK : 1;
            const double own_mean = mean_of(p, own, CHUNK), other_mean = mean_of(p, other, stride);
            double sum = 0;
            for (int m = 0; m < p->members; m++)
                sum += ((double)own[m * CHUNK] - own_mean) * ((double)other[m * stride] - other_mean);
            covariance[first + i] = sum / (p->members - 1);
            if (mean != NULL) mean[first + i] = own_mean;
        }
    }
}

static int believe(void *self, double *mean, double *variance, const struct predictor_batch *batch)
{
    compare(self, mean, variance, batch, NULL);
    for (int i = 0; i < batch->count; i++)
        if (!(variance[i] > SURE)) variance[i] = SURE;
    return STATUS_OK;
}

static int covariance(void *self, double *out, const struct predictor_batch *one, const struct predictor_batch *batch)
{
    struct neural *p = self;
    score_chunk(p, p->score, one->space, one->cell, one->code, 1);
    for (int m = 0; m < p->members; m++) p->one[m] = p->score[m * CHUNK];
    compare(p, NULL, out, batch, p->one);
    return STATUS_OK;
}

static double incumbent(void *self)
{
    return (double)*((struct neural *)self)->best;
}

static float *state(void *self, size_t *count)
{
    struct neural *p = self;
    if (p->members == 1) return siamese_weights(p->member[0].siamese, count);
    *count = p->shared_size;
    return p->shared;
}

static int save(void *self, const char *vocabulary, const char *path)
{
    struct neural *p = self;
    if (p->members > 1) return status_fail(STATUS_INPUT, "%s: an ensemble has no single set of weights to save", path);
    return siamese_file_write(p->member[0].siamese, vocabulary, path);
}

/* Of an ensemble the mean. Dead paths of a mixture are not pruned: none is dead for sure. */
static float soft(void *self, float *dsoft, const float *mixture, const struct graph *graph)
{
    const struct neural *p = self;
    const uint32_t *const mask[2] = {graph->successors, graph->predecessors};
    float one[SPACE_NODES_MAX * SPACE_OPERATIONS_MAX], score = 0;
    const int size = p->nodes * siamese_shape(p->member[0].siamese)->operations;
    memset(dsoft, 0, (size_t)size * sizeof *dsoft);
    for (int m = 0; m < p->members; m++) {
        score += siamese_soft(one, p->member[m].siamese, mixture, mask) / (float)p->members;
        for (int i = 0; i < size; i++) dsoft[i] += one[i] / (float)p->members;
    }
    return score;
}

/* -- creation -------------------------------------------------------------------------------------------------------- */

/* Cells of one graph share most of the first two groups' work (siamese_promise): worth it when there are many cells. */
static int promise(struct siamese *siamese, const struct space *space)
{
    enum { ROWS_MAX = 4096 }; /* 2 MB of float */
    const int64_t rows_max = space->cells / 4 < ROWS_MAX ? space->cells / 4 : ROWS_MAX;
    bool *allowed;
    if (space->graph_of != NULL || siamese_shape(siamese)->pruned) return STATUS_OK;
    TRY(memory_alloc(&allowed, (size_t)(space->nodes * space->operations), sizeof *allowed));
    space_allowed(allowed, space);
    const uint32_t *const mask[2] = {space->graph->successors, space->graph->predecessors};
    int status = siamese_promise(siamese, mask, allowed, rows_max);
    free(allowed);
    return status;
}

/* What the members need around them. */
static int furnish(struct neural *p, const struct space *space)
{
    const struct siamese_shape *shape = siamese_shape(p->member[0].siamese);
    p->code_length = shape->code_length;
    p->nodes = shape->nodes;
    p->pruned = shape->pruned;
    p->capacity = p->batch > CHUNK ? p->batch : CHUNK;
    take(p, space);
    TRY(workspace_open(&p->workspace));
    take(p, space);
    if (p->pruned) live_dead(p->dead, space);
    for (int m = 0; m < p->members; m++) {
        size_t weights;
        siamese_weights(p->member[m].siamese, &weights);
        if (p->members > 1) siamese_move(p->member[m].siamese, p->shared + (size_t)m * weights);
        TRY(promise(p->member[m].siamese, space));
    }
    if (p->members > 1) p->best = p->shared + p->shared_size - 1;
    return STATUS_OK;
}

static int finish(void **self, const struct predictor_class **class, struct neural *p, int status)
{
#define COMMON .destroy = destroy, .start = predictor_siamese_start, .fit = predictor_siamese_fit, .prepare = prepare, .score = score, .state = state, .save = save
#define SURENESS .believe = believe, .covariance = covariance, .incumbent = incumbent
    static const struct predictor_class known[2][2] = {{{COMMON, .soft = soft}, {COMMON, .soft = soft, SURENESS}},
                                                       {{COMMON, .rescore = rescore}, {COMMON, .rescore = rescore, SURENESS}}};
    if (status != STATUS_OK) {
        destroy(p);
        return status;
    }
    *self = p;
    *class = &known[p->code_length > 0][p->members > 1];
    return STATUS_OK;
}

int predictor_siamese_create(void **self, const struct predictor_class **class, enum predictor_kind kind, const struct space *space,
                             int code_length, const struct trial_settings *settings)
{
    const struct trial_settings *s = settings;
    const struct siamese_shape shape = {.nodes = space->nodes,
                                        .operations = space->operations,
                                        .code_length = kind == PREDICTOR_NAIVE ? 0 : code_length,
                                        .nsam = kind == PREDICTOR_SIAMESE_NSAM,
                                        .efm_value_own = s->efm_value_own,
                                        .linear = s->rank_loss || s->standardise,
                                        .pruned = s->prune};
    const struct siamese_training training = {s->huber_delta,   s->adam_beta1,   s->adam_beta2, s->adam_epsilon,
                                              s->norm_momentum, s->norm_epsilon, s->rank_loss};
    struct neural *p;
    int status = STATUS_OK;
    *self = NULL;
    TRY(memory_alloc(&p, 1, sizeof *p));
    p->settings = *s;
    p->batch = s->batch;
    TRY_DONE(memory_alloc(&p->member, (size_t)s->ensemble, sizeof *p->member));
    for (; p->members < s->ensemble; p->members++)
        TRY_DONE(siamese_create(&p->member[p->members].siamese, &shape, &training, s->batch));
    status = furnish(p, space);
done:
    return finish(self, class, p, status);
}

int predictor_siamese_adopt(void **self, const struct predictor_class **class, struct siamese *siamese, const struct space *space)
{
    struct neural *p = NULL;
    *self = NULL;
    int status = memory_alloc(&p, 1, sizeof *p);
    if (status == STATUS_OK) status = memory_alloc(&p->member, 1, sizeof *p->member);
    if (status != STATUS_OK) {
        siamese_destroy(&siamese);
        free(p);
        return status;
    }
    p->members = 1;
    p->member[0].siamese = siamese;
    return finish(self, class, p, furnish(p, space));
}
