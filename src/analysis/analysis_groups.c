#include "analysis_internal.h"

#include "memory.h"
#include "status.h"
#include "topology.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct item {
    double value;
    int64_t cell, class;
};

static int by_class_then_value(const void *a, const void *b)
{
    const struct item *p = a, *q = b;
    if (p->class != q->class) return p->class < q->class ? -1 : 1;
    if (p->value != q->value) return p->value < q->value ? -1 : 1;
    return (p->cell > q->cell) - (p->cell < q->cell);
}

/* ---- codes ---- */

/* Split classes by one more loss: cells of a class that differ in it, or of which it is not known, part. */
static void refine(struct item *item, int64_t *count, const struct space *s, int epoch)
{
    int64_t known = 0;
    for (int64_t i = 0; i < *count; i++) {
        item[i].value = s->early_loss[item[i].cell * s->code_length + epoch];
        if (!isnan(item[i].value)) item[known++] = item[i];
    }
    *count = known;
    if (known > 0) qsort(item, (size_t)known, sizeof *item, by_class_then_value);
    int64_t class = -1;
    struct item before = {0};
    for (int64_t i = 0; i < known; i++) {
        class += i == 0 || item[i].class != before.class || item[i].value != before.value;
        before = item[i];
        item[i].class = class;
    }
}

static struct analysis_sharing count_sharing(const struct item *item, int64_t count)
{
    struct analysis_sharing r = {.known = count};
    for (int64_t first = 0, last; first < count; first = last) {
        for (last = first; last < count && item[last].class == item[first].class; last++) continue;
        r.distinct++;
        if (last - first > 1) r.sharing += last - first;
        if (last - first > r.largest) r.largest = last - first;
    }
    return r;
}

int analysis_find_sharing(struct analysis *a)
{
    const struct space *s = a->space;
    int64_t count = s->cells;
    struct item *item;
    TRY(memory_alloc(&a->sharing, (size_t)s->code_length, sizeof *a->sharing));
    TRY(memory_alloc(&item, (size_t)count, sizeof *item));
    for (int64_t i = 0; i < count; i++) item[i].cell = i;
    for (int e = 0; e < s->code_length; e++) {
        refine(item, &count, s, e);
        a->sharing[e] = count_sharing(item, count);
    }
    free(item);
    return STATUS_OK;
}

/* ---- FLOPs ---- */

/* Number the groups of the sorted items; returns how many there are. */
static int64_t cut(struct item *item, int64_t count, double gap)
{
    const double range = item[count - 1].value - item[0].value;
    int64_t group = 0;
    for (int64_t i = 1; i < count; i++) {
        group += item[i].value - item[i - 1].value > range * gap / 100;
        item[i].class = group;
    }
    return group + 1;
}

static int describe_groups(struct analysis *a, const struct item *item, int64_t count)
{
    const struct space *s = a->space;
    TRY(memory_alloc(&a->group, (size_t)a->groups, sizeof *a->group));
    TRY(memory_alloc(&a->group_of, (size_t)s->cells, sizeof *a->group_of));
    TRY(memory_alloc(&a->best, (size_t)s->datasets * (size_t)a->groups, sizeof *a->best));
    for (int64_t i = 0; i < s->cells; i++) a->group_of[i] = -1;
    for (int64_t i = 0; i < count; i++) {
        struct analysis_group *g = &a->group[item[i].class];
        if (g->cells++ == 0) g->low = item[i].value;
        g->high = item[i].value;
        a->group_of[item[i].cell] = (int32_t)item[i].class;
    }
    return STATUS_OK;
}

/* Mean and best of each group; of equal ones the first cell. */
static void find_best(struct analysis *a, int dataset)
{
    const double *accuracy = a->space->accuracy + dataset * a->space->cells;
    struct analysis_best *best = a->best + (size_t)dataset * (size_t)a->groups;
    for (int g = 0; g < a->groups; g++) best[g] = (struct analysis_best){.cell = -1, .best = NAN};
    for (int64_t cell = 0; cell < a->space->cells; cell++) {
        if (a->group_of[cell] < 0 || isnan(accuracy[cell])) continue;
        struct analysis_best *b = &best[a->group_of[cell]];
        b->known++;
        b->mean += accuracy[cell];
        if (b->cell < 0 || accuracy[cell] > b->best) {
            b->best = accuracy[cell];
            b->cell = cell;
        }
    }
    for (int g = 0; g < a->groups; g++) best[g].mean = best[g].known > 0 ? best[g].mean / (double)best[g].known : NAN;
}

int analysis_find_groups(struct analysis *a)
{
    const struct space *s = a->space;
    const int flops = space_find_signal(s, "flops");
    struct item *item;
    int64_t count = 0;
    if (flops < 0) return STATUS_OK;
    TRY(memory_alloc(&item, (size_t)s->cells, sizeof *item));
    for (int64_t i = 0; i < s->cells; i++)
        if (!isnan(s->signal[flops].value[i])) item[count++] = (struct item){.value = s->signal[flops].value[i], .cell = i};
    int status = STATUS_OK;
    if (count > 0) {
        qsort(item, (size_t)count, sizeof *item, by_class_then_value);
        a->groups = (int)cut(item, count, a->options.gap);
        status = describe_groups(a, item, count);
        for (int d = 0; d < s->datasets && status == STATUS_OK; d++) find_best(a, d);
    }
    free(item);
    return status;
}

/* ---- networks ---- */

/* How far accuracies of cells that compute the same lie apart: what training by other random numbers does. `mean`, `count` [classes]. */
static struct analysis_scatter find_scatter(const struct analysis *a, const double *accuracy, double *mean, int64_t *count)
{
    struct analysis_scatter r = {0};
    int64_t classes = 0;
    double squares = 0;
    for (int64_t c = 0; c < a->classes; c++) mean[c] = 0, count[c] = 0;
    for (int64_t i = 0; i < a->space->cells; i++)
        if (!isnan(accuracy[i])) {
            mean[a->class_of[i]] += accuracy[i];
            count[a->class_of[i]]++;
        }
    for (int64_t c = 0; c < a->classes; c++) {
        if (count[c] > 0) mean[c] /= (double)count[c];
        if (count[c] > 1) r.cells += count[c], classes++;
    }
    for (int64_t i = 0; i < a->space->cells; i++)
        if (!isnan(accuracy[i]) && count[a->class_of[i]] > 1) squares += pow(accuracy[i] - mean[a->class_of[i]], 2);
    r.std = r.cells > classes ? sqrt(squares / (double)(r.cells - classes)) : NAN;
    return r;
}

static int describe_classes(struct analysis *a)
{
    const struct space *s = a->space;
    double *mean;
    int64_t *count;
    TRY(memory_alloc(&a->class_cells, (size_t)a->classes, sizeof *a->class_cells));
    TRY(memory_alloc(&a->scatter, (size_t)s->datasets, sizeof *a->scatter));
    for (int64_t i = 0; i < s->cells; i++) a->class_cells[a->class_of[i]]++;
    TRY(memory_alloc(&mean, (size_t)a->classes, sizeof *mean));
    int status = memory_alloc(&count, (size_t)a->classes, sizeof *count);
    for (int d = 0; d < s->datasets && status == STATUS_OK; d++)
        a->scatter[d] = find_scatter(a, s->accuracy + d * s->cells, mean, count);
    free(mean);
    free(count);
    return status;
}

int analysis_find_classes(struct analysis *a)
{
    struct topology_words words;
    int64_t *first = NULL;
    TRY(memory_alloc(&a->class_of, (size_t)a->space->cells, sizeof *a->class_of));
    int status = topology_words(&words, a->space);
    if (status == STATUS_OK) status = topology_classes(a->class_of, &first, &a->classes, a->space, &words);
    free(first);
    if (status == STATUS_INPUT) { /* operations of the user's own: nobody knows what they compute */
        status_clear();
        a->classes = 0;
        return STATUS_OK;
    }
    TRY(status);
    return describe_classes(a);
}
