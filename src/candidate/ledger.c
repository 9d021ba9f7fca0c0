#include "ledger.h"

#include "checksum.h"
#include "memory.h"
#include "status.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECORDS_BEGIN = 4096, NAMES_TRIED = 100 };

/* The file: the header, zeros up to RECORDS_BEGIN, and a record for each cell and kind, sparse. Numbers are in the order of the
 * machine; `order` tells. */
struct header {
    char magic[8];
    uint64_t order, record_size, kinds, cells, fingerprint, checksum;
};
static const char magic[8] = "SNASLDG";
static const uint64_t order = UINT64_C(0x0102030405060708);

struct record {
    uint64_t place; /* counts from 1, so that zeros are no record */
    struct measurement measurement;
    uint64_t checksum;
};

struct ledger {
    char *path;
    int file;
    int64_t cells;
    uint64_t fingerprint;
};

static int fail_system(const char *path, const char *what)
{
    return status_fail(STATUS_FAILURE, "%s: this ledger of trained cells cannot be %s: %s; is the folder writable and the disk "
                       "not full? What it holds already stays", path, what, strerror(errno));
}

static int64_t file_size(int64_t cells)
{
    return RECORDS_BEGIN + cells * MEASUREMENT_KINDS * (int64_t)sizeof(struct record);
}

static int write_at(int file, const void *data, size_t size, int64_t offset)
{
    const char *from = data;
    while (size > 0) {
        ssize_t written = pwrite(file, from, size, (off_t)offset);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return -1;
        from += written, offset += written, size -= (size_t)written;
    }
    return 0;
}

/* Returns how many bytes there were, -1 on failure. */
static int64_t read_at(int file, void *data, size_t size, int64_t offset)
{
    size_t done = 0;
    while (done < size) {
        ssize_t now = pread(file, (char *)data + done, size - done, (off_t)(offset + (int64_t)done));
        if (now < 0 && errno == EINTR) continue;
        if (now < 0) return -1;
        if (now == 0) break;
        done += (size_t)now;
    }
    return (int64_t)done;
}

/* -- beginning one --------------------------------------------------------------------------------------------- */

static uint64_t header_checksum(const struct header *h)
{
    uint64_t sum = CHECKSUM_BEGIN;
    checksum_add(&sum, h, offsetof(struct header, checksum));
    return sum;
}

static int fill_new(int file, const struct ledger *l)
{
    struct header h = {.order = order, .record_size = sizeof(struct record), .kinds = MEASUREMENT_KINDS,
                       .cells = (uint64_t)l->cells, .fingerprint = l->fingerprint};
    memcpy(h.magic, magic, sizeof magic);
    h.checksum = header_checksum(&h);
    if (write_at(file, &h, sizeof h, 0) != 0 || ftruncate(file, (off_t)file_size(l->cells)) != 0) return -1;
    return fsync(file);
}

/* Under its name complete or not at all; whoever is first begins it, the others find it there. */
static int begin(const struct ledger *l)
{
    char *draft;
    const size_t length = strlen(l->path) + 64;
    int file = -1;
    TRY(memory_alloc(&draft, length, 1));
    for (int i = 0; i < NAMES_TRIED && file < 0; i++) {
        snprintf(draft, length, "%s.new-%ld-%d", l->path, (long)getpid(), i);
        file = open(draft, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file < 0 && errno != EEXIST) break; /* a file of this name is left from a crash */
    }
    int status = file < 0 ? fail_system(l->path, "begun") : STATUS_OK;
    if (status == STATUS_OK) {
        if (fill_new(file, l) != 0) status = fail_system(l->path, "begun");
        close(file);
        /* link() replaces nothing; where there are no links, rename a moment after a look */
        if (status == STATUS_OK && link(draft, l->path) != 0 && errno != EEXIST && access(l->path, F_OK) != 0 &&
            rename(draft, l->path) != 0)
            status = fail_system(l->path, "begun");
        unlink(draft);
    }
    free(draft);
    return status;
}

/* -- opening one ------------------------------------------------------------------------------------------------ */

static int check(const struct ledger *l)
{
    struct header h;
    struct stat facts;
    int64_t bytes = read_at(l->file, &h, sizeof h, 0);
    if (bytes < 0 || fstat(l->file, &facts) != 0) return fail_system(l->path, "read");
    if (bytes != sizeof h || memcmp(h.magic, magic, sizeof magic) != 0 || h.order != order ||
        h.checksum != header_checksum(&h) || h.record_size != sizeof(struct record) || h.kinds != MEASUREMENT_KINDS)
        return status_fail(STATUS_INPUT, "%s: this is no ledger of trained cells that this program can read; name another file "
                           "with candidate.ledger, or train --ledger", l->path);
    if (h.fingerprint != l->fingerprint || h.cells != (uint64_t)l->cells)
        return status_fail(STATUS_INPUT, "%s: this ledger of trained cells is of another space, or of candidates trained in "
                           "another way (%" PRIu64 " distinct cells, fingerprint %016" PRIx64 "; here %" PRId64 ", %016" PRIx64
                           "); name another file with candidate.ledger, or train --ledger", l->path, h.cells, h.fingerprint, l->cells, l->fingerprint);
    if (facts.st_size != (off_t)file_size(l->cells))
        return status_fail(STATUS_INPUT, "%s: this ledger of trained cells is damaged: %lld bytes instead of %lld; put back a "
                           "whole copy, or remove it to train anew", l->path, (long long)facts.st_size,
                           (long long)file_size(l->cells));
    return STATUS_OK;
}

static int open_file(struct ledger *l)
{
    struct stat facts;
    if (stat(l->path, &facts) != 0 && errno == ENOENT) TRY(begin(l));
    if (stat(l->path, &facts) == 0 && !S_ISREG(facts.st_mode))
        return status_fail(STATUS_INPUT, "%s: this is no file, so no ledger of trained cells; name another with candidate.ledger, "
                           "or train --ledger", l->path);
    l->file = open(l->path, O_RDWR | O_CLOEXEC);
    if (l->file < 0) return fail_system(l->path, "opened for reading and writing");
    return check(l);
}

int ledger_name(char **out, const char *space)
{
    static const char end[] = ".ledger";
    size_t length = strlen(space);
    if (length > 3 && strcmp(space + length - 3, ".nc") == 0) length -= 3;
    TRY(memory_alloc(out, length + sizeof end, 1));
    memcpy(*out, space, length);
    memcpy(*out + length, end, sizeof end);
    return STATUS_OK;
}

uint64_t ledger_fingerprint(uint64_t cells_checksum, uint64_t measurer)
{
    uint64_t sum = CHECKSUM_BEGIN;
    checksum_add_number(&sum, cells_checksum);
    checksum_add_number(&sum, measurer);
    return sum;
}

int ledger_open(struct ledger **out, const char *path, int64_t cells, uint64_t fingerprint)
{
    struct ledger *l;
    int status;
    *out = NULL;
    assert(cells > 0 && cells < INT64_MAX / (int64_t)sizeof(struct record) / MEASUREMENT_KINDS - RECORDS_BEGIN);
    TRY(memory_alloc(&l, 1, sizeof *l));
    *l = (struct ledger){.file = -1, .cells = cells, .fingerprint = fingerprint};
    TRY_DONE(memory_copy_text(&l->path, path));
    TRY_DONE(open_file(l));
    *out = l;
done:
    if (status != STATUS_OK) ledger_close(&l);
    return status;
}

void ledger_close(struct ledger **l)
{
    if (*l == NULL) return;
    if ((*l)->file >= 0) close((*l)->file);
    free((*l)->path);
    free(*l);
    *l = NULL;
}

/* -- records ---------------------------------------------------------------------------------------------------- */

static int64_t place_of(const struct ledger *l, int64_t cell, enum measurement_kind kind)
{
    assert(0 <= cell && cell < l->cells);
    return cell * MEASUREMENT_KINDS + (int64_t)kind;
}

static int64_t offset_of(int64_t place)
{
    return RECORDS_BEGIN + place * (int64_t)sizeof(struct record);
}

static uint64_t record_checksum(const struct ledger *l, const struct record *r)
{
    uint64_t sum = CHECKSUM_BEGIN;
    checksum_add_number(&sum, l->fingerprint);
    checksum_add(&sum, r, offsetof(struct record, checksum));
    return sum;
}

static bool is_percent(double value)
{
    return isnan(value) || (value >= 0 && value <= 100);
}

static bool is_possible(const struct measurement *m, enum measurement_kind kind)
{
    if (m->outcome < MEASUREMENT_DONE || m->outcome > MEASUREMENT_FAILED || m->losses < 0 || m->losses > MEASUREMENT_LOSSES_MAX)
        return false;
    return kind == MEASUREMENT_CODE || (is_percent(m->accuracy) && is_percent(m->validation_accuracy));
}

int ledger_read(struct measurement *out, const struct ledger *l, int64_t cell, enum measurement_kind kind)
{
    struct record r;
    const int64_t place = place_of(l, cell, kind);
    *out = (struct measurement){.outcome = MEASUREMENT_NONE};
    int64_t bytes = read_at(l->file, &r, sizeof r, offset_of(place));
    if (bytes < 0) return fail_system(l->path, "read");
    if (bytes != sizeof r || r.place != (uint64_t)place + 1 || r.checksum != record_checksum(l, &r)) return STATUS_OK;
    const struct measurement *m = &r.measurement;
    if (!is_possible(m, kind)) return STATUS_OK;
    *out = *m;
    return STATUS_OK;
}

int ledger_write(struct ledger *l, int64_t cell, enum measurement_kind kind, const struct measurement *m)
{
    const int64_t place = place_of(l, cell, kind);
    struct record r = {.place = (uint64_t)place + 1, .measurement = *m};
    r.checksum = record_checksum(l, &r);
    if (write_at(l->file, &r, sizeof r, offset_of(place)) != 0 || fdatasync(l->file) != 0)
        return fail_system(l->path, "written");
    return STATUS_OK;
}

/* -- claims: locks on the bytes of a record ---------------------------------------------------------------------- */

static int lock(const struct ledger *l, int64_t cell, enum measurement_kind kind, short type)
{
    struct flock region = {.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)offset_of(place_of(l, cell, kind)),
                           .l_len = sizeof(struct record)};
    int rc;
    do rc = fcntl(l->file, F_SETLK, &region);
    while (rc != 0 && errno == EINTR);
    return rc;
}

bool ledger_claim(struct ledger *l, int64_t cell, enum measurement_kind kind)
{
    return lock(l, cell, kind, F_WRLCK) == 0 || (errno != EACCES && errno != EAGAIN);
}

void ledger_release(struct ledger *l, int64_t cell, enum measurement_kind kind)
{
    lock(l, cell, kind, F_UNLCK);
}
