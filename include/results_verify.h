/* results_verify.h - does a results file still hold what was written into it? Its header has checksums of its own; those of the
 * numbers and names along the dimensions and of every unit's record are in the file beside them. A disk, a copy or a node that died
 * before its writes reached the disk may have changed any byte. Serial. */
#ifndef RESULTS_VERIFY_H
#define RESULTS_VERIFY_H

#include "netcdf_input.h"

#include <stdbool.h>
#include <stdint.h>

/* finished (or NULL) is filled, [units]: units that are marked as complete and whose record is as it was written. *damaged: those
 * whose record is not. STATUS_INPUT when anything else is damaged, or cannot be read. A file of an earlier version, without
 * checksums, passes as it is. */
int results_verify(int64_t *damaged, bool *finished, struct netcdf_input *in);

/* The same for a file that shall be whole: any damage is STATUS_INPUT. */
int results_verify_all(struct netcdf_input *in);

#endif
