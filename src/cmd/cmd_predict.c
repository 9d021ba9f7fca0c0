#include "cmd.h"
#include "file.h"
#include "group.h"
#include "import.h"
#include "log.h"
#include "memory.h"
#include "siamese_file.h"
#include "space.h"
#include "space_file.h"
#include "status.h"

#include <getopt.h>
#include <math.h>
#include <netcdf.h>
#include <netcdf_mem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char cmd_predict_help[] =
    "Usage: [mpirun -np RANKS] siamese-nas predict --weights FILE CELLS -o OUT.nc [--save-weights FILE.nc]\n"
    "\n"
    "Score cells with a trained predictor. Writes id(cell), basic(cell) and, when the predictor has an estimation branch,\n"
    "estimation(cell): predicted accuracies as fractions of 1; estimation is missing where the Estimation Code is not known.\n"
    "\n"
    "  CELLS                   a space file, a directory of JSON cells, or one JSON file of cells\n"
    "  -w, --weights FILE      weights: a NetCDF file of this program, or a Keras HDF5 file as published with the paper\n"
    "  -o, --output FILE       the NetCDF file to write\n"
    "      --save-weights FILE write the weights as a NetCDF file, too\n"
    "  -h, --help              this text\n";

enum { SAVE_WEIGHTS = 256, BLOCK = 256 };

struct arguments {
    const char *cells, *weights, *output, *save;
};

/* What all ranks need to score. */
struct prediction {
    struct siamese *siamese;
    struct space space;
    char *vocabulary;        /* of the weights, on rank 0; NULL when their file has none */
    float *basic, *estimation; /* [cells] */
};

static int parse(struct arguments *a, int argc, char **argv)
{
    static const struct option option[] = {
        {"weights", required_argument, NULL, 'w'}, {"output", required_argument, NULL, 'o'},
        {"save-weights", required_argument, NULL, SAVE_WEIGHTS}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0},
    };
    int result;
    optind = 0;
    opterr = 0;
    while ((result = getopt_long(argc, argv, ":w:o:h", option, NULL)) != -1) {
        switch (result) {
        case 'w': a->weights = optarg; break;
        case 'o': a->output = optarg; break;
        case SAVE_WEIGHTS: a->save = optarg; break;
        default: return cmd_option_error(result, argv);
        }
    }
    if (a->weights == NULL || a->output == NULL || argc - optind != 1)
        return status_fail(STATUS_INPUT, "predict: needs --weights FILE, one CELLS and -o FILE; see siamese-nas predict --help");
    a->cells = argv[optind];
    return STATUS_OK;
}

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* The operations of the space in the numbering of the weights. Published weights carry no names: then the numbers must do. */
static int translate_operations(struct prediction *p, const char *cells, const char *weights)
{
    const struct siamese_shape *shape = siamese_shape(p->siamese);
    struct space *s = &p->space;
    uint8_t number[SPACE_OPERATIONS_MAX];
    if (s->nodes != shape->nodes)
        return status_fail(STATUS_INPUT, "%s: cells of %d nodes do not fit %s, made for %d", cells, s->nodes, weights, shape->nodes);
    if (p->vocabulary == NULL) {
        if (s->operations != shape->operations)
            return status_fail(STATUS_INPUT, "%s: %d operations do not fit %s, made for %d", cells, s->operations, weights,
                               shape->operations);
        return STATUS_OK;
    }
    for (int o = 0; o < s->operations; o++) number[o] = UINT8_MAX;
    int position = 0;
    for (const char *at = p->vocabulary; *at != '\0'; position++) {
        size_t length = strcspn(at, " ");
        for (int o = 0; o < s->operations; o++)
            if (strlen(s->vocabulary[o]) == length && memcmp(s->vocabulary[o], at, length) == 0) number[o] = (uint8_t)position;
        at += length + strspn(at + length, " ");
    }
    for (int64_t i = 0; i < s->cells * s->nodes; i++) {
        uint8_t *operation = &s->operation[i];
        if (number[*operation] >= shape->operations)
            return status_fail(STATUS_INPUT, "%s: operation %s is not in the vocabulary of %s", cells, s->vocabulary[*operation], weights);
        *operation = number[*operation];
    }
    return STATUS_OK;
}

/* "a b c" as "a,b,c". */
static void commas(char *text)
{
    for (; *text != '\0'; text++)
        if (*text == ' ') *text = ',';
}

/* Rank 0: the files. */
static int load(struct prediction *p, const struct arguments *a)
{
    TRY(siamese_file_read(&p->siamese, &p->vocabulary, a->weights));
    if (ends_in(a->cells, ".nc")) {
        TRY(space_file_read(&p->space, a->cells));
    } else {
        char *list = NULL;
        if (p->vocabulary != NULL) TRY(memory_copy_text(&list, p->vocabulary));
        if (list != NULL) commas(list);
        struct import_json_options options = {.vocabulary = list, .nodes = siamese_shape(p->siamese)->nodes};
        int status = import_json_cells(&p->space, a->cells, &options);
        free(list);
        TRY(status);
    }
    return translate_operations(p, a->cells, a->weights);
}

/* Collective: copies of rank 0's predictor for all. */
static int share_predictor(struct prediction *p, MPI_Comm comm, int rank)
{
    struct siamese_shape shape = {0};
    struct siamese_training training = {0};
    size_t count;
    if (rank == 0) {
        shape = *siamese_shape(p->siamese);
        training.norm_epsilon = siamese_norm_epsilon(p->siamese);
    }
    MPI_Bcast(&shape, (int)sizeof shape, MPI_BYTE, 0, comm);
    MPI_Bcast(&training, (int)sizeof training, MPI_BYTE, 0, comm);
    int status = rank == 0 ? STATUS_OK : siamese_create(&p->siamese, &shape, &training, 0);
    TRY(status_agree(comm, status));
    float *weights = siamese_weights(p->siamese, &count);
    MPI_Bcast(weights, (int)count, MPI_FLOAT, 0, comm);
    siamese_fold(p->siamese);
    return STATUS_OK;
}

/* Cells of a block that go through the network together. */
struct block {
    int count;
    int64_t cell[BLOCK];
    uint8_t operation[BLOCK * SPACE_NODES_MAX];
    const uint32_t *mask[2][BLOCK];
    float score[BLOCK], *code; /* code [BLOCK][E] */
};

static void block_add(struct block *b, const struct space *s, int64_t cell)
{
    memcpy(b->operation + b->count * s->nodes, s->operation + cell * s->nodes, (size_t)s->nodes);
    b->mask[0][b->count] = space_graph(s, cell)->successors;
    b->mask[1][b->count] = space_graph(s, cell)->predecessors;
    b->cell[b->count++] = cell;
}

static void block_score(float *out, struct block *b, struct prediction *p, const float *code)
{
    struct cells cells = {b->count, p->space.nodes, b->operation, {b->mask[0], b->mask[1]}};
    siamese_score(b->score, p->siamese, &cells, code);
    for (int i = 0; i < b->count; i++) out[b->cell[i]] = b->score[i];
    b->count = 0;
}

/* Both branches for the cells [first, last); the estimation branch where the code is known. */
static void score_range(struct prediction *p, struct block *b, int64_t first, int64_t last)
{
    const struct space *s = &p->space;
    const int E = siamese_shape(p->siamese)->code_length;
    for (int64_t i = first; i < last; i++) block_add(b, s, i);
    block_score(p->basic, b, p, NULL);
    if (E == 0 || s->early_loss == NULL || s->code_length < E) return;
    for (int64_t i = first; i < last; i++) {
        bool known = true;
        for (int e = 0; e < E; e++) {
            b->code[b->count * E + e] = (float)s->early_loss[i * s->code_length + e];
            known = known && isfinite(b->code[b->count * E + e]);
        }
        if (known) block_add(b, s, i);
    }
    if (b->count > 0) block_score(p->estimation, b, p, b->code);
}

/* Collective: ranks share the blocks; rank 0 gets all scores. Every cell has one owner, the others hold -infinity. */
static int score_all(struct prediction *p, const struct group *group)
{
    const int64_t cells = p->space.cells;
    const size_t code = (size_t)siamese_shape(p->siamese)->code_length + 1;
    int64_t first, last;
    struct block *b = NULL;
    int status = memory_alloc(&p->basic, (size_t)cells, sizeof *p->basic);
    if (status == STATUS_OK) status = memory_alloc(&p->estimation, (size_t)cells, sizeof *p->estimation);
    if (status == STATUS_OK) status = memory_alloc(&b, 1, sizeof *b);
    if (status == STATUS_OK) status = memory_alloc(&b->code, BLOCK * code, sizeof *b->code);
    status = status_agree(group->comm, status);
    if (status == STATUS_OK) {
        for (int64_t i = 0; i < cells; i++) p->basic[i] = p->estimation[i] = -INFINITY;
        group_share(group, (cells + BLOCK - 1) / BLOCK, &first, &last);
        for (int64_t at = first; at < last; at++)
            score_range(p, b, at * BLOCK, (at + 1) * BLOCK < cells ? (at + 1) * BLOCK : cells);
        float *both[] = {p->basic, p->estimation};
        for (int i = 0; i < 2; i++)
            MPI_Reduce(group->rank == 0 ? MPI_IN_PLACE : both[i], both[i], (int)cells, MPI_FLOAT, MPI_MAX, 0, group->comm);
    }
    if (b != NULL) free(b->code);
    free(b);
    return status;
}

#define CHECK(call) \
    do { if (rc == NC_NOERR) rc = (call); } while (0)

static int define_scores(int file, int dimension, const char *name, const char *long_name, int *variable)
{
    static const float unknown = NAN;
    int rc = nc_def_var(file, name, NC_FLOAT, 1, &dimension, variable);
    CHECK(nc_put_att_text(file, *variable, "long_name", strlen(long_name), long_name));
    CHECK(nc_put_att_text(file, *variable, "units", 1, "1"));
    CHECK(nc_put_att_text(file, *variable, "coordinates", 2, "id"));
    CHECK(nc_def_var_fill(file, *variable, NC_FILL, &unknown));
    return rc;
}

static int fill_file(int file, const struct prediction *p, const struct arguments *a)
{
    const struct space *s = &p->space;
    const bool two = siamese_shape(p->siamese)->code_length > 0;
    int cell, id, basic, estimation = -1, rc = NC_NOERR;
    CHECK(nc_put_att_text(file, NC_GLOBAL, "Conventions", 7, "CF-1.10"));
    CHECK(nc_put_att_text(file, NC_GLOBAL, "title", 27, "predicted accuracy of cells"));
    CHECK(nc_put_att_text(file, NC_GLOBAL, "weights", strlen(a->weights), a->weights));
    CHECK(nc_put_att_text(file, NC_GLOBAL, "cells", strlen(a->cells), a->cells));
    CHECK(nc_def_dim(file, "cell", (size_t)s->cells, &cell));
    CHECK(nc_def_var(file, "id", NC_INT64, 1, &cell, &id));
    CHECK(nc_put_att_text(file, id, "long_name", 32, "number of the cell in its source"));
    CHECK(define_scores(file, cell, "basic", "accuracy predicted from the cell alone", &basic));
    if (two) CHECK(define_scores(file, cell, "estimation", "accuracy predicted with the Estimation Code", &estimation));
    CHECK(nc_enddef(file));
    for (size_t i = 0; i < (size_t)s->cells; i++) {
        long long number = s->id[i];
        CHECK(nc_put_var1_longlong(file, id, &i, &number));
    }
    CHECK(nc_put_var_float(file, basic, p->basic));
    if (two) CHECK(nc_put_var_float(file, estimation, p->estimation));
    return rc;
}

/* The names of the space's operations, separated by blanks. */
static int join_vocabulary(char **out, const struct space *s)
{
    size_t length = 1;
    for (int o = 0; o < s->operations; o++) length += strlen(s->vocabulary[o]) + 1;
    TRY(memory_alloc(out, length, 1));
    for (int o = 0; o < s->operations; o++) {
        if (o > 0) strcat(*out, " ");
        strcat(*out, s->vocabulary[o]);
    }
    return STATUS_OK;
}

/* Rank 0: the files that were asked for. */
static int save(struct prediction *p, const struct arguments *a)
{
    NC_memio image = {0};
    int file;
    for (int64_t i = 0; i < p->space.cells; i++)
        if (isinf(p->estimation[i])) p->estimation[i] = NAN;
    int rc = nc_create_mem(a->output, NC_NETCDF4, 1 << 20, &file);
    if (rc == NC_NOERR) {
        rc = fill_file(file, p, a);
        int closed = nc_close_memio(file, &image);
        CHECK(closed);
    }
    int status = rc == NC_NOERR ? file_write(a->output, image.memory, image.size)
                                : status_fail(STATUS_FAILURE, "%s: cannot be made: %s", a->output, nc_strerror(rc));
    free(image.memory);
    if (status == STATUS_OK && a->save != NULL) {
        if (p->vocabulary == NULL) TRY(join_vocabulary(&p->vocabulary, &p->space));
        status = siamese_file_write(p->siamese, p->vocabulary, a->save);
    }
    return status;
}

int cmd_predict(int argc, char **argv)
{
    struct arguments a = {0};
    struct prediction p = {0};
    struct group group;
    int status = status_agree(MPI_COMM_WORLD, parse(&a, argc, argv));
    TRY(status);
    TRY(group_create(&group, MPI_COMM_WORLD, INT32_MAX));
    if (group.rank == 0) status = load(&p, &a);
    TRY_DONE(status_agree(group.comm, status));
    TRY_DONE(space_broadcast(&p.space, group.comm));
    TRY_DONE(share_predictor(&p, group.comm, group.rank));
    TRY_DONE(score_all(&p, &group));
    if (group.rank == 0) status = save(&p, &a);
    status = status_agree(group.comm, status);
    if (status == STATUS_OK) log_info("%lld cells scored: %s", (long long)p.space.cells, a.output);
done:
    siamese_destroy(&p.siamese);
    space_destroy(&p.space);
    free(p.vocabulary);
    free(p.basic);
    free(p.estimation);
    group_destroy(&group);
    return status;
}
