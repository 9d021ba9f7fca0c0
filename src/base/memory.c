#define _DEFAULT_SOURCE /* madvise */
#include "memory.h"

#include "status.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

/* From LARGE on, memory comes in pages of HUGE_PAGE where the system has them: fewer for it to clear and for the processor to look up. */
enum { ALIGNMENT = 64, HUGE_PAGE = 2 << 20, LARGE = 8 * HUGE_PAGE };

static int aligned(void **out, size_t bytes)
{
    *out = NULL;
    const size_t alignment = bytes < LARGE ? ALIGNMENT : HUGE_PAGE;
    if (bytes > SIZE_MAX - alignment) return status_fail(STATUS_FAILURE, "a size of %zu bytes is too large", bytes);
    size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    if (rounded == 0) rounded = alignment;
    void *memory = aligned_alloc(alignment, rounded);
    if (memory == NULL) return status_fail(STATUS_FAILURE, "out of memory: %zu bytes are not to be had", rounded);
#ifdef MADV_HUGEPAGE
    if (bytes >= LARGE) madvise(memory, rounded, MADV_HUGEPAGE); /* a wish */
#endif
    memset(memory, 0, rounded);
    *out = memory;
    return STATUS_OK;
}

int memory_alloc(void *out, size_t count, size_t size)
{
    void *memory = NULL;
    int status = STATUS_OK;
    if (size != 0 && count > SIZE_MAX / size)
        status = status_fail(STATUS_FAILURE, "%zu items of %zu bytes are too large for memory", count, size);
    else
        status = aligned(&memory, count * size);
    memcpy(out, &memory, sizeof memory);
    return status;
}

int memory_grow(void *array, size_t used, size_t count, size_t size)
{
    void *old, *larger;
    assert(used <= count);
    TRY(memory_alloc(&larger, count, size));
    memcpy(&old, array, sizeof old);
    if (used > 0) memcpy(larger, old, used * size);
    free(old);
    memcpy(array, &larger, sizeof larger);
    return STATUS_OK;
}

int memory_copy_text(char **out, const char *text)
{
    size_t length = strlen(text) + 1;
    TRY(memory_alloc(out, length, 1));
    memcpy(*out, text, length);
    return STATUS_OK;
}

int memory_join(char **out, const char *const *text, int count, const char *between)
{
    size_t length = 1;
    for (int i = 0; i < count; i++) length += strlen(text[i]) + strlen(between);
    TRY(memory_alloc(out, length, 1));
    char *end = *out;
    for (int i = 0; i < count; i++) end = stpcpy(stpcpy(end, i > 0 ? between : ""), text[i]);
    return STATUS_OK;
}

int64_t memory_peak(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (int64_t)usage.ru_maxrss * 1024; /* in kilobytes on Linux */
}

/* The number behind `name` in a file of lines; -1 when there is none. */
static int64_t read_number(const char *path, const char *name)
{
    char line[256];
    long long number = -1;
    FILE *file = fopen(path, "r");
    while (file != NULL && number < 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0 && sscanf(line + strlen(name), "%lld", &number) != 1) number = -1;
    if (file != NULL) fclose(file);
    return number;
}

int64_t memory_available(void)
{
    struct rlimit limit;
    const int64_t left = read_number("/proc/meminfo", "MemAvailable:");
    int64_t available = INT64_MAX;
    const int64_t mine = read_number("/proc/self/status", "VmSize:");
    if (left >= 0) available = left * 1024; /* both in kilobytes */
    if (mine >= 0 && getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        const int64_t room = (int64_t)limit.rlim_cur - mine * 1024;
        if (room < available) available = room > 0 ? room : 0;
    }
    return available;
}

int memory_require(size_t bytes, const char *what)
{
    void *room = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        return status_fail(STATUS_FAILURE, "out of memory: %s takes up to %zu MiB, which are not to be had", what, bytes >> 20);
    munmap(room, bytes);
    return STATUS_OK;
}

void *workspace_take(struct workspace *w, size_t count, size_t size)
{
    assert(size == 0 || count <= (SIZE_MAX / 2) / size);
    size_t bytes = (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    char *pointer = w->base == NULL ? NULL : w->base + w->used;
    w->used += bytes;
    assert(w->base == NULL || w->used <= w->size);
    return pointer;
}

int workspace_open(struct workspace *w)
{
    void *memory;
    TRY(aligned(&memory, w->used));
    w->base = memory;
    w->size = w->used;
    w->used = 0;
    return STATUS_OK;
}

void workspace_close(struct workspace *w)
{
    free(w->base);
    *w = (struct workspace){0};
}
