#include "nearest.h"

#include <ctype.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

enum { NAME_MAX_COMPARED = 64 };

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Levenshtein distance, one row of the table at a time. */
static int distance(const char *a, const char *b)
{
    int row[NAME_MAX_COMPARED + 1];
    int length = (int)strlen(b);
    for (int j = 0; j <= length; j++) row[j] = j;
    for (int i = 0; a[i] != '\0'; i++) {
        int diagonal = row[0];
        row[0] = i + 1;
        for (int j = 0; j < length; j++) {
            int change = tolower((unsigned char)a[i]) != tolower((unsigned char)b[j]);
            int best = smaller(diagonal + change, smaller(row[j], row[j + 1]) + 1);
            diagonal = row[j + 1];
            row[j + 1] = best;
        }
    }
    return row[length];
}

const char *nearest_name(const char *name, const char *const *known, int count)
{
    const char *nearest = NULL;
    int least = INT_MAX;
    if (strlen(name) > NAME_MAX_COMPARED) return NULL;
    for (int i = 0; i < count; i++) {
        if (strlen(known[i]) > NAME_MAX_COMPARED) continue;
        int d = distance(name, known[i]);
        if (d < least) {
            least = d;
            nearest = known[i];
        }
    }
    int tolerated = 1 + (int)strlen(name) / 3;
    return least <= tolerated ? nearest : NULL;
}
