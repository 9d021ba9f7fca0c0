/* netcdf_heap.h - a look at files before the NetCDF library believes what they say: at the heaps of an HDF5 file, in which texts and
 * the links between dimensions and variables lie.
 *
 * HDF5 1.10 believes the sizes that it finds there: a single wrong byte makes it read far beyond the heap or go round in circles. Of
 * all the damage that a byte can do to a NetCDF-4 file this is nearly all that the library does not notice by itself. */
#ifndef NETCDF_HEAP_H
#define NETCDF_HEAP_H

#include <stdbool.h>
#include <stddef.h>

/* Look for heaps in all `bytes` of the open file. STATUS_INPUT, naming `path`, when the entries of one do not fill it. */
int netcdf_heap_check(int descriptor, size_t bytes, const char *path);

/* Is it a file of NetCDF's classic formats? No reader takes one, and the library makes room for whatever their headers say. */
bool netcdf_is_classic(int descriptor);

#endif
