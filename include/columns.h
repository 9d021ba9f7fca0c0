/* columns.h - which column of a table means what: an ini file, NAME=COLUMN on the command line, or the built-in mapping of
 * inputs/nas-bench-201.ini, which documents the form. */
#ifndef COLUMNS_H
#define COLUMNS_H

struct column_entry {
    char *name;   /* id, arch, accuracy.DATASET, validation_accuracy.DATASET, early_loss, or a signal */
    char *column; /* its column; of early_loss a list "a,b" or a range "loss1..loss9" */
    char *units, *long_name; /* of a signal, "" when not given */
    char *where;  /* where the entry stands, for messages: "FILE:LINE" or "--column" */
};

struct columns {
    char *title;
    int entries;
    struct column_entry *entry;
    char *source; /* the ini file, NULL when there was none */
};

extern const char columns_nas_bench_201[]; /* the text of inputs/nas-bench-201.ini */

/* Add what an ini file or text says; `source` names it in messages. Start with a zeroed struct. */
int columns_read(struct columns *c, const char *path);
int columns_parse(struct columns *c, const char *text, const char *source);

/* Add "NAME=COLUMN" from the command line; it replaces an entry of that name. */
int columns_set(struct columns *c, const char *assignment);

void columns_destroy(struct columns *c);

#endif
