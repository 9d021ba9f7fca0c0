/* pulse.h - a heartbeat that long computations call between steps (about once a millisecond), so that the
 * rank that holds the unit counter answers the others, and progress is shown, while it computes. */
#ifndef PULSE_H
#define PULSE_H

#include <stddef.h>

struct pulse {
    void (*beat)(void *argument); /* NULL: nothing to do */
    void *argument;
};

static inline void pulse_beat(const struct pulse *p)
{
    if (p != NULL && p->beat != NULL) p->beat(p->argument);
}

#endif
