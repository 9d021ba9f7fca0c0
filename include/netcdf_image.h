/* netcdf_image.h - NetCDF-4 files that are made in memory and then written in one go.
 *
 * HDF5 neither says what is wrong after a failed write, on a full disk say, nor survives the end of the process. NetCDF's own
 * in-memory files cannot be opened for writing later (they lack creation order). So the library writes an ordinary file in a
 * file system in memory, and file_write() brings its bytes to the disk. Serial. */
#ifndef NETCDF_IMAGE_H
#define NETCDF_IMAGE_H

#include <stddef.h>

struct netcdf_image {
    int descriptor; /* of the file in memory */
    int file;       /* NetCDF handle, in define mode after opening */
};

/* `path` is where it will go, for messages; `bytes` a bound of its size, for which there must be room in memory or where temporary
 * files go. */
int netcdf_image_open(struct netcdf_image *image, const char *path, size_t bytes);

/* Close the file and, when rc is NC_NOERR, write it to path; else report rc. Releases the image either way. */
int netcdf_image_save(struct netcdf_image *image, int rc, const char *path);

#endif
