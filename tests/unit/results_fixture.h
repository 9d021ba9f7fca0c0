/* results_fixture.h - a made-up job and trials whose numbers are functions of their coordinates, for tests of the results
 * file and the report. */
#ifndef RESULTS_FIXTURE_H
#define RESULTS_FIXTURE_H

#include "ranks.h"

#include "results.h"
#include "status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIXTURE_CELLS = 40, FIXTURE_K = 6, FIXTURE_POOL = 12, FIXTURE_QUERIES = 12 + 6 };

struct fixture {
    struct job job;
    struct grid grid;
    struct space space;
    struct results_plan plan;
    struct method method[2];
    int n[2], ks[2];
    char *dataset[2];
    double oracle[2];
    int64_t id[FIXTURE_CELLS];
    char output[300], parameters[512], text[256];
    bool finished[64];
    /* the arrays of one trial */
    double best[FIXTURE_K], accuracy[FIXTURE_K], score[FIXTURE_K];
    int64_t chosen[FIXTURE_K], trainings[FIXTURE_K], pool[FIXTURE_POOL];
    int place[FIXTURE_K];
    float pool_score[FIXTURE_POOL];
    struct candidate_purchase query[FIXTURE_QUERIES];
};

/* Results of `trials` repetitions from first_trial on, in the scratch folder. */
static inline void fixture_make(struct fixture *f, const char *name, int first_trial, int trials)
{
    static char job_path[] = "fixture.ini", space_path[] = "space.nc", title[] = "made up", datasets[2][16] = {"first", "second, one"};
    memset(f, 0, sizeof *f);
    snprintf(f->output, sizeof f->output, "%s", scratch(name));
    snprintf(f->text, sizeof f->text, "[experiment]\nranks_per_trial = %d\ntrials = %d\n[output]\nfile = %s\n", trials + 1, trials,
             name);
    snprintf(f->parameters, sizeof f->parameters,
             "space.file = %s/space.nc\nexperiment.trials = %d\nexperiment.first_trial = %d\ntraining.batch = 8\n"
             "evaluation.c = 5\nevaluation.K = 2, 5\nevaluation.K_max = %d\n", scratch_folder, trials, first_trial, FIXTURE_K);
    f->method[0] = (struct method){PREDICTOR_NAIVE, SAMPLER_RANDOM};
    f->method[1] = (struct method){PREDICTOR_SIAMESE_NSAM, SAMPLER_BTS};
    f->n[0] = 8, f->n[1] = 12, f->ks[0] = 2, f->ks[1] = 5;
    f->dataset[0] = datasets[0], f->dataset[1] = datasets[1];
    f->oracle[0] = 90, f->oracle[1] = 70;
    for (int i = 0; i < FIXTURE_CELLS; i++) f->id[i] = 100 + 3 * i;
    f->job = (struct job){.path = job_path, .text = f->text, .parameters = f->parameters, .space = space_path,
                          .datasets = 2, .dataset = f->dataset, .methods = 2, .method = f->method, .budgets = 2, .n = f->n,
                          .trials = trials, .first_trial = first_trial, .ranks_per_trial = 1, .ks = 2, .k = f->ks,
                          .output = f->output};
    trial_defaults(&f->job.settings);
    f->job.settings.k_max = FIXTURE_K;
    f->space = (struct space){.title = title, .cells = FIXTURE_CELLS, .id = f->id};
    if (grid_create(&f->grid, &f->job) != STATUS_OK || f->grid.units > 64) abort();
    f->plan = (struct results_plan){.job = &f->job, .grid = &f->grid, .space = &f->space, .file_checksum = 0x1234abcd,
                                    .file_cells = FIXTURE_CELLS + 7, .filtered = 5, .missing = 2, .oracle = f->oracle};
}

/* Best accuracy of a unit at K = k, in [0, 1]: it grows with k, and one trial in three finds the oracle at the last K. */
static inline double fixture_best(const struct fixture *f, struct unit u, int k)
{
    int trial = f->job.first_trial + u.realization;
    if (k == FIXTURE_K && trial % 3 == 0) return f->oracle[u.dataset] / 100;
    return (f->oracle[u.dataset] - 20 + 2 * k + u.method + 0.5 * u.budget + 0.25 * trial) / 100;
}

/* The trial of a unit, whatever else is in the job; arrays lie in the fixture. */
static inline struct trial_result fixture_trial(struct fixture *f, int64_t id)
{
    struct unit u = grid_unit(&f->grid, id);
    int trial = f->job.first_trial + u.realization, pool = f->n[u.budget] - 3;
    const int number = ((u.dataset * 2 + u.method) * 2 + u.budget) * 5 + trial;
    for (int k = 0; k < FIXTURE_K; k++) {
        f->best[k] = fixture_best(f, u, k + 1);
        f->accuracy[k] = f->best[k] - 0.01 * (k % 2);
        f->score[k] = 0.5 + 0.001 * number;
        f->chosen[k] = (number + k) % FIXTURE_CELLS;
        f->trainings[k] = f->n[u.budget] + k + 1;
        f->place[k] = (k + trial) % FIXTURE_K + 1;
    }
    for (int i = 0; i < pool; i++) {
        f->pool[i] = (2 * number + i) % FIXTURE_CELLS;
        f->pool_score[i] = i < 3 ? NAN : 0.25f * (float)i;
    }
    const int queries = f->n[u.budget] + FIXTURE_K;
    for (int i = 0; i < queries; i++)
        f->query[i] = (struct candidate_purchase){(number + i) % FIXTURE_CELLS, 0.5, 0.4 + 0.001 * i, 1.25 * (i + 1)};
    return (struct trial_result){
        .k_max = FIXTURE_K, .pool_size = pool, .best = f->best, .chosen = f->chosen, .chosen_accuracy = f->accuracy,
        .score = f->score, .place = f->place, .pool = f->pool, .pool_score = f->pool_score, .query = f->query, .queries = queries,
        .training_cost = {f->n[u.budget], 10 * u.method}, .codes_evaluate = 5 * u.method,
        .trainings = f->trainings, .rho = 0.1 * trial, .tau = 0.05 * trial, .tau_top = trial == 2 ? NAN : -0.1,
        .timer = {{1.5, 2.5, 3.5, 0}},
    };
}

/* Open, let the leaders write the units for which wanted(id) holds, close with `status`. Collective. */
static inline int fixture_run(struct fixture *f, bool (*wanted)(int64_t), int status, enum results_state *state, int ranks_per_trial)
{
    struct results *r;
    struct group g;
    const struct results_run run = {"siamese-nas run fixture.ini", 12.5, 1000000};
    group_create(&g, MPI_COMM_WORLD, ranks_per_trial);
    memset(f->finished, 0, sizeof f->finished);
    int opened = results_open(&r, state, f->finished, &f->plan, &g, 0, MPI_COMM_WORLD), failed = STATUS_OK;
    if (opened == STATUS_OK && r != NULL) {
        for (int64_t id = 0; id < f->grid.units && g.leaders != MPI_COMM_NULL; id++) {
            if (id % g.groups != g.index || f->finished[id] || !wanted(id)) continue;
            struct trial_result t = fixture_trial(f, id);
            if (failed == STATUS_OK) failed = results_write(r, id, &t);
        }
        failed = status_agree(MPI_COMM_WORLD, failed);
        if (failed != STATUS_OK) status = failed;
        opened = results_close(&r, status, &run, MPI_COMM_WORLD);
        if (r != NULL) opened = STATUS_FAILURE;
    }
    group_destroy(&g);
    return opened;
}

static inline bool fixture_all(int64_t id)
{
    return id >= 0;
}

#endif
