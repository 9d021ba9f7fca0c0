/* checkpoint.h - the state of an unfinished training on disk, for whoever goes on with it. Serial. */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct checkpoint_part {
    void *data;
    size_t size; /* bytes */
};

/* All parts as one file, complete or not at all. fingerprint: of everything that decides what the parts mean. */
int checkpoint_write(const char *path, uint64_t fingerprint, const struct checkpoint_part *part, int parts);

/* Fill in the parts. *found is false, and the parts are as before, when there is no such file or, with a warning, it is damaged or
 * of something else: then the training begins anew. */
int checkpoint_read(bool *found, const char *path, uint64_t fingerprint, const struct checkpoint_part *part, int parts);

/* It is not needed any more: remove it, and what a kill left of one that was being written. */
int checkpoint_remove(const char *path);

#endif
