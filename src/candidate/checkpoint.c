#include "checkpoint.h"

#include "checksum.h"
#include "file.h"
#include "log.h"
#include "memory.h"
#include "status.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file: the header, and the parts one after the other. Numbers are in the order of the machine. */
struct header {
    char magic[8];
    uint64_t fingerprint, size, checksum; /* of the parts */
};
static const char magic[8] = "SNASCKP";

static size_t size_of(const struct checkpoint_part *part, int parts)
{
    size_t size = 0;
    for (int i = 0; i < parts; i++) size += part[i].size;
    return size;
}

static uint64_t checksum_of(const char *data, size_t size)
{
    uint64_t sum = CHECKSUM_BEGIN;
    checksum_add(&sum, data, size);
    return sum;
}

int checkpoint_write(const char *path, uint64_t fingerprint, const struct checkpoint_part *part, int parts)
{
    const size_t size = size_of(part, parts);
    struct header h = {.fingerprint = fingerprint, .size = size};
    char *file;
    TRY(memory_alloc(&file, sizeof h + size, 1));
    char *end = file + sizeof h;
    for (int i = 0; i < parts; i++) {
        memcpy(end, part[i].data, part[i].size);
        end += part[i].size;
    }
    memcpy(h.magic, magic, sizeof magic);
    h.checksum = checksum_of(file + sizeof h, size);
    memcpy(file, &h, sizeof h);
    int status = file_write(path, file, sizeof h + size);
    free(file);
    return status;
}

/* The whole file into data[size]; false when it is shorter or longer, or cannot be read. */
static bool read_whole(char *data, size_t size, const char *path)
{
    struct stat facts;
    size_t done = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    if (fstat(file, &facts) == 0 && S_ISREG(facts.st_mode) && (uint64_t)facts.st_size == size)
        for (ssize_t now; done < size && (now = read(file, data + done, size - done)) > 0;) done += (size_t)now;
    close(file);
    return done == size;
}

int checkpoint_read(bool *found, const char *path, uint64_t fingerprint, const struct checkpoint_part *part, int parts)
{
    const size_t size = size_of(part, parts);
    struct header h = {.fingerprint = fingerprint};
    char *file;
    *found = false;
    if (access(path, F_OK) != 0) return STATUS_OK;
    TRY(memory_alloc(&file, sizeof h + size, 1));
    if (read_whole(file, sizeof h + size, path)) {
        memcpy(&h, file, sizeof h);
        *found = memcmp(h.magic, magic, sizeof magic) == 0 && h.fingerprint == fingerprint && h.size == size &&
                 h.checksum == checksum_of(file + sizeof h, size);
    }
    if (!*found)
        log_warning("%s is %s: this training begins anew", path,
                    h.fingerprint == fingerprint ? "no whole checkpoint" : "the checkpoint of another training, or of another machine");
    const char *from = file + sizeof h;
    for (int i = 0; i < parts && *found; i++) {
        memcpy(part[i].data, from, part[i].size);
        from += part[i].size;
    }
    free(file);
    return STATUS_OK;
}

int checkpoint_remove(const char *path)
{
    char *draft;
    unlink(path);
    TRY(file_draft(&draft, path));
    unlink(draft);
    free(draft);
    return STATUS_OK;
}
