#include "space.h"

#include "memory.h"
#include "status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void free_names(char **name, int count)
{
    if (name == NULL) return;
    for (int i = 0; i < count; i++) free(name[i]);
    free(name);
}

static void free_signal(struct space_signal *signal)
{
    free(signal->name);
    free(signal->long_name);
    free(signal->units);
    free(signal->value);
}

void space_destroy(struct space *s)
{
    free_names(s->vocabulary, s->operations);
    free_names(s->dataset, s->datasets);
    if (s->signal != NULL)
        for (int i = 0; i < s->signals; i++) free_signal(&s->signal[i]);
    free(s->signal);
    free(s->path);
    free(s->title);
    free(s->operation);
    free(s->rule);
    free(s->graph);
    free(s->graph_of);
    free(s->id);
    free(s->arch);
    free(s->accuracy);
    free(s->validation_accuracy);
    free(s->early_loss);
    *s = (struct space){0};
}

static int find_name(char *const *known, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(known[i], name) == 0) return i;
    return -1;
}

int space_find_dataset(const struct space *s, const char *name)
{
    return find_name(s->dataset, s->datasets, name);
}

int space_find_operation(const struct space *s, const char *name)
{
    return find_name(s->vocabulary, s->operations, name);
}

int space_find_signal(const struct space *s, const char *name)
{
    for (int i = 0; i < s->signals; i++)
        if (strcmp(s->signal[i].name, name) == 0) return i;
    return -1;
}

bool space_is_dataset_name(const char *name)
{
    if (name[0] == '\0') return false;
    for (const char *c = name; *c != '\0'; c++)
        if ((unsigned char)*c <= ' ' || *c == ',' || *c == ':') return false;
    return true;
}

void space_allowed(bool *allowed, const struct space *s)
{
    memset(allowed, false, (size_t)(s->nodes * s->operations) * sizeof *allowed);
    if (s->operation == NULL) {
        s->allow(allowed, s->rule);
        return;
    }
    for (int64_t cell = 0; cell < s->cells; cell++)
        for (int v = 0; v < s->nodes; v++) allowed[v * s->operations + s->operation[cell * s->nodes + v]] = true;
}

size_t space_memory(const struct space *s)
{
    size_t cells = (size_t)s->cells, value = sizeof(double);
    size_t cell = (size_t)s->nodes + sizeof *s->id;
    if (s->graph_of != NULL) cell += sizeof *s->graph_of;
    if (s->arch != NULL) cell += (size_t)s->arch_length;
    if (s->accuracy != NULL) cell += (size_t)s->datasets * value;
    if (s->validation_accuracy != NULL) cell += (size_t)s->datasets * value;
    cell += ((size_t)s->code_length + (size_t)s->signals) * value;
    return cells * cell + (size_t)s->graphs * sizeof *s->graph;
}

static int by_id(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

int space_check_ids(const struct space *s)
{
    int64_t *sorted;
    TRY(memory_alloc(&sorted, (size_t)s->cells, sizeof *sorted));
    memcpy(sorted, s->id, (size_t)s->cells * sizeof *sorted);
    qsort(sorted, (size_t)s->cells, sizeof *sorted, by_id);
    int status = STATUS_OK;
    for (int64_t i = 1; i < s->cells && status == STATUS_OK; i++)
        if (sorted[i] == sorted[i - 1])
            status = status_fail(STATUS_INPUT, "%s: two cells have the id %lld; each cell needs its own", s->path,
                                 (long long)sorted[i]);
    free(sorted);
    return status;
}

/* ---- checksum: FNV-1a, 64 bit, over the contents in the order of struct space, signals in the order of their names ---- */

static void add_bytes(uint64_t *h, const void *data, size_t count)
{
    const unsigned char *byte = data;
    for (size_t i = 0; i < count; i++) *h = (*h ^ byte[i]) * UINT64_C(0x100000001b3);
}

static void add_number(uint64_t *h, uint64_t number)
{
    unsigned char byte[8]; /* least significant first, on any machine */
    for (int i = 0; i < 8; i++) byte[i] = (unsigned char)(number >> 8 * i);
    add_bytes(h, byte, sizeof byte);
}

static void add_text(uint64_t *h, const char *text, size_t longest)
{
    size_t length = text == NULL ? 0 : strnlen(text, longest);
    add_number(h, length);
    add_bytes(h, text == NULL ? "" : text, length);
}

static void add_values(uint64_t *h, const double *value, int64_t count)
{
    add_number(h, value != NULL);
    if (value == NULL) return;
    for (int64_t i = 0; i < count; i++) {
        uint64_t bits = UINT64_C(0x7ff8000000000000); /* one pattern for every kind of "not known" */
        double v = value[i] == 0 ? 0 : value[i];      /* and one zero */
        if (!isnan(v)) memcpy(&bits, &v, sizeof bits);
        add_number(h, bits);
    }
}

static const struct space_signal *next_by_name(const struct space *s, const struct space_signal *last)
{
    const struct space_signal *next = NULL;
    for (int i = 0; i < s->signals; i++) {
        const struct space_signal *candidate = &s->signal[i];
        if (last != NULL && strcmp(candidate->name, last->name) <= 0) continue;
        if (next == NULL || strcmp(candidate->name, next->name) < 0) next = candidate;
    }
    return next;
}

uint64_t space_checksum(const struct space *s)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    add_number(&h, (uint64_t)s->cells);
    add_number(&h, (uint64_t)s->nodes);
    add_number(&h, (uint64_t)s->operations);
    for (int i = 0; i < s->operations; i++) add_text(&h, s->vocabulary[i], SIZE_MAX);
    for (int64_t cell = 0; cell < s->cells; cell++) {
        add_number(&h, (uint64_t)s->id[cell]);
        add_bytes(&h, s->operation + cell * s->nodes, (size_t)s->nodes);
        for (int i = 0; i < s->nodes; i++) add_number(&h, space_graph(s, cell)->successors[i]);
        if (s->arch != NULL) add_text(&h, s->arch + cell * s->arch_length, (size_t)s->arch_length);
    }
    add_number(&h, (uint64_t)s->datasets);
    for (int i = 0; i < s->datasets; i++) add_text(&h, s->dataset[i], SIZE_MAX);
    add_values(&h, s->accuracy, s->datasets * s->cells);
    add_values(&h, s->validation_accuracy, s->datasets * s->cells);
    add_number(&h, (uint64_t)s->code_length);
    add_values(&h, s->early_loss, s->cells * s->code_length);
    add_number(&h, (uint64_t)s->signals);
    for (const struct space_signal *g = next_by_name(s, NULL); g != NULL; g = next_by_name(s, g)) {
        add_text(&h, g->name, SIZE_MAX);
        add_text(&h, g->long_name, SIZE_MAX);
        add_text(&h, g->units, SIZE_MAX);
        add_values(&h, g->value, s->cells);
    }
    return h;
}
