/* The hyper-parameters: marginal likelihood times prior, its gradient, and the way to its maximum. Coordinates are logarithms of the
 * lengths and of the noise. */
#include "gp_internal.h"

#include "memory.h"
#include "status.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { PARAMETERS_MAX = GP_GROUPS_MAX + 1, STEPS_MAX = 20, HALVINGS_MAX = 12 };

/* Far beyond what standardised data can ask for. */
#define LENGTH_LOW  0.02
#define LENGTH_HIGH 2000.0
#define NOISE_LOW   1e-7
#define NOISE_HIGH  100.0

static int parameters(const struct gp *g)
{
    return g->shape.groups + 1;
}

static void get(double *p, const struct gp *g)
{
    for (int i = 0; i < g->shape.groups; i++) p[i] = log(g->hyper.length[i]);
    p[g->shape.groups] = log(g->hyper.noise);
}

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

static void put(struct gp *g, double *p)
{
    for (int i = 0; i < g->shape.groups; i++) {
        p[i] = clamp(p[i], log(LENGTH_LOW), log(LENGTH_HIGH));
        g->hyper.length[i] = exp(p[i]);
    }
    p[g->shape.groups] = clamp(p[g->shape.groups], log(NOISE_LOW), log(NOISE_HIGH));
    g->hyper.noise = exp(p[g->shape.groups]);
}

/* -- objective and gradient ------------------------------------------------------------------------------------------ */

static double add_prior(double *gradient, const struct gp *g)
{
    double p[PARAMETERS_MAX], sum = 0;
    get(p, g);
    for (int i = 0; i < parameters(g); i++) {
        const bool noise = i == g->shape.groups;
        const double median = noise ? g->prior.noise : g->prior.length[i], spread = noise ? g->prior.noise_spread : g->prior.length_spread;
        const double z = (p[i] - log(median)) / spread;
        sum += 0.5 * z * z;
        if (gradient != NULL) gradient[i] += z / spread;
    }
    return sum;
}

/* The sums of W_ij dA_ij / dp over the entries of one block, W = outputs A^-1 - sum over outputs of alpha alpha^T / signal. */
struct trace {
    const struct gp *gp;
    double sum[PARAMETERS_MAX];
};

/* The shares of the groups in r^2 between data rows row[0], row[0] + 1, .. and one other, and r^2. */
static void shares(double part[][CHOLESKY_BLOCK], double *r2, const struct gp *g, int first, int rows, int with)
{
    const size_t room = (size_t)g->n_max;
    for (int i = 0; i < rows; i++) r2[i] = 0;
    for (int group = 0, d = 0; group < g->shape.groups; group++) {
        const double *norm = g->norm + (size_t)group * room, scale = 1 / (g->hyper.length[group] * g->hyper.length[group]);
        double *to = part[group];
        for (int i = 0; i < rows; i++) to[i] = norm[first + i] + norm[with];
        for (int end = d + g->shape.width[group]; d < end; d++) {
            const double *x = g->x + (size_t)d * room, y = -2 * x[with];
            if (y == 0) continue; /* counts are mostly zero */
            for (int i = 0; i < rows; i++) to[i] += x[first + i] * y;
        }
        for (int i = 0; i < rows; i++) {
            to[i] = scale * (to[i] > 0 ? to[i] : 0);
            r2[i] += to[i];
        }
    }
}

static void visit(const double *a, int lda, const int *row, int rows, const int *column, int columns, void *self)
{
    struct trace *t = self;
    const struct gp *g = t->gp;
    const size_t room = (size_t)g->n_max;
    double part[GP_GROUPS_MAX][CHOLESKY_BLOCK], slope[CHOLESKY_BLOCK], weight[CHOLESKY_BLOCK];
    for (int j = 0; j < columns; j++) {
        const int with = column[j], above = with > row[0] ? (with - row[0] < rows ? with - row[0] : rows) : 0;
        for (int i = 0; i < rows; i++) weight[i] = i < above ? 0 : g->shape.outputs * a[(size_t)j * (size_t)lda + (size_t)i];
        for (int o = 0; o < g->shape.outputs; o++) {
            const double *alpha = g->alpha + (size_t)o * room, factor = alpha[with] / g->signal[o];
            for (int i = above; i < rows; i++) weight[i] -= alpha[row[0] + i] * factor;
        }
        shares(part, slope, g, row[0], rows, with);
        gp_matern_slope(slope, rows);
        for (int i = above; i < rows; i++) {
            if (row[0] + i == with) t->sum[g->shape.groups] += weight[i] * g->hyper.noise;
            for (int group = 0; group < g->shape.groups; group++) /* and its mirror image; on the diagonal no share */
                t->sum[group] += 2 * weight[i] * slope[i] * part[group][i];
        }
    }
}

static int add_gradient(double *gradient, struct gp *g)
{
    struct trace t = {.gp = g};
    double jitter;
    TRY(gp_factor(g, &jitter)); /* A^-1 (t - mean) of all outputs */
    TRY(cholesky_invert(g->cholesky));
    g->is_ready = false; /* nothing can be predicted any more */
    cholesky_each(g->cholesky, visit, &t);
    if (!g->alone) MPI_Allreduce(MPI_IN_PLACE, t.sum, PARAMETERS_MAX, MPI_DOUBLE, MPI_SUM, g->comm);
    for (int i = 0; i < parameters(g); i++) gradient[i] += 0.5 * t.sum[i];
    return STATUS_OK;
}

int gp_objective(double *objective, double *gradient, struct gp *g)
{
    double jitter;
    TRY(gradient == NULL ? gp_solve(g, &jitter) : STATUS_OK);
    if (gradient != NULL) {
        memset(gradient, 0, (size_t)parameters(g) * sizeof *gradient);
        TRY(add_gradient(gradient, g));
    }
    double sum = 0.5 * g->shape.outputs * cholesky_log_determinant(g->cholesky);
    for (int o = 0; o < g->shape.outputs; o++) sum += 0.5 * (g->n + GP_SIGNAL_WEIGHT) * log(g->signal[o]);
    *objective = sum + add_prior(gradient, g);
    return STATUS_OK;
}

/* -- BFGS ------------------------------------------------------------------------------------------------------------ */

struct search {
    int n;
    double p[PARAMETERS_MAX], value, gradient[PARAMETERS_MAX];
    double inverse[PARAMETERS_MAX][PARAMETERS_MAX]; /* of the Hessian, as far as it is known */
};

static void begin(struct search *s)
{
    memset(s->inverse, 0, sizeof s->inverse);
    for (int i = 0; i < s->n; i++) s->inverse[i][i] = 0.2; /* the first step is careful */
}

static void update(struct search *s, const double *step, const double *change)
{
    double along = 0, product[PARAMETERS_MAX] = {0}, quadratic = 0;
    for (int i = 0; i < s->n; i++) {
        along += step[i] * change[i];
        for (int j = 0; j < s->n; j++) product[i] += s->inverse[i][j] * change[j];
    }
    if (!(along > 1e-12)) return;
    for (int i = 0; i < s->n; i++) quadratic += change[i] * product[i];
    for (int i = 0; i < s->n; i++)
        for (int j = 0; j < s->n; j++)
            s->inverse[i][j] += (1 + quadratic / along) * step[i] * step[j] / along -
                                (product[i] * step[j] + step[i] * product[j]) / along;
}

/* One step downhill; *moved is false when there is none. */
static int descend(bool *moved, struct search *s, struct gp *g)
{
    double direction[PARAMETERS_MAX], slope = 0, longest = 0;
    *moved = false;
    for (int i = 0; i < s->n; i++) {
        direction[i] = 0;
        for (int j = 0; j < s->n; j++) direction[i] -= s->inverse[i][j] * s->gradient[j];
        slope += direction[i] * s->gradient[i];
        if (fabs(direction[i]) > longest) longest = fabs(direction[i]);
    }
    if (!(slope < 0)) return STATUS_OK;
    double length = longest > 1.5 ? 1.5 / longest : 1; /* a factor of 4.5 at most */
    for (int half = 0; half < HALVINGS_MAX; half++, length /= 3) {
        struct search next = *s;
        double step[PARAMETERS_MAX], change[PARAMETERS_MAX];
        for (int i = 0; i < s->n; i++) next.p[i] += length * direction[i];
        put(g, next.p);
        TRY(gp_objective(&next.value, next.gradient, g));
        if (!(next.value <= s->value + 1e-4 * length * slope)) continue;
        for (int i = 0; i < s->n; i++) {
            step[i] = next.p[i] - s->p[i];
            change[i] = next.gradient[i] - s->gradient[i];
        }
        *moved = s->value - next.value > 1e-6 * (1 + fabs(s->value));
        update(&next, step, change);
        *s = next;
        return STATUS_OK;
    }
    return STATUS_OK;
}

/* From the present hyper-parameters to a minimum. */
static int minimise(struct search *s, struct gp *g)
{
    bool moved = true;
    s->n = parameters(g);
    get(s->p, g);
    put(g, s->p);
    begin(s);
    TRY(gp_objective(&s->value, s->gradient, g));
    for (int step = 0; step < STEPS_MAX && moved; step++) TRY(descend(&moved, s, g));
    put(g, s->p);
    return STATUS_OK;
}

void gp_start(struct gp *g, int start)
{
    static const double length[] = {1, 0.35, 3, 0.5, 2}, noise[] = {1, 0.2, 5, 10, 0.1};
    const int kinds = sizeof length / sizeof length[0];
    for (int i = 0; i < g->shape.groups; i++) g->hyper.length[i] = g->prior.length[i] * length[(start + i * (start / kinds)) % kinds];
    g->hyper.noise = g->prior.noise * noise[start % kinds];
}

int gp_optimise(struct gp *g, int starts)
{
    struct search best, other;
    TRY(minimise(&best, g));
    for (int start = 0; start < starts; start++) {
        gp_start(g, start);
        TRY(minimise(&other, g));
        if (other.value < best.value - 1e-9) best = other;
    }
    put(g, best.p);
    return STATUS_OK;
}
