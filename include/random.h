/* random.h - counter-based random streams (Philox4x32-10, Salmon et al. 2011, from Random123).
 *
 * A stream is a pure function of (seed, trial, budget, purpose) and of how often it was read, never of rank
 * or time: the promise "same numbers for any number of ranks and any restart" begins here. Methods are left
 * out of the key on purpose: trial t of every method starts from the same random pool, which pairs their
 * comparison and keeps a trial independent of what else the job contains. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>

enum random_purpose {
    RANDOM_BOOTSTRAP = 128, /* samples of the cells with replacement; below are the searches' */
    RANDOM_WEIGHTS = 1,  /* initial weights */
    RANDOM_POOL,         /* the first training pool */
    RANDOM_BATCH,        /* batches drawn from the pool */
    RANDOM_TENTH,        /* random parts of the space that are ranked while sampling */
    RANDOM_SELECT,       /* the fixed part of the space on which the final weights are chosen */
    RANDOM_SCORE,        /* the predictor "random" */
    RANDOM_AUGMENT = 8,  /* flips, crops and shifts of one image of a batch */
    RANDOM_MIXUP,        /* whether, how and with whom a batch is mixed */
    RANDOM_ORDER,        /* the order of an epoch's images */
    RANDOM_SPLIT,        /* which training images are held out, and which are used */
    RANDOM_CANDIDATE,    /* initial weights of a candidate network */
    RANDOM_TWIN,         /* which of several cells of one class is trained first */
    RANDOM_DESIGN,       /* whose codes an initial design is made from */
    RANDOM_THOMPSON,     /* draws from what a predictor believes */
    RANDOM_TEST = 7,
    RANDOM_WALK = 32,    /* what samplers with rounds decide by lot */
    RANDOM_DROPOUT,      /* what is dropped while a predictor trains */
};

struct random_stream {
    uint32_t key[2];     /* seed */
    uint32_t tag[2];     /* trial; purpose and budget */
    uint64_t counter;
    uint32_t block[4];
    int left;            /* unread words of block */
};

/* purpose < 256, 0 <= budget < 2^24 (the N of the trial). */
void random_open(struct random_stream *s, uint64_t seed, uint32_t trial, uint32_t budget, enum random_purpose purpose);

uint32_t random_bits(struct random_stream *s);
double random_uniform(struct random_stream *s);              /* in [0, 1), 32 bits */
int64_t random_below(struct random_stream *s, int64_t n);    /* uniform in 0..n-1 without bias, n >= 1 */

/* All orders of x[n] equally likely. */
void random_shuffle(int64_t *x, int64_t n, struct random_stream *s);

/* m distinct numbers of 0..n-1, ascending, every subset equally likely; 0 <= m <= n; O(n). */
void random_subset(int64_t *out, int64_t m, int64_t n, struct random_stream *s);

#endif
