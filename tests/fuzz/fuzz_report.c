/* Results files as report, with and without --trial, and merge read them: one or two (plan.h), with "----" between. */
#include "mend.h"

#include "explain.h"
#include "log.h"
#include "report.h"
#include "results_merge.h"

static char paths[2][300];
static FILE *nowhere;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    for (int i = 0; i < 2; i++) snprintf(paths[i], sizeof paths[i], "%s-%d.nc", fuzz_path("results"), i);
    nowhere = fopen("/dev/null", "w");
    log_open(1); /* silent */
    return nowhere == NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path[2] = {paths[0], paths[1]};
    static const int k[] = {1, 3};
    struct report report;
    int files = 0;
    while (files < 2 && (files == 0 || size > 0)) {
        const size_t before = size;
        char *text = fuzz_part(&data, &size);
        if (plan_file(path[files], (const uint8_t *)text, strlen(text)) > 0) mend_file(path[files++]);
        free(text);
        if (before == size) break;
    }
    if (files == 0) return -1;
    if (fuzz_status(report_read(&report, path, files, NULL, 0), "results")) {
        report_print(nowhere, &report);
        report_csv(nowhere, &report);
    }
    report_destroy(&report);
    fuzz_status(report_read(&report, path, files, k, 2), "results");
    report_destroy(&report);
    struct explanation explanation;
    if (fuzz_status(explain_read(&explanation, path[0], &(struct explain_choice){.trial = 1}), "results")) {
        explain_print(nowhere, &explanation, false);
        explain_destroy(&explanation);
    }
    if (files == 2) {
        static char merged[320];
        snprintf(merged, sizeof merged, "%s.merged.nc", path[0]);
        fuzz_status(results_merge(merged, path, files, 0, "fuzz"), "results");
        unlink(merged);
    }
    return 0;
}
