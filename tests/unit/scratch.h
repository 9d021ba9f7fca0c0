/* scratch.h - a folder for the files of a test program, removed with all in it at the end. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch_folder[200];

static inline int scratch_open(void **state)
{
    (void)state;
    const char *parent = getenv("TMPDIR");
    snprintf(scratch_folder, sizeof scratch_folder, "%.150s/siamese-nas-test-XXXXXX", parent != NULL ? parent : "/tmp");
    return mkdtemp(scratch_folder) == NULL;
}

static inline int scratch_remove(const char *path)
{
    DIR *folder = opendir(path);
    for (struct dirent *e; folder != NULL && (e = readdir(folder)) != NULL;) {
        char inner[600];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        snprintf(inner, sizeof inner, "%.300s/%.250s", path, e->d_name);
        scratch_remove(inner);
    }
    if (folder != NULL) closedir(folder);
    return remove(path);
}

static inline int scratch_close(void **state)
{
    (void)state;
    return scratch_remove(scratch_folder);
}

/* "FOLDER/NAME"; stays for the next 15 calls. */
static inline const char *scratch(const char *name)
{
    static char path[16][300];
    static int next;
    next = (next + 1) % 16;
    snprintf(path[next], sizeof path[next], "%s/%.80s", scratch_folder, name);
    return path[next];
}

static inline const char *scratch_write(const char *name, const char *text)
{
    const char *path = scratch(name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(text, 1, strlen(text), file) != strlen(text) || fclose(file) != 0) abort();
    return path;
}

/* The text of a file; release with free(). NULL when there is none. */
static inline char *scratch_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    struct stat s;
    if (file == NULL || fstat(fileno(file), &s) != 0) return NULL;
    char *text = calloc(1, (size_t)s.st_size + 1);
    if (text == NULL || fread(text, 1, (size_t)s.st_size, file) != (size_t)s.st_size) abort();
    fclose(file);
    if (size != NULL) *size = (size_t)s.st_size;
    return text;
}

/* Is there a file of this name in the folder? */
static inline bool scratch_has(const char *name)
{
    return access(scratch(name), F_OK) == 0;
}

/* Do two files in the folder hold the same bytes? */
static inline bool scratch_same(const char *a, const char *b)
{
    size_t size[2];
    char *x = scratch_read(scratch(a), &size[0]), *y = scratch_read(scratch(b), &size[1]);
    const bool same = x != NULL && y != NULL && size[0] == size[1] && memcmp(x, y, size[0]) == 0;
    free(x);
    free(y);
    return same;
}

/* The folder of published data (SIAMESE_NAS_DATA, else ../shared/data), or NULL when it is not there. */
static inline const char *scratch_data(const char *name)
{
    static char path[400];
    const char *folder = getenv("SIAMESE_NAS_DATA");
    snprintf(path, sizeof path, "%.200s/%.100s", folder != NULL ? folder : "../shared/data", name);
    return access(path, R_OK) == 0 ? path : NULL;
}

#endif
