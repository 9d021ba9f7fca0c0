/* The published Keras HDF5 files. Every layer is a group LAYER/LAYER with variables such as "weight:0". Graph convolutions
 * are numbered in the order of enum siamese_group (two a group, one for each direction); the rest is found by the end of its name. */
#include "siamese_file.h"
#include "status.h"

#include <netcdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef REAL_DOUBLE
#define get_real nc_get_var_double
#else
#define get_real nc_get_var_float
#endif

enum { LAYERS_MAX = 4096, CONVOLUTIONS_MAX = 2 * SIAMESE_GROUPS };

static const double KERAS_NORM_EPSILON = 1e-4;

/* Ends of the layer names of each group's batch normalisations, to be followed by 1 or 2. */
static const char *const norm_layer[SIAMESE_GROUPS] = {
    [GROUP_1] = "_embd_blck_gcnconv_1_bn",           [GROUP_2] = "_embd_blck_gcnconv_2_bn",
    [GROUP_3] = "_embd_blck_gcnconv_3_bn",           [NSAM_QUERY] = "_ndsatten_1_gconvq_bn",
    [NSAM_KEY] = "_ndsatten_1_gconvk_bn",            [NSAM_VALUE] = "_ndsatten_1_gconvv_bn",
    [NSAM_OUT] = "_ndsatten_1_gconvout_bn",          [EFM_QUERY] = "_estattn_gcnconv_q_bn",
    [EFM_KEY] = "_estattn_gcnconv_k_bn",             [EFM_VALUE] = "_estattn_gcnconv_v_bn",
    [EFM_OUT] = "_estattn_gconvout_bn",
};

struct keras {
    const char *path;
    int layers, *layer;                            /* group ids */
    int convolutions, convolution[CONVOLUTIONS_MAX]; /* sorted by number */
};

static int by_number(const void *a, const void *b)
{
    const long *x = a, *y = b;
    return (x[0] > y[0]) - (x[0] < y[0]);
}

/* List the layers; sort out the convolutions. */
static int list_layers(struct keras *k, int file)
{
    long found[CONVOLUTIONS_MAX][2]; /* number, group id */
    char name[NC_MAX_NAME + 1];
    if (nc_inq_grps(file, &k->layers, NULL) != NC_NOERR || k->layers < 1 || k->layers > LAYERS_MAX)
        return status_fail(STATUS_INPUT, "%s: has no layers: not a Keras weights file", k->path);
    TRY(memory_alloc(&k->layer, (size_t)k->layers, sizeof *k->layer));
    nc_inq_grps(file, NULL, k->layer);
    for (int i = 0; i < k->layers; i++) {
        long number;
        if (nc_inq_grpname(k->layer[i], name) != NC_NOERR || sscanf(name, "gcn_conv_%ld", &number) != 1) continue;
        if (k->convolutions == CONVOLUTIONS_MAX)
            return status_fail(STATUS_INPUT, "%s: more than %d graph convolutions: not a known network", k->path, CONVOLUTIONS_MAX);
        found[k->convolutions][0] = number;
        found[k->convolutions++][1] = k->layer[i];
    }
    qsort(found, (size_t)k->convolutions, sizeof found[0], by_number);
    for (int i = 0; i < k->convolutions; i++) k->convolution[i] = (int)found[i][1];
    return STATUS_OK;
}

/* The layer whose name ends in `end` (followed by `suffix`); -1 when there is none. */
static int find_layer(const struct keras *k, const char *end, const char *suffix)
{
    char name[NC_MAX_NAME + 1], wanted[NC_MAX_NAME + 1];
    int length = snprintf(wanted, sizeof wanted, "%s%s", end, suffix);
    for (int i = 0; i < k->layers; i++) {
        if (nc_inq_grpname(k->layer[i], name) != NC_NOERR) continue;
        size_t here = strlen(name);
        if (here >= (size_t)length && strcmp(name + here - length, wanted) == 0) return k->layer[i];
    }
    return -1;
}

/* Variable `name` inside layer/layer, and its shape (0 for missing axes). */
static int find_variable(const struct keras *k, int layer, const char *name, int *group, int *variable, size_t shape[2])
{
    char layer_name[NC_MAX_NAME + 1] = "?";
    int rank = 0, axis[NC_MAX_VAR_DIMS];
    shape[0] = shape[1] = 0;
    if (layer < 0 || nc_inq_grpname(layer, layer_name) != NC_NOERR || nc_inq_ncid(layer, layer_name, group) != NC_NOERR ||
        nc_inq_varid(*group, name, variable) != NC_NOERR || nc_inq_varndims(*group, *variable, &rank) != NC_NOERR || rank < 1 ||
        rank > 2 || nc_inq_vardimid(*group, *variable, axis) != NC_NOERR)
        return status_fail(STATUS_INPUT, "%s: layer %s has no variable %s: not a known network", k->path, layer_name, name);
    for (int i = 0; i < rank; i++) nc_inq_dimlen(*group, axis[i], &shape[i]);
    return STATUS_OK;
}

/* A matrix rows x columns, or a vector of `rows` numbers (columns 0). */
static int get(real *value, const struct keras *k, int layer, const char *name, size_t rows, size_t columns)
{
    int group, variable;
    size_t shape[2];
    TRY(find_variable(k, layer, name, &group, &variable, shape));
    if (shape[0] != rows || shape[1] != columns)
        return status_fail(STATUS_INPUT, "%s: a variable %s has shape %zu x %zu where %zu x %zu is expected", k->path, name, shape[0],
                           shape[1], rows, columns);
    int nc = get_real(group, variable, value);
    return nc == NC_NOERR ? STATUS_OK : status_fail(STATUS_INPUT, "%s: cannot read %s: %s", k->path, name, nc_strerror(nc));
}

static int get_norm(struct norm *n, const struct keras *k, const char *end, const char *suffix)
{
    int layer = find_layer(k, end, suffix);
    if (layer < 0) return status_fail(STATUS_INPUT, "%s: no layer ...%s%s: not a known network", k->path, end, suffix);
    TRY(get(n->gamma, k, layer, "gamma:0", WIDTH, 0));
    TRY(get(n->beta, k, layer, "beta:0", WIDTH, 0));
    TRY(get(n->mean, k, layer, "moving_mean:0", WIDTH, 0));
    return get(n->variance, k, layer, "moving_variance:0", WIDTH, 0);
}

/* The network's shape from the layers that are there. */
static int find_shape(struct siamese_shape *shape, const struct keras *k)
{
    int group, variable;
    size_t size[2];
    *shape = (struct siamese_shape){0};
    TRY(find_variable(k, k->convolutions > 0 ? k->convolution[0] : -1, "weight:0", &group, &variable, size));
    if (size[0] < 1 || size[0] > 255) return status_fail(STATUS_INPUT, "%s: %zu operations are out of range", k->path, size[0]);
    shape->operations = (int)size[0];
    TRY(find_variable(k, find_layer(k, "_denseout", ""), "kernel:0", &group, &variable, size));
    if (size[0] < 1 || size[0] > 32) return status_fail(STATUS_INPUT, "%s: %zu nodes are out of range", k->path, size[0]);
    shape->nodes = (int)size[0];
    int code = find_layer(k, "_estattn_ds_k", "");
    if (code >= 0) {
        TRY(find_variable(k, code, "kernel:0", &group, &variable, size));
        if (size[0] < 1 || size[0] > 1000) return status_fail(STATUS_INPUT, "%s: code length %zu is out of range", k->path, size[0]);
        shape->code_length = (int)size[0];
    }
    shape->nsam = find_layer(k, norm_layer[NSAM_QUERY], "1") >= 0;
    shape->efm_value_own = find_layer(k, norm_layer[EFM_VALUE], "1") >= 0;
    return STATUS_OK;
}

static int get_all(struct siamese *s, const struct keras *k)
{
    struct siamese_parameters p = *siamese_parameters(s);
    const struct siamese_shape *shape = siamese_shape(s);
    int convolution = 0;
    for (int g = 0; g < SIAMESE_GROUPS; g++)
        for (int d = 0; d < 2 && p.group[g].weight[0] != NULL; d++) {
            if (convolution == k->convolutions)
                return status_fail(STATUS_INPUT, "%s: too few graph convolutions (%d): not a known network", k->path, k->convolutions);
            int layer = k->convolution[convolution++];
            TRY(get(p.group[g].weight[d], k, layer, "weight:0", g == GROUP_1 ? (size_t)shape->operations : WIDTH, WIDTH));
            TRY(get(p.group[g].bias[d], k, layer, "bias:0", WIDTH, 0));
            TRY(get_norm(&p.group[g].norm[d], k, norm_layer[g], d == 0 ? "1" : "2"));
        }
    if (convolution != k->convolutions)
        return status_fail(STATUS_INPUT, "%s: %d graph convolutions where %d are expected", k->path, k->convolutions, convolution);
    if (shape->code_length > 0) {
        const size_t wide = (size_t)shape->nodes * WIDTH;
        int layer = find_layer(k, "_estattn_ds_k", "");
        TRY(get(p.code_weight, k, layer, "kernel:0", (size_t)shape->code_length, wide));
        TRY(get(p.code_bias, k, layer, "bias:0", wide, 0));
        TRY(get_norm(&p.code_norm, k, "_estattn_bn1", ""));
    }
    int layer = find_layer(k, "_denseout", "");
    TRY(get(p.head.weight, k, layer, "kernel:0", (size_t)shape->nodes, 1));
    return get(p.head.bias, k, layer, "bias:0", 1, 0);
}

int siamese_keras_read(struct siamese **out, int file, const char *path)
{
    struct keras k = {.path = path};
    struct siamese_shape shape;
    struct siamese_training training = {.norm_epsilon = KERAS_NORM_EPSILON};
    int status;
    TRY_DONE(list_layers(&k, file));
    TRY_DONE(find_shape(&shape, &k));
    TRY_DONE(siamese_create(out, &shape, &training, 0));
    TRY_DONE(get_all(*out, &k));
done:
    free(k.layer);
    return status;
}
