#include "analysis.h"

#include "association.h"
#include "memory.h"
#include "netcdf_image.h"
#include "status.h"

#include <inttypes.h>
#include <math.h>
#include <netcdf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum dimension { DATASET, SIGNAL, EPOCH, K, BOUND, GROUP, CELL, ARCH_LENGTH, DIMENSIONS };
static const char *const dimension_name[DIMENSIONS] = {"dataset", "signal", "epoch", "k", "bound", "group", "cell", "arch_length"};

/* The file while it is made: the first failure stays in rc, later calls are skipped. */
struct output {
    const struct analysis *a;
    int file, rc, dimension[DIMENSIONS];
};

#define CHECK(o, call) \
    do { if ((o)->rc == NC_NOERR) (o)->rc = (call); } while (0)

static void put_text(struct output *o, int variable, const char *name, const char *text)
{
    if (text != NULL) CHECK(o, nc_put_att_text(o->file, variable, name, strlen(text), text));
}

/* `shape` ends with DIMENSIONS. Variables are written as soon as they are defined; NetCDF-4 changes modes by itself. */
static int define(struct output *o, const char *name, nc_type type, const enum dimension *shape, const char *units, const char *long_name)
{
    static const double unknown_double = NAN;
    static const long long unknown_int64 = -1;
    int variable = -1, rank = 0, dimension[5];
    for (; shape[rank] != DIMENSIONS; rank++) dimension[rank] = o->dimension[shape[rank]];
    CHECK(o, nc_def_var(o->file, name, type, rank, dimension, &variable));
    put_text(o, variable, "long_name", long_name);
    put_text(o, variable, "units", units);
    if (type == NC_DOUBLE) CHECK(o, nc_def_var_fill(o->file, variable, NC_FILL, &unknown_double));
    if (type == NC_INT64) CHECK(o, nc_def_var_fill(o->file, variable, NC_FILL, &unknown_int64));
    if (rank > 0 && shape[0] == CELL) CHECK(o, nc_def_var_deflate(o->file, variable, type != NC_CHAR, 1, 4));
    return variable;
}

#define SHAPE(...) (const enum dimension[]){__VA_ARGS__, DIMENSIONS}

/* ---- coordinates ---- */

static void put_names(struct output *o, const char *name, enum dimension d, const char *long_name, const char *const *text, size_t count)
{
    const int variable = define(o, name, NC_STRING, SHAPE(d), NULL, long_name);
    for (size_t i = 0; i < count; i++) {
        const char *one = text[i];
        CHECK(o, nc_put_var1_string(o->file, variable, &i, &one));
    }
}

static void put_count(struct output *o, const char *name, enum dimension d, const char *long_name, int count)
{
    const int variable = define(o, name, NC_INT, SHAPE(d), "1", long_name);
    for (int i = 0; i < count; i++) {
        const size_t index = (size_t)i;
        const int number = i + 1;
        CHECK(o, nc_put_var1_int(o->file, variable, &index, &number));
    }
}

static int put_coordinates(struct output *o)
{
    static const char *const bound[] = {"low", "high"};
    const struct analysis *a = o->a;
    const char **name;
    TRY(memory_alloc(&name, (size_t)a->count[ANALYSIS_SIGNAL], sizeof *name));
    for (int i = 0; i < a->count[ANALYSIS_SIGNAL]; i++) name[i] = a->series[i].name;
    put_names(o, "dataset", DATASET, "data set of the accuracies", (const char *const *)a->space->dataset, (size_t)a->space->datasets);
    if (a->count[ANALYSIS_SIGNAL] > 0) put_names(o, "signal", SIGNAL, "signal known of each cell", name, (size_t)a->count[ANALYSIS_SIGNAL]);
    free(name);
    if (a->options.samples > 0) put_names(o, "bound", BOUND, "end of a 95 % interval", bound, 2);
    if (a->options.ks > 0) {
        const int k = define(o, "k", NC_INT, SHAPE(K), "1", "cells that count as the best");
        CHECK(o, nc_put_var_int(o->file, k, a->options.k));
    }
    if (a->count[ANALYSIS_LOSS] > 0) put_count(o, "epoch", EPOCH, "epoch of training", a->count[ANALYSIS_LOSS]);
    if (a->groups > 0) put_count(o, "group", GROUP, "group of cells along the axis of FLOPs", a->groups);
    return STATUS_OK;
}

/* ---- worth ---- */

static const struct {
    const char *prefix, *what;
    enum dimension along;
} kind_text[ANALYSIS_KINDS] = {
    {"", "the signal", SIGNAL},
    {"loss_", "the training loss after the epoch", EPOCH},
    {"mean_loss_", "the mean training loss up to the epoch", EPOCH},
};

/* room [datasets * series * ks * 2] */
static void put_measure(struct output *o, double *room, enum analysis_kind kind, const char *name, const char *long_name,
                        int measure, int width)
{
    const struct analysis *a = o->a;
    const int first = analysis_first(a, kind);
    const enum dimension along = kind_text[kind].along;
    const bool by_k = measure == ASSOCIATION_PRECISION;
    char text[256];
    snprintf(text, sizeof text, "%s%s", kind_text[kind].prefix, name);
    const int value = define(o, text, NC_DOUBLE, by_k ? SHAPE(DATASET, along, K) : SHAPE(DATASET, along), "1", long_name);
    size_t at = 0;
    for (int d = 0; d < a->space->datasets; d++)
        for (int i = 0; i < a->count[kind]; i++)
            for (int m = 0; m < width; m++) room[at++] = analysis_worth(a, d, first + i)->value[measure + m];
    CHECK(o, nc_put_var_double(o->file, value, room));
    if (a->options.samples == 0) return;

    char more[320];
    snprintf(more, sizeof more, "95 %% bootstrap interval of %s", text);
    strcat(text, "_interval");
    put_text(o, value, "ancillary_variables", text);
    const int interval = define(o, text, NC_DOUBLE, by_k ? SHAPE(DATASET, along, K, BOUND) : SHAPE(DATASET, along, BOUND), "1", more);
    at = 0;
    for (int d = 0; d < a->space->datasets; d++)
        for (int i = 0; i < a->count[kind]; i++)
            for (int m = 0; m < width; m++) {
                const struct analysis_worth *w = analysis_worth(a, d, first + i);
                room[at++] = w->low[measure + m];
                room[at++] = w->high[measure + m];
            }
    CHECK(o, nc_put_var_double(o->file, interval, room));
}

static int put_kind(struct output *o, enum analysis_kind kind)
{
    static const struct {
        const char *name, *text;
    } measure[] = {
        [ASSOCIATION_RHO] = {"rho", "Spearman's rank correlation of accuracy and %s"},
        [ASSOCIATION_TAU] = {"tau", "Kendall's tau-b of accuracy and %s"},
        [ASSOCIATION_TAU_TOP] = {"tau_top", "Kendall's tau-b of accuracy and %s in the tenth of the cells with the best accuracy"},
        [ASSOCIATION_PRECISION] = {"precision", "share of the k most accurate cells among the k first by %s"},
    };
    const struct analysis *a = o->a;
    const size_t pairs = (size_t)a->space->datasets * (size_t)a->count[kind];
    double *room;
    char name[64], text[200];
    if (a->count[kind] == 0) return STATUS_OK;
    TRY(memory_alloc(&room, 2 * pairs * (1 + (size_t)a->options.ks), sizeof *room));
    for (int m = 0; m <= ASSOCIATION_PRECISION; m++) {
        if (m == ASSOCIATION_PRECISION && a->options.ks == 0) continue;
        snprintf(text, sizeof text, measure[m].text, kind_text[kind].what);
        put_measure(o, room, kind, measure[m].name, text, m, m == ASSOCIATION_PRECISION ? a->options.ks : 1);
    }
    free(room);
    const int first = analysis_first(a, kind);
    snprintf(name, sizeof name, "%sdirection", kind_text[kind].prefix);
    snprintf(text, sizeof text, "1 where large values of %s count as good, -1 where small ones do", kind_text[kind].what);
    const int direction = define(o, name, NC_INT, SHAPE(DATASET, kind_text[kind].along), "1", text);
    snprintf(name, sizeof name, "%scells", kind_text[kind].prefix);
    const int cells = define(o, name, NC_INT64, SHAPE(DATASET, kind_text[kind].along), "1", "cells of which both are known");
    for (size_t d = 0; d < (size_t)a->space->datasets; d++)
        for (size_t i = 0; i < (size_t)a->count[kind]; i++) {
            const struct analysis_worth *w = analysis_worth(a, (int)d, first + (int)i);
            const long long known = w->known;
            CHECK(o, nc_put_var1_int(o->file, direction, (const size_t[]){d, i}, &w->direction));
            CHECK(o, nc_put_var1_longlong(o->file, cells, (const size_t[]){d, i}, &known));
        }
    return STATUS_OK;
}

/* ---- codes, groups, classes ---- */

static void put_sharing(struct output *o)
{
    const struct analysis *a = o->a;
    static const char *const name[] = {"code_cells", "codes", "code_sharing", "code_largest"};
    static const char *const text[] = {
        "cells whose first losses are known up to the epoch", "different codes of the losses up to the epoch",
        "cells that share their code with another", "cells that have the commonest code",
    };
    for (int v = 0; v < 4 && a->count[ANALYSIS_LOSS] > 0; v++) {
        const int variable = define(o, name[v], NC_INT64, SHAPE(EPOCH), "1", text[v]);
        for (size_t e = 0; e < (size_t)a->count[ANALYSIS_LOSS]; e++) {
            const struct analysis_sharing *s = &a->sharing[e];
            const long long number[] = {s->known, s->distinct, s->sharing, s->largest};
            CHECK(o, nc_put_var1_longlong(o->file, variable, &e, &number[v]));
        }
    }
}

static void put_groups(struct output *o)
{
    const struct analysis *a = o->a;
    if (a->groups == 0) return;
    const struct space_signal *flops = &a->space->signal[space_find_signal(a->space, "flops")];
    const char *units = flops->units[0] ? flops->units : "1";
    const int low = define(o, "group_low", NC_DOUBLE, SHAPE(GROUP), units, "least FLOPs of the group");
    const int high = define(o, "group_high", NC_DOUBLE, SHAPE(GROUP), units, "most FLOPs of the group");
    const int cells = define(o, "group_cells", NC_INT64, SHAPE(GROUP), "1", "cells of the group");
    const int mean = define(o, "group_mean", NC_DOUBLE, SHAPE(DATASET, GROUP), "percent", "mean accuracy of the group");
    const int best = define(o, "group_best", NC_DOUBLE, SHAPE(DATASET, GROUP), "percent", "best accuracy of the group");
    const int cell = define(o, "group_best_cell", NC_INT64, SHAPE(DATASET, GROUP), NULL, "number (id) of the group's best cell");
    for (size_t g = 0; g < (size_t)a->groups; g++) {
        const long long count = a->group[g].cells;
        CHECK(o, nc_put_var1_double(o->file, low, &g, &a->group[g].low));
        CHECK(o, nc_put_var1_double(o->file, high, &g, &a->group[g].high));
        CHECK(o, nc_put_var1_longlong(o->file, cells, &g, &count));
        for (size_t d = 0; d < (size_t)a->space->datasets; d++) {
            const struct analysis_best *b = &a->best[d * (size_t)a->groups + g];
            const long long id = b->cell < 0 ? -1 : space_id(a->space, b->cell);
            const size_t at[] = {d, g};
            CHECK(o, nc_put_var1_double(o->file, mean, at, &b->mean));
            CHECK(o, nc_put_var1_double(o->file, best, at, &b->best));
            CHECK(o, nc_put_var1_longlong(o->file, cell, at, &id));
        }
    }
}

static void put_scatter(struct output *o)
{
    const struct analysis *a = o->a;
    if (a->classes == 0) return;
    const int std = define(o, "same_network_std", NC_DOUBLE, SHAPE(DATASET), "percent",
                           "standard deviation of accuracy among cells that compute the same");
    const int cells = define(o, "same_network_cells", NC_INT64, SHAPE(DATASET), "1", "cells that compute the same as another");
    for (size_t d = 0; d < (size_t)a->space->datasets; d++) {
        const long long count = a->scatter[d].cells;
        CHECK(o, nc_put_var1_double(o->file, std, &d, &a->scatter[d].std));
        CHECK(o, nc_put_var1_longlong(o->file, cells, &d, &count));
    }
}

/* What is found of each cell. */
static int put_cells(struct output *o)
{
    const struct analysis *a = o->a;
    const struct space *s = a->space;
    long long *number;
    TRY(memory_alloc(&number, (size_t)s->cells, sizeof *number));
    const int id = define(o, "id", NC_INT64, SHAPE(CELL), NULL, "number of the cell in its source");
    for (int64_t i = 0; i < s->cells; i++) number[i] = space_id(s, i);
    CHECK(o, nc_put_var_longlong(o->file, id, number));
    if (s->arch != NULL) {
        const int arch = define(o, "arch", NC_CHAR, SHAPE(CELL, ARCH_LENGTH), NULL, "architecture as text");
        put_text(o, arch, "_Encoding", "utf-8");
        CHECK(o, nc_put_var_text(o->file, arch, s->arch));
    }
    const char *coordinates = s->arch != NULL ? "id arch" : "id";
    if (a->groups > 0) {
        const int group = define(o, "flops_group", NC_INT64, SHAPE(CELL), NULL, "group that the cell's FLOPs are in");
        put_text(o, group, "coordinates", coordinates);
        for (int64_t i = 0; i < s->cells; i++) number[i] = a->group_of[i] < 0 ? -1 : a->group_of[i] + 1;
        CHECK(o, nc_put_var_longlong(o->file, group, number));
    }
    if (a->classes > 0) {
        const int class = define(o, "network", NC_INT64, SHAPE(CELL), NULL, "number of the network that the cell computes");
        put_text(o, class, "coordinates", coordinates);
        for (int64_t i = 0; i < s->cells; i++) number[i] = a->class_of[i];
        CHECK(o, nc_put_var_longlong(o->file, class, number));
        const int size = define(o, "network_cells", NC_INT64, SHAPE(CELL), "1", "cells that compute the same network, this one included");
        put_text(o, size, "coordinates", coordinates);
        for (int64_t i = 0; i < s->cells; i++) number[i] = a->class_cells[a->class_of[i]];
        CHECK(o, nc_put_var_longlong(o->file, size, number));
    }
    free(number);
    return STATUS_OK;
}

/* ---- the file ---- */

static void put_attributes(struct output *o, const char *history)
{
    const struct analysis *a = o->a;
    char checksum[24];
    snprintf(checksum, sizeof checksum, "%016" PRIx64, a->space->checksum);
    put_text(o, NC_GLOBAL, "Conventions", "CF-1.10");
    put_text(o, NC_GLOBAL, "title", "How well what is known of cells orders them by accuracy");
    put_text(o, NC_GLOBAL, "history", history);
    put_text(o, NC_GLOBAL, "space", a->space->path);
    put_text(o, NC_GLOBAL, "space_checksum", checksum);
    const long long seed = (long long)a->options.seed;
    CHECK(o, nc_put_att_int(o->file, NC_GLOBAL, "bootstrap_samples", NC_INT, 1, &a->options.samples));
    CHECK(o, nc_put_att_longlong(o->file, NC_GLOBAL, "bootstrap_seed", NC_INT64, 1, &seed));
    CHECK(o, nc_put_att_double(o->file, NC_GLOBAL, "flops_gap_percent", NC_DOUBLE, 1, &a->options.gap));
}

static void define_dimensions(struct output *o)
{
    const struct analysis *a = o->a;
    const int64_t length[DIMENSIONS] = {
        a->space->datasets, a->count[ANALYSIS_SIGNAL], a->count[ANALYSIS_LOSS], a->options.ks, a->options.samples > 0 ? 2 : 0,
        a->groups, a->space->cells, a->space->arch != NULL ? a->space->arch_length : 0,
    };
    for (int d = 0; d < DIMENSIONS; d++)
        if (length[d] > 0) CHECK(o, nc_def_dim(o->file, dimension_name[d], (size_t)length[d], &o->dimension[d]));
}

static size_t file_bytes(const struct analysis *a)
{
    const size_t numbers = (size_t)a->space->datasets * (size_t)a->series_count * 3 * (size_t)a->measures;
    return 16 * numbers + (size_t)a->space->cells * (size_t)(40 + a->space->arch_length) + (size_t)a->groups * 256 + (1 << 20);
}

int analysis_write(const struct analysis *a, const char *path, const char *history)
{
    struct netcdf_image image;
    TRY(netcdf_image_open(&image, path, file_bytes(a)));
    struct output o = {.a = a, .file = image.file, .rc = NC_NOERR};
    put_attributes(&o, history);
    define_dimensions(&o);
    int status = put_coordinates(&o);
    for (int kind = 0; kind < ANALYSIS_KINDS && status == STATUS_OK; kind++) status = put_kind(&o, (enum analysis_kind)kind);
    put_sharing(&o);
    put_groups(&o);
    put_scatter(&o);
    if (status == STATUS_OK) status = put_cells(&o);
    const int saved = netcdf_image_save(&image, status == STATUS_OK ? o.rc : NC_EINVAL, path);
    return status != STATUS_OK ? status : saved;
}
