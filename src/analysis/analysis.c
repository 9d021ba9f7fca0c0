#include "analysis_internal.h"

#include "association.h"
#include "group.h"
#include "memory.h"
#include "progress.h"
#include "status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is measured ---- */

static int add_series(struct analysis *a, enum analysis_kind kind, int index, const char *prefix, const char *name)
{
    a->series[a->series_count++] = (struct analysis_series){.kind = kind, .index = index};
    a->count[kind]++;
    if (name == NULL) return STATUS_OK;
    return memory_join(&a->series[a->series_count - 1].name, (const char *const[]){prefix, name}, 2, "");
}

static bool knows(const double *value, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isnan(value[i])) return true;
    return false;
}

/* Signals in the order of the file, validation accuracies, losses, mean losses. Validation accuracies have the index signals + dataset. */
static int list_series(struct analysis *a)
{
    const struct space *s = a->space;
    TRY(memory_alloc(&a->series, (size_t)s->signals + (size_t)s->datasets + 2 * (size_t)s->code_length, sizeof *a->series));
    for (int i = 0; i < s->signals; i++) TRY(add_series(a, ANALYSIS_SIGNAL, i, "", s->signal[i].name));
    for (int d = 0; d < s->datasets && s->validation_accuracy != NULL; d++)
        if (knows(s->validation_accuracy + d * s->cells, s->cells))
            TRY(add_series(a, ANALYSIS_SIGNAL, s->signals + d, "validation_accuracy:", s->dataset[d]));
    for (int e = 0; e < s->code_length; e++) TRY(add_series(a, ANALYSIS_LOSS, e, NULL, NULL));
    for (int e = 0; e < s->code_length; e++) TRY(add_series(a, ANALYSIS_MEAN_LOSS, e, NULL, NULL));
    return STATUS_OK;
}

/* value [cells] of a series. */
static void take_values(double *value, const struct space *s, const struct analysis_series *series)
{
    for (int64_t cell = 0; cell < s->cells; cell++) {
        if (series->kind == ANALYSIS_SIGNAL) {
            const double *from = series->index < s->signals ? s->signal[series->index].value
                                                            : s->validation_accuracy + (series->index - s->signals) * s->cells;
            value[cell] = from[cell];
            continue;
        }
        const double *loss = s->early_loss + cell * s->code_length;
        value[cell] = loss[series->index];
        if (series->kind != ANALYSIS_MEAN_LOSS) continue;
        for (int e = 0; e < series->index; e++) value[cell] += loss[e];
        value[cell] /= series->index + 1;
    }
}

/* ---- samples ---- */

/* A unit of work is a series, a data set and a sample of the cells; sample 0 are the cells as they are. Units of one pair stand in a row,
 * so that few ranks sort the same pair. */
struct sampling {
    struct analysis *a;
    struct association *association; /* of the pair at hand */
    double *series;                  /* [cells] */
    uint16_t *weight;                /* [cells] */
    double *value;                   /* [pairs][samples + 1][measures]; minus infinity: another rank's, or not defined */
};

static int prepare_pair(struct sampling *w, int64_t pair)
{
    struct analysis *a = w->a;
    const struct space *s = a->space;
    const int dataset = (int)(pair / a->series_count), series = (int)(pair % a->series_count);
    association_destroy(&w->association);
    take_values(w->series, s, &a->series[series]);
    return association_create(&w->association, w->series, s->accuracy + dataset * s->cells, s->cells, a->options.k, a->options.ks);
}

static int measure_units(struct sampling *w, int64_t first, int64_t last, struct progress *progress, int ranks)
{
    const struct analysis *a = w->a;
    const int64_t each = a->options.samples + 1;
    for (int64_t unit = first; unit < last; unit++) {
        const uint32_t sample = (uint32_t)(unit % each);
        double *value = w->value + (size_t)unit * (size_t)a->measures;
        if (unit == first || sample == 0) TRY(prepare_pair(w, unit / each));
        if (sample > 0) association_sample(w->weight, a->space->cells, a->options.seed, sample);
        association_measure(value, w->association, sample > 0 ? w->weight : NULL);
        for (int i = 0; i < a->measures; i++)
            if (isnan(value[i])) value[i] = -INFINITY;
        if (sample == 0) {
            struct analysis_worth *worth = &a->worth[unit / each];
            worth->known = association_known(w->association);
            worth->direction = association_direction(w->association);
        }
        if (progress != NULL) progress_show(progress, (unit - first + 1) * ranks);
    }
    return STATUS_OK;
}

/* To rank 0. Every number has one owner; the others hold the smallest there is. */
static void collect(struct sampling *w, int64_t pairs, const struct group *group)
{
    const int64_t count = pairs * (w->a->options.samples + 1) * w->a->measures, piece = 1 << 20;
    for (int64_t at = 0; at < count; at += piece) {
        const int now = (int)(count - at < piece ? count - at : piece);
        double *value = w->value + at;
        MPI_Reduce(group->rank == 0 ? MPI_IN_PLACE : value, value, now, MPI_DOUBLE, MPI_MAX, 0, group->comm);
    }
    for (int64_t pair = 0; pair < pairs; pair++) {
        int64_t number[2] = {w->a->worth[pair].known, w->a->worth[pair].direction};
        MPI_Reduce(group->rank == 0 ? MPI_IN_PLACE : number, number, 2, MPI_INT64_T, MPI_MAX, 0, group->comm);
        w->a->worth[pair].known = number[0];
        w->a->worth[pair].direction = (int)number[1];
    }
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Between the two nearest of the sorted values. */
static double quantile(const double *sorted, int64_t n, double share)
{
    const double place = share * (double)(n - 1);
    const int64_t below = (int64_t)place;
    if (n == 0) return NAN;
    return below + 1 < n ? sorted[below] + (place - (double)below) * (sorted[below + 1] - sorted[below]) : sorted[below];
}

/* `room` [samples]. */
static void find_intervals(const struct sampling *w, int64_t pair, double *room)
{
    const struct analysis *a = w->a;
    const struct analysis_worth *worth = &a->worth[pair];
    const double *value = w->value + (size_t)pair * (size_t)(a->options.samples + 1) * (size_t)a->measures;
    for (int i = 0; i < a->measures; i++) {
        int64_t n = 0;
        for (int sample = 1; sample <= a->options.samples; sample++) {
            const double v = value[(size_t)sample * (size_t)a->measures + (size_t)i];
            if (!isinf(v)) room[n++] = v;
        }
        if (n > 0) qsort(room, (size_t)n, sizeof *room, by_value);
        worth->value[i] = isinf(value[i]) ? NAN : value[i];
        worth->low[i] = quantile(room, n, 0.025);
        worth->high[i] = quantile(room, n, 0.975);
    }
}

static int make_worths(struct analysis *a, int64_t pairs)
{
    const size_t each = (size_t)a->measures;
    TRY(memory_alloc(&a->worth, (size_t)pairs, sizeof *a->worth));
    TRY(memory_alloc(&a->number, (size_t)pairs * 3 * each, sizeof *a->number));
    for (int64_t pair = 0; pair < pairs; pair++) {
        double *number = a->number + (size_t)pair * 3 * each;
        a->worth[pair] = (struct analysis_worth){-1, -1, number, number + each, number + 2 * each};
    }
    return STATUS_OK;
}

static int find_worths(struct analysis *a, const struct group *group)
{
    const int64_t pairs = (int64_t)a->space->datasets * a->series_count, units = pairs * (a->options.samples + 1);
    const size_t cells = (size_t)a->space->cells, numbers = (size_t)units * (size_t)a->measures;
    struct sampling w = {.a = a};
    struct progress progress;
    double *room = NULL;
    int64_t first, last;
    int status = make_worths(a, pairs);
    if (status == STATUS_OK) status = memory_alloc(&w.series, cells, sizeof *w.series);
    if (status == STATUS_OK) status = memory_alloc(&w.weight, cells, sizeof *w.weight);
    if (status == STATUS_OK) status = memory_alloc(&w.value, numbers, sizeof *w.value);
    if (status == STATUS_OK) status = memory_alloc(&room, (size_t)a->options.samples, sizeof *room);
    TRY_DONE(status_agree(group->comm, status));
    for (size_t i = 0; i < numbers; i++) w.value[i] = -INFINITY;
    group_share(group, units, &first, &last);
    progress_open(&progress, "samples", 0, units, NULL);
    status = measure_units(&w, first, last, group->rank == 0 ? &progress : NULL, group->size);
    if (group->rank == 0) progress_close(&progress);
    TRY_DONE(status_agree(group->comm, status));
    collect(&w, pairs, group);
    for (int64_t pair = 0; pair < pairs && group->rank == 0; pair++) find_intervals(&w, pair, room);
done:
    association_destroy(&w.association);
    free(w.series);
    free(w.weight);
    free(w.value);
    free(room);
    return status;
}

/* ---- the whole ---- */

static int start(struct analysis *a)
{
    const struct space *s = a->space;
    if (s->datasets == 0 || !knows(s->accuracy, s->datasets * s->cells))
        return status_fail(STATUS_INPUT, "%s: no accuracy is known of any cell, so there is nothing to compare signals with; "
                           "siamese-nas train or import makes a table", s->path);
    return list_series(a);
}

int analysis_run(struct analysis *out, const struct space *space, const struct analysis_options *options, MPI_Comm comm)
{
    struct group group;
    *out = (struct analysis){.space = space, .options = *options, .measures = ASSOCIATION_PRECISION + options->ks};
    TRY(status_agree(comm, start(out)));
    TRY(group_create(&group, comm, INT32_MAX));
    int status = find_worths(out, &group);
    if (status == STATUS_OK && group.rank == 0) {
        status = analysis_find_sharing(out);
        if (status == STATUS_OK) status = analysis_find_groups(out);
        if (status == STATUS_OK) status = analysis_find_classes(out);
    }
    status = status_agree(group.comm, status);
    group_destroy(&group);
    return status;
}

void analysis_destroy(struct analysis *a)
{
    for (int i = 0; i < a->series_count; i++) free(a->series[i].name);
    void *const owned[] = {a->series, a->worth, a->number, a->sharing, a->group, a->group_of, a->best, a->class_of, a->class_cells,
                           a->scatter};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) free(owned[i]);
    *a = (struct analysis){0};
}
