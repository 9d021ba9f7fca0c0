#include "cmd.h"

#include "results_input.h"
#include "results_merge.h"
#include "status.h"

#include <getopt.h>
#include <stdlib.h>

const char cmd_merge_help[] =
    "usage: siamese-nas merge RESULTS.nc... -o ALL.nc\n"
    "\n"
    "Put results files of one job whose trials differ (experiment.first_trial, experiment.trials), such as the tasks of a job\n"
    "array, together in the file that the undivided job would have written, byte for byte. The files may come in any order;\n"
    "each trial from the first to the last must be in one of them, and all must be complete, of the same space and of the\n"
    "same program. The seconds in NAME.timing.nc are put together as well when every file has its own; these may be named\n"
    "too, as in `merge part-*.nc`. siamese-nas report takes several files as they are, also unfinished ones.\n"
    "\n"
    "  -o, --output FILE.nc   the file to write; an earlier one of the same job and trials is replaced\n"
    "      --wait=SECONDS     wait so long when a run still writes the same output\n"
    "      --help             print this text\n";

enum { OPTION_WAIT = 256 };

static int parse(const char **output, double *wait, int argc, char **argv)
{
    static const struct option known[] = {
        {"output", required_argument, NULL, 'o'}, {"wait", required_argument, NULL, OPTION_WAIT},
        {"help", no_argument, NULL, 'h'}, {0},
    };
    opterr = 0;
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, ":o:h", known, NULL)) != -1;) {
        switch (option) {
        case 'o': *output = optarg; break;
        case OPTION_WAIT: TRY(cmd_seconds(wait, argv[0], "--wait", optarg)); break;
        default: return cmd_option_error(option, argv);
        }
    }
    if (optind == argc) return status_fail(STATUS_INPUT, "merge: which results files? `siamese-nas merge --help` says more");
    if (*output == NULL) return status_fail(STATUS_INPUT, "merge: -o ALL.nc is missing, the file to write");
    return STATUS_OK;
}

int cmd_merge(int argc, char **argv)
{
    char *command = NULL;
    const char *output = NULL;
    double wait = 0;
    int status;
    TRY_DONE(cmd_line(&command, argc, argv));
    TRY_DONE(parse(&output, &wait, argc, argv));
    char **path = argv + optind;
    status = results_merge(output, (const char *const *)path, results_leave_companions(path, argc - optind), wait, command);
done:
    free(command);
    return status;
}
