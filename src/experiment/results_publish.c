#include "results_internal.h"

#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int results_reserve(const char *draft, const char *folder, int64_t bytes)
{
    int file = open(draft, O_RDWR | O_CREAT, 0666), failed = errno;
    if (file < 0)
        return status_fail(STATUS_FAILURE, "%s: cannot write results into this folder: %s", folder, strerror(failed));
    failed = posix_fallocate(file, 0, bytes);
    close(file);
    unlink(draft);
    if (failed == 0 || failed == EOPNOTSUPP || failed == EINVAL) return STATUS_OK; /* not here: writing will tell */
    return status_fail(STATUS_FAILURE, "%s: there is no room for the results, %.1f MB: %s", folder, (double)bytes / 1e6,
                       strerror(failed));
}

void results_history(char line[RESULTS_HISTORY_MAX], const char *command)
{
    char host[256] = "", date[64];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
    gethostname(host, sizeof host - 1);
    snprintf(line, RESULTS_HISTORY_MAX, "%s %s: %s", date, host, command);
}

int results_put_history(const char *path, const struct results_history *h)
{
    const long long peak = h->peak;
    int file, code = nc_open(path, NC_WRITE, &file);
    if (code == NC_NOERR) {
        code = nc_redef(file);
        if (code == NC_NOERR) code = nc_put_att_text(file, NC_GLOBAL, "history", strlen(h->text), h->text);
        if (code == NC_NOERR) code = nc_put_att_int(file, NC_GLOBAL, "ranks", NC_INT, 1, &h->ranks);
        if (code == NC_NOERR) code = nc_put_att_int(file, NC_GLOBAL, "ranks_per_trial", NC_INT, 1, &h->ranks_per_trial);
        if (code == NC_NOERR) code = nc_put_att_double(file, NC_GLOBAL, "elapsed_seconds", NC_DOUBLE, 1, &h->elapsed);
        if (code == NC_NOERR) code = nc_put_att_longlong(file, NC_GLOBAL, "peak_memory_bytes", NC_INT64, 1, &peak);
        int close_code = nc_close(file);
        if (code == NC_NOERR) code = close_code;
    }
    return results_check(code, path, "write");
}

int results_publish(const char *part, const char *final)
{
    int file = open(part, O_RDWR);
    bool safe = file >= 0 && fsync(file) == 0;
    if (file >= 0) close(file);
    if (!safe || rename(part, final) != 0)
        return status_fail(STATUS_FAILURE, "%s: cannot give it its final name %s: %s", part, final, strerror(errno));
    return STATUS_OK;
}
