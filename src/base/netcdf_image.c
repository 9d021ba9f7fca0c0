#include "netcdf_image.h"

#include "file.h"
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <netcdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* An empty file in the folder, in which there is room for `bytes`; its name is removed as soon as the library has opened it, so that
 * nothing is left behind however the program ends. */
static int open_in(struct netcdf_image *image, const char *folder, size_t bytes)
{
    char name[64];
    snprintf(name, sizeof name, "%s/siamese-nas-XXXXXX", folder);
    image->descriptor = mkstemp(name);
    if (image->descriptor < 0) return errno;
    int rc = posix_fallocate(image->descriptor, 0, (off_t)bytes);
    if (rc == 0) rc = nc_create(name, NC_NETCDF4 | NC_CLOBBER, &image->file);
    unlink(name);
    if (rc != NC_NOERR) close(image->descriptor);
    return rc;
}

int netcdf_image_open(struct netcdf_image *image, const char *path, size_t bytes)
{
    static const char *const folder[] = {"/dev/shm", "/tmp", "."};
    enum { HEADER = 1 << 20 };
    int rc = EACCES;
    for (size_t i = 0; i < sizeof folder / sizeof folder[0] && rc != NC_NOERR; i++) rc = open_in(image, folder[i], bytes + HEADER);
    if (rc == NC_NOERR) return STATUS_OK;
    return status_fail(STATUS_FAILURE, "%s: cannot be written: no room to make it in /dev/shm, /tmp or here: %s", path, nc_strerror(rc));
}

static int save(int descriptor, const char *path)
{
    struct stat size;
    if (fstat(descriptor, &size) != 0) return status_fail(STATUS_FAILURE, "%s: cannot be made: %s", path, strerror(errno));
    void *bytes = mmap(NULL, (size_t)size.st_size, PROT_READ, MAP_SHARED, descriptor, 0);
    if (bytes == MAP_FAILED) return status_fail(STATUS_FAILURE, "%s: cannot be made: %s", path, strerror(errno));
    int status = file_write(path, bytes, (size_t)size.st_size);
    munmap(bytes, (size_t)size.st_size);
    return status;
}

int netcdf_image_save(struct netcdf_image *image, int rc, const char *path)
{
    int closed = nc_close(image->file);
    if (rc == NC_NOERR) rc = closed;
    int status = rc == NC_NOERR ? save(image->descriptor, path)
                                : status_fail(STATUS_FAILURE, "%s: cannot be made: %s", path, nc_strerror(rc));
    close(image->descriptor);
    return status;
}
