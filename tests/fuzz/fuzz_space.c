/* Space files (plan.h). */
#include "plan.h"

#include "space_file.h"

static char path[300];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    snprintf(path, sizeof path, "%s.nc", fuzz_path("space"));
    return 0;
}

static void check(const struct space *s)
{
    if (space_checksum(s) != s->checksum) fuzz_broken("the checksum is another", path);
    for (int64_t i = 0; i < s->cells; i++) {
        if (s->graph_of != NULL && s->graph_of[i] >= s->graphs) fuzz_broken("no such graph", path);
        for (int v = 0; v < s->nodes; v++)
            if (s->operation[i * s->nodes + v] >= s->operations) fuzz_broken("no such operation", path);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct space space, part;
    const struct space_need need = {.code_length = 2, .signals = "flops<3"};
    if (plan_file(path, data, size) == 0) return -1;
    bool good = fuzz_status(space_file_read(&space, path), path);
    if (good) {
        check(&space);
        fuzz_status(space_filter(&space, "flops<35"), "filter");
    }
    if (fuzz_status(space_file_read_part(&part, path, &need), path) != good) fuzz_broken("read in part, but not as a whole", path);
    space_destroy(&part);
    space_destroy(&space);
    return 0;
}
