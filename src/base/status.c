#include "status.h"

#include "log.h"
#include "timer.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MESSAGE_MAX = 2048 };
enum { PATIENCE = 10 }; /* seconds */

static char message[MESSAGE_MAX];
static int message_status;

/* A message is one line. What it quotes from a file may be anything, such as orders to a terminal. */
static void make_printable(void)
{
    for (char *c = message; *c != '\0'; c++)
        if (iscntrl((unsigned char)*c)) *c = ' ';
}

int status_fail(enum status code, const char *format, ...)
{
    const bool was_stopped = message_status == STATUS_STOPPED && code != STATUS_STOPPED; /* which is no failure */
    if (message[0] == '\0' || was_stopped) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(message, sizeof message, format, arguments);
        va_end(arguments);
        make_printable();
        message_status = code;
    }
    return code;
}

const char *status_message(void)
{
    return message;
}

void status_clear(void)
{
    message[0] = '\0';
}

/* The larger, the worse; and back. */
static int badness(int status)
{
    return status == STATUS_OK ? 0 : status == STATUS_STOPPED ? 1 : status + 1;
}

static int status_of(int bad)
{
    return bad == 0 ? STATUS_OK : bad == 1 ? STATUS_STOPPED : bad - 1;
}

struct vote { int bad, rank; };

static struct vote vote(MPI_Comm comm, int status)
{
    int rank;
    MPI_Comm_rank(comm, &rank);
    return (struct vote){badness(status), rank};
}

/* On all ranks: the worst status, and its message. */
static int share(struct vote worst, MPI_Comm comm)
{
    if (worst.bad == 0) return STATUS_OK;
    MPI_Bcast(message, MESSAGE_MAX, MPI_CHAR, worst.rank, comm);
    message_status = status_of(worst.bad);
    return message_status;
}

int status_agree(MPI_Comm comm, int status)
{
    const struct vote mine = vote(comm, status);
    struct vote worst;
    MPI_Allreduce(&mine, &worst, 1, MPI_2INT, MPI_MAXLOC, comm); /* MAXLOC: the lowest rank of the worst status */
    return share(worst, comm);
}

/* Some ranks may never come. */
static bool came_in_time(MPI_Request *request)
{
    const struct timespec pause = {.tv_nsec = 1000 * 1000};
    const double begin = timer_now();
    int came = 0;
    while (!came && timer_now() - begin < PATIENCE) {
        nanosleep(&pause, NULL);
        MPI_Test(request, &came, MPI_STATUS_IGNORE);
    }
    return came;
}

int status_agree_or_abort(MPI_Comm comm, int status)
{
    enum { WORST, GOOD };
    const struct vote own = vote(comm, status), mine[] = {own, {own.bad == 0, own.rank}};
    struct vote all[2];
    MPI_Request request;
    bool came = true;
    MPI_Iallreduce(mine, all, 2, MPI_2INT, MPI_MAXLOC, comm, &request);
    if (own.bad == 0) MPI_Wait(&request, MPI_STATUS_IGNORE);
    else came = came_in_time(&request);
    if (came && (all[WORST].bad == 0 || all[GOOD].bad == 0)) return share(all[WORST], comm);
    if (!came || own.rank == all[WORST].rank) {
        log_last_words(message);
        MPI_Abort(MPI_COMM_WORLD, status);
    }
    MPI_Barrier(comm); /* until the abort ends this rank as well */
    return status;
}
