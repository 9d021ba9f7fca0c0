/* nearest.h - the known name that is closest to a misspelt one, for error messages. */
#ifndef NEAREST_H
#define NEAREST_H

/* The nearest by edit distance (insert, delete, replace; upper and lower case are the same), or NULL when none
 * comes close enough to be a likely slip. Ties: the first. */
const char *nearest_name(const char *name, const char *const *known, int count);

#endif
