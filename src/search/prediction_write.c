#include "memory.h"
#include "netcdf_image.h"
#include "prediction.h"
#include "status.h"

#include <math.h>
#include <netcdf.h>
#include <stdlib.h>
#include <string.h>

/* The file while it is made: the first failure stays in rc, later calls are skipped. */
struct output {
    int file, rc;
    int id, basic, estimation, arch;
};

#define CHECK(o, call) \
    do { if ((o)->rc == NC_NOERR) (o)->rc = (call); } while (0)

static void put_text(struct output *o, int variable, const char *name, const char *text)
{
    if (text != NULL) CHECK(o, nc_put_att_text(o->file, variable, name, strlen(text), text));
}

static int define(struct output *o, const char *name, nc_type type, int rank, const int *dimension, const char *long_name)
{
    static const float unknown = NAN;
    int variable = -1;
    CHECK(o, nc_def_var(o->file, name, type, rank, dimension, &variable));
    put_text(o, variable, "long_name", long_name);
    if (type == NC_FLOAT) {
        put_text(o, variable, "units", "1");
        put_text(o, variable, "coordinates", "id");
        CHECK(o, nc_def_var_fill(o->file, variable, NC_FILL, &unknown));
    }
    return variable;
}

static void define_all(struct output *o, const struct prediction *p, const struct space *s, const char *weights)
{
    int dimension[2] = {-1, -1};
    put_text(o, NC_GLOBAL, "Conventions", "CF-1.10");
    put_text(o, NC_GLOBAL, "title", "predicted accuracy of cells");
    put_text(o, NC_GLOBAL, "weights", weights);
    put_text(o, NC_GLOBAL, "space", s->path);
    CHECK(o, nc_def_dim(o->file, "cell", (size_t)p->cells, &dimension[0]));
    o->id = define(o, "id", NC_INT64, 1, dimension, "number of the cell in its space");
    o->basic = define(o, "basic", NC_FLOAT, 1, dimension, "accuracy predicted from the cell alone");
    if (p->estimation != NULL)
        o->estimation = define(o, "estimation", NC_FLOAT, 1, dimension, "accuracy predicted with the Estimation Code");
    if (s->arch_length > 0) {
        CHECK(o, nc_def_dim(o->file, "arch_length", (size_t)s->arch_length, &dimension[1]));
        o->arch = define(o, "arch", NC_CHAR, 2, dimension, "architecture as text");
        put_text(o, o->arch, "_Encoding", "utf-8");
        CHECK(o, nc_def_var_deflate(o->file, o->arch, 0, 1, 4));
    }
    CHECK(o, nc_enddef(o->file));
}

static int put_ids(struct output *o, const struct prediction *p, const struct space *s)
{
    long long *id;
    TRY(memory_alloc(&id, (size_t)p->cells, sizeof *id));
    for (int64_t i = 0; i < p->cells; i++) id[i] = space_id(s, p->cell[i]);
    CHECK(o, nc_put_var_longlong(o->file, o->id, id));
    free(id);
    return STATUS_OK;
}

static int put_archs(struct output *o, const struct prediction *p, const struct space *s)
{
    char *text;
    const size_t length = (size_t)s->arch_length;
    TRY(memory_alloc(&text, (size_t)p->cells, length));
    for (int64_t i = 0; i < p->cells; i++) space_arch(text + (size_t)i * length, s, p->cell[i]);
    CHECK(o, nc_put_var_text(o->file, o->arch, text));
    free(text);
    return STATUS_OK;
}

int prediction_write(const struct prediction *p, const struct space *s, const char *weights, const char *path)
{
    struct netcdf_image image;
    TRY(netcdf_image_open(&image, path, (size_t)p->cells * (size_t)(32 + s->arch_length)));
    struct output o = {.file = image.file, .rc = NC_NOERR};
    define_all(&o, p, s, weights);
    int status = put_ids(&o, p, s);
    CHECK(&o, nc_put_var_float(o.file, o.basic, p->basic));
    if (p->estimation != NULL) CHECK(&o, nc_put_var_float(o.file, o.estimation, p->estimation));
    if (status == STATUS_OK && s->arch_length > 0) status = put_archs(&o, p, s);
    int saved = netcdf_image_save(&image, status == STATUS_OK ? o.rc : NC_EINVAL, path);
    return status != STATUS_OK ? status : saved;
}
