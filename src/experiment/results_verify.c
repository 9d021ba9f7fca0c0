#include "results_verify.h"

#include "checksum.h"
#include "memory.h"
#include "results_internal.h"
#include "status.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_LONGEST = 200, BLOCK = 1 << 16 /* numbers at a time */, DIMENSIONS = 4 };

void results_add_numbers(uint64_t *sum, const double *value, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = 0;
        if (!isnan(value[i])) memcpy(&bits, &value[i], sizeof bits);
        else bits = UINT64_MAX; /* of any sign */
        checksum_add_number(sum, bits);
    }
}

/* -- names and numbers along the dimensions ------------------------------------------------------------------------- */

static int add_texts(uint64_t *sum, struct netcdf_variable *v)
{
    char **text;
    size_t count;
    TRY(netcdf_input_texts(&text, &count, v, NAME_LONGEST));
    for (size_t i = 0; i < count; i++) {
        checksum_add_text(sum, text[i], NAME_LONGEST);
        free(text[i]);
    }
    free(text);
    return STATUS_OK;
}

static int add_values(uint64_t *sum, struct netcdf_variable *v)
{
    double *value;
    TRY(netcdf_input_values(&value, v, NETCDF_FINITE));
    results_add_numbers(sum, value, v->length[0]);
    free(value);
    return STATUS_OK;
}

int results_coordinates_checksum(uint64_t *sum, struct netcdf_input *in)
{
    int variables;
    struct netcdf_variable v;
    *sum = CHECKSUM_BEGIN;
    int code = nc_inq_nvars(in->file, &variables);
    if (code != NC_NOERR) return status_fail(STATUS_INPUT, "%s: cannot read the header: %s", in->path, nc_strerror(code));
    for (int i = 0; i < variables; i++) { /* all that lie along one dimension */
        TRY(netcdf_input_describe(&v, in, i));
        if (v.rank != 1) continue;
        checksum_add_text(sum, v.name, NC_MAX_NAME);
        TRY(v.type == NC_STRING ? add_texts(sum, &v) : add_values(sum, &v));
    }
    return STATUS_OK;
}

static int check_coordinates(bool *has_checksums, struct netcdf_input *in)
{
    char *there, here[RESULTS_CHECKSUM_MAX];
    uint64_t sum;
    TRY(netcdf_input_attribute(&there, in, NC_GLOBAL, results_coordinates_name));
    *has_checksums = there != NULL;
    if (there == NULL) return STATUS_OK;
    int status = results_coordinates_checksum(&sum, in);
    snprintf(here, sizeof here, "%016" PRIx64, sum);
    if (status == STATUS_INPUT || (status == STATUS_OK && strcmp(there, here) != 0)) {
        status_clear(); /* what was wrong in particular does not matter */
        status = status_fail(STATUS_INPUT, "%s: damaged: names or numbers along its dimensions are not those that were written; "
                             "put back a whole copy, or remove it to start anew", in->path);
    }
    free(there);
    return status;
}

/* -- records ------------------------------------------------------------------------------------------------------- */

/* The variables of the records, in their order; the last two are checksum and complete. */
struct shape {
    struct netcdf_input *in;
    int variable[RESULT_VARIABLES];
    size_t length[DIMENSIONS];            /* dataset, method, budget, realization */
    size_t values[RESULT_VARIABLES];      /* of a record */
    size_t longest, trials;               /* of values; at a time */
    double *value;                        /* [trials][longest] */
    uint64_t *sum;                        /* [trials] */
    long long *expected;                  /* [trials] */
    signed char *complete;                /* [trials] */
};

static int fail_read(const struct shape *s, int v, int code)
{
    return status_fail(STATUS_INPUT, "%s: damaged: %s cannot be read (%s); put back a whole copy, or remove it to start anew",
                       s->in->path, results_name[v], nc_strerror(code));
}

static int read_shape(struct shape *s)
{
    for (int v = 0; v < RESULT_VARIABLES; v++) {
        const int right = results_extra((enum results_variable)v) == RESULTS_ALONE ? DIMENSIONS : DIMENSIONS + 1;
        int rank, dimension[NC_MAX_VAR_DIMS];
        nc_type type;
        size_t length[DIMENSIONS + 1] = {0, 0, 0, 0, 1};
        int code = nc_inq_varid(s->in->file, results_name[v], &s->variable[v]);
        if (code == NC_NOERR) code = nc_inq_var(s->in->file, s->variable[v], NULL, &type, &rank, dimension, NULL);
        if (code == NC_NOERR && (rank != right || !netcdf_is_number(type))) code = NC_EDIMSIZE;
        for (int d = 0; code == NC_NOERR && d < rank; d++) code = nc_inq_dimlen(s->in->file, dimension[d], &length[d]);
        if (code == NC_NOERR && v > 0 && memcmp(s->length, length, sizeof s->length) != 0) code = NC_EDIMSIZE;
        if (code != NC_NOERR) return fail_read(s, v, code);
        memcpy(s->length, length, sizeof s->length);
        s->values[v] = length[DIMENSIONS];
        if (s->values[v] > s->longest) s->longest = s->values[v];
    }
    s->trials = s->longest == 0 || s->longest > BLOCK ? 1 : BLOCK / s->longest;
    if (s->trials > s->length[DIMENSIONS - 1]) s->trials = s->length[DIMENSIONS - 1];
    return STATUS_OK;
}

static int make_room(struct shape *s)
{
    struct netcdf_variable any = {.in = s->in, .id = s->variable[0], .name = "best", .rank = DIMENSIONS + 1};
    TRY(netcdf_input_alloc(&s->value, &any, s->trials * s->longest, sizeof *s->value));
    TRY(netcdf_input_alloc(&s->sum, &any, s->trials, sizeof *s->sum));
    TRY(netcdf_input_alloc(&s->expected, &any, s->trials, sizeof *s->expected));
    return netcdf_input_alloc(&s->complete, &any, s->trials, 1);
}

/* `trials` records from one place on. */
static int check_block(int64_t *damaged, bool *finished, struct shape *s, const size_t place[DIMENSIONS], size_t trials)
{
    const size_t start[] = {place[0], place[1], place[2], place[3], 0};
    for (size_t i = 0; i < trials; i++) s->sum[i] = CHECKSUM_BEGIN;
    for (int v = 0; v < RESULT_CHECKSUM; v++) {
        const size_t count[] = {1, 1, 1, trials, s->values[v]};
        int code = nc_get_vara_double(s->in->file, s->variable[v], start, count, s->value);
        if (code != NC_NOERR) return fail_read(s, v, code);
        for (size_t i = 0; i < trials; i++) results_add_numbers(&s->sum[i], s->value + i * s->values[v], s->values[v]);
    }
    const size_t count[] = {1, 1, 1, trials};
    int code = nc_get_vara_longlong(s->in->file, s->variable[RESULT_CHECKSUM], start, count, s->expected);
    if (code != NC_NOERR) return fail_read(s, RESULT_CHECKSUM, code);
    code = nc_get_vara_schar(s->in->file, s->variable[RESULT_COMPLETE], start, count, s->complete);
    if (code != NC_NOERR) return fail_read(s, RESULT_COMPLETE, code);
    for (size_t i = 0; i < trials; i++) {
        const bool complete = s->complete[i] == 1, whole = s->expected[i] == (long long)s->sum[i];
        *damaged += complete && !whole;
        if (finished != NULL) finished[i] = complete && whole;
    }
    return STATUS_OK;
}

static int check_records(int64_t *damaged, bool *finished, struct shape *s)
{
    const size_t *length = s->length;
    TRY(read_shape(s));
    TRY(make_room(s));
    for (size_t d = 0; d < length[0]; d++)
        for (size_t m = 0; m < length[1]; m++)
            for (size_t b = 0; b < length[2]; b++)
                for (size_t t = 0; t < length[3]; t += s->trials) {
                    const size_t left = length[3] - t, now = left < s->trials ? left : s->trials;
                    bool *to = finished == NULL ? NULL : finished + ((d * length[1] + m) * length[2] + b) * length[3] + t;
                    TRY(check_block(damaged, to, s, (const size_t[]){d, m, b, t}, now));
                }
    return STATUS_OK;
}

int results_verify(int64_t *damaged, bool *finished, struct netcdf_input *in)
{
    struct shape s = {.in = in};
    bool has_checksums;
    *damaged = 0;
    TRY(check_coordinates(&has_checksums, in));
    if (!has_checksums) return STATUS_OK;
    int status = check_records(damaged, finished, &s);
    free(s.value);
    free(s.sum);
    free(s.expected);
    free(s.complete);
    return status;
}

int results_verify_all(struct netcdf_input *in)
{
    int64_t damaged;
    TRY(results_verify(&damaged, NULL, in));
    if (damaged == 0) return STATUS_OK;
    return status_fail(STATUS_INPUT, "%s: damaged: the records of %" PRId64 " trials are not what was written; put back a whole copy, "
                       "or rename it to .part and run its job again: these trials are computed again", in->path, damaged);
}
