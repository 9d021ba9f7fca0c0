/* predictor_siamese_internal.h - what the predictor_siamese*.c files share. */
#ifndef PREDICTOR_SIAMESE_INTERNAL_H
#define PREDICTOR_SIAMESE_INTERNAL_H

#include "predictor.h"
#include "random.h"
#include "siamese.h"

enum { CHUNK = 64 }; /* cells gathered at a time for scoring */

struct member {
    struct siamese *siamese;
    struct random_stream stream;   /* of the batches */
};

struct neural {
    int members;
    struct member *member;         /* [members] */
    float *shared;                 /* the weights of two or more members in a row, and `best` */
    size_t shared_size;
    float *best;                   /* the best label of the pool; NULL: of no interest */
    struct trial_settings settings; /* of training */
    int budget;                    /* N of the running trial */
    uint64_t seed;
    uint32_t trial;
    bool fresh;                    /* nothing is learnt yet in this trial */
    int batch, code_length, nodes;
    bool pruned;
    bool *dead;                    /* [O] of pruned cells */
    int capacity;                  /* cells that the arrays below hold */
    uint8_t *operation;            /* [capacity][V] */
    const uint32_t **mask[2];      /* [capacity] */
    struct graph *graph;           /* [capacity] of pruned cells */
    float *code, *target;          /* [capacity][E], [capacity] */
    float *score, *one;            /* [members][CHUNK], [members] */
    struct workspace workspace;
};

/* Place cell number i of a batch. */
void predictor_siamese_gather(struct neural *p, int i, const struct space *space, int64_t cell);

/* The first `count` cells that were placed. */
struct cells predictor_siamese_cells(const struct neural *p, int count);

/* predictor_siamese_train.c: as in struct predictor_class. */
void predictor_siamese_start(void *self, uint64_t seed, uint32_t trial, uint32_t budget);
int predictor_siamese_fit(void *self, const struct predictor_pool *pool, const struct predictor_phase *phase, const struct pulse *pulse);

#endif
