/* The figures this program lives by, each the median of several runs: `name: value unit`. Spaces are synthetic, with the graph
 * and size of NAS-Bench-201: times do not depend on what the accuracies are.
 *
 * speed [DIR]: with DIR, only writes DIR/weights.nc and DIR/batch.txt, from which a peer can start. */
#include "candidate.h"
#include "group.h"
#include "log.h"
#include "memory.h"
#include "nasbench201.h"
#include "prediction.h"
#include "predictor.h"
#include "siamese_file.h"
#include "space.h"
#include "status.h"
#include "timer.h"
#include "trial.h"

#include "median.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { RUNS = 9, BATCH = 8, NODES = 10, OPERATIONS = 9, CODE = 3, SCORED = 4096 };

/* A space like NAS-Bench-201: all 5^6 cells of its graph, made-up accuracies and losses. */
static int make_space(struct space *s)
{
    static char made_up[] = "made-up", *name[] = {made_up};
    *s = (struct space){.cells = 15625, .nodes = NODES, .operations = OPERATIONS, .graphs = 1, .datasets = 1, .dataset = name,
                        .code_length = CODE};
    const size_t cells = (size_t)s->cells;
    TRY(memory_alloc(&s->graph, 1, sizeof *s->graph));
    TRY(memory_alloc(&s->operation, cells * NODES, 1));
    TRY(memory_alloc(&s->accuracy, cells, sizeof(double)));
    TRY(memory_alloc(&s->early_loss, cells * CODE, sizeof(double)));
    nasbench201_graph(s->graph);
    static const uint8_t fixed[NODES] = {4, 0, 3, 0, 0, 2, 0, 0, 0, 8}, edge[6] = {1, 3, 4, 6, 7, 8}, choice[5] = {0, 1, 5, 6, 7};
    struct random_stream stream;
    random_open(&stream, 1, 1, 1, RANDOM_TEST);
    for (int64_t i = 0; i < s->cells; i++) {
        uint8_t *operation = s->operation + i * NODES;
        memcpy(operation, fixed, NODES);
        double worth = 0;
        for (int64_t k = 0, rest = i; k < 6; k++, rest /= 5) {
            operation[edge[k]] = choice[rest % 5];
            worth += rest % 5 >= 2;
        }
        s->accuracy[i] = 50 + 5 * worth + 10 * random_uniform(&stream);
        for (int e = 0; e < CODE; e++) s->early_loss[i * CODE + e] = 3 - 0.2 * worth - 0.3 * e + 0.3 * random_uniform(&stream);
    }
    return STATUS_OK;
}

struct batch {
    struct cells cells;
    const uint32_t *mask[2][SCORED];
    float code[SCORED * CODE], target[SCORED], score[SCORED];
};

/* The first `count` of a stride through the space. */
static void make_batch(struct batch *b, const struct space *s, uint8_t *operation, int count)
{
    for (int i = 0; i < count; i++) {
        const int64_t cell = (int64_t)i * 7919 % s->cells;
        memcpy(operation + i * NODES, s->operation + cell * NODES, NODES);
        b->mask[0][i] = s->graph->successors;
        b->mask[1][i] = s->graph->predecessors;
        b->target[i] = (float)(s->accuracy[cell] / 100);
        for (int e = 0; e < CODE; e++) b->code[i * CODE + e] = (float)s->early_loss[cell * CODE + e];
    }
    b->cells = (struct cells){count, NODES, operation, {b->mask[0], b->mask[1]}};
}

static const struct siamese_training training = {.huber_delta = 0.5, .adam_beta1 = 0.9, .adam_beta2 = 0.999, .adam_epsilon = 1e-7,
                                                 .norm_momentum = 0.997, .norm_epsilon = 1e-4};

/* Multiply-adds of the dense layers of one training step, times two: what must be computed at the least. */
static double step_flop(const struct siamese_shape *shape)
{
    int groups = 2 + (shape->nsam ? 4 : 0) + (shape->code_length > 0 ? 3 : 0);
    return 3.0 * groups * 2 * 2 * BATCH * NODES * WIDTH * WIDTH;
}

static int bench_predictor(const char *suffix, bool nsam, int code_length, const struct space *s, struct batch *b, uint8_t *operation)
{
    const struct siamese_shape shape = {NODES, OPERATIONS, code_length, nsam, false, false, false};
    struct siamese *p;
    struct random_stream stream;
    double step[RUNS], flop[RUNS], rate[RUNS], again[RUNS];
    char name[64];
    bool allowed[NODES * OPERATIONS];
    const uint32_t *const mask[2] = {s->graph->successors, s->graph->predecessors};
    TRY(siamese_create(&p, &shape, &training, BATCH));
    space_allowed(allowed, s);
    TRY(siamese_promise(p, mask, allowed, s->cells / 4)); /* as a search does */
    random_open(&stream, 2, 1, 1, RANDOM_TEST);
    siamese_initialise(p, &stream);
    for (int run = 0; run < RUNS; run++) {
        const int steps = 400;
        make_batch(b, s, operation, BATCH);
        double begin = timer_now();
        for (int i = 0; i < steps; i++) siamese_step(p, &b->cells, b->code, b->target, 1e-3);
        step[run] = (timer_now() - begin) / steps * 1e3;
        flop[run] = step_flop(&shape) / step[run] * 1e-6;
        make_batch(b, s, operation, SCORED);
        begin = timer_now();
        siamese_fold(p);
        siamese_score(b->score, p, &b->cells, NULL);
        rate[run] = SCORED / (timer_now() - begin);
        begin = timer_now();
        if (code_length > 0) siamese_score(b->score, p, &b->cells, b->code);
        again[run] = SCORED / (timer_now() - begin);
    }
    snprintf(name, sizeof name, "train_step%s", suffix);
    median_print(name, step, RUNS, "ms", "");
    snprintf(name, sizeof name, "train_step%s_dense", suffix);
    median_print(name, flop, RUNS, "GFLOP/s", "");
    if (nsam || code_length == 0) median_print(nsam ? "score_nsam" : "score_plain", rate, RUNS, "cells/s", "");
    if (nsam) median_print("rescore_nsam", again, RUNS, "cells/s", "");
    siamese_destroy(&p);
    return STATUS_OK;
}

static int bench_trial(const char *name, const char *method, const struct space *s)
{
    const struct group alone = {.comm = MPI_COMM_SELF, .leaders = MPI_COMM_SELF, .size = 1, .groups = 1};
    const struct candidate_options options = {0, false, "early_loss", CODE, CODE_RAW};
    struct trial_settings settings;
    struct trial_spec spec = {.n = 100, .seed = 1};
    struct trial_result result;
    struct candidate *candidate;
    struct trial *trial;
    double seconds[5];
    trial_defaults(&settings);
    TRY(method_parse(&spec.method, method));
    TRY(candidate_create(&candidate, s, &options));
    TRY(trial_create(&trial, &alone, s, &settings, spec.n, NULL));
    for (int run = 0; run < 5; run++) {
        spec.trial = (uint32_t)run;
        double begin = timer_now();
        TRY(trial_run(&result, trial, candidate, &spec));
        seconds[run] = timer_now() - begin;
    }
    median_print(name, seconds, 5, "s", "");
    trial_destroy(&trial);
    candidate_destroy(&candidate);
    return STATUS_OK;
}

/* The best 1,000 of many cells of five nodes (V = 15): from a table in memory, and made from their index while they are scored. */
static int bench_scan(const char *suffix, bool nsam)
{
    enum { CELLS = 50000, TOP = 1000 };
    const struct group alone = {.comm = MPI_COMM_SELF, .leaders = MPI_COMM_SELF, .size = 1, .groups = 1};
    struct space rule, table;
    struct siamese *network;
    struct predictor *predictor;
    struct random_stream stream;
    double rate[2][RUNS];
    char name[64];
    TRY(nasbench201_space(&rule, 5));
    rule.cells = CELLS;
    table = rule;
    TRY(memory_alloc(&table.operation, CELLS, (size_t)rule.nodes));
    for (int64_t i = 0; i < CELLS; i++) space_cell(table.operation + i * rule.nodes, &rule, i);
    const struct siamese_shape shape = {rule.nodes, rule.operations, 0, nsam, false, false, false};
    TRY(siamese_create(&network, &shape, &training, 0));
    random_open(&stream, 3, 1, 1, RANDOM_TEST);
    siamese_initialise(network, &stream);
    TRY(predictor_adopt(&predictor, network, &rule));
    for (int run = 0; run < RUNS; run++)
        for (int kind = 0; kind < 2; kind++) {
            struct prediction best;
            double begin = timer_now();
            TRY(prediction_top(&best, predictor, 0, kind == 0 ? &table : &rule, &alone, TOP, NULL));
            rate[kind][run] = CELLS / (timer_now() - begin);
            prediction_destroy(&best);
        }
    snprintf(name, sizeof name, "score_%s_table_v15", suffix);
    median_print(name, rate[0], RUNS, "cells/s", "");
    snprintf(name, sizeof name, "score_%s_rule_v15", suffix);
    median_print(name, rate[1], RUNS, "cells/s", "");
    predictor_destroy(&predictor);
    free(table.operation);
    space_destroy(&rule);
    return STATUS_OK;
}

/* A batch, weights and their loss in double digits, for a peer to start from. */
static int write_for_peer(const char *folder, const struct space *s, struct batch *b, uint8_t *operation)
{
    const struct siamese_shape shape = {NODES, OPERATIONS, CODE, true, false, false, false};
    struct siamese *p;
    struct random_stream stream;
    char path[4096], *names;
    TRY(siamese_create(&p, &shape, &training, BATCH));
    random_open(&stream, 2, 1, 1, RANDOM_TEST);
    siamese_initialise(p, &stream);
    TRY(memory_join(&names, nasbench201_vocabulary, OPERATIONS, " "));
    snprintf(path, sizeof path, "%s/weights.nc", folder);
    TRY(siamese_file_write(p, names, path));
    free(names);
    make_batch(b, s, operation, BATCH);
    snprintf(path, sizeof path, "%s/batch.txt", folder);
    FILE *f = fopen(path, "w");
    if (f == NULL) return status_fail(STATUS_FAILURE, "%s cannot be written", path);
    for (int i = 0; i < BATCH; i++) {
        for (int v = 0; v < NODES; v++) fprintf(f, "%d ", operation[i * NODES + v]);
        for (int e = 0; e < CODE; e++) fprintf(f, "%.9g ", (double)b->code[i * CODE + e]);
        fprintf(f, "%.9g\n", (double)b->target[i]);
    }
    for (int v = 0; v < NODES; v++) fprintf(f, "%u%c", s->graph->successors[v], v + 1 < NODES ? ' ' : '\n');
    double loss = 0;
    for (int step = 0; step < 3; step++) { /* the third loss has seen two updates */
        loss = (double)siamese_step(p, &b->cells, b->code, b->target, 1e-3);
        fprintf(f, "%.9g%c", loss, step < 2 ? ' ' : '\n');
    }
    fclose(f);
    siamese_destroy(&p);
    return STATUS_OK;
}

static int bench(const char *folder)
{
    static struct batch b;
    static uint8_t operation[SCORED * NODES];
    struct space s;
    TRY(make_space(&s));
    if (folder != NULL) return write_for_peer(folder, &s, &b, operation);
    TRY(bench_predictor("_naive", false, 0, &s, &b, operation));
    TRY(bench_predictor("_siamese", false, CODE, &s, &b, operation));
    TRY(bench_predictor("", true, CODE, &s, &b, operation));
    TRY(bench_scan("plain", false));
    TRY(bench_scan("nsam", true));
    TRY(bench_trial("trial_bts", "siamese+nsam+bts", &s));
    TRY(bench_trial("trial_fts", "siamese+nsam+fts", &s));
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("memory: %.1f MB (resident, all of the above in one process)\n", (double)usage.ru_maxrss / 1024);
    return STATUS_OK;
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    int status = bench(argc > 1 ? argv[1] : NULL);
    if (status != STATUS_OK) log_error(status_message());
    MPI_Finalize();
    return status;
}
