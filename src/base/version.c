#include "version.h"

#include <mpi.h>
#include <netcdf.h>
#include <string.h>

const char *const version_number = VERSION;
const char *const version_revision = REVISION;
const char *const version_compiler = "gcc " __VERSION__ " " FLAGS;

const char *version_mpi(void)
{
    static char line[MPI_MAX_LIBRARY_VERSION_STRING];
    int length;
    MPI_Get_library_version(line, &length); /* allowed before MPI_Init */
    line[strcspn(line, ",\n")] = '\0';
    return line;
}

const char *version_netcdf(void)
{
    static char line[64];
    if (line[0] == '\0') {
        strncpy(line, nc_inq_libvers(), sizeof line - 1);
        line[strcspn(line, " ")] = '\0';
    }
    return line;
}
