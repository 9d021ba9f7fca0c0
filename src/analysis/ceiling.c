/* The study: one set of features after the other, each kept as soon as it is finished. */
#include "ceiling_internal.h"

#include "file.h"
#include "lock.h"
#include "log.h"
#include "memory.h"
#include "progress.h"
#include "space_file.h"
#include "status.h"
#include "stop.h"
#include "timer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- memory ---------------------------------------------------------------------------------------------------------- */

/* The matrix is asked for on all ranks of a node at once: a kernel that promises more than it has would end one of them later. */
static int check_memory(const struct ceiling *c)
{
    MPI_Comm node;
    const double whole = 8.0 * c->n * c->n;
    double mine = whole / c->ranks, needed, available = (double)memory_available();
    MPI_Comm_split_type(c->comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
    MPI_Allreduce(&mine, &needed, 1, MPI_DOUBLE, MPI_SUM, node);
    MPI_Comm_free(&node);
    int status = STATUS_OK;
    if (needed > available)
        status = status_fail(STATUS_FAILURE,
                             "ceiling: the matrix of %d cells takes %.2f GB, %.2f GB of it on this node, where %.2f GB are to be "
                             "had; take more nodes, or fewer cells (siamese-nas import --filter)", c->n, 1e-9 * whole, 1e-9 * needed, 1e-9 * available);
    TRY(status_agree(c->comm, status));
    log_info("  memory         %.1f MB a rank for the matrix, %.1f MB in all", 1e-6 * mine, 1e-6 * whole);
    return STATUS_OK;
}

/* -- what is there already ------------------------------------------------------------------------------------------- */

/* Rank 0. *finished: the output is complete. */
static int look(bool *finished, struct ceiling *c, const char *part)
{
    bool found;
    TRY(ceiling_read(finished, c, c->options->output));
    if (*finished) return STATUS_OK;
    TRY(ceiling_read(&found, c, part));
    int complete = 0;
    for (int i = 0; i < c->sets; i++) complete += c->complete[i] != 0;
    if (found) log_info("  continues      %s with %d of %d sets", part, complete, c->sets);
    return STATUS_OK;
}

/* -- table ----------------------------------------------------------------------------------------------------------- */

static void print_table(const struct ceiling *c)
{
    log_info("\nEvery one of %d cells predicted from all others; without its class: from all that do not compute the same (%d classes)\n"
             "                                  without the cell                              without its class\n"
             "features       dataset             tau     rho tau_top  rmse %%  rmse z          tau     rho tau_top  rmse %%  rmse z", c->n,
             c->classes);
    for (int i = 0; i < c->sets; i++)
        for (int d = 0; d < c->datasets; d++) {
            char line[200];
            int used = snprintf(line, sizeof line, "%-14s %-15s", c->set[i].name, c->space.dataset[c->dataset[d]]);
            for (int left = 0; left < CEILING_LEFT_OUT; left++) {
                for (int f = 0; f < CEILING_FIGURES && used < (int)sizeof line; f++)
                    used += snprintf(line + used, sizeof line - (size_t)used, " %7.3f",
                                     *ceiling_figure_of(c, (enum ceiling_figure)f, i, (enum ceiling_left_out)left, d));
                if (left == 0 && used < (int)sizeof line) used += snprintf(line + used, sizeof line - (size_t)used, "     ");
            }
            log_info("%s", line);
        }
}

/* -- the study ------------------------------------------------------------------------------------------------------- */

static int read_space(struct ceiling *c)
{
    int status = c->rank == 0 ? space_file_read(&c->space, c->options->space) : STATUS_OK;
    TRY(status_agree(c->comm, status));
    return space_broadcast(&c->space, c->comm);
}

/* Does any rank want to stop? Collective. */
static bool wants_to_stop(const struct ceiling *c)
{
    int wanted = stop_wanted();
    MPI_Allreduce(MPI_IN_PLACE, &wanted, 1, MPI_INT, MPI_MAX, c->comm);
    if (wanted) stop_share_reason(c->comm);
    return wanted;
}

static int stopped(const struct ceiling *c, const char *part)
{
    int complete = 0;
    if (c->rank != 0) return STATUS_STOPPED;
    for (int i = 0; i < c->sets; i++) complete += c->complete[i] != 0;
    return status_fail(STATUS_STOPPED, "stopped cleanly%s: %d of %d sets of features are complete in %s; the same command goes on", stop_reason(),
                       complete, c->sets, part);
}

static int work(struct ceiling *c, struct lock *lock, const char *part)
{
    TRY(check_memory(c));
    for (int i = 0; i < c->sets; i++) {
        int complete = c->rank == 0 && c->complete[i] != 0;
        MPI_Bcast(&complete, 1, MPI_INT, 0, c->comm);
        if (complete) continue;
        if (wants_to_stop(c)) return status_agree(c->comm, stopped(c, part));
        TRY(ceiling_predict(c, i));
        lock_touch(lock);
        TRY(status_agree(c->comm, c->rank == 0 ? ceiling_write(c, part) : STATUS_OK));
    }
    if (c->rank == 0 && rename(part, c->options->output) != 0)
        return status_agree(c->comm, status_fail(STATUS_FAILURE, "%s: cannot be given its name %s", part, c->options->output));
    return status_agree(c->comm, STATUS_OK);
}

static void describe(const struct ceiling *c)
{
    log_info("  space          %s: %d of %" PRId64 " cells (%" PRId64 " dropped as not fully known), %d classes, %d data sets",
             c->space.path, c->n, c->space.cells, c->space.cells - c->n, c->classes, c->datasets);
    log_info("  cells          %d counts of %s, %d statistics", c->traits->counts,
             c->traits->labels ? "labels" : "sequences on paths",
             c->traits->statistics);
    log_info("  lengths, noise from %d cells, %d starts", c->n < c->options->sample ? c->n : c->options->sample,
             c->options->starts);
}

static int study(struct ceiling *c, const char *part, struct lock **lock)
{
    bool finished = false;
    TRY(read_space(c));
    int status = ceiling_plan(c);
    TRY(status_agree(c->comm, status));
    if (c->rank == 0) describe(c);
    if (c->rank == 0) status = lock_take(lock, c->options->output, 0);
    if (status == STATUS_OK && c->rank == 0) status = look(&finished, c, part);
    TRY(status_agree(c->comm, status));
    MPI_Bcast(&finished, 1, MPI_C_BOOL, 0, c->comm);
    return finished ? STATUS_OK : work(c, *lock, part);
}

static void release(struct ceiling *c)
{
    traits_destroy(&c->traits);
    space_destroy(&c->space);
    free(c->parameters);
    free(c->begin);
    free(c->cell);
    free(c->dataset);
    free(c->accuracy);
    free(c->target);
    free(c->set);
    free(c->complete);
    free(c->figure);
    free(c->length);
    free(c->noise);
    free(c->jitter);
    free(c->prediction);
    free(c->deviation);
    MPI_Comm_free(&c->comm);
}

int ceiling_run(const struct ceiling_options *o, MPI_Comm comm)
{
    struct ceiling c = {.options = o};
    struct lock *lock = NULL;
    char *part = NULL, duration[PROGRESS_DURATION_MAX];
    const double begin = timer_now();
    MPI_Comm_dup(comm, &c.comm);
    MPI_Comm_rank(c.comm, &c.rank);
    MPI_Comm_size(c.comm, &c.ranks);
    int status = status_agree(c.comm, file_draft(&part, o->output));
    if (status == STATUS_OK) status = study(&c, part, &lock);
    progress_duration(duration, timer_now() - begin);
    if (status == STATUS_OK && c.rank == 0) {
        print_table(&c);
        log_info("\n%d sets of features in %s; results are in %s", c.sets, duration, o->output);
    }
    lock_release(&lock);
    free(part);
    release(&c);
    return status;
}
