/* siamese.h - the Siamese predictor and its naive form: parameters, training step, scoring. method.md sections 2 to 4.
 * Letters: B batch, V nodes, O operations, H = WIDTH, E code length. Works in `real`; not collective. */
#ifndef SIAMESE_H
#define SIAMESE_H

#include "adam.h"
#include "attention.h"
#include "graph_conv.h"
#include "head.h"
#include "memory.h"
#include "random.h"

#include <stdbool.h>
#include <stddef.h>

/* What the network looks like. */
struct siamese_shape {
    int nodes, operations; /* V, O */
    int code_length;       /* E; 0: basic branch only (the naive predictor) */
    bool nsam;             /* node self-attention module between the second and the third group */
    bool efm_value_own;    /* the EFM's value has its own group; default: it is the query, as published */
    bool linear;           /* the head ends without a sigmoid; siamese_set_unit() says what its values mean */
    bool pruned;           /* made for cells whose dead paths are pruned (live.h); the caller prunes them */
};

/* The graph convolution groups. The order is that of the published weight files, and of initialisation. */
enum siamese_group {
    GROUP_1, GROUP_2, GROUP_3, NSAM_QUERY, NSAM_KEY, NSAM_VALUE, NSAM_OUT, EFM_QUERY, EFM_KEY, EFM_VALUE, EFM_OUT, SIAMESE_GROUPS
};
extern const char *const siamese_group_name[SIAMESE_GROUPS];

/* All parameters, or all their gradients, as views into flat arrays. Groups that the shape lacks are all NULL. */
struct siamese_parameters {
    struct graph_conv group[SIAMESE_GROUPS];
    real *code_weight;      /* [E][V * H] */
    real *code_bias;        /* [V * H] */
    struct norm code_norm;
    struct head head;
    real *unit;             /* [2][2] of a linear head: offset and scale of its values, basic and estimation branch */
};

struct siamese_training {
    double huber_delta, adam_beta1, adam_beta2, adam_epsilon, norm_momentum, norm_epsilon;
    bool rank_loss; /* pairwise logistic loss (head.h) of each branch in the place of Huber's; needs a linear head */
};

struct siamese;

/* max_batch bounds the cells of a training step; 0: scoring only. */
int siamese_create(struct siamese **out, const struct siamese_shape *shape, const struct siamese_training *training, int max_batch);
void siamese_destroy(struct siamese **s);
const struct siamese_shape *siamese_shape(const struct siamese *s);
double siamese_norm_epsilon(const struct siamese *s);

/* Glorot uniform weights, zero biases, gamma 1, beta 0, running mean 0 and variance 1; the optimiser restarts. */
void siamese_initialise(struct siamese *s, struct random_stream *stream);

/* One array of all parameters: trained ones, then running statistics. Owned by s. */
real *siamese_weights(struct siamese *s, size_t *count);

/* From now on the weights are at `place`, the caller's memory, aligned to 64 bytes, where they begin as what they are. */
void siamese_move(struct siamese *s, real *place);

const struct siamese_parameters *siamese_parameters(const struct siamese *s);

void siamese_restart_optimiser(struct siamese *s);

/* Forward and backward pass of one batch in training mode: returns the loss, fills the gradients, updates running
 * statistics. code [B][E] (NULL for naive), target [B], in [0, 1] unless the head is linear. */
real siamese_gradient(struct siamese *s, const struct cells *batch, const real *code, const real *target);
const real *siamese_gradients(const struct siamese *s); /* [trained parameters] in the order of siamese_weights */
size_t siamese_trained(const struct siamese *s);

/* siamese_gradient, then one Adam update. */
real siamese_step(struct siamese *s, const struct cells *batch, const real *code, const real *target, double rate);

/* A promise about the cells to be scored: all share the graph `mask`, and node v has one of the operations o with allowed[v * O + o]. What
 * the first two groups make of a node depends on what is near it alone, of which there are then few kinds: siamese_fold() tabulates the
 * first group, the products of the second and some of those behind it, and scoring looks them up. Nothing is done when the first
 * table would have more than rows_max rows. Cells that break the promise are still scored, without the table; all scores keep their
 * bits. */
int siamese_promise(struct siamese *s, const uint32_t *const mask[2], const bool *allowed, int64_t rows_max);

/* Prepare scoring: fold the batch normalisations of the present weights. Call after any change of the weights. */
void siamese_fold(struct siamese *s);

/* Scores of branch 0 (basic) or 1 (estimation) of a linear head are offset + scale times its values: at first 0 and 1, and again after
 * siamese_initialise(). The unit is one of the weights; training works on the values themselves. */
void siamese_set_unit(struct siamese *s, int branch, double offset, double scale);

/* Scores of `batch->count` cells, any number, in [0, 1] unless the head is linear: basic branch (code NULL) or estimation branch. Each cell's score depends on
 * that cell and the weights alone, not on its neighbours in the batch. */
void siamese_score(real *score, struct siamese *s, const struct cells *batch, const real *code);

/* The basic branch of a predictor without self-attention on a relaxed cell, each of whose nodes is a mixture soft [V][O] of operations, on the
 * graph `mask`: its score, and unless dsoft is NULL the derivative of the score by the mixture, dsoft [V][O]. After siamese_fold(). */
real siamese_soft(real *dsoft, struct siamese *s, const real *soft, const uint32_t *const mask[2]);

#endif
