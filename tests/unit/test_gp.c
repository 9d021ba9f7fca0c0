/* The Gaussian process against one written down plainly with a dense factor in long double, on these ranks together and on one. */
#include "gp.h"
#include "random.h"
#include "status.h"

#include "ranks.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { N_MAX = 200, M = 300, D = 5, OUTPUTS = 2, PARAMETERS = 3 };

static const struct gp_shape shape = {2, {3, 2}, OUTPUTS};
static const struct gp_prior prior = {{1.5, 2.5}, 1, 0.01, 1.5};

/* ---- data ---- */

static double data[N_MAX * D], target[OUTPUTS * N_MAX], row[M * D];

/* Counts in the first group, some points twice; two smooth outputs with noise. */
static void make_data(int n)
{
    struct random_stream s;
    random_open(&s, 5, (uint32_t)n, 0, RANDOM_TEST);
    for (int i = 0; i < n + M; i++) {
        double *x = i < n ? data + i * D : row + (i - n) * D;
        for (int d = 0; d < D; d++) x[d] = d < 3 ? (double)random_below(&s, 4) : 2 * random_uniform(&s) - 1;
        if (i % 7 == 6 && i < n) memcpy(x, data + (i / 2) * D, D * sizeof *x);
        if (i >= n) continue;
        for (int o = 0; o < OUTPUTS; o++)
            target[o * n + i] = sin(x[0] + 0.5 * o) + 0.3 * x[1] * x[3] - 0.2 * x[4] + 0.05 * (random_uniform(&s) - 0.5) + o;
    }
}

/* ---- the plain one ---- */

static struct plain {
    int n;
    struct gp_hyper h;
    long double l[N_MAX][N_MAX], alpha[OUTPUTS][N_MAX], mean[OUTPUTS], signal[OUTPUTS], log_determinant;
} plain;

static long double plain_kernel(const double *a, const double *b)
{
    long double r2 = 0;
    for (int d = 0; d < D; d++) r2 += (long double)(a[d] - b[d]) * (a[d] - b[d]) / powl(plain.h.length[d < 3 ? 0 : 1], 2);
    const long double q = sqrtl(5 * r2);
    return (1 + q + q * q / 3) * expl(-q);
}

static void plain_half(long double *b)
{
    for (int i = 0; i < plain.n; i++) {
        for (int k = 0; k < i; k++) b[i] -= plain.l[i][k] * b[k];
        b[i] /= plain.l[i][i];
    }
}

static void plain_solve(long double *b)
{
    plain_half(b);
    for (int i = plain.n - 1; i >= 0; i--) {
        for (int k = i + 1; k < plain.n; k++) b[i] -= plain.l[k][i] * b[k];
        b[i] /= plain.l[i][i];
    }
}

static void plain_fit(int n, const struct gp_hyper *h)
{
    plain.n = n, plain.h = *h, plain.log_determinant = 0;
    for (int j = 0; j < n; j++)
        for (int i = j; i < n; i++) {
            long double sum = plain_kernel(data + i * D, data + j * D) + (i == j ? (long double)h->noise : 0);
            for (int k = 0; k < j; k++) sum -= plain.l[i][k] * plain.l[j][k];
            plain.l[i][j] = i == j ? sqrtl(sum) : sum / plain.l[j][j];
            if (i == j) plain.log_determinant += 2 * logl(plain.l[i][j]);
        }
    long double one[N_MAX], weight = 0;
    for (int i = 0; i < n; i++) one[i] = 1;
    plain_solve(one);
    for (int i = 0; i < n; i++) weight += one[i];
    for (int o = 0; o < OUTPUTS; o++) {
        long double *a = plain.alpha[o], quadratic = 0;
        plain.mean[o] = 0;
        for (int i = 0; i < n; i++) plain.mean[o] += one[i] * target[o * n + i] / weight; /* generalised least squares */
        for (int i = 0; i < n; i++) a[i] = target[o * n + i] - plain.mean[o];
        plain_solve(a);
        for (int i = 0; i < n; i++) quadratic += a[i] * (target[o * n + i] - plain.mean[o]);
        plain.signal[o] = (quadratic + 0.5L) / (n + 0.5L);
    }
}

static long double plain_objective(void)
{
    long double sum = OUTPUTS * plain.log_determinant / 2;
    for (int o = 0; o < OUTPUTS; o++) sum += (plain.n + 0.5L) / 2 * logl(plain.signal[o]);
    for (int p = 0; p < PARAMETERS; p++) {
        const bool noise = p == 2;
        const long double z = logl(noise ? plain.h.noise / 0.01L : plain.h.length[p] / prior.length[p]) / (noise ? 1.5L : 1);
        sum += z * z / 2;
    }
    return sum;
}

static void plain_predict(long double *mean, long double *variance, const double *x)
{
    long double k[N_MAX], sum = 1;
    for (int i = 0; i < plain.n; i++) k[i] = plain_kernel(data + i * D, x);
    for (int o = 0; o < OUTPUTS; o++) {
        mean[o] = plain.mean[o];
        for (int i = 0; i < plain.n; i++) mean[o] += k[i] * plain.alpha[o][i];
    }
    plain_half(k);
    for (int i = 0; i < plain.n; i++) sum -= k[i] * k[i];
    *variance = plain.signal[0] * sum;
}

/* ---- tests ---- */

static bool near(double a, long double b)
{
    return fabsl(a - b) <= 1e-9L * (1 + fabsl(b));
}

static struct gp *make(MPI_Comm comm, int n, const struct gp_hyper *h)
{
    struct gp *g;
    MPI_ASSERT(gp_create(&g, comm, &shape, &prior, n + 3) == STATUS_OK);
    MPI_ASSERT(gp_set_data(g, data, target, n) == STATUS_OK);
    gp_set_hyper(g, h);
    return g;
}

/* All ranks have the same in `comm` for what is asserted. */
static void check(MPI_Comm comm, int n, const struct gp_hyper *h)
{
    static double mean[OUTPUTS * M], variance[M];
    double jitter, objective, gradient[PARAMETERS];
    make_data(n);
    plain_fit(n, h);
    struct gp *g = make(comm, n, h);
    MPI_ASSERT(gp_objective(&objective, NULL, g) == STATUS_OK && near(objective, plain_objective()));
    MPI_ASSERT(gp_objective(&objective, gradient, g) == STATUS_OK && near(objective, plain_objective()));
    for (int p = 0; p < PARAMETERS; p++) { /* central differences of the plain one */
        const long double step = 1e-5L;
        long double side[2];
        for (int s = 0; s < 2; s++) {
            struct gp_hyper moved = *h;
            *(p == 2 ? &moved.noise : &moved.length[p]) *= (double)expl(s == 0 ? step : -step);
            plain_fit(n, &moved);
            side[s] = plain_objective();
        }
        const long double difference = (side[0] - side[1]) / (2 * step);
        MPI_ASSERT(fabsl(gradient[p] - difference) <= 1e-6L * (1 + fabsl(difference)));
    }
    plain_fit(n, h);
    MPI_ASSERT(gp_factor(g, &jitter) == STATUS_OK && jitter == 0);
    MPI_ASSERT(gp_predict(mean, variance, g, row, M) == STATUS_OK);
    bool good = true;
    for (int i = 0; i < M; i++) {
        long double m[OUTPUTS], v;
        plain_predict(m, &v, row + i * D);
        for (int o = 0; o < OUTPUTS; o++) good = good && near(mean[o * M + i], m[o]);
        good = good && near(variance[i], v);
    }
    MPI_ASSERT(good);
    gp_destroy(&g);
    assert_null(g);
}

static void test_plain(void **state)
{
    (void)state;
    static const struct gp_hyper hyper[] = {{{1.5, 2.5}, 0.01}, {{0.7, 0.4}, 0.3}, {{6, 9}, 1e-3}};
    for (int i = 0; i < 3; i++) {
        check(MPI_COMM_WORLD, 1, &hyper[i]);
        check(MPI_COMM_WORLD, 13, &hyper[i]);
        check(MPI_COMM_WORLD, N_MAX, &hyper[i]);
        check(MPI_COMM_SELF, 67, &hyper[i]);
    }
}

/* The same kernel where it is told of two rows; what a covariance is to a variance. */
static void test_covariance(void **state)
{
    (void)state;
    static double mean[OUTPUTS * M], variance[M], covariance[M];
    const struct gp_hyper h = {{1.2, 0.8}, 0.02};
    double jitter;
    make_data(50);
    plain_fit(50, &h);
    struct gp *g = make(MPI_COMM_SELF, 50, &h);
    MPI_ASSERT(gp_factor(g, &jitter) == STATUS_OK && gp_predict(mean, variance, g, row, M) == STATUS_OK);
    for (int i = 0; i < 9; i++) {
        const int one = i * 31;
        assert_true(near(gp_kernel(g, row + one * D, row), plain_kernel(row + one * D, row)));
        MPI_ASSERT(gp_covariance(covariance, g, row + one * D, row, M) == STATUS_OK);
        assert_true(near(covariance[one], variance[one]));
        for (int k = 0; k < M; k++) assert_true(covariance[k] * covariance[k] <= variance[one] * variance[k] * (1 + 1e-9));
        long double a[N_MAX], b[N_MAX], sum = plain_kernel(row + one * D, row + 7 * D);
        for (int k = 0; k < 50; k++) {
            a[k] = plain_kernel(data + k * D, row + one * D);
            b[k] = plain_kernel(data + k * D, row + 7 * D);
        }
        plain_half(a), plain_half(b);
        for (int k = 0; k < 50; k++) sum -= a[k] * b[k];
        assert_true(near(covariance[7], plain.signal[0] * sum));
    }
    gp_destroy(&g);
}

/* The optimum is one: no coordinate can be moved for the better. From bad starts it is the same or a better one. */
static void test_optimise(void **state)
{
    (void)state;
    double best, there, gradient[PARAMETERS];
    make_data(80);
    struct gp *g = make(MPI_COMM_WORLD, 80, &(struct gp_hyper){{1.5, 2.5}, 0.01});
    double first;
    MPI_ASSERT(gp_objective(&first, NULL, g) == STATUS_OK);
    MPI_ASSERT(gp_optimise(g, 0) == STATUS_OK);
    MPI_ASSERT(gp_objective(&best, gradient, g) == STATUS_OK && best < first);
    for (int p = 0; p < PARAMETERS; p++) MPI_ASSERT(fabs(gradient[p]) < 0.05);
    gp_set_hyper(g, &(struct gp_hyper){{40, 0.05}, 3});
    MPI_ASSERT(gp_optimise(g, 4) == STATUS_OK);
    MPI_ASSERT(gp_objective(&there, NULL, g) == STATUS_OK && there < best + 1e-3);
    assert_true(gp_hyper(g)->noise < 0.1); /* little was added to smooth functions */
    gp_destroy(&g);
}

/* The same point again and again with less than no noise: something is added to the diagonal, and said. */
static void test_jitter(void **state)
{
    (void)state;
    double jitter, mean[OUTPUTS], variance;
    make_data(40);
    for (int i = 0; i < 40; i++) memcpy(data + i * D, data, D * sizeof *data);
    struct gp *g = make(MPI_COMM_WORLD, 40, &(struct gp_hyper){{1, 1}, -1e-9});
    MPI_ASSERT(gp_factor(g, &jitter) == STATUS_OK && jitter > 0);
    MPI_ASSERT(gp_predict(mean, &variance, g, data, 1) == STATUS_OK && isfinite(mean[0]) && variance > 0);
    gp_destroy(&g);
}

/* The plain one without the data [first, end) of n: what it says of those. variance: in signal variances, of a new target. */
static bool left_out_agree(const double *mean, const double *variance, int n, int first, int end,
                           const struct gp_hyper *h)
{
    static double all_data[N_MAX * D], all_target[OUTPUTS * N_MAX];
    const int rest = n - (end - first);
    bool good = true;
    memcpy(all_data, data, sizeof data), memcpy(all_target, target, sizeof target);
    memmove(data + first * D, all_data + end * D, (size_t)((n - end) * D) * sizeof *data);
    for (int o = 0; o < OUTPUTS; o++)
        for (int i = 0, k = 0; i < n; i++)
            if (i < first || i >= end) target[o * rest + k++] = all_target[o * n + i];
    plain_fit(rest, h);
    for (int i = first; i < end; i++) {
        long double m[OUTPUTS], v, k[N_MAX], ones[N_MAX], product = 0, weight = 0;
        plain_predict(m, &v, all_data + i * D);
        for (int j = 0; j < rest; j++) k[j] = plain_kernel(data + j * D, all_data + i * D), ones[j] = 1;
        plain_half(k), plain_half(ones);
        for (int j = 0; j < rest; j++) product += k[j] * ones[j], weight += ones[j] * ones[j];
        v = v / plain.signal[0] + (long double)h->noise + (1 - product) * (1 - product) / weight;
        for (int o = 0; o < OUTPUTS; o++) good = good && near(mean[o * n + i], m[o]);
        good = good && near(variance[i], v);
    }
    memcpy(data, all_data, sizeof data), memcpy(target, all_target, sizeof target);
    return good;
}

/* Each datum without itself, and each group without all of it, against as many fits of the rest. */
static void check_leave_out(MPI_Comm comm, int n, int step, const struct gp_hyper *h)
{
    static double mean[OUTPUTS * N_MAX], variance[N_MAX], group_mean[OUTPUTS * N_MAX], group_variance[N_MAX];
    static const int sizes[] = {1, 4, 1, 2, 17, 1, 3};
    const struct gp_left_out out = {mean, variance, group_mean, group_variance};
    int begin[N_MAX + 1], groups = 0;
    double jitter;
    make_data(n);
    for (int i = 0; i < n; i += sizes[(groups - 1) % 7]) begin[groups++] = i;
    begin[groups] = n;
    struct gp *g = make(comm, n, h);
    MPI_ASSERT(gp_leave_out(&out, g, begin, groups, &jitter) == STATUS_OK && jitter == 0);
    bool good = true;
    for (int i = 0; i < n; i += step) good = good && left_out_agree(mean, variance, n, i, i + 1, h);
    MPI_ASSERT(good);
    for (int i = 0; i < groups; i += step) good = good && left_out_agree(group_mean, group_variance, n, begin[i], begin[i + 1], h);
    MPI_ASSERT(good);
    const int whole[] = {0, n};
    MPI_ASSERT(gp_leave_out(&out, g, whole, 1, &jitter) == STATUS_OK && isnan(group_mean[0]) && isfinite(mean[0]));
    plain_fit(n, h);
    MPI_ASSERT(near(gp_signal(g, 1), plain.signal[1]));
    gp_destroy(&g);
}

static void test_leave_out(void **state)
{
    (void)state;
    const struct gp_hyper smooth = {{1.5, 2.5}, 0.01}, rough = {{0.4, 0.6}, 0.5};
    check_leave_out(MPI_COMM_WORLD, 60, 1, &smooth);
    check_leave_out(MPI_COMM_WORLD, 60, 1, &rough);
    check_leave_out(MPI_COMM_SELF, 60, 1, &smooth);
    check_leave_out(MPI_COMM_WORLD, N_MAX, 9, &smooth); /* groups over several blocks */
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain), cmocka_unit_test(test_covariance), cmocka_unit_test(test_optimise), cmocka_unit_test(test_jitter),
        cmocka_unit_test(test_leave_out),
    };
    RANKS_MAIN(tests);
}
