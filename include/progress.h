/* progress.h - how far a job has come: a live line on a terminal, at most one line a minute in a batch log. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool terminal, shown;
    const char *what;        /* "units" */
    int64_t before, units;   /* finished by earlier runs; of this run */
    const double *work;      /* [units + 1] estimated work of the first i units; NULL: all take the same */
    double begin, last;      /* seconds, timer_now() */
};

/* `what` and `work` are borrowed. */
void progress_open(struct progress *p, const char *what, int64_t before, int64_t units, const double *work);
void progress_show(struct progress *p, int64_t done); /* cheap: call it as often as you like */
void progress_close(struct progress *p);              /* removes the live line */

/* "42 s", "3 min 20 s", "2 h 05 min", "3 d 4 h". */
enum { PROGRESS_DURATION_MAX = 32 };
void progress_duration(char text[PROGRESS_DURATION_MAX], double seconds);

#endif
