#include "memory.h"
#include "nearest.h"
#include "space.h"
#include "status.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Move the kept rows of a [count][size] array to its front. */
static void keep_rows(void *array, const bool *keep, int64_t count, size_t size)
{
    if (array == NULL) return;
    char *to = array;
    const char *from = array;
    for (int64_t i = 0; i < count; i++, from += size) {
        if (!keep[i]) continue;
        if (to != from) memcpy(to, from, size);
        to += size;
    }
}

/* [datasets][cells] becomes [datasets][kept]: rows move forward only, so that it can be done in place. */
static void keep_columns(double *array, const bool *keep, int datasets, int64_t cells)
{
    if (array == NULL) return;
    double *to = array;
    for (int d = 0; d < datasets; d++)
        for (int64_t i = 0; i < cells; i++)
            if (keep[i]) *to++ = array[d * cells + i];
}

int space_keep(struct space *s, const bool *keep)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < s->cells; i++) kept += keep[i];
    if (kept == 0) return status_fail(STATUS_INPUT, "%s: none of its %lld cells is left", s->path, (long long)s->cells);
    keep_rows(s->operation, keep, s->cells, (size_t)s->nodes);
    keep_rows(s->graph_of, keep, s->cells, sizeof *s->graph_of);
    keep_rows(s->id, keep, s->cells, sizeof *s->id);
    keep_rows(s->arch, keep, s->cells, (size_t)s->arch_length);
    keep_columns(s->accuracy, keep, s->datasets, s->cells);
    keep_columns(s->validation_accuracy, keep, s->datasets, s->cells);
    keep_rows(s->early_loss, keep, s->cells, (size_t)s->code_length * sizeof *s->early_loss);
    for (int i = 0; i < s->signals; i++) keep_rows(s->signal[i].value, keep, s->cells, sizeof(double));
    s->cells = kept;
    s->checksum = space_checksum(s);
    return STATUS_OK;
}

enum comparison { LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, EQUAL, NOT_EQUAL, COMPARISONS };

/* Where the values of a filter's variable lie: value[cell * stride], or the ids. */
struct column {
    const double *value;
    const int64_t *id;
    int64_t stride;
};

struct filter {
    char name[128];
    enum comparison comparison;
    double number;
};

static int parse(struct filter *f, const char *expression)
{
    static const char *const symbol[COMPARISONS] = {"<", "<=", ">", ">=", "==", "!="};
    const char *from = expression;
    while (isspace((unsigned char)*from)) from++;
    size_t length = strcspn(from, "<>=!");
    const char *rest = from + length;
    while (length > 0 && isspace((unsigned char)from[length - 1])) length--;
    size_t symbols = strspn(rest, "<>=!");
    int which = 0;
    while (which < COMPARISONS && (strlen(symbol[which]) != symbols || strncmp(rest, symbol[which], symbols) != 0)) which++;
    if (length == 0 || length >= sizeof f->name || which == COMPARISONS) goto malformed;
    snprintf(f->name, sizeof f->name, "%.*s", (int)length, from);
    f->comparison = (enum comparison)which;
    char *end;
    f->number = strtod(rest + symbols, &end);
    if (end == rest + symbols || isnan(f->number)) goto malformed;
    while (isspace((unsigned char)*end)) end++;
    if (*end == '\0') return STATUS_OK;
malformed:
    return status_fail(STATUS_INPUT, "filter '%s': write VARIABLE OP NUMBER with OP one of < <= > >= == !=, e.g. 'flops<35'",
                       expression);
}

static int unknown_variable(const struct space *s, const char *expression, const char *name)
{
    const char **known;
    TRY(memory_alloc(&known, (size_t)s->signals + 4, sizeof *known));
    int count = 0;
    for (int i = 0; i < s->signals; i++) known[count++] = s->signal[i].name;
    known[count++] = "id";
    known[count++] = "accuracy:DATASET";
    known[count++] = "early_loss:EPOCH";
    const char *nearest = nearest_name(name, known, count);
    int status = status_fail(STATUS_INPUT, "filter '%s': %s has no variable '%s'%s%s%s; there are id, accuracy:DATASET, "
                             "early_loss:EPOCH and the per-cell signals that `siamese-nas info` lists", expression, s->path,
                             name, nearest ? " (did you mean '" : "", nearest ? nearest : "", nearest ? "'?)" : "");
    free(known);
    return status;
}

static int find_accuracy(struct column *c, const struct space *s, const double *values, const char *dataset,
                         const char *expression)
{
    int d = dataset == NULL && s->datasets == 1 ? 0 : space_find_dataset(s, dataset == NULL ? "" : dataset);
    if (d < 0 || values == NULL)
        return status_fail(STATUS_INPUT, "filter '%s': %s has no such accuracy; write accuracy:DATASET with a data set that "
                           "`siamese-nas info` lists", expression, s->path);
    *c = (struct column){.value = values + d * s->cells, .stride = 1};
    return STATUS_OK;
}

static int find_column(struct column *c, const struct space *s, struct filter *f, const char *expression)
{
    int signal = space_find_signal(s, f->name);
    if (signal >= 0) {
        *c = (struct column){.value = s->signal[signal].value, .stride = 1};
        return STATUS_OK;
    }
    char *colon = strchr(f->name, ':'), *part = colon == NULL ? NULL : colon + 1;
    if (colon != NULL) *colon = '\0';
    if (part == NULL && strcmp(f->name, "id") == 0) {
        *c = (struct column){.id = s->id};
        return STATUS_OK;
    }
    if (strcmp(f->name, "accuracy") == 0) return find_accuracy(c, s, s->accuracy, part, expression);
    if (strcmp(f->name, "validation_accuracy") == 0) return find_accuracy(c, s, s->validation_accuracy, part, expression);
    if (strcmp(f->name, "early_loss") == 0) {
        char *end;
        long epoch = part == NULL ? 0 : strtol(part, &end, 10);
        if (part == NULL || end == part || *end != '\0' || epoch < 1 || epoch > s->code_length)
            return status_fail(STATUS_INPUT, "filter '%s': write early_loss:EPOCH with an epoch from 1 to %d, which is how "
                               "many %s has", expression, s->code_length, s->path);
        *c = (struct column){.value = s->early_loss + epoch - 1, .stride = s->code_length};
        return STATUS_OK;
    }
    if (colon != NULL) *colon = ':';
    return unknown_variable(s, expression, f->name);
}

static bool satisfies(double value, enum comparison comparison, double number)
{
    switch (comparison) {
    case LESS: return value < number;
    case LESS_EQUAL: return value <= number;
    case GREATER: return value > number;
    case GREATER_EQUAL: return value >= number;
    case EQUAL: return value == number;
    case NOT_EQUAL: return !isnan(value) && value != number;
    case COMPARISONS: break;
    }
    return false;
}

int space_filter(struct space *s, const char *expression)
{
    struct filter f;
    struct column c = {0};
    TRY(parse(&f, expression));
    TRY(find_column(&c, s, &f, expression));
    bool *keep;
    TRY(memory_alloc(&keep, (size_t)s->cells, sizeof *keep));
    int64_t kept = 0;
    for (int64_t i = 0; i < s->cells; i++) {
        double value = c.id != NULL ? (double)c.id[i] : c.value[i * c.stride];
        keep[i] = satisfies(value, f.comparison, f.number);
        kept += keep[i];
    }
    int status = kept > 0 ? space_keep(s, keep)
                          : status_fail(STATUS_INPUT, "filter '%s': no cell of %s satisfies it", expression, s->path);
    free(keep);
    return status;
}
