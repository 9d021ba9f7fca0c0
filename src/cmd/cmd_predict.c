#include "cmd.h"
#include "file.h"
#include "group.h"
#include "import.h"
#include "log.h"
#include "memory.h"
#include "nanobench.h"
#include "nasbench201.h"
#include "prediction.h"
#include "progress.h"
#include "ranking.h"
#include "siamese_file.h"
#include "space_file.h"
#include "status.h"
#include "timer.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char cmd_predict_help[] =
    "usage: [mpirun -np RANKS] siamese-nas predict --weights FILE CELLS -o OUT.nc [OPTION]...\n"
    "\n"
    "Score cells with a trained predictor. Writes id(cell), basic(cell) and, when the predictor has an estimation branch,\n"
    "estimation(cell): predicted accuracies as fractions of 1; estimation is missing where the Estimation Code is not known.\n"
    "\n"
    "  CELLS                   a space file, a directory of JSON cells, one JSON file of cells, or nas-bench-201:N for all\n"
    "                          cells of NAS-Bench-201's kind with N = 3 to 7 nodes (5 has 9,765,625), made as they are scored\n"
    "  -w, --weights FILE      weights: a NetCDF file of this program, or a Keras HDF5 file as published with the paper\n"
    "  -o, --output FILE       the NetCDF file to write\n"
    "      --top COUNT         write only the COUNT best cells by the basic branch, best first; needed for nas-bench-201:N\n"
    "      --save-weights FILE write the weights as a NetCDF file, too\n"
    "  -h, --help              this text\n";

enum { TOP = 256, SAVE_WEIGHTS, TOP_MAX = 1000000 };

struct arguments {
    const char *cells, *weights, *output, *save;
    int64_t top; /* 0: all cells */
};

static int parse_top(int64_t *top, const char *text)
{
    char *end;
    *top = strtoll(text, &end, 10);
    if (*text == '\0' || *end != '\0' || *top < 1 || *top > TOP_MAX)
        return status_fail(STATUS_INPUT, "predict: --top %s: must be a number from 1 to %d", text, TOP_MAX);
    return STATUS_OK;
}

static int parse(struct arguments *a, int argc, char **argv)
{
    static const struct option option[] = {
        {"weights", required_argument, NULL, 'w'},  {"output", required_argument, NULL, 'o'},
        {"top", required_argument, NULL, TOP},      {"save-weights", required_argument, NULL, SAVE_WEIGHTS},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0},
    };
    int result;
    optind = 0;
    opterr = 0;
    while ((result = getopt_long(argc, argv, ":w:o:h", option, NULL)) != -1) {
        switch (result) {
        case 'w': a->weights = optarg; break;
        case 'o': a->output = optarg; break;
        case TOP: TRY(parse_top(&a->top, optarg)); break;
        case SAVE_WEIGHTS: a->save = optarg; break;
        default: return cmd_option_error(result, argv);
        }
    }
    if (a->weights == NULL || a->output == NULL || argc - optind != 1)
        return status_fail(STATUS_INPUT, "predict: needs --weights FILE, one CELLS and -o FILE; see siamese-nas predict --help");
    a->cells = argv[optind];
    const char *const output[] = {a->output, a->save};
    for (int i = 0; i < 2; i++) {
        TRY(file_check_distinct(output[i], a->cells));
        TRY(file_check_distinct(output[i], a->weights));
    }
    return STATUS_OK;
}

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* "nas-bench-201:N": the number of nodes, 0 for any other text. */
static int implicit_nodes(int *nodes, const char *cells)
{
    static const char name[] = "nas-bench-201:";
    *nodes = 0;
    if (strncmp(cells, name, sizeof name - 1) != 0) return STATUS_OK;
    char *end;
    const char *number = cells + sizeof name - 1;
    long value = strtol(number, &end, 10);
    if (*number == '\0' || *end != '\0' || value < NASBENCH201_CELL_MIN || value > NASBENCH201_CELL_MAX)
        return status_fail(STATUS_INPUT, "predict: %s: the number of nodes must be from %d to %d", cells, NASBENCH201_CELL_MIN,
                           NASBENCH201_CELL_MAX);
    *nodes = (int)value;
    return STATUS_OK;
}

/* JSON cells, with the operations numbered as the weights have them when these name them. */
static int load_json(struct space *s, const struct arguments *a, const char *vocabulary, int nodes)
{
    char *list = NULL;
    if (vocabulary != NULL) {
        TRY(memory_copy_text(&list, vocabulary));
        for (char *c = list; *c != '\0'; c++)
            if (*c == ' ') *c = ',';
    }
    const struct import_json_options options = {.vocabulary = list, .nodes = nodes};
    int status = import_json_cells(s, a->cells, &options);
    free(list);
    return status;
}

/* Weights of Keras carry no names of operations. Their shape tells those of the published spaces; others need a space that numbers its
 * operations alike. */
static int guess_vocabulary(char **vocabulary, const struct siamese_shape *shape)
{
    const char *const *name = NULL;
    if (shape->nodes == NANOBENCH_NODES && shape->operations == NANOBENCH_OPERATIONS) name = nanobench_vocabulary;
    if (shape->nodes == NASBENCH201_NODES && shape->operations == NASBENCH201_OPERATIONS) name = nasbench201_vocabulary;
    return name == NULL ? STATUS_OK : memory_join(vocabulary, name, shape->operations, " ");
}

/* Do these cells suit these weights? */
static int match(struct siamese **siamese, const char *vocabulary, const struct space *s, const struct arguments *a)
{
    const struct siamese_shape *shape = siamese_shape(*siamese);
    if (s->nodes != shape->nodes)
        return status_fail(STATUS_INPUT, "%s: cells of %d nodes do not fit %s, made for %d", a->cells, s->nodes, a->weights, shape->nodes);
    if (vocabulary != NULL) return siamese_renumber(siamese, vocabulary, s->vocabulary, s->operations, a->cells);
    if (s->operations != shape->operations)
        return status_fail(STATUS_INPUT, "%s: %d operations do not fit %s, made for %d", a->cells, s->operations, a->weights,
                           shape->operations);
    return STATUS_OK;
}

/* Rank 0: the files. An implicit space is there already. */
static int load(struct siamese **siamese, struct space *s, const struct arguments *a)
{
    char *vocabulary;
    TRY(siamese_file_read(siamese, &vocabulary, a->weights));
    int status = vocabulary == NULL ? guess_vocabulary(&vocabulary, siamese_shape(*siamese)) : STATUS_OK;
    if (status == STATUS_OK && s->generate == NULL)
        status = ends_in(a->cells, ".nc") ? space_file_read(s, a->cells)
                                          : load_json(s, a, vocabulary, siamese_shape(*siamese)->nodes);
    if (status == STATUS_OK) status = match(siamese, vocabulary, s, a);
    free(vocabulary);
    return status;
}

/* Collective: copies of rank 0's network for all. */
static int share(struct siamese **siamese, MPI_Comm comm, int rank)
{
    struct siamese_shape shape = {0};
    struct siamese_training training = {0};
    size_t count;
    if (rank == 0) {
        shape = *siamese_shape(*siamese);
        training.norm_epsilon = siamese_norm_epsilon(*siamese);
    }
    MPI_Bcast(&shape, (int)sizeof shape, MPI_BYTE, 0, comm);
    MPI_Bcast(&training, (int)sizeof training, MPI_BYTE, 0, comm);
    TRY(status_agree(comm, rank == 0 ? STATUS_OK : siamese_create(siamese, &shape, &training, 0)));
    float *weights = siamese_weights(*siamese, &count);
    MPI_Bcast(weights, (int)count, MPI_FLOAT, 0, comm);
    return STATUS_OK;
}

/* Between blocks of a scan, on rank 0: its share stands for all. */
struct scan {
    struct progress progress;
    int64_t cells;   /* that rank 0 has scored, times the number of ranks */
    int step;
};

static void beat(void *argument)
{
    struct scan *scan = argument;
    scan->cells += scan->step;
    progress_show(&scan->progress, scan->cells);
}

static int predict(struct prediction *out, const struct arguments *a, struct space *s, const struct group *group)
{
    struct siamese *siamese = NULL;
    struct predictor *predictor = NULL;
    int status = group->rank == 0 ? load(&siamese, s, a) : STATUS_OK;
    TRY_DONE(status_agree(group->comm, status));
    if (s->generate == NULL) TRY_DONE(space_broadcast(s, group->comm));
    TRY_DONE(share(&siamese, group->comm, group->rank));
    const int code_length = siamese_shape(siamese)->code_length;
    status = predictor_adopt(&predictor, siamese, s);
    siamese = NULL;
    if (status == STATUS_OK && group->rank == 0 && a->save != NULL) status = predictor_save(predictor, s, a->save);
    TRY_DONE(status_agree(group->comm, status));
    if (a->top > 0) {
        struct scan scan = {.step = RANKING_BLOCK * group->size};
        const struct pulse pulse = {group->rank == 0 ? beat : NULL, &scan};
        progress_open(&scan.progress, "cells", 0, s->cells, NULL);
        status = prediction_top(out, predictor, code_length, s, group, a->top, &pulse);
        if (group->rank == 0) progress_close(&scan.progress);
    } else {
        status = prediction_all(out, predictor, code_length, s, group);
    }
done:
    siamese_destroy(&siamese);
    predictor_destroy(&predictor);
    return status;
}

int cmd_predict(int argc, char **argv)
{
    struct arguments a = {0};
    struct space space = {0};
    struct prediction prediction = {0};
    struct group group;
    int nodes = 0, status = parse(&a, argc, argv);
    if (status == STATUS_OK) status = implicit_nodes(&nodes, a.cells);
    if (status == STATUS_OK && nodes > 0 && a.top == 0)
        status = status_fail(STATUS_INPUT, "predict: %s has too many cells to write all scores; say how many with --top", a.cells);
    if (status == STATUS_OK && nodes > 0) status = nasbench201_space(&space, nodes);
    TRY(status_agree(MPI_COMM_WORLD, status));
    TRY(group_create(&group, MPI_COMM_WORLD, INT32_MAX));
    const double begin = timer_now();
    status = predict(&prediction, &a, &space, &group);
    const double seconds = timer_now() - begin;
    if (status == STATUS_OK && group.rank == 0) status = prediction_write(&prediction, &space, a.weights, a.output);
    status = status_agree(group.comm, status);
    int64_t mine = memory_peak(), peak = 0;
    MPI_Reduce(&mine, &peak, 1, MPI_INT64_T, MPI_MAX, 0, group.comm);
    if (status == STATUS_OK)
        log_info("%lld cells scored in %.1f s, %.0f cells/s, at most %.0f MB resident a rank; %lld written to %s",
                 (long long)space.cells, seconds, (double)space.cells / seconds, (double)peak / 1e6, (long long)prediction.cells, a.output);
    prediction_destroy(&prediction);
    space_destroy(&space);
    group_destroy(&group);
    return status;
}
