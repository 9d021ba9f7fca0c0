#include "cmd.h"

#include "config.h"
#include "explain.h"
#include "guard.h"
#include "memory.h"
#include "report.h"
#include "results_input.h"
#include "space_file.h"
#include "status.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char cmd_report_help[] =
    "usage: siamese-nas report RESULTS.nc... [OPTION]...\n"
    "       siamese-nas report --trial NUMBER RESULTS.nc [OPTION]...\n"
    "\n"
    "Print mean, standard deviation and standard error of the best accuracy over all finished trials, for each data set,\n"
    "predictor, sampler, N and K; the regret to the best cell of the table; the share of trials that found that cell; mean\n"
    "costs and rank correlations. Several files of the same space and settings make one table, with means over the trials of\n"
    "all (parts of a job array with different trials or seeds); a .part file of a running job is read as far as it has come.\n"
    "NAME.timing.nc may stand beside NAME.nc, as in `report part-*.nc`, and is left out.\n"
    "\n"
    "  -k, --k LIST   values of K, e.g. 10,20,30 or 1..170; default: evaluation.K of the job\n"
    "      --cost LIST  by total cost instead, e.g. 30,50,100: the accuracy of the best of all that was trained, for the\n"
    "                 pool or at the end, before trainings and Estimation Codes had cost more\n"
    "      --csv      comma-separated: dataset,predictor,sampler,N,K (or limit),trials,mean,std,se,regret,found,cost\n"
    "      --help     print this text\n"
    "\n"
    "With --trial one trial is explained instead: what was trained when and why, its accuracy, what the predictor thought of it, and\n"
    "where the best cell stood before and after the codes were read.\n"
    "\n"
    "      --trial NUMBER   the trial\n"
    "      --dataset NAME, --method NAME, -n N   of which data set, method and N; default: the first, the last, the largest\n"
    "  -k, --k K            how many cells of the ranking; default: the largest K of the job\n"
    "      --all            a line for every trained cell; default: cells that brought nothing new share one, with means\n"
    "      --space FILE     the space file, for cells as text; default: the one that the job names, when it is there\n"
    "      --dot FILE       draw the best cell for Graphviz: dot -Tpdf FILE -o cell.pdf\n"
    "\n"
    "Accuracies, std, se and regret are in percent; found is a fraction in --csv; cost counts a full training as 1 and an\n"
    "Estimation Code as 0.003.\n";

enum { OPTION_CSV = 1000, OPTION_COST, OPTION_HELP, OPTION_TRIAL, OPTION_DATASET, OPTION_METHOD, OPTION_ALL, OPTION_SPACE, OPTION_DOT };

struct arguments {
    int *k, ks, limits;
    double *limit; /* [limits] total costs */
    bool csv, help, explain, all;
    struct explain_choice choice;
    const char *space, *dot;
    bool alone; /* an option that only goes with --trial was given */
};

static int parse_ks(int **k, int *ks, const char *text)
{
    static const struct config_key key = {.section = "report", .key = "k", .type = CONFIG_INT, .count = CONFIG_ANY,
                                          .flags = CONFIG_SORTED, .low = 1, .high = 1000000, .help = "values of K"};
    struct config_value value = {0};
    int status;
    TRY_DONE(config_value_parse(&value, &key, text, "command line"));
    free(*k);
    TRY_DONE(memory_alloc(k, (size_t)value.count, sizeof **k));
    for (int i = 0; i < value.count; i++) (*k)[i] = (int)value.number[i];
    *ks = value.count;
done:
    config_value_destroy(&value);
    return status;
}

static int parse_costs(double **limit, int *limits, const char *text)
{
    static const struct config_key key = {.section = "report", .key = "cost", .type = CONFIG_REAL, .count = CONFIG_ANY,
                                          .low = 0, .high = 1e9, .help = "total costs"};
    struct config_value value = {0};
    int status;
    TRY_DONE(config_value_parse(&value, &key, text, "command line"));
    for (int i = 1; i < value.count; i++)
        if (!(value.number[i] > value.number[i - 1])) {
            status = status_fail(STATUS_INPUT, "report: --cost '%.80s': costs must ascend", text);
            goto done;
        }
    free(*limit);
    TRY_DONE(memory_alloc(limit, (size_t)value.count, sizeof **limit));
    memcpy(*limit, value.number, (size_t)value.count * sizeof **limit);
    *limits = value.count;
done:
    config_value_destroy(&value);
    return status;
}

static int parse_number(int *out, const char *option, const char *text, int low)
{
    char *end;
    const long number = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || number < low || number > INT_MAX)
        return status_fail(STATUS_INPUT, "report: %s '%.80s': must be a whole number from %d", option, text, low);
    *out = (int)number;
    return STATUS_OK;
}

static int print_table(char **path, int paths, const struct arguments *a)
{
    struct report report;
    guard_begin(paths == 1 ? path[0] : "one of these files");
    const int status = a->limits > 0 ? report_read_costs(&report, (const char *const *)path, paths, a->limit, a->limits)
                                     : report_read(&report, (const char *const *)path, paths, a->k, a->ks);
    guard_end();
    TRY(status);
    if (a->csv) report_csv(stdout, &report);
    else report_print(stdout, &report);
    report_destroy(&report);
    return STATUS_OK;
}

/* The space is wanted for cells as text; only who names it, or wants a drawing, needs it. */
static int find_space(struct space *space, struct explanation *e, const struct arguments *a)
{
    char *name = NULL;
    const bool needed = a->space != NULL || a->dot != NULL;
    int status = a->space != NULL ? memory_copy_text(&name, a->space) : explain_space_name(&name, e);
    if (status == STATUS_OK) status = space_file_read(space, name);
    if (status == STATUS_OK) status = explain_use_space(e, space);
    free(name);
    if (status != STATUS_INPUT || needed) return status;
    status_clear();
    return STATUS_OK;
}

static int explain(const char *path, struct arguments *a)
{
    struct explanation e;
    struct space space = {0};
    if (a->ks > 0) a->choice.k = a->k[a->ks - 1];
    guard_begin(path);
    int status = explain_read(&e, path, &a->choice);
    guard_end();
    TRY(status);
    TRY_DONE(find_space(&space, &e, a));
    explain_print(stdout, &e, a->all);
    if (a->dot != NULL) TRY_DONE(explain_dot(&e, a->dot));
done:
    space_destroy(&space);
    explain_destroy(&e);
    return status;
}

static int take_option(struct arguments *a, int option)
{
    a->alone = a->alone || (option >= OPTION_DATASET || option == 'n');
    switch (option) {
    case 'k': return parse_ks(&a->k, &a->ks, optarg);
    case 'n': return parse_number(&a->choice.n, "-n", optarg, 1);
    case OPTION_TRIAL: a->explain = true; return parse_number(&a->choice.trial, "--trial", optarg, 0);
    case OPTION_DATASET: a->choice.dataset = optarg; break;
    case OPTION_METHOD: a->choice.method = optarg; break;
    case OPTION_ALL: a->all = true; break;
    case OPTION_SPACE: a->space = optarg; break;
    case OPTION_DOT: a->dot = optarg; break;
    case OPTION_CSV: a->csv = true; break;
    case OPTION_COST: return parse_costs(&a->limit, &a->limits, optarg);
    default: a->help = true;
    }
    return STATUS_OK;
}

static int run(struct arguments *a, char **path, int given, const char *advice)
{
    if (a->help) {
        fputs(cmd_report_help, stdout);
        return STATUS_OK;
    }
    if (given == 0) return status_fail(STATUS_INPUT, "report: which results files? %s", advice);
    if (!a->explain && a->alone)
        return status_fail(STATUS_INPUT, "report: --dataset, --method, -n, --all, --space and --dot belong to --trial NUMBER; %s", advice);
    const int paths = results_leave_companions(path, given);
    if (a->limits > 0 && (a->explain || a->ks > 0))
        return status_fail(STATUS_INPUT, "report: --cost makes a table of its own, without %s; %s", a->explain ? "--trial" : "-k", advice);
    if (a->explain && (paths != 1 || a->csv))
        return status_fail(STATUS_INPUT, "report: --trial explains a trial of one results file, %s; %s",
                           a->csv ? "not as --csv" : "not of several", advice);
    TRY(a->explain ? explain(path[0], a) : print_table(path, paths, a));
    if (fflush(stdout) != 0 || ferror(stdout))
        return status_fail(STATUS_FAILURE, "report: cannot write the table: %s", strerror(errno));
    return STATUS_OK;
}

int cmd_report(int argc, char **argv)
{
    static const struct option known[] = {
        {"k", required_argument, NULL, 'k'}, {"csv", no_argument, NULL, OPTION_CSV}, {"cost", required_argument, NULL, OPTION_COST},
        {"help", no_argument, NULL, OPTION_HELP},
        {"trial", required_argument, NULL, OPTION_TRIAL}, {"dataset", required_argument, NULL, OPTION_DATASET},
        {"method", required_argument, NULL, OPTION_METHOD}, {"n", required_argument, NULL, 'n'}, {"all", no_argument, NULL, OPTION_ALL},
        {"space", required_argument, NULL, OPTION_SPACE}, {"dot", required_argument, NULL, OPTION_DOT}, {0},
    };
    static const char advice[] = "`siamese-nas report --help` lists the options";
    struct arguments a = {0};
    int status = STATUS_OK;
    opterr = 0;
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, ":k:n:h", known, NULL)) != -1 && status == STATUS_OK;) {
        const char *given = argv[optind > 1 ? optind - 1 : 1];
        if (option == ':') status = status_fail(STATUS_INPUT, "report: %s needs a value; %s", given, advice);
        else if (option == '?') status = status_fail(STATUS_INPUT, "report: unknown option %s; %s", given, advice);
        else status = take_option(&a, option);
    }
    if (status == STATUS_OK) status = run(&a, argv + optind, argc - optind, advice);
    free(a.k);
    free(a.limit);
    return status;
}
