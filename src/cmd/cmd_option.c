#include "cmd.h"
#include "memory.h"
#include "status.h"

#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int cmd_option_error(int result, char *const *argv)
{
    const char *option = argv[optind - 1]; /* getopt_long() has just passed it */
    if (result == ':')
        return status_fail(STATUS_INPUT, "%s: option %s needs a value; see siamese-nas %s --help", argv[0], option, argv[0]);
    if (option[0] == '-' && option[1] == '-')
        return status_fail(STATUS_INPUT, "%s: unknown or wrongly used option %s; see siamese-nas %s --help", argv[0], option,
                           argv[0]);
    return status_fail(STATUS_INPUT, "%s: unknown option -%c; see siamese-nas %s --help", argv[0], optopt, argv[0]);
}

int cmd_seconds(double *seconds, const char *name, const char *option, const char *text)
{
    char *rest;
    *seconds = strtod(text, &rest);
    if (rest != text && *rest == '\0' && *seconds >= 0 && isfinite(*seconds)) return STATUS_OK;
    return status_fail(STATUS_INPUT, "%s: %s = '%s' is no number of seconds", name, option, text);
}

int cmd_line(char **out, int argc, char **argv)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/=:,+@%";
    size_t size = sizeof "siamese-nas";
    for (int i = 0; i < argc; i++) size += 4 * strlen(argv[i]) + sizeof " ''";
    TRY(memory_alloc(out, size, 1));
    char *end = stpcpy(*out, "siamese-nas");
    for (int i = 0; i < argc; i++) {
        bool quote = argv[i][strspn(argv[i], plain)] != '\0' || argv[i][0] == '\0';
        end = stpcpy(end, quote ? " '" : " ");
        for (const char *c = argv[i]; *c != '\0'; c++) {
            if (*c == '\'') end = stpcpy(end, "'\\'"); /* leave the quotes, a quote, and the one that follows opens them again */
            *end++ = *c;
        }
        if (quote) *end++ = '\'';
    }
    return STATUS_OK;
}

int cmd_output_name(char **out, const char *path, const char *ending)
{
    const size_t length = strlen(path), stem = length > 3 && strcmp(path + length - 3, ".nc") == 0 ? length - 3 : length;
    TRY(memory_alloc(out, stem + strlen(ending) + 1, 1));
    memcpy(*out, path, stem);
    strcpy(*out + stem, ending);
    return STATUS_OK;
}
