#include "log.h"

#include "launch.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static int log_rank;

void log_open(int rank)
{
    log_rank = rank;
    setvbuf(stdout, NULL, _IOLBF, 0); /* batch systems redirect to a file: show lines as they come */
}

static void print(FILE *stream, const char *prefix, const char *format, va_list arguments)
{
    if (log_rank != 0) return;
    fputs(prefix, stream);
    vfprintf(stream, format, arguments);
    fputc('\n', stream);
}

void log_info(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print(stdout, "", format, arguments);
    va_end(arguments);
}

void log_warning(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print(stderr, "siamese-nas: warning: ", format, arguments);
    va_end(arguments);
}

void log_error(const char *message)
{
    if (log_rank == 0) fprintf(stderr, "siamese-nas: error: %s\n", message);
}

void log_last_words(const char *message)
{
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    if (launch_rank_on_node() > 0) nanosleep(&(struct timespec){.tv_sec = 3}, NULL);
    fprintf(stderr, "siamese-nas: error: %s (rank %d on %s)\n", message, launch_rank(), host);
}
