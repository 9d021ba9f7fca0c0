/* Predictions of data from all others: Dubrule, Cross validation of kriging in a unique neighborhood (1983). With
 *
 *     P = A^-1 - u u^T / w,  u = A^-1 1,  w = 1^T u,
 *
 * where the constant mean is estimated by generalised least squares with every prediction, the data C have the mean t_C -
 * P_CC^-1 (P t)_C and
 * the covariance P_CC^-1. P t is A^-1 (t - mean) with the mean of all data. */
#include "gp_internal.h"

#include "memory.h"
#include "status.h"

#include <math.h>
#include <stdlib.h>

enum { ENTRIES_AT_A_TIME = 1 << 20 };

struct leaving {
    struct gp *g;
    double *u, w;       /* [n] */
    double *block;      /* blocks of A^-1 of some groups */
    double *solution;   /* [outputs][GP_GROUP_MAX] */
    int *begin;         /* [n + 1] of these groups */
};

static double target_of(const struct gp *g, int output, int i)
{
    return g->target[(size_t)output * (size_t)g->n_max + (size_t)i];
}

/* One group, from its block of A^-1, which is used up. */
static void predict_group(double *mean, double *variance, struct leaving *l, double *p, int first, int size)
{
    const struct gp *g = l->g;
    const int n = g->n, outputs = g->shape.outputs;
    int info = size == n ? 1 : 0; /* P has no inverse */
    for (int j = 0; j < size; j++)
        for (int i = 0; i < size; i++) p[(size_t)j * (size_t)size + (size_t)i] -= l->u[first + i] * l->u[first + j] / l->w;
    if (info == 0) g->lib->dpotrf_("L", &size, p, &size, &info);
    for (int o = 0; o < outputs; o++)
        for (int i = 0; i < size; i++) l->solution[o * size + i] = g->alpha[(size_t)o * (size_t)g->n_max + (size_t)(first + i)];
    if (info == 0) g->lib->dpotrs_("L", &size, &outputs, p, &size, l->solution, &size, &info);
    for (int o = 0; o < outputs; o++)
        for (int i = 0; i < size; i++)
            mean[(size_t)o * (size_t)n + (size_t)(first + i)] = info == 0 ? target_of(g, o,
                                                                                      first + i) - l->solution[o * size + i] : NAN;
    if (info == 0) g->lib->dpotri_("L", &size, p, &size, &info);
    for (int i = 0; i < size; i++) variance[first + i] = info == 0 ? p[(size_t)i * (size_t)size + (size_t)i] : NAN;
}

/* Some groups at a time, as far as there is room for their blocks; those that are too large are left out. */
static int predict_groups(double *mean, double *variance, struct leaving *l, const int *begin, int groups)
{
    const struct gp *g = l->g;
    for (int next = 0; next < groups;) {
        size_t entries = 0;
        int now = 0;
        const int first = next;
        l->begin[0] = begin[first];
        for (; next < groups; next++) {
            const size_t size = (size_t)(begin[next + 1] - begin[next]);
            if (size > GP_GROUP_MAX || (now > 0 && entries + size * size > ENTRIES_AT_A_TIME)) break;
            entries += size * size;
            l->begin[++now] = begin[next + 1];
        }
        TRY(cholesky_inverse_blocks(l->block, g->cholesky, l->begin, now));
        double *block = l->block;
        for (int i = 0; i < now; i++) {
            const int size = l->begin[i + 1] - l->begin[i];
            predict_group(mean, variance, l, block, l->begin[i], size);
            block += (size_t)size * (size_t)size;
        }
        if (next == groups || begin[next + 1] - begin[next] <= GP_GROUP_MAX) continue;
        for (int i = begin[next]; i < begin[next + 1]; i++) {
            for (int o = 0; o < g->shape.outputs; o++) mean[(size_t)o * (size_t)g->n + (size_t)i] = NAN;
            variance[i] = NAN;
        }
        next++;
    }
    return STATUS_OK;
}

static int leave_out(const struct gp_left_out *out, struct leaving *l, const int *begin, int groups, const int *each)
{
    struct gp *g = l->g;
    for (int i = 0; i < g->n; i++) l->u[i] = 1;
    TRY(cholesky_solve(g->cholesky, l->u, 1));
    l->w = 0;
    for (int i = 0; i < g->n; i++) l->w += l->u[i];
    g->is_ready = false;
    TRY(cholesky_invert_factor(g->cholesky));
    TRY(predict_groups(out->mean, out->variance, l, each, g->n));
    return out->group_mean == NULL ? STATUS_OK : predict_groups(out->group_mean, out->group_variance, l, begin, groups);
}

static int allocate(struct leaving *l, int **each)
{
    const size_t n = (size_t)l->g->n, most = (size_t)GP_GROUP_MAX * GP_GROUP_MAX + ENTRIES_AT_A_TIME;
    TRY(memory_alloc(&l->u, n, sizeof *l->u));
    TRY(memory_alloc(&l->block, most < n * n ? most : n * n, sizeof *l->block));
    TRY(memory_alloc(&l->solution, (size_t)l->g->shape.outputs * GP_GROUP_MAX, sizeof *l->solution));
    TRY(memory_alloc(&l->begin, n + 1, sizeof *l->begin));
    TRY(memory_alloc(each, n + 1, sizeof **each));
    for (int i = 0; i <= l->g->n; i++) (*each)[i] = i;
    return STATUS_OK;
}

int gp_leave_out(const struct gp_left_out *out, struct gp *g, const int *begin, int groups, double *jitter)
{
    struct leaving l = {.g = g};
    int *each = NULL, status = status_agree(g->comm, allocate(&l, &each));
    if (status == STATUS_OK) status = gp_factor(g, jitter);
    if (status == STATUS_OK) status = leave_out(out, &l, begin, groups, each);
    free(l.u);
    free(l.block);
    free(l.solution);
    free(l.begin);
    free(each);
    return status;
}

double gp_signal(const struct gp *g, int output)
{
    return g->signal[output];
}
