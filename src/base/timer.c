#include "timer.h"

#include <time.h>

const char *const timer_name[TIMER_PHASES] = {"train", "rank", "evaluate", "write"};

double timer_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
