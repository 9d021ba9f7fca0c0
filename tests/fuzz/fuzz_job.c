/* Job files: overrides, one a line, then the file. */
#include "fuzz.h"

#include "grid.h"
#include "job.h"

static const char *path;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    fuzz_mpi();
    path = fuzz_path("job.ini");
    return 0;
}

/* What the job says in other words must mean the same. */
static void read_again(const struct job *j)
{
    struct job again;
    const char *override[128];
    int overrides = 0;
    char *copy = strdup(j->parameters), *rest = NULL;
    if (copy == NULL) abort();
    for (char *line = strtok_r(copy, "\n", &rest); line != NULL && overrides < 128; line = strtok_r(NULL, "\n", &rest))
        override[overrides++] = line;
    fuzz_write(path, "", 0);
    if (!fuzz_status(job_read(&again, path, override, overrides, MPI_COMM_SELF), "")) fuzz_broken("refused", j->parameters);
    if (strcmp(again.parameters, j->parameters) != 0) fuzz_broken("parameters change", again.parameters);
    free(copy);
    job_destroy(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *list = fuzz_part(&data, &size), *rest = NULL;
    const char *override[32];
    int overrides = 0;
    struct job job;
    struct grid grid;
    for (char *line = strtok_r(list, "\n", &rest); line != NULL && overrides < 32; line = strtok_r(NULL, "\n", &rest))
        override[overrides++] = line;
    fuzz_write(path, data, size);
    if (fuzz_status(job_read(&job, path, override, overrides, MPI_COMM_SELF), overrides > 0 ? "" : path)) {
        fuzz_status(grid_create(&grid, &job), "");
        read_again(&job);
    }
    job_destroy(&job);
    free(list);
    return 0;
}
