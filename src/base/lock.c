#include "lock_internal.h"

#include "file.h"
#include "log.h"
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

enum { PLACE_MAX = 128, HOST_MAX = 256 };
enum { NAP_MS = 100, NAMELESS_NAPS = 10, FIND_NAPS = 100 };

struct lock {
    char *path; /* of the lock itself */
    const char *output;
    const struct lock_manner *manner;
    int file;
    double signed_at;
};

enum standing { OURS, TAKEN, ABANDONED, GONE };

/* Whom the lock belongs to, and what is known of its life. */
struct owner {
    char host[HOST_MAX], place[PLACE_MAX];
    long process;
    bool alive; /* for certain */
    ino_t file;
    struct timespec sign;
    double silent_since;
};

static int lock_by_kernel(int file)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int rc;
    do rc = fcntl(file, F_SETLK, &whole);
    while (rc != 0 && errno == EINTR);
    return rc == 0 ? 0 : errno;
}

/* A process may be stopped for a while, or wait for a slow disk, and still be alive. Clocks of machines differ, but not so much. */
static const struct lock_manner usual = {.sign_every = 5, .silent_for = 60, .stale_after = 3600, .lock = lock_by_kernel};

static void nap(void)
{
    const struct timespec pause = {.tv_nsec = NAP_MS * 1000 * 1000};
    nanosleep(&pause, NULL);
}

/* -- who has it -------------------------------------------------------------------------------------------------- */

static void name_host(char host[HOST_MAX], const struct lock *l)
{
    memset(host, 0, HOST_MAX);
    if (l->manner->host != NULL) snprintf(host, HOST_MAX, "%s", l->manner->host);
    else gethostname(host, HOST_MAX - 1);
}

/* Within which numbers of processes are what they say: this start of this machine, and this container of it. Host names are not
 * always as different as they should be. */
static void name_place(char place[PLACE_MAX])
{
    char boot[64] = "";
    int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (file >= 0 && read(file, boot, sizeof boot - 1) <= 0) boot[0] = '\0';
    if (file >= 0) close(file);
    boot[strcspn(boot, "\n")] = '\0';
    struct stat space = {0};
    if (stat("/proc/self/ns/pid", &space) != 0) space.st_ino = 0;
    snprintf(place, PLACE_MAX, "%s/%llu", boot[0] == '\0' ? "?" : boot, (unsigned long long)space.st_ino);
}

static void read_text(char text[LOCK_OWNER_MAX], int file)
{
    memset(text, 0, LOCK_OWNER_MAX);
    if (pread(file, text, LOCK_OWNER_MAX - 1, 0) <= 0) text[0] = '\0';
}

static void read_owner(struct owner *o, int file)
{
    char text[LOCK_OWNER_MAX];
    read_text(text, file);
    if (sscanf(text, "%255s %ld %127s", o->host, &o->process, o->place) != 3 || o->process <= 0) o->host[0] = '\0';
}

static int write_owner(const struct lock *l)
{
    char host[HOST_MAX], place[PLACE_MAX], text[LOCK_OWNER_MAX];
    name_host(host, l);
    name_place(place);
    const int length = snprintf(text, sizeof text, "%s %ld %s\n", host, (long)getpid(), place);
    const bool written = ftruncate(l->file, 0) == 0 && pwrite(l->file, text, (size_t)length, 0) == length;
    if (written && (fsync(l->file) == 0 || errno == EINVAL)) return STATUS_OK; /* other machines look for it at once */
    const int failed = errno;
    unlink(l->path);
    return status_fail(STATUS_FAILURE, "%s: cannot write this lock: %s; is the disk full?", l->path, strerror(failed));
}

static bool is_here(const struct owner *o, const struct lock *l)
{
    char host[HOST_MAX], place[PLACE_MAX];
    name_host(host, l);
    name_place(place);
    return place[0] != '?' && strcmp(o->host, host) == 0 && strcmp(o->place, place) == 0;
}

/* What the kernel cannot tell: dead for certain, or silent for long. */
static enum standing judge(struct owner *o, const struct lock *l)
{
    struct stat facts;
    const double now = timer_now();
    if (fstat(l->file, &facts) != 0) return GONE;
    const bool here = is_here(o, l);
    if (here && kill((pid_t)o->process, 0) != 0 && errno == ESRCH) return ABANDONED;
    if (difftime(time(NULL), facts.st_mtim.tv_sec) > l->manner->stale_after) return ABANDONED;
    const bool first = o->silent_since == 0 || facts.st_ino != o->file;
    const bool sign = facts.st_mtim.tv_sec != o->sign.tv_sec || facts.st_mtim.tv_nsec != o->sign.tv_nsec;
    o->alive = here || (sign && !first);
    if (sign || first) o->silent_since = now;
    o->file = facts.st_ino;
    o->sign = facts.st_mtim;
    return now - o->silent_since > l->manner->silent_for ? ABANDONED : TAKEN; /* numbers of processes are given again */
}

/* -- taking it --------------------------------------------------------------------------------------------------- */

/* Whether the open file is still the one of that name: its owner may have removed it on leaving. */
static bool is_named(const struct lock *l)
{
    struct stat named, opened;
    return stat(l->path, &named) == 0 && fstat(l->file, &opened) == 0 && named.st_ino == opened.st_ino &&
           named.st_dev == opened.st_dev;
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

static enum standing stand(struct lock *l, bool created, struct owner *o)
{
    const int refused = l->manner->lock(l->file);
    read_owner(o, l->file);
    if (refused == EACCES || refused == EAGAIN) {
        o->alive = true;
        return TAKEN;
    }
    if (refused == 0 && (created || o->host[0] == '\0' || is_here(o, l))) return is_named(l) ? OURS : GONE;
    if (!created) return judge(o, l); /* perhaps the kernel's lock counts on one machine only, or there is none */
    nap(); /* whoever took this for the file of a dead run would have removed it by now */
    return is_named(l) ? OURS : GONE;
}

static int attempt(enum standing *standing, struct lock *l, struct owner *o)
{
    bool created;
    *standing = GONE;
    TRY(open_lock(l, &created));
    if (l->file < 0) return STATUS_OK;
    *standing = stand(l, created, o);
    if (*standing == OURS) return write_owner(l);
    if (*standing == ABANDONED && is_named(l)) unlink(l->path);
    close(l->file);
    l->file = -1;
    return STATUS_OK;
}

/* ", process 123 on host" */
static void name_owner(char who[LOCK_OWNER_MAX], const struct owner *o)
{
    who[0] = '\0';
    if (o->host[0] != '\0') snprintf(who, LOCK_OWNER_MAX, ", process %ld on %s", o->process, o->host);
}

static int refuse(const struct lock *l, const struct owner *o)
{
    char who[LOCK_OWNER_MAX];
    name_owner(who, o);
    return status_fail(STATUS_FAILURE, "%s is being written by another run%s; let it end, wait for it with --wait=SECONDS, or name "
                       "another output", l->output, who);
}

static void tell_waiting(const struct lock *l, const struct owner *o, double wait)
{
    char who[LOCK_OWNER_MAX];
    name_owner(who, o);
    if (o->alive) log_info("%s is being written by another run%s: waiting up to %g seconds", l->output, who, wait);
    else log_info("%s: another run%s may be alive: waiting up to %g seconds for a sign", l->path, who, l->manner->silent_for);
}

static int take(struct lock *l, double wait)
{
    struct owner owner = {0};
    bool told = false;
    const double begin = timer_now();
    for (int naps = 0;; naps++) {
        enum standing standing;
        TRY(attempt(&standing, l, &owner));
        if (standing == OURS) return STATUS_OK;
        const bool nameless = owner.host[0] == '\0' && naps < NAMELESS_NAPS; /* it may be about to write its name */
        if (standing == TAKEN && !nameless) {
            if (owner.alive && timer_now() - begin >= wait) return refuse(l, &owner);
            if (!told) tell_waiting(l, &owner, wait);
            told = true;
        }
        if (stop_wanted())
            return status_fail(STATUS_STOPPED, "stopped cleanly%s while waiting for another run on %s", stop_reason(), l->output);
        if (standing != ABANDONED) nap();
    }
}

static int open_one(struct lock **out, const char *path, const struct lock_manner *manner)
{
    const char *const name[] = {path, ".lock"};
    struct lock *l;
    *out = NULL;
    TRY(memory_alloc(&l, 1, sizeof *l));
    *l = (struct lock){.output = path, .manner = manner, .file = -1, .signed_at = timer_now()};
    int status = memory_join(&l->path, name, 2, "");
    if (status == STATUS_OK) *out = l;
    else free(l);
    return status;
}

static void close_one(struct lock **l)
{
    if ((*l)->file >= 0) close((*l)->file);
    free((*l)->path);
    free(*l);
    *l = NULL;
}

int lock_take_as(struct lock **out, const char *path, double wait, const struct lock_manner *manner)
{
    TRY(open_one(out, path, manner));
    int status = take(*out, wait);
    if (status != STATUS_OK) close_one(out);
    return status;
}

int lock_take(struct lock **out, const char *path, double wait)
{
    return lock_take_as(out, path, wait, &usual);
}

void lock_touch(struct lock *l)
{
    if (l == NULL || timer_now() - l->signed_at < l->manner->sign_every) return;
    l->signed_at = timer_now();
    futimens(l->file, NULL);
}

void lock_owner(char owner[LOCK_OWNER_MAX], const struct lock *l)
{
    read_text(owner, l->file);
}

/* What a network file system has not found once, it does not look for again for a while, unless its folder is opened. */
static void look_again(const char *path)
{
    char folder[PATH_MAX];
    file_folder(folder, path);
    const int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file >= 0) close(file);
}

static bool finds(const char *path, const char *owner)
{
    look_again(path);
    char text[LOCK_OWNER_MAX] = "";
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    read_text(text, file);
    close(file);
    return strcmp(text, owner) == 0;
}

int lock_find(const char *path, const char *owner)
{
    const char *const name[] = {path, ".lock"};
    char *lock, host[HOST_MAX] = "";
    TRY(memory_join(&lock, name, 2, ""));
    int naps = 0;
    while (!finds(lock, owner) && naps < FIND_NAPS) {
        nap();
        naps++;
    }
    free(lock);
    if (naps < FIND_NAPS) return STATUS_OK;
    gethostname(host, sizeof host - 1);
    return status_fail(STATUS_FAILURE, "%s: its folder on %s is not the one on %.*s, or cannot be read; name an output on a file system that "
                       "all nodes share", path, host, (int)strcspn(owner, " "), owner);
}

void lock_release(struct lock **l)
{
    if (*l == NULL) return;
    if (is_named(*l)) unlink((*l)->path);
    close_one(l);
}

void lock_clear(const char *path)
{
    struct lock *l;
    struct owner owner = {0};
    enum standing standing = GONE;
    int status = open_one(&l, path, &usual);
    if (status == STATUS_OK && access(l->path, F_OK) == 0) status = attempt(&standing, l, &owner);
    if (l != NULL && standing == OURS) lock_release(&l);
    else if (l != NULL) close_one(&l);
    if (status != STATUS_OK) status_clear(); /* a folder that cannot be written into is no reason to fail */
}
