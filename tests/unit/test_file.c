/* Whole files, and names of files. A kill in the middle of writing is in tests/property/faults.sh. */
#include "file.h"

#include "scratch.h"
#include "status.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <sys/stat.h>
#include <cmocka.h>

static void expect(const char *path, const char *text)
{
    char *found = scratch_read(path, NULL);
    assert_non_null(found);
    assert_string_equal(found, text);
    free(found);
}

static void test_write(void **state)
{
    (void)state;
    char *draft;
    const char *path = scratch("whole");
    assert_int_equal(file_write(path, "one", 3), STATUS_OK);
    expect(path, "one");
    assert_int_equal(file_write(path, "the second", 10), STATUS_OK);
    expect(path, "the second");
    assert_int_equal(file_write(path, "", 0), STATUS_OK);
    expect(path, "");
    assert_int_equal(file_draft(&draft, path), STATUS_OK);
    assert_int_not_equal(access(draft, F_OK), 0);
    free(draft);
}

/* What is there stays, and nothing is left beside it. */
static void test_no_file(void **state)
{
    (void)state;
    const char *folder = scratch("folder"), *kept = scratch_write("kept", "old"), *link = scratch("link");
    assert_int_equal(mkdir(folder, 0777), 0);
    assert_int_equal(symlink(kept, link), 0);
    const char *const path[] = {folder, link, scratch("nowhere/file")};
    for (int i = 0; i < 3; i++) {
        char *draft;
        assert_int_equal(file_write(path[i], "new", 3), STATUS_FAILURE);
        assert_non_null(strstr(status_message(), path[i]));
        status_clear();
        assert_int_equal(file_draft(&draft, path[i]), STATUS_OK);
        assert_int_not_equal(access(draft, F_OK), 0);
        free(draft);
    }
    expect(kept, "old");
}

static void test_same(void **state)
{
    (void)state;
    const char *a = scratch_write("a", "text"), *b = scratch_write("b", "text"), *link = scratch("also a"), *none = scratch("none");
    assert_int_equal(symlink(a, link), 0);
    assert_true(file_same(a, a) && file_same(a, link));
    assert_false(file_same(a, b) || file_same(a, none) || file_same(none, none));
    assert_int_equal(file_check_distinct(a, b), STATUS_OK);
    assert_int_equal(file_check_distinct(NULL, a), STATUS_OK);
    assert_int_equal(file_check_distinct(a, NULL), STATUS_OK);
    assert_int_equal(file_check_distinct(link, a), STATUS_INPUT);
    status_clear();
}

static void test_folder(void **state)
{
    (void)state;
    static const char *const expected[][2] = {
        {"x.nc", "."}, {"a/x.nc", "a"}, {"/x.nc", "/"}, {"/a/b/x.nc", "/a/b"}, {"../x.nc", ".."}, {"./x.nc", "."}, {"a//x.nc", "a/"},
    };
    char folder[PATH_MAX];
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        file_folder(folder, expected[i][0]);
        assert_string_equal(folder, expected[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write), cmocka_unit_test(test_no_file), cmocka_unit_test(test_same), cmocka_unit_test(test_folder),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
