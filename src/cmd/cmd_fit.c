#include "cmd.h"
#include "experiment.h"
#include "file.h"
#include "job.h"
#include "memory.h"
#include "status.h"

#include <getopt.h>
#include <stdlib.h>

const char cmd_fit_help[] =
    "usage: [mpirun -np RANKS] siamese-nas fit JOB.ini -o WEIGHTS.nc [-P SECTION.KEY=VALUE]...\n"
    "\n"
    "Run one trial of a job, the first of its first data set, predictor and N, and keep the weights of the predictor: the same\n"
    "weights with which that trial of `siamese-nas run` ranks the space at its end. `siamese-nas predict` scores cells with them.\n"
    "\n"
    "  -o, --output FILE                   the NetCDF file of weights to write\n"
    "  -P, --parameter SECTION.KEY=VALUE   replace a value of the job file; may be given several times\n"
    "  -h, --help                          this text\n";

struct arguments {
    const char *job, *output, **override; /* override [argc] */
    int overrides;
};

static int parse(struct arguments *a, int argc, char **argv)
{
    static const struct option option[] = {
        {"output", required_argument, NULL, 'o'}, {"parameter", required_argument, NULL, 'P'}, {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int result;
    TRY(memory_alloc(&a->override, (size_t)argc, sizeof *a->override));
    optind = 0;
    opterr = 0;
    while ((result = getopt_long(argc, argv, ":o:P:h", option, NULL)) != -1) {
        switch (result) {
        case 'o': a->output = optarg; break;
        case 'P': a->override[a->overrides++] = optarg; break;
        default: return cmd_option_error(result, argv);
        }
    }
    if (a->output == NULL || argc - optind != 1)
        return status_fail(STATUS_INPUT, "fit: needs one job file and -o FILE; see siamese-nas fit --help");
    a->job = argv[optind];
    return STATUS_OK;
}

int cmd_fit(int argc, char **argv)
{
    struct arguments a = {0};
    struct job job;
    int status = status_agree(MPI_COMM_WORLD, parse(&a, argc, argv));
    if (status == STATUS_OK) status = job_read(&job, a.job, a.override, a.overrides, MPI_COMM_WORLD);
    if (status == STATUS_OK) {
        int lost = file_check_distinct(a.output, job.space);
        if (lost == STATUS_OK) lost = file_check_distinct(a.output, a.job);
        status = status_agree(MPI_COMM_WORLD, lost);
        if (status == STATUS_OK) status = experiment_fit(&job, a.output, MPI_COMM_WORLD);
        job_destroy(&job);
    }
    free(a.override);
    return status;
}
