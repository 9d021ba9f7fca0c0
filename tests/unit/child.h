/* child.h - tests of what is one for a whole process, or needs another one: bodies that run in a child. */
#ifndef CHILD_H
#define CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a child: leave it as failed. */
#define EXPECT(condition)                                                          \
    do {                                                                           \
        if (!(condition)) {                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);        \
            _exit(1);                                                              \
        }                                                                          \
    } while (0)

static inline pid_t child_start(void (*body)(void *), void *argument)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid != 0) return pid;
    body(argument);
    fflush(NULL);
    _exit(0);
}

/* How it ended, as waitpid() says. */
static inline int child_end(pid_t pid)
{
    int how = -1;
    waitpid(pid, &how, 0);
    return how;
}

static inline bool child_good(pid_t pid)
{
    int how = child_end(pid);
    return WIFEXITED(how) && WEXITSTATUS(how) == 0;
}

#endif
