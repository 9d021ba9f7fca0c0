#include "traits.h"

#include "checksum.h"
#include "traits_cell.h"
#include "memory.h"
#include "status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* While the traits of a space are collected: columns by key, classes by their counts. */
struct collection {
    const struct space *space;
    struct traits *traits;
    struct traits_words words;
    struct traits_cell *cell;        /* of the cell at hand */
    /* columns */
    uint64_t *key;                     /* [keys] in the order of first appearance */
    int keys;
    /* classes: their counts in a row, and where they begin */
    struct traits_count *row;
    int64_t rows, rows_room;
    int64_t *row_begin;                /* [classes + 1] */
    int64_t *slot, slots;              /* hash table: class plus 1, 0 = free */
    /* statistics of all kinds, of the classes */
    int kinds;
    double *statistic;                 /* [classes][kinds] */
};

/* ---- statistics: all kinds there are, of which those that vary are kept ---- */

enum { FIXED_KINDS = 4 };

static void take_statistics(double *to, const struct traits_cell *c, int operations)
{
    *to++ = c->paths, *to++ = c->shortest, *to++ = c->longest, *to++ = c->mean;
    for (int o = 0; o < operations; o++) *to++ = c->live[o];
    for (int o = 0; o < operations; o++) *to++ = c->most[o];
}

/* Mean 0 and variance 1 over the cells; columns that do not vary go. */
static void put_statistics(struct collection *c, const bool *kept, const double *mean, const double *deviation)
{
    struct traits *f = c->traits;
    for (int64_t i = 0; i < f->classes; i++) {
        float *to = f->value + i * traits_width(f) + f->counts;
        for (int k = 0; k < c->kinds; k++)
            if (kept[k]) *to++ = (float)((c->statistic[i * c->kinds + k] - mean[k]) / deviation[k]);
    }
}

static void standardise(struct collection *c, bool *kept, double *mean, double *deviation)
{
    struct traits *f = c->traits;
    for (int64_t i = 0; i < f->cells; i++)
        for (int k = 0; k < c->kinds; k++) mean[k] += c->statistic[f->class_of[i] * c->kinds + k] / (double)f->cells;
    for (int64_t i = 0; i < f->cells; i++)
        for (int k = 0; k < c->kinds; k++) {
            const double d = c->statistic[f->class_of[i] * c->kinds + k] - mean[k];
            deviation[k] += d * d / (double)f->cells;
        }
    for (int k = 0; k < c->kinds; k++) {
        deviation[k] = sqrt(deviation[k]);
        kept[k] = deviation[k] > 1e-9 * (1 + fabs(mean[k]));
        f->statistics += kept[k];
    }
}

/* ---- columns of counts ---- */

static void add_key(struct collection *c, uint64_t key)
{
    if (c->keys > TRAITS_COUNTS_MAX) return; /* they will be shared anyway */
    for (int i = 0; i < c->keys; i++)
        if (c->key[i] == key) return;
    c->key[c->keys++] = key;
}

static int column_of(const struct collection *c, uint64_t key)
{
    if (c->keys > TRAITS_COUNTS_MAX) return (int)(key % TRAITS_COUNTS_MAX);
    for (int i = 0; i < c->keys; i++)
        if (c->key[i] == key) return i;
    return 0; /* not reached: every key was added */
}

static void put_counts(struct collection *c)
{
    struct traits *f = c->traits;
    for (int64_t i = 0; i < f->classes; i++)
        for (int64_t r = c->row_begin[i]; r < c->row_begin[i + 1]; r++)
            f->value[i * traits_width(f) + column_of(c, c->row[r].key)] += (float)c->row[r].count;
}

/* ---- classes ---- */

static uint64_t hash_of(const struct collection *c)
{
    uint64_t sum = CHECKSUM_BEGIN;
    for (int i = 0; i < c->cell->counts; i++) {
        checksum_add_number(&sum, c->cell->count[i].key);
        checksum_add_number(&sum, (uint64_t)c->cell->count[i].count);
    }
    for (int o = 0; o < c->space->operations; o++) checksum_add_number(&sum, (uint64_t)c->cell->live[o]);
    return sum ^ sum >> 29;
}

/* Has the class the counts and live operations of the cell at hand? */
static bool is_same(const struct collection *c, int64_t class)
{
    const struct traits_count *row = c->row + c->row_begin[class];
    if (c->row_begin[class + 1] - c->row_begin[class] != c->cell->counts) return false;
    for (int i = 0; i < c->cell->counts; i++)
        if (row[i].key != c->cell->count[i].key || row[i].count != c->cell->count[i].count) return false;
    for (int o = 0; o < c->space->operations; o++)
        if (c->statistic[class * c->kinds + FIXED_KINDS + o] != c->cell->live[o]) return false;
    return true;
}

static int add_class(struct collection *c)
{
    struct traits *f = c->traits;
    const int64_t needed = c->rows + c->cell->counts;
    if (needed > c->rows_room) {
        const int64_t room = 2 * needed + 1024;
        TRY(memory_grow(&c->row, (size_t)c->rows, (size_t)room, sizeof *c->row));
        c->rows_room = room;
    }
    for (int i = 0; i < c->cell->counts; i++) {
        c->row[c->rows++] = c->cell->count[i];
        add_key(c, c->cell->count[i].key);
    }
    take_statistics(c->statistic + f->classes * c->kinds, c->cell, c->space->operations);
    f->classes++;
    c->row_begin[f->classes] = c->rows;
    return STATUS_OK;
}

static int classify(struct collection *c, int64_t cell)
{
    uint64_t at = hash_of(c);
    int64_t *slot;
    for (;; at++) {
        slot = &c->slot[at & (uint64_t)(c->slots - 1)];
        if (*slot == 0 || is_same(c, *slot - 1)) break;
    }
    if (*slot == 0) {
        TRY(add_class(c));
        *slot = c->traits->classes;
    }
    c->traits->class_of[cell] = *slot - 1;
    return STATUS_OK;
}

static int sort_members(struct traits *f)
{
    TRY(memory_alloc(&f->begin, (size_t)f->classes + 1, sizeof *f->begin));
    TRY(memory_alloc(&f->member, (size_t)f->cells, sizeof *f->member));
    for (int64_t i = 0; i < f->cells; i++) f->begin[f->class_of[i]]++;
    for (int64_t i = 0, sum = 0; i <= f->classes; i++) {
        const int64_t size = i < f->classes ? f->begin[i] : 0;
        f->begin[i] = sum += size; /* the end, until members are put from the last */
    }
    for (int64_t i = f->cells - 1; i >= 0; i--) f->member[--f->begin[f->class_of[i]]] = i;
    return STATUS_OK;
}

/* ---- all of it ---- */

static int collect(struct collection *c)
{
    struct traits *f = c->traits;
    const struct space *s = c->space;
    double paths = 0;
    TRY(traits_words(&c->words, s));
    for (int64_t i = 0; i < s->cells; i++) {
        traits_of_paths(c->cell, s, &c->words, i);
        if (c->cell->paths > paths) paths = c->cell->paths;
    }
    f->labels = paths > TRAITS_PATHS_MAX;
    for (int64_t i = 0; i < s->cells; i++) {
        traits_of_paths(c->cell, s, &c->words, i);
        traits_of_counts(c->cell, s, &c->words, i, f->labels);
        if (f->labels) c->cell->paths = log2(1 + c->cell->paths);
        TRY(classify(c, i));
    }
    return sort_members(f);
}

static int finish(struct collection *c)
{
    struct traits *f = c->traits;
    bool *kept;
    double *moment;
    TRY(memory_alloc(&kept, (size_t)c->kinds, sizeof *kept));
    int status = memory_alloc(&moment, 2 * (size_t)c->kinds, sizeof *moment);
    if (status == STATUS_OK) {
        standardise(c, kept, moment, moment + c->kinds);
        f->counts = c->keys > TRAITS_COUNTS_MAX ? TRAITS_COUNTS_MAX : c->keys;
        status = memory_alloc(&f->value, (size_t)f->classes * (size_t)traits_width(f), sizeof *f->value);
        if (status == STATUS_OK) {
            put_counts(c);
            put_statistics(c, kept, moment, moment + c->kinds);
        }
        free(moment);
    }
    free(kept);
    return status;
}

int traits_create(struct traits **out, const struct space *s)
{
    struct collection c = {.space = s, .kinds = FIXED_KINDS + 2 * s->operations, .slots = 16};
    const size_t cells = (size_t)s->cells;
    int status;
    *out = NULL;
    while (c.slots < 2 * s->cells) c.slots *= 2;
    TRY(memory_alloc(&c.traits, 1, sizeof *c.traits));
    c.traits->cells = s->cells;
    TRY_DONE(memory_alloc(&c.traits->class_of, cells, sizeof(int64_t)));
    TRY_DONE(memory_alloc(&c.cell, 1, sizeof *c.cell));
    TRY_DONE(memory_alloc(&c.key, TRAITS_COUNTS_MAX + 1, sizeof *c.key));
    TRY_DONE(memory_alloc(&c.row_begin, cells + 1, sizeof *c.row_begin));
    TRY_DONE(memory_alloc(&c.slot, (size_t)c.slots, sizeof *c.slot));
    TRY_DONE(memory_alloc(&c.statistic, cells * (size_t)c.kinds, sizeof *c.statistic));
    TRY_DONE(collect(&c));
    TRY_DONE(finish(&c));
    *out = c.traits;
done:
    free(c.cell);
    free(c.key);
    free(c.row);
    free(c.row_begin);
    free(c.slot);
    free(c.statistic);
    if (status != STATUS_OK) traits_destroy(&c.traits);
    return status;
}

void traits_destroy(struct traits **f)
{
    if (*f == NULL) return;
    free((*f)->class_of);
    free((*f)->member);
    free((*f)->begin);
    free((*f)->value);
    free(*f);
    *f = NULL;
}
