/* NetCDF files of strangers: texts of every kind come as they are, and sizes that the file cannot hold are refused before they cost
 * memory or time. */
#include "netcdf_input.h"
#include "scratch.h"
#include "status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

#define NC(call) assert_int_equal(call, NC_NOERR)

static int file;

static const char *begin(void)
{
    NC(nc_create(scratch("made.nc"), NC_NETCDF4 | NC_CLOBBER, &file));
    return scratch("made.nc");
}

/* A variable over new dimensions of these lengths. */
static int define(const char *name, nc_type type, int rank, const size_t *length)
{
    int id, dim[2];
    char axis[NC_MAX_NAME + 1];
    for (int i = 0; i < rank; i++) {
        snprintf(axis, sizeof axis, "%.40s_%d", name, i);
        NC(nc_def_dim(file, axis, length[i], &dim[i]));
    }
    NC(nc_def_var(file, name, type, rank, dim, &id));
    return id;
}

static int open_and_find(struct netcdf_input *in, struct netcdf_variable *v, const char *path, const char *name)
{
    bool found;
    assert_int_equal(netcdf_input_open(in, path), STATUS_OK);
    int status = netcdf_input_find(v, &found, in, name);
    if (status == STATUS_OK) assert_true(found);
    return status;
}

static void expect_message(const char *part)
{
    if (strstr(status_message(), part) == NULL || strstr(status_message(), "made.nc") == NULL)
        fail_msg("'%s' does not say '%s'", status_message(), part);
    status_clear();
}

static void free_texts(char **text, size_t count)
{
    for (size_t i = 0; i < count; i++) free(text[i]);
    free(text);
}

/* More than are read at a time, and a number that does not divide. */
static void test_texts(void **state)
{
    (void)state;
    enum { TEXTS = 1000, WIDTH = 9 };
    static char name[TEXTS][WIDTH + 1];
    const char *path = begin(), *list[TEXTS];
    const int string = define("string", NC_STRING, 1, (size_t[]){TEXTS}), chars = define("chars", NC_CHAR, 2, (size_t[]){TEXTS, WIDTH});
    const int single = define("single", NC_CHAR, 1, (size_t[]){WIDTH}), lonely = define("lonely", NC_STRING, 0, NULL);
    define("unwritten", NC_STRING, 1, (size_t[]){TEXTS});
    for (int i = 0; i < TEXTS; i++) {
        snprintf(name[i], sizeof name[i], i % 7 == 0 ? "" : "name %d", i);
        list[i] = name[i];
        NC(nc_put_vara_text(file, chars, (size_t[]){(size_t)i, 0}, (size_t[]){1, WIDTH}, name[i]));
    }
    NC(nc_put_var_string(file, string, list));
    NC(nc_put_var_text(file, single, "one  \0\0\0"));
    NC(nc_put_var_string(file, lonely, &list[1]));
    NC(nc_close(file));
    static const char *const variable[] = {"string", "chars", "single", "lonely", "unwritten"};
    for (int k = 0; k < 5; k++) {
        struct netcdf_input in;
        struct netcdf_variable v;
        char **text;
        size_t count;
        assert_int_equal(open_and_find(&in, &v, path, variable[k]), STATUS_OK);
        assert_int_equal(netcdf_input_texts(&text, &count, &v, WIDTH), STATUS_OK);
        assert_int_equal(count, k == 2 || k == 3 ? 1 : TEXTS);
        for (size_t i = 0; i < count; i++)
            assert_string_equal(text[i], k == 2 ? "one" : k == 3 ? name[1] : k == 4 ? "" : name[i]);
        free_texts(text, count);
        if (k < 2) { /* the 999th is the longest */
            assert_int_equal(netcdf_input_texts(&text, &count, &v, 7), STATUS_INPUT);
            expect_message("has a text of 8 characters");
        }
        netcdf_input_close(&in);
    }
}

/* Headers that promise much: each is refused, and soon. */
static void test_empty_promises(void **state)
{
    (void)state;
    const char *path = begin();
    const size_t chunk[] = {1 << 27};
    int chunked = define("chunked", NC_DOUBLE, 1, (size_t[]){NC_UNLIMITED}), strings, chars;
    NC(nc_def_var_chunking(file, chunked, NC_CHUNKED, chunk));
    NC(nc_def_var_deflate(file, chunked, 0, 1, 9));
    strings = define("strings", NC_STRING, 1, (size_t[]){400000});
    chars = define("chars", NC_CHAR, 2, (size_t[]){100000, 900000});
    assert_true(strings != chars);
    NC(nc_close(file));
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    struct netcdf_input in;
    struct netcdf_variable v;
    char **text;
    size_t count;
    assert_int_equal(open_and_find(&in, &v, path, "chunked"), STATUS_INPUT);
    expect_message("chunked is stored in chunks that are larger than the file can hold");
    netcdf_input_close(&in);
    static const char *const variable[] = {"strings", "chars"};
    for (int k = 0; k < 2; k++) {
        assert_int_equal(open_and_find(&in, &v, path, variable[k]), STATUS_OK);
        assert_int_equal(netcdf_input_texts(&text, &count, &v, 100), STATUS_INPUT);
        expect_message("is more than the file can hold");
        netcdf_input_close(&in);
    }
    getrusage(RUSAGE_SELF, &after);
    assert_true(after.ru_maxrss - before.ru_maxrss < 100 * 1024);
}

/* The library is not asked about files of the classic formats: it would make room for a name of 160 terabytes. */
static void test_classic(void **state)
{
    (void)state;
    static const char header[] = "CDF\5\0\0\0\0\0\0\0\0\0\0\0\12\0\0\0\0\0\0\0\1\0\0\225\0\0\0\0\0name";
    struct netcdf_input in;
    FILE *f = fopen(scratch("made.nc"), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(header, 1, sizeof header, f), sizeof header);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(netcdf_input_open(&in, scratch("made.nc")), STATUS_INPUT);
    expect_message("a NetCDF file of the classic format");
}

/* Chunks longer than an unlimited variable are nothing unusual. */
static void test_unlimited(void **state)
{
    (void)state;
    const char *path = begin();
    int id = define("values", NC_DOUBLE, 1, (size_t[]){NC_UNLIMITED});
    const double written[] = {1, 2.5, 3};
    NC(nc_put_vara_double(file, id, (size_t[]){0}, (size_t[]){3}, written));
    NC(nc_close(file));
    struct netcdf_input in;
    struct netcdf_variable v;
    double *value;
    assert_int_equal(open_and_find(&in, &v, path, "values"), STATUS_OK);
    assert_int_equal(netcdf_input_values(&value, &v, NETCDF_FINITE), STATUS_OK);
    assert_int_equal(v.length[0], 3);
    assert_memory_equal(value, written, sizeof written);
    free(value);
    netcdf_input_close(&in);
}

/* What a message quotes cannot break its line, or give orders to a terminal. */
static void test_message(void **state)
{
    (void)state;
    status_fail(STATUS_INPUT, "%s: %s", "made.nc", "a\nb\033[2Jc\177d \303\244");
    assert_string_equal(status_message(), "made.nc: a b [2Jc d \303\244");
    status_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts), cmocka_unit_test(test_empty_promises), cmocka_unit_test(test_classic),
        cmocka_unit_test(test_unlimited), cmocka_unit_test(test_message),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
