/* Image files in NetCDF: the first byte says what is wanted of them, a text (plan.h) follows. */
#include "plan.h"

#include "images.h"

static char path[300];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    snprintf(path, sizeof path, "%s.nc", fuzz_path("images"));
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct image_sets sets;
    char *file[1] = {path};
    if (size < 1) return -1;
    const struct images_source source = {.trains = 1, .tests = data[0] >> 4 & 1, .train = file, .test = file,
                                         .coarse_labels = data[0] >> 7, .validation = (data[0] & 3) / 4.0,
                                         .train_limit = data[0] >> 2 & 3, .seed = 1};
    if (plan_file(path, data + 1, size - 1) == 0) return -1;
    if (fuzz_status(images_read(&sets, &source), path))
        for (int64_t i = 0; i < sets.train.count; i++)
            if (sets.train.label[i] < 0 || sets.train.label[i] >= sets.train.classes) fuzz_broken("a label out of range", path);
    images_destroy(&sets);
    return 0;
}
