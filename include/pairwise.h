/* pairwise.h - BRP-NAS's predictor: a graph network that says which of two cells is better (Dudziak et al. 2020).
 *
 * A cell is its nodes and, before them, a global one with an edge to each. Four graph convolutions, h = dropout(relu(layer_norm(A h W + b))), in
 * one direction, A with self-loops and not normalised; the global node's vector e stands for the cell. A linear layer of the two vectors of
 * a pair gives two numbers whose softmax is the chance that the first, or the second, is better; what it should be is the softmax of the two labels; the
 * loss is the Kullback-Leibler divergence, summed over the pairs of a batch. AdamW.
 *
 * Named deviations: the width is 64 unless the job says otherwise (published: 600), and a batch is all ordered pairs of a few cells, each
 * of which passes the network once, instead of as many pairs of any cells.
 *
 * A layer that is linear in the two vectors, u e1 + v e2 + c, ranks by itself: made antisymmetric, d(1, 2) - d(2, 1) = (u - v) (e1 - e2), the
 * verdict is a difference of scores s = (u - v) e / 2. That order is transitive, costs one product a cell, depends on no set of
 * opponents, and is also the order of the wins against all cells. (Published: a comparison sort with the verdicts as they are.) */
#ifndef PAIRWISE_H
#define PAIRWISE_H

#include "random.h"
#include "vector.h"

#include <stddef.h>

enum { PAIRWISE_NOTHING = 255 }; /* the feature of a node that was taken out */

struct pairwise_shape {
    int nodes, features;      /* without the global node and its feature */
    int width;
};

struct pairwise_cells {
    int count;
    const uint8_t *feature;   /* [count][nodes] */
    const uint32_t *mask;     /* [count][nodes] bit j of node i: an edge from i to j, or j = i */
};

struct pairwise;

/* max_cells bounds the cells of all calls. */
int pairwise_create(struct pairwise **out, const struct pairwise_shape *shape, int max_cells);
void pairwise_destroy(struct pairwise **p);

/* Uniform in +-1 / sqrt(outputs), the last layer in +-1 / sqrt(inputs). */
void pairwise_initialise(struct pairwise *p, struct random_stream *stream);
void pairwise_restart_optimiser(struct pairwise *p);

real *pairwise_weights(struct pairwise *p, size_t *count);   /* all parameters; owned by p */
const real *pairwise_gradients(const struct pairwise *p);

/* The loss of all ordered pairs of the cells; fills the gradients. Dropout by lot, or none when stream is NULL. */
real pairwise_gradient(struct pairwise *p, const struct pairwise_cells *cells, const real *label, struct random_stream *stream);

/* pairwise_gradient, then one update. */
real pairwise_step(struct pairwise *p, const struct pairwise_cells *cells, const real *label, double rate, struct random_stream *stream);

/* score[count]: the antisymmetric ones. A cell's score does not depend on the others. */
void pairwise_score(real *score, struct pairwise *p, const struct pairwise_cells *cells);

#endif
