/* Aligned memory, and the workspace that is one allocation. */
#include "memory.h"
#include "status.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

static bool aligned(const void *p)
{
    return (uintptr_t)p % 64 == 0;
}

static void expect_zero(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) assert_int_equal(p[i], 0);
}

static void test_alloc(void **state)
{
    (void)state;
    const size_t counts[] = {1, 3, 63, 64, 65, 1000};
    for (int round = 0; round < 20; round++) /* memory that was used before is zeroed too */
        for (int i = 0; i < 6; i++)
            for (size_t size = 1; size <= 24; size += 7) {
                char *p = NULL;
                assert_int_equal(memory_alloc(&p, counts[i], size), STATUS_OK);
                assert_true(p != NULL && aligned(p));
                expect_zero(p, counts[i] * size);
                memset(p, 0xa5, counts[i] * size);
                free(p);
            }
}

static void test_grow(void **state)
{
    (void)state;
    int *list = NULL;
    size_t used = 0;
    for (size_t count = 1; count < 5000; count = 3 * count + 1) {
        assert_int_equal(memory_grow(&list, used, count, sizeof *list), STATUS_OK);
        assert_true(aligned(list));
        for (size_t i = 0; i < used; i++) assert_int_equal(list[i], 7 * i);
        expect_zero((const char *)(list + used), (count - used) * sizeof *list);
        for (size_t i = used; i < count; i++) list[i] = (int)(7 * i);
        used = count;
    }
    const int *before = list;
    assert_int_equal(memory_grow(&list, used, SIZE_MAX, sizeof *list), STATUS_FAILURE);
    status_clear();
    assert_true(list == before && list[used - 1] == (int)(7 * (used - 1)));
    free(list);
}

static void test_nothing(void **state)
{
    (void)state;
    void *none = NULL, *sizeless = NULL;
    assert_int_equal(memory_alloc(&none, 0, 8), STATUS_OK);
    assert_int_equal(memory_alloc(&sizeless, 8, 0), STATUS_OK);
    assert_true(none != NULL && sizeless != NULL && none != sizeless);
    free(none);
    free(sizeless);
}

/* Products that leave size_t, by far or by the last rounding; what was in the pointer is gone. */
static void test_overflow(void **state)
{
    (void)state;
    static const size_t impossible[][2] = {
        {SIZE_MAX, 2}, {2, SIZE_MAX}, {SIZE_MAX / 2 + 1, 2}, {SIZE_MAX / 8 + 1, 8}, {SIZE_MAX, SIZE_MAX},
        {SIZE_MAX, 1}, {SIZE_MAX - 1, 1},
    };
    for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++) {
        void *p = &p;
        status_clear();
        assert_int_equal(memory_alloc(&p, impossible[i][0], impossible[i][1]), STATUS_FAILURE);
        assert_null(p);
        assert_string_not_equal(status_message(), "");
    }
#ifndef __SANITIZE_ADDRESS__ /* which would end the program instead of returning NULL */
    void *p = &p;
    status_clear();
    assert_int_equal(memory_alloc(&p, SIZE_MAX / 16, 8), STATUS_FAILURE);
    assert_null(p);
    assert_non_null(strstr(status_message(), "out of memory"));
#endif
    status_clear();
}

static void test_text(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "a", "a text with \xc3\xa4 and a\nnew line"};
    for (int i = 0; i < 3; i++) {
        char *copy = NULL;
        assert_int_equal(memory_copy_text(&copy, texts[i]), STATUS_OK);
        assert_string_equal(copy, texts[i]);
        assert_true(copy != texts[i]);
        free(copy);
    }
}

static void expect_joined(const char *const *text, int count, const char *between, const char *expected)
{
    char *joined = NULL;
    assert_int_equal(memory_join(&joined, text, count, between), STATUS_OK);
    assert_string_equal(joined, expected);
    free(joined);
}

static void test_join(void **state)
{
    (void)state;
    static const char *const names[] = {"none", "", "skip"};
    expect_joined(names, 3, " ", "none  skip");
    expect_joined(names, 3, "", "noneskip");
    expect_joined(names, 3, "::", "none::::skip");
    expect_joined(names, 1, " ", "none");
    expect_joined(names, 0, " ", "");
}

struct arrays {
    char *bytes;
    double *numbers;
    void *nothing;
    int64_t *more;
};

static void take(struct arrays *a, struct workspace *w)
{
    a->bytes = workspace_take(w, 65, 1);
    a->numbers = workspace_take(w, 9, sizeof *a->numbers);
    a->nothing = workspace_take(w, 0, 8);
    a->more = workspace_take(w, 8, sizeof *a->more);
}

static void test_workspace(void **state)
{
    (void)state;
    struct workspace w = {0};
    struct arrays a;
    take(&a, &w);
    assert_true(a.bytes == NULL && a.numbers == NULL && a.more == NULL);
    assert_int_equal(w.used, 128 + 128 + 0 + 64);
    assert_int_equal(workspace_open(&w), STATUS_OK);
    assert_int_equal(w.size, 320);
    assert_int_equal(w.used, 0);
    expect_zero(w.base, w.size);
    take(&a, &w);
    assert_true(aligned(a.bytes) && aligned(a.numbers) && aligned(a.more));
    memset(a.bytes, 1, 65); /* the arrays do not overlap, and lie within the allocation */
    for (int i = 0; i < 9; i++) a.numbers[i] = i;
    for (int i = 0; i < 8; i++) a.more[i] = -1;
    for (int i = 0; i < 65; i++) assert_int_equal(a.bytes[i], 1);
    for (int i = 0; i < 9; i++) assert_true(a.numbers[i] == i);
    assert_int_equal(w.used, w.size);
    assert_true((char *)(a.more + 8) <= w.base + w.size);
    workspace_close(&w);
    assert_true(w.base == NULL && w.used == 0 && w.size == 0);
    workspace_close(&w); /* twice does no harm */

    take(&a, &w); /* and it may be used again */
    assert_int_equal(workspace_open(&w), STATUS_OK);
    take(&a, &w);
    expect_zero(a.bytes, 65);
    workspace_close(&w);
}

/* The peak is in bytes and knows of memory that was touched and released. */
static void test_peak(void **state)
{
    (void)state;
    const size_t size = (size_t)64 << 20;
    const int64_t before = memory_peak();
    char *p;
    assert_in_range(before, 100 << 10, (uint64_t)1 << 40);
    assert_int_equal(memory_alloc(&p, size, 1), STATUS_OK);
    for (size_t i = 0; i < size; i += 1024) p[i] = 1;
    free(p);
    assert_true(memory_peak() >= (int64_t)size && memory_peak() >= before);
}

/* A limit of this process counts as well as what the machine has left. */
static void test_available(void **state)
{
    (void)state;
    struct rlimit whole, small;
    const int64_t before = memory_available();
    assert_true(before > 1 << 20);
    assert_int_equal(getrlimit(RLIMIT_AS, &whole), 0);
    small = whole;
    small.rlim_cur = (rlim_t)1 << 20; /* less than there is already */
    assert_int_equal(setrlimit(RLIMIT_AS, &small), 0);
    const int64_t none = memory_available();
    assert_int_equal(setrlimit(RLIMIT_AS, &whole), 0);
    assert_int_equal(none, 0);
}

/* Room is asked for, not taken. */
static void test_require(void **state)
{
    (void)state;
    struct rlimit whole, small;
    const size_t size = (size_t)64 << 20, large = (size_t)16 << 30;
    for (int i = 0; i < 1 << 14; i++) assert_int_equal(memory_require(large, "a library"), STATUS_OK); /* in all more than there are addresses */
    assert_int_equal(memory_require(SIZE_MAX / 2, "a library"), STATUS_FAILURE);
    status_clear();
    assert_int_equal(getrlimit(RLIMIT_AS, &whole), 0);
    small = whole;
    small.rlim_cur = (rlim_t)1 << 20;
    assert_int_equal(setrlimit(RLIMIT_AS, &small), 0);
    const int status = memory_require(size, "a library");
    assert_int_equal(setrlimit(RLIMIT_AS, &whole), 0);
    assert_int_equal(status, STATUS_FAILURE);
    assert_string_equal(status_message(), "out of memory: a library takes up to 64 MiB, which are not to be had");
    status_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alloc), cmocka_unit_test(test_grow), cmocka_unit_test(test_nothing), cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_text), cmocka_unit_test(test_join), cmocka_unit_test(test_workspace), cmocka_unit_test(test_peak),
        cmocka_unit_test(test_available), cmocka_unit_test(test_require),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
