/* lock_internal.h - how a lock is held and judged; shared by lock.c and its test. */
#ifndef LOCK_INTERNAL_H
#define LOCK_INTERNAL_H

#include "lock.h"

struct lock_manner {
    double sign_every, silent_for; /* seconds: between signs of life; without one until the owner counts as dead */
    double stale_after;            /* seconds by the clock since the last sign, after which nobody waits for another */
    int (*lock)(int file);         /* by the kernel, at once: 0, or the errno */
    const char *host;              /* NULL: the name of this one */
};

int lock_take_as(struct lock **out, const char *path, double wait, const struct lock_manner *manner);

#endif
