#include "results_merge_internal.h"

#include "lock.h"
#include "memory.h"
#include "status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail_base(const struct merge *m, const char *why)
{
    return status_fail(STATUS_INPUT, "%s: %s; merge with the program that made the files", m->base.in.path, why);
}

static int take_methods(struct merge *m)
{
    TRY(memory_alloc(&m->method, (size_t)m->base.methods, sizeof *m->method));
    for (int i = 0; i < m->base.methods; i++)
        if (!method_of(&m->method[i], m->base.predictor[i], m->base.sampler[i]))
            return fail_base(m, "it names a predictor or sampler that this program does not know");
    return STATUS_OK;
}

/* The numbers along the data sets as they are, bit for bit, and the budgets. */
static int take_numbers(struct merge *m)
{
    int oracle;
    TRY(memory_alloc(&m->oracle, (size_t)m->base.datasets, sizeof *m->oracle));
    TRY(memory_alloc(&m->n, (size_t)m->base.budgets, sizeof *m->n));
    int code = nc_inq_varid(m->base.in.file, "oracle", &oracle);
    if (code == NC_NOERR) code = nc_get_var_double(m->base.in.file, oracle, m->oracle);
    if (code != NC_NOERR) return fail_base(m, "cannot read oracle");
    for (int i = 0; i < m->base.budgets; i++) m->n[i] = (int)m->base.budget[i];
    return STATUS_OK;
}

/* A number of 16 hexadecimal digits; "" is 0. */
static int take_number(uint64_t *out, const struct merge *m, enum results_text which)
{
    const char *text = m->base.text[which];
    char *end, again[32];
    *out = strtoull(text, &end, 16);
    snprintf(again, sizeof again, "%016" PRIx64, *out);
    if (text[0] == '\0' || strcmp(text, again) == 0) return STATUS_OK;
    return fail_base(m, "its checksum or fingerprint is of another kind");
}

int merge_parameters(char **out, const struct merge *m, int first_trial, int trials)
{
    const char *list = m->base.text[RESULTS_PARAMETERS];
    char *counted;
    if (parameters_find(list, RESULTS_TRIALS) == NULL || parameters_find(list, RESULTS_FIRST_TRIAL) == NULL)
        return fail_base(m, "its job names no " RESULTS_TRIALS " or " RESULTS_FIRST_TRIAL);
    TRY(parameters_replace(&counted, list, RESULTS_TRIALS, trials));
    int status = parameters_replace(out, counted, RESULTS_FIRST_TRIAL, first_trial);
    free(counted);
    return status;
}

/* What results_define() asks of a job, from the file of its first trials. */
static int make_job(struct merge *m, const char *output)
{
    struct results_input *f = &m->base;
    const struct results_part *last = &m->part[m->paths - 1];
    const int trials = last->first_trial - f->first_trial + last->trials;
    m->job = (struct job){
        .text = f->text[RESULTS_JOB_FILE], .datasets = f->datasets, .dataset = f->dataset,
        .methods = f->methods, .method = m->method, .budgets = f->budgets, .n = m->n, .trials = trials,
        .first_trial = f->first_trial, .settings.k_max = f->k_max,
    };
    TRY(memory_copy_text(&m->job.output, output));
    m->job.path = m->job.output;
    if (f->pool != results_pool(&m->job) || f->query != results_query(&m->job))
        return fail_base(m, "its pools or trained cells are not as many as its budgets say");
    TRY(merge_parameters(&m->job.parameters, m, f->first_trial, trials));
    return grid_create(&m->grid, &m->job);
}

static int make_plan(struct merge *m)
{
    const struct results_input *f = &m->base;
    nc_type cell = NC_INT;
    nc_inq_vartype(f->in.file, f->variable[RESULT_CHOSEN], &cell);
    m->origin = (struct results_origin){f->text[RESULTS_SOURCE], f->text[RESULTS_COMPILER], f->text[RESULTS_LIBRARIES],
                                        cell == NC_INT64};
    m->space = (struct space){.title = f->text[RESULTS_SPACE_TITLE], .cells = f->number[RESULTS_SPACE_CELLS]};
    m->plan = (struct results_plan){
        .job = &m->job, .grid = &m->grid, .space = &m->space, .file_cells = f->number[RESULTS_SPACE_FILE_CELLS],
        .filtered = f->number[RESULTS_SPACE_FILTERED], .missing = f->number[RESULTS_SPACE_DROPPED], .oracle = m->oracle,
        .origin = &m->origin,
    };
    TRY(take_number(&m->plan.file_checksum, m, RESULTS_SPACE_CHECKSUM));
    return take_number(&m->plan.measurer, m, RESULTS_MEASURER);
}

int merge_plan(struct merge *m, const char *output)
{
    TRY(results_input_open(&m->base, m->part[0].path));
    TRY(take_methods(m));
    TRY(take_numbers(m));
    TRY(make_job(m, output));
    return make_plan(m);
}

void merge_release(struct merge *m)
{
    lock_release(&m->lock);
    results_input_close(&m->base);
    free(m->job.output);
    free(m->job.parameters);
    free(m->method);
    free(m->n);
    free(m->oracle);
    free(m->block);
    free(m->part);
}

