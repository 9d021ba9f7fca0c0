#include "job_keys.h"

/* The bound of N comes from the random streams (random.h), the others are far beyond any sensible value. */
#define BUDGET_MAX 16777215
#define LARGE      1000000
#define SEED_MAX   9007199254740991 /* 2^53 - 1 */
#define SMALL      1e-12

const struct config_key job_keys[] = {
    {"space", "file", CONFIG_TEXT, 1, CONFIG_REQUIRED, "nas-bench-201.nc", 0, 0, 0, 0,
     "the space file; a relative path starts in the working directory"},
    {"space", "dataset", CONFIG_TEXT, CONFIG_ANY, CONFIG_REQUIRED, "cifar10", 0, 0, 0, 0,
     "data sets of the space file whose accuracy is searched for, one experiment each"},
    {"space", "label", CONFIG_CHOICE, 1, 0, "accuracy", 0, 0, "accuracy|validation_accuracy", 0,
     "what predictors learn; results always report the accuracy"},
    {"space", "code", CONFIG_TEXT, CONFIG_ANY, 0, "early_loss", 0, 0, 0, 0,
     "the Estimation Code: early_loss, or names of signals of the space file such as synflow"},
    {"space", "code_length", CONFIG_INT, 1, 0, "3", 1, 1000, 0, "epochs",
     "E, how many of the first training losses make the code; ignored for signals"},
    {"space", "code_transform", CONFIG_CHOICE, 1, 0, "raw", 0, 0, "raw|log", 0,
     "what is done to the code's values before a predictor sees them"},
    {"space", "missing", CONFIG_CHOICE, 1, 0, "error", 0, 0, "error|drop", 0,
     "cells without a known label, accuracy or code: stop with an error, or drop them and report how many"},
    {"space", "filter", CONFIG_TEXT, 1, 0, "", 0, 0, 0, 0,
     "keep only the cells for which this holds: VARIABLE < <= > >= == or != NUMBER, as in flops<35"},

    {"candidate", "source", CONFIG_CHOICE, 1, 0, "table", 0, 0, "table|train|command", 0,
     "accuracies and losses: from the space file, or measured when asked for; who diverges or fails has accuracy 0, losses of 10"},
    {"candidate", "recipe", CONFIG_TEXT, 1, 0, "", 0, 0, 0, 0,
     "of source = train: the file that says how, as for siamese-nas train"},
    {"candidate", "command", CONFIG_TEXT, 1, 0, "", 0, 0, 0, 0,
     "of source = command: run by sh; it reads a cell as JSON and writes {\"losses\": [..]} or {\"accuracy\": percent}"},
    {"candidate", "timeout", CONFIG_REAL, 1, 0, "86400", 0.01, 1e9, 0, "seconds",
     "of source = command: for one run; one that takes longer or goes wrong is repeated once, then the cell has failed"},
    {"candidate", "ranks_per_candidate", CONFIG_INT, 1, CONFIG_LOCAL, "1", 1, LARGE, 0, "ranks",
     "of source = train: how many of a trial's ranks train one cell together"},
    {"candidate", "ledger", CONFIG_TEXT, 1, CONFIG_LOCAL, "", 0, 0, 0, 0,
     "file that keeps what was measured, for this and other jobs; without it the name of the space file, ending in .ledger"},

    {"experiment", "predictor", CONFIG_TEXT, CONFIG_ANY, CONFIG_REQUIRED, "naive, siamese, siamese+nsam, siamese+nsam+bts",
     0, 0, 0, 0, "methods: random, naive, siamese, siamese+nsam, the last three also with +bts or +fts; gp, gp-paths, also with +ei, +ts, +ucb"},
    {"experiment", "N", CONFIG_INT, CONFIG_ANY, CONFIG_REQUIRED | CONFIG_SORTED, "30..200:10", 4, BUDGET_MAX, 0,
     "architectures", "how many architectures are trained for the predictor; 30..200:10 is 30, 40 .. 200"},
    {"experiment", "trials", CONFIG_INT, 1, 0, "100", 1, LARGE, 0, 0, "repetitions of each method and N"},
    {"experiment", "first_trial", CONFIG_INT, 1, 0, "1", 1, 1000000000, 0, 0,
     "number of the first repetition; it selects the random numbers, so further trials can be added in a second job"},
    {"experiment", "seed", CONFIG_INT, 1, 0, "1", 0, SEED_MAX, 0, 0, "chooses all random numbers"},
    {"experiment", "ranks_per_trial", CONFIG_INT, 1, CONFIG_LOCAL, "1", 1, LARGE, 0, "ranks",
     "how many ranks work on one trial together; results do not depend on it"},

    {"training", "batch", CONFIG_INT, 1, 0, "8", 1, 4096, 0, "architectures", "B, drawn from the pool with replacement"},
    {"training", "epochs", CONFIG_INT, 4, 0, "40, 100, 60, 3", 0, LARGE, 0, "epochs",
     "length of the four phases: warm up, sample, refine, select weights; N less the last goes into the pool"},
    {"training", "learning_rate", CONFIG_REAL, 4, 0, "0.001, 0.001, 0.0001, 0.0001", SMALL, 1, 0, 0,
     "of Adam in each phase; the optimiser starts anew with each"},
    {"training", "huber_delta", CONFIG_REAL, 1, 0, "0.5", SMALL, LARGE, 0, "fraction of accuracy",
     "error at which the loss turns from square to straight"},
    {"training", "adam_beta1", CONFIG_REAL, 1, 0, "0.9", 0, 0.999999, 0, 0, "decay of Adam's mean gradient"},
    {"training", "adam_beta2", CONFIG_REAL, 1, 0, "0.999", 0, 0.999999, 0, 0, "decay of Adam's mean squared gradient"},
    {"training", "adam_epsilon", CONFIG_REAL, 1, 0, "1e-07", SMALL, 1, 0, 0, "keeps Adam's step finite"},
    {"training", "norm_momentum", CONFIG_REAL, 1, 0, "0.997", 0, 1, 0, 0,
     "of the running mean and variance in batch normalisation"},
    {"training", "norm_epsilon", CONFIG_REAL, 1, 0, "0.0001", SMALL, 1, 0, 0, "added to the variance in batch normalisation"},
    {"training", "efm_value", CONFIG_CHOICE, 1, 0, "query", 0, 0, "query|own", 0,
     "the value of the Estimation Fusion Module: its query, as published, or a convolution of its own, as drawn in the paper"},

    {"sampling", "initial_share", CONFIG_REAL, 1, 0, "0.3", SMALL, 1, 0, "fraction of the pool",
     "lambda, what bts and fts draw at random before they start to choose"},
    {"sampling", "rounds", CONFIG_INT, 1, 0, "10", 1, LARGE, 0, 0,
     "f, how often bts and fts add to the pool in the second phase"},
    {"sampling", "part", CONFIG_REAL, 1, 0, "0.1", SMALL, 1, 0, "fraction of the space",
     "how much bts ranks in each round, and on how much the final weights are selected"},
    {"sampling", "c", CONFIG_INT, 1, 0, "30", 1, LARGE, 0, "architectures",
     "head of the ranking that the estimation branch sorts again while training"},

    {"acquisition", "initial", CONFIG_INT, 1, 0, "6", 1, LARGE, 0, "architectures",
     "of ei, ts and ucb: how many are trained before the predictor is first asked"},
    {"acquisition", "design", CONFIG_CHOICE, 1, 0, "code", 0, 0, "random|spread|code", 0,
     "these at random; far from each other; or so among the third with the best codes, for predictors that read codes"},
    {"acquisition", "design_pool", CONFIG_INT, 1, 0, "200", 1, LARGE, 0, "architectures",
     "of spread and code: how many at random they are chosen from; code buys the codes of all of them"},
    {"acquisition", "batch", CONFIG_INT, 1, 0, "1", 1, LARGE, 0, "architectures",
     "trained in each round, before the predictor learns again; when candidates are measured, side by side"},
    {"acquisition", "codes", CONFIG_INT, 1, 0, "0", 0, LARGE, 0, "architectures",
     "codes bought in each round, those of the basic branch's best; the estimation branch then chooses. 0: the basic branch alone"},
    {"acquisition", "kappa", CONFIG_REAL, 1, 0, "2", 0, LARGE, 0, "standard deviations", "of ucb: how far above the mean"},

    {"gp", "together_from", CONFIG_INT, 1, 0, "2000", 1, LARGE, 0, "architectures",
     "N from which the ranks of a trial share its matrices (ScaLAPACK); below each has its own. Last digits then depend on their number"},

    {"evaluation", "c", CONFIG_INT, 1, 0, "60", 1, LARGE, 0, "architectures",
     "head of the ranking that the estimation branch sorts again at the end"},
    {"evaluation", "K", CONFIG_INT, CONFIG_ANY, CONFIG_SORTED, "10, 20, 30", 1, LARGE, 0, "architectures",
     "how many of the ranking's first are trained at the end; report prints a line for each K"},
    {"evaluation", "K_max", CONFIG_INT, 1, 0, "200", 1, LARGE, 0, "architectures",
     "length of the curves in the results file; when candidates are measured, all of these are"},

    {"output", "file", CONFIG_TEXT, 1, CONFIG_LOCAL, "", 0, 0, 0, 0,
     "results file NAME.nc; without it the name of the job file, in the working directory"},
};

const int job_keys_count = sizeof job_keys / sizeof job_keys[0];
