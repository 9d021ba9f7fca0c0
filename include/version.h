/* version.h - what this program was built from and runs on; provenance for logs and files. */
#ifndef VERSION_H
#define VERSION_H

extern const char *const version_number;   /* "0.1.0" */
extern const char *const version_revision; /* git revision, or "unknown" */
extern const char *const version_compiler; /* compiler and flags */

/* One line each, owned by this module: MPI, NetCDF, HDF5 versions. */
const char *version_mpi(void);
const char *version_netcdf(void);

#endif
