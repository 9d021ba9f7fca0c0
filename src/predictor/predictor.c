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
                     const struct trial_settings *settings, int n_max, MPI_Comm comm)
{
    *out = NULL;
    struct predictor *p;
    int status = STATUS_OK;
    TRY(memory_alloc(&p, 1, sizeof *p));
    switch (kind) {
    case PREDICTOR_RANDOM: status = predictor_random_create(&p->self, &p->class); break;
    case PREDICTOR_GP_PATHS:
    case PREDICTOR_GP:
        status = predictor_gp_create(&p->self, &p->class, kind, space, code_length, settings, n_max, comm);
        break;
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

int predictor_fit(struct predictor *p, const struct predictor_pool *pool, const struct predictor_phase *phase,
                  const struct pulse *pulse)
{
    return p->class->fit(p->self, pool, phase, pulse);
}

bool predictor_fits_everywhere(const struct predictor *p)
{
    return p->class->everywhere;
}

void predictor_share(struct predictor *p, const struct group *group)
{
    size_t count;
    float *state = predictor_state(p, &count);
    if (group->size > 1 && count > 0) MPI_Bcast(state, (int)count, MPI_FLOAT, 0, group->comm);
    predictor_prepare(p);
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

bool predictor_believes(const struct predictor *p)
{
    return p->class->believe != NULL;
}

bool predictor_believes_together(const struct predictor *p)
{
    return p->class->together;
}

int predictor_believe(struct predictor *p, double *mean, double *variance, const struct predictor_batch *batch)
{
    return p->class->believe(p->self, mean, variance, batch);
}

int predictor_covariance(struct predictor *p, double *covariance, const struct predictor_batch *one, const struct predictor_batch *batch)
{
    return p->class->covariance(p->self, covariance, one, batch);
}

double predictor_incumbent(const struct predictor *p)
{
    return p->class->incumbent(p->self);
}

const struct traits *predictor_traits(const struct predictor *p)
{
    return p->class->traits == NULL ? NULL : p->class->traits(p->self);
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
