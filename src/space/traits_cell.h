/* traits_cell.h - one cell's traits as they are counted; shared by the traits*.c files only. */
#ifndef TRAITS_CELL_H
#define TRAITS_CELL_H

#include "traits.h"

/* What the operations of a space mean. */
struct traits_words {
    bool dead[SPACE_OPERATIONS_MAX], pass[SPACE_OPERATIONS_MAX];
    bool fixed[SPACE_NODES_MAX]; /* nodes with one operation in all cells of a space of one graph */
};
int traits_words(struct traits_words *w, const struct space *s);

/* A sequence or label, by its hash of 64 bits, and how often it occurs. */
struct traits_count {
    uint64_t key;
    int count;
};

enum { TRAITS_ROOM = TRAITS_PATHS_MAX > 4 * SPACE_NODES_MAX ? TRAITS_PATHS_MAX : 4 * SPACE_NODES_MAX };

struct traits_cell {
    int counts;
    struct traits_count count[TRAITS_ROOM];       /* ascending by key */
    double paths, shortest, longest, mean;
    int live[SPACE_OPERATIONS_MAX], most[SPACE_OPERATIONS_MAX];
};

/* paths and the statistics, without the counts. */
void traits_of_paths(struct traits_cell *f, const struct space *s, const struct traits_words *w, int64_t cell);

/* The counts: of sequences, of which there must be TRAITS_PATHS_MAX at most, or of labels. */
void traits_of_counts(struct traits_cell *f, const struct space *s, const struct traits_words *w, int64_t cell, bool labels);

#endif
