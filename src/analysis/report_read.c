#include "report_internal.h"

#include "config.h"
#include "log.h"
#include "memory.h"
#include "parameters.h"
#include "results_input.h"
#include "results_verify.h"
#include "status.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The numbers of a trial that are shown; those with curves first. */
enum { BEST, TRAININGS, COST, CURVES, CODES = CURVES, RHO, TAU, COMPLETE, SHOWN };
static const enum results_variable shown[SHOWN] = {
    RESULT_BEST, RESULT_TRAININGS, RESULT_COST, RESULT_CODES, RESULT_RHO, RESULT_TAU, RESULT_COMPLETE,
};

enum { SERIES_MAX = 20000 }; /* each is looked for among all others */

/* A file whose trials are taken. */
struct reading {
    struct results_input f;
    int file;          /* its place among the files */
    uint64_t seed;     /* of its random numbers */
    double *curve;     /* [trials][k_max] */
    double *number;    /* [SHOWN][trials] */
    double *query;     /* [3][query] */
};

static int fail(const struct results_input *f, const char *why)
{
    return status_fail(STATUS_INPUT, "%s: %s; it is no results file of siamese-nas run, or a damaged one", f->in.path, why);
}

static int fail_read(const struct results_input *f, int v, int code)
{
    return status_fail(STATUS_INPUT, "%s: cannot read %s: %s", f->in.path, results_name[shown[v]], nc_strerror(code));
}

/* -- do files belong together? ------------------------------------------------------------------------------- */

/* Files of other programs are means over the same thing unless a program was wrong: worth a warning. */
static void compare_program(const struct report *r, const struct results_input *f)
{
    const char *here = f->text[RESULTS_SOURCE], *first = parameters_find(r->facts, "source");
    const size_t length = first == NULL ? 0 : strcspn(first, "\n");
    if (first != NULL && (strncmp(first, here, length) != 0 || here[length] != '\0'))
        log_warning("%s was made by %s, but %s by %.*s", f->in.path, here, r->first, (int)length, first);
}

/* Keep the first file's facts; compare those of the others. */
static int check_provenance(struct report *r, const struct results_input *f)
{
    /* in which files may differ and still be parts of one table */
    static const char *const free_to[] = {
        "space.file", "space.dataset", "experiment.", "evaluation.K", "evaluation.K_max", "dataset", "predictor", "sampler",
        "oracle", "budget", "k", "pool", "query", "source", "compiler", NULL,
    };
    if (r->facts != NULL) {
        compare_program(r, f);
        return results_input_belongs(f, r->facts, r->first, free_to, "report them one by one");
    }
    r->first = f->in.path;
    r->space_cells = f->number[RESULTS_SPACE_CELLS];
    return memory_copy_text(&r->facts, f->facts);
}

int report_job_ks(int **k, int *ks, const struct results_input *f)
{
    static const struct config_key key = {.section = "evaluation", .key = "K", .type = CONFIG_INT, .count = CONFIG_ANY,
                                          .flags = CONFIG_SORTED, .low = 1, .high = INT_MAX,
                                          .help = "values of K"};
    const char *line = parameters_find(f->facts, "evaluation.K");
    char *list;
    struct config_value value = {0};
    *k = NULL;
    *ks = 0;
    if (line == NULL) return fail(f, "its job names no evaluation.K");
    TRY(memory_alloc(&list, strcspn(line, "\n") + 1, 1));
    memcpy(list, line, strcspn(line, "\n"));
    int status = config_value_parse(&value, &key, list, f->in.path);
    if (status == STATUS_OK) status = memory_alloc(k, (size_t)value.count, sizeof **k);
    if (status == STATUS_OK) *ks = value.count;
    for (int i = 0; i < *ks; i++) (*k)[i] = (int)value.number[i];
    config_value_destroy(&value);
    free(list);
    return status;
}

static int check_ks(const struct report *r, const struct results_input *f)
{
    if (r->k[r->ks - 1] <= f->k_max) return STATUS_OK;
    return status_fail(STATUS_INPUT, "%s: K = %d was asked for, but its curves end at K = %d (evaluation.K_max)", f->in.path,
                       r->k[r->ks - 1], f->k_max);
}

/* -- the units ----------------------------------------------------------------------------------------------- */

static int read_curves(struct reading *g, int v, const size_t *place)
{
    const size_t trials = (size_t)g->f.trials, k_max = (size_t)g->f.k_max;
    const size_t start[5] = {place[0], place[1], place[2], 0, 0}, count[5] = {1, 1, 1, trials, k_max};
    int code = nc_get_vara_double(g->f.in.file, g->f.variable[shown[v]], start, count, g->curve);
    return code == NC_NOERR ? STATUS_OK : fail_read(&g->f, v, code);
}

/* What each trial had found by each limit of the total cost. */
static int read_costs(struct report_trial *trial, const struct report *r, struct reading *g, const size_t *place)
{
    static const enum results_variable along[] = {RESULT_QUERY_LABEL, RESULT_QUERY_ACCURACY, RESULT_QUERY_COST};
    const size_t queries = (size_t)g->f.query, count[5] = {1, 1, 1, 1, queries};
    const double *complete = g->number + COMPLETE * (size_t)g->f.trials, *label = g->query, *accuracy = label + queries,
                 *total = accuracy + queries;
    for (size_t t = 0; t < (size_t)g->f.trials; t++) {
        const size_t start[5] = {place[0], place[1], place[2], t, 0};
        if (complete[t] != 1) continue;
        for (int v = 0; v < 3; v++) {
            int code = nc_get_vara_double(g->f.in.file, g->f.variable[along[v]], start, count, g->query + (size_t)v * queries);
            if (code != NC_NOERR)
                return status_fail(STATUS_INPUT, "%s: cannot read %s: %s", g->f.in.path, results_name[along[v]], nc_strerror(code));
        }
        double *value = (trial++)->value, best = -INFINITY;
        size_t q = 0, at = 0;
        for (int i = 0; i < r->ks; i++) {
            for (; q < queries && total[q] <= r->limit[i] + 1e-9; q++)
                if (label[q] > best) best = label[q], at = q;
            value[i] = q > 0 ? accuracy[at] : NAN;
            value[r->ks + i] = (double)q;
            value[2 * r->ks + i] = q > 0 ? total[q - 1] : 0;
        }
    }
    return STATUS_OK;
}

/* All trials of one data set, method and budget. */
static int read_series(struct report *r, struct reading *g, const size_t *place)
{
    const struct results_input *f = &g->f;
    const size_t trials = (size_t)f->trials, k_max = (size_t)f->k_max;
    const size_t start[4] = {place[0], place[1], place[2], 0}, count[4] = {1, 1, 1, trials};
    struct report_series *s;
    TRY(report_find_series(&s, r, f->dataset[place[0]], f->predictor[place[1]], f->sampler[place[1]],
                           (int)f->budget[place[2]], f->oracle[place[0]]));
    for (int v = CODES; v < SHOWN; v++) {
        int code = nc_get_vara_double(f->in.file, f->variable[shown[v]], start, count, g->number + (size_t)v * trials);
        if (code != NC_NOERR) return fail_read(f, v, code);
    }
    const double *complete = g->number + COMPLETE * trials;
    const int64_t before = s->trials;
    for (size_t t = 0; t < trials; t++) {
        struct report_trial *trial;
        if (complete[t] != 1) continue;
        TRY(report_add_trial(&trial, r, s));
        trial->seed = g->seed;
        trial->realization = f->first_trial + (int)t;
        trial->file = g->file;
        trial->codes = g->number[CODES * trials + t];
        trial->rho = g->number[RHO * trials + t];
        trial->tau = g->number[TAU * trials + t];
    }
    r->units += (int64_t)trials;
    r->finished += s->trials - before;
    if (r->limit != NULL) return read_costs(s->trial + before, r, g, place);
    for (int v = 0; v < CURVES && s->trials > before; v++) {
        int64_t to = before;
        TRY(read_curves(g, v, place));
        for (size_t t = 0; t < trials; t++) {
            if (complete[t] != 1) continue;
            double *value = s->trial[to++].value + v * r->ks;
            for (int k = 0; k < r->ks; k++) value[k] = g->curve[t * k_max + (size_t)r->k[k] - 1];
        }
    }
    return STATUS_OK;
}

static int read_units(struct report *r, struct reading *g)
{
    struct results_input *f = &g->f;
    struct netcdf_variable best;
    const size_t trials = (size_t)f->trials;
    const double series = (double)f->datasets * f->methods * f->budgets;
    if (series > SERIES_MAX)
        return status_fail(STATUS_INPUT, "%s: %.0f series of trials, where %d are the most in a table", f->in.path, series, SERIES_MAX);
    TRY(netcdf_input_describe(&best, &f->in, f->variable[RESULT_BEST]));
    TRY(netcdf_input_alloc(&g->curve, &best, trials * (size_t)f->k_max, sizeof *g->curve));
    TRY(netcdf_input_alloc(&g->number, &best, SHOWN * trials, sizeof *g->number));
    if (r->limit != NULL) TRY(netcdf_input_alloc(&g->query, &best, 3 * (size_t)f->query, sizeof *g->query));
    for (size_t d = 0; d < (size_t)f->datasets; d++)
        for (size_t m = 0; m < (size_t)f->methods; m++)
            for (size_t b = 0; b < (size_t)f->budgets; b++)
                TRY(read_series(r, g, (const size_t[]){d, m, b}));
    return STATUS_OK;
}

static int read_all(struct report *r, struct reading *g)
{
    const char *seed = parameters_find(g->f.text[RESULTS_PARAMETERS], "experiment.seed");
    g->seed = seed == NULL ? 0 : strtoull(seed, NULL, 10);
    TRY(check_provenance(r, &g->f));
    if (r->limit == NULL && r->k == NULL) TRY(report_job_ks(&r->k, &r->ks, &g->f));
    if (r->limit == NULL) TRY(check_ks(r, &g->f));
    return read_units(r, g);
}

/* A run may be writing it at this moment. */
static bool is_part(const char *path)
{
    const size_t length = strlen(path), end = strlen(".part");
    return length >= end && strcmp(path + length - end, ".part") == 0;
}

int report_read_file(struct report *r, const char *path, int file)
{
    struct reading g = {.file = file};
    TRY(results_input_open(&g.f, path));
    int status = read_all(r, &g);
    if (status == STATUS_OK && !is_part(path)) status = results_verify_all(&g.f.in);
    results_input_close(&g.f);
    free(g.curve);
    free(g.number);
    free(g.query);
    return status;
}
