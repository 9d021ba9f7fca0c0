/* Who measures the candidates of a live search. */
#include "experiment_internal.h"

#include "command.h"
#include "status.h"

#include <string.h>

static int open_command(struct experiment *e)
{
    const struct command_settings settings = {
        .space = &e->live.all, .command = e->job->command, .timeout = e->job->timeout, .epochs = e->job->code_length,
        .seed = e->job->seed};
    return command_measurer_create(&e->live.measurer, &settings);
}

static int check_recipe(const struct job *j, const struct recipe *r)
{
    const int epochs = training_epochs(&r->code);
    if (strcmp(j->dataset[0], r->dataset) != 0)
        return status_fail(STATUS_INPUT, "%s: space.dataset = %s, but %s trains on %s; name the same", j->path, j->dataset[0],
                           r->path, r->dataset);
    if (strcmp(j->code, "early_loss") == 0 && j->code_length > epochs)
        return status_fail(STATUS_INPUT, "%s: space.code_length = %d, but the Estimation Code of %s has %d epochs", j->path,
                           j->code_length, r->path, epochs);
    return STATUS_OK;
}

static int open_trainer(struct experiment *e)
{
    struct live *l = &e->live;
    TRY(recipe_read(&l->recipe, e->job->recipe, NULL, 0, l->workers));
    TRY(check_recipe(e->job, &l->recipe)); /* the same on all ranks */
    TRY(trainer_create(&l->trainer, &l->recipe, &l->all, e->job->ledger, l->workers, l->team.comm));
    l->measurer = trainer_measurer(l->trainer);
    return STATUS_OK;
}

int experiment_open_measurer(struct experiment *e)
{
    return e->job->source == JOB_TRAIN ? open_trainer(e) : open_command(e);
}

void experiment_close_measurer(struct experiment *e)
{
    if (e->job->source == JOB_COMMAND) command_measurer_destroy(&e->live.measurer);
    trainer_destroy(&e->live.trainer);
    recipe_destroy(&e->live.recipe);
}
