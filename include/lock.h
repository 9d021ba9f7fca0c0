/* lock.h - one run at a time on one output. The file NAME.lock beside it is locked by the kernel, which forgets a lock when its
 * process ends, however it ends. Some shared file systems lock nothing, or for one machine only: there the file's owner gives signs
 * of life as well, and one of another machine, or that holds no lock of the kernel, has lost it when it is known to be dead, or
 * silent for a minute. Serial: one process of a run holds it. */
#ifndef LOCK_H
#define LOCK_H

struct lock;

/* Lock `path`, waiting up to `wait` seconds for another run to end. STATUS_FAILURE when it does not, naming host and process;
 * STATUS_STOPPED when the wait was cut short (stop.h). */
int lock_take(struct lock **out, const char *path, double wait);

/* A sign of life, every few seconds: cheap, call it in every step. NULL: nothing. */
void lock_touch(struct lock *l);

/* Whom it belongs to: one line, like no other's. */
enum { LOCK_OWNER_MAX = 512 };
void lock_owner(char owner[LOCK_OWNER_MAX], const struct lock *l);

/* On another process of the run: the lock of `path` is seen from here as well, and is the one of `owner`. STATUS_FAILURE when it is not
 * after some seconds: this machine has another folder of that name, or none. Not in the owner's own process: it would lose the lock,
 * which the kernel takes away as soon as any descriptor of the file is closed. */
int lock_find(const char *path, const char *owner);

/* Removes NAME.lock. *l becomes NULL. */
void lock_release(struct lock **l);

/* Removes the NAME.lock that a dead run has left behind; nothing when there is none, or a living one's. */
void lock_clear(const char *path);

#endif
