/* netcdf_input.h - a NetCDF file from a stranger: variables looked up and checked, sizes believed only as far as the
 * file can hold them. Serial. */
#ifndef NETCDF_INPUT_H
#define NETCDF_INPUT_H

#include <netcdf.h>
#include <stdbool.h>
#include <stddef.h>

enum { NETCDF_RANK_MAX = 3 };

struct netcdf_input {
    const char *path; /* not owned */
    int file;
    size_t allowance; /* bytes of memory that the variables may still ask for */
    size_t largest;   /* what it was in the beginning */
};

struct netcdf_variable {
    struct netcdf_input *in;
    char name[NC_MAX_NAME + 1];
    int id, rank;                   /* rank may exceed NETCDF_RANK_MAX: then dim and length are not set */
    nc_type type;
    int dim[NETCDF_RANK_MAX];       /* dimension ids */
    size_t length[NETCDF_RANK_MAX];
};

enum netcdf_range { NETCDF_FINITE, NETCDF_PERCENT };

/* STATUS_INPUT when the path is no readable NetCDF-4 file. */
int netcdf_input_open(struct netcdf_input *in, const char *path);
void netcdf_input_close(struct netcdf_input *in);

/* Describe variable `name`; *found = false when the file has none. STATUS_INPUT when it is stored in pieces larger than the file can
 * hold: the library would make room for a whole one. */
int netcdf_input_find(struct netcdf_variable *v, bool *found, struct netcdf_input *in, const char *name);
int netcdf_input_describe(struct netcdf_variable *v, struct netcdf_input *in, int id);

/* "operation(cell=5, node=10)", for messages; owned by the caller. */
enum { NETCDF_SHAPE_MAX = 400 };
void netcdf_input_shape(char shape[NETCDF_SHAPE_MAX], const struct netcdf_variable *v);

bool netcdf_is_integer(nc_type type);
bool netcdf_is_number(nc_type type);

/* Zeroed memory for count x size bytes. STATUS_INPUT when the file is too small to hold so much: its header lies. */
int netcdf_input_alloc(void *out, const struct netcdf_variable *v, size_t count, size_t size);

/* Text attribute of a variable (id) or the file (NC_GLOBAL); *out = NULL when there is none. Release with free(). */
int netcdf_input_attribute(char **out, struct netcdf_input *in, int variable, const char *name);

/* All values as double, NaN where not known: fill and missing values, and NaN only if it is declared as one of these.
 * Other values must be finite, and in [0, 100] for NETCDF_PERCENT. *out is owned by the caller. */
int netcdf_input_values(double **out, const struct netcdf_variable *v, enum netcdf_range range);

/* Rows [first, first + rows) of the first dimension of an integer variable. */
int netcdf_input_integers(long long *out, const struct netcdf_variable *v, size_t first, size_t rows);

/* The texts of an NC_STRING or char variable, one for each place of its first dimension (a single one for a scalar);
 * blanks at the end are cut. *out is [*count]; release each and the list with free(). STATUS_INPUT when the file is too small to hold
 * so much. */
int netcdf_input_texts(char ***out, size_t *count, const struct netcdf_variable *v, size_t longest);

#endif
