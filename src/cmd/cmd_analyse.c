#include "analysis.h"
#include "cmd.h"
#include "config.h"
#include "file.h"
#include "log.h"
#include "memory.h"
#include "space_file.h"
#include "status.h"
#include "timer.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char cmd_analyse_help[] =
    "usage: [mpirun -np RANKS] siamese-nas analyse SPACE.nc [-o OUT.nc] [OPTION]...\n"
    "\n"
    "Say what a table is worth to a search: how well each signal and each early loss orders the cells by accuracy (Spearman, Kendall,\n"
    "tau in the best tenth, precision at k), with bootstrap intervals; how many cells share an Estimation Code; the groups along the\n"
    "axis of FLOPs and the best cell of each; how many different networks the cells are. Prints tables and writes a NetCDF file.\n"
    "\n"
    "  -o, --output FILE       default: NAME.analysis.nc for NAME.nc, in the working folder\n"
    "      --bootstrap COUNT   samples of the cells behind each interval, 0 for none; default 200\n"
    "      --seed NUMBER       of these samples; default 1\n"
    "  -k, --k LIST            values of k, e.g. 10,100; default 10,100,1000, as far as there are cells\n"
    "      --gap PERCENT       FLOPs groups are apart by more than this part of the whole range; default 3\n"
    "  -h, --help              this text\n"
    "\n"
    "Intervals are percentiles of samples of the cells with replacement; they narrow with the number of cells. Those of precision at a\n"
    "small k are rough, since a sample holds two thirds of the best cells. The file is the same for any number of ranks.\n";

enum { BOOTSTRAP = 256, SEED, GAP, SAMPLES_MAX = 100000 };

struct arguments {
    const char *space;
    char *output;
    struct analysis_options options;
    int *k; /* NULL: the default */
};

static int parse_number(double *value, const char *option, const char *text, double low, double high, bool whole)
{
    char *end;
    *value = strtod(text, &end);
    if (end != text && *end == '\0' && *value >= low && *value <= high && (!whole || *value == floor(*value))) return STATUS_OK;
    return status_fail(STATUS_INPUT, "analyse: --%s '%.80s': must be %s from %g to %g", option, text, whole ? "a whole number" : "a number",
                       low, high);
}

static int parse_ks(struct arguments *a, const char *text)
{
    static const struct config_key key = {.section = "analyse", .key = "k", .type = CONFIG_INT, .count = CONFIG_ANY,
                                          .flags = CONFIG_SORTED, .low = 1, .high = 1000000000, .help = "values of k"};
    struct config_value value = {0};
    int status = config_value_parse(&value, &key, text, "command line");
    if (status == STATUS_OK) {
        free(a->k);
        status = memory_alloc(&a->k, (size_t)value.count, sizeof *a->k);
    }
    for (int i = 0; i < value.count && status == STATUS_OK; i++) a->k[i] = (int)value.number[i];
    a->options.ks = value.count;
    config_value_destroy(&value);
    return status;
}

/* NAME.analysis.nc in the working folder. */
static int default_output(char **out, const char *space)
{
    const char *slash = strrchr(space, '/');
    return cmd_output_name(out, slash == NULL ? space : slash + 1, ".analysis.nc");
}

static int take_option(struct arguments *a, int option)
{
    double number = 0;
    switch (option) {
    case 'o':
        free(a->output);
        return memory_copy_text(&a->output, optarg);
    case 'k': return parse_ks(a, optarg);
    case BOOTSTRAP:
        TRY(parse_number(&number, "bootstrap", optarg, 0, SAMPLES_MAX, true));
        a->options.samples = (int)number;
        return STATUS_OK;
    case SEED:
        TRY(parse_number(&number, "seed", optarg, 0, 1e15, true));
        a->options.seed = (uint64_t)number;
        return STATUS_OK;
    default: return parse_number(&a->options.gap, "gap", optarg, 0.1, 100, false);
    }
}

static int parse(struct arguments *a, int argc, char **argv)
{
    static const struct option option[] = {
        {"output", required_argument, NULL, 'o'}, {"bootstrap", required_argument, NULL, BOOTSTRAP},
        {"seed", required_argument, NULL, SEED},  {"k", required_argument, NULL, 'k'},
        {"gap", required_argument, NULL, GAP},    {NULL, 0, NULL, 0},
    };
    int result;
    optind = 0; /* start over */
    opterr = 0;
    while ((result = getopt_long(argc, argv, ":o:k:", option, NULL)) != -1) {
        if (result == '?' || result == ':') return cmd_option_error(result, argv);
        TRY(take_option(a, result));
    }
    if (optind == argc) return status_fail(STATUS_INPUT, "analyse: which space file? siamese-nas analyse --help says more");
    if (optind < argc - 1)
        return status_fail(STATUS_INPUT, "analyse: one space file, please, not %d; see siamese-nas analyse --help", argc - optind);
    a->space = argv[optind];
    if (a->output == NULL) TRY(default_output(&a->output, a->space));
    return file_check_distinct(a->output, a->space);
}

/* 10, 100, 1000 as far as that is no more than a third of the cells. */
static int choose_ks(struct arguments *a, int64_t cells)
{
    static const int usual[] = {10, 100, 1000};
    if (a->k == NULL) {
        TRY(memory_alloc(&a->k, 3, sizeof *a->k));
        for (int i = 0; i < 3 && usual[i] <= cells / 3; i++) a->k[a->options.ks++] = usual[i];
    }
    a->options.k = a->k;
    if (a->options.ks == 0 || a->k[a->options.ks - 1] <= cells) return STATUS_OK;
    return status_fail(STATUS_INPUT, "analyse: -k %d is more than the %lld cells of %s", a->k[a->options.ks - 1],
                       (long long)cells, a->space);
}

static int analyse(struct arguments *a, struct space *space, const char *history, MPI_Comm comm, int rank)
{
    struct analysis analysis = {0};
    const double begin = timer_now();
    TRY(status_agree(comm, rank == 0 ? space_file_read(space, a->space) : STATUS_OK));
    TRY(space_broadcast(space, comm));
    TRY(status_agree(comm, choose_ks(a, space->cells)));
    int status = analysis_run(&analysis, space, &a->options, comm);
    if (status == STATUS_OK && rank == 0) status = analysis_write(&analysis, a->output, history);
    if (status == STATUS_OK && rank == 0) analysis_print(stdout, &analysis);
    status = status_agree(comm, status);
    if (status == STATUS_OK) log_info("\nwritten to %s in %.1f s", a->output, timer_now() - begin);
    analysis_destroy(&analysis);
    return status;
}

int cmd_analyse(int argc, char **argv)
{
    struct arguments a = {.options = {.samples = 200, .seed = 1, .gap = 3}};
    struct space space = {0};
    char *history = NULL;
    int rank, status = cmd_line(&history, argc, argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (status == STATUS_OK) status = parse(&a, argc, argv);
    status = status_agree(MPI_COMM_WORLD, status);
    if (status == STATUS_OK) status = analyse(&a, &space, history, MPI_COMM_WORLD, rank);
    space_destroy(&space);
    free(history);
    free(a.output);
    free(a.k);
    return status;
}
