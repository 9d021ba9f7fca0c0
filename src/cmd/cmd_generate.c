#include "cmd.h"
#include "log.h"
#include "memory.h"
#include "nasbench201.h"
#include "network.h"
#include "space.h"
#include "space_file.h"
#include "status.h"
#include "tinynanobench.h"
#include "topology.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char cmd_generate_help[] =
    "usage: siamese-nas generate nas-bench-201[:NODES]|tiny-nanobench -o SPACE.nc [OPTION]...\n"
    "\n"
    "Make a space file of all cells of a search space, with their multiply-adds (flops) and parameters in the published\n"
    "network for CIFAR-10, and nothing else known of them: training fills it.\n"
    "\n"
    "  nas-bench-201           15,625 cells, in the order of their arch strings' base-5 digits; the published table numbers them\n"
    "                          in another order and comes in by siamese-nas import. With :3, the 125 cells of three nodes\n"
    "  tiny-nanobench          1,107 cells below 35 million multiply-adds, by the rules in include/tinynanobench.h\n"
    "  -o, --output FILE       the space file to write\n"
    "      --dataset NAMES     data sets, separated by commas, whose accuracies the file has room for\n"
    "      --title TEXT        title of the space\n"
    "  -h, --help              this text\n";

enum { DATASET = 256, TITLE };

struct arguments {
    const char *kind, *output, *dataset, *title;
};

static int parse(struct arguments *a, int argc, char **argv)
{
    static const struct option option[] = {
        {"output", required_argument, NULL, 'o'}, {"dataset", required_argument, NULL, DATASET},
        {"title", required_argument, NULL, TITLE}, {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int result;
    optind = 0; /* start over */
    opterr = 0;
    while ((result = getopt_long(argc, argv, ":o:h", option, NULL)) != -1) {
        switch (result) {
        case 'o': a->output = optarg; break;
        case DATASET: a->dataset = optarg; break;
        case TITLE: a->title = optarg; break;
        default: return cmd_option_error(result, argv);
        }
    }
    if (optind != argc - 1)
        return status_fail(STATUS_INPUT, "generate: give one space, nas-bench-201 or tiny-nanobench, not %d; see siamese-nas generate "
                           "--help", argc - optind);
    a->kind = argv[optind];
    if (a->output == NULL || a->output[0] == '\0') return status_fail(STATUS_INPUT, "generate: -o SPACE.nc is missing");
    return STATUS_OK;
}

/* ---- what is counted ---- */

/* In millions, of the published network. */
static int add_counts(struct space *s)
{
    static const struct network_options published[] = {
        [TOPOLOGY_NASBENCH201] = {.channels = 16, .cells_per_stage = 5, .stages = 3, .height = 32, .width = 32, .image_channels = 3,
                                  .classes = 10},
        [TOPOLOGY_NANOBENCH] = {.channels = 128, .cells_per_stage = 3, .stages = 3, .height = 32, .width = 32, .image_channels = 3,
                                .classes = 10},
    };
    struct topology_words words;
    double *flops, *params;
    TRY(topology_words(&words, s));
    TRY(space_add_signal(&flops, s, "flops", "multiply-adds per image, millions", "1e6"));
    TRY(space_add_signal(&params, s, "params", "parameters, millions", "1e6"));
    for (int64_t cell = 0; cell < s->cells; cell++)
        TRY(network_costs(&flops[cell], &params[cell], s, &words, cell, &published[words.family]));
    return STATUS_OK;
}

/* ---- the spaces ---- */

/* The candidates that are cheap enough, numbered from 0. */
static int keep_cheap(struct space *s)
{
    bool *keep;
    const double *flops = s->signal[0].value;
    TRY(memory_alloc(&keep, (size_t)s->cells, sizeof *keep));
    for (int64_t cell = 0; cell < s->cells; cell++) keep[cell] = 1e6 * flops[cell] < TINYNANOBENCH_MULTIPLY_ADDS;
    int status = space_keep(s, keep);
    free(keep);
    if (status == STATUS_OK)
        for (int64_t cell = 0; cell < s->cells; cell++) s->id[cell] = cell;
    return status;
}

static int make_nasbench201(struct space *s, const char *kind, const char *nodes)
{
    enum { LARGEST = 4 };
    char *end;
    const long number = strtol(nodes, &end, 10);
    if (*nodes == '\0' || *end != '\0' || number < NASBENCH201_CELL_MIN || number > NASBENCH201_CELL_MAX)
        return status_fail(STATUS_INPUT, "generate: %.80s: the number of nodes must be %d or %d", kind, NASBENCH201_CELL_MIN, LARGEST);
    if (number > LARGEST)
        return status_fail(STATUS_INPUT, "generate: %.80s: too many cells for a file; %d nodes are the most. siamese-nas predict makes "
                           "cells of up to %d nodes while it scores them", kind, LARGEST, NASBENCH201_CELL_MAX);
    TRY(nasbench201_space(s, (int)number));
    TRY(space_tabulate(s));
    return add_counts(s);
}

static int make_tinynanobench(struct space *s)
{
    TRY(tinynanobench_candidates(s));
    TRY(add_counts(s));
    return keep_cheap(s);
}

static int make(struct space *s, const char *kind)
{
    static const char nasbench201[] = "nas-bench-201";
    const size_t length = sizeof nasbench201 - 1;
    if (strcmp(kind, "tiny-nanobench") == 0) return make_tinynanobench(s);
    if (strcmp(kind, nasbench201) == 0) return make_nasbench201(s, kind, "4");
    if (strncmp(kind, nasbench201, length) == 0 && kind[length] == ':') return make_nasbench201(s, kind, kind + length + 1);
    return status_fail(STATUS_INPUT, "generate: unknown space '%.80s'; known are nas-bench-201, "
                       "nas-bench-201:3 and tiny-nanobench", kind);
}

/* ---- what is to be filled ---- */

static int add_dataset(struct space *s, const char *name)
{
    if (!space_is_dataset_name(name))
        return status_fail(STATUS_INPUT, "generate: --dataset: '%.80s' is no name; names have no blanks, commas or colons", name);
    if (space_find_dataset(s, name) >= 0) return status_fail(STATUS_INPUT, "generate: --dataset: '%.80s' is there twice", name);
    return space_add_dataset(s, name);
}

/* Data sets whose accuracies are not known yet. */
static int add_datasets(struct space *s, const char *list)
{
    char *copy;
    TRY(memory_copy_text(&copy, list));
    int status = STATUS_OK;
    for (char *name = copy, *comma; name != NULL && status == STATUS_OK; name = comma) {
        comma = strchr(name, ',');
        if (comma != NULL) *comma++ = '\0';
        status = add_dataset(s, name);
    }
    free(copy);
    return status;
}

static int generate(const struct arguments *a, const char *history)
{
    struct space s = {0};
    int status;
    TRY_DONE(make(&s, a->kind));
    if (a->dataset != NULL) TRY_DONE(add_datasets(&s, a->dataset));
    if (a->title != NULL) TRY_DONE(space_set_title(&s, a->title));
    s.checksum = space_checksum(&s);
    TRY_DONE(space_file_write(&s, a->output, history));
    log_info("%s: cells %lld, nodes %d, operations %d, data sets %d, signals %d, checksum %016llx", a->output, (long long)s.cells,
             s.nodes, s.operations, s.datasets, s.signals, (unsigned long long)s.checksum);
done:
    space_destroy(&s);
    return status;
}

int cmd_generate(int argc, char **argv)
{
    struct arguments a = {0};
    char *history = NULL;
    int status;
    TRY_DONE(cmd_line(&history, argc, argv));
    TRY_DONE(parse(&a, argc, argv));
    status = generate(&a, history);
done:
    free(history);
    return status;
}
