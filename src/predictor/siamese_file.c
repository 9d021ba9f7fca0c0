#include "siamese_file.h"

#include "netcdf_image.h"
#include "netcdf_input.h"
#include "status.h"

#include <math.h>
#include <netcdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef REAL_DOUBLE
#define get_real nc_get_var_double
#define put_real nc_put_var_double
#define NC_REAL NC_DOUBLE
#else
#define get_real nc_get_var_float
#define put_real nc_put_var_float
#define NC_REAL NC_FLOAT
#endif

#define NC_TRY(call)                                                                                              \
    do {                                                                                                          \
        int nc_ = (call);                                                                                         \
        if (nc_ != NC_NOERR) {                                                                                    \
            status = status_fail(STATUS_FAILURE, "%s: %s", path, nc_strerror(nc_));                               \
            goto done;                                                                                            \
        }                                                                                                         \
    } while (0)

static void add(struct siamese_array *out, int *n, const char *owner, const char *what, int direction, real *value,
                const char *outer, size_t outer_length, const char *inner, size_t inner_length)
{
    struct siamese_array *a = &out[(*n)++];
    if (direction < 0)
        snprintf(a->name, sizeof a->name, "%s_%s", owner, what);
    else
        snprintf(a->name, sizeof a->name, "%s_%s%d", owner, what, direction + 1);
    a->value = value;
    a->rank = outer == NULL ? 1 : 2;
    int at = 0;
    if (outer != NULL) {
        a->axis[at] = outer;
        a->length[at++] = outer_length;
    }
    a->axis[at] = inner;
    a->length[at] = inner_length;
}

static void add_norm(struct siamese_array *out, int *n, const char *owner, int direction, const struct norm *p)
{
    add(out, n, owner, "gamma", direction, p->gamma, NULL, 0, "channel", WIDTH);
    add(out, n, owner, "beta", direction, p->beta, NULL, 0, "channel", WIDTH);
    add(out, n, owner, "mean", direction, p->mean, NULL, 0, "channel", WIDTH);
    add(out, n, owner, "variance", direction, p->variance, NULL, 0, "channel", WIDTH);
}

int siamese_arrays(struct siamese_array out[SIAMESE_ARRAYS_MAX], const struct siamese *s)
{
    const struct siamese_parameters *p = siamese_parameters(s);
    const struct siamese_shape *shape = siamese_shape(s);
    int n = 0;
    for (int g = 0; g < SIAMESE_GROUPS; g++)
        for (int d = 0; d < 2 && p->group[g].weight[0] != NULL; d++) {
            const char *inputs = g == GROUP_1 ? "operation" : "input";
            size_t length = g == GROUP_1 ? (size_t)shape->operations : WIDTH;
            add(out, &n, siamese_group_name[g], "weight", d, p->group[g].weight[d], inputs, length, "channel", WIDTH);
            add(out, &n, siamese_group_name[g], "bias", d, p->group[g].bias[d], NULL, 0, "channel", WIDTH);
            add_norm(out, &n, siamese_group_name[g], d, &p->group[g].norm[d]);
        }
    if (shape->code_length > 0) {
        const size_t wide = (size_t)shape->nodes * WIDTH;
        add(out, &n, "code", "weight", -1, p->code_weight, "code", (size_t)shape->code_length, "node_channel", wide);
        add(out, &n, "code", "bias", -1, p->code_bias, NULL, 0, "node_channel", wide);
        add_norm(out, &n, "code", -1, &p->code_norm);
    }
    add(out, &n, "head", "weight", -1, p->head.weight, NULL, 0, "node", (size_t)shape->nodes);
    add(out, &n, "head", "bias", -1, p->head.bias, NULL, 0, "one", 1);
    if (shape->linear) add(out, &n, "head", "unit", -1, p->unit, "branch", 2, "unit", 2);
    return n;
}

/* The dimension `name`, defined when it is not there yet. */
static int dimension(int file, const char *name, size_t length, int *id)
{
    return nc_inq_dimid(file, name, id) == NC_NOERR ? NC_NOERR : nc_def_dim(file, name, length, id);
}

static int put_int(int file, const char *name, int value)
{
    return nc_put_att_int(file, NC_GLOBAL, name, NC_INT, 1, &value);
}

static int define(int file, struct siamese *s, const char *vocabulary, const struct siamese_array *array, int arrays, int *variable,
                  const char *path)
{
    int status = STATUS_OK;
    const struct siamese_shape *shape = siamese_shape(s);
    const char *title = "weights of a Siamese-NAS predictor";
    const double epsilon = siamese_norm_epsilon(s);
    NC_TRY(nc_put_att_text(file, NC_GLOBAL, "title", strlen(title), title));
    NC_TRY(put_int(file, "nodes", shape->nodes));
    NC_TRY(put_int(file, "operations", shape->operations));
    NC_TRY(put_int(file, "code_length", shape->code_length));
    NC_TRY(put_int(file, "nsam", shape->nsam));
    NC_TRY(put_int(file, "efm_value_own", shape->efm_value_own));
    if (shape->linear) NC_TRY(put_int(file, "linear", 1)); /* files of the published shape are without these */
    if (shape->pruned) NC_TRY(put_int(file, "pruned", 1));
    NC_TRY(nc_put_att_double(file, NC_GLOBAL, "norm_epsilon", NC_DOUBLE, 1, &epsilon));
    NC_TRY(nc_put_att_text(file, NC_GLOBAL, "vocabulary", strlen(vocabulary), vocabulary));
    for (int i = 0; i < arrays; i++) {
        int axis[2];
        for (int k = 0; k < array[i].rank; k++) NC_TRY(dimension(file, array[i].axis[k], array[i].length[k], &axis[k]));
        NC_TRY(nc_def_var(file, array[i].name, NC_REAL, array[i].rank, axis, &variable[i]));
    }
    NC_TRY(nc_enddef(file));
done:
    return status;
}

int siamese_file_write(struct siamese *s, const char *vocabulary, const char *path)
{
    struct siamese_array array[SIAMESE_ARRAYS_MAX];
    struct netcdf_image image;
    int variable[SIAMESE_ARRAYS_MAX], arrays = siamese_arrays(array, s), rc = NC_NOERR;
    size_t count;
    siamese_weights(s, &count);
    TRY(netcdf_image_open(&image, path, 2 * count * sizeof(real)));
    int status = define(image.file, s, vocabulary, array, arrays, variable, path);
    for (int i = 0; i < arrays && status == STATUS_OK && rc == NC_NOERR; i++) rc = put_real(image.file, variable[i], array[i].value);
    int saved = netcdf_image_save(&image, status == STATUS_OK ? rc : NC_EINVAL, path);
    return status != STATUS_OK ? status : saved;
}

static int get_int(int file, const char *path, const char *name, int low, int high, int *value)
{
    size_t length = 0;
    if (nc_inq_attlen(file, NC_GLOBAL, name, &length) != NC_NOERR || length != 1 ||
        nc_get_att_int(file, NC_GLOBAL, name, value) != NC_NOERR || *value < low || *value > high)
        return status_fail(STATUS_INPUT, "%s: attribute %s must be one integer from %d to %d: not a file of predictor weights", path,
                           name, low, high);
    return STATUS_OK;
}

/* 0 when it is not there. */
static int get_option(int file, const char *path, const char *name, int *value)
{
    *value = 0;
    return nc_inq_att(file, NC_GLOBAL, name, NULL, NULL) == NC_NOERR ? get_int(file, path, name, 0, 1, value) : STATUS_OK;
}

static int get_vocabulary(int file, const char *path, char **vocabulary)
{
    size_t length = 0;
    nc_type type;
    if (nc_inq_att(file, NC_GLOBAL, "vocabulary", &type, &length) != NC_NOERR || type != NC_CHAR || length > 65536)
        return status_fail(STATUS_INPUT, "%s: the text attribute vocabulary is missing", path);
    TRY(memory_alloc(vocabulary, length + 1, 1));
    nc_get_att_text(file, NC_GLOBAL, "vocabulary", *vocabulary);
    return STATUS_OK;
}

/* One array, its shape checked against the network's. */
static int get_array(int file, const char *path, const struct siamese_array *a)
{
    int variable, rank, axis[NC_MAX_VAR_DIMS];
    size_t length;
    if (nc_inq_varid(file, a->name, &variable) != NC_NOERR || nc_inq_varndims(file, variable, &rank) != NC_NOERR || rank != a->rank ||
        nc_inq_vardimid(file, variable, axis) != NC_NOERR)
        return status_fail(STATUS_INPUT, "%s: variable %s is missing or has the wrong rank", path, a->name);
    for (int k = 0; k < rank; k++)
        if (nc_inq_dimlen(file, axis[k], &length) != NC_NOERR || length != a->length[k])
            return status_fail(STATUS_INPUT, "%s: variable %s: axis %d must have length %zu", path, a->name, k + 1, a->length[k]);
    int nc = get_real(file, variable, a->value);
    return nc == NC_NOERR ? STATUS_OK : status_fail(STATUS_INPUT, "%s: cannot read variable %s: %s", path, a->name, nc_strerror(nc));
}

/* Numbers that a trained network can have, whichever file they come from. */
static int check_arrays(const struct siamese *s, const char *path)
{
    struct siamese_array array[SIAMESE_ARRAYS_MAX];
    const int arrays = siamese_arrays(array, s);
    for (int i = 0; i < arrays; i++) {
        const struct siamese_array *a = &array[i];
        const size_t count = a->length[0] * (a->rank == 2 ? a->length[1] : 1);
        const bool variance = strstr(a->name, "_variance") != NULL;
        for (size_t k = 0; k < count; k++)
            if (!isfinite(a->value[k]) || (variance && a->value[k] < 0))
                return status_fail(STATUS_INPUT, "%s: number %zu of %s is %g, but must be finite%s; the file is damaged, or its training "
                                   "failed", path, k, a->name, (double)a->value[k], variance ? " and not negative" : "");
    }
    return STATUS_OK;
}

static int read_own(struct siamese **out, char **vocabulary, int file, const char *path)
{
    struct siamese_shape shape = {0};
    struct siamese_training training = {.norm_epsilon = 0};
    struct siamese_array array[SIAMESE_ARRAYS_MAX];
    int nsam, own, linear, pruned;
    TRY(get_int(file, path, "nodes", 1, 32, &shape.nodes));
    TRY(get_int(file, path, "operations", 1, 255, &shape.operations));
    TRY(get_int(file, path, "code_length", 0, 1000, &shape.code_length));
    TRY(get_int(file, path, "nsam", 0, 1, &nsam));
    TRY(get_int(file, path, "efm_value_own", 0, 1, &own));
    TRY(get_option(file, path, "linear", &linear));
    TRY(get_option(file, path, "pruned", &pruned));
    shape.nsam = nsam;
    shape.efm_value_own = own;
    shape.linear = linear;
    shape.pruned = pruned;
    size_t values = 0;
    if (nc_inq_attlen(file, NC_GLOBAL, "norm_epsilon", &values) != NC_NOERR || values != 1 ||
        nc_get_att_double(file, NC_GLOBAL, "norm_epsilon", &training.norm_epsilon) != NC_NOERR || !(training.norm_epsilon > 0) ||
        !isfinite(training.norm_epsilon))
        return status_fail(STATUS_INPUT, "%s: attribute norm_epsilon must be a positive number", path);
    TRY(get_vocabulary(file, path, vocabulary));
    TRY(siamese_create(out, &shape, &training, 0));
    int arrays = siamese_arrays(array, *out);
    for (int i = 0; i < arrays; i++) TRY(get_array(file, path, &array[i]));
    return STATUS_OK;
}

int siamese_file_read(struct siamese **out, char **vocabulary, const char *path)
{
    struct netcdf_input in;
    *out = NULL;
    *vocabulary = NULL;
    TRY(netcdf_input_open(&in, path));
    int status = nc_inq_att(in.file, NC_GLOBAL, "layer_names", NULL, NULL) == NC_NOERR
                     ? siamese_keras_read(out, in.file, path)
                     : read_own(out, vocabulary, in.file, path);
    netcdf_input_close(&in);
    if (status == STATUS_OK) status = check_arrays(*out, path);
    if (status != STATUS_OK) {
        siamese_destroy(out);
        free(*vocabulary);
        *vocabulary = NULL;
    }
    return status;
}

/* The place of `name` in a blank-separated list; -1 when it is not there. */
static int find_word(const char *list, const char *name)
{
    const size_t length = strlen(name);
    int place = 0;
    for (const char *at = list; *at != '\0'; place++) {
        size_t here = strcspn(at, " ");
        if (here == length && memcmp(at, name, length) == 0) return place;
        at += here + strspn(at + here, " ");
    }
    return -1;
}

int siamese_renumber(struct siamese **s, const char *vocabulary, char *const *name, int operations, const char *where)
{
    struct siamese *new;
    struct siamese_shape shape = *siamese_shape(*s);
    const struct siamese_training training = {.norm_epsilon = siamese_norm_epsilon(*s)};
    struct siamese_array from[SIAMESE_ARRAYS_MAX], to[SIAMESE_ARRAYS_MAX];
    int place[256];
    for (int o = 0; o < operations; o++) {
        place[o] = find_word(vocabulary, name[o]);
        if (place[o] < 0 || place[o] >= shape.operations)
            return status_fail(STATUS_INPUT, "%s: operation %s is not in the vocabulary of the weights (%s)", where, name[o], vocabulary);
    }
    shape.operations = operations;
    TRY(siamese_create(&new, &shape, &training, 0));
    int arrays = siamese_arrays(from, *s);
    siamese_arrays(to, new);
    for (int i = 0; i < arrays; i++) {
        const size_t row = from[i].rank == 2 ? from[i].length[1] : 1, rows = to[i].length[0];
        const bool by_operation = strcmp(from[i].axis[0], "operation") == 0;
        for (size_t r = 0; r < rows; r++)
            memcpy(to[i].value + r * row, from[i].value + (by_operation ? (size_t)place[r] : r) * row, row * sizeof(real));
    }
    siamese_destroy(s);
    *s = new;
    return STATUS_OK;
}
