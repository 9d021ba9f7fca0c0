#include "results_internal.h"

#include "memory.h"
#include "status.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum dimension { DATASET, METHOD, BUDGET, REALIZATION, K, POOL, QUERY, PHASE, DIMENSIONS };
static const char *const dimension_name[DIMENSIONS] = {"dataset", "method", "budget", "realization", "k", "pool", "query",
                                                          "phase"};

/* One record a unit: dimensions dataset, method, budget, realization and, unless it is none, one more. */
enum { NO_EXTRA = -1, CELL_NUMBER = -1 /* NC_INT or NC_INT64, whichever holds the ids */ };
struct variable {
    int type, extra;
    const char *units, *long_name;
};
static const struct variable variable[RESULT_VARIABLES] = {
    [RESULT_BEST] = {NC_DOUBLE, K, "percent", "best true accuracy among the first k chosen cells"},
    [RESULT_CHOSEN] = {CELL_NUMBER, K, NULL, "numbers (id in the space file) of the chosen cells, in ranked order"},
    [RESULT_CHOSEN_ACCURACY] = {NC_DOUBLE, K, "percent", "true accuracy of the chosen cells"},
    [RESULT_CHOSEN_SCORE] = {NC_FLOAT, K, "1", "accuracy as a fraction that the predictor expected of the chosen cells"},
    [RESULT_POOL] = {CELL_NUMBER, POOL, NULL, "numbers (id in the space file) of the training pool's cells, in order of arrival"},
    [RESULT_POOL_SIZE] = {NC_INT, NO_EXTRA, "1", "cells in the training pool"},
    [RESULT_TRAININGS] = {NC_INT, K, "1", "full trainings charged in all when the first k chosen cells are trained"},
    [RESULT_CODES] = {NC_INT, NO_EXTRA, "1", "Estimation Codes charged in all"},
    [RESULT_COST] = {NC_DOUBLE, K, "1", "search cost in full trainings: trainings + 0.003 codes"},
    [RESULT_RHO] = {NC_DOUBLE, NO_EXTRA, "1", "Spearman rank correlation of the final ranking of all cells with true accuracy"},
    [RESULT_TAU] = {NC_DOUBLE, NO_EXTRA, "1", "Kendall tau-b of the final ranking of all cells with true accuracy"},
    [RESULT_TAU_TOP] = {NC_DOUBLE, NO_EXTRA, "1", "Kendall tau-b inside the tenth of the cells with the best true accuracy"},
    [RESULT_CHOSEN_PLACE] = {NC_INT, K, "1", "places of the chosen cells by the basic branch alone, before the codes were read"},
    [RESULT_POOL_SCORE] = {NC_FLOAT, POOL, "1", "what the predictor expected of the training pool's cells when it chose them"},
    [RESULT_QUERY] = {CELL_NUMBER, QUERY, NULL, "numbers (id in the space file) of all trained cells, in the order in which they were paid"},
    [RESULT_QUERY_ACCURACY] = {NC_DOUBLE, QUERY, "percent", "true accuracy of the trained cells"},
    [RESULT_QUERY_LABEL] = {NC_DOUBLE, QUERY, "percent", "what predictors learn of the trained cells: accuracy or validation accuracy"},
    [RESULT_QUERY_COST] = {NC_DOUBLE, QUERY, "1", "total cost in full trainings when the trained cell was paid"},
    [RESULT_QUERIES] = {NC_INT, NO_EXTRA, "1", "trained cells"},
    [RESULT_CHECKSUM] = {NC_INT64, NO_EXTRA, NULL, "checksum of all numbers of the record"},
    [RESULT_COMPLETE] = {NC_BYTE, NO_EXTRA, NULL, "1 when the record of this unit is complete; it is written last"},
};
const char *const results_name[RESULT_VARIABLES] = {
    "best", "chosen", "chosen_accuracy", "chosen_score", "pool_cell", "pool_size",
    "trainings", "codes", "cost", "rho", "tau", "tau_top", "chosen_place", "pool_score",
    "query_cell", "query_accuracy", "query_label", "query_cost", "query_size", "checksum", "complete",
};

enum results_extra results_extra(enum results_variable v)
{
    static const enum results_extra extra[DIMENSIONS] = {[K] = RESULTS_ALONG_K, [POOL] = RESULTS_ALONG_POOL, [QUERY] = RESULTS_ALONG_QUERY};
    return variable[v].extra == NO_EXTRA ? RESULTS_ALONE : extra[variable[v].extra];
}

/* A file under construction. The first NetCDF failure sticks; later calls do nothing. */
struct file {
    int id, code;
    int dimension[DIMENSIONS];
};

static void keep(struct file *f, int code)
{
    if (f->code == NC_NOERR) f->code = code;
}

static void put_text(struct file *f, int v, const char *name, const char *text)
{
    if (f->code == NC_NOERR && text != NULL) keep(f, nc_put_att_text(f->id, v, name, strlen(text), text));
}

static int add(struct file *f, const char *name, int type, int dimensions, const int *dimension, const char *units,
               const char *long_name)
{
    int v = -1, ids[8];
    for (int i = 0; i < dimensions; i++) ids[i] = f->dimension[dimension[i]];
    if (f->code == NC_NOERR) keep(f, nc_def_var(f->id, name, type, dimensions, ids, &v));
    /* Contiguous storage: independent writes of several ranks need no agreement, and a kill loses nothing. */
    if (f->code == NC_NOERR) keep(f, nc_def_var_chunking(f->id, v, NC_CONTIGUOUS, NULL));
    put_text(f, v, "units", units);
    put_text(f, v, "long_name", long_name);
    return v;
}

static int length_of(enum dimension d, const struct job *j)
{
    const int length[DIMENSIONS] = {
        j->datasets, j->methods, j->budgets, j->trials, j->settings.k_max, results_pool(j), results_query(j), TIMER_PHASES,
    };
    return length[d];
}

static void add_dimensions(struct file *f, const struct results_plan *p, bool with_phase)
{
    for (int d = 0; d < DIMENSIONS; d++) {
        const size_t length = (size_t)length_of((enum dimension)d, p->job);
        bool wanted = d <= REALIZATION || (d == PHASE) == with_phase;
        if (wanted && f->code == NC_NOERR) keep(f, nc_def_dim(f->id, dimension_name[d], length, &f->dimension[d]));
    }
}

/* The names and numbers along each dimension; their values are put once all is defined. */
struct coordinates {
    int dataset, method, predictor, sampler, budget, realization, k, pool, query, phase;
};

static struct coordinates add_coordinates(struct file *f, bool with_phase)
{
    struct coordinates c;
    c.dataset = add(f, "dataset", NC_STRING, 1, (int[]){DATASET}, NULL, "data set of the accuracies");
    c.method = add(f, "method", NC_STRING, 1, (int[]){METHOD}, NULL, "predictor and sampler");
    c.predictor = add(f, "predictor", NC_STRING, 1, (int[]){METHOD}, NULL, "predictor");
    c.sampler = add(f, "sampler", NC_STRING, 1, (int[]){METHOD}, NULL, "sampler of the training pool");
    c.budget = add(f, "budget", NC_INT, 1, (int[]){BUDGET}, "1", "N: architectures trained for the predictor");
    c.realization = add(f, "realization", NC_INT, 1, (int[]){REALIZATION}, "1", "number of the trial");
    put_text(f, c.realization, "standard_name", "realization");
    if (with_phase) {
        c.phase = add(f, "phase", NC_STRING, 1, (int[]){PHASE}, NULL, "phase of the work");
        return c;
    }
    c.k = add(f, "k", NC_INT, 1, (int[]){K}, "1", "K: chosen cells that are trained at the end");
    /* Every dimension has its variable: of one without, the bytes in the file depend on whether it is opened in parallel. */
    c.pool = add(f, "pool", NC_INT, 1, (int[]){POOL}, "1", "place in the training pool");
    c.query = add(f, "query", NC_INT, 1, (int[]){QUERY}, "1", "place among all trained cells");
    return c;
}

static void put_string(struct file *f, int v, size_t index, const char *text)
{
    if (f->code == NC_NOERR) keep(f, nc_put_var1_string(f->id, v, &index, &text));
}

static void put_number(struct file *f, int v, size_t index, int value)
{
    if (f->code == NC_NOERR) keep(f, nc_put_var1_int(f->id, v, &index, &value));
}

/* 1, 2, .. count */
static void put_places(struct file *f, int v, int count)
{
    int *place;
    if (f->code != NC_NOERR) return;
    if (memory_alloc(&place, (size_t)count, sizeof *place) != STATUS_OK) {
        keep(f, NC_ENOMEM);
        return;
    }
    for (int i = 0; i < count; i++) place[i] = i + 1;
    keep(f, nc_put_var_int(f->id, v, place));
    free(place);
}

static void put_coordinates(struct file *f, const struct coordinates *c, const struct job *j, bool with_phase)
{
    for (int i = 0; i < j->datasets; i++) put_string(f, c->dataset, (size_t)i, j->dataset[i]);
    for (int i = 0; i < j->methods; i++) {
        char name[METHOD_NAME_MAX];
        method_name(name, j->method[i]);
        put_string(f, c->method, (size_t)i, name);
        put_string(f, c->predictor, (size_t)i, predictor_kind_name[j->method[i].predictor]);
        put_string(f, c->sampler, (size_t)i, sampler_kind_name[j->method[i].sampler]);
    }
    for (int i = 0; i < j->budgets; i++) put_number(f, c->budget, (size_t)i, j->n[i]);
    for (int i = 0; i < j->trials; i++) put_number(f, c->realization, (size_t)i, j->first_trial + i);
    for (int i = 0; with_phase && i < TIMER_PHASES; i++) put_string(f, c->phase, (size_t)i, timer_name[i]);
    if (with_phase) return;
    put_places(f, c->k, j->settings.k_max);
    put_places(f, c->pool, results_pool(j));
    put_places(f, c->query, results_query(j));
}

/* The type that holds all numbers of cells. */
static int cell_type(const struct results_plan *p)
{
    if (p->origin != NULL) return p->origin->wide ? NC_INT64 : NC_INT;
    for (int64_t i = 0; i < p->space->cells; i++)
        if (p->space->id[i] > INT32_MAX) return NC_INT64;
    return NC_INT;
}

/* The _FillValue: what the record of an unfinished unit, and the rest of a shorter pool, hold. */
static const void *not_known(int type)
{
    static const double none_double = NAN;
    static const float none_float = NAN;
    static const long long none_int64 = -1;
    static const int none_int = -1;
    return type == NC_DOUBLE ? (const void *)&none_double : type == NC_FLOAT ? (const void *)&none_float
           : type == NC_INT64 ? (const void *)&none_int64 : &none_int;
}

/* One fill value, so that the library allocates and fills the whole variable now: later, parallel writers find every
 * byte in its place, and a full disk is noticed before any work is done. */
static void fill(struct file *f, int v, const void *value)
{
    const size_t first[NC_MAX_VAR_DIMS] = {0};
    if (f->code == NC_NOERR) keep(f, nc_put_var1(f->id, v, first, value));
}

/* Once all coordinates are put: known only now, but the header has its place already. */
static void put_checksum(struct file *f, const char *path)
{
    struct netcdf_input in = {.path = path, .file = f->id, .allowance = SIZE_MAX, .largest = SIZE_MAX};
    char text[RESULTS_CHECKSUM_MAX];
    uint64_t sum;
    if (f->code != NC_NOERR) return;
    if (results_coordinates_checksum(&sum, &in) != STATUS_OK) { /* the file was just written: whatever keeps it from being read */
        status_clear();
        f->code = NC_EHDFERR;
    }
    snprintf(text, sizeof text, "%016" PRIx64, sum);
    put_text(f, NC_GLOBAL, results_coordinates_name, text);
}

static void define(struct file *f, const char *path, const struct results_plan *p, const signed char *zeros)
{
    const int ids = cell_type(p);
    keep(f, results_provenance(f->id, p, "Best accuracy found in each trial of a predictor-based neural architecture search"));
    put_text(f, NC_GLOBAL, results_coordinates_name, "0000000000000000");
    add_dimensions(f, p, false);
    struct coordinates c = add_coordinates(f, false);
    int oracle = add(f, "oracle", NC_DOUBLE, 1, (int[]){DATASET}, "percent", "best true accuracy of all cells");
    if (f->code == NC_NOERR && isnan(p->oracle[0])) keep(f, nc_def_var_fill(f->id, oracle, NC_FILL, not_known(NC_DOUBLE)));
    int cells = add(f, "cells", NC_INT64, 1, (int[]){DATASET}, "1", "cells that were ranked");
    int v[RESULT_VARIABLES];
    for (int i = 0; i < RESULT_VARIABLES; i++) {
        const struct variable *d = &variable[i];
        const int type = d->type == CELL_NUMBER ? ids : d->type;
        v[i] = add(f, results_name[i], type, d->extra == NO_EXTRA ? 4 : 5,
                   (int[]){DATASET, METHOD, BUDGET, REALIZATION, d->extra}, d->units, d->long_name);
        if (i < RESULT_CHECKSUM && f->code == NC_NOERR) keep(f, nc_def_var_fill(f->id, v[i], NC_FILL, not_known(type)));
        put_text(f, v[i], "coordinates", "predictor sampler");
    }
    if (f->code == NC_NOERR) keep(f, nc_enddef(f->id));

    put_coordinates(f, &c, p->job, false);
    for (int i = 0; i < p->job->datasets; i++) {
        const size_t index = (size_t)i;
        const long long all = p->space->cells;
        if (f->code == NC_NOERR) keep(f, nc_put_var1_double(f->id, oracle, &index, &p->oracle[i]));
        if (f->code == NC_NOERR) keep(f, nc_put_var1_longlong(f->id, cells, &index, &all));
    }
    for (int i = 0; i < RESULT_VARIABLES; i++)
        if (i != RESULT_COMPLETE) fill(f, v[i], not_known(variable[i].type == CELL_NUMBER ? ids : variable[i].type));
    if (f->code == NC_NOERR) keep(f, nc_put_var_schar(f->id, v[RESULT_COMPLETE], zeros));
    put_checksum(f, path);
}

static void define_timing(struct file *f, const struct results_plan *p)
{
    keep(f, results_provenance(f->id, p, "Seconds spent on each trial of a predictor-based neural architecture search"));
    add_dimensions(f, p, true);
    struct coordinates c = add_coordinates(f, true);
    int seconds = add(f, "seconds", NC_DOUBLE, 5, (int[]){DATASET, METHOD, BUDGET, REALIZATION, PHASE}, "s",
                      "wall time of the rank that leads the trial");
    put_text(f, seconds, "coordinates", "predictor sampler");
    if (f->code == NC_NOERR) keep(f, nc_def_var_fill(f->id, seconds, NC_FILL, not_known(NC_DOUBLE)));
    if (f->code == NC_NOERR) keep(f, nc_enddef(f->id));
    put_coordinates(f, &c, p->job, true);
    fill(f, seconds, not_known(NC_DOUBLE));
}

static int define_file(const char *path, const struct results_plan *p, bool timing)
{
    char draft[PATH_MAX + 8];
    signed char *zeros = NULL;
    struct file f = {.code = NC_NOERR};
    int status = STATUS_OK;
    snprintf(draft, sizeof draft, "%s.new", path);
    TRY_DONE(memory_alloc(&zeros, (size_t)p->grid->units, 1));
    TRY_DONE(results_check(nc_create(draft, NC_NETCDF4 | NC_CLOBBER, &f.id), draft, "create"));
    if (timing) define_timing(&f, p);
    else define(&f, draft, p, zeros);
    keep(&f, nc_close(f.id));
    status = results_check(f.code, draft, "write");
    if (status == STATUS_OK && rename(draft, path) != 0)
        status = status_fail(STATUS_FAILURE, "%s: cannot rename it to %s", draft, path);
    if (status != STATUS_OK) unlink(draft);
done:
    free(zeros);
    return status;
}

int results_define(const char *path, const struct results_plan *p)
{
    return define_file(path, p, false);
}

int results_define_timing(const char *path, const struct results_plan *p)
{
    return define_file(path, p, true);
}

int results_pool(const struct job *j)
{
    return j->n[j->budgets - 1];
}

int results_query(const struct job *j)
{
    return j->n[j->budgets - 1] + j->settings.k_max;
}

/* The header: names, attributes with the job's texts, and what the library puts around them. */
static int64_t header_bytes(const struct job *j)
{
    return 65536 + 2 * (int64_t)(strlen(j->text) + strlen(j->parameters)) + 256 * ((int64_t)j->datasets + j->methods);
}

int64_t results_bytes(const struct results_plan *p)
{
    const struct job *j = p->job;
    int64_t record = 0;
    for (int i = 0; i < RESULT_VARIABLES; i++) {
        const int type = variable[i].type == CELL_NUMBER ? cell_type(p) : variable[i].type;
        int64_t size = type == NC_DOUBLE || type == NC_INT64 ? 8 : type == NC_BYTE ? 1 : 4;
        record += size * (variable[i].extra == NO_EXTRA ? 1 : length_of((enum dimension)variable[i].extra, j));
    }
    int64_t coordinates = 4 * ((int64_t)j->budgets + j->trials + j->settings.k_max + results_pool(j) + results_query(j));
    return record * p->grid->units + coordinates + header_bytes(j);
}

int64_t results_timing_bytes(const struct results_plan *p)
{
    return (int64_t)(TIMER_PHASES * sizeof(double)) * p->grid->units + header_bytes(p->job);
}
