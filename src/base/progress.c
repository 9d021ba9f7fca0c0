#include "progress.h"

#include "log.h"
#include "timer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool has_window(int file)
{
    struct winsize size = {0};
    return isatty(file) && ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
}

/* Does someone watch? mpirun gives every rank a terminal of its own, which has no size, and copies what is written there
 * to wherever its own output goes: then ask where that is. On other nodes than mpirun's there is nothing to see. */
static bool is_watched(void)
{
    if (!isatty(STDOUT_FILENO)) return false;
    if (has_window(STDOUT_FILENO)) return true;
    char parent[64];
    snprintf(parent, sizeof parent, "/proc/%ld/fd/1", (long)getppid());
    int file = open(parent, O_WRONLY | O_NOCTTY | O_NONBLOCK);
    if (file < 0) return false;
    bool watched = has_window(file);
    close(file);
    return watched;
}

void progress_open(struct progress *p, const char *what, int64_t before, int64_t units, const double *work)
{
    *p = (struct progress){.terminal = is_watched(), .what = what, .before = before, .units = units, .work = work,
                           .begin = timer_now()};
    p->last = p->begin;
}

void progress_duration(char text[PROGRESS_DURATION_MAX], double seconds)
{
    if (seconds < 9.95) {
        snprintf(text, PROGRESS_DURATION_MAX, "%.1f s", seconds);
        return;
    }
    const long long s = seconds < 1e12 ? (long long)(seconds + 0.5) : 1000000000000;
    const long long m = s / 60, h = m / 60, d = h / 24;
    if (s < 60) snprintf(text, PROGRESS_DURATION_MAX, "%lld s", s);
    else if (h == 0) snprintf(text, PROGRESS_DURATION_MAX, "%lld min %02lld s", m, s % 60);
    else if (d == 0) snprintf(text, PROGRESS_DURATION_MAX, "%lld h %02lld min", h, m % 60);
    else snprintf(text, PROGRESS_DURATION_MAX, "%lld d %lld h", d, h % 24);
}

void progress_show(struct progress *p, int64_t done)
{
    const double terminal_pause = 0.25, batch_pause = 60;
    double now = timer_now();
    if (now - p->last < (p->terminal ? terminal_pause : batch_pause) || p->units == 0) return;
    p->last = now;

    char left[PROGRESS_DURATION_MAX] = "?", line[160];
    double elapsed = now - p->begin;
    if (done > p->units) done = p->units;
    const double spent = p->work == NULL ? (double)done : p->work[done];
    const double all = p->work == NULL ? (double)p->units : p->work[p->units];
    if (done > 0 && spent > 0) progress_duration(left, elapsed * (all - spent) / spent);
    snprintf(line, sizeof line, "%" PRId64 " of %" PRId64 " %s (%.0f %%), %.3g %s/s, time left %s", p->before + done,
             p->before + p->units, p->what, 100.0 * (double)(p->before + done) / (double)(p->before + p->units),
             (double)done / elapsed, p->what, left);
    if (p->terminal) {
        printf("\r%s\033[K", line);
        fflush(stdout);
        p->shown = true;
    } else {
        log_info("%s", line);
    }
}

void progress_close(struct progress *p)
{
    if (!p->shown) return;
    printf("\r\033[K");
    fflush(stdout);
    p->shown = false;
}
