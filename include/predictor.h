/* predictor.h - one interface for everything that learns from a few trained cells to rank all others.
 * Not collective: the search decides which rank fits and which score. */
#ifndef PREDICTOR_H
#define PREDICTOR_H

#include "method.h"
#include "pulse.h"
#include "space.h"
#include "trial.h"

#include <stddef.h>

/* The trained cells that a predictor may learn from. Arrays grow with the pool; owned by the caller. */
struct predictor_pool {
    const struct space *space;
    int64_t size;
    const int64_t *cell;   /* [size] */
    const float *label;    /* [size] accuracy in [0, 1] */
    const float *code;     /* [size][E]; NULL when the predictor reads none */
};

/* One stretch of training. */
struct predictor_phase {
    int epochs, steps;     /* steps an epoch */
    double learning_rate;
    bool restart;          /* the optimiser forgets its state first */
};

/* Cells to be scored. */
struct predictor_batch {
    const struct space *space;
    int count;
    const int64_t *cell;   /* [count] */
    const float *code;     /* [count][E]; only for rescore */
};

struct predictor;

/* What a kind of predictor does; `self` is its own state. rescore, state and save may be NULL. */
struct predictor_class {
    void (*destroy)(void *self);
    void (*start)(void *self, uint64_t seed, uint32_t trial, uint32_t budget);
    void (*fit)(void *self, const struct predictor_pool *pool, const struct predictor_phase *phase, const struct pulse *pulse);
    void (*prepare)(void *self);
    void (*score)(void *self, float *score, const struct predictor_batch *batch);
    void (*rescore)(void *self, float *score, const struct predictor_batch *batch);
    float *(*state)(void *self, size_t *count);
    int (*save)(void *self, const char *vocabulary, const char *path);
};

/* code_length E is the candidate's; predictors that read no code ignore it. */
int predictor_create(struct predictor **out, enum predictor_kind kind, const struct space *space, int code_length,
                     const struct trial_settings *settings);
void predictor_destroy(struct predictor **p);

/* A predictor for scoring the cells of `space` only, from trained weights, which it takes over (also when it fails). */
struct siamese;
int predictor_adopt(struct predictor **out, struct siamese *siamese, const struct space *space);

/* A new trial: initial weights and random streams of (seed, trial, N). */
void predictor_start(struct predictor *p, uint64_t seed, uint32_t trial, uint32_t budget);

/* Train on the pool. Calls pulse between steps. */
void predictor_fit(struct predictor *p, const struct predictor_pool *pool, const struct predictor_phase *phase,
                   const struct pulse *pulse);

/* Call after training and before scoring. */
void predictor_prepare(struct predictor *p);

/* Basic branch: score[count], higher is better. Each score depends on its own cell alone. */
void predictor_score(struct predictor *p, float *score, const struct predictor_batch *batch);

/* Estimation branch. Only when predictor_rescores(). */
void predictor_rescore(struct predictor *p, float *score, const struct predictor_batch *batch);
bool predictor_rescores(const struct predictor *p);

/* All that scoring depends on, to be copied between ranks or kept; NULL and 0 for a predictor without weights. Owned by p. */
float *predictor_state(struct predictor *p, size_t *count);

/* Write the weights to a NetCDF file, with the names of the space's operations. STATUS_INPUT for a predictor without weights. Serial. */
int predictor_save(struct predictor *p, const struct space *space, const char *path);

/* The classes. */
int predictor_siamese_create(void **self, const struct predictor_class **class, enum predictor_kind kind, const struct space *space,
                             int code_length, const struct trial_settings *settings);
int predictor_siamese_adopt(void **self, const struct predictor_class **class, struct siamese *siamese, const struct space *space);
int predictor_random_create(void **self, const struct predictor_class **class);
int predictor_known_create(void **self, const struct predictor_class **class, const struct space *space);
int predictor_mlp_create(void **self, const struct predictor_class **class, const struct space *space,
                         const struct trial_settings *settings);
int predictor_pairwise_create(void **self, const struct predictor_class **class, const struct space *space,
                              const struct trial_settings *settings);

#endif
