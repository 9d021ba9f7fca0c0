/* pool.h - the training pool and how samplers fill it: at random, or with the top of a ranking (paper, Algorithm 2). */
#ifndef POOL_H
#define POOL_H

#include "candidate.h"
#include "predictor.h"
#include "topset.h"

struct pool {
    struct predictor_pool view; /* what predictors read; its arrays are the ones below */
    int64_t capacity;
    int64_t *cell;
    double *label_bought;       /* scratch of a purchase */
    float *label, *code;
    float *score;               /* what the predictor thought when it chose them; NaN for those drawn at random */
    int code_length;
    uint8_t *member;            /* [cells of the space] */
};

int pool_create(struct pool **out, const struct space *space, int64_t capacity, int code_length);
void pool_destroy(struct pool **p);
void pool_clear(struct pool *p);

/* Buy labels (and codes when buy_codes) of n cells that are not members yet, and add them. */
int pool_add(struct pool *p, struct candidate *candidate, const int64_t *cell, int64_t n, bool buy_codes);

/* The first cells of a ranking that are not members yet, `most` at most, into cell; how many. */
int64_t pool_find_new(int64_t *cell, const struct pool *p, const struct topset *top, int64_t most);

/* Add the first `want` cells of a ranking that are not members yet, or as many as there are. */
int pool_add_top(struct pool *p, struct candidate *candidate, const struct topset *top, int64_t want, bool buy_codes);

#endif
