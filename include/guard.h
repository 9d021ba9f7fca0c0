/* guard.h - damaged files that the library dies of: now and then HDF5 frees what it never had when the checksum of a header tells it
 * that it is damaged. While a file is guarded, a crash becomes a message that names it, and the exit status of wrong input: nothing
 * can be handed upward from there. */
#ifndef GUARD_H
#define GUARD_H

/* One file at a time; path must stay until the end. */
void guard_begin(const char *path);
void guard_end(void);

#endif
