/* mlp.h - a regressor of dense layers with ReLU and one output, trained on squared errors with Adam and a little L2, with the defaults of
 * scikit-learn's MLPRegressor. Inputs are panels of dense.h. Works in `real`; not collective. */
#ifndef MLP_H
#define MLP_H

#include "random.h"
#include "vector.h"

#include <stddef.h>

struct mlp_shape {
    int inputs, width, layers; /* layers >= 1 hidden ones of this width */
};

struct mlp_training {
    double rate;               /* 1e-3, of Adam with 0.9, 0.999 and 1e-8 */
    double decay;              /* 1e-4: the loss has decay / 2 times the squared weights over the size of the batch */
    double tolerance;          /* 1e-4: training ends when the loss of an epoch was not that much better than the best one ... */
    int patience;              /* 10: ... more than so many times in a row */
};
void mlp_defaults(struct mlp_training *t);

struct mlp;

/* max_batch bounds the rows of all calls. */
int mlp_create(struct mlp **out, const struct mlp_shape *shape, const struct mlp_training *training, int max_batch);
void mlp_destroy(struct mlp **m);

/* Weights and biases uniform in +-sqrt(6 / (inputs + outputs)) of their layer; the optimiser and the count of bad epochs start anew. */
void mlp_initialise(struct mlp *m, struct random_stream *stream);

/* All parameters, and behind them one vector of numbers that belong to its user, such as the scale of the targets. Owned by m. */
real *mlp_weights(struct mlp *m, size_t *count);
real *mlp_extra(struct mlp *m); /* [LANES] */

/* mean((prediction - target)^2) / 2 and the L2 term; fills the gradients. x [panels of inputs][rows][WIDTH]. */
real mlp_gradient(struct mlp *m, const real *x, const real *target, int rows);
const real *mlp_gradients(const struct mlp *m); /* [count - LANES] in the order of mlp_weights */

/* mlp_gradient, then one update. */
real mlp_step(struct mlp *m, const real *x, const real *target, int rows);

/* The mean loss of an epoch: true when training should end. */
int mlp_is_done(struct mlp *m, double loss);

/* y[rows]. A row's result does not depend on the others. */
void mlp_predict(real *y, struct mlp *m, const real *x, int rows);

#endif
