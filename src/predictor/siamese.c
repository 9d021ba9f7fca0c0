#include "siamese.h"

#include "siamese_internal.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

const char *const siamese_group_name[SIAMESE_GROUPS] = {
    "group_1", "group_2", "group_3", "nsam_query", "nsam_key", "nsam_value", "nsam_out", "efm_query", "efm_key", "efm_value",
    "efm_out",
};

/* The next `count` numbers of a flat array, on whole vectors; base NULL counts only. */
static real *carve(real *base, size_t *at, size_t count)
{
    real *here = base == NULL ? NULL : base + *at;
    *at += (count + LANES - 1) / LANES * LANES;
    return here;
}

static void carve_norm(struct norm *n, real *base, size_t *at)
{
    n->gamma = carve(base, at, WIDTH);
    n->beta = carve(base, at, WIDTH);
}

static void carve_running(struct norm *n, real *base, size_t *at)
{
    n->mean = carve(base, at, WIDTH);
    n->variance = carve(base, at, WIDTH);
}

/* Views of the trained parameters. Biases of the groups are constants (graph_conv.h) and follow with the statistics. */
static size_t map_trained(struct siamese_parameters *p, real *base, const struct siamese_shape *shape)
{
    size_t at = 0;
    const size_t wide = (size_t)shape->nodes * WIDTH;
    for (int g = 0; g < SIAMESE_GROUPS; g++)
        for (int d = 0; d < 2 && siamese_has(shape, g); d++) {
            p->group[g].weight[d] = carve(base, &at, (size_t)siamese_inputs(shape, g) * WIDTH);
            carve_norm(&p->group[g].norm[d], base, &at);
        }
    if (shape->code_length > 0) {
        p->code_weight = carve(base, &at, (size_t)shape->code_length * wide);
        p->code_bias = carve(base, &at, wide);
        carve_norm(&p->code_norm, base, &at);
    }
    p->head.weight = carve(base, &at, (size_t)shape->nodes);
    p->head.bias = carve(base, &at, 1);
    return at;
}

static size_t map_constant(struct siamese_parameters *p, real *base, size_t at, const struct siamese_shape *shape)
{
    for (int g = 0; g < SIAMESE_GROUPS; g++)
        for (int d = 0; d < 2 && siamese_has(shape, g); d++) {
            p->group[g].bias[d] = carve(base, &at, WIDTH);
            carve_running(&p->group[g].norm[d], base, &at);
        }
    if (shape->code_length > 0) carve_running(&p->code_norm, base, &at);
    if (shape->linear) p->unit = carve(base, &at, 4);
    return at;
}

static real *take(struct workspace *w, size_t count)
{
    return workspace_take(w, count, sizeof(real));
}

static void take_tape(struct siamese *s, struct workspace *w)
{
    struct siamese_tape *t = &s->tape;
    const size_t batch = (size_t)s->max_batch, rows = batch * (size_t)s->shape.nodes, size = rows * WIDTH;
    const size_t columns = (size_t)attention_columns(s->shape.nodes);
    for (int g = 0; g < SIAMESE_GROUPS; g++) {
        if (!siamese_has(&s->shape, g)) continue;
        t->out[g] = take(w, size);
        for (int d = 0; d < 2; d++)
            t->group[g].norm[d] = (struct norm_cache){take(w, size), take(w, size), take(w, WIDTH)};
    }
    t->nsam_mixed = take(w, size);
    t->efm_mixed = take(w, size);
    t->code_features = take(w, size);
    t->code_norm = (struct norm_cache){take(w, size), take(w, size), take(w, WIDTH)};
    for (int branch = 0; branch < 2; branch++) {
        t->nsam_attention.weight[branch] = take(w, rows * columns);
        t->efm_attention.weight[branch] = take(w, rows * columns);
        t->pooled[branch] = take(w, rows);
        t->score[branch] = take(w, batch);
        t->dscore[branch] = take(w, batch);
    }
    for (size_t i = 0; i < sizeof t->d / sizeof t->d[0]; i++) t->d[i] = take(w, size);
    t->scratch = (struct graph_conv_scratch){take(w, size), take(w, size), take(w, WIDTH * WIDTH)};
    s->gradients = take(w, s->trained);
    s->adam.first = take(w, s->trained);
    s->adam.second = take(w, s->trained);
}

static void take_folded(struct siamese *s, struct workspace *w)
{
    struct siamese_folded *f = &s->folded;
    const size_t nodes = (size_t)s->shape.nodes, columns = (size_t)attention_columns(s->shape.nodes);
    const size_t rows = SCORE_TILE * nodes, size = rows * WIDTH;
    for (int g = 0; g < SIAMESE_GROUPS; g++)
        for (int d = 0; d < 2 && siamese_has(&s->shape, g); d++) {
            f->group[g].weight[d] = take(w, (size_t)siamese_inputs(&s->shape, g) * WIDTH);
            f->group[g].shift[d] = take(w, WIDTH);
        }
    f->code_scale = take(w, WIDTH);
    f->code_shift = take(w, WIDTH);
    real **activation[] = {&f->x, &f->q, &f->k, &f->v, &f->y, &f->scratch};
    for (size_t i = 0; i < sizeof activation / sizeof activation[0]; i++) *activation[i] = take(w, size);
    f->pooled = take(w, rows);
    for (int d = 0; d < 2; d++) f->weights.weight[d] = take(w, rows * columns);
    f->attention = (struct attention_scratch){take(w, WIDTH * columns), take(w, nodes * columns), take(w, nodes * columns)};
    s->tape.attention = f->attention; /* training and scoring never overlap */
}

static void take_all(struct siamese *s, struct workspace *w)
{
    s->weights = take(w, s->all);
    take_folded(s, w);
    if (s->max_batch > 0) take_tape(s, w);
}

static void map_weights(struct siamese *s)
{
    map_trained(&s->parameters, s->weights, &s->shape);
    map_constant(&s->parameters, s->weights, s->trained, &s->shape);
}

int siamese_create(struct siamese **out, const struct siamese_shape *shape, const struct siamese_training *training, int max_batch)
{
    *out = NULL;
    struct siamese *s;
    TRY(memory_alloc(&s, 1, sizeof *s));
    s->shape = *shape;
    s->training = *training;
    s->max_batch = max_batch;
    s->adam = (struct adam){.beta1 = training->adam_beta1, .beta2 = training->adam_beta2, .epsilon = training->adam_epsilon};
    s->trained = map_trained(&s->parameters, NULL, shape);
    s->all = map_constant(&s->parameters, NULL, s->trained, shape);
    take_all(s, &s->workspace);
    int status = workspace_open(&s->workspace);
    if (status != STATUS_OK) {
        free(s);
        return status;
    }
    take_all(s, &s->workspace);
    map_weights(s);
    if (max_batch > 0) map_trained(&s->gradient, s->gradients, shape);
    *out = s;
    return STATUS_OK;
}

void siamese_destroy(struct siamese **s)
{
    if (*s == NULL) return;
    workspace_close(&(*s)->workspace);
    workspace_close(&(*s)->table.workspace);
    free(*s);
    *s = NULL;
}

const struct siamese_shape *siamese_shape(const struct siamese *s)
{
    return &s->shape;
}

real *siamese_weights(struct siamese *s, size_t *count)
{
    *count = s->all;
    return s->weights;
}

void siamese_move(struct siamese *s, real *place)
{
    memcpy(place, s->weights, s->all * sizeof *place);
    s->weights = place;
    map_weights(s);
}

void siamese_set_unit(struct siamese *s, int branch, double offset, double scale)
{
    s->parameters.unit[2 * branch] = (real)offset;
    s->parameters.unit[2 * branch + 1] = (real)scale;
}

double siamese_norm_epsilon(const struct siamese *s)
{
    return s->training.norm_epsilon;
}

const struct siamese_parameters *siamese_parameters(const struct siamese *s)
{
    return &s->parameters;
}

const real *siamese_gradients(const struct siamese *s)
{
    return s->gradients;
}

size_t siamese_trained(const struct siamese *s)
{
    return s->trained;
}

/* Uniform in +-sqrt(6 / (fan in + fan out)): Glorot and Bengio 2010, equation 16. */
static void glorot(real *w, int inputs, int outputs, struct random_stream *stream)
{
    const double limit = sqrt(6.0 / (inputs + outputs));
    for (int i = 0; i < inputs * outputs; i++) w[i] = (real)(limit * (2 * random_uniform(stream) - 1));
}

static void neutral(struct norm *n)
{
    for (int i = 0; i < WIDTH; i++) n->gamma[i] = n->variance[i] = 1;
}

void siamese_initialise(struct siamese *s, struct random_stream *stream)
{
    struct siamese_parameters *p = &s->parameters;
    memset(s->weights, 0, s->all * sizeof(real));
    for (int g = 0; g < SIAMESE_GROUPS; g++)
        for (int d = 0; d < 2 && siamese_has(&s->shape, g); d++) {
            glorot(p->group[g].weight[d], siamese_inputs(&s->shape, g), WIDTH, stream);
            neutral(&p->group[g].norm[d]);
        }
    if (s->shape.code_length > 0) {
        glorot(p->code_weight, s->shape.code_length, s->shape.nodes * WIDTH, stream);
        neutral(&p->code_norm);
    }
    glorot(p->head.weight, s->shape.nodes, 1, stream);
    for (int branch = 0; branch < 2 && s->shape.linear; branch++) siamese_set_unit(s, branch, 0, 1);
    siamese_restart_optimiser(s);
}

void siamese_restart_optimiser(struct siamese *s)
{
    if (s->max_batch > 0) adam_restart(&s->adam, s->trained);
}

void siamese_code_affine(real *y, const struct siamese_parameters *p, const real *code, const struct siamese_shape *shape, int count)
{
    const int wide = shape->nodes * WIDTH;
    for (int b = 0; b < count; b++, y += wide, code += shape->code_length)
        for (int j = 0; j < wide; j += LANES) {
            vec sum = vec_load(p->code_bias + j);
            for (int e = 0; e < shape->code_length; e++) sum += code[e] * vec_load(p->code_weight + e * wide + j);
            vec_store(y + j, sum);
        }
}
