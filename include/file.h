/* file.h - whole files that appear under their name complete or not at all. */
#ifndef FILE_H
#define FILE_H

#include <stddef.h>

/* Write data[size] to PATH.part, bring it to the disk, rename it to path. On failure nothing is left behind, an existing
 * file stays as it was, and the status is STATUS_FAILURE. Serial. */
int file_write(const char *path, const void *data, size_t size);

#endif
