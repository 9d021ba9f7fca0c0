#include "traits_cell.h"

#include "checksum.h"
#include "live.h"
#include "memory.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

enum { LEVELS = 4 };

/* ---- words ---- */

int traits_words(struct traits_words *w, const struct space *s)
{
    *w = (struct traits_words){0};
    live_dead(w->dead, s);
    live_pass(w->pass, s);
    for (int o = 0; o < s->operations; o++) /* of the cell itself */
        if (strcmp(s->vocabulary[o], "input") == 0 || strcmp(s->vocabulary[o], "output") == 0) w->pass[o] = true;
    return live_fixed(w->fixed, s);
}

/* ---- the live part of a cell ---- */

struct live {
    int nodes, order[SPACE_NODES_MAX];  /* live nodes in topological order */
    uint32_t mask, ends;                /* all of them, and those where paths end */
    uint32_t before[SPACE_NODES_MAX], after[SPACE_NODES_MAX];
    uint8_t operation[SPACE_NODES_MAX];
    bool silent[SPACE_NODES_MAX];       /* leaves no trace in a sequence */
};

static void find_live(struct live *l, const struct space *s, const struct traits_words *w, int64_t cell)
{
    const struct graph *g = space_graph(s, cell);
    uint32_t done = 0;
    space_cell(l->operation, s, cell);
    l->mask = live_nodes(&l->ends, g, l->operation, w->dead, s->nodes);
    for (int v = 0; v < s->nodes; v++) {
        const uint32_t others = l->mask & ~(UINT32_C(1) << v);
        l->before[v] = g->predecessors[v] & others, l->after[v] = g->successors[v] & others;
        l->silent[v] = w->fixed[v] || w->pass[l->operation[v]];
    }
    l->nodes = 0;
    for (bool progress = true; progress;) {
        progress = false;
        for (int v = 0; v < s->nodes; v++) {
            const uint32_t self = UINT32_C(1) << v & l->mask & ~done;
            if (self == 0 || (l->before[v] & ~done) != 0) continue;
            l->order[l->nodes++] = v;
            done |= self;
            progress = true;
        }
    }
}

/* ---- statistics of paths ---- */

/* Of all paths that end in a node: how many, the sum of their lengths, the shortest and longest, most of one operation on one. */
struct reach {
    double paths, length, shortest, longest;
};

static void join(struct reach *to, const struct reach *from)
{
    if (to->paths == 0 || from->shortest < to->shortest) to->shortest = from->shortest;
    if (to->paths == 0 || from->longest > to->longest) to->longest = from->longest;
    to->paths += from->paths;
    to->length += from->length;
}

/* The most nodes of this operation on one path. */
static int most_of(const struct live *l, int operation)
{
    int reached[SPACE_NODES_MAX] = {0}, most = 0;
    for (int i = 0; i < l->nodes; i++) {
        const int v = l->order[i];
        for (uint32_t from = l->before[v]; from != 0; from &= from - 1) {
            const int n = reached[__builtin_ctz(from)];
            if (n > reached[v]) reached[v] = n;
        }
        reached[v] += l->operation[v] == operation && !l->silent[v];
        if (reached[v] > most) most = reached[v];
    }
    return most;
}

void traits_of_paths(struct traits_cell *f, const struct space *s, const struct traits_words *w, int64_t cell)
{
    struct live l;
    struct reach at[SPACE_NODES_MAX] = {{0}}, all = {0};
    find_live(&l, s, w, cell);
    for (int i = 0; i < l.nodes; i++) {
        const int v = l.order[i];
        const double own = l.silent[v] ? 0 : 1;
        if (l.before[v] == 0) at[v] = (struct reach){.paths = 1};
        for (uint32_t from = l.before[v]; from != 0; from &= from - 1) join(&at[v], &at[__builtin_ctz(from)]);
        at[v].length += own * at[v].paths, at[v].shortest += own, at[v].longest += own;
        if (l.ends >> v & 1) join(&all, &at[v]);
    }
    f->paths = all.paths, f->shortest = all.shortest, f->longest = all.longest;
    f->mean = all.paths > 0 ? all.length / all.paths : 0;
    memset(f->live, 0, sizeof f->live);
    for (int i = 0; i < l.nodes; i++)
        if (!w->fixed[l.order[i]]) f->live[l.operation[l.order[i]]]++;
    for (int o = 0; o < s->operations; o++) f->most[o] = most_of(&l, o);
}

/* ---- counts ---- */

static int by_key(const void *a, const void *b)
{
    const struct traits_count *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

/* Sort, and count equal keys once. */
static void gather(struct traits_cell *f)
{
    int kept = 0;
    qsort(f->count, (size_t)f->counts, sizeof *f->count, by_key);
    for (int i = 0; i < f->counts; i++) {
        if (kept > 0 && f->count[kept - 1].key == f->count[i].key) f->count[kept - 1].count += f->count[i].count;
        else f->count[kept++] = f->count[i];
    }
    f->counts = kept;
}

static void add(struct traits_cell *f, uint64_t key)
{
    f->count[f->counts++] = (struct traits_count){key, 1};
}

/* All paths from a node on; `key` is the hash of the sequence so far. */
static void walk(struct traits_cell *f, const struct live *l, int v, uint64_t key)
{
    if (!l->silent[v]) checksum_add(&key, &l->operation[v], 1);
    if (l->ends >> v & 1) add(f, key);
    for (uint32_t to = l->after[v]; to != 0; to &= to - 1) walk(f, l, __builtin_ctz(to), key);
}

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void add_sorted(uint64_t *sum, const uint64_t *label, uint32_t nodes)
{
    uint64_t list[SPACE_NODES_MAX];
    int n = 0;
    for (; nodes != 0; nodes &= nodes - 1) list[n++] = label[__builtin_ctz(nodes)];
    qsort(list, (size_t)n, sizeof *list, by_value);
    checksum_add_number(sum, (uint64_t)n);
    for (int i = 0; i < n; i++) checksum_add_number(sum, list[i]);
}

/* Edges through silent nodes lead on to what lies behind them. */
static void skip_silent(struct live *l)
{
    for (int i = 0; i < l->nodes; i++) { /* what is before a node is settled before the node is */
        const int v = l->order[i];
        for (uint32_t from = l->before[v]; from != 0; from &= from - 1) {
            const int u = __builtin_ctz(from);
            if (l->silent[u]) l->before[v] = (l->before[v] & ~(UINT32_C(1) << u)) | l->before[u];
        }
    }
    memset(l->after, 0, sizeof l->after);
    for (int i = 0; i < l->nodes; i++)
        for (uint32_t from = l->before[l->order[i]]; from != 0; from &= from - 1)
            l->after[__builtin_ctz(from)] |= UINT32_C(1) << l->order[i];
    for (int i = 0; i < l->nodes; i++) l->after[l->order[i]] &= l->mask;
}

static void count_labels(struct traits_cell *f, struct live *l)
{
    uint64_t label[SPACE_NODES_MAX], next[SPACE_NODES_MAX];
    uint32_t heard = 0;
    skip_silent(l);
    for (int i = 0; i < l->nodes; i++)
        if (!l->silent[l->order[i]]) heard |= UINT32_C(1) << l->order[i];
    for (uint32_t nodes = heard; nodes != 0; nodes &= nodes - 1) {
        const int v = __builtin_ctz(nodes);
        label[v] = CHECKSUM_BEGIN;
        checksum_add(&label[v], &l->operation[v], 1);
    }
    for (int level = 0; level < LEVELS; level++) {
        for (uint32_t nodes = heard; nodes != 0; nodes &= nodes - 1) add(f, label[__builtin_ctz(nodes)]);
        for (uint32_t nodes = heard; nodes != 0; nodes &= nodes - 1) {
            const int v = __builtin_ctz(nodes);
            next[v] = CHECKSUM_BEGIN;
            checksum_add_number(&next[v], label[v]);
            add_sorted(&next[v], label, l->before[v] & heard);
            add_sorted(&next[v], label, l->after[v] & heard);
        }
        memcpy(label, next, sizeof label);
    }
}

void traits_of_counts(struct traits_cell *f, const struct space *s, const struct traits_words *w, int64_t cell, bool labels)
{
    struct live l;
    f->counts = 0;
    find_live(&l, s, w, cell);
    if (labels) count_labels(f, &l);
    else
        for (int i = 0; i < l.nodes; i++)
            if (l.before[l.order[i]] == 0) walk(f, &l, l.order[i], CHECKSUM_BEGIN);
    gather(f);
}
