#include "predictor.h"

#include "memory.h"
#include "siamese.h"
#include "status.h"

#include <stdlib.h>

struct predictor {
    const struct predictor_class *class;
    void *self;
};

static int keep(struct predictor **out, struct predictor *p, int status)
{
    if (status == STATUS_OK)
        *out = p;
    else
        free(p);
    return status;
}

int predictor_create(struct predictor **out, enum predictor_kind kind, const struct space *space, int code_length,
                     const struct trial_settings *settings)
{
    *out = NULL;
    struct predictor *p;
    TRY(memory_alloc(&p, 1, sizeof *p));
    int status;
    switch (kind) {
    case PREDICTOR_RANDOM: status = predictor_random_create(&p->self, &p->class); break;
    case PREDICTOR_KNOWN: status = predictor_known_create(&p->self, &p->class, space); break;
    case PREDICTOR_MLP: status = predictor_mlp_create(&p->self, &p->class, space, settings); break;
    case PREDICTOR_PAIRWISE: status = predictor_pairwise_create(&p->self, &p->class, space, settings); break;
    default: status = predictor_siamese_create(&p->self, &p->class, kind, space, code_length, settings); break;
    }
    return keep(out, p, status);
}

int predictor_adopt(struct predictor **out, struct siamese *siamese, const struct space *space)
{
    *out = NULL;
    struct predictor *p;
    int status = memory_alloc(&p, 1, sizeof *p);
    if (status != STATUS_OK) {
        siamese_destroy(&siamese);
        return status;
    }
    return keep(out, p, predictor_siamese_adopt(&p->self, &p->class, siamese, space));
}

void predictor_destroy(struct predictor **p)
{
    if (*p == NULL) return;
    (*p)->class->destroy((*p)->self);
    free(*p);
    *p = NULL;
}

void predictor_start(struct predictor *p, uint64_t seed, uint32_t trial, uint32_t budget)
{
    p->class->start(p->self, seed, trial, budget);
}

void predictor_fit(struct predictor *p, const struct predictor_pool *pool, const struct predictor_phase *phase,
                   const struct pulse *pulse)
{
    p->class->fit(p->self, pool, phase, pulse);
}

void predictor_prepare(struct predictor *p)
{
    p->class->prepare(p->self);
}

void predictor_score(struct predictor *p, float *score, const struct predictor_batch *batch)
{
    p->class->score(p->self, score, batch);
}

void predictor_rescore(struct predictor *p, float *score, const struct predictor_batch *batch)
{
    p->class->rescore(p->self, score, batch);
}

bool predictor_rescores(const struct predictor *p)
{
    return p->class->rescore != NULL;
}

float *predictor_state(struct predictor *p, size_t *count)
{
    *count = 0;
    return p->class->state == NULL ? NULL : p->class->state(p->self, count);
}

int predictor_save(struct predictor *p, const struct space *space, const char *path)
{
    if (p->class->save == NULL) return status_fail(STATUS_INPUT, "%s: this predictor has no weights to save", path);
    char *names;
    TRY(memory_join(&names, (const char *const *)space->vocabulary, space->operations, " "));
    int status = p->class->save(p->self, names, path);
    free(names);
    return status;
}
