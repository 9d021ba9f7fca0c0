#include "association.h"

#include "memory.h"
#include "random.h"
#include "status.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Members of a sample in the order of x, then y: cells that it holds, each as often as its weight says. */
struct members {
    int64_t n, all;             /* cells, sum of weights */
    int32_t *group_x, *group_y; /* [n] */
    int32_t *weight;            /* [n] 1 and more */
};

/* Cells in the order of x, then y. Equal values of a series are a group; groups count from the smallest value. */
struct association {
    int64_t n;                  /* cells that are known */
    int direction, ks, *k;      /* k [ks] */
    int32_t groups_x, groups_y;
    int64_t *cell;              /* [n] index into the series */
    int32_t *group_x, *group_y; /* [n] */
    int64_t *by_y;              /* [n] places in descending order of y, ties by ascending cell */
    /* of the sample at hand */
    int32_t *weight;            /* [n] how often the cell is in it, or in its best tenth */
    struct members members;     /* room for n */
    int32_t *count_x, *count_y; /* [groups] members */
    double *rank_x, *rank_y;    /* [groups] mean rank, or share that is chosen */
    int32_t *tree;              /* [groups_y + 1] sums of weights over ranges of groups (Fenwick 1994) */
};

struct item {
    double x, y;
    int64_t cell;
};

static int compare(double a, double b)
{
    return (a > b) - (a < b);
}

static int by_x_then_y(const void *a, const void *b)
{
    const struct item *p = a, *q = b;
    const int c = compare(p->x, q->x), d = c != 0 ? c : compare(p->y, q->y);
    return d != 0 ? d : (p->cell > q->cell) - (p->cell < q->cell);
}

/* x holds the place in the order of by_x_then_y() by then. */
static int by_y_descending(const void *a, const void *b)
{
    const struct item *p = a, *q = b;
    const int c = compare(q->y, p->y);
    return c != 0 ? c : (p->cell > q->cell) - (p->cell < q->cell);
}

static int make_room(struct association *a, const struct item *item)
{
    const size_t n = (size_t)a->n;
    TRY(memory_alloc(&a->cell, n, sizeof *a->cell));
    TRY(memory_alloc(&a->group_x, n, sizeof *a->group_x));
    TRY(memory_alloc(&a->group_y, n, sizeof *a->group_y));
    TRY(memory_alloc(&a->by_y, n, sizeof *a->by_y));
    TRY(memory_alloc(&a->weight, n, sizeof *a->weight));
    TRY(memory_alloc(&a->members.group_x, n, sizeof *a->members.group_x));
    TRY(memory_alloc(&a->members.group_y, n, sizeof *a->members.group_y));
    TRY(memory_alloc(&a->members.weight, n, sizeof *a->members.weight));
    TRY(memory_alloc(&a->k, (size_t)a->ks, sizeof *a->k));
    for (int64_t i = 0; i < a->n; i++) a->groups_x += i == 0 || item[i].x != item[i - 1].x;
    a->groups_y = (int32_t)a->n; /* at the most */
    TRY(memory_alloc(&a->count_x, (size_t)a->groups_x, sizeof *a->count_x));
    TRY(memory_alloc(&a->rank_x, (size_t)a->groups_x, sizeof *a->rank_x));
    TRY(memory_alloc(&a->count_y, n, sizeof *a->count_y));
    TRY(memory_alloc(&a->rank_y, n, sizeof *a->rank_y));
    return memory_alloc(&a->tree, n + 1, sizeof *a->tree);
}

/* The items are sorted by x; they are left sorted by y. */
static void number_groups(struct association *a, struct item *item)
{
    int32_t group = -1;
    for (int64_t i = 0; i < a->n; i++) {
        group += i == 0 || item[i].x != item[i - 1].x;
        a->cell[i] = item[i].cell;
        a->group_x[i] = group;
    }
    for (int64_t i = 0; i < a->n; i++) item[i].x = (double)i;
    if (a->n > 0) qsort(item, (size_t)a->n, sizeof *item, by_y_descending);
    group = -1;
    for (int64_t i = a->n - 1; i >= 0; i--) {
        group += i == a->n - 1 || item[i].y != item[i + 1].y;
        a->by_y[i] = (int64_t)item[i].x;
        a->group_y[a->by_y[i]] = group;
    }
    a->groups_y = group + 1;
}

int association_create(struct association **out, const double *x, const double *y, int64_t n, const int *k, int ks)
{
    struct association *a;
    struct item *item = NULL;
    int status;
    *out = NULL;
    TRY(memory_alloc(&a, 1, sizeof *a));
    a->ks = ks;
    a->direction = 1;
    TRY_DONE(n > INT32_MAX - 1 ? status_fail(STATUS_INPUT, "too many cells for correlations: %lld", (long long)n) : STATUS_OK);
    TRY_DONE(memory_alloc(&item, (size_t)n, sizeof *item));
    for (int64_t i = 0; i < n; i++)
        if (!isnan(x[i]) && !isnan(y[i])) item[a->n++] = (struct item){x[i], y[i], i};
    if (a->n > 0) qsort(item, (size_t)a->n, sizeof *item, by_x_then_y);
    TRY_DONE(make_room(a, item));
    if (ks > 0) memcpy(a->k, k, (size_t)ks * sizeof *k);
    number_groups(a, item);
    double *value;
    TRY_DONE(memory_alloc(&value, ASSOCIATION_PRECISION + (size_t)ks, sizeof *value));
    association_measure(value, a, NULL);
    if (value[ASSOCIATION_RHO] < 0) a->direction = -1;
    free(value);
done:
    free(item);
    if (status == STATUS_OK) *out = a;
    else association_destroy(&a);
    return status;
}

void association_destroy(struct association **a)
{
    if (*a == NULL) return;
    struct association *b = *a;
    void *const owned[] = {b->k, b->cell, b->group_x, b->group_y, b->by_y, b->weight, b->members.group_x, b->members.group_y,
                           b->members.weight, b->count_x, b->count_y, b->rank_x, b->rank_y, b->tree};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) free(owned[i]);
    free(b);
    *a = NULL;
}

int64_t association_known(const struct association *a)
{
    return a->n;
}

int association_direction(const struct association *a)
{
    return a->direction;
}

/* ---- correlations ---- */

/* The members by a->weight, and how many each group has. */
static void gather(struct association *a)
{
    struct members *m = &a->members;
    m->n = m->all = 0;
    memset(a->count_x, 0, (size_t)a->groups_x * sizeof *a->count_x);
    memset(a->count_y, 0, (size_t)a->groups_y * sizeof *a->count_y);
    for (int64_t i = 0; i < a->n; i++) {
        m->group_x[m->n] = a->group_x[i];
        m->group_y[m->n] = a->group_y[i];
        m->weight[m->n] = a->weight[i];
        m->n += a->weight[i] != 0;
        m->all += a->weight[i];
        a->count_x[a->group_x[i]] += a->weight[i];
        a->count_y[a->group_y[i]] += a->weight[i];
    }
}

/* Distance of each group's mean rank from the mean of all ranks; returns their sum of squares over the members. */
static double centre_ranks(double *rank, const int32_t *count, int32_t groups, int64_t all)
{
    double squares = 0;
    int64_t before = 0;
    for (int32_t g = 0; g < groups; g++) {
        rank[g] = (double)before + 0.5 * (double)count[g] - 0.5 * (double)all;
        squares += (double)count[g] * rank[g] * rank[g];
        before += count[g];
    }
    return squares;
}

static double sum_products(const struct association *a)
{
    const struct members *m = &a->members;
    double sum = 0;
    for (int64_t i = 0; i < m->n; i++) sum += m->weight[i] * a->rank_x[m->group_x[i]] * a->rank_y[m->group_y[i]];
    return sum;
}

static double spearman(struct association *a)
{
    const double xx = centre_ranks(a->rank_x, a->count_x, a->groups_x, a->members.all);
    const double yy = centre_ranks(a->rank_y, a->count_y, a->groups_y, a->members.all);
    return xx > 0 && yy > 0 ? sum_products(a) / sqrt(xx * yy) : NAN;
}

static double pairs_of(int64_t n)
{
    return 0.5 * (double)n * (double)(n - 1);
}

static double pairs_within(const int32_t *count, int32_t groups)
{
    double pairs = 0;
    for (int32_t g = 0; g < groups; g++) pairs += pairs_of(count[g]);
    return pairs;
}

/* Pairs of which the one with the larger x has the smaller y: each cell with those before it, whose groups are in the tree. */
static double discordant_pairs(struct association *a)
{
    const struct members *m = &a->members;
    int64_t pairs = 0, before = 0; /* before: members in the tree */
    memset(a->tree, 0, ((size_t)a->groups_y + 1) * sizeof *a->tree);
    for (int64_t first = 0, last; first < m->n; first = last) {
        int64_t members = 0;
        for (last = first; last < m->n && m->group_x[last] == m->group_x[first]; last++) {
            int64_t not_larger = 0;
            for (int32_t g = m->group_y[last] + 1; g > 0; g &= g - 1) not_larger += a->tree[g];
            pairs += m->weight[last] * (before - not_larger);
            members += m->weight[last];
        }
        for (int64_t i = first; i < last; i++)
            for (int32_t g = m->group_y[i] + 1; g <= a->groups_y; g += g & -g) a->tree[g] += m->weight[i];
        before += members;
    }
    return (double)pairs;
}

static double pairs_alike(const struct members *m)
{
    double pairs = 0;
    int64_t run = 0;
    for (int64_t i = 0; i < m->n; i++) {
        const bool same = i > 0 && m->group_x[i] == m->group_x[i - 1] && m->group_y[i] == m->group_y[i - 1];
        if (!same) pairs += pairs_of(run);
        run = same ? run + m->weight[i] : m->weight[i];
    }
    return pairs + pairs_of(run);
}

/* Tau-b. */
static double kendall(struct association *a)
{
    const double pairs = pairs_of(a->members.all);
    const double ties_x = pairs_within(a->count_x, a->groups_x), ties_y = pairs_within(a->count_y, a->groups_y);
    const double scale = sqrt(pairs - ties_x) * sqrt(pairs - ties_y);
    if (!(scale > 0)) return NAN;
    return (pairs - ties_x - ties_y + pairs_alike(&a->members) - 2 * discordant_pairs(a)) / scale;
}

/* Leave of the sample's members those in its tenth with the largest y. */
static void keep_tenth(struct association *a)
{
    int64_t left = a->members.all / 10;
    for (int64_t i = 0; i < a->n; i++) {
        int32_t *weight = &a->weight[a->by_y[i]];
        if (*weight > left) *weight = (int32_t)left;
        left -= *weight;
    }
}

/* ---- precision ---- */

/* share[group] of the members that are among the k first, from the last group down or from the first up. */
static void choose(double *share, const int32_t *count, int32_t groups, int64_t k, bool from_last)
{
    for (int32_t i = 0; i < groups; i++) {
        const int32_t g = from_last ? groups - 1 - i : i;
        const int64_t taken = count[g] < k ? count[g] : k;
        share[g] = count[g] > 0 ? (double)taken / (double)count[g] : 0;
        k -= taken;
    }
}

static double precision(struct association *a, int64_t k)
{
    if (a->members.all < k) return NAN;
    choose(a->rank_x, a->count_x, a->groups_x, k, a->direction > 0);
    choose(a->rank_y, a->count_y, a->groups_y, k, true);
    return sum_products(a) / (double)k;
}

/* ---- all ---- */

void association_measure(double *value, struct association *a, const uint16_t *weight)
{
    for (int64_t i = 0; i < a->n; i++) a->weight[i] = weight == NULL ? 1 : weight[a->cell[i]];
    gather(a);
    for (int i = 0; i < a->ks; i++) value[ASSOCIATION_PRECISION + i] = precision(a, a->k[i]);
    value[ASSOCIATION_RHO] = spearman(a);
    value[ASSOCIATION_TAU] = kendall(a);
    keep_tenth(a);
    gather(a);
    value[ASSOCIATION_TAU_TOP] = kendall(a);
}

void association_sample(uint16_t *weight, int64_t n, uint64_t seed, uint32_t sample)
{
    struct random_stream s;
    random_open(&s, seed, sample, 0, RANDOM_BOOTSTRAP);
    memset(weight, 0, (size_t)n * sizeof *weight);
    for (int64_t i = 0; i < n; i++) {
        uint16_t *w = &weight[(uint64_t)random_bits(&s) * (uint64_t)n >> 32]; /* n is far below 2^32, so no cell is favoured by much */
        if (*w < UINT16_MAX) ++*w; /* never reached by lot */
    }
}
