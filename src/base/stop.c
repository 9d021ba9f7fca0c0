#include "stop.h"

#include "status.h"
#include "timer.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char stop_file[] = "stop";
static const double look_every = 1; /* second: a file system is asked */

static volatile sig_atomic_t caught; /* signals come between any two instructions: nothing but a number */
static volatile time_t terminated;   /* when the first SIGTERM came */

static struct {
    bool watches, wanted;
    double before, end; /* the latter in seconds since 1970; INFINITY: no limit */
    double looked;      /* timer_now() of the last look at clock and file */
    char reason[64];
} stop = {.end = INFINITY};

/* Slurm sends SIGTERM twice in a row when a job's time is over. One that comes later ends the process as it would any other. */
static void handle(int number)
{
    const time_t now = time(NULL);
    caught = number;
    if (number != SIGTERM) return;
    if (terminated == 0) terminated = now;
    if (now - terminated <= 1) return;
    signal(SIGTERM, SIG_DFL);
    raise(SIGTERM);
}

static void catch(int number)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

static int read_end(double *end)
{
    const char *text = getenv("SLURM_JOB_END_TIME");
    char *rest;
    if (text == NULL)
        return status_fail(STATUS_INPUT, "--stop-before needs the end of the job's time limit in SLURM_JOB_END_TIME, which is not "
                           "set; Slurm sets it in batch jobs, elsewhere give it in seconds since 1970");
    errno = 0;
    *end = strtod(text, &rest);
    if (errno == 0 && rest != text && *rest == '\0' && isfinite(*end)) return STATUS_OK;
    return status_fail(STATUS_INPUT, "SLURM_JOB_END_TIME = '%s' is no time in seconds since 1970; --stop-before needs one", text);
}

int stop_open(bool watches, double before)
{
    memset(&stop, 0, sizeof stop);
    caught = 0;
    terminated = 0;
    stop.watches = watches;
    stop.looked = -INFINITY;
    stop.before = before;
    stop.end = INFINITY;
    if (before >= 0) TRY(read_end(&stop.end));
    catch(SIGTERM);
    catch(SIGUSR1);
    return STATUS_OK;
}

/* At the clock and for the file, not more often than they are worth. */
static void look(void)
{
    const double now = timer_now();
    if (now - stop.looked < look_every) return;
    stop.looked = now;
    if ((double)time(NULL) >= stop.end - stop.before) {
        stop.wanted = true;
        snprintf(stop.reason, sizeof stop.reason, " (%g s before the job's time limit)", stop.before);
    } else if (access(stop_file, F_OK) == 0) {
        stop.wanted = true;
        snprintf(stop.reason, sizeof stop.reason, " (there is a file named %s: remove it first)", stop_file);
    }
}

bool stop_wanted(void)
{
    if (stop.wanted) return true;
    if (caught != 0) {
        stop.wanted = true;
        snprintf(stop.reason, sizeof stop.reason, " (%s)", caught == SIGTERM ? "SIGTERM" : "SIGUSR1");
    } else if (stop.watches) {
        look();
    }
    return stop.wanted;
}

void stop_want(void)
{
    if (!stop_wanted()) stop.wanted = true;
}

const char *stop_reason(void)
{
    return stop.reason;
}

void stop_share_reason(MPI_Comm comm)
{
    int rank, ranks, first;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &ranks);
    const int mine = stop.reason[0] == '\0' ? ranks : rank;
    MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, comm);
    if (first < ranks) MPI_Bcast(stop.reason, sizeof stop.reason, MPI_CHAR, first, comm);
}
