/* Weights of predictors, this program's and Keras' (plan.h). */
#include "plan.h"

#include "siamese_file.h"

static char path[300];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    snprintf(path, sizeof path, "%s.nc", fuzz_path("weights"));
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char conv[] = "conv", output[] = "output";
    char *const name[] = {conv, output};
    struct siamese *siamese;
    char *vocabulary;
    if (plan_file(path, data, size) == 0) return -1;
    if (fuzz_status(siamese_file_read(&siamese, &vocabulary, path), path) && vocabulary != NULL)
        fuzz_status(siamese_renumber(&siamese, vocabulary, name, 2, path), path);
    siamese_destroy(&siamese);
    free(vocabulary);
    return 0;
}
