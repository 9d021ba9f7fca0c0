/* One run at a time on one output: who is refused, who takes over, and when; with the kernel's locks, without, and with such as
 * count on one machine only. */
#include "../../src/base/lock_internal.h"

#include <errno.h>
#include <fcntl.h>
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
#include "stop.h"
#include "timer.h"

static int refused_by_kernel(int file)
{
    (void)file;
    return ENOLCK;
}

/* As with mounts whose locks are known on their own machine only: another machine's lock is no hindrance. */
static int granted_by_kernel(int file)
{
    (void)file;
    return 0;
}

/* Seconds are shortened, and where a test must not end by silence they are long. */
static const struct lock_manner
    signs = {.sign_every = 0.05, .silent_for = 2, .stale_after = 3600, .lock = refused_by_kernel},
    signs_elsewhere = {.sign_every = 0.05, .silent_for = 2, .stale_after = 3600, .lock = refused_by_kernel, .host = "elsewhere"},
    patient = {.sign_every = 0.05, .silent_for = 1000, .stale_after = 3600, .lock = refused_by_kernel},
    local = {.sign_every = 0.05, .silent_for = 2, .stale_after = 3600, .lock = granted_by_kernel},
    local_elsewhere = {.sign_every = 0.05, .silent_for = 2, .stale_after = 3600, .lock = granted_by_kernel, .host = "elsewhere"};

static int take_as(struct lock **l, const char *path, double wait, const struct lock_manner *manner)
{
    status_clear();
    return manner == NULL ? lock_take(l, path, wait) : lock_take_as(l, path, wait, manner);
}

static void nap(void)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    nanosleep(&pause, NULL);
}

static bool lock_is_there(const char *path)
{
    char name[400];
    snprintf(name, sizeof name, "%s.lock", path);
    return access(name, F_OK) == 0;
}

static bool says(const char *words)
{
    if (strstr(status_message(), words) != NULL) return true;
    fprintf(stderr, "'%s' should say '%s'\n", status_message(), words);
    return false;
}

/* "process 12 on HOST" */
static bool names(pid_t process, const char *host)
{
    char words[400], own[256] = "";
    gethostname(own, sizeof own - 1);
    snprintf(words, sizeof words, "process %ld on %s; let it end, wait for it with --wait=SECONDS", (long)process,
             host != NULL ? host : own);
    return says(words);
}

/* -- another process that has the lock ------------------------------------------------------------------------------ */

struct holder {
    const char *path;
    const struct lock_manner *manner; /* NULL: the usual one */
    double seconds;                   /* until it releases the lock and ends; 0: until it is killed */
    int ready;
};

static void hold(void *argument)
{
    const struct holder *h = argument;
    struct lock *l;
    EXPECT(take_as(&l, h->path, 0, h->manner) == STATUS_OK);
    EXPECT(write(h->ready, "x", 1) == 1);
    for (const double until = timer_now() + h->seconds; h->seconds == 0 || timer_now() < until;) {
        lock_touch(l);
        nap();
    }
    lock_release(&l);
}

/* Returns when it has the lock. */
static pid_t start_holder(const char *path, const struct lock_manner *manner, double seconds)
{
    int end[2];
    char byte;
    assert_int_equal(pipe(end), 0);
    struct holder h = {path, manner, seconds, end[1]};
    const pid_t pid = child_start(hold, &h);
    close(end[1]);
    assert_int_equal(read(end[0], &byte, 1), 1);
    close(end[0]);
    return pid;
}

static void kill_holder(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_true(WIFSIGNALED(child_end(pid)));
}

/* -- by the kernel -------------------------------------------------------------------------------------------------- */

static void test_take_and_release(void **state)
{
    (void)state;
    const char *path = scratch("free.nc");
    for (int i = 0; i < 3; i++) {
        struct lock *l;
        assert_int_equal(take_as(&l, path, 0, i == 2 ? &signs : NULL), STATUS_OK);
        assert_true(lock_is_there(path));
        lock_touch(l);
        lock_release(&l);
        assert_null(l);
        assert_false(lock_is_there(path));
        lock_release(&l);
    }
    lock_touch(NULL);
}

/* Whatever the way of locking: the second is refused, and has the lock at once when the first is killed. */
static void test_second_is_refused(void **state)
{
    (void)state;
    const struct lock_manner *const manner[] = {NULL, &patient};
    for (int i = 0; i < 2; i++) {
        struct lock *l;
        const char *path = scratch("second.nc");
        const struct lock_manner *mine = manner[i];
        const pid_t owner = start_holder(path, mine, 0);
        assert_int_equal(take_as(&l, path, 0, mine), STATUS_FAILURE);
        assert_null(l);
        assert_true(names(owner, NULL) && says("second.nc is being written by another run"));
        assert_int_equal(take_as(&l, path, 0.3, mine), STATUS_FAILURE); /* waiting is not enough */
        assert_true(names(owner, NULL));
        assert_true(lock_is_there(path)); /* it was not taken away */
        kill_holder(owner);
        assert_true(lock_is_there(path));
        assert_int_equal(take_as(&l, path, 0, mine), STATUS_OK);
        lock_release(&l);
        assert_false(lock_is_there(path));
    }
}

static void test_waiting(void **state)
{
    (void)state;
    const struct lock_manner *const manner[] = {NULL, &patient};
    for (int i = 0; i < 2; i++) {
        struct lock *l;
        const char *path = scratch("wait.nc");
        const pid_t owner = start_holder(path, manner[i], 0.5);
        assert_int_equal(take_as(&l, path, 1000, manner[i]), STATUS_OK);
        assert_true(child_good(owner));
        assert_true(lock_is_there(path));
        lock_release(&l);
    }
}

static void stop_waiting(void *path)
{
    struct lock *l;
    EXPECT(stop_open(false, -1) == STATUS_OK);
    raise(SIGUSR1);
    EXPECT(lock_take(&l, path, 1000) == STATUS_STOPPED && l == NULL);
    EXPECT(says("stopped cleanly (SIGUSR1) while waiting for another run on"));
}

static void test_waiting_is_stopped(void **state)
{
    (void)state;
    char path[300];
    snprintf(path, sizeof path, "%s", scratch("stopped.nc"));
    const pid_t owner = start_holder(path, NULL, 0);
    assert_true(child_good(child_start(stop_waiting, path)));
    kill_holder(owner);
}

static void test_what_is_left_behind(void **state)
{
    (void)state;
    struct lock *l;
    const char *path = scratch("left.nc");
    const char *const text[] = {"", "rubbish", "a host but no number", "host 0 place\n", "host -1 place\n"};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        scratch_write("left.nc.lock", text[i]);
        assert_int_equal(take_as(&l, path, 0, NULL), STATUS_OK);
        lock_release(&l);
        assert_false(lock_is_there(path));
    }
    /* removed only when nobody has it */
    lock_clear(path);
    assert_false(lock_is_there(path));
    const pid_t owner = start_holder(path, NULL, 0);
    lock_clear(path);
    assert_true(lock_is_there(path));
    kill_holder(owner);
    lock_clear(path);
    assert_false(lock_is_there(path));
    lock_clear(scratch("no/such/folder/x.nc"));
    assert_string_equal(status_message(), "");
}

static void test_no_place_for_it(void **state)
{
    (void)state;
    struct lock *l;
    assert_int_equal(take_as(&l, scratch("no/such/folder/x.nc"), 0, NULL), STATUS_FAILURE);
    assert_null(l);
    assert_true(says("x.nc.lock: cannot open this lock of the output: No such file or directory; is the folder writable?"));
    assert_int_equal(mkdir(scratch("folder.nc.lock"), 0777), 0);
    assert_int_equal(take_as(&l, scratch("folder.nc"), 0, NULL), STATUS_FAILURE);
    assert_true(says("folder.nc.lock: cannot open"));
}

struct search {
    const char *path;
    char owner[LOCK_OWNER_MAX];
    int expected;
    const char *words;
};

static void find(void *argument)
{
    const struct search *s = argument;
    EXPECT(lock_find(s->path, s->owner) == s->expected && says(s->words));
}

/* Other processes of the run see it; where there is another run's, or none, they say so. */
static void test_found_by_others(void **state)
{
    (void)state;
    struct lock *l;
    char path[300], elsewhere[300], words[700], own[256] = "";
    gethostname(own, sizeof own - 1);
    snprintf(path, sizeof path, "%s", scratch("found.nc"));
    snprintf(elsewhere, sizeof elsewhere, "%s", scratch("elsewhere.nc"));
    snprintf(words, sizeof words, "elsewhere.nc: its folder on %s is not the one on %s, or cannot be read; name an output on a file system",
             own, own);
    scratch_write("elsewhere.nc.lock", "node 12 place\n");
    assert_int_equal(take_as(&l, path, 0, NULL), STATUS_OK);
    struct search here = {.path = path, .expected = STATUS_OK, .words = ""};
    struct search there = {.path = elsewhere, .expected = STATUS_FAILURE, .words = words};
    struct search nowhere = {.path = scratch("nowhere.nc"), .expected = STATUS_FAILURE, .words = "nowhere.nc: its folder on "};
    lock_owner(here.owner, l);
    lock_owner(there.owner, l);
    lock_owner(nowhere.owner, l);
    const pid_t child[] = {child_start(find, &here), child_start(find, &there), child_start(find, &nowhere)};
    for (int i = 0; i < 3; i++) assert_true(child_good(child[i]));
    lock_release(&l);
}

/* It may be seen a little later. */
static void test_found_late(void **state)
{
    (void)state;
    struct search s = {.path = scratch("late.nc"), .expected = STATUS_OK, .words = "", .owner = "node 12 place\n"};
    const pid_t child = child_start(find, &s);
    for (int i = 0; i < 30; i++) nap();
    scratch_write("late.nc.lock", "node 12 place\n");
    assert_true(child_good(child));
}

/* -- without locks of the kernel ------------------------------------------------------------------------------------ */

/* On another machine nothing but silence says that the owner is dead. */
static void test_silence(void **state)
{
    (void)state;
    const struct lock_manner *const pair[][2] = {{&signs_elsewhere, &signs}, {&local_elsewhere, &local}};
    for (int i = 0; i < 2; i++) {
        struct lock *l;
        const char *path = scratch("silence.nc");
        const pid_t owner = start_holder(path, pair[i][0], 0);
        assert_int_equal(take_as(&l, path, 0, pair[i][1]), STATUS_FAILURE); /* it gives signs */
        assert_true(names(owner, "elsewhere"));
        if (i == 0) assert_int_equal(take_as(&l, path, 3, pair[i][1]), STATUS_FAILURE); /* as long as one waits */
        kill(owner, SIGSTOP); /* for less than the silence */
        for (int k = 0; k < 20; k++) nap();
        kill(owner, SIGCONT);
        assert_int_equal(take_as(&l, path, 1.5, pair[i][1]), STATUS_FAILURE);
        kill_holder(owner);
        const double begin = timer_now();
        assert_int_equal(take_as(&l, path, 0, pair[i][1]), STATUS_OK);
        assert_true(timer_now() - begin >= pair[i][1]->silent_for); /* not before */
        lock_release(&l);
        assert_false(lock_is_there(path));
    }
}

/* That of a run that was killed hours ago on another machine. */
static void test_stale(void **state)
{
    (void)state;
    struct lock *l;
    struct timespec long_ago[2];
    const char *path = scratch("stale.nc");
    kill_holder(start_holder(path, &signs_elsewhere, 0));
    clock_gettime(CLOCK_REALTIME, &long_ago[0]);
    long_ago[0].tv_sec -= 2 * 3600;
    long_ago[1] = long_ago[0];
    assert_int_equal(utimensat(AT_FDCWD, scratch("stale.nc.lock"), long_ago, 0), 0);
    assert_int_equal(take_as(&l, path, 0, &patient), STATUS_OK);
    lock_release(&l);
}

/* The same name of host and number of process, but another start of the machine: nobody can be asked. */
static void test_another_start(void **state)
{
    (void)state;
    struct lock *l;
    char text[400], host[256] = "";
    gethostname(host, sizeof host - 1);
    snprintf(text, sizeof text, "%s %ld 00000000-0000-0000-0000-000000000000/1\n", host, (long)getpid());
    const char *path = scratch("start.nc");
    scratch_write("start.nc.lock", text);
    const double begin = timer_now();
    assert_int_equal(take_as(&l, path, 0, &signs), STATUS_OK);
    assert_true(timer_now() - begin >= signs.silent_for);
    lock_release(&l);
}

/* An owner that was silent too long has lost it; its release leaves the new one's lock alone. */
static void test_lost(void **state)
{
    (void)state;
    struct lock *first, *second;
    const char *path = scratch("lost.nc");
    assert_int_equal(take_as(&first, path, 0, &signs_elsewhere), STATUS_OK);
    assert_int_equal(take_as(&second, path, 0, &signs), STATUS_OK);
    lock_touch(first);
    lock_release(&first);
    assert_true(lock_is_there(path));
    lock_release(&second);
    assert_false(lock_is_there(path));
}

/* -- many at once --------------------------------------------------------------------------------------------------- */

enum { RUNNERS = 6 };

struct race {
    const char *path;
    const struct lock_manner *manner;
    int start, result, end;
};

/* Says W when it has the lock, and then holds it until the race ends; R when it is refused. */
static void run_race(void *argument)
{
    const struct race *r = argument;
    struct lock *l;
    char byte;
    EXPECT(read(r->start, &byte, 1) == 0); /* until its other end is closed */
    const int status = take_as(&l, r->path, 0, r->manner);
    EXPECT(status == STATUS_OK || (status == STATUS_FAILURE && says("is being written by another run, process ")));
    EXPECT(write(r->result, status == STATUS_OK ? "W" : "R", 1) == 1);
    while (status == STATUS_OK) {
        struct timespec pause = {.tv_nsec = 1000 * 1000};
        lock_touch(l);
        nanosleep(&pause, NULL);
        if (read(r->end, &byte, 1) == 0) break;
    }
    lock_release(&l);
}

static int count_winners(const char *path, const struct lock_manner *manner)
{
    int start[2], result[2], end[2], winners = 0;
    pid_t pid[RUNNERS];
    char said[RUNNERS];
    assert_true(pipe(start) == 0 && pipe(result) == 0 && pipe(end) == 0);
    fcntl(end[0], F_SETFL, O_NONBLOCK);
    struct race r = {path, manner, start[0], result[1], end[0]};
    for (int i = 0; i < RUNNERS; i++) {
        fflush(NULL);
        pid[i] = fork();
        if (pid[i] != 0) continue;
        close(start[1]);
        close(end[1]);
        run_race(&r);
        _exit(0);
    }
    close(start[1]);
    for (int i = 0; i < RUNNERS; i++) {
        assert_int_equal(read(result[0], &said[i], 1), 1);
        winners += said[i] == 'W';
    }
    close(end[1]);
    for (int i = 0; i < RUNNERS; i++) assert_true(child_good(pid[i]));
    const int open_ends[] = {start[0], result[0], result[1], end[0]};
    for (int i = 0; i < 4; i++) close(open_ends[i]);
    return winners;
}

static void test_one_wins(void **state)
{
    (void)state;
    const char *path = scratch("race.nc");
    for (int i = 0; i < 30; i++) {
        const struct lock_manner *manner = i % 3 == 2 ? &patient : NULL;
        if (i % 2 == 1) kill_holder(start_holder(path, manner, 0)); /* all find the lock of a dead run */
        assert_int_equal(count_winners(path, manner), 1);
        assert_false(lock_is_there(path));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_take_and_release), cmocka_unit_test(test_second_is_refused), cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_waiting_is_stopped), cmocka_unit_test(test_what_is_left_behind),
        cmocka_unit_test(test_no_place_for_it), cmocka_unit_test(test_found_by_others),
        cmocka_unit_test(test_found_late), cmocka_unit_test(test_silence), cmocka_unit_test(test_stale),
        cmocka_unit_test(test_another_start), cmocka_unit_test(test_lost), cmocka_unit_test(test_one_wins),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
