#include "csv.h"
#include "import.h"
#include "log.h"
#include "memory.h"
#include "nasbench201.h"
#include "nearest.h"
#include "status.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CODE_LENGTH_MAX = 4096, COLUMN_NAME_MAX = 256 };

/* A column of numbers and where they go: value[row * stride]. */
struct target {
    int column;
    bool percent;
    double *value;
    int64_t stride;
};

struct import {
    struct csv table;
    const struct columns *columns;
    struct space *space;
    struct nasbench201_kind kind;
    int id, arch;             /* columns, -1 = none */
    int code[CODE_LENGTH_MAX];
    struct target *target;
    int targets;
    bool *used;               /* [table.fields] */
};

/* ---- which column is what ---- */

static int find_column(int *column, struct import *m, const struct column_entry *e, const char *name)
{
    *column = csv_find(&m->table, name);
    if (*column >= 0) {
        m->used[*column] = true;
        return STATUS_OK;
    }
    const char *near = nearest_name(name, (const char *const *)m->table.header, m->table.fields);
    return status_fail(STATUS_INPUT, "%s: there is no column '%s' (%s: %s)%s%s%s; say which column is what with --columns "
                       "FILE or --column NAME=COLUMN", m->table.path, name, e->where, e->name,
                       near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int add_code(struct import *m, const struct column_entry *e, const char *name)
{
    if (m->space->code_length == CODE_LENGTH_MAX)
        return status_fail(STATUS_INPUT, "%s: early_loss has more than %d columns", e->where, CODE_LENGTH_MAX);
    return find_column(&m->code[m->space->code_length++], m, e, name);
}

/* "loss1..loss50": equal words, then numbers that count up. */
static int add_range(struct import *m, const struct column_entry *e, const char *first, const char *last)
{
    size_t word = strlen(first);
    while (word > 0 && isdigit((unsigned char)first[word - 1])) word--;
    const char *from = first + word, *to = last + word;
    if (strncmp(first, last, word) != 0 || from[0] == '\0' || to[0] == '\0' || to[strspn(to, "0123456789")] != '\0' ||
        strlen(from) > 6 || strlen(to) > 6 || atoi(from) > atoi(to))
        return status_fail(STATUS_INPUT, "%s: '%s..%s' is no range of columns; write loss1..loss50 or a list loss1, loss2",
                           e->where, first, last);
    for (int i = atoi(from); i <= atoi(to); i++) {
        char name[COLUMN_NAME_MAX + 16];
        snprintf(name, sizeof name, "%.*s%d", (int)word, first, i);
        TRY(add_code(m, e, name));
    }
    return STATUS_OK;
}

static int add_codes(struct import *m, const struct column_entry *e)
{
    for (const char *at = e->column;;) {
        char item[COLUMN_NAME_MAX];
        while (isspace((unsigned char)*at)) at++;
        size_t whole = strcspn(at, ","), length = whole;
        while (length > 0 && isspace((unsigned char)at[length - 1])) length--;
        if (length == 0 || length >= sizeof item)
            return status_fail(STATUS_INPUT, "%s: early_loss = %s: a name is missing or too long", e->where, e->column);
        snprintf(item, sizeof item, "%.*s", (int)length, at);
        char *dots = strstr(item, "..");
        if (dots != NULL) {
            *dots = '\0';
            TRY(add_range(m, e, item, dots + 2));
        } else {
            TRY(add_code(m, e, item));
        }
        if (at[whole] == '\0') return STATUS_OK;
        at += whole + 1;
    }
}

static const char *data_set(const struct column_entry *e, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(e->name, prefix, length) == 0 ? e->name + length : NULL;
}

static bool is_signal(const struct column_entry *e)
{
    return strcmp(e->name, "id") != 0 && strcmp(e->name, "arch") != 0 && strcmp(e->name, "early_loss") != 0 &&
           data_set(e, "accuracy.") == NULL && data_set(e, "validation_accuracy.") == NULL;
}

static int find_cells(struct import *m)
{
    struct space *s = m->space;
    const struct columns *c = m->columns;
    TRY(memory_alloc(&m->used, (size_t)m->table.fields, sizeof *m->used));
    TRY(memory_alloc(&s->dataset, (size_t)c->entries, sizeof *s->dataset));
    TRY(memory_alloc(&s->signal, (size_t)c->entries, sizeof *s->signal));
    m->id = m->arch = -1;
    for (int i = 0; i < c->entries; i++) {
        const struct column_entry *e = &c->entry[i];
        const char *name = data_set(e, "accuracy.");
        if (strcmp(e->name, "id") == 0) TRY(find_column(&m->id, m, e, e->column));
        if (strcmp(e->name, "arch") == 0) TRY(find_column(&m->arch, m, e, e->column));
        if (strcmp(e->name, "early_loss") == 0) TRY(add_codes(m, e));
        if (name != NULL) TRY(memory_copy_text(&s->dataset[s->datasets++], name));
    }
    if (m->arch >= 0 && s->datasets > 0) return STATUS_OK;
    return status_fail(STATUS_INPUT, "%s: the mapping of columns has no %s; add it with --column NAME=COLUMN", m->table.path,
                       m->arch < 0 ? "arch" : "accuracy.DATASET");
}

/* ---- room for the values ---- */

static int unknown_values(double **out, size_t count)
{
    TRY(memory_alloc(out, count, sizeof **out));
    for (size_t i = 0; i < count; i++) (*out)[i] = NAN;
    return STATUS_OK;
}

static int add_target(struct import *m, const struct column_entry *e, double *value, bool percent)
{
    struct target *t = &m->target[m->targets++];
    *t = (struct target){.percent = percent, .value = value, .stride = 1};
    return find_column(&t->column, m, e, e->column);
}

static int add_signal(struct import *m, const struct column_entry *e)
{
    struct space_signal *g = &m->space->signal[m->space->signals++];
    TRY(memory_copy_text(&g->name, e->name));
    TRY(memory_copy_text(&g->units, e->units));
    TRY(memory_copy_text(&g->long_name, e->long_name));
    TRY(unknown_values(&g->value, (size_t)m->space->cells));
    return add_target(m, e, g->value, false);
}

static int add_validation(struct import *m, const struct column_entry *e, const char *name)
{
    struct space *s = m->space;
    int d = space_find_dataset(s, name);
    if (d < 0)
        return status_fail(STATUS_INPUT, "%s: validation_accuracy.%s needs accuracy.%s beside it", e->where, name, name);
    if (s->validation_accuracy == NULL)
        TRY(unknown_values(&s->validation_accuracy, (size_t)s->datasets * (size_t)s->cells));
    return add_target(m, e, s->validation_accuracy + d * s->cells, true);
}

static int make_room(struct import *m)
{
    struct space *s = m->space;
    size_t cells = (size_t)s->cells;
    TRY(memory_alloc(&m->target, (size_t)(m->columns->entries + s->code_length), sizeof *m->target));
    TRY(memory_alloc(&s->operation, cells, (size_t)s->nodes));
    TRY(memory_alloc(&s->id, cells, sizeof *s->id));
    s->arch_length = m->kind.cell_nodes == 4 ? NASBENCH201_ARCH_MAX : NASBENCH201_KIND_ARCH_MAX;
    TRY(memory_alloc(&s->arch, cells, (size_t)s->arch_length));
    TRY(unknown_values(&s->accuracy, (size_t)s->datasets * cells));
    int d = 0;
    for (int i = 0; i < m->columns->entries; i++) {
        const struct column_entry *e = &m->columns->entry[i];
        const char *validation = data_set(e, "validation_accuracy.");
        if (data_set(e, "accuracy.") != NULL) TRY(add_target(m, e, s->accuracy + s->cells * d++, true));
        if (validation != NULL) TRY(add_validation(m, e, validation));
        if (is_signal(e)) TRY(add_signal(m, e));
    }
    if (s->code_length == 0) return STATUS_OK;
    TRY(unknown_values(&s->early_loss, cells * (size_t)s->code_length));
    for (int i = 0; i < s->code_length; i++)
        m->target[m->targets++] =
            (struct target){.column = m->code[i], .value = s->early_loss + i, .stride = s->code_length};
    return STATUS_OK;
}

/* The first line tells how many nodes the cells of the table have: an arch string has a group of edges for each but one. */
static void find_kind(struct import *m)
{
    int nodes = 2;
    for (const char *at = m->table.field[m->arch]; (at = strstr(at, "|+|")) != NULL; at++) nodes++;
    nasbench201_kind(&m->kind, nodes < NASBENCH201_CELL_MIN || nodes > NASBENCH201_CELL_MAX ? 4 : nodes);
}

static int make_vocabulary(struct space *s, const struct nasbench201_kind *kind)
{
    s->nodes = kind->nodes;
    TRY(memory_alloc(&s->vocabulary, (size_t)kind->operations, sizeof *s->vocabulary));
    for (int i = 0; i < kind->operations; i++) {
        TRY(memory_copy_text(&s->vocabulary[i], nasbench201_vocabulary[i]));
        s->operations++;
    }
    TRY(memory_alloc(&s->graph, 1, sizeof *s->graph));
    s->graphs = 1;
    nasbench201_kind_graph(s->graph, kind);
    return STATUS_OK;
}

/* ---- lines ---- */

static int read_row(struct import *m, int64_t row)
{
    struct csv *t = &m->table;
    struct space *s = m->space;
    char where[1400];
    snprintf(where, sizeof where, "%.1000s:%lld: column %.300s", t->path, (long long)t->number, t->header[m->arch]);
    const char *arch = t->field[m->arch];
    TRY(nasbench201_kind_parse(s->operation + row * s->nodes, &m->kind, arch, where));
    memcpy(s->arch + row * s->arch_length, arch, strlen(arch)); /* what was parsed is shorter */
    s->id[row] = row;
    if (m->id >= 0) TRY(csv_integer(&s->id[row], t, m->id));
    for (int i = 0; i < m->targets; i++) {
        const struct target *to = &m->target[i];
        double *value = &to->value[row * to->stride];
        TRY(csv_number(value, t, to->column));
        if (to->percent && (*value < 0 || *value > 100))
            return status_fail(STATUS_INPUT, "%s:%lld: column %s: %s is no percentage, 0 to 100", t->path,
                               (long long)t->number, t->header[to->column], t->field[to->column]);
    }
    return STATUS_OK;
}

static void report_unused(const struct import *m)
{
    char list[400] = "";
    size_t used = 0;
    for (int i = 0; i < m->table.fields && used < sizeof list; i++)
        if (!m->used[i])
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used == 0 ? "" : ", ", m->table.header[i]);
    if (used > 0) log_info("columns not taken: %s%s", list, used < sizeof list ? "" : " ...");
}

static int read_table(struct import *m)
{
    struct space *s = m->space;
    TRY(memory_copy_text(&s->path, m->table.path));
    TRY(memory_copy_text(&s->title, m->columns->title == NULL ? "" : m->columns->title));
    TRY(find_cells(m));
    TRY(csv_count(&m->table, &s->cells));
    if (s->cells == 0) return status_fail(STATUS_INPUT, "%s: there is no line after the header", s->path);
    bool more = true;
    for (int64_t row = 0; row < s->cells; row++) {
        TRY(csv_next(&m->table, &more));
        if (more && row == 0) {
            find_kind(m);
            TRY(make_vocabulary(s, &m->kind));
            TRY(make_room(m));
        }
        if (!more) return status_fail(STATUS_INPUT, "%s: the file became shorter while it was read", s->path);
        TRY(read_row(m, row));
    }
    TRY(space_check_ids(s));
    report_unused(m);
    s->checksum = space_checksum(s);
    return STATUS_OK;
}

int import_csv(struct space *out, const char *path, const struct columns *columns)
{
    struct import *m;
    *out = (struct space){0};
    TRY(memory_alloc(&m, 1, sizeof *m));
    m->space = out;
    m->columns = columns;
    int status = csv_open(&m->table, path);
    if (status == STATUS_OK) status = read_table(m);
    csv_close(&m->table);
    free(m->target);
    free(m->used);
    free(m);
    if (status != STATUS_OK) space_destroy(out);
    return status;
}
