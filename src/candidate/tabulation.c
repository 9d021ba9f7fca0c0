#include "tabulation.h"

#include "candidate.h"
#include "file.h"
#include "ledger_fill.h"
#include "log.h"
#include "memory.h"
#include "progress.h"
#include "space_file.h"
#include "status.h"
#include "stop.h"
#include "timer.h"
#include "topology.h"
#include "trainer.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tabulation {
    const struct recipe *recipe;
    const struct tabulation_options *options;
    MPI_Comm comm;
    int rank, ranks;
    struct space space;
    int64_t *class_of, *first, classes;
    struct group all, team;
    struct trainer *trainer;
    struct measurer measurer;
    struct ledger *ledger;
    struct candidate *candidate;
    double *flops, *parameters;  /* [cells] */
    int64_t *order;              /* [ordered] one cell of each class that is asked for, the costliest first */
    int64_t ordered;
};

/* -- space, networks, ledger ----------------------------------------------------------------------------------- */

/* The output may be the space, but none of the other files that are read. */
static int check_output(const struct tabulation *t)
{
    const struct tabulation_options *o = t->options;
    const struct images_source *from = &t->recipe->source;
    if (strcmp(o->output, o->ledger) == 0)
        return status_fail(STATUS_INPUT, "%s cannot be the output and its ledger; name another file with --ledger", o->output);
    TRY(file_check_distinct(o->output, t->recipe->path));
    for (int i = 0; i < from->trains; i++) TRY(file_check_distinct(o->output, from->train[i]));
    for (int i = 0; i < from->tests; i++) TRY(file_check_distinct(o->output, from->test[i]));
    return STATUS_OK;
}

static int read_space(struct tabulation *t)
{
    TRY(check_output(t));
    TRY(space_file_read(&t->space, t->options->space));
    for (int64_t i = 0; i < t->options->cells; i++)
        if (t->options->cell != NULL && (t->options->cell[i] < 0 || t->options->cell[i] >= t->space.cells))
            return status_fail(STATUS_INPUT, "%s has cells 0 to %" PRId64 ", but no cell %" PRId64, t->options->space,
                               t->space.cells - 1, t->options->cell[i]);
    return t->space.cells <= INT_MAX ? STATUS_OK
                                     : status_fail(STATUS_INPUT, "%s: %" PRId64 " cells are too many to train", t->options->space,
                                                   t->space.cells);
}

static int classify(struct tabulation *t)
{
    struct topology_words words;
    TRY(memory_alloc(&t->class_of, (size_t)t->space.cells, sizeof *t->class_of));
    TRY(topology_words(&words, &t->space));
    return topology_classes(t->class_of, &t->first, &t->classes, &t->space, &words);
}

/* Multiply-adds and parameters of every cell, a part on each rank. */
static int count(struct tabulation *t)
{
    const int64_t cells = t->space.cells;
    int status = memory_alloc(&t->flops, (size_t)cells, sizeof *t->flops);
    if (status == STATUS_OK) status = memory_alloc(&t->parameters, (size_t)cells, sizeof *t->parameters);
    for (int64_t i = t->rank; i < cells && status == STATUS_OK; i += t->ranks)
        status = trainer_counts(&t->flops[i], &t->parameters[i], t->trainer, i);
    TRY(status_agree(t->comm, status));
    double *const part[] = {t->flops, t->parameters};
    for (int k = 0; k < 2; k++) MPI_Allreduce(MPI_IN_PLACE, part[k], (int)cells, MPI_DOUBLE, MPI_SUM, t->comm); /* one is not 0 */
    return STATUS_OK;
}

struct cost {
    double flops;
    int64_t cell;
};

static int costlier(const void *a, const void *b)
{
    const struct cost *x = a, *y = b;
    if (x->flops != y->flops) return x->flops > y->flops ? -1 : 1;
    return x->cell < y->cell ? -1 : x->cell > y->cell;
}

/* The longest trainings first, so that ranks end together. */
static int put_in_order(struct tabulation *t)
{
    const struct tabulation_options *o = t->options;
    const int64_t asked = o->cell != NULL ? o->cells : t->space.cells;
    struct cost *cost;
    bool *taken;
    TRY(memory_alloc(&t->order, (size_t)t->classes, sizeof *t->order));
    TRY(memory_alloc(&cost, (size_t)t->classes, sizeof *cost));
    int status = memory_alloc(&taken, (size_t)t->classes, sizeof *taken);
    for (int64_t i = 0; i < asked && status == STATUS_OK; i++) {
        const int64_t row = t->class_of[o->cell != NULL ? o->cell[i] : i];
        if (taken[row]) continue;
        taken[row] = true;
        cost[t->ordered++] = (struct cost){t->flops[t->first[row]], t->first[row]};
    }
    qsort(cost, (size_t)t->ordered, sizeof *cost, costlier);
    for (int64_t i = 0; i < t->ordered; i++) t->order[i] = cost[i].cell;
    free(taken);
    free(cost);
    return status;
}

static int open_candidates(struct tabulation *t)
{
    const uint64_t fingerprint = ledger_fingerprint(space_cells_checksum(&t->space), t->measurer.fingerprint);
    TRY(ledger_open(&t->ledger, t->options->ledger, t->classes, fingerprint));
    const struct candidate_options o = {.code = "early_loss", .code_length = training_epochs(&t->recipe->code)};
    const struct candidate_source from = {
        .class_of = t->class_of, .first = t->first, .classes = t->classes, .measurer = &t->measurer, .ledger = t->ledger,
        .group = &t->all, .team = &t->team, .shows_progress = t->rank == 0};
    return candidate_create_live(&t->candidate, &t->space, &o, &from);
}

static int prepare(struct tabulation *t)
{
    const struct tabulation_options *o = t->options;
    TRY(status_agree(t->comm, t->rank == 0 ? read_space(t) : STATUS_OK));
    TRY(space_broadcast(&t->space, t->comm));
    TRY(status_agree(t->comm, classify(t)));
    TRY(group_create(&t->all, t->comm, t->ranks));
    TRY(group_create(&t->team, t->comm, o->ranks_per_candidate));
    TRY(trainer_create(&t->trainer, t->recipe, &t->space, t->options->ledger, t->comm, t->team.comm));
    t->measurer = trainer_measurer(t->trainer);
    TRY(count(t));
    TRY(status_agree(t->comm, put_in_order(t)));
    return status_agree(t->comm, open_candidates(t));
}

/* -- the work -------------------------------------------------------------------------------------------------- */

static int measure(struct tabulation *t)
{
    TRY(candidate_expect(t->candidate, MEASUREMENT_CODE, t->order, t->ordered));
    return t->options->codes_only ? STATUS_OK : candidate_expect(t->candidate, MEASUREMENT_TRAINING, t->order, t->ordered);
}

static void log_start(const struct tabulation *t)
{
    if (t->rank != 0) return;
    const struct image_sets *images = trainer_images(t->trainer);
    const struct images *shape = &images->train;
    double least = t->flops[t->order[t->ordered - 1]], most = t->flops[t->order[0]];
    log_info("siamese-nas train %s on %d %s", t->recipe->path, t->ranks, t->ranks == 1 ? "rank" : "ranks");
    log_info("  space     %s, %" PRId64 " cells, %" PRId64 " of them distinct", t->options->space, t->space.cells, t->classes);
    log_info("  images    %" PRId64 " for training, %" PRId64 " for validation, %" PRId64 " for testing; %d x %d x %d, %d classes",
             images->train.count, images->validation.count, images->test.count, shape->channels, shape->height, shape->width,
             shape->classes);
    log_info("  train     %" PRId64 " distinct of these cells, %.3f to %.3f M multiply-adds an image%s", t->ordered, least, most,
             t->options->codes_only ? "; Estimation Codes only" : "");
    log_info("  ledger    %s keeps what is finished; the same command goes on from there", t->options->ledger);
}

/* How many of the cells that were asked for the ledger knows. */
static int count_known(int64_t *known, const struct tabulation *t, enum measurement_kind kind)
{
    struct measurement m;
    *known = 0;
    for (int64_t i = 0; i < t->ordered; i++) {
        TRY(ledger_read(&m, t->ledger, t->class_of[t->order[i]], kind));
        *known += m.outcome != MEASUREMENT_NONE;
    }
    return STATUS_OK;
}

/* Say how far it came. Collective. */
static int tell_stopped(const struct tabulation *t)
{
    int64_t codes, trainings = 0;
    char text[64] = "";
    stop_share_reason(t->comm);
    if (t->rank != 0) return STATUS_STOPPED;
    status_clear(); /* this message says more */
    TRY(count_known(&codes, t, MEASUREMENT_CODE));
    if (!t->options->codes_only) {
        TRY(count_known(&trainings, t, MEASUREMENT_TRAINING));
        snprintf(text, sizeof text, " and %" PRId64 " of %" PRId64 " trainings", trainings, t->ordered);
    }
    return status_fail(STATUS_STOPPED, "stopped cleanly%s: %" PRId64 " of %" PRId64 " Estimation Codes%s are in %s; the same command "
                       "goes on", stop_reason(), codes, t->ordered, text, t->options->ledger);
}

static int finish(struct tabulation *t, double begin)
{
    struct candidate_tally tally;
    TRY(candidate_tally(&tally, t->candidate, t->classes, t->comm));
    if (t->rank != 0) return STATUS_OK;
    char duration[PROGRESS_DURATION_MAX];
    progress_duration(duration, timer_now() - begin);
    log_info("Estimation Codes: %" PRId64 " measured, %" PRId64 " known before, %" PRId64 " diverged; trainings: %" PRId64
             " measured, %" PRId64 " known before, %" PRId64 " diverged; %s", tally.measured[MEASUREMENT_CODE],
             tally.known[MEASUREMENT_CODE], tally.diverged[MEASUREMENT_CODE], tally.measured[MEASUREMENT_TRAINING],
             tally.known[MEASUREMENT_TRAINING], tally.diverged[MEASUREMENT_TRAINING], duration);
    const struct ledger_fill f = {
        .ledger = t->ledger, .class_of = t->class_of, .classes = t->classes, .dataset = t->recipe->dataset,
        .losses = training_epochs(&t->recipe->code), .flops = t->flops, .parameters = t->parameters,
    };
    TRY(ledger_fill(&t->space, &f));
    TRY(ledger_fill_write(&t->space, t->options->space, t->options->output, t->options->command));
    log_info("the table is in %s", t->options->output);
    return STATUS_OK;
}

static void release(struct tabulation *t)
{
    candidate_destroy(&t->candidate);
    ledger_close(&t->ledger);
    trainer_destroy(&t->trainer);
    group_destroy(&t->team);
    group_destroy(&t->all);
    space_destroy(&t->space);
    free(t->class_of);
    free(t->first);
    free(t->flops);
    free(t->parameters);
    free(t->order);
    MPI_Comm_free(&t->comm);
}

int tabulation_run(const struct recipe *recipe, const struct tabulation_options *o, MPI_Comm comm)
{
    struct tabulation t = {.recipe = recipe, .options = o,
                           .all = {.comm = MPI_COMM_NULL, .leaders = MPI_COMM_NULL},
                           .team = {.comm = MPI_COMM_NULL, .leaders = MPI_COMM_NULL}};
    const double begin = timer_now();
    MPI_Comm_dup(comm, &t.comm);
    MPI_Comm_rank(t.comm, &t.rank);
    MPI_Comm_size(t.comm, &t.ranks);
    int status = prepare(&t);
    if (status == STATUS_OK) {
        log_start(&t);
        status = status_agree(t.comm, measure(&t));
        if (status == STATUS_STOPPED) status = status_agree(t.comm, tell_stopped(&t));
    }
    if (status == STATUS_OK) status = status_agree(t.comm, finish(&t, begin));
    release(&t);
    return status;
}
