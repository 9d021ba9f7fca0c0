/* sample_space.h - a space of random cells with everything a space can have, for tests. */
#ifndef SAMPLE_SPACE_H
#define SAMPLE_SPACE_H

#include "graph.h"
#include "memory.h"
#include "random.h"
#include "space.h"
#include "status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each is an option of sample_space(). */
enum { SAMPLE_PER_CELL = 1, SAMPLE_ARCH = 2, SAMPLE_VALIDATION = 4, SAMPLE_LOSS = 8, SAMPLE_SIGNALS = 16, SAMPLE_ALL = 31 };

static inline void sample_ok(int status)
{
    if (status != STATUS_OK) abort();
}

static inline double sample_value(struct random_stream *r, double high)
{
    return random_below(r, 8) == 0 ? NAN : random_uniform(r) * high;
}

static inline double *sample_values(struct random_stream *r, int64_t count, double high)
{
    double *value;
    sample_ok(memory_alloc(&value, (size_t)count, sizeof *value));
    for (int64_t i = 0; i < count; i++) value[i] = sample_value(r, high);
    return value;
}

static inline void sample_text(char **out, const char *format, int number)
{
    char text[64];
    snprintf(text, sizeof text, format, number);
    sample_ok(memory_copy_text(out, text));
}

/* Arrows lead from lower to higher nodes, so that there is no cycle; few kinds, so that cells share graphs. */
static inline void sample_graph(struct graph *g, int nodes, uint64_t kind)
{
    uint8_t matrix[SPACE_NODES_MAX * SPACE_NODES_MAX] = {0};
    struct random_stream r;
    random_open(&r, kind, 0, 0, RANDOM_TEST);
    for (int i = 0; i < nodes; i++)
        for (int j = i + 1; j < nodes; j++) matrix[i * nodes + j] = j == i + 1 || random_below(&r, 3) == 0;
    sample_ok(graph_from_matrix(g, matrix, nodes, "sample"));
}

static inline void sample_graphs(struct space *s, bool per_cell)
{
    struct graph_set set = {0};
    uint32_t *graph_of;
    sample_ok(memory_alloc(&graph_of, (size_t)s->cells, sizeof *graph_of));
    for (int64_t i = 0; i < s->cells; i++) {
        struct graph g;
        sample_graph(&g, s->nodes, per_cell ? (uint64_t)(i * i % 7) : 0);
        sample_ok(graph_set_add(&set, &graph_of[i], &g));
    }
    graph_set_give(&set, s, graph_of);
}

static inline void sample_space(struct space *s, int64_t cells, int nodes, int options, uint64_t seed)
{
    struct random_stream r;
    random_open(&r, seed, 1, 0, RANDOM_TEST);
    *s = (struct space){.cells = cells, .nodes = nodes, .operations = 5, .datasets = 2};
    sample_text(&s->path, "sample %d", (int)seed);
    sample_text(&s->title, "title %d", (int)seed);
    sample_ok(memory_alloc(&s->vocabulary, 5, sizeof *s->vocabulary));
    for (int i = 0; i < 5; i++) sample_text(&s->vocabulary[i], "op_%d", i);
    sample_ok(memory_alloc(&s->dataset, 2, sizeof *s->dataset));
    for (int i = 0; i < 2; i++) sample_text(&s->dataset[i], "set-%d", i);
    sample_ok(memory_alloc(&s->operation, (size_t)(cells * nodes), 1));
    for (int64_t i = 0; i < cells * nodes; i++) s->operation[i] = (uint8_t)random_below(&r, 5);
    sample_ok(memory_alloc(&s->id, (size_t)cells, sizeof *s->id));
    for (int64_t i = 0; i < cells; i++) s->id[i] = 1000 - 3 * i;
    s->accuracy = sample_values(&r, 2 * cells, 100);
    sample_graphs(s, options & SAMPLE_PER_CELL);
    if (options & SAMPLE_VALIDATION) s->validation_accuracy = sample_values(&r, 2 * cells, 100);
    if (options & SAMPLE_LOSS) {
        s->code_length = 4;
        s->early_loss = sample_values(&r, 4 * cells, 3);
    }
    if (options & SAMPLE_ARCH) {
        s->arch_length = 12;
        sample_ok(memory_alloc(&s->arch, (size_t)cells, 12));
        for (int64_t i = 0; i < cells; i++) snprintf(s->arch + 12 * i, 12, "cell-%d", (int)(i * 37 % 1000));
    }
    sample_ok(memory_alloc(&s->signal, 2, sizeof *s->signal));
    if (options & SAMPLE_SIGNALS) {
        s->signals = 2;
        for (int i = 0; i < 2; i++) {
            struct space_signal *g = &s->signal[i];
            sample_text(&g->name, i == 0 ? "flops" : "zeta%d", i);
            sample_text(&g->long_name, "meaning %d", i);
            sample_text(&g->units, i == 0 ? "1e6" : "", i);
            g->value = sample_values(&r, cells, 50);
        }
    }
    s->checksum = space_checksum(s);
}

static inline bool same_values(const double *a, const double *b, int64_t count)
{
    if (a == NULL || b == NULL) return a == b;
    for (int64_t i = 0; i < count; i++)
        if (a[i] != b[i] && !(isnan(a[i]) && isnan(b[i]))) return false;
    return true;
}

/* Field by field, without the checksum's help; path and title are left out. */
static inline bool same_space(const struct space *a, const struct space *b)
{
    if (a->cells != b->cells || a->nodes != b->nodes || a->operations != b->operations || a->datasets != b->datasets ||
        a->code_length != b->code_length || a->signals != b->signals || (a->arch == NULL) != (b->arch == NULL))
        return false;
    for (int i = 0; i < a->operations; i++)
        if (strcmp(a->vocabulary[i], b->vocabulary[i]) != 0) return false;
    for (int i = 0; i < a->datasets; i++)
        if (strcmp(a->dataset[i], b->dataset[i]) != 0) return false;
    for (int64_t i = 0; i < a->cells; i++) {
        if (a->id[i] != b->id[i] || memcmp(space_graph(a, i), space_graph(b, i), sizeof(struct graph)) != 0) return false;
        if (a->arch == NULL) continue;
        const char *x = a->arch + i * a->arch_length, *y = b->arch + i * b->arch_length;
        size_t length = strnlen(x, (size_t)a->arch_length);
        if (length != strnlen(y, (size_t)b->arch_length) || memcmp(x, y, length) != 0) return false;
    }
    for (int i = 0; i < a->signals; i++) {
        const struct space_signal *x = &a->signal[i], *y = &b->signal[i];
        if (strcmp(x->name, y->name) != 0 || strcmp(x->units, y->units) != 0 || strcmp(x->long_name, y->long_name) != 0 ||
            !same_values(x->value, y->value, a->cells))
            return false;
    }
    return memcmp(a->operation, b->operation, (size_t)(a->cells * a->nodes)) == 0 &&
           same_values(a->accuracy, b->accuracy, a->datasets * a->cells) &&
           same_values(a->validation_accuracy, b->validation_accuracy, a->datasets * a->cells) &&
           same_values(a->early_loss, b->early_loss, a->cells * a->code_length);
}

#endif
