#include "experiment_internal.h"

#include "memory.h"
#include "space_file.h"
#include "status.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool needs_code(const struct job *j)
{
    for (int i = 0; i < j->methods; i++)
        if (method_needs_code(j->method[i])) return true;
    return false;
}

static bool needs_flops(const struct job *j)
{
    for (int i = 0; i < j->methods; i++)
        if (j->method[i].sampler == SAMPLER_PREDNAS && j->settings.prednas.flops_limit > 0) return true;
    return false;
}

int experiment_candidate_options(struct candidate_options *o, const struct job *j, const struct space *s, int dataset)
{
    *o = (struct candidate_options){
        .dataset = space_find_dataset(s, j->dataset[dataset]),
        .label_is_validation = j->label_is_validation,
        .code = j->code,
        .code_length = j->code_length,
        .transform = j->code_transform,
    };
    if (o->dataset >= 0 || j->source != JOB_TABLE) return STATUS_OK;
    if (s->datasets == 0)
        return status_fail(STATUS_INPUT, "%s: space.dataset = %s: %s has no accuracies; make it a table with siamese-nas train, or let "
                           "the search train candidates (candidate.source)", j->path, j->dataset[dataset], j->space);
    char known[512] = "";
    for (int i = 0; i < s->datasets; i++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i == 0 ? "" : ", ", s->dataset[i]);
    }
    return status_fail(STATUS_INPUT, "%s: space.dataset = %s: %s has %s", j->path, j->dataset[dataset], j->space, known);
}

/* Is everything there that the job asks for of a table? */
static int check_known(const struct job *j, const struct space *s)
{
    for (int d = 0; d < j->datasets; d++) {
        struct candidate_options o;
        struct candidate *c;
        TRY(experiment_candidate_options(&o, j, s, d));
        TRY(candidate_create(&c, s, &o));
        int length = candidate_code_length(c);
        candidate_destroy(&c);
        if (needs_code(j) && length == 0)
            return status_fail(STATUS_INPUT, "%s: space.code = %s: %s has no Estimation Code; only random and naive work "
                               "without one", j->path, j->code, j->space);
    }
    return STATUS_OK;
}

/* One set of cells serves all data sets and methods, so that they are compared on the same space: a cell goes when any of
 * them lacks something. */
static int drop_missing(int64_t *dropped, const struct job *j, struct space *s)
{
    bool *keep, *known;
    int status = STATUS_OK;
    int64_t first = -1, missing;
    *dropped = 0;
    TRY(memory_alloc(&keep, (size_t)s->cells, sizeof *keep));
    TRY_DONE(memory_alloc(&known, (size_t)s->cells, sizeof *known));
    memset(keep, true, (size_t)s->cells);
    for (int d = 0; d < j->datasets; d++) {
        struct candidate_options o;
        TRY_DONE(experiment_candidate_options(&o, j, s, d));
        memset(known, true, (size_t)s->cells);
        if (j->source == JOB_TABLE) candidate_missing(s, &o, needs_code(j), known);
        else TRY_DONE(candidate_missing_live(&missing, s, &o, needs_code(j), known));
        for (int64_t i = 0; i < s->cells; i++) keep[i] = keep[i] && known[i];
    }
    for (int64_t i = s->cells - 1; i >= 0; i--) {
        if (keep[i]) continue;
        first = i;
        ++*dropped;
    }
    if (*dropped > 0 && !j->drop_missing)
        status = status_fail(STATUS_INPUT,
                             "%s: %" PRId64 " of %" PRId64 " cells of %s have no known label, accuracy or Estimation Code (the "
                             "first is cell %" PRId64 "); complete the space file, or leave them out with space.missing = drop",
                             j->path, *dropped, s->cells, j->space, s->id[first]);
    else if (*dropped == s->cells)
        status = status_fail(STATUS_INPUT, "%s: no cell of %s has a known label, accuracy and Estimation Code", j->path,
                             j->space);
    else if (*dropped > 0)
        status = space_keep(s, keep);
done:
    free(known);
    free(keep);
    return status;
}

static int check_size(const struct job *j, const char *key, int64_t value, int64_t cells)
{
    if (value <= cells) return STATUS_OK;
    return status_fail(STATUS_INPUT, "%s: %s = %" PRId64 " is more than the %" PRId64 " cells that are used of %s; set it to %"
                       PRId64 " or less", j->path, key, value, cells, j->space, cells);
}

static int check_sizes(const struct job *j, int64_t cells)
{
    TRY(check_size(j, "experiment.N", j->n[j->budgets - 1], cells));
    TRY(check_size(j, "sampling.c", j->settings.c_train, cells));
    TRY(check_size(j, "evaluation.c", j->settings.c_evaluate, cells));
    return check_size(j, "evaluation.K_max", j->settings.k_max, cells);
}

/* Ranks need little of a rich file. A filter may name any loss, or the validation accuracy. */
static int read_needed(struct space *s, const struct job *j)
{
    char *names;
    const bool filter_loss = strstr(j->filter, "early_loss") != NULL;
    const bool filter_validation = strstr(j->filter, "validation_accuracy") != NULL;
    TRY(memory_join(&names, (const char *const[]){j->code, j->filter, "flops"}, needs_flops(j) ? 3 : 2, ","));
    const struct space_need need = {filter_loss ? INT_MAX : j->code_length, j->label_is_validation || filter_validation, names};
    int status = space_file_read_part(s, j->space, &need);
    free(names);
    return status;
}

/* The first thing that goes wrong with a job from elsewhere. */
static int check_there(const struct job *j)
{
    if (access(j->space, F_OK) == 0) return STATUS_OK;
    return status_fail(STATUS_INPUT, "%s: space.file = %s is not there, seen from the working folder: %s; siamese-nas import or "
                       "generate makes it, -P space.file=FILE names another", j->path, j->space, strerror(errno));
}

/* On rank 0. */
static int read_space(struct experiment *e)
{
    const struct job *j = e->job;
    struct space *s = &e->space;
    TRY(check_there(j));
    TRY(read_needed(s, j));
    e->file_checksum = s->checksum;
    e->file_cells = s->cells;
    if (needs_flops(j) && space_find_signal(s, "flops") < 0)
        return status_fail(STATUS_INPUT, "%s: prednas.flops_limit = %g: %s has no variable flops; leave the limit out, or add the "
                           "variable", j->path, j->settings.prednas.flops_limit, j->space);
    TRY(e->is_live ? experiment_read_live(e) : check_known(j, s));
    if (j->filter[0] != '\0') TRY(space_filter(s, j->filter));
    e->filtered = e->file_cells - s->cells;
    TRY(drop_missing(&e->missing, j, s));
    if (e->is_live) TRY(experiment_match_live(e));
    return check_sizes(j, s->cells);
}

static int open_candidates(struct experiment *e)
{
    TRY(memory_alloc(&e->candidate, (size_t)e->job->datasets, sizeof *e->candidate));
    TRY(memory_alloc(&e->oracle, (size_t)e->job->datasets, sizeof *e->oracle));
    for (int d = 0; d < e->job->datasets; d++) {
        struct candidate_options o;
        e->oracle[d] = NAN;
        if (e->is_live) continue; /* made when there are groups; nobody knows the best */
        TRY(experiment_candidate_options(&o, e->job, &e->space, d));
        TRY(candidate_create(&e->candidate[d], &e->space, &o));
        e->oracle[d] = 100 * candidate_oracle(e->candidate[d]);
    }
    return STATUS_OK;
}

int experiment_read_space(struct experiment *e)
{
    e->is_live = e->job->source != JOB_TABLE;
    e->live = (struct live){.workers = MPI_COMM_NULL, .team = {.comm = MPI_COMM_NULL, .leaders = MPI_COMM_NULL, .idle = true}};
    int status = e->rank == 0 ? read_space(e) : STATUS_OK;
    TRY(status_agree(e->comm, status));
    int64_t facts[] = {(int64_t)e->file_checksum, e->file_cells, e->filtered, e->missing};
    MPI_Bcast(facts, 4, MPI_INT64_T, 0, e->comm);
    e->file_checksum = (uint64_t)facts[0], e->file_cells = facts[1], e->filtered = facts[2], e->missing = facts[3];
    TRY(space_broadcast(&e->space, e->comm));
    if (e->is_live) TRY(experiment_share_live(e));
    return status_agree(e->comm, open_candidates(e));
}
