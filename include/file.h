/* file.h - whole files that appear under their name complete or not at all. */
#ifndef FILE_H
#define FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* Write data[size] to PATH.part, bring it to the disk, rename it to path. On failure nothing is left behind, an existing
 * file stays as it was, and the status is STATUS_FAILURE; a path that is something else than a file is refused. Serial. */
int file_write(const char *path, const void *data, size_t size);

/* Are these two names of one file that is there? */
bool file_same(const char *a, const char *b);

/* The folder that `path` lies in. */
void file_folder(char folder[PATH_MAX], const char *path);

/* PATH.part, which a kill in the middle of file_write() leaves behind. Release with free(). */
int file_draft(char **out, const char *path);

/* STATUS_INPUT when `output` is there already and is the same file as `input`: it would be lost. Either may be NULL. */
int file_check_distinct(const char *output, const char *input);

#endif
