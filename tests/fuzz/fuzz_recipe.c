/* Recipe files: overrides, one a line, then the file. */
#include "fuzz.h"

#include "recipe.h"

static const char *path;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    fuzz_mpi();
    path = fuzz_path("recipe.ini");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *list = fuzz_part(&data, &size), *rest = NULL;
    const char *override[32];
    int overrides = 0;
    struct recipe recipe;
    for (char *line = strtok_r(list, "\n", &rest); line != NULL && overrides < 32; line = strtok_r(NULL, "\n", &rest))
        override[overrides++] = line;
    fuzz_write(path, data, size);
    if (fuzz_status(recipe_read(&recipe, path, override, overrides, MPI_COMM_SELF), overrides > 0 ? "" : path) &&
        (training_epochs(&recipe.code) < 1 || training_epochs(&recipe.training) < 1 || training_used(&recipe.training, 1000) > 1000))
        fuzz_broken("a schedule out of range", recipe.parameters);
    recipe_destroy(&recipe);
    free(list);
    return 0;
}
