/* A job whose candidates are measured when they are asked for: all cells of the file and which of them are the same, teams,
 * ledger. */
#include "experiment_internal.h"

#include "ledger_fill.h"
#include "log.h"
#include "memory.h"
#include "space_file.h"
#include "status.h"
#include "topology.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* -- the cells, on rank 0 ----------------------------------------------------------------------------------------- */

/* Forget what is known of the cells but for the signals that the job reads: measurements are no part of what a search
 * depends on. */
static void forget_values(struct space *s, const struct space *used)
{
    int signals = 0;
    for (int i = 0; i < s->datasets; i++) free(s->dataset[i]);
    free(s->accuracy);
    free(s->validation_accuracy);
    free(s->early_loss);
    s->accuracy = s->validation_accuracy = s->early_loss = NULL;
    s->datasets = s->code_length = 0;
    for (int i = 0; i < s->signals; i++) {
        if (space_find_signal(used, s->signal[i].name) >= 0) s->signal[signals++] = s->signal[i];
        else space_signal_free(&s->signal[i]);
    }
    s->signals = signals;
    s->checksum = space_checksum(s);
}

/* Operations that no network here has mean something to the user's command: then no two cells are known to be the same. */
static int take_all_as_distinct(struct live *l)
{
    TRY(memory_alloc(&l->first, (size_t)l->all.cells, sizeof *l->first));
    for (int64_t i = 0; i < l->all.cells; i++) l->first[i] = l->file_class[i] = i;
    l->classes = l->all.cells;
    return STATUS_OK;
}

static int classify(struct live *l, const struct job *j)
{
    struct topology_words words;
    TRY(memory_alloc(&l->file_class, (size_t)l->all.cells, sizeof *l->file_class));
    int status = topology_words(&words, &l->all);
    if (status == STATUS_OK) status = topology_classes(l->file_class, &l->first, &l->classes, &l->all, &words);
    if (status != STATUS_INPUT || j->source != JOB_COMMAND) return status;
    status_clear();
    return take_all_as_distinct(l);
}

int experiment_read_live(struct experiment *e)
{
    struct live *l = &e->live;
    TRY(space_file_read(&l->all, e->job->space));
    if (l->all.cells > INT_MAX)
        return status_fail(STATUS_INPUT, "%s: %" PRId64 " cells are too many for a live search", e->job->space, l->all.cells);
    TRY(classify(l, e->job));
    forget_values(&l->all, &e->space);
    l->cells_checksum = space_cells_checksum(&l->all);
    e->file_checksum = l->all.checksum;
    return STATUS_OK;
}

int experiment_match_live(struct experiment *e)
{
    struct live *l = &e->live;
    const struct space *used = &e->space;
    TRY(memory_alloc(&l->class_of, (size_t)used->cells, sizeof *l->class_of));
    for (int64_t i = 0, at = 0; i < used->cells; at++) { /* filters keep the order */
        assert(at < l->all.cells);
        if (l->all.id[at] == used->id[i]) l->class_of[i++] = l->file_class[at];
    }
    return STATUS_OK;
}

int experiment_share_live(struct experiment *e)
{
    struct live *l = &e->live;
    int status = STATUS_OK;
    MPI_Bcast(&l->classes, 1, MPI_INT64_T, 0, e->comm);
    MPI_Bcast(&l->cells_checksum, 1, MPI_UINT64_T, 0, e->comm);
    if (e->rank != 0) {
        status = memory_alloc(&l->first, (size_t)l->classes, sizeof *l->first);
        if (status == STATUS_OK) status = memory_alloc(&l->class_of, (size_t)e->space.cells, sizeof *l->class_of);
    }
    TRY(status_agree(e->comm, status));
    MPI_Bcast(l->first, (int)l->classes, MPI_INT64_T, 0, e->comm);
    MPI_Bcast(l->class_of, (int)e->space.cells, MPI_INT64_T, 0, e->comm);
    return space_broadcast(&l->all, e->comm);
}

/* -- teams, measurer, ledger, candidates -------------------------------------------------------------------------- */

int experiment_open_live(struct experiment *e)
{
    struct live *l = &e->live;
    int status = STATUS_OK;
    if (!e->group.idle) status = group_create(&l->team, e->group.comm, e->job->ranks_per_candidate);
    MPI_Comm_split(e->comm, l->team.idle ? MPI_UNDEFINED : 0, e->rank, &l->workers);
    if (!l->team.idle && status == STATUS_OK) status = experiment_open_measurer(e);
    MPI_Bcast(&l->measurer.fingerprint, 1, MPI_UINT64_T, 0, e->comm); /* all must know the same ledger */
    return status_agree(e->comm, status);
}

/* While measuring, the ranks that ask for units must be answered. */
static void serve(void *argument)
{
    experiment_serve(argument);
}

int experiment_begin_live(struct experiment *e)
{
    struct live *l = &e->live;
    struct candidate_options o;
    TRY(ledger_open(&l->ledger, e->job->ledger, l->classes, ledger_fingerprint(l->cells_checksum, l->measurer.fingerprint)));
    l->pulse = (struct pulse){serve, e};
    const struct candidate_source from = {
        .class_of = l->class_of, .first = l->first, .classes = l->classes, .measurer = &l->measurer, .ledger = l->ledger,
        .group = &e->group, .team = &l->team, .pulse = &l->pulse, .shows_progress = e->rank == 0};
    TRY(experiment_candidate_options(&o, e->job, &e->space, 0));
    return candidate_create_live(&e->candidate[0], &e->space, &o, &from);
}

static void log_tally(const struct experiment *e, const struct candidate_tally *t)
{
    const int64_t *now = t->measured, *before = t->known;
    log_info("candidates: %" PRId64 " trained and %" PRId64 " Estimation Codes measured in this run, %" PRId64 " and %" PRId64
             " taken from %s; of all, %" PRId64 " diverged, %" PRId64 " failed", now[MEASUREMENT_TRAINING], now[MEASUREMENT_CODE],
             before[MEASUREMENT_TRAINING], before[MEASUREMENT_CODE], e->job->ledger,
             t->diverged[MEASUREMENT_TRAINING] + t->diverged[MEASUREMENT_CODE],
             t->failed[MEASUREMENT_TRAINING] + t->failed[MEASUREMENT_CODE]);
}

/* Rank 0 writes what the ledger knows into the space file. */
static int fill_space(const struct experiment *e)
{
    const struct job *j = e->job;
    const struct ledger_fill f = {
        .ledger = e->live.ledger, .class_of = e->live.file_class, .classes = e->live.classes, .dataset = j->dataset[0],
        .losses = strcmp(j->code, "early_loss") == 0 ? j->code_length : 0};
    struct space s;
    TRY(space_file_read(&s, j->space));
    const uint64_t before = s.checksum;
    int status = space_cells_checksum(&s) == e->live.cells_checksum
                     ? ledger_fill(&s, &f)
                     : status_fail(STATUS_FAILURE, "%s has other cells than at the start of this job", j->space);
    if (status == STATUS_OK && s.checksum != before) {
        status = ledger_fill_write(&s, j->space, j->space, e->options == NULL ? "siamese-nas fit" : e->options->command);
        if (status == STATUS_OK) log_info("%s was filled in with what is known now", j->space);
    }
    space_destroy(&s);
    return status;
}

int experiment_end_live(struct experiment *e)
{
    struct candidate_tally tally;
    TRY(candidate_tally(&tally, e->candidate[0], e->live.classes, e->comm));
    log_tally(e, &tally);
    if (e->rank == 0 && fill_space(e) != STATUS_OK) { /* no reason to lose results */
        log_warning("the space file is left as it is: %s; %s keeps the measurements for the next job", status_message(),
                    e->job->ledger);
        status_clear();
    }
    return STATUS_OK;
}

void experiment_close_live(struct experiment *e)
{
    struct live *l = &e->live;
    ledger_close(&l->ledger);
    experiment_close_measurer(e);
    group_destroy(&l->team);
    if (l->workers != MPI_COMM_NULL) MPI_Comm_free(&l->workers);
    space_destroy(&l->all);
    free(l->first);
    free(l->class_of);
    free(l->file_class);
    l->first = l->class_of = l->file_class = NULL;
}
