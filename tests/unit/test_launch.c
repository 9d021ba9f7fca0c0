/* What each launcher tells a process, and what the mere presence of Slurm does not. */
#include "launch.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

static const char *const name[] = {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE", "PMIX_RANK", "PMI_RANK",
                                   "SLURM_PROCID", "SLURM_STEP_ID", "SLURM_LOCALID", "SLURM_STEP_TASKS_PER_NODE"};

static int forget(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) unsetenv(name[i]);
    return 0;
}

static void expect(int rank, int rank_on_node, int ranks_on_node)
{
    assert_int_equal(launch_rank(), rank);
    assert_int_equal(launch_rank_on_node(), rank_on_node);
    assert_int_equal(launch_ranks_on_node(), ranks_on_node);
}

static void test_none(void **state)
{
    (void)state;
    expect(0, 0, 1);
    setenv("SLURM_STEP_TASKS_PER_NODE", "?", 1);
    expect(0, 0, 1);
}

static void test_open_mpi(void **state)
{
    (void)state;
    setenv("OMPI_COMM_WORLD_RANK", "17", 1);
    setenv("OMPI_COMM_WORLD_LOCAL_RANK", "3", 1);
    setenv("OMPI_COMM_WORLD_LOCAL_SIZE", "7", 1);
    setenv("SLURM_PROCID", "2", 1); /* of mpirun's own daemons in a job */
    setenv("SLURM_STEP_ID", "0", 1);
    setenv("SLURM_LOCALID", "0", 1);
    setenv("SLURM_STEP_TASKS_PER_NODE", "1(x3)", 1);
    expect(17, 3, 7);
}

static void test_slurm(void **state)
{
    (void)state;
    setenv("SLURM_PROCID", "5", 1);
    expect(0, 0, 1); /* a batch script */
    setenv("SLURM_STEP_ID", "0", 1);
    setenv("SLURM_LOCALID", "1", 1);
    setenv("SLURM_STEP_TASKS_PER_NODE", "64(x3),10", 1);
    expect(5, 1, 64);
}

static void test_others(void **state)
{
    (void)state;
    setenv("PMI_RANK", "4", 1);
    expect(4, 0, 1);
    setenv("PMIX_RANK", "6", 1);
    expect(6, 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_none, forget), cmocka_unit_test_setup(test_open_mpi, forget),
        cmocka_unit_test_setup(test_slurm, forget), cmocka_unit_test_setup(test_others, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
