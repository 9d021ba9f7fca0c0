#include "guard.h"

#include "status.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
enum { DEADLY = sizeof deadly / sizeof *deadly };

static struct {
    const char *path;
    struct sigaction before[DEADLY];
} guard;

/* Only what is allowed in the middle of anything. */
static void say(const char *text)
{
    while (*text != '\0') {
        ssize_t written = write(STDERR_FILENO, text, strlen(text));
        if (written <= 0) return;
        text += written;
    }
}

static void die(int signal)
{
    (void)signal;
    say("siamese-nas: error: ");
    say(guard.path);
    say(": damaged, the library that reads it has crashed; put back a whole copy, or remove it\n");
    _exit(STATUS_INPUT);
}

void guard_begin(const char *path)
{
    struct sigaction action = {.sa_handler = die};
    sigemptyset(&action.sa_mask);
    guard.path = path;
    for (int i = 0; i < DEADLY; i++) sigaction(deadly[i], &action, &guard.before[i]);
}

void guard_end(void)
{
    for (int i = 0; i < DEADLY; i++) sigaction(deadly[i], &guard.before[i], NULL);
}
