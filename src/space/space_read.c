#include "space_read.h"

#include "graph.h"
#include "memory.h"
#include "space_checksum.h"
#include "space_file.h"
#include "status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1 << 16, ARCH_LENGTH_MAX = 4096, FLAGS_MAX = 256 };

int space_read_wrong(const struct netcdf_variable *v, const char *expected)
{
    char shape[NETCDF_SHAPE_MAX];
    netcdf_input_shape(shape, v);
    return status_fail(STATUS_INPUT, "%s: found %s, but it must be %s; inputs/space.cdl describes space files", v->in->path,
                       shape, expected);
}

int space_read_find(struct netcdf_variable *v, struct netcdf_input *in, const char *name, const char *shape)
{
    bool found;
    TRY(netcdf_input_find(v, &found, in, name));
    if (found) return STATUS_OK;
    return status_fail(STATUS_INPUT, "%s: there is no variable %s, which a space file needs; inputs/space.cdl describes "
                       "space files", in->path, shape);
}

/* ---- vocabulary and operations ---- */

static int read_vocabulary(struct space *s, const struct netcdf_variable *v)
{
    char *meanings;
    TRY(netcdf_input_attribute(&meanings, v->in, v->id, "flag_meanings"));
    if (meanings == NULL)
        return status_fail(STATUS_INPUT, "%s: operation has no attribute flag_meanings, the names of the operations "
                           "separated by blanks", v->in->path);
    int status = memory_alloc(&s->vocabulary, SPACE_OPERATIONS_MAX, sizeof *s->vocabulary);
    char *rest = NULL;
    for (char *name = strtok_r(meanings, " \t\n", &rest); name != NULL && status == STATUS_OK;
         name = strtok_r(NULL, " \t\n", &rest)) {
        if (s->operations == SPACE_OPERATIONS_MAX)
            status = status_fail(STATUS_INPUT, "%s: operation:flag_meanings has more than %d names", v->in->path,
                                 SPACE_OPERATIONS_MAX);
        else if (space_find_operation(s, name) >= 0)
            status = status_fail(STATUS_INPUT, "%s: operation:flag_meanings has '%.80s' twice", v->in->path, name);
        else
            status = memory_copy_text(&s->vocabulary[s->operations], name);
        if (status == STATUS_OK) s->operations++;
    }
    free(meanings);
    if (status == STATUS_OK && s->operations == 0)
        status = status_fail(STATUS_INPUT, "%s: operation:flag_meanings is empty", v->in->path);
    return status;
}

/* index[value] = place in the vocabulary, -1 for a value that means nothing. */
static int read_flags(int index[FLAGS_MAX], const struct space *s, const struct netcdf_variable *v)
{
    nc_type type;
    size_t count;
    long long value[SPACE_OPERATIONS_MAX];
    for (int i = 0; i < FLAGS_MAX; i++) index[i] = -1;
    int rc = nc_inq_att(v->in->file, v->id, "flag_values", &type, &count);
    if (rc == NC_ENOTATT) { /* then values count from 0 */
        for (int i = 0; i < s->operations; i++) index[i] = i;
        return STATUS_OK;
    }
    if (rc != NC_NOERR || !netcdf_is_integer(type) || count != (size_t)s->operations ||
        nc_get_att_longlong(v->in->file, v->id, "flag_values", value) != NC_NOERR)
        return status_fail(STATUS_INPUT, "%s: operation:flag_values must be %d whole numbers, one for each name of "
                           "flag_meanings", v->in->path, s->operations);
    for (int i = 0; i < s->operations; i++) {
        if (value[i] < 0 || value[i] >= FLAGS_MAX || index[value[i]] >= 0)
            return status_fail(STATUS_INPUT, "%s: operation:flag_values must be distinct and within 0..%d; it has %lld",
                               v->in->path, FLAGS_MAX - 1, value[i]);
        index[value[i]] = i;
    }
    return STATUS_OK;
}

static int read_operation(struct space *s, int *cell_dim, struct netcdf_input *in)
{
    static const char shape[] = "operation(cell, node) of whole numbers";
    struct netcdf_variable v;
    TRY(space_read_find(&v, in, "operation", shape));
    char first[NC_MAX_NAME + 1] = "", second[NC_MAX_NAME + 1] = "";
    if (v.rank == 2) {
        nc_inq_dimname(in->file, v.dim[0], first);
        nc_inq_dimname(in->file, v.dim[1], second);
    }
    if (strcmp(first, "cell") != 0 || strcmp(second, "node") != 0 || !netcdf_is_integer(v.type))
        return space_read_wrong(&v, shape);
    if (v.length[0] < 1) return status_fail(STATUS_INPUT, "%s: it has no cells", in->path);
    if (v.length[1] < 1 || v.length[1] > SPACE_NODES_MAX)
        return status_fail(STATUS_INPUT, "%s: cells of %zu nodes; 1 to %d are possible", in->path, v.length[1],
                           SPACE_NODES_MAX);
    *cell_dim = v.dim[0];
    size_t cells = v.length[0], nodes = v.length[1];
    if (cells > SIZE_MAX / nodes) return space_read_wrong(&v, shape);
    TRY(netcdf_input_alloc(&s->operation, &v, cells * nodes, 1));
    s->cells = (int64_t)cells;
    s->nodes = (int)nodes;

    int index[FLAGS_MAX];
    TRY(read_vocabulary(s, &v));
    TRY(read_flags(index, s, &v));
    long long *block;
    size_t rows = BLOCK / nodes;
    TRY(memory_alloc(&block, rows * nodes, sizeof *block));
    int status = STATUS_OK;
    for (size_t row = 0; row < cells && status == STATUS_OK; row += rows) {
        size_t now = cells - row < rows ? cells - row : rows;
        TRY_DONE(netcdf_input_integers(block, &v, row, now));
        for (size_t i = 0; i < now * nodes; i++) {
            int operation = block[i] < 0 || block[i] >= FLAGS_MAX ? -1 : index[block[i]];
            if (operation < 0) {
                status = status_fail(STATUS_INPUT, "%s: operation(cell=%zu, node=%zu) is %lld, which is outside the "
                                     "vocabulary (operation:flag_values)", in->path, row + i / nodes, i % nodes, block[i]);
                goto done;
            }
            s->operation[row * nodes + i] = (uint8_t)operation;
        }
    }
done:
    free(block);
    return status;
}

/* ---- adjacency ---- */

/* Matrices of consecutive cells, or the one that all share (cell < 0). */
static int add_graph(struct graph_set *set, uint32_t *index, const long long *entry, const struct space *s, int64_t cell)
{
    uint8_t matrix[SPACE_NODES_MAX * SPACE_NODES_MAX];
    char where[1100];
    if (cell < 0) snprintf(where, sizeof where, "%.1000s: adjacency", s->path);
    else snprintf(where, sizeof where, "%.1000s: adjacency(cell=%lld)", s->path, (long long)cell);
    for (int i = 0; i < s->nodes * s->nodes; i++) {
        if (entry[i] != 0 && entry[i] != 1)
            return status_fail(STATUS_INPUT, "%s: the entry from node %d to node %d is %lld; it must be 0 or 1", where,
                               i / s->nodes, i % s->nodes, entry[i]);
        matrix[i] = (uint8_t)entry[i];
    }
    struct graph g;
    TRY(graph_from_matrix(&g, matrix, s->nodes, where));
    return graph_set_add(set, index, &g);
}

static int read_adjacency(struct space *s, struct netcdf_input *in, int cell_dim)
{
    static const char shape[] = "adjacency(node, node_to) or adjacency(cell, node, node_to) of zeros and ones";
    struct netcdf_variable v;
    TRY(space_read_find(&v, in, "adjacency", shape));
    size_t nodes = (size_t)s->nodes, entries = nodes * nodes;
    bool shared = v.rank == 2;
    if ((v.rank != 2 && v.rank != 3) || !netcdf_is_integer(v.type) || (!shared && v.dim[0] != cell_dim) ||
        v.length[v.rank - 1] != nodes || v.length[v.rank - 2] != nodes)
        return space_read_wrong(&v, shape);

    struct graph_set set = {0};
    long long *block = NULL;
    uint32_t *graph_of = NULL, index;
    size_t cells = shared ? 1 : (size_t)s->cells, rows = BLOCK / entries;
    int status;
    TRY_DONE(memory_alloc(&block, rows * entries, sizeof *block));
    if (shared) { /* the first dimension is the source node here */
        TRY_DONE(netcdf_input_integers(block, &v, 0, nodes));
        TRY_DONE(add_graph(&set, &index, block, s, -1));
    } else {
        TRY_DONE(netcdf_input_alloc(&graph_of, &v, cells, sizeof *graph_of));
        for (size_t row = 0; row < cells; row += rows) {
            size_t now = cells - row < rows ? cells - row : rows;
            TRY_DONE(netcdf_input_integers(block, &v, row, now));
            for (size_t i = 0; i < now; i++)
                TRY_DONE(add_graph(&set, &graph_of[row + i], block + i * entries, s, (int64_t)(row + i)));
        }
    }
    graph_set_give(&set, s, graph_of);
    graph_of = NULL;
done:
    graph_set_destroy(&set);
    free(graph_of);
    free(block);
    return status;
}

/* ---- ids and arch strings ---- */

static int read_ids(struct space *s, struct netcdf_input *in, int cell_dim)
{
    struct netcdf_variable v;
    bool found, coordinate = false;
    TRY(netcdf_input_find(&v, &found, in, "id"));
    if (!found) {
        TRY(netcdf_input_find(&v, &found, in, "cell")); /* where xarray keeps the labels of a dimension */
        coordinate = found && netcdf_is_integer(v.type);
    }
    if (!found || (!coordinate && strcmp(v.name, "cell") == 0)) {
        TRY(memory_alloc(&s->id, (size_t)s->cells, sizeof *s->id));
        for (int64_t i = 0; i < s->cells; i++) s->id[i] = i;
        return STATUS_OK;
    }
    if (v.rank != 1 || v.dim[0] != cell_dim || !netcdf_is_integer(v.type))
        return space_read_wrong(&v, "id(cell) of whole numbers");
    TRY(netcdf_input_alloc(&s->id, &v, (size_t)s->cells, sizeof *s->id));
    long long block[1024];
    for (size_t row = 0, cells = (size_t)s->cells; row < cells; row += 1024) {
        size_t now = cells - row < 1024 ? cells - row : 1024;
        TRY(netcdf_input_integers(block, &v, row, now));
        for (size_t i = 0; i < now; i++) s->id[row + i] = block[i];
    }
    return space_check_ids(s);
}

static int copy_arch(struct space *s, const struct netcdf_variable *v)
{
    char **text;
    size_t count, longest = 1;
    TRY(netcdf_input_texts(&text, &count, v, ARCH_LENGTH_MAX));
    for (size_t i = 0; i < count; i++)
        if (strlen(text[i]) > longest) longest = strlen(text[i]);
    int status = netcdf_input_alloc(&s->arch, v, count, longest);
    if (status == STATUS_OK) s->arch_length = (int)longest;
    for (size_t i = 0; i < count; i++) {
        if (status == STATUS_OK) memcpy(s->arch + i * longest, text[i], strlen(text[i]));
        free(text[i]);
    }
    free(text);
    return status;
}

static int read_arch(struct space *s, struct netcdf_input *in, int cell_dim)
{
    static const char shape[] = "arch(cell, arch_length) of characters or arch(cell) of texts";
    struct netcdf_variable v;
    bool found;
    TRY(netcdf_input_find(&v, &found, in, "arch"));
    if (!found) return STATUS_OK;
    bool chars = v.type == NC_CHAR && v.rank == 2, texts = v.type == NC_STRING && v.rank == 1;
    if ((!chars && !texts) || v.dim[0] != cell_dim) return space_read_wrong(&v, shape);
    if (texts) return copy_arch(s, &v);
    if (v.length[1] < 1 || v.length[1] > ARCH_LENGTH_MAX) return space_read_wrong(&v, shape);
    TRY(netcdf_input_alloc(&s->arch, &v, v.length[0], v.length[1]));
    s->arch_length = (int)v.length[1];
    int rc = nc_get_var_text(in->file, v.id, s->arch);
    if (rc != NC_NOERR) return status_fail(STATUS_INPUT, "%s: cannot read arch: %s", in->path, nc_strerror(rc));
    return STATUS_OK;
}

static int read_all(struct space *s, struct netcdf_input *in, const struct space_need *need)
{
    int cell_dim = -1;
    TRY(memory_copy_text(&s->path, in->path));
    TRY(netcdf_input_attribute(&s->title, in, NC_GLOBAL, "title"));
    if (s->title == NULL) TRY(memory_copy_text(&s->title, ""));
    TRY(read_operation(s, &cell_dim, in));
    TRY(read_adjacency(s, in, cell_dim));
    TRY(read_ids(s, in, cell_dim));
    TRY(read_arch(s, in, cell_dim));
    s->checksum = space_checksum_cells(s);
    if (need != NULL) { /* arch strings are for people */
        free(s->arch);
        s->arch = NULL;
        s->arch_length = 0;
    }
    return space_read_values(s, in, cell_dim, need);
}

int space_file_read(struct space *out, const char *path)
{
    return space_file_read_part(out, path, NULL);
}

int space_file_read_part(struct space *out, const char *path, const struct space_need *need)
{
    struct netcdf_input in;
    *out = (struct space){0};
    TRY(netcdf_input_open(&in, path));
    int status = read_all(out, &in, need);
    netcdf_input_close(&in);
    if (status != STATUS_OK) space_destroy(out);
    return status;
}
