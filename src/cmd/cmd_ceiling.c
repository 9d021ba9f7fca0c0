#include "cmd.h"

#include "ceiling.h"
#include "config.h"
#include "file.h"
#include "memory.h"
#include "status.h"
#include "stop.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char cmd_ceiling_help[] =
    "usage: [mpirun -np RANKS] siamese-nas ceiling SPACE.nc [OPTION]...\n"
    "\n"
    "How much of the final accuracy a smooth predictor can explain: every cell of the space is predicted from all others by an exact\n"
    "Gaussian process, from one set of features at a time: `cell` (its operations along paths), `codeE` (logarithms of the losses of\n"
    "the first E epochs), `cell+codeE`, and single signals. Prints Kendall tau, Spearman rho, tau inside the true top tenth and root mean\n"
    "squared errors, in percent and in z, the normal quantile of a cell's rank, which is what is predicted. Cells that compute the\n"
    "same help each other: the right half of the table leaves out a cell's whole class. Where nothing is explained, the error in z is 1 and\n"
    "tau negative, as a cell draws the mean of the others away from itself. All cells are in one dense matrix, spread over the ranks: 8\n"
    "bytes times the number of cells squared.\n"
    "\n"
    "  -o, --output FILE    results (NetCDF); default: SPACE.nc with .ceiling.nc for .nc\n"
    "      --codes LIST     numbers of epochs; none: no losses; default: 1, 2, 3 and 10 as far as known\n"
    "      --signals LIST   signals of the space; none: no signals; default: flops and synflow as far as there\n"
    "      --sample CELLS   lengths and noise are found on so many cells (1000), picked at random\n"
    "      --starts COUNT   from so many starts (4)\n"
    "      --seed NUMBER    of this sample (1)\n"
    "      --stop-before S  stop S seconds before the end of the batch job's time limit\n"
    "  -h, --help           this text\n"
    "\n"
    "Each set of features is kept in FILE.part as soon as it is finished: the same command goes on from there. SIGTERM, SIGUSR1 or a file\n"
    "named `stop` in the working folder stop it cleanly after the set under way, with exit status 75.\n";

enum { CODES = 1000, SIGNALS, SAMPLE, STARTS, SEED, STOP_BEFORE, REASON_MAX = 1000 };

/* Values of options, written as in a job file. */
static const struct config_key key[] = {
    {"", "codes", CONFIG_INT, CONFIG_ANY, CONFIG_SORTED, "", 1, CEILING_EPOCHS_MAX, NULL, NULL, "numbers of epochs"},
    {"", "signals", CONFIG_TEXT, CONFIG_ANY, 0, "", 0, 0, NULL, NULL, "names of signals"},
    {"", "sample", CONFIG_INT, 1, 0, "1000", CEILING_SAMPLE_MIN, CEILING_SAMPLE_MAX, NULL, NULL, "how many cells"},
    {"", "starts", CONFIG_INT, 1, 0, "4", 1, 1000, NULL, NULL, "how many starts"},
    {"", "seed", CONFIG_INT, 1, 0, "1", 0, 9007199254740991, NULL, NULL, "any number"},
};
enum { KEYS = sizeof key / sizeof key[0], FIRST = CODES };

struct arguments {
    const char *space, *text[KEYS];
    char *output;
    struct config_value value[KEYS];
    int *epochs;
    double stop_before; /* seconds; negative: not asked for */
    bool help;
};

static int parse(struct arguments *a, int argc, char **argv)
{
    static const struct option known[] = {
        {"output", required_argument, NULL, 'o'}, {"codes", required_argument, NULL, CODES},
        {"signals", required_argument, NULL, SIGNALS},
        {"sample", required_argument, NULL, SAMPLE}, {"starts", required_argument, NULL, STARTS},
        {"seed", required_argument, NULL, SEED},
        {"stop-before", required_argument, NULL, STOP_BEFORE}, {"help", no_argument, NULL, 'h'}, {0},
    };
    const char *output = NULL;
    opterr = 0;
    optind = 0; /* start over */
    for (int option; (option = getopt_long(argc, argv, ":o:h", known, NULL)) != -1;) {
        switch (option) {
        case 'o': output = optarg; break;
        case CODES: case SIGNALS: case SAMPLE: case STARTS: case SEED: a->text[option - FIRST] = optarg; break;
        case STOP_BEFORE: TRY(cmd_seconds(&a->stop_before, argv[0], "--stop-before", optarg)); break;
        case 'h': a->help = true; break;
        default: return cmd_option_error(option, argv);
        }
    }
    if (a->help) return STATUS_OK;
    if (argc - optind != 1)
        return status_fail(STATUS_INPUT, "ceiling: give one space file, not %d names; see siamese-nas ceiling --help",
                           argc - optind);
    a->space = argv[optind];
    TRY(output != NULL ? memory_copy_text(&a->output, output) : cmd_output_name(&a->output, a->space, ".ceiling.nc"));
    return file_check_distinct(a->output, a->space);
}

static int take_values(struct arguments *a)
{
    for (int i = 0; i < KEYS; i++) {
        const char *text = a->text[i] != NULL ? a->text[i] : key[i].initial;
        if (*text == '\0' && a->text[i] == NULL) continue; /* a list that follows from the space */
        if (strcmp(text, "none") == 0 && key[i].count == CONFIG_ANY) continue;
        int status = config_value_parse(&a->value[i], &key[i], text, "");
        if (status != STATUS_INPUT) {
            TRY(status);
            continue;
        }
        char reason[REASON_MAX];
        snprintf(reason, sizeof reason, "%s", status_message());
        status_clear();
        return status_fail(STATUS_INPUT, "ceiling: --%s", reason + strspn(reason, " .")); /* behind where and section */
    }
    const struct config_value *codes = &a->value[CODES - FIRST];
    TRY(memory_alloc(&a->epochs, (size_t)codes->count, sizeof *a->epochs));
    for (int i = 0; i < codes->count; i++) a->epochs[i] = (int)codes->number[i];
    return a->value[SIGNALS - FIRST].count <= CEILING_SIGNALS_MAX
        ? STATUS_OK : status_fail(STATUS_INPUT, "ceiling: --signals: at most %d", CEILING_SIGNALS_MAX);
}

static int ceiling(const struct arguments *a)
{
    const struct config_value *v = a->value;
    const struct ceiling_options o = {
        .space = a->space, .output = a->output, .epochs = a->epochs, .signal = (const char *const *)v[SIGNALS - FIRST].item,
        .codes = a->text[CODES - FIRST] != NULL ? v[CODES - FIRST].count : -1,
        .signals = a->text[SIGNALS - FIRST] != NULL ? v[SIGNALS - FIRST].count : -1,
        .sample = (int)v[SAMPLE - FIRST].number[0], .starts = (int)v[STARTS - FIRST].number[0], .seed = (uint64_t)v[SEED - FIRST].number[0],
    };
    return ceiling_run(&o, MPI_COMM_WORLD);
}

int cmd_ceiling(int argc, char **argv)
{
    struct arguments a = {.stop_before = -1};
    int rank, status = parse(&a, argc, argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (status == STATUS_OK && !a.help) status = take_values(&a);
    if (status == STATUS_OK && !a.help) status = stop_open(rank == 0, a.stop_before);
    status = status_agree(MPI_COMM_WORLD, status);
    if (status == STATUS_OK && a.help && rank == 0) fputs(cmd_ceiling_help, stdout);
    else if (status == STATUS_OK && !a.help) status = ceiling(&a);
    for (int i = 0; i < KEYS; i++) config_value_destroy(&a.value[i]);
    free(a.epochs);
    free(a.output);
    return status;
}
