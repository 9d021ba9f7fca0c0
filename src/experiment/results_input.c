#include "results_internal.h"

#include "memory.h"
#include "status.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DATASET, METHOD, BUDGET, REALIZATION, K, POOL, QUERY, DIMENSIONS };
static const char *const dimension_name[DIMENSIONS] = {"dataset", "method", "budget", "realization", "k", "pool", "query"};

/* Attributes; without those that are needed it is no results file. */
static const struct {
    const char *name;
    bool needed;
} text_attribute[RESULTS_TEXTS] = {
    [RESULTS_PARAMETERS] = {"job_parameters", true}, [RESULTS_SPACE_CHECKSUM] = {"space_checksum", true},
    [RESULTS_MEASURER] = {"measurer_fingerprint", false}, [RESULTS_SOURCE] = {"source", false},
    [RESULTS_COMPILER] = {"compiler", false}, [RESULTS_LIBRARIES] = {"libraries", false},
    [RESULTS_JOB_FILE] = {"job_file", false}, [RESULTS_SPACE_TITLE] = {"space_title", false},
};
static const char *const number_attribute[RESULTS_NUMBERS] = {
    [RESULTS_SPACE_FILE_CELLS] = "space_file_cells", [RESULTS_SPACE_CELLS] = "space_cells",
    [RESULTS_SPACE_FILTERED] = "space_cells_filtered", [RESULTS_SPACE_DROPPED] = "space_cells_dropped",
};
enum { NAME_LONGEST = 200, PARAMETERS_LONGEST = 1 << 18, FACTS_MAX = 1000 };

static int fail(const struct results_input *f, const char *why)
{
    return status_fail(STATUS_INPUT, "%s: %s; it is no results file of siamese-nas run, or a damaged one", f->in.path, why);
}

/* -- shape --------------------------------------------------------------------------------------------------- */

static int find_dimensions(int dimension[DIMENSIONS], struct results_input *f)
{
    int *const length[DIMENSIONS] = {&f->datasets, &f->methods, &f->budgets, &f->trials, &f->k_max, &f->pool,
                                    &f->query};
    char why[128];
    for (int d = 0; d < DIMENSIONS; d++) {
        size_t places = 0;
        snprintf(why, sizeof why, "it has no dimension %s", dimension_name[d]);
        if (nc_inq_dimid(f->in.file, dimension_name[d], &dimension[d]) != NC_NOERR ||
            nc_inq_dimlen(f->in.file, dimension[d], &places) != NC_NOERR)
            return fail(f, why);
        snprintf(why, sizeof why, "its dimension %s has %zu places", dimension_name[d], places);
        if (places < 1 || places > INT_MAX) return fail(f, why);
        *length[d] = (int)places;
    }
    return STATUS_OK;
}

static int find_variables(struct results_input *f, const int dimension[DIMENSIONS])
{
    static const char *const extra_name[] = {[RESULTS_ALONE] = "", [RESULTS_ALONG_K] = ", k", [RESULTS_ALONG_POOL] = ", pool",
                                              [RESULTS_ALONG_QUERY] = ", query"};
    const int places[] = {[RESULTS_ALONE] = 1, [RESULTS_ALONG_K] = f->k_max, [RESULTS_ALONG_POOL] = f->pool,
                          [RESULTS_ALONG_QUERY] = f->query};
    const double units = (double)f->datasets * f->methods * f->budgets * f->trials;
    double bytes = 0;
    char why[128];
    for (enum results_variable v = 0; v < RESULT_VARIABLES; v++) {
        const enum results_extra extra = results_extra(v);
        struct netcdf_variable found;
        int dim[NC_MAX_VAR_DIMS];
        bool there;
        TRY(netcdf_input_find(&found, &there, &f->in, results_name[v]));
        snprintf(why, sizeof why, "it has no variable %s", results_name[v]);
        if (!there || nc_inq_vardimid(f->in.file, found.id, dim) != NC_NOERR) return fail(f, why);
        f->variable[v] = found.id;
        bool right = found.rank == (extra == RESULTS_ALONE ? 4 : 5) && netcdf_is_number(found.type);
        for (int d = 0; d < 4 && right; d++) right = dim[d] == dimension[d];
        static const int along[] = {[RESULTS_ALONG_K] = K, [RESULTS_ALONG_POOL] = POOL, [RESULTS_ALONG_QUERY] = QUERY};
        if (right && extra != RESULTS_ALONE) right = dim[4] == dimension[along[extra]];
        snprintf(why, sizeof why, "its variable %s has not the dimensions dataset, method, budget, realization%s",
                 results_name[v], extra_name[extra]);
        if (!right) return fail(f, why);
        size_t size = 0;
        nc_inq_type(f->in.file, found.type, NULL, &size);
        bytes += units * places[extra] * (double)size;
    }
    if (units <= INT32_MAX && bytes <= (double)f->in.allowance) return STATUS_OK;
    snprintf(why, sizeof why, "its %.0f trials with curves of %d, pools of %d and %d trained cells are more than it can hold", units,
             f->k_max, f->pool, f->query);
    return fail(f, why);
}

/* -- names and numbers along the dimensions ------------------------------------------------------------------ */

static int find_along(struct netcdf_variable *v, struct results_input *f, const char *name, int dimension, int d)
{
    char why[128];
    bool found;
    TRY(netcdf_input_find(v, &found, &f->in, name));
    snprintf(why, sizeof why, "it has no variable %s(%s)", name, dimension_name[d]);
    return found && v->rank == 1 && v->dim[0] == dimension ? STATUS_OK : fail(f, why);
}

static int read_names(char ***out, struct results_input *f, const char *name, const int *dimension, int d)
{
    struct netcdf_variable v;
    size_t count;
    char why[128];
    TRY(find_along(&v, f, name, dimension[d], d));
    snprintf(why, sizeof why, "%s holds no texts", name);
    if (v.type != NC_STRING) return fail(f, why);
    return netcdf_input_texts(out, &count, &v, NAME_LONGEST);
}

/* Along the data sets a number may be unknown: nobody knows the best cell of a live search. */
static int read_numbers(double **out, struct results_input *f, const char *name, const int *dimension, int d)
{
    struct netcdf_variable v;
    char why[128];
    TRY(find_along(&v, f, name, dimension[d], d));
    snprintf(why, sizeof why, "%s holds no numbers", name);
    if (!netcdf_is_number(v.type)) return fail(f, why);
    TRY(netcdf_input_values(out, &v, NETCDF_FINITE));
    snprintf(why, sizeof why, "%s has places without a sensible number", name);
    for (size_t i = 0; i < v.length[0]; i++)
        if (!(fabs((*out)[i]) <= INT_MAX) && !(d == DATASET && isnan((*out)[i]))) return fail(f, why);
    return STATUS_OK;
}

/* They count upward from the first. */
static int read_trials(struct results_input *f, const int *dimension)
{
    double *number = NULL;
    int status = read_numbers(&number, f, "realization", dimension, REALIZATION);
    for (int i = 0; i < f->trials && status == STATUS_OK; i++)
        if (number[i] != floor(number[0]) + i || number[i] < 0 || number[i] > INT_MAX)
            status = fail(f, "its trials (realization) are not numbered in a row");
    if (status == STATUS_OK) f->first_trial = (int)number[0];
    free(number);
    return status;
}

static int read_coordinates(struct results_input *f, const int *dimension)
{
    TRY(read_names(&f->dataset, f, "dataset", dimension, DATASET));
    TRY(read_names(&f->predictor, f, "predictor", dimension, METHOD));
    TRY(read_names(&f->sampler, f, "sampler", dimension, METHOD));
    TRY(read_numbers(&f->oracle, f, "oracle", dimension, DATASET));
    TRY(read_numbers(&f->budget, f, "budget", dimension, BUDGET));
    for (int i = 0; i < f->budgets; i++)
        if (f->budget[i] < 1) return fail(f, "it has a budget of less than one architecture");
    return read_trials(f, dimension);
}

/* -- where it comes from ------------------------------------------------------------------------------------- */

static int read_attributes(struct results_input *f)
{
    static const char why[] = "it does not say from which space and job it comes";
    for (int i = 0; i < RESULTS_TEXTS; i++) {
        TRY(netcdf_input_attribute(&f->text[i], &f->in, NC_GLOBAL, text_attribute[i].name));
        if (f->text[i] == NULL && text_attribute[i].needed) return fail(f, why);
        if (f->text[i] == NULL) TRY(memory_copy_text(&f->text[i], ""));
    }
    if (strlen(f->text[RESULTS_PARAMETERS]) > PARAMETERS_LONGEST) return fail(f, "its job_parameters are too long");
    for (int i = 0; i < RESULTS_NUMBERS; i++) {
        size_t values = 0;
        if (nc_inq_attlen(f->in.file, NC_GLOBAL, number_attribute[i], &values) != NC_NOERR || values != 1 ||
            nc_get_att_longlong(f->in.file, NC_GLOBAL, number_attribute[i], &f->number[i]) != NC_NOERR)
            return fail(f, why);
    }
    return STATUS_OK;
}

/* "key = value" with line breaks as blanks. */
static void print_text(FILE *out, const char *key, const char *text)
{
    fprintf(out, "%s = ", key);
    for (; *text != '\0'; text++) fputc(*text == '\n' ? ' ' : *text, out);
    fputc('\n', out);
}

static void print_names(FILE *out, const char *key, char *const *name, int count)
{
    fprintf(out, "%s =", key);
    for (int i = 0; i < count; i++) fprintf(out, " %s%s", name[i], i < count - 1 ? "," : "\n");
}

static void print_numbers(FILE *out, const char *key, const double *number, int count)
{
    fprintf(out, "%s =", key);
    for (int i = 0; i < count; i++) fprintf(out, " %.17g%s", number[i], i < count - 1 ? "," : "\n");
}

static int collect_facts(struct results_input *f)
{
    size_t length;
    FILE *out = open_memstream(&f->facts, &length);
    if (out == NULL) return status_fail(STATUS_FAILURE, "out of memory");
    fprintf(out, "%s\n", f->text[RESULTS_PARAMETERS]);
    for (int i = RESULTS_PARAMETERS + 1; i < RESULTS_LIBRARIES; i++)
        print_text(out, text_attribute[i].name, f->text[i][0] == '\0' ? "none" : f->text[i]);
    for (int i = 0; i < RESULTS_NUMBERS; i++) fprintf(out, "%s = %lld\n", number_attribute[i], f->number[i]);
    print_names(out, "dataset", f->dataset, f->datasets);
    print_names(out, "predictor", f->predictor, f->methods);
    print_names(out, "sampler", f->sampler, f->methods);
    print_numbers(out, "oracle", f->oracle, f->datasets);
    print_numbers(out, "budget", f->budget, f->budgets);
    fprintf(out, "k = %d\npool = %d\nquery = %d\n", f->k_max, f->pool, f->query);
    if (fclose(out) != 0) return status_fail(STATUS_FAILURE, "out of memory");
    int lines = 0; /* each is looked for among those of another file */
    for (const char *c = f->facts; *c != '\0'; c++) lines += *c == '\n';
    return lines <= FACTS_MAX ? STATUS_OK : fail(f, "its job_parameters have too many lines");
}

int results_input_belongs(const struct results_input *f, const char *facts, const char *path, const char *const *free_to,
                          const char *remedy)
{
    char difference[PARAMETERS_DIFFERENCE_MAX];
    if (!parameters_differ(difference, facts, f->facts, free_to)) return STATUS_OK;
    return status_fail(STATUS_INPUT, "%s: does not belong to %s: %s; %s", f->in.path, path, difference, remedy);
}

/* -- the whole ----------------------------------------------------------------------------------------------- */

int results_input_open(struct results_input *f, const char *path)
{
    int dimension[DIMENSIONS], status;
    *f = (struct results_input){0};
    status = netcdf_input_open(&f->in, path);
    if (status == STATUS_OK) status = find_dimensions(dimension, f);
    if (status == STATUS_OK) status = find_variables(f, dimension);
    if (status == STATUS_OK) status = read_coordinates(f, dimension);
    if (status == STATUS_OK) status = read_attributes(f);
    if (status == STATUS_OK) status = collect_facts(f);
    if (status != STATUS_OK) results_input_close(f);
    return status;
}

static void free_names(char **name, int count)
{
    for (int i = 0; name != NULL && i < count; i++) free(name[i]);
    free(name);
}

void results_input_close(struct results_input *f)
{
    if (f->in.path != NULL) netcdf_input_close(&f->in);
    free_names(f->dataset, f->datasets);
    free_names(f->predictor, f->methods);
    free_names(f->sampler, f->methods);
    for (int i = 0; i < RESULTS_TEXTS; i++) free(f->text[i]);
    free(f->oracle);
    free(f->budget);
    free(f->facts);
    *f = (struct results_input){0};
}

/* -- names of files ------------------------------------------------------------------------------------------ */

void results_companion(char *name, const char *path)
{
    size_t stem = strlen(path);
    if (stem > 3 && strcmp(path + stem - 3, ".nc") == 0) stem -= 3;
    memcpy(name, path, stem);
    strcpy(name + stem, ".timing.nc");
}

static bool is_companion(const char *name, const char *path)
{
    static const char ending[] = ".timing.nc";
    const size_t length = strlen(name), stem = length < sizeof ending ? 0 : length - (sizeof ending - 1);
    return stem > 0 && strcmp(name + stem, ending) == 0 && strlen(path) == stem + 3 && strncmp(path, name, stem) == 0 &&
           strcmp(path + stem, ".nc") == 0;
}

int results_leave_companions(char **path, int paths)
{
    int kept = 0;
    for (int i = 0; i < paths; i++) {
        bool companion = false;
        for (int k = 0; k < paths && !companion; k++) companion = is_companion(path[i], path[k]);
        if (!companion) path[kept++] = path[i];
    }
    return kept;
}
