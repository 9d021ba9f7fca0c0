/* status.h - how functions fail, and how many ranks agree on one failure.
 *
 * Every function that can fail returns `int`: STATUS_OK or one of the codes below, which are also the
 * program's exit statuses. The code that finds the failure describes it once with status_fail(); callers
 * pass the code upward unchanged; main prints the message. Bugs are asserted instead.
 */
#ifndef STATUS_H
#define STATUS_H

#include <mpi.h>

enum status {
    STATUS_OK = 0,
    STATUS_FAILURE = 1, /* run-time failure: memory, disk, a library */
    STATUS_INPUT = 2,   /* the user's input: names the file, the line or key, and the remedy */
    STATUS_STOPPED = 75, /* no failure: stopped before the work was done (stop.h); the same command goes on */
};

/* Record the message of a failure and return `code`. The first message stays until status_clear(): what
 * went wrong first is what the user needs to know. Control characters become blanks: a message is one line. Not collective. */
__attribute__((format(printf, 2, 3))) int status_fail(enum status code, const char *format, ...);

/* The recorded message, "" when there is none. Owned by this module. */
const char *status_message(void);

void status_clear(void);

/* Collective over `comm`: returns the worst status of all ranks on every rank, a stop being better than any failure, and gives every rank the
 * message of the lowest rank that has it. */
int status_agree(MPI_Comm comm, int status);

/* The same after a library's collective call, which must have succeeded on all ranks or on none. A file that only some have open can be
 * neither used nor closed, and the others may wait in that call for ever: whoever has failed gives them a few seconds to come, and ends
 * all ranks of the program with its message and MPI_Abort when they do not, or have not failed as well. */
int status_agree_or_abort(MPI_Comm comm, int status);

/* Leave the current function with the status of a failed call. */
#define TRY(call)                            \
    do {                                     \
        int try_status_ = (call);            \
        if (try_status_ != STATUS_OK) return try_status_; \
    } while (0)

/* The same for functions that release what they hold at the label `done`, with a local `int status`. */
#define TRY_DONE(call)                       \
    do {                                     \
        status = (call);                     \
        if (status != STATUS_OK) goto done;  \
    } while (0)

#endif
