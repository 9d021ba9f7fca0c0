/* fuzz.h - what the targets share. A target is one reader of files that a stranger may have written; libFuzzer calls it with made-up
 * contents. The reader must come back with STATUS_OK or with STATUS_INPUT and one line that says what is wrong with which file:
 * anything else ends the target, as a bad memory access, a leak, a large allocation or a long loop do. */
#ifndef FUZZ_H
#define FUZZ_H

#include "status.h"

#include <ctype.h>
#include <fcntl.h>
#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* For targets whose reader takes a communicator: MPI_COMM_SELF. Without a launcher. */
static inline void fuzz_mpi(void)
{
    int provided;
    setenv("OMPI_MCA_opal_signal", "", 1); /* signals are libFuzzer's */
    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
}

/* "FOLDER/NAME"; run.sh removes the folder. Stays until the next call. */
static inline const char *fuzz_path(const char *name)
{
    static char path[300];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%.200s/%.60s-%ld", folder != NULL ? folder : "/tmp", name, (long)getpid());
    return path;
}

static inline void fuzz_write(const char *path, const void *data, size_t size)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || write(file, data, size) != (ssize_t)size || close(file) != 0) {
        perror(path);
        abort();
    }
}

static inline void fuzz_broken(const char *what, const char *text)
{
    fprintf(stderr, "broken promise: %s: '%s'\n", what, text);
    abort();
}

/* What a reader owes its caller. `mention` is in every message: the file's name. Returns whether all went well. */
static inline bool fuzz_status(int status, const char *mention)
{
    const char *message = status_message();
    if (status == STATUS_OK && message[0] != '\0') fuzz_broken("success with a message", message);
    if (status == STATUS_OK) return true;
    if (status != STATUS_INPUT) fuzz_broken("what is wrong with a file is STATUS_INPUT", message);
    if (strstr(message, mention) == NULL) fuzz_broken("the message does not name the file", message);
    for (const char *c = message; *c != '\0'; c++)
        if (iscntrl((unsigned char)*c)) fuzz_broken("a message is one line of text", message);
    status_clear();
    return false;
}

/* The next part of an input of several texts: up to a line that says "----", or all that is left. A copy; release with free(). */
static inline char *fuzz_part(const uint8_t **data, size_t *size)
{
    static const char mark[] = "----\n";
    const size_t length = sizeof mark - 1;
    size_t end = 0, next = *size;
    while (end < *size && !(*size - end >= length && memcmp(*data + end, mark, length) == 0)) end++;
    if (end < *size) next = end + length;
    char *text = malloc(end + 1);
    if (text == NULL) abort();
    memcpy(text, *data, end);
    text[end] = '\0';
    *data += next;
    *size -= next;
    return text;
}

#endif
