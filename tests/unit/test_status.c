/* Messages, and how ranks agree on the worst of their outcomes. What ends all ranks is in tests/property/uneven.sh. */
#include "status.h"

#include "ranks.h"

#include <string.h>

static void test_message(void **state)
{
    (void)state;
    status_clear();
    assert_string_equal(status_message(), "");
    assert_int_equal(status_fail(STATUS_INPUT, "%s: line %d\n\x1b[31m", "job.ini", 7), STATUS_INPUT);
    assert_string_equal(status_message(), "job.ini: line 7  [31m"); /* one line, no orders to a terminal */
    assert_int_equal(status_fail(STATUS_FAILURE, "what came of it"), STATUS_FAILURE);
    assert_string_equal(status_message(), "job.ini: line 7  [31m"); /* what went wrong first */
    status_clear();
    status_fail(STATUS_STOPPED, "stopped");
    status_fail(STATUS_STOPPED, "stopped again");
    assert_string_equal(status_message(), "stopped");
    status_fail(STATUS_FAILURE, "a failure"); /* it is worse */
    status_fail(STATUS_STOPPED, "stopped again");
    assert_string_equal(status_message(), "a failure");
    status_clear();
    assert_string_equal(status_message(), "");
}

static void test_long_message(void **state)
{
    (void)state;
    char text[5000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    status_clear();
    status_fail(STATUS_FAILURE, "%s", text);
    assert_true(strlen(status_message()) > 1000 && strlen(status_message()) < sizeof text - 1);
    status_clear();
}

/* On every rank the worst status, and the message of the lowest rank that has it. */
static void agree_on(const int *mine, int expected, int expected_rank)
{
    char message[64] = "";
    status_clear();
    if (mine[rank] != STATUS_OK) status_fail((enum status)mine[rank], "of rank %d", rank);
    MPI_ASSERT(status_agree(MPI_COMM_WORLD, mine[rank]) == expected);
    if (expected != STATUS_OK) snprintf(message, sizeof message, "of rank %d", expected_rank);
    MPI_ASSERT(strcmp(status_message(), message) == 0);
}

static void test_agree(void **state)
{
    (void)state;
    int mine[64] = {STATUS_OK};
    assert_true(ranks <= 64);
    agree_on(mine, STATUS_OK, -1);
    for (int r = 0; r < ranks; r++) {
        memset(mine, 0, sizeof mine);
        mine[r] = STATUS_STOPPED;
        agree_on(mine, STATUS_STOPPED, r);
        mine[(r + 1) % ranks] = STATUS_FAILURE; /* a failure is worse than a stop */
        agree_on(mine, STATUS_FAILURE, (r + 1) % ranks);
        mine[ranks - 1] = STATUS_INPUT;
        agree_on(mine, STATUS_INPUT, ranks - 1);
    }
    for (int r = 0; r < ranks; r++) mine[r] = STATUS_INPUT;
    agree_on(mine, STATUS_INPUT, 0);
    status_fail(STATUS_FAILURE, "later");
    MPI_ASSERT(strcmp(status_message(), "of rank 0") == 0);
    for (int r = 0; r < ranks; r++) mine[r] = STATUS_STOPPED;
    agree_on(mine, STATUS_STOPPED, 0);
    status_fail(STATUS_FAILURE, "later");
    MPI_ASSERT(strcmp(status_message(), "later") == 0);
    status_clear();
}

/* What has failed on all ranks ends none of them. */
static void test_all_fail(void **state)
{
    (void)state;
    status_clear();
    status_fail(STATUS_FAILURE, "of rank %d", rank);
    MPI_ASSERT(status_agree_or_abort(MPI_COMM_WORLD, STATUS_FAILURE) == STATUS_FAILURE);
    MPI_ASSERT(strcmp(status_message(), "of rank 0") == 0);
    status_clear();
}

/* When all have succeeded it comes back, and not before the last one has come: each of them in turn raises a flag on rank 0 first. */
static void test_agree_or_abort(void **state)
{
    (void)state;
    for (int late = 0; late < ranks; late++) {
        int *flag, seen = 0;
        const int up = 1;
        MPI_Win window;
        MPI_Win_allocate(sizeof *flag, sizeof *flag, MPI_INFO_NULL, MPI_COMM_WORLD, &flag, &window);
        *flag = 0;
        MPI_Barrier(MPI_COMM_WORLD);
        if (rank == late) {
            MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, window);
            MPI_Put(&up, 1, MPI_INT, 0, 0, 1, MPI_INT, window);
            MPI_Win_unlock(0, window);
        }
        MPI_ASSERT(status_agree_or_abort(MPI_COMM_WORLD, STATUS_OK) == STATUS_OK);
        MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, window);
        MPI_Get(&seen, 1, MPI_INT, 0, 0, 1, MPI_INT, window);
        MPI_Win_unlock(0, window);
        MPI_ASSERT(seen == 1);
        MPI_Win_free(&window);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message), cmocka_unit_test(test_long_message), cmocka_unit_test(test_agree),
        cmocka_unit_test(test_all_fail), cmocka_unit_test(test_agree_or_abort),
    };
    RANKS_MAIN(tests);
}
