#include "log.h"

#include <stdarg.h>
#include <stdio.h>

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
    if (log_rank == 0) log_last_words(message);
}

void log_last_words(const char *message)
{
    fprintf(stderr, "siamese-nas: error: %s\n", message);
}
