/* Results files that are damaged: what can be computed again is, all else is refused. Run with 1 to 4 ranks. */
#include "ranks.h"

#include "results_fixture.h"

#include <netcdf.h>

enum { TRIALS = 3 };

/* Change one number of a variable in a file. On rank 0. */
static void damage(const char *name, const char *variable, const size_t *index, double by)
{
    int file, v;
    double value;
    assert_int_equal(nc_open(scratch(name), NC_WRITE, &file), NC_NOERR);
    assert_int_equal(nc_inq_varid(file, variable, &v), NC_NOERR);
    assert_int_equal(nc_get_var1_double(file, v, index, &value), NC_NOERR);
    value = isnan(value) ? 1 : value + by;
    assert_int_equal(nc_put_var1_double(file, v, index, &value), NC_NOERR);
    assert_int_equal(nc_close(file), NC_NOERR);
}

static bool first_half(int64_t id)
{
    return id < 12;
}

/* Any number of the record of a complete unit, its checksum, or the byte that says complete: it is computed again. */
static void test_damaged_records(void **state)
{
    (void)state;
    static const char *const variable[] = {"best", "chosen", "chosen_accuracy", "chosen_score", "pool_cell", "pool_size", "trainings",
                                           "codes", "cost", "rho", "tau", "tau_top", "chosen_place", "pool_score",
                                           "query_cell", "query_accuracy", "query_label", "query_cost", "query_size", "checksum",
                                           "complete"};
    struct fixture f;
    enum results_state found;
    for (size_t v = 0; v < sizeof variable / sizeof *variable; v++) {
        fixture_make(&f, "harm.nc", 1, TRIALS);
        MPI_ASSERT(fixture_run(&f, first_half, STATUS_FAILURE, &found, 1) == STATUS_FAILURE);
        const int64_t id = (int64_t)v % 12;
        const struct unit u = grid_unit(&f.grid, id);
        const size_t last = v == 4 ? FIXTURE_POOL - 1 : v % FIXTURE_K; /* of a pool: perhaps a place without a cell */
        if (rank == 0)
            damage("harm.nc.part", variable[v], (const size_t[]){(size_t)u.dataset, (size_t)u.method, (size_t)u.budget,
                   (size_t)u.realization, last}, strcmp(variable[v], "checksum") == 0 ? 4096 : 1);
        MPI_Barrier(MPI_COMM_WORLD);
        MPI_ASSERT(fixture_run(&f, fixture_all, STATUS_OK, &found, 1) == STATUS_OK && found == RESULTS_PART);
        bool right = true;
        for (int64_t i = 0; i < f.grid.units; i++) right = right && f.finished[i] == (i < 12 && i != id);
        MPI_ASSERT(right);
        MPI_ASSERT(rank != 0 || scratch_same("whole.nc", "harm.nc"));
        if (rank == 0) unlink(scratch("harm.nc"));
        MPI_Barrier(MPI_COMM_WORLD);
    }
    /* marked as complete, but never written */
    fixture_make(&f, "harm.nc", 1, TRIALS);
    MPI_ASSERT(fixture_run(&f, first_half, STATUS_FAILURE, &found, 1) == STATUS_FAILURE);
    const struct unit u = grid_unit(&f.grid, 20);
    if (rank == 0)
        damage("harm.nc.part", "complete", (const size_t[]){(size_t)u.dataset, (size_t)u.method, (size_t)u.budget,
               (size_t)u.realization}, 1);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_ASSERT(fixture_run(&f, fixture_all, STATUS_OK, &found, 1) == STATUS_OK);
    MPI_ASSERT(!f.finished[20] && (rank != 0 || scratch_same("whole.nc", "harm.nc")));
}

/* What lies along the dimensions belongs to all records: refused. So is any damage to a file that was finished. */
static void test_damaged_files(void **state)
{
    (void)state;
    static const char *const along[] = {"budget", "realization", "k", "oracle", "cells"};
    struct fixture f;
    enum results_state found;
    for (size_t v = 0; v < sizeof along / sizeof *along; v++) {
        fixture_make(&f, "along.nc", 1, TRIALS);
        MPI_ASSERT(fixture_run(&f, first_half, STATUS_FAILURE, &found, 1) == STATUS_FAILURE);
        if (rank == 0) damage("along.nc.part", along[v], (const size_t[]){1}, 1);
        MPI_Barrier(MPI_COMM_WORLD);
        MPI_ASSERT(fixture_run(&f, fixture_all, STATUS_OK, &found, 1) == STATUS_INPUT);
        MPI_ASSERT(strstr(status_message(), "along.nc.part: damaged: names or numbers along its dimensions") != NULL);
        MPI_ASSERT(strstr(status_message(), "remove it to start anew") != NULL);
        status_clear();
        if (rank == 0) unlink(scratch("along.nc.part"));
        MPI_Barrier(MPI_COMM_WORLD);
    }
    fixture_make(&f, "final.nc", 1, TRIALS);
    MPI_ASSERT(fixture_run(&f, fixture_all, STATUS_OK, &found, 1) == STATUS_OK);
    if (rank == 0) damage("final.nc", "best", (const size_t[]){1, 0, 1, 2, 3}, 1e-9);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_ASSERT(fixture_run(&f, fixture_all, STATUS_OK, &found, 1) == STATUS_INPUT);
    MPI_ASSERT(strstr(status_message(), "final.nc: damaged: the records of 1 trials are not what was written") != NULL);
    MPI_ASSERT(strstr(status_message(), "rename it to .part") != NULL);
    status_clear();
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) assert_int_equal(rename(scratch("final.nc"), scratch("final.nc.part")), 0);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_ASSERT(fixture_run(&f, fixture_all, STATUS_OK, &found, 1) == STATUS_OK && found == RESULTS_PART);
    MPI_ASSERT(rank != 0 || scratch_same("whole.nc", "final.nc"));
}

/* A variable of the records with more or fewer dimensions than it has: refused, whatever else is right. */
static void test_damaged_shapes(void **state)
{
    (void)state;
    static const char *const changed[] = {"checksum", "complete", "best", "codes"};
    struct fixture f;
    enum results_state found;
    for (size_t v = 0; v < sizeof changed / sizeof *changed; v++) {
        fixture_make(&f, "shape.nc", 1, TRIALS);
        MPI_ASSERT(fixture_run(&f, first_half, STATUS_FAILURE, &found, 1) == STATUS_FAILURE);
        if (rank == 0) {
            int file, id, dim[5];
            static const char *const name[] = {"dataset", "method", "budget", "realization", "k"};
            assert_int_equal(nc_open(scratch("shape.nc.part"), NC_WRITE, &file), NC_NOERR);
            assert_int_equal(nc_redef(file), NC_NOERR);
            for (int d = 0; d < 5; d++) assert_int_equal(nc_inq_dimid(file, name[d], &dim[d]), NC_NOERR);
            assert_int_equal(nc_inq_varid(file, changed[v], &id), NC_NOERR);
            assert_int_equal(nc_rename_var(file, id, "old"), NC_NOERR);
            assert_int_equal(nc_def_var(file, changed[v], NC_INT64, v == 2 ? 4 : 5, dim, &id), NC_NOERR);
            assert_int_equal(nc_close(file), NC_NOERR);
        }
        MPI_Barrier(MPI_COMM_WORLD);
        MPI_ASSERT(fixture_run(&f, fixture_all, STATUS_OK, &found, 1) == STATUS_INPUT);
        MPI_ASSERT(strstr(status_message(), "shape.nc.part: damaged") != NULL);
        status_clear();
        MPI_Barrier(MPI_COMM_WORLD);
        if (rank == 0) unlink(scratch("shape.nc.part"));
        MPI_Barrier(MPI_COMM_WORLD);
    }
}

/* What all are compared with in the end. */
static int set_up(void **state)
{
    struct fixture f;
    enum results_state found;
    const int failed = ranks_scratch_open(state);
    if (failed) return failed;
    fixture_make(&f, "whole.nc", 1, TRIALS);
    return fixture_run(&f, fixture_all, STATUS_OK, &found, 1) != STATUS_OK;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_damaged_records, set_up), cmocka_unit_test(test_damaged_files),
        cmocka_unit_test_teardown(test_damaged_shapes, ranks_scratch_close),
    };
    RANKS_MAIN(tests);
}
