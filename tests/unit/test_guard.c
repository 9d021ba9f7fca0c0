/* A library that dies of a damaged file: a message that names it, and the exit status of wrong input; before and behind that a crash
 * is a crash. */
#include "guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "child.h"
#include "scratch.h"
#include "status.h"

static void write_to_log(void)
{
    EXPECT(freopen(scratch("log"), "w", stderr) != NULL);
}

static void crash_inside(void *number)
{
    write_to_log();
    guard_begin("some/file.nc");
    raise(*(int *)number);
    _exit(77);
}

static void crash_behind(void *number)
{
    write_to_log();
    signal(*(int *)number, SIG_DFL); /* sanitizers have their own */
    guard_begin("some/file.nc");
    guard_end();
    raise(*(int *)number);
    _exit(77);
}

static void crash_once_more(void *number)
{
    write_to_log();
    guard_begin("first.nc");
    guard_end();
    guard_begin("second.nc");
    raise(*(int *)number);
    _exit(77);
}

static void expect_message(pid_t child, const char *message)
{
    const int how = child_end(child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), STATUS_INPUT);
    char *log = scratch_read(scratch("log"), NULL);
    assert_non_null(log);
    assert_string_equal(log, message);
    free(log);
}

static void test_crashes(void **state)
{
    (void)state;
    int number[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
    for (size_t i = 0; i < sizeof number / sizeof *number; i++) {
        expect_message(child_start(crash_inside, &number[i]), "siamese-nas: error: some/file.nc: damaged, the library that reads it "
                       "has crashed; put back a whole copy, or remove it\n");
        expect_message(child_start(crash_once_more, &number[i]), "siamese-nas: error: second.nc: damaged, the library that reads it "
                       "has crashed; put back a whole copy, or remove it\n");
        const int how = child_end(child_start(crash_behind, &number[i]));
        assert_true(WIFSIGNALED(how) && WTERMSIG(how) == number[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_crashes)};
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
