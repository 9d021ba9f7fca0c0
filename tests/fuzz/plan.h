/* plan.h - NetCDF files from a text that libFuzzer can vary and people can read. HDF5 crashes on damaged files by itself, and takes
 * takes ten times as long; so most files are of the classic format, made in memory, and the readers are told that it is NetCDF-4. A list of
 * strings is one of characters then, whose second dimension they are not told of (__wrap_...). One command a line:
 *
 *   netcdf4                    groups, types of the user's, dimensions beyond what there is room for; first line only
 *   dim NAME LENGTH            0: unlimited
 *   var NAME TYPE DIM...       byte char short int float double ubyte ushort uint int64 uint64 string, netcdf4: enum opaque vlen compound
 *   att NAME TYPE VALUE...     of the variable before, or of the group where there is none; of char and string the rest of the line, and of
 *                              lines as well, where ; ends one
 *   put VALUE...               over and over until the variable is full
 *   text WORD...               the same with texts
 *   chunk LENGTH... | deflate
 *   group NAME | up
 *
 * What the library refuses is left out. */
#ifndef PLAN_H
#define PLAN_H

#include "fuzz.h"

#include <netcdf.h>
#include <netcdf_mem.h>

enum { PLAN_WORDS = 4096, PLAN_VARIABLES = 64, PLAN_ROOM = 1 << 14, PLAN_PIECES = 1 << 10, PLAN_DEPTH = 8, PLAN_TEXT = 24 };
#define PLAN_HIDDEN "_hidden" /* the dimension */

int __real_nc_inq_var(int file, int id, char *name, nc_type *type, int *rank, int *dim, int *attributes);

struct plan_variable {
    int group, id;
    nc_type type;
    size_t values;
    char *put, *text; /* what comes after the word */
};

struct plan {
    int file, group[PLAN_DEPTH], depth, target, variables;
    bool large;  /* netcdf4 */
    size_t room; /* values that may still be defined */
    struct plan_variable variable[PLAN_VARIABLES];
};

static nc_type plan_type(const struct plan *p, const char *name)
{
    static const char *const known[] = {"byte", "char", "short", "int", "float", "double", "ubyte", "ushort", "uint", "int64", "uint64",
                                        "string"};
    for (size_t i = 0; name != NULL && i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i], name) == 0) return (nc_type)i + NC_BYTE;
    nc_type type = NC_NAT;
    if (name == NULL || !p->large || nc_inq_typeid(p->file, name, &type) == NC_NOERR) return type;
    if (strcmp(name, "enum") == 0) nc_def_enum(p->file, NC_INT, name, &type);
    if (strcmp(name, "opaque") == 0) nc_def_opaque(p->file, 3, name, &type);
    if (strcmp(name, "vlen") == 0) nc_def_vlen(p->file, name, NC_INT, &type);
    if (strcmp(name, "compound") == 0 && nc_def_compound(p->file, 4, name, &type) == NC_NOERR)
        nc_insert_compound(p->file, type, "member", 0, NC_INT);
    return type;
}

static size_t plan_numbers(double *value, char *text, size_t most)
{
    size_t count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word != NULL && count < most; word = strtok_r(NULL, " ", &rest))
        value[count++] = strtod(word, NULL);
    return count;
}

static void plan_define(struct plan *p, char *rest)
{
    char *next = NULL, *name = strtok_r(rest, " ", &next), *type = strtok_r(NULL, " ", &next);
    struct plan_variable *v = &p->variable[p->variables];
    int axis[NC_MAX_VAR_DIMS], rank = 0;
    *v = (struct plan_variable){.group = p->group[p->depth], .type = plan_type(p, type), .values = 1};
    for (char *word = strtok_r(NULL, " ", &next); word != NULL && rank < 16; word = strtok_r(NULL, " ", &next)) {
        size_t length = 0;
        if (nc_inq_dimid(v->group, word, &axis[rank]) != NC_NOERR || nc_inq_dimlen(p->file, axis[rank], &length) != NC_NOERR) return;
        v->values = length != 0 && v->values > SIZE_MAX / length ? SIZE_MAX : v->values * length;
        rank++;
    }
    if (!p->large && v->type == NC_STRING) {
        v->type = NC_CHAR;
        v->values = v->values > p->room ? p->room + 1 : v->values * PLAN_TEXT;
        if (nc_inq_dimid(p->file, PLAN_HIDDEN, &axis[rank]) != NC_NOERR) nc_def_dim(p->file, PLAN_HIDDEN, PLAN_TEXT, &axis[rank]);
        rank++;
    }
    if (name == NULL || (!p->large && v->values > p->room)) return;
    if (nc_def_var(v->group, name, v->type, rank, axis, &v->id) != NC_NOERR) return;
    if (!p->large) p->room -= v->values;
    p->target = v->id;
    p->variables++;
}

static void plan_attribute(struct plan *p, char *rest)
{
    char *next = NULL, *name = strtok_r(rest, " ", &next), *type = strtok_r(NULL, " ", &next);
    if (name == NULL || type == NULL) return;
    const nc_type kind = plan_type(p, type);
    const int group = p->group[p->depth];
    const char *text = next == NULL ? "" : next;
    static const double nothing[4] = {0};
    double value[64];
    if (strcmp(type, "lines") == 0) {
        for (char *c = next; c != NULL && *c != '\0'; c++) *c = *c == ';' ? '\n' : *c;
        nc_put_att_text(group, p->target, name, strlen(text), text);
    } else if (kind == NC_CHAR) nc_put_att_text(group, p->target, name, strlen(text), text);
    else if (kind == NC_STRING) nc_put_att_string(group, p->target, name, 1, &text);
    else if (kind > NC_STRING) nc_put_att(group, p->target, name, kind, 1, nothing);
    else if (kind <= NC_UINT64) nc_put_att_double(group, p->target, name, kind, plan_numbers(value, next, 64), value);
}

static void plan_chunk(struct plan *p, char *rest, bool deflate)
{
    double value[16] = {0};
    size_t length[16];
    if (p->variables == 0 || !p->large) return;
    const struct plan_variable *v = &p->variable[p->variables - 1];
    if (deflate) nc_def_var_deflate(v->group, v->id, 1, 1, 1);
    else if (plan_numbers(value, rest, 16) == 0) return;
    for (int i = 0; i < 16; i++) length[i] = value[i] >= 1 && value[i] < 1e12 ? (size_t)value[i] : 1;
    if (!deflate) nc_def_var_chunking(v->group, v->id, NC_CHUNKED, length);
}

static void plan_group(struct plan *p, const char *name)
{
    if (name == NULL && p->depth > 0) p->depth--;
    if (name != NULL && p->depth + 1 < PLAN_DEPTH && nc_def_grp(p->group[p->depth], name, &p->group[p->depth + 1]) == NC_NOERR) p->depth++;
    p->target = NC_GLOBAL;
}

static void plan_line(struct plan *p, char *line)
{
    int id;
    char *rest = strchr(line, ' ');
    if (rest != NULL) *rest++ = '\0';
    else rest = line + strlen(line);
    char *space = strchr(rest, ' ');
    if (strcmp(line, "dim") == 0 && space != NULL) {
        *space = '\0';
        nc_def_dim(p->group[p->depth], rest, (size_t)strtoull(space + 1, NULL, 10) & (p->large ? SIZE_MAX >> 1 : PLAN_ROOM - 1), &id);
    } else if (strcmp(line, "var") == 0 && p->variables < PLAN_VARIABLES) plan_define(p, rest);
    else if (strcmp(line, "att") == 0) plan_attribute(p, rest);
    else if (strcmp(line, "chunk") == 0 || strcmp(line, "deflate") == 0) plan_chunk(p, rest, line[0] == 'd');
    else if (strcmp(line, "group") == 0) plan_group(p, rest);
    else if (strcmp(line, "up") == 0) plan_group(p, NULL);
    else if (strcmp(line, "put") == 0 && p->variables > 0) p->variable[p->variables - 1].put = rest;
    else if (strcmp(line, "text") == 0 && p->variables > 0) p->variable[p->variables - 1].text = rest;
}

/* How many values fit where a variable begins: whole rows of it, as much as there is room for. None where HDF5 would make room for
 * far more, in memory, or spend a minute on pieces. */
static size_t plan_extent(const struct plan_variable *v, size_t *count, int *rank)
{
    int axis[NC_MAX_VAR_DIMS], storage = NC_CONTIGUOUS;
    size_t values = 1, pieces = 1, chunk[NC_MAX_VAR_DIMS];
    *rank = 0;
    if (__real_nc_inq_var(v->group, v->id, NULL, NULL, rank, axis, NULL) != NC_NOERR || *rank > 16) return 0;
    if (nc_inq_var_chunking(v->group, v->id, &storage, chunk) != NC_NOERR) storage = NC_CONTIGUOUS;
    for (int i = 0; i < *rank && storage == NC_CHUNKED && values > 0; i++) values = chunk[i] > PLAN_ROOM / values ? 0 : values * chunk[i];
    if (values == 0 || (storage != NC_CHUNKED && v->values > PLAN_ROOM)) return 0;
    values = 1;
    for (int i = *rank - 1; i >= 0; i--) {
        if (nc_inq_dimlen(v->group, axis[i], &count[i]) != NC_NOERR) return 0;
        if (values > 0 && count[i] > PLAN_ROOM / values) count[i] = PLAN_ROOM / values;
        values *= count[i];
        if (storage == NC_CHUNKED) pieces *= (count[i] + chunk[i] - 1) / chunk[i];
    }
    return pieces <= PLAN_PIECES ? values : 0;
}

static void plan_put(const struct plan_variable *v)
{
    static double value[PLAN_ROOM], given[PLAN_WORDS];
    const size_t start[16] = {0};
    size_t count[16];
    int rank;
    size_t values = plan_extent(v, count, &rank), known = plan_numbers(given, v->put, PLAN_WORDS);
    if (values == 0 || known == 0) return;
    for (size_t i = 0; i < values; i++) value[i] = given[i % known];
    nc_put_vara_double(v->group, v->id, start, count, value);
}

/* Characters: a word for each place of the dimension before the last. */
static void plan_put_text(const struct plan_variable *v)
{
    static char character[PLAN_ROOM];
    static char *word[PLAN_WORDS];
    static const char *string[PLAN_WORDS];
    const size_t start[16] = {0};
    size_t count[16], words = 0, values;
    int rank;
    char *rest = NULL;
    for (char *w = strtok_r(v->text, " ", &rest); w != NULL && words < PLAN_WORDS; w = strtok_r(NULL, " ", &rest)) word[words++] = w;
    values = plan_extent(v, count, &rank);
    if (words == 0 || values == 0) return;
    if (v->type == NC_STRING && values <= PLAN_WORDS) {
        for (size_t i = 0; i < values; i++) string[i] = word[i % words];
        nc_put_vara_string(v->group, v->id, start, count, string);
    } else if (v->type == NC_CHAR && rank > 0) {
        const size_t width = count[rank - 1];
        memset(character, 0, values);
        for (size_t i = 0; i < values / width; i++) {
            const size_t length = strlen(word[i % words]);
            memcpy(character + i * width, word[i % words], length < width ? length : width);
        }
        nc_put_vara_text(v->group, v->id, start, count, character);
    }
}

/* Make the file of a text. Returns its size, 0 when there is none. */
static size_t plan_file(const char *path, const uint8_t *data, size_t size)
{
    static struct plan p;
    char *text = malloc(size + 1), *rest = NULL;
    if (text == NULL) abort();
    memcpy(text, data, size);
    text[size] = '\0';
    p = (struct plan){.large = strncmp(text, "netcdf4\n", 8) == 0, .target = NC_GLOBAL, .room = PLAN_ROOM};
    NC_memio image = {0};
    if (nc_create_mem("made up", p.large ? NC_NETCDF4 : NC_64BIT_DATA, 4096, &p.file) == NC_NOERR) {
        p.group[0] = p.file;
        for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) plan_line(&p, line);
        if (!p.large) nc_enddef(p.file);
        for (int i = 0; i < p.variables; i++) {
            if (p.variable[i].put != NULL) plan_put(&p.variable[i]);
            if (p.variable[i].text != NULL) plan_put_text(&p.variable[i]);
        }
        if (nc_close_memio(p.file, &image) != NC_NOERR) image.size = 0;
    }
    if (image.size > 0) fuzz_write(path, image.memory, image.size);
    free(image.memory);
    free(text);
    return image.size;
}

/* -- what the readers are told ------------------------------------------------------------------------------------

 * The Makefile finds these functions by their names. */

bool __wrap_netcdf_is_classic(int descriptor);
int __real_nc_inq_format(int file, int *format);
int __wrap_nc_inq_format(int file, int *format);

bool __wrap_netcdf_is_classic(int descriptor)
{
    (void)descriptor;
    return false;
}

int __wrap_nc_inq_format(int file, int *format)
{
    int rc = __real_nc_inq_format(file, format);
    if (rc == NC_NOERR && *format != NC_FORMAT_NETCDF4) *format = NC_FORMAT_NETCDF4;
    return rc;
}

int __wrap_nc_inq_var(int file, int id, char *name, nc_type *type, int *rank, int *dim, int *attributes);
int __wrap_nc_inq_vardimid(int file, int id, int *dim);
int __wrap_nc_get_vara_string(int file, int id, const size_t *start, const size_t *count, char **text);
int __real_nc_get_vara_string(int file, int id, const size_t *start, const size_t *count, char **text);

int __wrap_nc_inq_var(int file, int id, char *name, nc_type *type, int *rank, int *dim, int *attributes)
{
    int axis[NC_MAX_VAR_DIMS], axes = 0;
    char last[NC_MAX_NAME + 1];
    int rc = __real_nc_inq_var(file, id, name, type, &axes, axis, attributes);
    if (rc != NC_NOERR) return rc;
    if (axes > 0 && nc_inq_dimname(file, axis[axes - 1], last) == NC_NOERR && strcmp(last, PLAN_HIDDEN) == 0) {
        axes--;
        if (type != NULL) *type = NC_STRING;
    }
    if (rank != NULL) *rank = axes;
    if (dim != NULL) memcpy(dim, axis, (size_t)axes * sizeof *dim);
    return rc;
}

int __wrap_nc_inq_vardimid(int file, int id, int *dim)
{
    return __wrap_nc_inq_var(file, id, NULL, NULL, NULL, dim, NULL);
}

int __wrap_nc_get_vara_string(int file, int id, const size_t *start, const size_t *count, char **text)
{
    int rank = 0, wide = 0;
    nc_type type = NC_NAT;
    int rc = __wrap_nc_inq_var(file, id, NULL, &type, &rank, NULL, NULL);
    if (rc == NC_NOERR) rc = __real_nc_inq_var(file, id, NULL, &type, &wide, NULL, NULL);
    if (rc != NC_NOERR || wide == rank) return __real_nc_get_vara_string(file, id, start, count, text);
    for (size_t i = 0; i < (rank == 0 ? 1 : count[0]) && rc == NC_NOERR; i++) {
        char row[PLAN_TEXT + 1] = "";
        const size_t from[2] = {rank == 0 ? 0 : start[0] + i, 0}, length[2] = {rank == 0 ? PLAN_TEXT : 1, PLAN_TEXT};
        rc = nc_get_vara_text(file, id, from, length, row);
        text[i] = rc == NC_NOERR && row[0] != '\0' ? strdup(row) : NULL;
    }
    return rc;
}

#endif
