#include "status.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_MAX = 2048 };

static char message[MESSAGE_MAX];

/* A message is one line. What it quotes from a file may be anything, such as orders to a terminal. */
static void make_printable(void)
{
    for (char *c = message; *c != '\0'; c++)
        if (iscntrl((unsigned char)*c)) *c = ' ';
}

int status_fail(enum status code, const char *format, ...)
{
    if (message[0] == '\0') {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(message, sizeof message, format, arguments);
        va_end(arguments);
        make_printable();
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

int status_agree(MPI_Comm comm, int status)
{
    int rank;
    MPI_Comm_rank(comm, &rank);
    struct { int bad, rank; } mine = {badness(status), rank}, worst;
    MPI_Allreduce(&mine, &worst, 1, MPI_2INT, MPI_MAXLOC, comm); /* MAXLOC: the lowest rank of the worst status */
    if (worst.bad != 0) MPI_Bcast(message, MESSAGE_MAX, MPI_CHAR, worst.rank, comm);
    return status_of(worst.bad);
}
