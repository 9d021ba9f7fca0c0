/* predictor.h - one interface for everything that learns from a few trained cells to rank all others.
 * Not collective: the search decides which rank fits and which score. */
#ifndef PREDICTOR_H
#define PREDICTOR_H

#include "group.h"
#include "method.h"
#include "pulse.h"
#include "space.h"
#include "traits.h"
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

/* What a kind of predictor does; `self` is its own state. From rescore on all may be NULL. */
struct predictor_class {
    bool everywhere; /* every rank of a group fits, instead of rank 0 */
    bool together;   /* believe() and covariance() are collective: every rank asks about the same cells */
    void (*destroy)(void *self);
    void (*start)(void *self, uint64_t seed, uint32_t trial, uint32_t budget);
    int (*fit)(void *self, const struct predictor_pool *pool, const struct predictor_phase *phase, const struct pulse *pulse);
    void (*prepare)(void *self);
    void (*score)(void *self, float *score, const struct predictor_batch *batch);
    void (*rescore)(void *self, float *score, const struct predictor_batch *batch);
    float *(*state)(void *self, size_t *count);
    int (*save)(void *self, const char *vocabulary, const char *path);
    int (*believe)(void *self, double *mean, double *variance, const struct predictor_batch *batch);
    int (*covariance)(void *self, double *covariance, const struct predictor_batch *one, const struct predictor_batch *batch);
    double (*incumbent)(void *self);
    const struct traits *(*traits)(void *self);
};

/* code_length E is the candidate's; predictors that read no code ignore it. n_max: the largest pool. Collective over comm, whose ranks
 * use their predictors for the same trials; it must outlive them. */
int predictor_create(struct predictor **out, enum predictor_kind kind, const struct space *space, int code_length,
                     const struct trial_settings *settings, int n_max, MPI_Comm comm);
void predictor_destroy(struct predictor **p);

/* A predictor for scoring the cells of `space` only, from trained weights, which it takes over (also when it fails). */
struct siamese;
int predictor_adopt(struct predictor **out, struct siamese *siamese, const struct space *space);

/* A new trial: initial weights and random streams of (seed, trial, N). */
void predictor_start(struct predictor *p, uint64_t seed, uint32_t trial, uint32_t budget);

/* Train on the pool. Calls pulse between steps. On rank 0 of the group, or on all its ranks when predictor_fits_everywhere(). */
int predictor_fit(struct predictor *p, const struct predictor_pool *pool, const struct predictor_phase *phase,
                  const struct pulse *pulse);

bool predictor_fits_everywhere(const struct predictor *p);

/* Call after training and before scoring. */
void predictor_prepare(struct predictor *p);

/* Collective over the group, after training: what rank 0 has learnt becomes that of all ranks, ready for scoring. */
void predictor_share(struct predictor *p, const struct group *group);

/* Basic branch: score[count], higher is better. Each score depends on its own cell alone. */
void predictor_score(struct predictor *p, float *score, const struct predictor_batch *batch);

/* Estimation branch. Only when predictor_rescores(). */
void predictor_rescore(struct predictor *p, float *score, const struct predictor_batch *batch);
bool predictor_rescores(const struct predictor *p);

/* ---- predictors that know how sure they are ---- */

bool predictor_believes(const struct predictor *p);

/* Whether the next two functions are collective over the group, with the same cells on all its ranks. */
bool predictor_believes_together(const struct predictor *p);

/* Mean and variance [count] of what the cells are worth, in units of the predictor's own: larger is better. With batch->code by the
 * estimation branch, without by the basic one. */
int predictor_believe(struct predictor *p, double *mean, double *variance, const struct predictor_batch *batch);

/* The covariances [count] of a cell (a batch of one) with others. */
int predictor_covariance(struct predictor *p, double *covariance, const struct predictor_batch *one, const struct predictor_batch *batch);

/* What the best cell of the pool is worth, in the same units. */
double predictor_incumbent(const struct predictor *p);

/* Cells of one class (traits.h) are the same to the basic branch; NULL when it sees every cell as it is. Owned by p. */
const struct traits *predictor_traits(const struct predictor *p);

/* All that scoring depends on, to be copied between ranks or kept; NULL and 0 for a predictor without weights. Owned by p. */
float *predictor_state(struct predictor *p, size_t *count);

/* Write the weights to a NetCDF file, with the names of the space's operations. STATUS_INPUT for a predictor without weights. Serial. */
int predictor_save(struct predictor *p, const struct space *space, const char *path);

/* The classes. */
int predictor_siamese_create(void **self, const struct predictor_class **class, enum predictor_kind kind, const struct space *space,
                             int code_length, const struct trial_settings *settings);
int predictor_siamese_adopt(void **self, const struct predictor_class **class, struct siamese *siamese, const struct space *space);
int predictor_random_create(void **self, const struct predictor_class **class);
int predictor_gp_create(void **self, const struct predictor_class **class, enum predictor_kind kind, const struct space *space,
                        int code_length, const struct trial_settings *settings, int n_max, MPI_Comm comm);

#endif
