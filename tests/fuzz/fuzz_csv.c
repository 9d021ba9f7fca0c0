/* Tables: the mapping of columns, --column options one a line, a filter, then the table itself. Without a mapping the built-in one. */
#include "fuzz.h"

#include "import.h"
#include "log.h"

static const char *path;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    path = fuzz_path("table.csv");
    log_open(1); /* silent */
    return 0;
}

static bool set_columns(struct columns *c, const char *mapping, char *options)
{
    char *rest = NULL;
    if (!fuzz_status(columns_parse(c, mapping[0] != '\0' ? mapping : columns_nas_bench_201, "mapping.ini"), "mapping.ini")) return false;
    for (char *line = strtok_r(options, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        if (!fuzz_status(columns_set(c, line), "--column")) return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *mapping = fuzz_part(&data, &size), *options = fuzz_part(&data, &size), *filter = fuzz_part(&data, &size);
    struct columns columns = {0};
    struct space space = {0};
    fuzz_write(path, data, size);
    if (set_columns(&columns, mapping, options) && fuzz_status(import_csv(&space, path, &columns), "")) {
        if (space_checksum(&space) != space.checksum) fuzz_broken("the checksum is another", path);
        fuzz_status(space_filter(&space, filter), "filter");
    }
    space_destroy(&space);
    columns_destroy(&columns);
    free(filter);
    free(options);
    free(mapping);
    return 0;
}
