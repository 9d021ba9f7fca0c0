/* timer.h - seconds of wall time spent in each phase of the work. */
#ifndef TIMER_H
#define TIMER_H

enum timer_phase { TIMER_TRAIN, TIMER_RANK, TIMER_EVALUATE, TIMER_WRITE, TIMER_PHASES };

struct timer {
    double seconds[TIMER_PHASES];
};

extern const char *const timer_name[TIMER_PHASES];

double timer_now(void); /* seconds since some fixed moment */

#endif
