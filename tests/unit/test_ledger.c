/* The ledger of measurements: what is written comes back, torn and foreign files are told apart, several processes use one. */
#include "fixture.h"
#include "scratch.h"

#include "ledger.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { CELLS = 50, RECORDS_BEGIN = 4096 };

/* A measurement that is a function of cell and kind. */
static struct measurement made_up(int64_t cell, enum measurement_kind kind)
{
    struct measurement m = {.outcome = MEASUREMENT_DONE + (int)(cell % 3), .losses = (int32_t)(cell % 5) + (int)kind,
                            .accuracy = kind == MEASUREMENT_CODE ? NAN : 50.25 + (double)(cell % 49), .validation_accuracy = NAN,
                            .synflow = -1e9 * (double)cell, .seconds = 0.5};
    for (int e = 0; e < m.losses; e++) m.loss[e] = e == 3 ? NAN : 2.5 - 0.1 * e - 1e-3 * (double)cell;
    return m;
}

static bool same(const struct measurement *a, const struct measurement *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static struct ledger *open_ledger(const char *path, int64_t cells, uint64_t fingerprint)
{
    struct ledger *l = NULL;
    status_clear();
    int status = ledger_open(&l, path, cells, fingerprint);
    if (status != STATUS_OK) print_error("%s\n", status_message());
    assert_int_equal(status, STATUS_OK);
    return l;
}

static void write_one(struct ledger *l, int64_t cell, enum measurement_kind kind)
{
    const struct measurement m = made_up(cell, kind);
    assert_int_equal(ledger_write(l, cell, kind, &m), STATUS_OK);
}

static void expect_there(const struct ledger *l, int64_t cell, enum measurement_kind kind)
{
    struct measurement found, expected = made_up(cell, kind);
    assert_int_equal(ledger_read(&found, l, cell, kind), STATUS_OK);
    assert_true(same(&found, &expected));
}

static void expect_absent(const struct ledger *l, int64_t cell, enum measurement_kind kind)
{
    struct measurement found;
    memset(&found, 7, sizeof found);
    assert_int_equal(ledger_read(&found, l, cell, kind), STATUS_OK);
    assert_int_equal(found.outcome, MEASUREMENT_NONE);
}

static void expect_refusal(const char *path, int64_t cells, uint64_t fingerprint, int status, const char *part)
{
    struct ledger *l = NULL;
    status_clear();
    assert_int_equal(ledger_open(&l, path, cells, fingerprint), status);
    assert_null(l);
    if (strstr(status_message(), path) == NULL || strstr(status_message(), part) == NULL) {
        print_error("'%s' does not name %s and %s\n", status_message(), path, part);
        fail();
    }
    status_clear();
}

static void test_write_and_read(void **state)
{
    (void)state;
    const char *path = scratch("plain.ledger");
    struct ledger *l = open_ledger(path, CELLS, 11);
    for (int64_t i = 0; i < CELLS; i++)
        for (int kind = 0; kind < MEASUREMENT_KINDS; kind++) expect_absent(l, i, (enum measurement_kind)kind);
    write_one(l, 0, MEASUREMENT_CODE); /* the first, the last, and what lies beside them stays absent */
    write_one(l, CELLS - 1, MEASUREMENT_TRAINING);
    write_one(l, 20, MEASUREMENT_TRAINING);
    write_one(l, 20, MEASUREMENT_TRAINING);
    for (int pass = 0; pass < 2; pass++) {
        expect_there(l, 0, MEASUREMENT_CODE);
        expect_absent(l, 0, MEASUREMENT_TRAINING);
        expect_there(l, CELLS - 1, MEASUREMENT_TRAINING);
        expect_absent(l, CELLS - 1, MEASUREMENT_CODE);
        expect_absent(l, 1, MEASUREMENT_CODE);
        expect_there(l, 20, MEASUREMENT_TRAINING);
        ledger_close(&l);
        assert_null(l);
        l = open_ledger(path, CELLS, 11);
    }
    ledger_close(&l);
    ledger_close(&l);
}

/* A ledger of something else is refused and stays byte for byte. */
static void test_refusals(void **state)
{
    (void)state;
    const char *path = scratch("mine.ledger");
    struct ledger *l = open_ledger(path, CELLS, 11);
    size_t before = 0, after = 0;
    write_one(l, 3, MEASUREMENT_CODE);
    ledger_close(&l);
    char *bytes = scratch_read(path, &before);
    expect_refusal(path, CELLS, 12, STATUS_INPUT, "trained in another way");
    expect_refusal(path, CELLS + 1, 11, STATUS_INPUT, "another space");
    expect_refusal(path, CELLS - 1, 11, STATUS_INPUT, "candidate.ledger");
    char *again = scratch_read(path, &after);
    assert_int_equal(before, after);
    assert_memory_equal(bytes, again, before);
    free(bytes);
    free(again);

    assert_int_equal(truncate(path, (off_t)before - 1), 0);
    expect_refusal(path, CELLS, 11, STATUS_INPUT, "damaged");
    assert_int_equal(truncate(path, 20), 0);
    expect_refusal(path, CELLS, 11, STATUS_INPUT, "no ledger");
    expect_refusal(scratch_write("empty.ledger", ""), CELLS, 11, STATUS_INPUT, "no ledger");
    expect_refusal(scratch_write("text.ledger", "a letter, which is long enough for a header of a ledger, isn't it? Yes!"), CELLS, 11,
                   STATUS_INPUT, "no ledger");
    expect_refusal(scratch_folder, CELLS, 11, STATUS_INPUT, "no file");
    expect_refusal(scratch("no/such/folder.ledger"), CELLS, 11, STATUS_FAILURE, "cannot be begun");
    expect_refusal("/proc/x.ledger", CELLS, 11, STATUS_FAILURE, "cannot be begun");
}

/* Change one byte of the file at each of some places of a record: that record is gone, no other. */
static void test_torn(void **state)
{
    (void)state;
    const char *path = scratch("torn.ledger");
    struct ledger *l = open_ledger(path, CELLS, 11);
    for (int64_t i = 0; i < 3; i++)
        for (int kind = 0; kind < MEASUREMENT_KINDS; kind++) write_one(l, i, (enum measurement_kind)kind);
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    const int64_t record = (facts.st_size - RECORDS_BEGIN) / (CELLS * MEASUREMENT_KINDS), victim = 2; /* the code of cell 1 */
    int file = open(path, O_RDWR);
    for (int64_t at = 0; at < record; at += 61) {
        const int64_t place = RECORDS_BEGIN + victim * record + at;
        uint8_t byte, other;
        assert_int_equal(pread(file, &byte, 1, place), 1);
        other = byte ^ 0x40;
        assert_int_equal(pwrite(file, &other, 1, place), 1);
        expect_absent(l, 1, MEASUREMENT_CODE);
        expect_there(l, 0, MEASUREMENT_TRAINING);
        expect_there(l, 1, MEASUREMENT_TRAINING);
        assert_int_equal(pwrite(file, &byte, 1, place), 1);
        expect_there(l, 1, MEASUREMENT_CODE);
    }
    /* a record in another's place is none either, nor is half of one */
    uint8_t bytes[4096] = {0};
    assert_true(record <= (int64_t)sizeof bytes);
    assert_int_equal(pread(file, bytes, (size_t)record, RECORDS_BEGIN), record);
    assert_int_equal(pwrite(file, bytes, (size_t)record, RECORDS_BEGIN + 8 * record), record);
    expect_absent(l, 4, MEASUREMENT_CODE);
    assert_int_equal(pwrite(file, bytes + record / 2, (size_t)record / 2, RECORDS_BEGIN + 9 * record), record / 2);
    expect_absent(l, 4, MEASUREMENT_TRAINING);
    write_one(l, 4, MEASUREMENT_TRAINING);
    expect_there(l, 4, MEASUREMENT_TRAINING);
    close(file);
    ledger_close(&l);
}

/* A file size limit stands for a full disk. */
/* What no measurement can be is not there, whoever wrote it. */
static void test_impossible(void **state)
{
    (void)state;
    struct ledger *l = open_ledger(scratch("impossible.ledger"), CELLS, 11);
    struct measurement wrong[] = {made_up(1, MEASUREMENT_TRAINING), made_up(1, MEASUREMENT_TRAINING), made_up(1, MEASUREMENT_TRAINING),
                                  made_up(1, MEASUREMENT_TRAINING), made_up(1, MEASUREMENT_TRAINING)};
    wrong[0].accuracy = 100.5;
    wrong[1].validation_accuracy = -INFINITY;
    wrong[2].losses = MEASUREMENT_LOSSES_MAX + 1;
    wrong[3].losses = -1;
    wrong[4].outcome = MEASUREMENT_FAILED + 1;
    write_one(l, 1, MEASUREMENT_TRAINING);
    expect_there(l, 1, MEASUREMENT_TRAINING);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(ledger_write(l, 1, MEASUREMENT_TRAINING, &wrong[i]), STATUS_OK);
        expect_absent(l, 1, MEASUREMENT_TRAINING);
    }
    ledger_close(&l);
}

static void test_full_disk(void **state)
{
    (void)state;
    const char *path = scratch("full.ledger"), *unborn = scratch("unborn.ledger");
    struct rlimit limit, small;
    struct ledger *l = open_ledger(path, CELLS, 11);
    const struct measurement m = made_up(CELLS - 1, MEASUREMENT_CODE);
    write_one(l, 0, MEASUREMENT_CODE);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    small.rlim_cur = RECORDS_BEGIN + 4096;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    status_clear();
    int status = ledger_write(l, CELLS - 1, MEASUREMENT_CODE, &m), begun;
    bool named = strstr(status_message(), path) != NULL && strstr(status_message(), "cannot be written") != NULL;
    struct ledger *other = NULL;
    status_clear();
    begun = ledger_open(&other, unborn, CELLS, 11);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(status, STATUS_FAILURE);
    assert_true(named);
    assert_int_equal(begun, STATUS_FAILURE);
    assert_non_null(strstr(status_message(), unborn));
    status_clear();
    assert_int_not_equal(access(unborn, F_OK), 0);
    expect_there(l, 0, MEASUREMENT_CODE);
    expect_absent(l, CELLS - 1, MEASUREMENT_CODE);
    write_one(l, CELLS - 1, MEASUREMENT_CODE); /* there is room again */
    expect_there(l, CELLS - 1, MEASUREMENT_CODE);
    ledger_close(&l);
}

static void test_sparse(void **state)
{
    (void)state;
    const char *path = scratch("large.ledger");
    struct ledger *l = open_ledger(path, 1000000, 11);
    struct stat facts;
    write_one(l, 999999, MEASUREMENT_TRAINING);
    expect_there(l, 999999, MEASUREMENT_TRAINING);
    assert_int_equal(stat(path, &facts), 0);
    assert_true(facts.st_size > 1000000000);
    assert_true(facts.st_blocks < 2048); /* a megabyte */
    ledger_close(&l);
}

static int files_in_folder(const char *begin)
{
    int count = 0;
    DIR *folder = opendir(scratch_folder);
    for (struct dirent *e; (e = readdir(folder)) != NULL;) count += strncmp(e->d_name, begin, strlen(begin)) == 0;
    closedir(folder);
    return count;
}

/* Many begin it at the same moment, each writes its own records: all are there. */
static void test_many_processes(void **state)
{
    (void)state;
    enum { PROCESSES = 10 };
    const char *path = scratch("many.ledger");
    pid_t child[PROCESSES];
    for (int p = 0; p < PROCESSES; p++) {
        if ((child[p] = fork()) != 0) continue;
        struct ledger *l;
        int status = ledger_open(&l, path, CELLS, 11);
        for (int64_t i = p; i < CELLS && status == STATUS_OK; i += PROCESSES) {
            struct measurement m = made_up(i, MEASUREMENT_TRAINING);
            status = ledger_write(l, i, MEASUREMENT_TRAINING, &m);
        }
        _exit(status);
    }
    for (int p = 0; p < PROCESSES; p++) {
        int how;
        assert_int_equal(waitpid(child[p], &how, 0), child[p]);
        assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    }
    struct ledger *l = open_ledger(path, CELLS, 11);
    for (int64_t i = 0; i < CELLS; i++) expect_there(l, i, MEASUREMENT_TRAINING);
    ledger_close(&l);
    assert_int_equal(files_in_folder("many.ledger"), 1);
}

/* What another process has claimed is not to be had until it releases it or dies. */
static void test_claims(void **state)
{
    (void)state;
    const char *path = scratch("claims.ledger");
    struct ledger *l = open_ledger(path, CELLS, 11);
    int ready[2], go[2];
    char byte = 0;
    assert_true(pipe(ready) == 0 && pipe(go) == 0);
    pid_t child = fork();
    if (child == 0) {
        struct ledger *own;
        if (ledger_open(&own, path, CELLS, 11) != STATUS_OK) _exit(1);
        if (!ledger_claim(own, 5, MEASUREMENT_CODE) || !ledger_claim(own, 6, MEASUREMENT_CODE)) _exit(2);
        if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) != 1) _exit(3);
        ledger_release(own, 5, MEASUREMENT_CODE);
        if (write(ready[1], &byte, 1) != 1) _exit(4);
        for (;;) pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_false(ledger_claim(l, 5, MEASUREMENT_CODE));
    assert_true(ledger_claim(l, 5, MEASUREMENT_TRAINING)); /* its neighbours */
    assert_true(ledger_claim(l, 4, MEASUREMENT_TRAINING));
    assert_true(ledger_claim(l, 7, MEASUREMENT_CODE));
    assert_int_equal(write(go[1], &byte, 1), 1);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_true(ledger_claim(l, 5, MEASUREMENT_CODE));
    assert_false(ledger_claim(l, 6, MEASUREMENT_CODE));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_true(ledger_claim(l, 6, MEASUREMENT_CODE));
    ledger_release(l, 6, MEASUREMENT_CODE);
    for (int i = 0; i < 2; i++) close(ready[i]), close(go[i]);
    ledger_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_and_read), cmocka_unit_test(test_refusals), cmocka_unit_test(test_torn),
        cmocka_unit_test(test_impossible),
        cmocka_unit_test(test_full_disk), cmocka_unit_test(test_sparse), cmocka_unit_test(test_many_processes),
        cmocka_unit_test(test_claims),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
