#include "file.h"

#include "memory.h"
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int file, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(file, data, size);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return -1;
        data += written;
        size -= (size_t)written;
    }
    return fsync(file); /* before the rename: a crash must not leave an empty file under the final name */
}

static int fail_system(const char *path, const char *what)
{
    return status_fail(STATUS_FAILURE, "%s: %s: %s", path, what, strerror(errno));
}

static int save(const char *part, const char *path, const void *data, size_t size)
{
    int file = open(part, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (file < 0) return fail_system(path, "cannot be written");
    int status = STATUS_OK;
    if (write_all(file, data, size) != 0) status = fail_system(path, "cannot be written");
    if (close(file) != 0 && status == STATUS_OK) status = fail_system(path, "cannot be written");
    if (status == STATUS_OK && rename(part, path) != 0) status = fail_system(path, "cannot be replaced");
    if (status != STATUS_OK) unlink(part);
    return status;
}

bool file_same(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int file_check_distinct(const char *output, const char *input)
{
    if (output == NULL || input == NULL || !file_same(output, input)) return STATUS_OK;
    return status_fail(STATUS_INPUT, "%s is the input %s; choose another name for the output", output, input);
}

void file_folder(char folder[PATH_MAX], const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    snprintf(folder, PATH_MAX, "%.*s", length == 0 ? 1 : (int)length, length == 0 ? "." : path);
}

int file_draft(char **out, const char *path)
{
    const char *const name[] = {path, ".part"};
    return memory_join(out, name, 2, "");
}

int file_write(const char *path, const void *data, size_t size)
{
    char *part;
    struct stat there;
    if (lstat(path, &there) == 0 && !S_ISREG(there.st_mode))
        return status_fail(STATUS_FAILURE, "%s: %s; nothing is written", path,
                           S_ISDIR(there.st_mode) ? "Is a directory" : "exists and is not a plain file");
    TRY(file_draft(&part, path));
    int status = save(part, path, data, size);
    free(part);
    return status;
}
