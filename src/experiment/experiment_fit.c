#include "experiment_internal.h"

#include "log.h"
#include "predictor.h"
#include "status.h"

#include <stdlib.h>

static int fit(struct experiment *e, const char *weights)
{
    const struct job *j = e->job;
    const struct trial_spec spec = {j->method[0], j->n[0], (uint32_t)j->first_trial, j->seed};
    const int last = j->k[j->ks - 1];
    char name[METHOD_NAME_MAX];
    struct trial_result result;
    method_name(name, spec.method);
    if (method_family(spec.method) != METHOD_PHASES)
        return status_fail(STATUS_INPUT, "%s: experiment.predictor = %s has no weights to keep", j->path, name);
    if (j->settings.ensemble > 1)
        return status_fail(STATUS_INPUT, "%s: training.ensemble = %d: a file of weights holds one network; set it to 1", j->path,
                           j->settings.ensemble);
    int status = e->is_live ? experiment_begin_live(e) : STATUS_OK;
    if (status == STATUS_OK) status = trial_create(&e->trial, &e->group, &e->space, &j->settings, spec.n, NULL);
    TRY(status_agree(e->comm, status));
    TRY(trial_run(&result, e->trial, e->candidate[0], &spec));
    if (e->rank == 0) TRY(predictor_save(trial_predictor(e->trial), &e->space, weights));
    if (e->is_live)
        log_info("%s, trained with N = %d on %s: best of the first %d cells %.3f %%; weights in %s", name, spec.n, j->dataset[0], last,
                 100 * result.best[last - 1], weights);
    else
        log_info("%s, trained with N = %d on %s: Kendall's tau %.3f, best of the first %d cells %.3f %% (oracle %.3f %%); weights in "
                 "%s", name, spec.n, j->dataset[0], result.tau, last, 100 * result.best[last - 1], e->oracle[0], weights);
    return STATUS_OK;
}

int experiment_fit(const struct job *j, const char *weights, MPI_Comm comm)
{
    struct experiment e = {.job = j, .begin = timer_now(), .group = {.comm = MPI_COMM_NULL, .leaders = MPI_COMM_NULL}};
    MPI_Comm_dup(comm, &e.comm);
    MPI_Comm_rank(e.comm, &e.rank);
    MPI_Comm_size(e.comm, &e.ranks);
    int status = experiment_read_space(&e);
    if (status == STATUS_OK) status = group_create(&e.group, e.comm, e.ranks);
    if (status == STATUS_OK && e.is_live) status = experiment_open_live(&e);
    if (status == STATUS_OK) status = status_agree(e.comm, fit(&e, weights));
    if (status == STATUS_OK && e.is_live) status = experiment_end_live(&e);
    experiment_release(&e);
    return status;
}
