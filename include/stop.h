/* stop.h - a wish that the program stop before its work is done: SIGTERM or SIGUSR1, the approaching end of the batch job's time
 * limit, or a file named `stop` in the working folder. Who works asks stop_wanted() between its steps and, when it is so, leaves
 * everything such that the same command goes on; the program then ends with STATUS_STOPPED. Signals may reach any rank that has
 * work, clock and file are watched by rank 0: the others learn of it from the queues (queue_stop, queue_stopped). */
#ifndef STOP_H
#define STOP_H

#include <mpi.h>
#include <stdbool.h>

/* After MPI_Init; what was wanted before is forgotten. watches: look at clock and file. before: seconds before SLURM_JOB_END_TIME
 * (seconds since 1970) at which to stop, negative: not asked for. STATUS_INPUT when it is asked for and the variable is not a time. */
int stop_open(bool watches, double before);

/* Cheap: call it in every step. Remains true. */
bool stop_wanted(void);

/* Another rank says so. */
void stop_want(void);

/* " (SIGTERM)" and the like, behind "stopped cleanly"; "" when this process does not know it. */
const char *stop_reason(void);

/* Collective: let all ranks know what the lowest rank says that knows a reason. */
void stop_share_reason(MPI_Comm comm);

#endif
