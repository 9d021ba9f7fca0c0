/* Checkpoints: what is written comes back; what is damaged, cut short or of something else is not there, and nothing is half read. */
#include "../../src/candidate/checkpoint.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"
#include "status.h"

enum { PARTS = 3, NUMBERS = 1000, FINGERPRINT = 77 };

struct state {
    int32_t step;
    double loss[3];
    float weight[NUMBERS];
};

static void list(struct checkpoint_part part[PARTS], struct state *s)
{
    part[0] = (struct checkpoint_part){&s->step, sizeof s->step};
    part[1] = (struct checkpoint_part){s->loss, sizeof s->loss};
    part[2] = (struct checkpoint_part){s->weight, sizeof s->weight};
}

static void make(struct state *s, int seed)
{
    memset(s, 0, sizeof *s);
    s->step = seed;
    for (int i = 0; i < 3; i++) s->loss[i] = seed + 1.0 / (i + 3);
    for (int i = 0; i < NUMBERS; i++) s->weight[i] = (float)(seed * i) / 7;
}

static void write_one(const char *path, uint64_t fingerprint, struct state *s)
{
    struct checkpoint_part part[PARTS];
    list(part, s);
    assert_int_equal(checkpoint_write(path, fingerprint, part, PARTS), STATUS_OK);
}

/* Whether it was found. Then s is what was written, otherwise it is untouched. */
static bool read_one(const char *path, uint64_t fingerprint, int seed)
{
    struct state s, before, expected;
    struct checkpoint_part part[PARTS];
    bool found;
    make(&before, 12345);
    make(&expected, seed);
    s = before;
    list(part, &s);
    assert_int_equal(checkpoint_read(&found, path, fingerprint, part, PARTS), STATUS_OK);
    assert_memory_equal(&s, found ? &expected : &before, sizeof s);
    return found;
}

static void test_there_and_back(void **state)
{
    (void)state;
    struct state s;
    const char *path = scratch("there");
    assert_false(read_one(path, FINGERPRINT, 1));
    for (int seed = 1; seed < 4; seed++) {
        make(&s, seed);
        write_one(path, FINGERPRINT, &s);
        assert_true(read_one(path, FINGERPRINT, seed));
        assert_true(read_one(path, FINGERPRINT, seed)); /* reading changes nothing */
    }
    assert_int_equal(access(scratch("there.part"), F_OK), -1);
}

static void test_of_something_else(void **state)
{
    (void)state;
    struct state s;
    struct checkpoint_part part[PARTS];
    bool found;
    const char *path = scratch("other");
    make(&s, 5);
    write_one(path, FINGERPRINT, &s);
    assert_false(read_one(path, FINGERPRINT + 1, 5));
    assert_false(read_one(path, 0, 5));
    list(part, &s); /* parts that are shorter, or fewer */
    part[2].size -= sizeof s.weight[0];
    assert_int_equal(checkpoint_read(&found, path, FINGERPRINT, part, PARTS), STATUS_OK);
    assert_false(found);
    assert_int_equal(checkpoint_read(&found, path, FINGERPRINT, part, PARTS - 1), STATUS_OK);
    assert_false(found);
    part[2].size += sizeof s.weight[0];
    assert_int_equal(checkpoint_read(&found, path, FINGERPRINT, part, PARTS), STATUS_OK);
    assert_true(found);
    assert_true(read_one(path, FINGERPRINT, 5)); /* it is still there for its owner */
}

static void put_bytes(const char *name, const char *bytes, size_t size)
{
    FILE *f = fopen(scratch(name), "wb");
    assert_true(f != NULL && fwrite(bytes, 1, size, f) == size && fclose(f) == 0);
}

/* Every byte once, with one bit and with all bits changed. */
static void test_flipped_bytes(void **state)
{
    (void)state;
    struct state s;
    size_t size = 0;
    make(&s, 6);
    write_one(scratch("whole"), FINGERPRINT, &s);
    char *whole = scratch_read(scratch("whole"), &size);
    assert_int_equal(size, 32 + sizeof s.step + sizeof s.loss + sizeof s.weight);
    const char mask[] = {1, (char)0x80, (char)0xff};
    for (size_t i = 0; i < size; i += i < 100 ? 1 : 37) {
        const char before = whole[i];
        whole[i] = (char)(before ^ mask[i % 3]);
        put_bytes("flipped", whole, size);
        assert_false(read_one(scratch("flipped"), FINGERPRINT, 6));
        whole[i] = before;
    }
    put_bytes("flipped", whole, size);
    assert_true(read_one(scratch("flipped"), FINGERPRINT, 6));
    free(whole);
}

static void test_cut_short(void **state)
{
    (void)state;
    struct state s;
    size_t size = 0;
    make(&s, 7);
    write_one(scratch("whole"), FINGERPRINT, &s);
    char *whole = scratch_read(scratch("whole"), &size);
    char *longer = calloc(1, size + 1);
    assert_non_null(longer);
    memcpy(longer, whole, size);
    for (size_t length = 0; length < size; length += length < 64 ? 1 : 301) {
        put_bytes("short", whole, length);
        assert_false(read_one(scratch("short"), FINGERPRINT, 7));
    }
    put_bytes("short", longer, size + 1);
    assert_false(read_one(scratch("short"), FINGERPRINT, 7));
    free(longer);
    free(whole);
}

static void test_what_is_no_file(void **state)
{
    (void)state;
    struct state s;
    struct checkpoint_part part[PARTS];
    make(&s, 8);
    list(part, &s);
    assert_int_equal(mkdir(scratch("folder"), 0777), 0);
    assert_false(read_one(scratch("folder"), FINGERPRINT, 8));
    assert_int_equal(checkpoint_write(scratch("folder"), FINGERPRINT, part, PARTS), STATUS_FAILURE);
    assert_non_null(strstr(status_message(), "folder"));
    status_clear();
    assert_int_equal(checkpoint_write(scratch("no/such/folder"), FINGERPRINT, part, PARTS), STATUS_FAILURE);
    assert_non_null(strstr(status_message(), "no/such/folder"));
    status_clear();
}

/* A kill while it is written leaves the one before, and something half done, which nobody takes for whole. */
static void test_half_written(void **state)
{
    (void)state;
    struct state s;
    const char *path = scratch("half");
    make(&s, 9);
    write_one(path, FINGERPRINT, &s);
    scratch_write("half.part", "SNASCKP");
    assert_true(read_one(path, FINGERPRINT, 9));
    make(&s, 10);
    write_one(path, FINGERPRINT, &s);
    assert_true(read_one(path, FINGERPRINT, 10));
    assert_int_equal(access(scratch("half.part"), F_OK), -1);
    scratch_write("half.part", "SNASCKP");
    assert_int_equal(checkpoint_remove(path), STATUS_OK);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(access(scratch("half.part"), F_OK), -1);
    assert_int_equal(checkpoint_remove(path), STATUS_OK);
    assert_false(read_one(path, FINGERPRINT, 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_of_something_else), cmocka_unit_test(test_flipped_bytes),
        cmocka_unit_test(test_cut_short),      cmocka_unit_test(test_what_is_no_file),   cmocka_unit_test(test_half_written),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
