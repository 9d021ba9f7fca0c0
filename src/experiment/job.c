#include "job.h"

#include "job_keys.h"
#include "memory.h"
#include "status.h"
#include "text_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_MAX = 400 };

/* -- values --------------------------------------------------------------------------------------------------- */

static int copy_integers(int **out, int *count, const struct config *c, const char *section, const char *key)
{
    const struct config_value *v = config_get(c, section, key);
    TRY(memory_alloc(out, (size_t)v->count, sizeof **out));
    *count = v->count;
    for (int i = 0; i < v->count; i++) (*out)[i] = (int)v->number[i];
    return STATUS_OK;
}

static int take_space(struct job *j, const struct config *c)
{
    const struct config_value *dataset = config_get(c, "space", "dataset"), *code = config_get(c, "space", "code");
    TRY(memory_copy_text(&j->space, config_get(c, "space", "file")->item[0]));
    TRY(memory_copy_text(&j->filter, config_get(c, "space", "filter")->item[0]));
    TRY(memory_alloc(&j->dataset, (size_t)dataset->count, sizeof *j->dataset));
    for (; j->datasets < dataset->count; j->datasets++) {
        const char *name = dataset->item[j->datasets];
        for (int i = 0; i < j->datasets; i++)
            if (strcmp(name, j->dataset[i]) == 0) return config_fail(c, "space", "dataset", "%s is named twice", name);
        TRY(memory_copy_text(&j->dataset[j->datasets], name));
    }
    j->label_is_validation = config_number(c, "space", "label") == 1;
    j->code_length = (int)config_number(c, "space", "code_length");
    j->code_transform = config_number(c, "space", "code_transform") == 1 ? CODE_LOG : CODE_RAW;
    j->drop_missing = config_number(c, "space", "missing") == 1;
    return memory_join(&j->code, (const char *const *)code->item, code->count, ",");
}

static int take_candidate(struct job *j, const struct config *c)
{
    j->source = (enum job_source)config_number(c, "candidate", "source");
    j->timeout = config_number(c, "candidate", "timeout");
    j->ranks_per_candidate = (int)config_number(c, "candidate", "ranks_per_candidate");
    TRY(memory_copy_text(&j->recipe, config_get(c, "candidate", "recipe")->item[0]));
    TRY(memory_copy_text(&j->command, config_get(c, "candidate", "command")->item[0]));
    const char *ledger = config_get(c, "candidate", "ledger")->item[0];
    return ledger[0] != '\0' || j->source == JOB_TABLE ? memory_copy_text(&j->ledger, ledger) : ledger_name(&j->ledger, j->space);
}

static int take_methods(struct job *j, const struct config *c)
{
    const struct config_value *v = config_get(c, "experiment", "predictor");
    TRY(memory_alloc(&j->method, (size_t)v->count, sizeof *j->method));
    j->methods = v->count;
    for (int i = 0; i < v->count; i++) {
        if (method_parse(&j->method[i], v->item[i]) != STATUS_OK) {
            char reason[REASON_MAX];
            snprintf(reason, sizeof reason, "%s", status_message());
            status_clear();
            return config_fail(c, "experiment", "predictor", "%s", reason);
        }
        for (int k = 0; k < i; k++)
            if (strcmp(v->item[i], v->item[k]) == 0)
                return config_fail(c, "experiment", "predictor", "%s is named twice", v->item[i]);
    }
    return STATUS_OK;
}

static void take_settings(struct trial_settings *s, const struct config *c)
{
    trial_defaults(s);
    s->batch = (int)config_number(c, "training", "batch");
    for (int i = 0; i < 4; i++) {
        s->epochs[i] = (int)config_get(c, "training", "epochs")->number[i];
        s->learning_rate[i] = config_get(c, "training", "learning_rate")->number[i];
    }
    s->huber_delta = config_number(c, "training", "huber_delta");
    s->adam_beta1 = config_number(c, "training", "adam_beta1");
    s->adam_beta2 = config_number(c, "training", "adam_beta2");
    s->adam_epsilon = config_number(c, "training", "adam_epsilon");
    s->norm_momentum = config_number(c, "training", "norm_momentum");
    s->norm_epsilon = config_number(c, "training", "norm_epsilon");
    s->efm_value_own = config_number(c, "training", "efm_value") == 1;
    s->rank_loss = config_number(c, "training", "loss") == 1;
    s->standardise = config_number(c, "training", "targets") == 1;
    s->prune = config_number(c, "training", "prune") == 1;
    s->ensemble = (int)config_number(c, "training", "ensemble");
    s->initial_share = config_number(c, "sampling", "initial_share");
    s->rounds = (int)config_number(c, "sampling", "rounds");
    s->part = config_number(c, "sampling", "part");
    s->c_train = (int)config_number(c, "sampling", "c");
    s->c_evaluate = (int)config_number(c, "evaluation", "c");
    s->k_max = (int)config_number(c, "evaluation", "K_max");
    s->gp_together_from = (int)config_number(c, "gp", "together_from");
    s->acquisition = (struct acquisition_settings){
        .initial = (int)config_number(c, "acquisition", "initial"),
        .design = (enum acquisition_design)config_number(c, "acquisition", "design"),
        .design_pool = (int)config_number(c, "acquisition", "design_pool"),
        .batch = (int)config_number(c, "acquisition", "batch"),
        .codes = (int)config_number(c, "acquisition", "codes"),
        .epochs = (int)config_number(c, "acquisition", "epochs"),
        .kappa = config_number(c, "acquisition", "kappa"),
    };
    s->evolution.population = (int)config_number(c, "evolution", "population");
    s->evolution.sample = (int)config_number(c, "evolution", "sample");
    s->local_search.initial = (int)config_number(c, "local_search", "initial");
    s->weaknas.initial = (int)config_number(c, "weaknas", "initial");
    s->weaknas.batch = (int)config_number(c, "weaknas", "batch");
    s->weaknas.top = (int)config_number(c, "weaknas", "top");
    s->weaknas.width = (int)config_number(c, "weaknas", "width");
    s->weaknas.epochs = (int)config_number(c, "weaknas", "epochs");
    s->brp.rounds = (int)config_number(c, "brp", "rounds");
    s->brp.width = (int)config_number(c, "brp", "width");
    s->brp.epochs = (int)config_number(c, "brp", "epochs");
    s->prednas.initial = (int)config_number(c, "prednas", "initial");
    s->prednas.batch = (int)config_number(c, "prednas", "batch");
    s->prednas.steps = (int)config_number(c, "prednas", "steps");
    s->prednas.rate = config_number(c, "prednas", "rate");
    s->prednas.flops_limit = config_number(c, "prednas", "flops_limit");
    s->prednas.flops_penalty = config_number(c, "prednas", "flops_penalty");
}

/* "jobs/quick.ini" writes quick.nc into the working directory. */
static int take_output(struct job *j, const struct config *c)
{
    const char *file = config_get(c, "output", "file")->item[0];
    size_t length = strlen(file);
    if (length > 0) {
        if (length < 4 || strcmp(file + length - 3, ".nc") != 0)
            return config_fail(c, "output", "file", "the name of a results file ends in .nc");
        return memory_copy_text(&j->output, file);
    }
    const char *slash = strrchr(j->path, '/'), *name = slash == NULL ? j->path : slash + 1;
    const char *dot = strrchr(name, '.');
    length = dot == NULL || dot == name ? strlen(name) : (size_t)(dot - name);
    TRY(memory_alloc(&j->output, length + sizeof ".nc", 1));
    memcpy(j->output, name, length);
    memcpy(j->output + length, ".nc", sizeof ".nc");
    return STATUS_OK;
}

/* -- what holds between keys ---------------------------------------------------------------------------------- */

static int check_together(const struct job *j, const struct config *c)
{
    const struct trial_settings *s = &j->settings;
    bool phases = false, chooses = false;
    for (int i = 0; i < j->methods; i++) {
        const struct method m = j->method[i];
        char name[METHOD_NAME_MAX];
        method_name(name, m);
        if (s->ensemble == 1 && method_asks(m) && method_is_neural(m))
            return config_fail(c, "training", "ensemble", "%s asks how sure the predictor is, and one network cannot say; 2 or more can",
                               name);
        if (method_family(m) != METHOD_PHASES) continue;
        phases = true;
        chooses = chooses || m.sampler != SAMPLER_RANDOM;
    }
    if (s->rank_loss && s->standardise)
        return config_fail(c, "training", "targets", "training.loss = rank compares labels, whose order stays the same; leave this out");
    int select = s->epochs[3], pool = j->n[0] - select;
    if (phases && pool < 1)
        return config_fail(c, "experiment", "N", "%d leaves no architecture for the pool, since each of the last %d of "
                           "training.epochs pays for one; N must be at least %d", j->n[0], select, select + 1);
    if (chooses && s->initial_share * pool < 1 - 1e-9)
        return config_fail(c, "experiment", "N", "with N = %d and sampling.initial_share = %g, bts and fts start with no "
                           "architecture at all; N must be at least %.0f", j->n[0], s->initial_share,
                           select + ceil(1 / s->initial_share - 1e-9));
    if (chooses && s->rounds >= s->epochs[1])
        return config_fail(c, "sampling", "rounds", "must be less than the %d epochs of the second phase (training.epochs)",
                           s->epochs[1]);
    if (s->epochs[0] + s->epochs[1] + s->epochs[2] + s->epochs[3] == 0)
        return config_fail(c, "training", "epochs", "at least one phase must have an epoch");
    if (j->k[j->ks - 1] > s->k_max)
        return config_fail(c, "evaluation", "K", "%d is larger than evaluation.K_max = %d", j->k[j->ks - 1], s->k_max);
    return STATUS_OK;
}

static int check_candidate(const struct job *j, const struct config *c)
{
    static const char *const measured[] = {"accuracy", "early_loss"};
    const bool recipe = j->recipe[0] != '\0', command = j->command[0] != '\0';
    if (recipe && j->source != JOB_TRAIN) return config_fail(c, "candidate", "recipe", "is for candidate.source = train only");
    if (command && j->source != JOB_COMMAND) return config_fail(c, "candidate", "command", "is for candidate.source = command only");
    if (!recipe && j->source == JOB_TRAIN) return config_fail(c, "candidate", "source", "needs candidate.recipe, a file");
    if (!command && j->source == JOB_COMMAND) return config_fail(c, "candidate", "source", "needs candidate.command, a command");
    if (j->ranks_per_candidate > 1 && j->source != JOB_TRAIN)
        return config_fail(c, "candidate", "ranks_per_candidate", "is for candidate.source = train only");
    if (j->source == JOB_TABLE)
        return j->ledger[0] == '\0' ? STATUS_OK : config_fail(c, "candidate", "ledger", "a table needs none; leave it out");
    if (j->datasets > 1) return config_fail(c, "space", "dataset", "one name, since candidates are measured on one data set");
    if (!space_is_dataset_name(j->dataset[0]))
        return config_fail(c, "space", "dataset", "a name has no blanks, commas or colons");
    if (j->code_length > MEASUREMENT_LOSSES_MAX)
        return config_fail(c, "space", "code_length", "at most %d losses are kept of a candidate that is measured",
                           MEASUREMENT_LOSSES_MAX);
    for (size_t i = 0; i < sizeof measured / sizeof *measured; i++)
        if (strstr(j->filter, measured[i]) != NULL)
            return config_fail(c, "space", "filter", "%s is measured only after the cells are chosen", measured[i]);
    return STATUS_OK;
}

static int parse(struct job *j, const char *const *override, int overrides)
{
    struct config c;
    TRY(config_create(&c, job_keys, job_keys_count, j->path, j->text, override, overrides));
    int status;
    TRY_DONE(config_parameters(&j->parameters, &c));
    TRY_DONE(take_space(j, &c));
    TRY_DONE(take_candidate(j, &c));
    TRY_DONE(take_methods(j, &c));
    TRY_DONE(copy_integers(&j->n, &j->budgets, &c, "experiment", "N"));
    TRY_DONE(copy_integers(&j->k, &j->ks, &c, "evaluation", "K"));
    j->trials = (int)config_number(&c, "experiment", "trials");
    j->first_trial = (int)config_number(&c, "experiment", "first_trial");
    j->seed = (uint64_t)config_number(&c, "experiment", "seed");
    j->ranks_per_trial = (int)config_number(&c, "experiment", "ranks_per_trial");
    take_settings(&j->settings, &c);
    TRY_DONE(take_output(j, &c));
    TRY_DONE(check_together(j, &c));
    status = check_candidate(j, &c);
done:
    config_destroy(&c);
    return status;
}

int job_read(struct job *out, const char *path, const char *const *override, int overrides, MPI_Comm comm)
{
    *out = (struct job){0};
    int status = text_file_share(&out->text, path, "job file", comm);
    if (status == STATUS_OK) {
        status = memory_copy_text(&out->path, path);
        if (status == STATUS_OK) status = parse(out, override, overrides);
        status = status_agree(comm, status);
    }
    if (status != STATUS_OK) job_destroy(out);
    return status;
}

void job_destroy(struct job *j)
{
    for (int i = 0; j->dataset != NULL && i < j->datasets; i++) free(j->dataset[i]);
    free(j->dataset);
    free(j->path);
    free(j->text);
    free(j->parameters);
    free(j->space);
    free(j->code);
    free(j->filter);
    free(j->recipe);
    free(j->command);
    free(j->ledger);
    free(j->method);
    free(j->n);
    free(j->k);
    free(j->output);
    *j = (struct job){0};
}

void job_example(FILE *f)
{
    fputs("# A siamese-nas job file with every key there is, at its default: siamese-nas run --example prints it.\n"
          "# A job needs only the keys marked as required; -P section.key=value on the command line overrides the file.\n"
          "# Lists of integers may hold ranges: 30..200:10 is 30, 40 .. 200, and 1..3 is 1, 2, 3.\n\n", f);
    config_example(f, job_keys, job_keys_count);
}
