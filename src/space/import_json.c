#include "graph.h"
#include "import.h"
#include "json_cells.h"
#include "memory.h"
#include "nanobench.h"
#include "nasbench201.h"
#include "status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>


static int by_id(const void *a, const void *b)
{
    const struct json_cell *x = a, *y = b;
    if (x->id != y->id) return x->id < y->id ? -1 : 1;
    return strcmp(x->where, y->where);
}

static int sort_cells(struct json_cells *c)
{
    qsort(c->cell, (size_t)c->cells, sizeof *c->cell, by_id);
    for (int64_t i = 1; i < c->cells; i++)
        if (c->cell[i].id == c->cell[i - 1].id)
            return status_fail(STATUS_INPUT, "%s: field id is %lld, as in %s; each cell needs its own", c->cell[i].where,
                               (long long)c->cell[i].id, c->cell[i - 1].where);
    return STATUS_OK;
}

static int find_nodes(struct space *s, const struct json_cells *c, int wanted)
{
    s->nodes = wanted;
    for (int64_t i = 0; i < c->cells; i++) {
        if (wanted > 0 && c->cell[i].nodes > wanted)
            return status_fail(STATUS_INPUT, "%s: field operations has %d nodes; %d are the most here", c->cell[i].where,
                               c->cell[i].nodes, wanted);
        if (c->cell[i].nodes > s->nodes) s->nodes = c->cell[i].nodes;
    }
    return STATUS_OK;
}

/* ---- vocabulary ---- */

static int add_word(struct space *s, const char *word)
{
    if (word[0] == '\0' || word[strcspn(word, " \t\n\r")] != '\0')
        return status_fail(STATUS_INPUT, "%s: vocabulary: '%s' is no name; names have no blanks", s->path, word);
    if (space_find_operation(s, word) >= 0)
        return status_fail(STATUS_INPUT, "%s: vocabulary: '%s' is there twice", s->path, word);
    if (s->operations == SPACE_OPERATIONS_MAX)
        return status_fail(STATUS_INPUT, "%s: vocabulary: more than %d names", s->path, SPACE_OPERATIONS_MAX);
    TRY(memory_copy_text(&s->vocabulary[s->operations], word));
    s->operations++;
    return STATUS_OK;
}

static int add_words(struct space *s, const char *list)
{
    char *copy;
    TRY(memory_copy_text(&copy, list));
    int status = STATUS_OK;
    for (char *word = copy, *comma; word != NULL && status == STATUS_OK; word = comma) {
        comma = strchr(word, ',');
        if (comma != NULL) *comma++ = '\0';
        status = add_word(s, word);
    }
    free(copy);
    return status;
}

/* Are most of the names those of a published space? Then a strange one is a mistake, which is reported when cells are encoded. */
static bool mostly_known(const struct json_cells *c, const char *const *known, int count)
{
    int found = 0;
    for (int i = 0; i < c->names; i++)
        for (int k = 0; k < count; k++) found += strcmp(c->name[i], known[k]) == 0;
    return 2 * found > c->names;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int find_vocabulary(struct space *s, const struct json_cells *c, const char *wanted)
{
    TRY(memory_alloc(&s->vocabulary, SPACE_OPERATIONS_MAX, sizeof *s->vocabulary));
    if (wanted != NULL) return add_words(s, wanted);
    if (c->vocabulary != NULL) return add_words(s, c->vocabulary);
    if (s->nodes == NASBENCH201_NODES && mostly_known(c, nasbench201_vocabulary, NASBENCH201_OPERATIONS)) {
        for (int i = 0; i < NASBENCH201_OPERATIONS; i++) TRY(add_word(s, nasbench201_vocabulary[i]));
        return STATUS_OK;
    }
    if (s->nodes == NANOBENCH_NODES && mostly_known(c, nanobench_vocabulary, NANOBENCH_OPERATIONS)) {
        for (int i = 0; i < NANOBENCH_OPERATIONS; i++) TRY(add_word(s, nanobench_vocabulary[i]));
        return STATUS_OK;
    }
    for (int i = 0; i < c->names; i++) TRY(add_word(s, c->name[i]));
    qsort(s->vocabulary, (size_t)s->operations, sizeof *s->vocabulary, by_text);
    return STATUS_OK;
}

/* ---- cells ---- */

static int fill_operations(struct space *s, const struct json_cells *c)
{
    int place[SPACE_OPERATIONS_MAX];
    for (int i = 0; i < c->names; i++) place[i] = space_find_operation(s, c->name[i]);
    int none = space_find_operation(s, "none");
    TRY(memory_alloc(&s->operation, (size_t)s->cells, (size_t)s->nodes));
    for (int64_t i = 0; i < s->cells; i++) {
        const struct json_cell *cell = &c->cell[i];
        if (cell->nodes < s->nodes && none < 0)
            return status_fail(STATUS_INPUT, "%s: field operations has %d nodes where others have %d, and the vocabulary "
                               "has no 'none' to pad with; give --vocabulary with none in it", cell->where, cell->nodes,
                               s->nodes);
        for (int v = 0; v < s->nodes; v++) {
            int operation = v < cell->nodes ? place[cell->operation[v]] : none;
            if (operation < 0)
                return status_fail(STATUS_INPUT, "%s: field operations[%d]: '%s' is not in the vocabulary", cell->where, v,
                                   c->name[cell->operation[v]]);
            s->operation[i * s->nodes + v] = (uint8_t)operation;
        }
    }
    return STATUS_OK;
}

static int fill_graphs(struct space *s, const struct json_cells *c)
{
    struct graph_set set = {0};
    uint32_t *graph_of = NULL;
    int status = memory_alloc(&graph_of, (size_t)s->cells, sizeof *graph_of);
    for (int64_t i = 0; i < s->cells && status == STATUS_OK; i++) {
        struct graph g = c->cell[i].graph;
        for (int v = c->cell[i].nodes; v < s->nodes; v++) g.successors[v] = g.predecessors[v] = UINT32_C(1) << v;
        status = graph_set_add(&set, &graph_of[i], &g);
    }
    if (status == STATUS_OK) graph_set_give(&set, s, graph_of);
    else free(graph_of);
    graph_set_destroy(&set);
    return status;
}

static int fill_code(struct space *s, const struct json_cells *c)
{
    const struct json_cell *first = NULL;
    for (int64_t i = 0; i < s->cells; i++) {
        const struct json_cell *cell = &c->cell[i];
        if (cell->code_length == 0) continue;
        if (first == NULL) first = cell;
        if (cell->code_length != first->code_length)
            return status_fail(STATUS_INPUT, "%s: field est_code has %d losses, but %s has %d", cell->where,
                               cell->code_length, first->where, first->code_length);
    }
    if (first == NULL) return STATUS_OK;
    TRY(memory_alloc(&s->early_loss, (size_t)s->cells, (size_t)first->code_length * sizeof *s->early_loss));
    s->code_length = first->code_length;
    for (int64_t i = 0; i < s->cells; i++)
        for (int e = 0; e < s->code_length; e++)
            s->early_loss[i * s->code_length + e] = c->cell[i].code_length == 0 ? NAN : c->cell[i].code[e];
    return STATUS_OK;
}

static int fill_values(struct space *s, const struct json_cells *c, const char *dataset)
{
    TRY(memory_alloc(&s->dataset, 1, sizeof *s->dataset));
    s->datasets = 1;
    TRY(memory_copy_text(&s->dataset[0], dataset));
    TRY(memory_alloc(&s->accuracy, (size_t)s->cells, sizeof *s->accuracy));
    TRY(memory_alloc(&s->id, (size_t)s->cells, sizeof *s->id));
    TRY(memory_alloc(&s->signal, 1, sizeof *s->signal));
    bool has_flops = false;
    for (int64_t i = 0; i < s->cells; i++) {
        s->id[i] = c->cell[i].id;
        s->accuracy[i] = c->cell[i].accuracy;
        has_flops |= !isnan(c->cell[i].flops);
    }
    TRY(fill_code(s, c));
    if (!has_flops) return STATUS_OK;
    s->signals = 1;
    struct space_signal *flops = &s->signal[0];
    TRY(memory_copy_text(&flops->name, "flops"));
    TRY(memory_copy_text(&flops->long_name, "multiply-adds per image, millions"));
    TRY(memory_copy_text(&flops->units, "1e6"));
    TRY(memory_alloc(&flops->value, (size_t)s->cells, sizeof *flops->value));
    for (int64_t i = 0; i < s->cells; i++) flops->value[i] = c->cell[i].flops;
    return STATUS_OK;
}

/* NAS-Bench-201 cells can be written as arch strings, which are easier to read; others stay without. */
static int fill_arch(struct space *s)
{
    struct graph standard;
    nasbench201_graph(&standard);
    if (s->nodes != NASBENCH201_NODES || s->operations != NASBENCH201_OPERATIONS || s->graph_of != NULL ||
        memcmp(&standard, s->graph, sizeof standard) != 0)
        return STATUS_OK;
    for (int i = 0; i < s->operations; i++)
        if (strcmp(s->vocabulary[i], nasbench201_vocabulary[i]) != 0) return STATUS_OK;
    TRY(memory_alloc(&s->arch, (size_t)s->cells, NASBENCH201_ARCH_MAX));
    s->arch_length = NASBENCH201_ARCH_MAX;
    for (int64_t i = 0; i < s->cells; i++) {
        if (nasbench201_format(s->arch + i * s->arch_length, s->operation + i * s->nodes)) continue;
        free(s->arch);
        s->arch = NULL;
        s->arch_length = 0;
        break;
    }
    return STATUS_OK;
}

static int build(struct space *s, struct json_cells *c, const char *path, const struct import_json_options *o)
{
    TRY(memory_copy_text(&s->path, path));
    TRY(memory_copy_text(&s->title, ""));
    TRY(json_cells_read(c, path));
    TRY(sort_cells(c));
    s->cells = c->cells;
    TRY(find_nodes(s, c, o->nodes));
    TRY(find_vocabulary(s, c, o->vocabulary));
    TRY(fill_operations(s, c));
    TRY(fill_graphs(s, c));
    TRY(fill_values(s, c, o->dataset == NULL ? "default" : o->dataset));
    TRY(fill_arch(s));
    s->checksum = space_checksum(s);
    return STATUS_OK;
}

int import_json_cells(struct space *out, const char *path, const struct import_json_options *o)
{
    struct json_cells cells = {0};
    *out = (struct space){0};
    int status = build(out, &cells, path, o == NULL ? &(struct import_json_options){0} : o);
    json_cells_destroy(&cells);
    if (status != STATUS_OK) space_destroy(out);
    return status;
}
