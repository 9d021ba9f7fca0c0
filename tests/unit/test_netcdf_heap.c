/* Heaps of HDF5 files: whole ones pass wherever they lie, an entry that does not fit is found, and no single wrong byte in one ends
 * the program. */
#include "netcdf_heap.h"
#include "netcdf_input.h"
#include "scratch.h"
#include "status.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { HEAD = 16, SIZE = 256, AFTER = 40 };

static void put_number(uint8_t *to, uint64_t value)
{
    for (int i = 0; i < 8; i++) to[i] = (uint8_t)(value >> 8 * i);
}

/* A heap with entries of 5 and 64 bytes; what follows is free. */
static void make_heap(uint8_t heap[SIZE])
{
    memset(heap, 0, SIZE);
    memcpy(heap, "GCOL\1", 5);
    put_number(heap + 8, SIZE);
    heap[HEAD] = 1;
    put_number(heap + HEAD + 8, 5);
    heap[40] = 2;
    put_number(heap + 48, 64);
    put_number(heap + 128, SIZE - 120);
}

static int check(const uint8_t *heap, size_t size, size_t before)
{
    const char *path = scratch("heap.bin");
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(file >= 0);
    assert_int_equal(pwrite(file, heap, size, (off_t)before), size);
    assert_int_equal(ftruncate(file, (off_t)(before + size)), 0);
    int status = netcdf_heap_check(file, before + size, path);
    close(file);
    if (status != STATUS_OK) {
        assert_int_equal(status, STATUS_INPUT);
        assert_non_null(strstr(status_message(), "heap.bin: it is damaged"));
        status_clear();
    }
    return status;
}

static void test_whole(void **state)
{
    (void)state;
    static const size_t block = 1 << 20;
    uint8_t heap[SIZE + AFTER] = {0};
    make_heap(heap);
    const size_t before[] = {0, 1, 2515, block - 8, block - 7, block - 1, block, 2 * block - 9, 3 * block - 3};
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        put_number(heap + 48, 64);
        assert_int_equal(check(heap, SIZE, before[i]), STATUS_OK);
        assert_int_equal(check(heap, SIZE + AFTER, before[i]), STATUS_OK);
        heap[49] = 1; /* 320 bytes */
        assert_int_equal(check(heap, SIZE, before[i]), STATUS_INPUT);
        assert_int_equal(check(heap, SIZE + AFTER, before[i]), STATUS_INPUT);
    }
    make_heap(heap);
    put_number(heap + 8, 40 + 10); /* what is too short for an entry is free */
    assert_int_equal(check(heap, SIZE, 0), STATUS_OK);
    assert_int_equal(check((const uint8_t *)"GCOL, said the file", 19, 5), STATUS_OK); /* no heap */
    assert_int_equal(check(heap, 0, 0), STATUS_OK);
    assert_int_equal(check(heap, 7, 0), STATUS_OK);
}

static void test_damaged(void **state)
{
    (void)state;
    uint8_t heap[SIZE];
    static const struct {
        int at;
        uint64_t value;
    } wrong[] = {
        {8, SIZE + 1}, {8, 0}, {8, 15}, {8, UINT64_MAX}, {24, SIZE}, {24, UINT64_MAX}, {24, UINT64_MAX - 15}, {24, UINT64_MAX - 39},
        {48, 209}, {48, UINT64_MAX - 200}, {128, 0}, {128, 15}, {128, SIZE - 119}, {128, UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        make_heap(heap);
        put_number(heap + wrong[i].at, wrong[i].value);
        if (check(heap, SIZE, 3) != STATUS_INPUT) fail_msg("%llu at %d passes", (unsigned long long)wrong[i].value, wrong[i].at);
    }
    for (size_t size = 8; size < SIZE; size++) { /* cut short */
        make_heap(heap);
        assert_int_equal(check(heap, size, 0), STATUS_INPUT);
    }
}

/* ---- through the library ---- */

static size_t make_file(const char *path, size_t *first)
{
    static const char *text[] = {"one", "", "a longer name of some operation", "four"};
    int file, dim, id;
    size_t size = 0, at = 0;
    assert_int_equal(nc_create(path, NC_NETCDF4 | NC_CLOBBER, &file), NC_NOERR);
    assert_int_equal(nc_def_dim(file, "name", 4, &dim), NC_NOERR);
    assert_int_equal(nc_def_var(file, "text", NC_STRING, 1, &dim, &id), NC_NOERR);
    assert_int_equal(nc_put_var_string(file, id, text), NC_NOERR);
    assert_int_equal(nc_def_var(file, "number", NC_INT, 1, &dim, &id), NC_NOERR);
    assert_int_equal(nc_close(file), NC_NOERR);
    char *bytes = scratch_read(path, &size);
    while (at + 8 < size && memcmp(bytes + at, "GCOL\1\0\0", 8) != 0) at++;
    assert_true(at + 8 < size);
    free(bytes);
    *first = at;
    return size;
}

static int read_texts(const char *path)
{
    struct netcdf_input in;
    struct netcdf_variable v;
    char **text = NULL;
    size_t count = 0;
    bool found;
    TRY(netcdf_input_open(&in, path));
    int status = netcdf_input_find(&v, &found, &in, "text");
    if (status == STATUS_OK) status = netcdf_input_texts(&text, &count, &v, 1000);
    netcdf_input_close(&in);
    for (size_t i = 0; i < count; i++) free(text[i]);
    free(text);
    return status;
}

/* In a process of its own each: it must come back. */
static void test_wrong_sizes(void **state)
{
    (void)state;
    char path[300];
    size_t first, size;
    snprintf(path, sizeof path, "%s", scratch("texts.nc"));
    size = make_file(path, &first);
    assert_int_equal(read_texts(path), STATUS_OK);
    char *bytes = scratch_read(path, &size);
    int refused = 0;
    for (size_t entry = first + HEAD, n = 0; n < 4; n++) {
        size_t length = (size_t)(uint8_t)bytes[entry + 8];
        for (int byte = 0; byte < 8; byte++) {
            bytes[entry + 8 + (size_t)byte] ^= (char)0x81;
            FILE *f = fopen(path, "wb");
            assert_non_null(f);
            assert_int_equal(fwrite(bytes, 1, size, f), size);
            fclose(f);
            bytes[entry + 8 + (size_t)byte] ^= (char)0x81;
            pid_t child = fork();
            if (child == 0) {
                alarm(60);
                _exit(read_texts(path));
            }
            int how;
            assert_int_equal(waitpid(child, &how, 0), child);
            if (!WIFEXITED(how)) fail_msg("entry %zu, byte %d: signal %d", n, byte, WTERMSIG(how));
            assert_true(WEXITSTATUS(how) == STATUS_OK || WEXITSTATUS(how) == STATUS_INPUT);
            refused += WEXITSTATUS(how) == STATUS_INPUT;
        }
        entry += HEAD + (length + 7) / 8 * 8;
    }
    free(bytes);
    assert_true(refused >= 4 * 7); /* all but, perhaps, the lowest byte */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole), cmocka_unit_test(test_damaged), cmocka_unit_test(test_wrong_sizes),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
