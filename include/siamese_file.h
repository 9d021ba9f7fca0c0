/* siamese_file.h - predictor weights on disk: our own NetCDF files, and the Keras HDF5 files published with the paper.
 * Serial: call on one rank. */
#ifndef SIAMESE_FILE_H
#define SIAMESE_FILE_H

#include "siamese.h"

/* Read either format, recognised by content, into a new predictor for scoring (max_batch = 0). *vocabulary receives the operation
 * names as one blank-separated text, or NULL when the file has none (Keras); release with free().
 * STATUS_INPUT for a file that is neither, truncated, or of another network. */
int siamese_file_read(struct siamese **out, char **vocabulary, const char *path);

/* Write our own format; reading it back gives the same bits. vocabulary: operation names separated by blanks. */
int siamese_file_write(struct siamese *s, const char *vocabulary, const char *path);

/* Renumber the operations: *s, trained with `vocabulary` (as read above), becomes a network for the operations name[operations], in
 * their order. STATUS_INPUT when it does not know one of them, with `where` in the message; *s is unchanged then. */
int siamese_renumber(struct siamese **s, const char *vocabulary, char *const *name, int operations, const char *where);

/* The Keras reader, called by siamese_file_read with an open NetCDF handle. */
int siamese_keras_read(struct siamese **out, int file, const char *path);

/* One named array of parameters. */
struct siamese_array {
    char name[32];
    real *value;
    int rank;              /* 1 or 2 */
    const char *axis[2];   /* dimension names: operation input channel node node_channel code one branch unit */
    size_t length[2];
};

enum { SIAMESE_ARRAYS_MAX = 16 * SIAMESE_GROUPS };

/* All arrays of s, trained and running, in a fixed order; returns how many. Directions are separate arrays. */
int siamese_arrays(struct siamese_array out[SIAMESE_ARRAYS_MAX], const struct siamese *s);

#endif
