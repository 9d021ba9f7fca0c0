#include "netcdf_input.h"

#include "memory.h"
#include "netcdf_heap.h"
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* deflate, the strongest common filter, packs at most 1032 bytes into one; 2000 leaves room for values never written. */
enum { CHUNK_CACHE = 1 << 18, COMPRESSION_MAX = 2000, SMALLEST_ALLOWANCE = 1 << 20, FILLS_MAX = 8 };
/* Texts are read a block at a time; each takes memory of its own. */
enum { TEXTS_BLOCK = 256, TEXT_MEMORY = 128 };

static int fail(const struct netcdf_input *in, const char *what, int rc)
{
    return status_fail(STATUS_INPUT, "%s: cannot read %s: %s", in->path, what, nc_strerror(rc));
}

void netcdf_input_close(struct netcdf_input *in)
{
    if (in->file >= 0) nc_close(in->file);
    in->file = -1;
}

/* Cut short, its end would read as zeros. */
static int refuse_classic(const char *path)
{
    return status_fail(STATUS_INPUT, "%s: a NetCDF file of the classic format; convert it: nccopy -k nc4 %s NEW.nc", path, path);
}

int netcdf_input_open(struct netcdf_input *in, const char *path)
{
    *in = (struct netcdf_input){.path = path, .file = -1};
    struct stat file;
    int plain = open(path, O_RDONLY); /* the library would take some names for network addresses */
    if (plain < 0) return status_fail(STATUS_INPUT, "%s: cannot be opened: %s", path, strerror(errno));
    int known = fstat(plain, &file), status = STATUS_OK;
    if (known != 0 || !S_ISREG(file.st_mode)) status = status_fail(STATUS_INPUT, "%s: not a file", path);
    if (status == STATUS_OK && netcdf_is_classic(plain)) status = refuse_classic(path);
    if (status == STATUS_OK) status = netcdf_heap_check(plain, (size_t)file.st_size, path);
    close(plain);
    TRY(status);
    nc_set_chunk_cache(CHUNK_CACHE, 101, 0.75F); /* what is read once needs no 16 MB of cache for each variable */
    int rc = nc_open(path, NC_NOWRITE, &in->file);
    if (rc != NC_NOERR) {
        in->file = -1;
        return status_fail(STATUS_INPUT, "%s: not a NetCDF file, or cut short (%s)", path, nc_strerror(rc));
    }
    int format = 0;
    nc_inq_format(in->file, &format);
    if (format != NC_FORMAT_NETCDF4 && format != NC_FORMAT_NETCDF4_CLASSIC) {
        netcdf_input_close(in);
        return refuse_classic(path);
    }
    size_t bytes = (size_t)file.st_size;
    in->allowance = bytes > SIZE_MAX / COMPRESSION_MAX ? SIZE_MAX : bytes * COMPRESSION_MAX;
    if (in->allowance < SMALLEST_ALLOWANCE) in->allowance = SMALLEST_ALLOWANCE;
    in->largest = in->allowance;
    return STATUS_OK;
}

/* HDF5 unpacks a chunk as a whole, and along unlimited dimensions it may be longer than the variable. */
static int check_chunks(const struct netcdf_variable *v)
{
    size_t chunk[NC_MAX_VAR_DIMS], bytes = 0;
    int storage = NC_CONTIGUOUS;
    if (nc_inq_var_chunking(v->in->file, v->id, &storage, chunk) != NC_NOERR || storage != NC_CHUNKED) return STATUS_OK;
    int rc = nc_inq_type(v->in->file, v->type, NULL, &bytes);
    if (rc != NC_NOERR) return fail(v->in, "the header", rc);
    for (int d = 0; d < v->rank; d++) {
        if (chunk[d] == 0 || bytes > v->in->largest / chunk[d])
            return status_fail(STATUS_INPUT, "%s: %s is stored in chunks that are larger than the file can hold; it is damaged or not "
                               "what it claims to be", v->in->path, v->name);
        bytes *= chunk[d];
    }
    return STATUS_OK;
}

int netcdf_input_describe(struct netcdf_variable *v, struct netcdf_input *in, int id)
{
    *v = (struct netcdf_variable){.in = in, .id = id};
    int rc = nc_inq_var(in->file, id, v->name, &v->type, &v->rank, NULL, NULL);
    if (rc == NC_NOERR && v->rank <= NETCDF_RANK_MAX) rc = nc_inq_vardimid(in->file, id, v->dim);
    for (int i = 0; i < v->rank && v->rank <= NETCDF_RANK_MAX && rc == NC_NOERR; i++)
        rc = nc_inq_dimlen(in->file, v->dim[i], &v->length[i]);
    return rc == NC_NOERR ? check_chunks(v) : fail(in, "the header", rc);
}

int netcdf_input_find(struct netcdf_variable *v, bool *found, struct netcdf_input *in, const char *name)
{
    int id, rc = nc_inq_varid(in->file, name, &id);
    *found = rc == NC_NOERR;
    if (*found) return netcdf_input_describe(v, in, id);
    return rc == NC_ENOTVAR ? STATUS_OK : fail(in, name, rc);
}

void netcdf_input_shape(char shape[NETCDF_SHAPE_MAX], const struct netcdf_variable *v)
{
    int used = snprintf(shape, NETCDF_SHAPE_MAX, "%.80s(", v->name);
    for (int i = 0; i < v->rank && v->rank <= NETCDF_RANK_MAX; i++) {
        char name[NC_MAX_NAME + 1] = "?";
        nc_inq_dimname(v->in->file, v->dim[i], name);
        used += snprintf(shape + used, NETCDF_SHAPE_MAX - (size_t)used, "%s%.80s=%zu", i == 0 ? "" : ", ", name,
                         v->length[i]);
    }
    snprintf(shape + used, NETCDF_SHAPE_MAX - (size_t)used, v->rank > NETCDF_RANK_MAX ? "%d dimensions)" : ")", v->rank);
}

bool netcdf_is_integer(nc_type type)
{
    return type == NC_BYTE || type == NC_SHORT || type == NC_INT || type == NC_INT64 || type == NC_UBYTE ||
           type == NC_USHORT || type == NC_UINT || type == NC_UINT64;
}

bool netcdf_is_number(nc_type type)
{
    return netcdf_is_integer(type) || type == NC_FLOAT || type == NC_DOUBLE;
}

/* Take count x size bytes off the allowance. */
static int charge(const struct netcdf_variable *v, size_t count, size_t size)
{
    if (count > SIZE_MAX / size || count * size > v->in->allowance) {
        char shape[NETCDF_SHAPE_MAX];
        netcdf_input_shape(shape, v);
        return status_fail(STATUS_INPUT, "%s: %s is more than the file can hold; it is damaged or not what it claims to be",
                           v->in->path, shape);
    }
    v->in->allowance -= count * size;
    return STATUS_OK;
}

int netcdf_input_alloc(void *out, const struct netcdf_variable *v, size_t count, size_t size)
{
    TRY(charge(v, count, size));
    return memory_alloc(out, count, size);
}

int netcdf_input_attribute(char **out, struct netcdf_input *in, int variable, const char *name)
{
    *out = NULL;
    nc_type type;
    size_t length;
    int rc = nc_inq_att(in->file, variable, name, &type, &length);
    if (rc == NC_ENOTATT || (rc == NC_NOERR && type != NC_CHAR && type != NC_STRING)) return STATUS_OK;
    if (rc != NC_NOERR) return fail(in, name, rc);
    if (type == NC_CHAR) {
        if (length > in->allowance) return status_fail(STATUS_INPUT, "%s: attribute %s is too long", in->path, name);
        TRY(memory_alloc(out, length + 1, 1));
        rc = nc_get_att_text(in->file, variable, name, *out);
        return rc == NC_NOERR ? STATUS_OK : fail(in, name, rc);
    }
    if (length != 1) return status_fail(STATUS_INPUT, "%s: attribute %s must be one text", in->path, name);
    char *text = NULL;
    rc = nc_get_att_string(in->file, variable, name, &text);
    if (rc != NC_NOERR) return fail(in, name, rc);
    int status = memory_copy_text(out, text == NULL ? "" : text);
    nc_free_string(1, &text);
    return status;
}

/* ---- values ---- */

static int add_fills(double fill[FILLS_MAX], int *fills, const struct netcdf_variable *v, const char *attribute)
{
    nc_type type;
    size_t length;
    if (nc_inq_att(v->in->file, v->id, attribute, &type, &length) != NC_NOERR) return STATUS_OK;
    if (!netcdf_is_number(type) || length == 0 || *fills + length > FILLS_MAX)
        return status_fail(STATUS_INPUT, "%s: %s:%s must be one number or a few", v->in->path, v->name, attribute);
    int rc = nc_get_att_double(v->in->file, v->id, attribute, fill + *fills);
    *fills += (int)length;
    return rc == NC_NOERR ? STATUS_OK : fail(v->in, attribute, rc);
}

/* What NetCDF puts where nothing was written; bytes have no such value. */
static int add_default_fill(double fill[FILLS_MAX], int fills, nc_type type)
{
    switch (type) {
    case NC_FLOAT: fill[fills++] = NC_FILL_FLOAT; break;
    case NC_DOUBLE: fill[fills++] = NC_FILL_DOUBLE; break;
    case NC_SHORT: fill[fills++] = NC_FILL_SHORT; break;
    case NC_INT: fill[fills++] = NC_FILL_INT; break;
    case NC_INT64: fill[fills++] = (double)NC_FILL_INT64; break;
    case NC_USHORT: fill[fills++] = NC_FILL_USHORT; break;
    case NC_UINT: fill[fills++] = NC_FILL_UINT; break;
    case NC_UINT64: fill[fills++] = (double)NC_FILL_UINT64; break;
    default: break;
    }
    return fills;
}

static int find_fills(double fill[FILLS_MAX], int *fills, const struct netcdf_variable *v)
{
    *fills = 0;
    if (nc_inq_att(v->in->file, v->id, "scale_factor", NULL, NULL) == NC_NOERR ||
        nc_inq_att(v->in->file, v->id, "add_offset", NULL, NULL) == NC_NOERR)
        return status_fail(STATUS_INPUT, "%s: %s is packed (scale_factor, add_offset), which is not supported; "
                           "write plain numbers", v->in->path, v->name);
    TRY(add_fills(fill, fills, v, "_FillValue"));
    if (*fills == 0) *fills = add_default_fill(fill, 0, v->type);
    return add_fills(fill, fills, v, "missing_value");
}

/* "accuracy(dataset=1, cell=2033)" of the i-th value. */
static int fail_value(const struct netcdf_variable *v, size_t i, double value, const char *why)
{
    char place[NETCDF_SHAPE_MAX];
    struct netcdf_variable at = *v;
    for (int d = v->rank - 1; d >= 0; d--) {
        at.length[d] = i % v->length[d];
        i /= v->length[d];
    }
    netcdf_input_shape(place, &at);
    return status_fail(STATUS_INPUT, "%s: %s is %.10g, %s", v->in->path, place, value, why);
}

static int check_value(const struct netcdf_variable *v, size_t i, double value, enum netcdf_range range)
{
    if (isnan(value))
        return fail_value(v, i, value, "which is not declared as missing; give the variable a _FillValue of NaN if it means "
                          "'not known'");
    if (isinf(value)) return fail_value(v, i, value, "but must be finite; use the _FillValue for what is not known");
    if (range == NETCDF_PERCENT && (value < 0 || value > 100))
        return fail_value(v, i, value, "but must be in percent, 0 to 100");
    return STATUS_OK;
}

int netcdf_input_values(double **out, const struct netcdf_variable *v, enum netcdf_range range)
{
    double fill[FILLS_MAX], *value;
    int fills;
    *out = NULL;
    TRY(find_fills(fill, &fills, v));
    size_t count = 1;
    for (int d = 0; d < v->rank; d++) {
        if (v->length[d] != 0 && count > SIZE_MAX / v->length[d]) count = SIZE_MAX; /* refused below */
        else count *= v->length[d];
    }
    TRY(netcdf_input_alloc(&value, v, count, sizeof *value));
    int rc = nc_get_var_double(v->in->file, v->id, value);
    int status = rc == NC_NOERR ? STATUS_OK : fail(v->in, v->name, rc);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        bool missing = false;
        for (int k = 0; k < fills; k++) missing |= value[i] == fill[k] || (isnan(value[i]) && isnan(fill[k]));
        if (missing) value[i] = NAN;
        else status = check_value(v, i, value[i], range);
    }
    if (status == STATUS_OK) *out = value;
    else free(value);
    return status;
}

int netcdf_input_integers(long long *out, const struct netcdf_variable *v, size_t first, size_t rows)
{
    size_t start[NETCDF_RANK_MAX] = {first}, count[NETCDF_RANK_MAX] = {rows};
    for (int d = 1; d < v->rank; d++) count[d] = v->length[d];
    int rc = nc_get_vara_longlong(v->in->file, v->id, start, count, out);
    return rc == NC_NOERR ? STATUS_OK : fail(v->in, v->name, rc);
}

/* ---- texts ---- */

static int keep_text(char **out, const struct netcdf_variable *v, const char *text, size_t length, size_t longest)
{
    length = strnlen(text, length);
    while (length > 0 && text[length - 1] == ' ') length--;
    if (length > longest)
        return status_fail(STATUS_INPUT, "%s: %s has a text of %zu characters; %zu is the most", v->in->path, v->name,
                           length, longest);
    TRY(memory_alloc(out, length + 1, 1));
    memcpy(*out, text, length);
    return STATUS_OK;
}

static int read_characters(char **out, const struct netcdf_variable *v, size_t texts, size_t longest)
{
    const size_t width = v->length[v->rank - 1];
    char *buffer;
    TRY(netcdf_input_alloc(&buffer, v, width + 1, 1));
    int status = STATUS_OK;
    for (size_t i = 0; i < texts && status == STATUS_OK; i++) {
        const size_t start[2] = {i, 0}, count[2] = {1, width};
        /* a char variable of rank 1 is a single text */
        int rc = v->rank == 2 ? nc_get_vara_text(v->in->file, v->id, start, count, buffer)
                              : nc_get_var_text(v->in->file, v->id, buffer);
        status = rc == NC_NOERR ? keep_text(&out[i], v, buffer, width, longest) : fail(v->in, v->name, rc);
    }
    free(buffer);
    return status;
}

static int read_strings(char **out, const struct netcdf_variable *v, size_t texts, size_t longest)
{
    int status = STATUS_OK;
    for (size_t first = 0; first < texts && status == STATUS_OK; first += TEXTS_BLOCK) {
        const size_t count = texts - first < TEXTS_BLOCK ? texts - first : TEXTS_BLOCK;
        char *text[TEXTS_BLOCK] = {NULL};
        int rc = nc_get_vara_string(v->in->file, v->id, &first, &count, text);
        if (rc != NC_NOERR) return fail(v->in, v->name, rc);
        for (size_t i = 0; i < count && status == STATUS_OK; i++)
            status = keep_text(&out[first + i], v, text[i] == NULL ? "" : text[i], SIZE_MAX, longest);
        nc_free_string(count, text);
    }
    return status;
}

int netcdf_input_texts(char ***out, size_t *count, const struct netcdf_variable *v, size_t longest)
{
    bool chars = v->type == NC_CHAR;
    if ((!chars && v->type != NC_STRING) || v->rank > 1 + chars || v->rank < chars)
        return status_fail(STATUS_INPUT, "%s: %s must hold one text (NC_STRING or characters) for each place of its "
                           "dimension", v->in->path, v->name);
    const size_t texts = v->rank == 1 + chars ? v->length[0] : 1, width = chars ? v->length[v->rank - 1] : 0;
    char **text;
    TRY(charge(v, texts, width + TEXT_MEMORY));
    TRY(netcdf_input_alloc(&text, v, texts, sizeof *text));
    int status = chars ? read_characters(text, v, texts, longest) : read_strings(text, v, texts, longest);
    if (status == STATUS_OK) {
        *out = text;
        *count = texts;
        return STATUS_OK;
    }
    for (size_t i = 0; i < texts; i++) free(text[i]);
    free(text);
    return status;
}
