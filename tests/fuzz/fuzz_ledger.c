/* Ledgers: the first byte says how many cells are expected, the second whether header and records get their right checksums. */
#include "fuzz.h"

#include "checksum.h"
#include "ledger.h"

#include <math.h>

/* As in ledger.c: 56 bytes, records from 4096 on. */
enum { BEGIN = 4096, RECORD = (int)sizeof(struct measurement) + 16, CELLS_MAX = 4, FILE_MAX = BEGIN + 2 * CELLS_MAX * RECORD + 64 };
static const uint64_t fingerprint = 42;
static const char *path;
static uint8_t file[FILE_MAX];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    path = fuzz_path("cells.ledger");
    return 0;
}

static void mend(size_t length)
{
    uint64_t sum = CHECKSUM_BEGIN;
    checksum_add(&sum, file, 48);
    memcpy(file + 48, &sum, sizeof sum);
    for (size_t at = BEGIN; at + RECORD <= length; at += RECORD) {
        sum = CHECKSUM_BEGIN;
        checksum_add_number(&sum, fingerprint);
        checksum_add(&sum, file + at, RECORD - sizeof sum);
        memcpy(file + at + RECORD - sizeof sum, &sum, sizeof sum);
    }
}

/* The contents without the zeros between header and records. */
static size_t unpack(const uint8_t *data, size_t size)
{
    const size_t head = size < 56 ? size : 56;
    size_t rest = size - head;
    if (rest > FILE_MAX - BEGIN) rest = FILE_MAX - BEGIN;
    memset(file, 0, sizeof file);
    memcpy(file, data, head);
    memcpy(file + BEGIN, data + head, rest);
    return rest > 0 ? BEGIN + rest : head;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ledger *ledger;
    struct measurement m, same = {.outcome = MEASUREMENT_DONE, .losses = 1, .accuracy = 50};
    if (size < 2) return 0;
    const int64_t cells = 1 + data[0] % CELLS_MAX;
    size_t length = unpack(data + 2, size - 2);
    if (data[1] & 1) mend(length);
    if (data[1] & 2) length = (size_t)(BEGIN + 2 * cells * RECORD);
    fuzz_write(path, file, length);
    if (!fuzz_status(ledger_open(&ledger, path, cells, fingerprint), path)) return 0;
    for (int64_t i = 0; i < cells; i++)
        for (int kind = 0; kind < MEASUREMENT_KINDS; kind++) {
            fuzz_status(ledger_read(&m, ledger, i, (enum measurement_kind)kind), path);
            if (m.outcome < MEASUREMENT_NONE || m.outcome > MEASUREMENT_FAILED || m.losses < 0 || m.losses > MEASUREMENT_LOSSES_MAX)
                fuzz_broken("a measurement out of range", path);
            if (kind == MEASUREMENT_TRAINING && (m.accuracy < 0 || m.accuracy > 100)) fuzz_broken("no percentage", path);
        }
    fuzz_status(ledger_write(ledger, 0, MEASUREMENT_CODE, &same), path);
    fuzz_status(ledger_read(&m, ledger, 0, MEASUREMENT_CODE), path);
    if (m.outcome != MEASUREMENT_DONE || m.accuracy != 50) fuzz_broken("what was written does not come back", path);
    ledger_close(&ledger);
    return 0;
}
