/* mend.h - results files with the checksums that their numbers have, or nothing but checksums would be looked at. */
#ifndef MEND_H
#define MEND_H

#include "plan.h"

#include "../../src/experiment/results_internal.h"
#include "checksum.h"

#include <inttypes.h>

enum { MEND_RECORDS = 64, MEND_VALUES = 256 };

/* The checksum of one record; false when it has other dimensions. */
static bool mend_sum(uint64_t *sum, int file, const size_t *start)
{
    *sum = CHECKSUM_BEGIN;
    for (int v = 0; v < RESULT_CHECKSUM; v++) {
        int id, rank = 0, dim[NC_MAX_VAR_DIMS];
        size_t count[5] = {1, 1, 1, 1, 1};
        static double value[MEND_VALUES];
        if (nc_inq_varid(file, results_name[v], &id) != NC_NOERR || __real_nc_inq_var(file, id, NULL, NULL, &rank, dim, NULL) != NC_NOERR ||
            rank < 4 || rank > 5)
            return false;
        if (rank == 5 && nc_inq_dimlen(file, dim[4], &count[4]) != NC_NOERR) return false;
        if (count[4] > MEND_VALUES || nc_get_vara_double(file, id, start, count, value) != NC_NOERR) return false;
        results_add_numbers(sum, value, count[4]);
    }
    return true;
}

static void mend_records(int file)
{
    int id, rank = 0, dim[NC_MAX_VAR_DIMS];
    size_t length[4], records = 1;
    if (nc_inq_varid(file, results_name[RESULT_CHECKSUM], &id) != NC_NOERR ||
        __real_nc_inq_var(file, id, NULL, NULL, &rank, dim, NULL) != NC_NOERR || rank != 4)
        return;
    for (int d = 0; d < 4; d++) {
        if (nc_inq_dimlen(file, dim[d], &length[d]) != NC_NOERR || length[d] > MEND_RECORDS) return;
        records *= length[d];
    }
    for (size_t r = 0; r < records && r < MEND_RECORDS; r++) {
        size_t start[5] = {0}, rest = r;
        uint64_t sum;
        for (int d = 3; d >= 0; rest /= length[d--]) start[d] = rest % length[d];
        if (!mend_sum(&sum, file, start)) return;
        const long long value = (long long)sum;
        nc_put_var1_longlong(file, id, start, &value);
    }
}

/* A file whose checksum of what lies along the dimensions is "0000000000000000" gets all its checksums right. */
static void mend_file(const char *path)
{
    struct netcdf_input in;
    char *there = NULL, text[RESULTS_CHECKSUM_MAX];
    uint64_t sum = 0;
    int file, status = netcdf_input_open(&in, path);
    if (status == STATUS_OK) status = netcdf_input_attribute(&there, &in, NC_GLOBAL, results_coordinates_name);
    bool wanted = status == STATUS_OK && there != NULL && strcmp(there, "0000000000000000") == 0;
    if (wanted) wanted = results_coordinates_checksum(&sum, &in) == STATUS_OK;
    netcdf_input_close(&in);
    free(there);
    status_clear();
    if (!wanted || nc_open(path, NC_WRITE, &file) != NC_NOERR) return;
    snprintf(text, sizeof text, "%016" PRIx64, sum);
    nc_put_att_text(file, NC_GLOBAL, results_coordinates_name, 16, text);
    mend_records(file);
    nc_close(file);
}

#endif
