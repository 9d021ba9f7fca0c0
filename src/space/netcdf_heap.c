#include "netcdf_heap.h"

#include "memory.h"
#include "status.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "Global heap collections" in the HDF5 File Format Specification: MARK, the size of all, then entries of a number (2 bytes), 6 bytes
 * of no account here, the size (8 bytes) and as many bytes, rounded up to 8. Number 0 is what is free, its size counts its own head. */
static const char mark[8] = "GCOL\1";
enum { HEAD = 16, ALIGNMENT = 8, BLOCK = 1 << 20 };

struct source {
    const char *path;
    int descriptor;
    size_t bytes;
};

static int read_at(const struct source *s, void *out, size_t size, size_t at)
{
    for (char *next = out; size > 0;) {
        ssize_t got = pread(s->descriptor, next, size, (off_t)at);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0)
            return status_fail(STATUS_INPUT, "%s: cannot be read: %s", s->path, got < 0 ? strerror(errno) : "it has become shorter");
        next += got;
        at += (size_t)got;
        size -= (size_t)got;
    }
    return STATUS_OK;
}

/* HDF5's numbers have their lowest byte first. */
static uint64_t number(const uint8_t *from, int bytes)
{
    uint64_t value = 0;
    for (int i = bytes - 1; i >= 0; i--) value = value << 8 | from[i];
    return value;
}

/* The bytes that an entry takes, 0 when it is longer than the `left` bytes that it may take. */
static uint64_t entry_size(const uint8_t head[HEAD], uint64_t left)
{
    const uint64_t size = number(head + 8, 8);
    if (size > left) return 0;
    const uint64_t taken = number(head, 2) == 0 ? size : HEAD + (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return taken < HEAD || taken > left ? 0 : taken;
}

/* The heap that begins at *at, which is moved behind it. */
static int check_heap(const struct source *s, size_t *at)
{
    uint8_t head[HEAD];
    const size_t begin = *at;
    size_t next = begin + HEAD;
    if (s->bytes - begin < HEAD) goto damaged;
    TRY(read_at(s, head, HEAD, begin));
    const uint64_t size = number(head + 8, 8);
    if (size < HEAD || size > s->bytes - begin) goto damaged;
    const size_t end = begin + (size_t)size;
    while (end - next >= HEAD) { /* less is free, too, and has no head */
        TRY(read_at(s, head, HEAD, next));
        const uint64_t entry = entry_size(head, end - next);
        if (entry == 0) goto damaged;
        next += (size_t)entry;
    }
    *at = end;
    return STATUS_OK;
damaged:
    return status_fail(STATUS_INPUT, "%s: it is damaged: the heap at byte %zu has an impossible size at byte %zu; put back a whole copy",
                       s->path, begin, next);
}

bool netcdf_is_classic(int descriptor)
{
    char begin[4];
    return pread(descriptor, begin, sizeof begin, 0) == (ssize_t)sizeof begin && memcmp(begin, "CDF", 3) == 0 &&
           (begin[3] == 1 || begin[3] == 2 || begin[3] == 5);
}

/* The first mark in block[size]; size when there is none. */
static size_t find_mark(const char *block, size_t size)
{
    for (const char *at = block; size - (size_t)(at - block) >= sizeof mark; at++) {
        at = memchr(at, mark[0], size - (size_t)(at - block) - sizeof mark + 1);
        if (at == NULL) break;
        if (memcmp(at, mark, sizeof mark) == 0) return (size_t)(at - block);
    }
    return size;
}

int netcdf_heap_check(int descriptor, size_t bytes, const char *path)
{
    const struct source s = {path, descriptor, bytes};
    char *block;
    TRY(memory_alloc(&block, BLOCK, 1));
    int status = STATUS_OK;
    for (size_t at = 0; bytes - at >= sizeof mark && status == STATUS_OK;) {
        const size_t size = bytes - at < BLOCK ? bytes - at : BLOCK;
        status = read_at(&s, block, size, at);
        if (status != STATUS_OK) break;
        const size_t found = find_mark(block, size);
        if (found < size) {
            at += found;
            status = check_heap(&s, &at);
        } else {
            at += size == bytes - at ? size : size - sizeof mark + 1; /* a mark may lie across two blocks */
        }
    }
    free(block);
    return status;
}
