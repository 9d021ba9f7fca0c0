#include "cmd.h"

#include "experiment.h"
#include "job.h"
#include "log.h"
#include "memory.h"
#include "status.h"
#include "stop.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

const char cmd_run_help[] =
    "usage: [mpirun -np RANKS] siamese-nas run JOB.ini [OPTION]...\n"
    "\n"
    "Run the experiment that a job file describes: every trial of its grid of data sets, predictors and budgets N, dealt out\n"
    "to all ranks, into one NetCDF file NAME.nc (and the seconds each trial took into NAME.timing.nc). The results are\n"
    "the same bytes for any number of ranks. While a job runs its file is NAME.nc.part; after a crash or a time\n"
    "limit the same command goes on where it stopped.\n"
    "\n"
    "  -P, --parameter SECTION.KEY=VALUE   replace a value of the job file; may be given several times\n"
    "  -o, --output FILE.nc                the results file, short for -P output.file=FILE.nc\n"
    "      --stop-before=SECONDS           stop cleanly so long before the batch job's time limit (SLURM_JOB_END_TIME)\n"
    "      --wait=SECONDS                  wait so long when another run still writes the same results\n"
    "      --dry-run                       check everything, print units, memory, file size and search cost, write nothing\n"
    "      --example                       print a job file with every key, its range and default\n"
    "      --help                          print this text\n"
    "\n"
    "SIGTERM, SIGUSR1 or a file named `stop` in the working folder stop a run cleanly, too: what is begun is finished.\n"
    "\n"
    "Exit status: 0 success, 1 a failure while running, 2 something is wrong with the command, the job or the space file,\n"
    "75 stopped cleanly before the end: run the same command again.\n";

enum { OPTION_DRY_RUN = 1000, OPTION_STOP_BEFORE, OPTION_WAIT, OPTION_EXAMPLE, OPTION_HELP };

/* What the command line says. */
struct run_options {
    const char *path;       /* of the job file */
    const char **override;  /* [overrides] "section.key=value" */
    int overrides;
    char *output;           /* the override that -o stands for */
    double stop_before, wait; /* seconds; the former negative: not asked for */
    bool dry_run, example, help;
};

static int take_output(struct run_options *o, const char *file)
{
    const char *const assignment[] = {"output.file=", file};
    free(o->output);
    return memory_join(&o->output, assignment, 2, "");
}

static int parse(struct run_options *o, int argc, char **argv)
{
    static const struct option known[] = {
        {"parameter", required_argument, NULL, 'P'}, {"output", required_argument, NULL, 'o'},
        {"stop-before", required_argument, NULL, OPTION_STOP_BEFORE}, {"wait", required_argument, NULL, OPTION_WAIT},
        {"dry-run", no_argument, NULL, OPTION_DRY_RUN}, {"example", no_argument, NULL, OPTION_EXAMPLE},
        {"help", no_argument, NULL, OPTION_HELP}, {0},
    };
    static const char advice[] = "`siamese-nas run --help` lists the options";
    TRY(memory_alloc(&o->override, (size_t)argc + 1, sizeof *o->override));
    opterr = 0;
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, ":P:o:h", known, NULL)) != -1;) {
        const char *given = argv[optind > 1 ? optind - 1 : 1];
        switch (option) {
        case 'P': o->override[o->overrides++] = optarg; break;
        case 'o': TRY(take_output(o, optarg)); break;
        case OPTION_STOP_BEFORE: TRY(cmd_seconds(&o->stop_before, argv[0], "--stop-before", optarg)); break;
        case OPTION_WAIT: TRY(cmd_seconds(&o->wait, argv[0], "--wait", optarg)); break;
        case OPTION_DRY_RUN: o->dry_run = true; break;
        case OPTION_EXAMPLE: o->example = true; break;
        case 'h':
        case OPTION_HELP: o->help = true; break;
        case ':': return status_fail(STATUS_INPUT, "run: %s needs a value; %s", given, advice);
        default: return status_fail(STATUS_INPUT, "run: unknown option %s; %s", given, advice);
        }
    }
    if (o->output != NULL) o->override[o->overrides++] = o->output;
    if (o->help || o->example) return STATUS_OK;
    if (optind == argc) return status_fail(STATUS_INPUT, "run: which job file? %s", advice);
    if (optind + 1 < argc)
        return status_fail(STATUS_INPUT, "run: one job file at a time, not also %s; %s", argv[optind + 1], advice);
    o->path = argv[optind];
    return STATUS_OK;
}

static int run(const struct run_options *o, const char *command)
{
    struct job job;
    int status = job_read(&job, o->path, o->override, o->overrides, MPI_COMM_WORLD);
    if (status == STATUS_OK) {
        const struct experiment_options options = {.dry_run = o->dry_run, .wait = o->wait, .command = command};
        status = experiment_run(&job, &options, MPI_COMM_WORLD);
        job_destroy(&job);
    }
    return status;
}

int cmd_run(int argc, char **argv)
{
    struct run_options o = {.stop_before = -1};
    char *command;
    int rank, status = cmd_line(&command, argc, argv);
    if (status == STATUS_OK) status = parse(&o, argc, argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (status == STATUS_OK && !o.help && !o.example) status = stop_open(rank == 0, o.stop_before);
    status = status_agree(MPI_COMM_WORLD, status);
    if (status == STATUS_OK) {
        if (o.help) log_info("%s", cmd_run_help);
        else if (o.example && rank == 0) job_example(stdout);
        else if (!o.example) status = run(&o, command);
    }
    free(command);
    free(o.output);
    free(o.override);
    return status;
}
