#include "lock.h"

#include "memory.h"
#include "status.h"
#include "stop.h"
#include "timer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Signs of life, in seconds: a process may be stopped for a while, or wait for a slow disk, and still be alive. */
static const double sign_every = 5, silent_for = 60;

enum { OWNER_MAX = 320, NAP_MS = 100 };

struct lock {
    char *path; /* of the lock itself */
    const char *output;
    int file;
    bool by_signs;
    double signed_at;
};

enum standing { OURS, TAKEN, ABANDONED, GONE };

/* Whom the lock belongs to, and what is known of its life. */
struct owner {
    char host[256];
    long process;
    bool alive; /* for certain */
    ino_t file;
    struct timespec sign;
    double silent_since;
};

/* -- who has it -------------------------------------------------------------------------------------------------- */

static void read_owner(struct owner *o, int file)
{
    char text[OWNER_MAX] = "";
    o->host[0] = '\0';
    o->process = 0;
    ssize_t bytes = pread(file, text, sizeof text - 1, 0);
    if (bytes <= 0 || sscanf(text, "%255s %ld", o->host, &o->process) != 2) o->host[0] = '\0', o->process = 0;
}

static int write_owner(const struct lock *l)
{
    char host[256] = "", text[OWNER_MAX];
    gethostname(host, sizeof host - 1);
    const int length = snprintf(text, sizeof text, "%s %ld\n", host, (long)getpid());
    if (ftruncate(l->file, 0) == 0 && pwrite(l->file, text, (size_t)length, 0) == length) return STATUS_OK;
    return status_fail(STATUS_FAILURE, "%s: cannot write this lock: %s; is the disk full?", l->path, strerror(errno));
}

static bool is_here(const struct owner *o)
{
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    return o->host[0] != '\0' && strcmp(o->host, host) == 0;
}

/* Without locks of the kernel: dead for certain, or silent for long. */
static enum standing judge(struct owner *o, int file)
{
    struct stat facts;
    const double now = timer_now();
    if (fstat(file, &facts) != 0) return GONE;
    read_owner(o, file);
    const bool gone = is_here(o) && kill((pid_t)o->process, 0) != 0 && errno == ESRCH;
    if (gone) return ABANDONED;
    const bool first = o->silent_since == 0;
    const bool new = facts.st_ino != o->file || facts.st_mtim.tv_sec != o->sign.tv_sec || facts.st_mtim.tv_nsec != o->sign.tv_nsec;
    o->alive = is_here(o) || (new && !first);
    if (new || first) o->silent_since = now;
    o->file = facts.st_ino;
    o->sign = facts.st_mtim;
    return now - o->silent_since > silent_for ? ABANDONED : TAKEN;
}

/* -- taking it --------------------------------------------------------------------------------------------------- */

/* Whether the open file is still the one of that name: its owner may have removed it on leaving. */
static bool is_named(const struct lock *l)
{
    struct stat named, opened;
    return stat(l->path, &named) == 0 && fstat(l->file, &opened) == 0 && named.st_ino == opened.st_ino &&
           named.st_dev == opened.st_dev;
}

static int try_lock(int file)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int rc;
    do rc = fcntl(file, F_SETLK, &whole);
    while (rc != 0 && errno == EINTR);
    return rc == 0 ? 0 : errno;
}

static int open_lock(struct lock *l, bool *created)
{
    l->file = open(l->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    *created = l->file >= 0;
    if (*created) return STATUS_OK;
    if (errno == EEXIST) {
        l->file = open(l->path, O_RDWR | O_CLOEXEC);
        if (l->file >= 0 || errno == ENOENT) return STATUS_OK; /* not there any more: try again */
    }
    return status_fail(STATUS_FAILURE, "%s: cannot open this lock of the output: %s; is the folder writable?", l->path,
                       strerror(errno));
}

static int attempt(enum standing *standing, struct lock *l, struct owner *o)
{
    bool created;
    *standing = GONE;
    TRY(open_lock(l, &created));
    if (l->file < 0) return STATUS_OK;
    const int refused = try_lock(l->file);
    if (refused == EACCES || refused == EAGAIN) {
        read_owner(o, l->file);
        o->alive = true;
        *standing = TAKEN;
    } else if (refused == 0) {
        *standing = is_named(l) ? OURS : GONE;
    } else {
        l->by_signs = true;
        *standing = created ? OURS : judge(o, l->file);
    }
    if (*standing == OURS) return write_owner(l);
    if (*standing == ABANDONED && is_named(l)) unlink(l->path);
    close(l->file);
    l->file = -1;
    return STATUS_OK;
}

static int refuse(const struct lock *l, const struct owner *o)
{
    char who[OWNER_MAX] = "";
    if (o->host[0] != '\0') snprintf(who, sizeof who, ", process %ld on %s", o->process, o->host);
    return status_fail(STATUS_FAILURE, "%s is being written by another run%s; let it end, wait for it with --wait=SECONDS, or name "
                       "another output", l->output, who);
}

static int take(struct lock *l, double wait)
{
    const struct timespec nap = {.tv_nsec = NAP_MS * 1000 * 1000};
    struct owner owner = {0};
    for (const double begin = timer_now();;) {
        enum standing standing;
        TRY(attempt(&standing, l, &owner));
        if (standing == OURS) return STATUS_OK;
        if (standing == TAKEN && owner.alive && timer_now() - begin >= wait) return refuse(l, &owner);
        if (stop_wanted())
            return status_fail(STATUS_STOPPED, "stopped cleanly%s while waiting for another run on %s", stop_reason(), l->output);
        nanosleep(&nap, NULL);
    }
}

int lock_take(struct lock **out, const char *path, double wait)
{
    const char *const name[] = {path, ".lock"};
    struct lock *l;
    int status;
    *out = NULL;
    TRY(memory_alloc(&l, 1, sizeof *l));
    *l = (struct lock){.output = path, .file = -1};
    TRY_DONE(memory_join(&l->path, name, 2, ""));
    TRY_DONE(take(l, wait));
    l->signed_at = timer_now();
    *out = l;
    return STATUS_OK;
done:
    if (l->file >= 0) close(l->file);
    free(l->path);
    free(l);
    return status;
}

void lock_touch(struct lock *l)
{
    if (l == NULL || !l->by_signs || timer_now() - l->signed_at < sign_every) return;
    l->signed_at = timer_now();
    futimens(l->file, NULL);
}

void lock_release(struct lock **l)
{
    if (*l == NULL) return;
    if (is_named(*l)) unlink((*l)->path);
    close((*l)->file);
    free((*l)->path);
    free(*l);
    *l = NULL;
}
