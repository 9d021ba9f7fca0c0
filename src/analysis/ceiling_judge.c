/* Normal quantiles of ranks, the way back, and how well predictions agree with what is. */
#include "ceiling_internal.h"

#include "correlation.h"
#include "memory.h"
#include "status.h"

#include <math.h>
#include <stdlib.h>

const char *const ceiling_figure_name[CEILING_FIGURES] = {"tau", "rho", "tau_top", "rmse", "rmse_target"};

/* z with Phi(z) = p, 0 < p < 1: Abramowitz and Stegun 26.2.23, then Halley's steps. */
static double normal_quantile(double p)
{
    if (p > 0.5) return -normal_quantile(1 - p);
    const double t = sqrt(-2 * log(p));
    double z = (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t;
    for (int i = 0; i < 2; i++) {
        const double error = (0.5 * erfc(-z * sqrt(0.5)) - p) * sqrt(2 * acos(-1)) * exp(0.5 * z * z);
        z -= error / (1 + 0.5 * z * error);
    }
    return z;
}

int ceiling_quantiles(double *quantile, const double *x, int n)
{
    int64_t *order;
    TRY(memory_alloc(&order, (size_t)n, sizeof *order));
    int status = correlation_order(order, x, n); /* descending */
    for (int i = 0, end; status == STATUS_OK && i < n; i = end) {
        for (end = i + 1; end < n && x[order[end]] == x[order[i]];) end++;
        const double rank = n - 0.5 * (i + end - 1); /* 1 for the smallest */
        for (int j = i; j < end; j++) quantile[order[j]] = normal_quantile((rank - 0.5) / n);
    }
    free(order);
    return status;
}

/* From targets to accuracies: linear between the cells, which are sorted by falling target; constant beyond them. */
static double accuracy_of(double z, const int64_t *order, const double *target, const double *accuracy, int n)
{
    int low = 0, high = n - 1; /* target[order[low]] >= z > target[order[high]] from here on */
    if (z >= target[order[low]]) return accuracy[order[low]];
    if (z <= target[order[high]]) return accuracy[order[high]];
    while (high - low > 1) {
        const int middle = (low + high) / 2;
        if (target[order[middle]] >= z) low = middle;
        else high = middle;
    }
    const int64_t a = order[low], b = order[high];
    return accuracy[b] + (accuracy[a] - accuracy[b]) * (z - target[b]) / (target[a] - target[b]);
}

/* The predictions of one data set; cells without one do not count. mine, truth [n] are workspace, order [n] sorts the cells by
 * accuracy. */
static int judge(double figure[CEILING_FIGURES], const float *prediction, const double *target, const double *accuracy,
                 const int64_t *order, int n, double *mine, double *truth)
{
    double squares = 0, target_squares = 0;
    int known = 0, top;
    for (int f = 0; f < CEILING_FIGURES; f++) figure[f] = NAN;
    for (int i = 0; i < n; i++) {
        const double z = (double)prediction[i];
        if (!isfinite(z)) continue;
        const double error = accuracy_of(z, order, target, accuracy, n) - accuracy[i];
        squares += error * error;
        target_squares += (z - target[i]) * (z - target[i]);
        mine[known] = z, truth[known++] = accuracy[i];
    }
    if (known == 0) return STATUS_OK;
    figure[CEILING_RMSE] = sqrt(squares / known);
    figure[CEILING_RMSE_TARGET] = sqrt(target_squares / known);
    TRY(correlation_kendall(&figure[CEILING_TAU], mine, truth, known));
    TRY(correlation_spearman(&figure[CEILING_RHO], mine, truth, known));
    top = 0;
    for (int i = 0; i < n / 10; i++)
        if (isfinite(prediction[order[i]])) mine[top] = (double)prediction[order[i]], truth[top++] = accuracy[order[i]];
    return correlation_kendall(&figure[CEILING_TAU_TOP], mine, truth, top);
}

int ceiling_judge(struct ceiling *c, int set)
{
    const size_t n = (size_t)c->n;
    double *mine, figure[CEILING_FIGURES];
    int64_t *order = NULL;
    TRY(memory_alloc(&mine, 2 * n, sizeof *mine));
    int status = memory_alloc(&order, n, sizeof *order);
    for (int d = 0; d < c->datasets && status == STATUS_OK; d++) {
        const double *target = c->target + (size_t)d * n, *accuracy = c->accuracy + (size_t)d * n;
        status = correlation_order(order, accuracy, c->n);
        for (int left = 0; left < CEILING_LEFT_OUT && status == STATUS_OK; left++) {
            const float *prediction = c->prediction + ceiling_series(c, set, (enum ceiling_left_out)left, d) * n;
            status = judge(figure, prediction, target, accuracy, order, c->n, mine, mine + n);
            for (int f = 0; f < CEILING_FIGURES; f++)
                *ceiling_figure_of(c, (enum ceiling_figure)f, set, (enum ceiling_left_out)left, d) = figure[f];
        }
    }
    free(order);
    free(mine);
    return status;
}
