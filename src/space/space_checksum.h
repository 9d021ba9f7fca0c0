/* space_checksum.h - the parts of space_checksum(). */
#ifndef SPACE_CHECKSUM_H
#define SPACE_CHECKSUM_H

#include "space.h"

uint64_t space_checksum_cells(const struct space *s);    /* what cells are */
uint64_t space_checksum_datasets(const struct space *s); /* their names */
uint64_t space_checksum_values(const char *name, const double *value, int64_t rows, int64_t columns); /* 0 for NULL */
uint64_t space_checksum_signal(const struct space_signal *g, int64_t cells);

#endif
