/* The file: one list of variables serves writing and reading back. It is written as a whole after every set of features, which
 * takes no time beside the work, and holds nothing that differs from run to run. */
#include "ceiling_internal.h"

#include "guard.h"
#include "log.h"
#include "memory.h"
#include "netcdf_image.h"
#include "netcdf_input.h"
#include "parameters.h"
#include "status.h"
#include "version.h"

#include <errno.h>
#include <math.h>
#include <netcdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *const ceiling_left_out_name[CEILING_LEFT_OUT] = {"cell", "class"};
const char *const ceiling_group_name[CEILING_GROUPS] = {"counts", "statistics", "losses", "signal"};

enum dimension { SET, LEFT_OUT, DATASET, CELL, GROUP, DIMENSIONS };
static const char *const dimension_name[DIMENSIONS] = {"feature_set", "left_out", "dataset", "cell", "column_group"};

enum { RANK_MAX = 4, VARIABLES = CEILING_FIGURES + 6, SOURCE_MAX = 160 };
struct variable {
    const char *name, *units, *long_name;
    nc_type type;
    int rank;
    enum dimension dimension[RANK_MAX];
    void *value;
};

static void list_variables(struct variable v[VARIABLES], const struct ceiling *c)
{
    static const char *const units[CEILING_FIGURES] = {
        [CEILING_TAU] = "1", [CEILING_RHO] = "1", [CEILING_TAU_TOP] = "1", [CEILING_RMSE] = "percent", [CEILING_RMSE_TARGET] = "1",
    };
    static const char *const long_name[CEILING_FIGURES] = {
        [CEILING_TAU] = "Kendall tau-b of predictions with true accuracy",
        [CEILING_RHO] = "Spearman rank correlation of predictions with true accuracy",
        [CEILING_TAU_TOP] = "Kendall tau-b inside the tenth of the cells with the best true accuracy",
        [CEILING_RMSE] = "root mean squared error of accuracy, predictions taken to percent by the monotone map from target to accuracy",
        [CEILING_RMSE_TARGET] = "root mean squared error of the target",
    };
    for (int f = 0; f < CEILING_FIGURES; f++)
        *v++ = (struct variable){ceiling_figure_name[f], units[f], long_name[f], NC_DOUBLE, 3, {SET, LEFT_OUT, DATASET},
                                 ceiling_figure_of(c, (enum ceiling_figure)f, 0, CEILING_LEFT_CELL, 0)};
    const struct variable others[] = {
        {"length", "1", "length of the kernel in units of a group of columns", NC_DOUBLE, 2, {SET, GROUP}, c->length},
        {"noise", "1", "variance of the noise by variance of the signal", NC_DOUBLE, 1, {SET}, c->noise},
        {"jitter", "1", "what had to be added to the diagonal of the matrix, by variance of the signal", NC_DOUBLE, 1, {SET},
         c->jitter},
        {"prediction", "1", "target predicted from the other cells", NC_FLOAT, 4, {SET, LEFT_OUT, DATASET, CELL}, c->prediction},
        {"deviation", "1", "standard deviation of the predicted target", NC_FLOAT, 4, {SET, LEFT_OUT, DATASET, CELL},
         c->deviation},
        {"complete", NULL, "1 when the set of features is finished", NC_BYTE, 1, {SET}, c->complete},
    };
    memcpy(v, others, sizeof others);
}

static void take_lengths(size_t length[DIMENSIONS], const struct ceiling *c)
{
    length[SET] = (size_t)c->sets, length[LEFT_OUT] = CEILING_LEFT_OUT, length[DATASET] = (size_t)c->datasets;
    length[CELL] = (size_t)c->n, length[GROUP] = CEILING_GROUPS;
}

/* -- writing --------------------------------------------------------------------------------------------------------- */

/* The first failure stays in rc, later calls are skipped. */
struct output {
    int file, rc, dimension[DIMENSIONS];
};

#define CHECK(o, call) \
    do { if ((o)->rc == NC_NOERR) (o)->rc = (call); } while (0)

static void put_text(struct output *o, int variable, const char *name, const char *text)
{
    if (text != NULL) CHECK(o, nc_put_att_text(o->file, variable, name, strlen(text), text));
}

static int define(struct output *o, const struct variable *v)
{
    static const float unknown_float = NAN;
    static const double unknown = NAN;
    int dimension[RANK_MAX], id = -1;
    for (int i = 0; i < v->rank; i++) dimension[i] = o->dimension[v->dimension[i]];
    CHECK(o, nc_def_var(o->file, v->name, v->type, v->rank, dimension, &id));
    put_text(o, id, "long_name", v->long_name);
    put_text(o, id, "units", v->units);
    if (v->type == NC_DOUBLE) CHECK(o, nc_def_var_fill(o->file, id, NC_FILL, &unknown));
    if (v->type == NC_FLOAT) CHECK(o, nc_def_var_fill(o->file, id, NC_FILL, &unknown_float));
    return id;
}

static void put_names(struct output *o, enum dimension d, const struct ceiling *c, const char *long_name)
{
    const struct variable v = {dimension_name[d], NULL, long_name, NC_STRING, 1, {d}, NULL};
    const int id = define(o, &v);
    size_t length[DIMENSIONS];
    take_lengths(length, c);
    for (size_t i = 0; i < length[d]; i++) {
        const char *name = d == SET        ? c->set[i].name
                           : d == LEFT_OUT ? ceiling_left_out_name[i]
                           : d == DATASET  ? c->space.dataset[c->dataset[i]]
                                           : ceiling_group_name[i];
        CHECK(o, nc_put_var1_string(o->file, id, &i, &name));
    }
}

static void source(char text[SOURCE_MAX])
{
    snprintf(text, SOURCE_MAX, "siamese-nas %s (revision %s)", version_number, version_revision);
}

/* What the cells are, and what is known of them. */
static int put_cells(struct output *o, const struct ceiling *c)
{
    const struct variable id = {"id", NULL, "number of the cell in its space", NC_INT64, 1, {CELL}, NULL};
    const struct variable class = {"class", NULL, "number of the cell's class: cells that compute the same", NC_INT64, 1, {CELL},
                                   NULL};
    const struct variable accuracy = {"accuracy", "percent", "true accuracy", NC_DOUBLE, 2, {DATASET, CELL}, c->accuracy};
    const struct variable target = {"target", "1", "standard normal quantile of the rank by accuracy", NC_DOUBLE, 2,
                                    {DATASET, CELL}, c->target};
    long long *number;
    TRY(memory_alloc(&number, 2 * (size_t)c->n, sizeof *number));
    for (int i = 0; i < c->n; i++) number[i] = space_id(&c->space, c->cell[i]);
    for (int k = 0; k < c->classes; k++)
        for (int i = c->begin[k]; i < c->begin[k + 1]; i++) number[c->n + i] = k;
    CHECK(o, nc_put_var_longlong(o->file, define(o, &id), number));
    CHECK(o, nc_put_var_longlong(o->file, define(o, &class), number + c->n));
    CHECK(o, nc_put_var_double(o->file, define(o, &accuracy), c->accuracy));
    CHECK(o, nc_put_var_double(o->file, define(o, &target), c->target));
    free(number);
    return STATUS_OK;
}

static int put_all(struct output *o, const struct ceiling *c)
{
    struct variable variable[VARIABLES];
    size_t length[DIMENSIONS];
    char program[SOURCE_MAX];
    source(program);
    put_text(o, NC_GLOBAL, "Conventions", "CF-1.10");
    put_text(o, NC_GLOBAL, "title", "ceiling of predictions: each cell from all others");
    put_text(o, NC_GLOBAL, "source", program);
    put_text(o, NC_GLOBAL, "parameters", c->parameters);
    take_lengths(length, c);
    for (int d = 0; d < DIMENSIONS; d++) CHECK(o, nc_def_dim(o->file, dimension_name[d], length[d], &o->dimension[d]));
    put_names(o, SET, c, "what cells are predicted from");
    put_names(o, LEFT_OUT, c, "what is left out when a cell is predicted: the cell, or all cells of its class");
    put_names(o, DATASET, c, "data set of the accuracies");
    put_names(o, GROUP, c, "columns that have a length in common");
    TRY(put_cells(o, c));
    list_variables(variable, c);
    for (int i = 0; i < VARIABLES; i++) CHECK(o, nc_put_var(o->file, define(o, &variable[i]), variable[i].value));
    return STATUS_OK;
}

int ceiling_write(const struct ceiling *c, const char *path)
{
    struct netcdf_image image;
    const size_t series = (size_t)c->sets * CEILING_LEFT_OUT * (size_t)c->datasets;
    TRY(netcdf_image_open(&image, path, (size_t)c->n * (8 * series + 16 * (size_t)c->datasets + 32)));
    struct output o = {.file = image.file};
    const int status = put_all(&o, c), saved = netcdf_image_save(&image, status == STATUS_OK ? o.rc : NC_ENOMEM, path);
    return status != STATUS_OK ? status : saved;
}

/* -- reading back ---------------------------------------------------------------------------------------------------- */

static int read_variable(const struct netcdf_input *in, const struct variable *v, const size_t length[DIMENSIONS])
{
    int id, rank, dimension[NC_MAX_VAR_DIMS];
    nc_type type;
    size_t found;
    int rc = nc_inq_varid(in->file, v->name, &id);
    if (rc == NC_NOERR) rc = nc_inq_var(in->file, id, NULL, &type, &rank, dimension, NULL);
    if (rc == NC_NOERR && (type != v->type || rank != v->rank)) rc = NC_EBADTYPE;
    for (int i = 0; i < v->rank && rc == NC_NOERR; i++) {
        rc = nc_inq_dimlen(in->file, dimension[i], &found);
        if (rc == NC_NOERR && found != length[v->dimension[i]]) rc = NC_EDIMSIZE;
    }
    if (rc == NC_NOERR) rc = nc_get_var(in->file, id, v->value);
    if (rc == NC_NOERR) return STATUS_OK;
    return status_fail(STATUS_INPUT, "%s: %s cannot be read (%s): the file is damaged; remove it", in->path, v->name,
                       nc_strerror(rc));
}

static int compare(struct netcdf_input *in, const struct ceiling *c)
{
    char difference[PARAMETERS_DIFFERENCE_MAX], here[SOURCE_MAX];
    char *there = NULL, *program = NULL;
    static const char *const none[] = {NULL};
    int status = netcdf_input_attribute(&there, in, NC_GLOBAL, "parameters");
    if (status == STATUS_OK && there == NULL)
        status = status_fail(STATUS_INPUT, "%s is another kind of file; choose another name with -o, or remove it", in->path);
    if (status == STATUS_OK && parameters_differ(difference, there, c->parameters, none))
        status = status_fail(STATUS_INPUT, "%s belongs to another study: %s; choose another name with -o, or remove it",
                             in->path, difference);
    source(here);
    if (status == STATUS_OK) status = netcdf_input_attribute(&program, in, NC_GLOBAL, "source");
    if (status == STATUS_OK && program != NULL && strcmp(program, here) != 0)
        log_warning("%s was begun by %s and is continued by %s", in->path, program, here);
    free(there);
    free(program);
    return status;
}

static int read_all(struct netcdf_input *in, struct ceiling *c)
{
    struct variable variable[VARIABLES];
    size_t length[DIMENSIONS];
    TRY(compare(in, c));
    take_lengths(length, c);
    list_variables(variable, c);
    for (int i = 0; i < VARIABLES; i++) TRY(read_variable(in, &variable[i], length));
    return STATUS_OK;
}

int ceiling_read(bool *found, struct ceiling *c, const char *path)
{
    struct netcdf_input in;
    struct stat facts;
    *found = false;
    if (stat(path, &facts) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return STATUS_OK;
        return status_fail(STATUS_FAILURE, "%s: %s", path, strerror(errno));
    }
    *found = true;
    guard_begin(path);
    int status = netcdf_input_open(&in, path);
    if (status == STATUS_OK) status = read_all(&in, c);
    netcdf_input_close(&in);
    guard_end();
    return status;
}
