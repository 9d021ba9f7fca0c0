/* lock.h - one run at a time on one output. The file NAME.lock beside it is locked by the kernel, which forgets a lock when its
 * process ends however it ends, on shared file systems, too. Where files cannot be locked the owner gives signs of life instead: an
 * owner that is known to be dead, or silent for a minute, has lost its lock. Serial: one process of a run holds it. */
#ifndef LOCK_H
#define LOCK_H

struct lock;

/* Lock `path`, waiting up to `wait` seconds for another run to end. STATUS_FAILURE when it does not, naming host and process;
 * STATUS_STOPPED when the wait was cut short (stop.h). */
int lock_take(struct lock **out, const char *path, double wait);

/* A sign of life, every few seconds: cheap, call it in every step. NULL: nothing. */
void lock_touch(struct lock *l);

/* Removes NAME.lock. *l becomes NULL. */
void lock_release(struct lock **l);

#endif
