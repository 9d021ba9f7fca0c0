/* space_read.h - the two halves of space_file_read(): what cells are, and what is known of them. */
#ifndef SPACE_READ_H
#define SPACE_READ_H

#include "netcdf_input.h"
#include "space.h"
#include "space_file.h"

/* Accuracies, losses and signals over the dimension cell_dim, those that are needed (NULL: all). The cells must have been read. */
int space_read_values(struct space *s, struct netcdf_input *in, int cell_dim, const struct space_need *need);

/* Find a variable that must be there; `shape` says how it should look. */
int space_read_find(struct netcdf_variable *v, struct netcdf_input *in, const char *name, const char *shape);

/* STATUS_INPUT: the variable is not what `expected` says. */
int space_read_wrong(const struct netcdf_variable *v, const char *expected);

#endif
