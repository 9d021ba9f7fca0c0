/* One run of a command: started, fed, listened to, and ended together with all that it started. */
#include "command_internal.h"

#include "memory.h"
#include "status.h"
#include "stop.h"
#include "timer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { FIRST_FREE = 10, POLL_MS = 10, CHILD_LIFELINE = 3 };
static const double grace = 3; /* seconds between the request to end and the end */

/* A process beside the command waits for the end of the pipe that this program holds open, and then ends the group. It
 * ignores the request to end that it sends itself. */
static const char wrapper[] =
    "( { trap '' TERM; read -r line <&3; kill -TERM -$$; sleep 3; kill -KILL -$$; } </dev/null >/dev/null 2>&1 & )\n"
    "exec 3<&-\n"
    "exec sh -c \"$1\"\n";

struct child {
    pid_t pid;
    int input, output, lifeline; /* our ends; -1: closed */
    bool ended;                  /* not yet waited for */
};

static void close_end(int *end)
{
    if (*end >= 0) close(*end);
    *end = -1;
}

/* -- start ------------------------------------------------------------------------------------------------------- */

/* Above the numbers that the child gives to its own, and not inherited. */
static int high_pipe(int end[2])
{
    int low[2];
    end[0] = end[1] = -1;
    if (pipe(low) != 0) return -1;
    for (int i = 0; i < 2; i++) {
        end[i] = fcntl(low[i], F_DUPFD_CLOEXEC, FIRST_FREE);
        close(low[i]);
    }
    if (end[0] >= 0 && end[1] >= 0) return 0;
    close_end(&end[0]);
    close_end(&end[1]);
    return -1;
}

/* Sockets of MPI and files of results are none of the command's business, and not all of them close by themselves. */
static void close_others(posix_spawn_file_actions_t *actions)
{
    DIR *folder = opendir("/proc/self/fd");
    for (struct dirent *e; folder != NULL && (e = readdir(folder)) != NULL;) {
        const int descriptor = atoi(e->d_name);
        if (descriptor > CHILD_LIFELINE) posix_spawn_file_actions_addclose(actions, descriptor);
    }
    if (folder != NULL) closedir(folder);
}

/* The environment without the variables by which a launcher tells this rank its place: a command that uses MPI itself would
 * take them for its own. */
static int make_environment(char ***out)
{
    static const char *const launcher[] = {"OMPI_", "PMIX_", "PMI_"}, allowance[] = "OMPI_ALLOW_";
    size_t count = 0, kept = 0;
    while (environ[count] != NULL) count++;
    TRY(memory_alloc(out, count + 1, sizeof **out));
    for (size_t i = 0; i < count; i++) {
        bool keep = true;
        for (size_t k = 0; k < sizeof launcher / sizeof *launcher; k++)
            if (strncmp(environ[i], launcher[k], strlen(launcher[k])) == 0) keep = false;
        if (keep || strncmp(environ[i], allowance, strlen(allowance)) == 0) (*out)[kept++] = environ[i];
    }
    return STATUS_OK;
}

static int spawn(struct child *c, const char *command, char **environment, int input, int output, int lifeline)
{
    char shell[] = "sh", flag[] = "-c", name[] = "sh";
    char *const arguments[] = {shell, flag, (char *)(uintptr_t)wrapper, name, (char *)(uintptr_t)command, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults, none;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGXFSZ);
    if (posix_spawn_file_actions_init(&actions) != 0) return ENOMEM;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    int rc = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    if (rc == 0) rc = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (rc == 0) rc = posix_spawn_file_actions_adddup2(&actions, lifeline, CHILD_LIFELINE);
    if (rc == 0) close_others(&actions);
    if (rc == 0) rc = posix_spawnattr_setpgroup(&attributes, 0);
    if (rc == 0) rc = posix_spawnattr_setsigdefault(&attributes, &defaults);
    if (rc == 0) rc = posix_spawnattr_setsigmask(&attributes, &none);
    if (rc == 0)
        rc = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    if (rc == 0) rc = posix_spawn(&c->pid, "/bin/sh", &actions, &attributes, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return rc;
}

static int start(struct child *c, const char *command)
{
    int input[2], output[2] = {-1, -1}, lifeline[2] = {-1, -1}, rc = 0;
    char **environment;
    TRY(make_environment(&environment));
    *c = (struct child){.input = -1, .output = -1, .lifeline = -1};
    if (high_pipe(input) != 0 || high_pipe(output) != 0 || high_pipe(lifeline) != 0) rc = errno;
    if (rc == 0) rc = spawn(c, command, environment, input[0], output[1], lifeline[0]);
    free(environment);
    close_end(&input[0]);
    close_end(&output[1]);
    close_end(&lifeline[0]);
    c->input = input[1], c->output = output[0], c->lifeline = lifeline[1];
    if (rc == 0) {
        fcntl(c->input, F_SETFL, O_NONBLOCK);
        fcntl(c->output, F_SETFL, O_NONBLOCK);
        return STATUS_OK;
    }
    close_end(&c->input);
    close_end(&c->output);
    close_end(&c->lifeline);
    return status_fail(STATUS_FAILURE, "candidate.command cannot be started: %s", strerror(rc));
}

/* -- end --------------------------------------------------------------------------------------------------------- */

/* Look whether the command has ended, but leave it to finish(): as long as nobody has waited for it, its number is not given to
 * another process. */
static bool has_ended(struct child *c)
{
    siginfo_t info = {0};
    if (c->ended) return true;
    const bool looked = waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
    c->ended = looked && info.si_pid == c->pid;
    return c->ended;
}

static void nap(const struct pulse *pulse)
{
    const struct timespec pause = {.tv_nsec = POLL_MS * 1000 * 1000};
    pulse_beat(pulse);
    nanosleep(&pause, NULL);
}

/* End the group, first kindly if the command is still running, and return how the command ended. */
static int finish(struct child *c, const struct pulse *pulse)
{
    int how = 0;
    close_end(&c->input);
    close_end(&c->output);
    if (!has_ended(c)) {
        kill(-c->pid, SIGTERM);
        for (const double until = timer_now() + grace; !has_ended(c) && timer_now() < until;) nap(pulse);
    }
    kill(-c->pid, SIGKILL); /* also what the command has left behind */
    while (waitpid(c->pid, &how, 0) < 0 && errno == EINTR) continue;
    close_end(&c->lifeline);
    return how;
}

/* -- between ----------------------------------------------------------------------------------------------------- */

struct talk {
    const char *question;
    size_t left;   /* of the question */
    char *answer;
    size_t length;
};

static void feed(struct child *c, struct talk *t)
{
    ssize_t written = write(c->input, t->question, t->left);
    if (written > 0) t->question += written, t->left -= (size_t)written;
    /* a command that reads nothing more may know enough */
    if (t->left == 0 || (written < 0 && errno != EAGAIN && errno != EINTR)) close_end(&c->input);
}

/* Take what is there. false when it is too much. */
static bool listen_to(struct child *c, struct talk *t)
{
    while (c->output >= 0) {
        if (t->length == COMMAND_ANSWER_MAX) return false;
        ssize_t bytes = read(c->output, t->answer + t->length, COMMAND_ANSWER_MAX - t->length);
        if (bytes > 0) t->length += (size_t)bytes;
        else if (bytes < 0 && errno == EAGAIN) return true;
        else if (bytes == 0 || errno != EINTR) close_end(&c->output);
    }
    return true;
}

/* Until the command ends. false when it must be ended, and a reason, unless it is because the run shall stop. */
static bool talk_to(struct child *c, struct talk *t, char reason[COMMAND_REASON_MAX], double timeout, const struct pulse *pulse)
{
    for (const double until = timer_now() + timeout;;) {
        struct pollfd ends[2] = {{.fd = c->output, .events = POLLIN}, {.fd = c->input, .events = POLLOUT}};
        const bool ended = has_ended(c); /* before the last look at its output */
        if (!ended) poll(ends, 2, POLL_MS);
        pulse_beat(pulse);
        if (stop_wanted()) return false;
        if (ends[1].revents != 0) feed(c, t);
        if (!listen_to(c, t)) {
            snprintf(reason, COMMAND_REASON_MAX, "it wrote more than %d bytes", COMMAND_ANSWER_MAX);
            return false;
        }
        if (ended) return true;
        if (timer_now() >= until) {
            snprintf(reason, COMMAND_REASON_MAX, "it did not end within %g seconds (candidate.timeout)", timeout);
            return false;
        }
    }
}

int command_run(char *answer, size_t *length, char reason[COMMAND_REASON_MAX], const struct command_settings *s,
                const char *question, const struct pulse *pulse)
{
    struct child child;
    struct talk talk = {.question = question, .left = strlen(question), .answer = answer};
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    reason[0] = '\0';
    *length = 0;
    TRY(start(&child, s->command));
    sigaction(SIGPIPE, &ignore, &before); /* the command may close its input at any time */
    bool ended = talk_to(&child, &talk, reason, s->timeout, pulse);
    sigaction(SIGPIPE, &before, NULL);
    int how = finish(&child, pulse);
    *length = talk.length;
    if (!ended && reason[0] == '\0') return status_fail(STATUS_STOPPED, "stopped cleanly%s", stop_reason());
    if (ended && WIFSIGNALED(how)) snprintf(reason, COMMAND_REASON_MAX, "it was ended by signal %d", WTERMSIG(how));
    else if (ended && WEXITSTATUS(how) != 0) snprintf(reason, COMMAND_REASON_MAX, "exit status %d", WEXITSTATUS(how));
    return STATUS_OK;
}
