/* parameters.h - lists of "key = value" lines, as a results file keeps those of its job. */
#ifndef PARAMETERS_H
#define PARAMETERS_H

#include <stdbool.h>

/* The value of `key`, which ends with the line; NULL when the list has no such key. */
const char *parameters_find(const char *list, const char *key);

/* Do the lists differ? Then `difference` names the first key that does: "there KEY = VALUE, here KEY = VALUE", or "nothing"
 * where only one has it. free_to, which ends with NULL, are keys that may differ; one that ends with a dot stands for its
 * section. */
enum { PARAMETERS_DIFFERENCE_MAX = 512 };
bool parameters_differ(char difference[PARAMETERS_DIFFERENCE_MAX], const char *there, const char *here,
                       const char *const *free_to);

/* A copy in which `key` has another value; the list must have the key. Release with free(). */
int parameters_replace(char **out, const char *list, const char *key, long long value);

#endif
