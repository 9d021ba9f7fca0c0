#include "report_internal.h"

#include "memory.h"
#include "status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- what is collected --------------------------------------------------------------------------------------- */

static bool same_method(const struct report_series *s, const char *predictor, const char *sampler)
{
    return strcmp(s->predictor, predictor) == 0 && strcmp(s->sampler, sampler) == 0;
}

static int grow(void *array, int64_t *room, int64_t count, size_t size)
{
    if (count < *room) return STATUS_OK;
    int64_t twice = *room < 8 ? 8 : 2 * *room;
    TRY(memory_grow(array, (size_t)count, (size_t)twice, size));
    *room = twice;
    return STATUS_OK;
}

int report_find_series(struct report_series **out, struct report *r, const char *dataset, const char *predictor,
                       const char *sampler, int n, double oracle)
{
    int dataset_rank = 0, method_rank = 0, datasets = 0, methods = 0;
    bool dataset_known = false, method_known = false;
    for (int i = 0; i < r->series_count; i++) {
        struct report_series *s = &r->series[i];
        bool this_dataset = strcmp(s->dataset, dataset) == 0, this_method = same_method(s, predictor, sampler);
        if (this_dataset && this_method && s->n == n) {
            *out = s;
            return STATUS_OK;
        }
        if (this_dataset) dataset_known = true, dataset_rank = s->dataset_rank;
        if (this_method) method_known = true, method_rank = s->method_rank;
        if (s->dataset_rank >= datasets) datasets = s->dataset_rank + 1;
        if (s->method_rank >= methods) methods = s->method_rank + 1;
    }
    TRY(grow(&r->series, &r->series_room, r->series_count, sizeof *r->series));
    *out = &r->series[r->series_count++];
    **out = (struct report_series){.n = n, .oracle = oracle, .dataset_rank = dataset_known ? dataset_rank : datasets,
                                   .method_rank = method_known ? method_rank : methods};
    TRY(memory_copy_text(&(*out)->dataset, dataset));
    TRY(memory_copy_text(&(*out)->predictor, predictor));
    return memory_copy_text(&(*out)->sampler, sampler);
}

int report_add_trial(struct report_trial **out, const struct report *r, struct report_series *s)
{
    TRY(grow(&s->trial, &s->room, s->trials, sizeof *s->trial));
    *out = &s->trial[s->trials];
    **out = (struct report_trial){0};
    TRY(memory_alloc(&(*out)->value, 3 * (size_t)r->ks, sizeof *(*out)->value));
    s->trials++;
    return STATUS_OK;
}

void report_destroy(struct report *r)
{
    for (int i = 0; i < r->series_count; i++) {
        struct report_series *s = &r->series[i];
        for (int64_t t = 0; t < s->trials; t++) free(s->trial[t].value);
        free(s->trial);
        free(s->dataset);
        free(s->predictor);
        free(s->sampler);
    }
    free(r->series);
    free(r->row);
    free(r->k);
    free(r->limit);
    free(r->facts);
    *r = (struct report){0};
}

/* -- statistics ---------------------------------------------------------------------------------------------- */

static int by_realization(const void *a, const void *b)
{
    const struct report_trial *x = a, *y = b;
    if (x->seed != y->seed) return x->seed < y->seed ? -1 : 1;
    if (x->realization != y->realization) return x->realization < y->realization ? -1 : 1;
    return x->file - y->file;
}

static int by_name(const void *a, const void *b)
{
    const struct report_series *x = a, *y = b;
    if (x->dataset_rank != y->dataset_rank) return x->dataset_rank - y->dataset_rank;
    if (x->method_rank != y->method_rank) return x->method_rank - y->method_rank;
    return x->n < y->n ? -1 : x->n > y->n;
}

/* Mean of the numbers among `trials` values, `stride` bytes apart. */
static double mean_of(const double *first, int64_t trials, size_t stride)
{
    double sum = 0;
    int64_t known = 0;
    for (int64_t t = 0; t < trials; t++) {
        double value = *(const double *)(const void *)((const char *)first + (size_t)t * stride);
        if (isnan(value)) continue;
        sum += value;
        known++;
    }
    return known == 0 ? NAN : sum / (double)known;
}

static struct report_row summarise(const struct report *r, const struct report_series *s, int k)
{
    struct report_row row = {.dataset = s->dataset, .predictor = s->predictor, .sampler = s->sampler, .n = s->n,
                             .k = r->limit == NULL ? r->k[k] : 0, .limit = r->limit == NULL ? NAN : r->limit[k], .trials = s->trials};
    const double trials = (double)s->trials;
    double square = 0;
    for (int64_t t = 0; t < s->trials; t++) {
        const double *value = s->trial[t].value;
        row.mean += value[k] / trials;
        row.found += value[k] >= s->oracle;
        row.trainings += value[r->ks + k] / trials;
        row.cost += value[2 * r->ks + k] / trials;
    }
    for (int64_t t = 0; t < s->trials; t++) square += pow(s->trial[t].value[k] - row.mean, 2);
    row.std = s->trials > 1 ? sqrt(square / (trials - 1)) : NAN;
    row.se = row.std / sqrt(trials);
    row.regret = s->oracle - row.mean;
    if (fabs(row.regret) < 1e-9) row.regret = 0; /* all found it: what is left is of the sum */
    row.found = isnan(s->oracle) ? NAN : row.found / trials;
    row.codes = mean_of(&s->trial[0].codes, s->trials, sizeof *s->trial);
    row.rho = mean_of(&s->trial[0].rho, s->trials, sizeof *s->trial);
    row.tau = mean_of(&s->trial[0].tau, s->trials, sizeof *s->trial);
    return row;
}

static int check_doubles(const struct report_series *s, const char *const *path)
{
    for (int64_t t = 1; t < s->trials; t++) {
        const struct report_trial *a = &s->trial[t - 1], *b = &s->trial[t];
        if (a->seed == b->seed && a->realization == b->realization)
            return status_fail(STATUS_INPUT, "%s: trial %d of %s, %s, N = %d is also in %s; trials that belong together need "
                               "different numbers (experiment.first_trial) or seeds", path[b->file], b->realization, s->dataset,
                               s->predictor, s->n, path[a->file]);
    }
    return STATUS_OK;
}

static int finish(struct report *r, const char *const *path)
{
    if (r->series_count > 0) qsort(r->series, (size_t)r->series_count, sizeof *r->series, by_name);
    TRY(memory_alloc(&r->row, (size_t)r->series_count * (size_t)r->ks, sizeof *r->row));
    for (int i = 0; i < r->series_count; i++) {
        struct report_series *s = &r->series[i];
        if (s->trials == 0) continue;
        qsort(s->trial, (size_t)s->trials, sizeof *s->trial, by_realization);
        TRY(check_doubles(s, path));
        for (int k = 0; k < r->ks; k++) r->row[r->rows++] = summarise(r, s, k);
    }
    return STATUS_OK;
}

static int read_files(struct report *out, const char *const *path, int paths)
{
    int status = STATUS_OK;
    for (int i = 0; i < paths && status == STATUS_OK; i++) status = report_read_file(out, path[i], i);
    if (status == STATUS_OK) status = finish(out, path);
    if (status != STATUS_OK) report_destroy(out);
    return status;
}

int report_read(struct report *out, const char *const *path, int paths, const int *k, int ks)
{
    *out = (struct report){0};
    if (k != NULL) {
        TRY(memory_alloc(&out->k, (size_t)ks, sizeof *k));
        memcpy(out->k, k, (size_t)ks * sizeof *k);
        out->ks = ks;
    }
    return read_files(out, path, paths);
}

int report_read_costs(struct report *out, const char *const *path, int paths, const double *limit, int limits)
{
    *out = (struct report){.ks = limits};
    TRY(memory_alloc(&out->limit, (size_t)limits, sizeof *limit));
    memcpy(out->limit, limit, (size_t)limits * sizeof *limit);
    return read_files(out, path, paths);
}
