#include "correlation.h"

#include "memory.h"
#include "status.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct pair {
    double x, y;
    int64_t index;
};

static int compare(double a, double b)
{
    return (a > b) - (a < b);
}

static int by_x_then_y(const void *a, const void *b)
{
    const struct pair *p = a, *q = b;
    int c = compare(p->x, q->x);
    return c != 0 ? c : compare(p->y, q->y);
}

static int descending(const void *a, const void *b)
{
    const struct pair *p = a, *q = b;
    int nans = isnan(p->x) - isnan(q->x);
    int c = nans != 0 ? nans : compare(q->x, p->x);
    return c != 0 ? c : (p->index > q->index) - (p->index < q->index);
}

static int make_pairs(struct pair **out, const double *x, const double *y, int64_t n)
{
    struct pair *p;
    TRY(memory_alloc(&p, (size_t)n, sizeof *p));
    for (int64_t i = 0; i < n; i++) p[i] = (struct pair){x[i], y == NULL ? 0 : y[i], i};
    *out = p;
    return STATUS_OK;
}

/* Sort y ascending by merging; returns the number of exchanges of neighbours that takes. Equal values count none. */
static int64_t merge_sort(double *y, double *scratch, int64_t n)
{
    if (n < 2) return 0;
    int64_t half = n / 2, exchanges = merge_sort(y, scratch, half) + merge_sort(y + half, scratch, n - half);
    int64_t i = 0, j = half, k = 0;
    while (i < half && j < n) {
        if (y[j] < y[i]) {
            exchanges += half - i;
            scratch[k++] = y[j++];
        } else {
            scratch[k++] = y[i++];
        }
    }
    memcpy(scratch + k, y + i, (size_t)(half - i) * sizeof *y);
    memcpy(y, scratch, (size_t)(k + half - i) * sizeof *y);
    return exchanges;
}

static double pairs_of(int64_t n)
{
    return 0.5 * (double)n * (double)(n - 1);
}

int correlation_kendall(double *tau, const double *x, const double *y, int64_t n)
{
    *tau = NAN;
    if (n < 2) return STATUS_OK;
    struct pair *p;
    double *sorted;
    TRY(make_pairs(&p, x, y, n));
    int status = memory_alloc(&sorted, 2 * (size_t)n, sizeof *sorted);
    if (status != STATUS_OK) {
        free(p);
        return status;
    }
    qsort(p, (size_t)n, sizeof *p, by_x_then_y);
    double ties_x = 0, ties_y = 0, ties_both = 0;
    for (int64_t i = 1, run_x = 1, run_both = 1; i <= n; i++) {
        bool same_x = i < n && p[i].x == p[i - 1].x, same_both = same_x && p[i].y == p[i - 1].y;
        if (!same_x) ties_x += pairs_of(run_x);
        if (!same_both) ties_both += pairs_of(run_both);
        run_x = same_x ? run_x + 1 : 1;
        run_both = same_both ? run_both + 1 : 1;
    }
    for (int64_t i = 0; i < n; i++) sorted[i] = p[i].y;
    double discordant = (double)merge_sort(sorted, sorted + n, n);
    for (int64_t i = 1, run = 1; i <= n; i++) {
        bool same = i < n && sorted[i] == sorted[i - 1];
        if (!same) ties_y += pairs_of(run);
        run = same ? run + 1 : 1;
    }
    double all = pairs_of(n), scale = sqrt(all - ties_x) * sqrt(all - ties_y);
    if (scale > 0) *tau = (all - ties_x - ties_y + ties_both - 2 * discordant) / scale;
    free(sorted);
    free(p);
    return STATUS_OK;
}

int correlation_order(int64_t *order, const double *x, int64_t n)
{
    struct pair *p;
    TRY(make_pairs(&p, x, NULL, n));
    qsort(p, (size_t)n, sizeof *p, descending);
    for (int64_t i = 0; i < n; i++) order[i] = p[i].index;
    free(p);
    return STATUS_OK;
}

/* rank[n]: 1 for the largest, ties at their mean. */
static int mean_ranks(double *rank, const double *x, int64_t n)
{
    int64_t *order;
    TRY(memory_alloc(&order, (size_t)n, sizeof *order));
    int status = correlation_order(order, x, n);
    for (int64_t i = 0; status == STATUS_OK && i < n;) {
        int64_t end = i + 1;
        while (end < n && x[order[end]] == x[order[i]]) end++;
        for (int64_t j = i; j < end; j++) rank[order[j]] = 0.5 * (double)(i + 1 + end);
        i = end;
    }
    free(order);
    return status;
}

int correlation_spearman(double *rho, const double *x, const double *y, int64_t n)
{
    *rho = NAN;
    if (n < 2) return STATUS_OK;
    double *rank;
    TRY(memory_alloc(&rank, 2 * (size_t)n, sizeof *rank));
    int status = mean_ranks(rank, x, n);
    if (status == STATUS_OK) status = mean_ranks(rank + n, y, n);
    if (status == STATUS_OK) {
        double mean = 0.5 * (double)(n + 1), xx = 0, yy = 0, xy = 0;
        for (int64_t i = 0; i < n; i++) {
            double a = rank[i] - mean, b = rank[n + i] - mean;
            xx += a * a;
            yy += b * b;
            xy += a * b;
        }
        if (xx > 0 && yy > 0) *rho = xy / sqrt(xx * yy);
    }
    free(rank);
    return status;
}
