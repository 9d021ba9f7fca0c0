#include "cmd.h"

#include "config.h"
#include "ledger.h"
#include "log.h"
#include "memory.h"
#include "recipe.h"
#include "status.h"
#include "stop.h"
#include "tabulation.h"
#include "text_file.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char cmd_train_help[] =
    "usage: [mpirun -np RANKS] siamese-nas train RECIPE.ini SPACE.nc [OPTION]...\n"
    "\n"
    "Train the cells of a space for real, by a recipe, and fill in what is learned: early_loss (the Estimation Code), accuracy,\n"
    "validation_accuracy, flops, params, synflow and train_seconds. The ranks share the cells; cells that compute the same are\n"
    "trained once. Whatever is finished is in the ledger at once: after a crash or a time limit the same command goes on.\n"
    "Spaces come from siamese-nas generate or import, and siamese-nas train --example >RECIPE.ini is a recipe to begin with.\n"
    "\n"
    "  -o, --output FILE.nc                the space file to write; without it SPACE.nc itself\n"
    "      --cells LIST                    train only these: 0, 17, 100..199; @FILE reads the list from a file\n"
    "      --codes                         Estimation Codes only, no full trainings\n"
    "      --ledger FILE                   file of what is finished; without it the output's name, ending in .ledger for .nc\n"
    "      --ranks-per-candidate RANKS     ranks that train one candidate together, each a part of every batch (1)\n"
    "      --stop-before SECONDS           stop cleanly so long before the batch job's time limit (SLURM_JOB_END_TIME)\n"
    "  -P, --parameter SECTION.KEY=VALUE   replace a value of the recipe; may be given several times\n"
    "      --example                       print a recipe with every key, its range and default\n"
    "  -h, --help                          print this text\n"
    "\n"
    "SIGTERM, SIGUSR1 or a file named `stop` in the working folder stop it cleanly, with checkpoints of the trainings that are\n"
    "under way and exit status 75; the same command goes on.\n";

enum { REASON_MAX = 1000 };
enum { CELLS = 1000, CODES, LEDGER, RANKS_PER_CANDIDATE, STOP_BEFORE, EXAMPLE };

struct arguments {
    const char *recipe, *space, *output, *cells, *ledger, *ranks_per_candidate;
    const char **override;
    int overrides;
    double stop_before; /* seconds; negative: not asked for */
    bool codes, example, help;
};

static int parse(struct arguments *a, int argc, char **argv)
{
    static const struct option known[] = {
        {"output", required_argument, NULL, 'o'}, {"cells", required_argument, NULL, CELLS}, {"codes", no_argument, NULL, CODES},
        {"ledger", required_argument, NULL, LEDGER}, {"ranks-per-candidate", required_argument, NULL, RANKS_PER_CANDIDATE},
        {"stop-before", required_argument, NULL, STOP_BEFORE},
        {"parameter", required_argument, NULL, 'P'}, {"example", no_argument, NULL, EXAMPLE}, {"help", no_argument, NULL, 'h'}, {0},
    };
    TRY(memory_alloc(&a->override, (size_t)argc + 1, sizeof *a->override));
    opterr = 0;
    optind = 0; /* start over */
    for (int option; (option = getopt_long(argc, argv, ":o:P:h", known, NULL)) != -1;) {
        switch (option) {
        case 'o': a->output = optarg; break;
        case CELLS: a->cells = optarg; break;
        case CODES: a->codes = true; break;
        case LEDGER: a->ledger = optarg; break;
        case RANKS_PER_CANDIDATE: a->ranks_per_candidate = optarg; break;
        case STOP_BEFORE: TRY(cmd_seconds(&a->stop_before, argv[0], "--stop-before", optarg)); break;
        case 'P': a->override[a->overrides++] = optarg; break;
        case EXAMPLE: a->example = true; break;
        case 'h': a->help = true; break;
        default: return cmd_option_error(option, argv);
        }
    }
    if (a->help || a->example) return STATUS_OK;
    if (argc - optind != 2)
        return status_fail(STATUS_INPUT, "train: give two files, a recipe and a space file, not %d; see siamese-nas train --help",
                           argc - optind);
    a->recipe = argv[optind];
    a->space = argv[optind + 1];
    if (a->output == NULL) a->output = a->space;
    return STATUS_OK;
}

/* Numbers of an option, written as in a job file. */
static int numbers(struct config_value *v, const char *text, const char *option, const char *help, double low, int count)
{
    const double most = count == 1 ? 1000000 : 9007199254740991; /* 2^53 - 1 */
    const struct config_key key = {"", option, CONFIG_INT, count, 0, "", low, most, NULL, NULL, help};
    int status = config_value_parse(v, &key, text, "");
    if (status != STATUS_INPUT) return status;
    char reason[REASON_MAX];
    snprintf(reason, sizeof reason, "%s", status_message());
    status_clear();
    return status_fail(STATUS_INPUT, "train: --%s", reason + strspn(reason, " .")); /* behind where and section */
}

/* Blanks and ends of lines separate the cells of a file as well as commas do. */
static int read_list(char **text, const char *path)
{
    TRY(text_file_share(text, path, "list of cells", MPI_COMM_WORLD));
    size_t used = 0;
    for (const char *at = *text; *at != '\0'; at++) {
        const bool blank = strchr(" \t\r\n,", *at) != NULL;
        if (!blank) (*text)[used++] = *at;
        else if (used > 0 && (*text)[used - 1] != ',') (*text)[used++] = ',';
    }
    if (used > 0 && (*text)[used - 1] == ',') used--;
    (*text)[used] = '\0';
    return STATUS_OK;
}

static int take_cells(int64_t **cell, int64_t *cells, const char *text)
{
    struct config_value v = {0};
    char *list = NULL;
    if (text == NULL) return STATUS_OK;
    if (text[0] == '@') TRY(read_list(&list, text + 1));
    int status = numbers(&v, list != NULL ? list : text, "cells", "numbers of cells as in 0, 17, 100..199, or @FILE", 0, CONFIG_ANY);
    if (status == STATUS_OK) status = memory_alloc(cell, (size_t)v.count, sizeof **cell);
    for (int i = 0; i < v.count && status == STATUS_OK; i++) (*cell)[i] = (int64_t)v.number[i];
    *cells = v.count;
    config_value_destroy(&v);
    free(list);
    return status;
}

static int train(const struct arguments *a, const char *command)
{
    struct recipe recipe = {0};
    struct config_value ranks = {0};
    char *ledger = NULL;
    int64_t *cell = NULL, cells = 0;
    int status;
    TRY_DONE(numbers(&ranks, a->ranks_per_candidate != NULL ? a->ranks_per_candidate : "1", "ranks-per-candidate",
                     "how many train one candidate together", 1, 1));
    TRY_DONE(take_cells(&cell, &cells, a->cells));
    TRY_DONE(a->ledger != NULL ? memory_copy_text(&ledger, a->ledger) : ledger_name(&ledger, a->output));
    TRY_DONE(recipe_read(&recipe, a->recipe, a->override, a->overrides, MPI_COMM_WORLD));
    const struct tabulation_options o = {
        .space = a->space, .output = a->output, .ledger = ledger, .cell = cell, .cells = cells, .codes_only = a->codes,
        .ranks_per_candidate = (int)ranks.number[0], .command = command,
    };
    status = tabulation_run(&recipe, &o, MPI_COMM_WORLD);
done:
    recipe_destroy(&recipe);
    config_value_destroy(&ranks);
    free(ledger);
    free(cell);
    return status;
}

int cmd_train(int argc, char **argv)
{
    struct arguments a = {.stop_before = -1};
    char *command;
    int rank, status = cmd_line(&command, argc, argv);
    if (status == STATUS_OK) status = parse(&a, argc, argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (status == STATUS_OK && !a.help && !a.example) status = stop_open(rank == 0, a.stop_before);
    status = status_agree(MPI_COMM_WORLD, status);
    if (status == STATUS_OK) {
        if (a.help) log_info("%s", cmd_train_help);
        else if (a.example && rank == 0) recipe_example(stdout);
        else if (!a.example) status = train(&a, command);
    }
    free(command);
    free(a.override);
    return status;
}
