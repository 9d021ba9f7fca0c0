/* weights_fixture.h - what the tests of weight files share: predictors with random weights, and refusals. */
#ifndef WEIGHTS_FIXTURE_H
#define WEIGHTS_FIXTURE_H

#include "fixture.h"

#include "scratch.h"
#include "siamese_file.h"

#include <string.h>

enum { COUNT = 9 };

static struct random_stream stream;
static const char *path, *other;

static inline int make_folder(void **state)
{
    static char names[2][300];
    if (scratch_open(state) != 0) return -1;
    for (int i = 0; i < 2; i++) snprintf(names[i], sizeof names[i], "%s", scratch(i == 0 ? "weights" : "other"));
    path = names[0];
    other = names[1];
    return 0;
}

static const struct siamese_shape shapes[] = {
    {7, 11, 0, false, false, false, false}, {7, 11, 3, false, false, false, false}, {10, 9, 3, true, false, false, false},
    {1, 1, 1, true, true, false, false},    {32, 255, 7, false, true, false, false}, {7, 11, 3, false, false, true, true},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* A predictor with nothing at its initial value. */
static inline struct siamese *scrambled(const struct siamese_shape *shape)
{
    const struct siamese_training training = {.norm_epsilon = 1e-4};
    struct siamese *s;
    size_t count;
    assert_int_equal(siamese_create(&s, shape, &training, 0), STATUS_OK);
    struct siamese_array array[SIAMESE_ARRAYS_MAX];
    siamese_weights(s, &count);
    for (int i = siamese_arrays(array, s) - 1; i >= 0; i--) {
        size_t n = array[i].length[0] * (array[i].rank == 2 ? array[i].length[1] : 1);
        double low = strstr(array[i].name, "variance") != NULL ? 0.1 : -0.3;
        for (size_t k = 0; k < n; k++) array[i].value[k] = (real)(low + 0.6 * random_uniform(&stream));
    }
    return s;
}

static inline void expect_equal(struct siamese *a, struct siamese *b)
{
    const struct siamese_shape shape = *siamese_shape(a);
    size_t count, same;
    const struct siamese_shape *copy = siamese_shape(b);
    assert_true(shape.nodes == copy->nodes && shape.operations == copy->operations && shape.code_length == copy->code_length);
    assert_true(shape.nsam == copy->nsam && shape.efm_value_own == copy->efm_value_own);
    assert_true(shape.linear == copy->linear && shape.pruned == copy->pruned);
    assert_true(siamese_norm_epsilon(a) == siamese_norm_epsilon(b));
    const real *wa = siamese_weights(a, &count), *wb = siamese_weights(b, &same);
    assert_int_equal(count, same);
    assert_memory_equal(wa, wb, count * sizeof(real));

    struct cells cells = fixture_cells(COUNT, shape.nodes, shape.operations, &stream);
    const real *code = fixture_reals((size_t)(COUNT * (shape.code_length + 1)), 2, &stream);
    real first[COUNT], second[COUNT];
    siamese_fold(a);
    siamese_fold(b);
    for (int branch = 0; branch < (shape.code_length > 0 ? 2 : 1); branch++) {
        siamese_score(first, a, &cells, branch == 0 ? NULL : code);
        siamese_score(second, b, &cells, branch == 0 ? NULL : code);
        assert_memory_equal(first, second, sizeof first);
        assert_true(shape.linear || (first[2] > 0 && first[2] < 1));
    }
}

/* The file is refused: one message, which names the file, and nothing handed out. */
static inline void expect_refusal(const char *file, const char *mention)
{
    struct siamese *s = (struct siamese *)&stream; /* not NULL */
    char *vocabulary = (char *)&stream;
    status_clear();
    int status = siamese_file_read(&s, &vocabulary, file);
    if (status != STATUS_INPUT || strstr(status_message(), file) == NULL ||
        strstr(status_message(), mention) == NULL) {
        print_error("status %d with the message '%s', which should mention '%s'\n", status, status_message(), mention);
        fail();
    }
    assert_null(s);
    assert_null(vocabulary);
    status_clear();
}

static inline void put(const char *file, const char *bytes, size_t size)
{
    FILE *f = fopen(file, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

static inline void expect_truncated_refused(const char *whole)
{
    size_t size = 0;
    char *bytes = scratch_read(whole, &size);
    assert_non_null(bytes);
    while (size > 0 && bytes[size - 1] == 0) size--; /* padding may be missing */
    const size_t lengths[] = {0, 1, 7, 8, 100, 2048, size / 2, size - 1};
    for (int i = 0; i < 8; i++) {
        put(other, bytes, lengths[i]);
        expect_refusal(other, "");
    }
    free(bytes);
}

#endif
