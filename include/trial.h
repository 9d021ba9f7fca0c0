/* trial.h - one trial: sample, train the predictor, rank the space, train the first K. method.md sections 3 to 7. */
#ifndef TRIAL_H
#define TRIAL_H

#include "candidate.h"
#include "group.h"
#include "method.h"
#include "pulse.h"
#include "space.h"
#include "timer.h"

/* The constants of method.md sections 4 to 7; trial_defaults() gives the published ones. */
struct trial_settings {
    int batch;                      /* B = 8, drawn with replacement */
    int epochs[4];                  /* 40 100 60 3: warm up, sample, refine, select */
    double learning_rate[4];        /* 1e-3 1e-3 1e-4 1e-4; the optimiser restarts with each */
    double huber_delta;             /* 0.5 */
    double adam_beta1, adam_beta2, adam_epsilon;
    double norm_momentum, norm_epsilon;
    bool efm_value_own;             /* false: the EFM's value is its query, as published */
    bool rank_loss;                 /* pairwise logistic loss (head.h) in the place of Huber's */
    bool standardise;               /* targets with mean 0 and deviation 1 over the present pool */
    bool prune;                     /* dead paths of a cell lose their edges (live.h) */
    int ensemble;                   /* 1: networks that are trained side by side; their mean counts */
    double initial_share;           /* lambda = 0.3 */
    int rounds;                     /* f = 10 */
    double part;                    /* 0.1: the part of the space that BTS ranks, and on which weights are selected */
    int c_train, c_evaluate;        /* 30, 60 */
    int k_max;                      /* length of the best-so-far curve: 200 */
    /* samplers that ask how sure the predictor is (acquisition.h) */
    struct acquisition_settings {
        int initial;                /* architectures of the initial design */
        enum acquisition_design { DESIGN_RANDOM, DESIGN_SPREAD, DESIGN_CODE } design;
        int design_pool;            /* architectures at random, from which a design other than random is chosen */
        int batch;                  /* architectures a round */
        int codes;                  /* codes bought a round; 0: the basic branch decides alone */
        int epochs;                 /* of neural predictors after each round; 0: from new weights, all of `epochs` above */
        double kappa;               /* of ucb: standard deviations above the mean */
    } acquisition;
    int gp_together_from;           /* pools of this size on: the ranks of a group share the matrices of the Gaussian process */
    struct {
        int population, sample;     /* 50, 10 */
    } evolution;
    struct {
        int initial;                /* 10 */
    } local_search;
    struct {
        int initial, batch, top;    /* 10, 10, 100 */
        int width, epochs;          /* 1000, 100: of the mlp */
    } weaknas;
    struct {
        int rounds;                 /* 5 */
        int width, epochs;          /* 64 (published: 600); 50, times the number of the round */
    } brp;
    struct {
        int initial, batch;         /* 20, 10 */
        int steps;                  /* 50, of each start */
        double rate;                /* 0.1 */
        double flops_limit, flops_penalty; /* 0 (none), 1 */
    } prednas;
};
void trial_defaults(struct trial_settings *s);

struct trial_spec {
    struct method method;
    int n;           /* N: architectures trained for the predictor, at least 4 */
    uint32_t trial;  /* number of the repetition */
    uint64_t seed;
};

/* Filled in on the group's rank 0. Arrays are owned by the trial's workspace and stay until the next trial. */
struct trial_result {
    int k_max, pool_size;
    const double *best;       /* [k_max] best true accuracy of the first k+1 chosen, in [0, 1] */
    const int64_t *chosen;    /* [k_max] cells in ranked order */
    const double *chosen_accuracy; /* [k_max] in [0, 1] */
    const double *score;      /* [k_max] what the predictor thought when it chose, in [0, 1] */
    const int *place;         /* [k_max] of the chosen cells in the order of the basic branch alone, from 1 */
    const int64_t *pool;      /* [pool_size] cells of the training pool in order of arrival */
    const float *pool_score;  /* [pool_size] what the predictor thought when it chose them; NaN for those drawn at random */
    struct candidate_cost training_cost; /* before evaluation */
    int64_t codes_evaluate;   /* codes bought while ranking for evaluation */
    const int64_t *trainings; /* [k_max] full trainings charged in all when the first k+1 chosen are trained */
    const struct candidate_purchase *query; /* [queries] every full training in the order in which it was paid */
    int64_t queries;
    double rho, tau;          /* Spearman and Kendall tau-b of the whole ranking against truth; NaN when it is not known */
    double tau_top;           /* Kendall tau-b inside the true top tenth; NaN likewise */
    struct timer timer;
};

struct trial; /* everything a rank needs for trials, reused from one to the next */

/* Collective over the group. space and candidate must outlive the trial. n_max bounds the N of later calls. */
int trial_create(struct trial **out, const struct group *group, const struct space *space, const struct trial_settings *settings,
                 int n_max, const struct pulse *pulse);
void trial_destroy(struct trial **t);

/* Collective over the group, with the same spec on all ranks. The result depends only on space, candidate, settings and
 * spec: not on the group's size, nor on earlier trials. */
int trial_run(struct trial_result *out, struct trial *t, struct candidate *candidate, const struct trial_spec *spec);

/* The predictor of the last trial, as it ranked at the end; trained on rank 0 of the group. Owned by t. */
struct predictor *trial_predictor(const struct trial *t);

/* Bytes a rank takes for trials, for --dry-run. */
size_t trial_memory(const struct space *space, const struct trial_settings *settings, int n_max);

#endif
