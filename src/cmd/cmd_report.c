#include "cmd.h"

#include "config.h"
#include "guard.h"
#include "memory.h"
#include "report.h"
#include "results_input.h"
#include "status.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char cmd_report_help[] =
    "usage: siamese-nas report RESULTS.nc... [OPTION]...\n"
    "\n"
    "Print mean, standard deviation and standard error of the best accuracy over all finished trials, for each data set,\n"
    "predictor, sampler, N and K; the regret to the best cell of the table; the share of trials that found that cell; mean\n"
    "costs and rank correlations. Several files of the same space and settings make one table, with means over the trials of\n"
    "all (parts of a job array with different trials or seeds); a .part file of a running job is read as far as it has come.\n"
    "NAME.timing.nc may stand beside NAME.nc, as in `report part-*.nc`, and is left out.\n"
    "\n"
    "  -k, --k LIST   values of K, e.g. 10,20,30 or 1..170; default: evaluation.K of the job\n"
    "      --csv      comma-separated: dataset,predictor,sampler,N,K,trials,mean,std,se,regret,found,cost\n"
    "      --help     print this text\n"
    "\n"
    "Accuracies, std, se and regret are in percent; found is a fraction in --csv; cost counts a full training as 1 and an\n"
    "Estimation Code as 0.003.\n";

enum { OPTION_CSV = 1000, OPTION_HELP };

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

static int run(char **path, int paths, const int *k, int ks, bool csv)
{
    struct report report;
    guard_begin(paths == 1 ? path[0] : "one of these files");
    const int status = report_read(&report, (const char *const *)path, paths, k, ks);
    guard_end();
    TRY(status);
    if (csv) report_csv(stdout, &report);
    else report_print(stdout, &report);
    report_destroy(&report);
    if (fflush(stdout) != 0 || ferror(stdout))
        return status_fail(STATUS_FAILURE, "report: cannot write the table: %s", strerror(errno));
    return STATUS_OK;
}

int cmd_report(int argc, char **argv)
{
    static const struct option known[] = {
        {"k", required_argument, NULL, 'k'}, {"csv", no_argument, NULL, OPTION_CSV}, {"help", no_argument, NULL, OPTION_HELP}, {0},
    };
    static const char advice[] = "`siamese-nas report --help` lists the options";
    bool csv = false, help = false;
    int *k = NULL, ks = 0, status = STATUS_OK;
    opterr = 0;
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, ":k:h", known, NULL)) != -1 && status == STATUS_OK;) {
        const char *given = argv[optind > 1 ? optind - 1 : 1];
        switch (option) {
        case 'k': status = parse_ks(&k, &ks, optarg); break;
        case OPTION_CSV: csv = true; break;
        case 'h':
        case OPTION_HELP: help = true; break;
        case ':': status = status_fail(STATUS_INPUT, "report: %s needs a value; %s", given, advice); break;
        default: status = status_fail(STATUS_INPUT, "report: unknown option %s; %s", given, advice);
        }
    }
    if (status == STATUS_OK && help) fputs(cmd_report_help, stdout);
    else if (status == STATUS_OK && optind == argc) status = status_fail(STATUS_INPUT, "report: which results files? %s", advice);
    else if (status == STATUS_OK) status = run(argv + optind, results_leave_companions(argv + optind, argc - optind), k, ks, csv);
    free(k);
    return status;
}
