/* Results files that a restarted job finds: where they lie (a byte: under the final name or as part), then a text (plan.h). */
#include "mend.h"

#include "log.h"
#include "results.h"

static char path[300], part[300];
static bool finished[16];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    snprintf(path, sizeof path, "%s.nc", fuzz_path("restart"));
    snprintf(part, sizeof part, "%s.part", path);
    log_open(1); /* silent */
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char parameters[] = "training.batch = 8\nevaluation.K = 1\n", name[] = "one";
    static int n[] = {8, 12};
    static char *dataset[] = {name};
    static struct method method = {PREDICTOR_NAIVE, SAMPLER_RANDOM};
    const struct job job = {.output = path, .parameters = parameters, .datasets = 1, .dataset = dataset, .methods = 1, .method = &method,
                            .budgets = 2, .n = n, .trials = 3, .first_trial = 1};
    const struct grid grid = {1, 1, 2, 3, 6};
    const struct results_plan plan = {.job = &job, .grid = &grid, .file_checksum = 0x1234abcd, .file_cells = 7};
    enum results_state state;
    if (size < 1) return -1;
    unlink(path);
    unlink(part);
    const char *file = data[0] & 1 ? path : part;
    if (plan_file(file, data + 1, size - 1) == 0) return -1;
    mend_file(file);
    memset(finished, 0, sizeof finished);
    fuzz_status(results_inspect(&state, finished, &plan), path);
    for (size_t i = 0; i < sizeof finished; i++)
        if (finished[i] && (state != RESULTS_PART || i >= 6)) fuzz_broken("a unit that is not there is finished", path);
    return 0;
}
