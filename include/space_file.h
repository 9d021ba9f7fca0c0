/* space_file.h - space files: NetCDF-4, described in inputs/space.cdl. Serial: call on one rank. */
#ifndef SPACE_FILE_H
#define SPACE_FILE_H

#include "space.h"

/* Read and validate. Every size in the file is checked before memory is taken; a missing variable, wrong dimension,
 * wrong type, cyclic adjacency, operation outside the vocabulary, negative or infinite accuracy is STATUS_INPUT with
 * the file, the variable and the cell. */
int space_file_read(struct space *out, const char *path);

/* What a search needs of a rich file. */
struct space_need {
    int code_length;          /* the first losses of each cell, or as many as there are */
    bool validation_accuracy;
    const char *signals;      /* a text in which the names of the signals occur as words: a list, a filter */
};

/* The same for less memory: without arch strings, and no more than is needed of losses, validation accuracy and signals. The
 * checksum is that of the whole file all the same. */
int space_file_read_part(struct space *out, const char *path, const struct space_need *need);

/* Write to a temporary name beside path, then rename: no partial file under the final name. */
int space_file_write(const struct space *s, const char *path, const char *history);

#endif
