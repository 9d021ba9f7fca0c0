/* What makes a run stop: signals, the clock, a file. Each case in a process of its own. */
#include "stop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "child.h"
#include "scratch.h"
#include "status.h"

static void passes(void (*body)(void *))
{
    assert_true(child_good(child_start(body, NULL)));
}

static bool reason_is(const char *reason)
{
    if (strcmp(stop_reason(), reason) == 0) return true;
    fprintf(stderr, "reason '%s' instead of '%s'\n", stop_reason(), reason);
    return false;
}

static void set_end(double from_now)
{
    char text[40];
    snprintf(text, sizeof text, "%.0f", (double)time(NULL) + from_now);
    setenv("SLURM_JOB_END_TIME", text, 1);
}

static void make_file(const char *name)
{
    FILE *f = fopen(name, "w");
    EXPECT(f != NULL && fclose(f) == 0);
}

static void wait_a_look(void)
{
    const struct timespec longer_than_between_looks = {.tv_sec = 1, .tv_nsec = 200 * 1000 * 1000};
    nanosleep(&longer_than_between_looks, NULL);
}

/* -- signals ------------------------------------------------------------------------------------------------------ */

static void nobody_asks(void *nothing)
{
    (void)nothing;
    setenv("SLURM_JOB_END_TIME", "no time at all", 1); /* nobody asked for it */
    EXPECT(!stop_wanted());
    EXPECT(stop_open(true, -1) == STATUS_OK);
    EXPECT(!stop_wanted() && reason_is(""));
    wait_a_look();
    EXPECT(!stop_wanted() && reason_is(""));
}

static void sigterm(void *nothing)
{
    (void)nothing;
    EXPECT(stop_open(false, -1) == STATUS_OK);
    raise(SIGTERM);
    EXPECT(stop_wanted() && reason_is(" (SIGTERM)"));
    EXPECT(stop_wanted());
    raise(SIGUSR1); /* changes nothing any more */
    EXPECT(stop_wanted() && reason_is(" (SIGTERM)"));
}

static void sigterm_once_more(void *nothing)
{
    (void)nothing;
    EXPECT(stop_open(false, -1) == STATUS_OK);
    raise(SIGTERM);
    raise(SIGTERM); /* Slurm sends two in a row */
    EXPECT(stop_wanted());
    const struct timespec pause = {.tv_sec = 2};
    nanosleep(&pause, NULL);
    raise(SIGTERM);
    _exit(3); /* too far */
}

static void sigusr1(void *nothing)
{
    (void)nothing;
    EXPECT(stop_open(true, -1) == STATUS_OK);
    for (int i = 0; i < 3; i++) raise(SIGUSR1); /* Slurm may send it again */
    EXPECT(stop_wanted() && reason_is(" (SIGUSR1)"));
    raise(SIGTERM);
    EXPECT(stop_wanted() && reason_is(" (SIGUSR1)"));
}

/* A read that a signal interrupts goes on: libraries do not expect EINTR everywhere. */
static void calls_go_on(void *nothing)
{
    (void)nothing;
    int end[2];
    char byte = 0;
    EXPECT(pipe(end) == 0 && stop_open(false, -1) == STATUS_OK);
    const pid_t reader = getpid(), writer = fork();
    if (writer == 0) {
        const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
        nanosleep(&pause, NULL);
        kill(reader, SIGUSR1);
        nanosleep(&pause, NULL);
        _exit(write(end[1], "x", 1) != 1);
    }
    EXPECT(read(end[0], &byte, 1) == 1 && byte == 'x');
    EXPECT(stop_wanted());
    EXPECT(child_good(writer));
}

static void test_signals(void **state)
{
    (void)state;
    passes(nobody_asks);
    passes(sigterm);
    passes(sigusr1);
    passes(calls_go_on);
    const int how = child_end(child_start(sigterm_once_more, NULL));
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGTERM);
}

/* -- another rank, and a new run ------------------------------------------------------------------------------------ */

static void other_rank(void *nothing)
{
    (void)nothing;
    EXPECT(stop_open(false, -1) == STATUS_OK);
    stop_want();
    EXPECT(stop_wanted() && reason_is(""));
    EXPECT(stop_open(false, -1) == STATUS_OK);
    EXPECT(!stop_wanted()); /* forgotten */
    raise(SIGUSR1);
    stop_want();
    EXPECT(stop_wanted() && reason_is(" (SIGUSR1)")); /* its own reason is better than none */
}

static void test_other_rank(void **state)
{
    (void)state;
    passes(other_rank);
}

/* -- the clock ------------------------------------------------------------------------------------------------------ */

static void time_limit(void *nothing)
{
    (void)nothing;
    set_end(1000);
    EXPECT(stop_open(true, 900) == STATUS_OK);
    EXPECT(!stop_wanted());
    EXPECT(stop_open(true, 1100) == STATUS_OK);
    EXPECT(stop_wanted() && reason_is(" (1100 s before the job's time limit)"));
    EXPECT(stop_open(false, 1100) == STATUS_OK);
    EXPECT(!stop_wanted()); /* the watching is left to another rank */
    set_end(-1);
    EXPECT(stop_open(true, 0) == STATUS_OK);
    EXPECT(stop_wanted());
    set_end(12);
    EXPECT(stop_open(true, 10) == STATUS_OK);
    EXPECT(!stop_wanted());
    wait_a_look(); /* two seconds pass */
    wait_a_look();
    EXPECT(stop_wanted() && reason_is(" (10 s before the job's time limit)"));
}

static void no_time(void *nothing)
{
    (void)nothing;
    unsetenv("SLURM_JOB_END_TIME");
    EXPECT(stop_open(true, 60) == STATUS_INPUT);
    EXPECT(strstr(status_message(), "SLURM_JOB_END_TIME") != NULL && strstr(status_message(), "--stop-before") != NULL);
    for (int rank0 = 0; rank0 < 2; rank0++) {
        const char *const wrong[] = {"", "soon", "12 o'clock", "2026-11-22T12:00:00", "inf", "nan", "1e999"};
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
            status_clear();
            setenv("SLURM_JOB_END_TIME", wrong[i], 1);
            EXPECT(stop_open(rank0, 60) == STATUS_INPUT);
            EXPECT(strstr(status_message(), wrong[i]) != NULL && strstr(status_message(), "no time in seconds since 1970") != NULL);
        }
    }
}

static void test_clock(void **state)
{
    (void)state;
    passes(time_limit);
    passes(no_time);
}

/* -- the file --------------------------------------------------------------------------------------------------------- */

static void stop_file(void *nothing)
{
    (void)nothing;
    EXPECT(chdir(scratch_folder) == 0);
    EXPECT(stop_open(true, -1) == STATUS_OK);
    EXPECT(!stop_wanted());
    make_file("stop");
    wait_a_look();
    EXPECT(stop_wanted() && reason_is(" (there is a file named stop: remove it first)"));
    EXPECT(stop_open(false, -1) == STATUS_OK);
    EXPECT(!stop_wanted()); /* one rank looks, not thousands */
    EXPECT(stop_open(true, -1) == STATUS_OK);
    EXPECT(stop_wanted()); /* there before the start */
    EXPECT(unlink("stop") == 0);
    EXPECT(stop_wanted()); /* too late */
    EXPECT(stop_open(true, -1) == STATUS_OK);
    EXPECT(!stop_wanted());
}

static void test_file(void **state)
{
    (void)state;
    passes(stop_file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signals), cmocka_unit_test(test_other_rank), cmocka_unit_test(test_clock), cmocka_unit_test(test_file),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
