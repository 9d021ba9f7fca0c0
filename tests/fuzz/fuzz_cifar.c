/* CIFAR's binary files: the first byte says which labels are wanted and how the rest is stretched to whole records, since three
 * kilobytes of pixels an image are of no interest here. */
#include "fuzz.h"

#include "images.h"

enum { IMAGES_MOST = 40, RECORD_LONGEST = 3074 };
static char path[300];
static uint8_t file[IMAGES_MOST * RECORD_LONGEST];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    snprintf(path, sizeof path, "%s.bin", fuzz_path("images"));
    return 0;
}

/* Each byte or pair becomes the labels of a record. */
static size_t stretch(const uint8_t *data, size_t size, size_t labels)
{
    size_t length = 0;
    for (size_t i = 0; i + labels <= size && length + RECORD_LONGEST <= sizeof file; i += labels) {
        memcpy(file + length, data + i, labels);
        memset(file + length + labels, data[i], 3072);
        length += labels + 3072;
    }
    return length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct image_sets sets;
    char *train[2] = {path, path}, *test[1] = {path};
    if (size < 2) return 0;
    const int form = data[0] >> 1 & 3;
    struct images_source source = {.trains = 1 + (data[0] >> 3 & 1), .tests = data[0] >> 4 & 1, .train = train, .test = test,
                                   .coarse_labels = data[0] & 1, .validation = (data[1] & 15) / 16.0,
                                   .train_limit = data[1] >> 4, .seed = data[1]};
    data += 2, size -= 2;
    if (form == 0) fuzz_write(path, data, size);
    else fuzz_write(path, file, stretch(data, size, form == 1 ? 1 : 2));
    if (fuzz_status(images_read(&sets, &source), path))
        for (int64_t i = 0; i < sets.train.count; i++)
            if (sets.train.label[i] < 0 || sets.train.label[i] >= sets.train.classes) fuzz_broken("a label out of range", path);
    images_destroy(&sets);
    return 0;
}
