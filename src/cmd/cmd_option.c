#include "cmd.h"
#include "status.h"

#include <getopt.h>

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
