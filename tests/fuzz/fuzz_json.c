/* JSON cells: a vocabulary and a number of nodes in a line each, or empty lines, then the file. */
#include "fuzz.h"

#include "import.h"

static const char *path;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    path = fuzz_path("cells.json");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *head = fuzz_part(&data, &size), *nodes = strchr(head, '\n');
    struct space space;
    if (nodes != NULL) *nodes++ = '\0';
    const struct import_json_options options = {.vocabulary = head[0] != '\0' ? head : NULL,
                                                .nodes = nodes == NULL ? 0 : (nodes[0] & 63) % 33};
    fuzz_write(path, data, size);
    if (fuzz_status(import_json_cells(&space, path, &options), path) && space_checksum(&space) != space.checksum)
        fuzz_broken("the checksum is another", path);
    space_destroy(&space);
    free(head);
    return 0;
}
