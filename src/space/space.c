#include "space.h"

#include "memory.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

static void free_names(char **name, int count)
{
    if (name == NULL) return;
    for (int i = 0; i < count; i++) free(name[i]);
    free(name);
}

void space_signal_free(struct space_signal *signal)
{
    free(signal->name);
    free(signal->long_name);
    free(signal->units);
    free(signal->value);
    *signal = (struct space_signal){0};
}

void space_destroy(struct space *s)
{
    free_names(s->vocabulary, s->operations);
    free_names(s->dataset, s->datasets);
    if (s->signal != NULL)
        for (int i = 0; i < s->signals; i++) space_signal_free(&s->signal[i]);
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
