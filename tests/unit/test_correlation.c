/* Rank correlations against their definitions, with ties, NaN cases, and the order of values. */
#include "correlation.h"
#include "fixture.h"

#include <math.h>
#include <string.h>

enum { N_MAX = 200 };

/* Tau-b over all pairs: (concordant - discordant) / sqrt((pairs not tied in x) (pairs not tied in y)). */
static double plain_kendall(const double *x, const double *y, int64_t n)
{
    double balance = 0, untied_x = 0, untied_y = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++) {
            int dx = (x[i] > x[j]) - (x[i] < x[j]), dy = (y[i] > y[j]) - (y[i] < y[j]);
            balance += dx * dy;
            untied_x += dx != 0;
            untied_y += dy != 0;
        }
    return balance / sqrt(untied_x * untied_y);
}

/* Pearson's correlation of mean ranks, each counted by comparing with all others. */
static double plain_spearman(const double *x, const double *y, int64_t n)
{
    double rank[2][N_MAX], mean[2] = {0}, xx = 0, yy = 0, xy = 0;
    for (int s = 0; s < 2; s++)
        for (int64_t i = 0; i < n; i++) {
            const double *v = s == 0 ? x : y;
            rank[s][i] = 0.5;
            for (int64_t j = 0; j < n; j++) rank[s][i] += v[j] < v[i] ? 1 : v[j] == v[i] ? 0.5 : 0;
            mean[s] += rank[s][i] / (double)n;
        }
    for (int64_t i = 0; i < n; i++) {
        double a = rank[0][i] - mean[0], b = rank[1][i] - mean[1];
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    return xy / sqrt(xx * yy);
}

static void expect(const double *x, const double *y, int64_t n, double expected_tau, double expected_rho)
{
    double tau = 9, rho = 9, copy[2][N_MAX];
    memcpy(copy[0], x, (size_t)n * sizeof *x);
    memcpy(copy[1], y, (size_t)n * sizeof *y);
    assert_int_equal(correlation_kendall(&tau, x, y, n), STATUS_OK);
    assert_int_equal(correlation_spearman(&rho, x, y, n), STATUS_OK);
    assert_memory_equal(copy[0], x, (size_t)n * sizeof *x); /* the series are left alone */
    assert_memory_equal(copy[1], y, (size_t)n * sizeof *y);
    assert_true(isnan(expected_tau) ? isnan(tau) : fabs(tau - expected_tau) < 1e-13);
    assert_true(isnan(expected_rho) ? isnan(rho) : fabs(rho - expected_rho) < 1e-13);
}

static void test_known(void **state)
{
    (void)state;
    const double up[] = {1, 2, 3, 4}, down[] = {9, 7, 3, -1}, x[] = {12, 2, 1, 12, 2}, y[] = {1, 4, 7, 1, 0};
    expect(up, up, 4, 1, 1);
    expect(up, down, 4, -1, -1);
    expect(x, y, 5, -4 / sqrt(8 * 9), -5 / sqrt(9 * 9.5)); /* by hand: two pairs of ties in x, one in y */
    const double a[] = {1, 2, 3}, b[] = {1, 3, 2};
    expect(a, b, 3, 1.0 / 3, 0.5);
    const double huge[] = {-1e300, -1, 1e-300, 1e300}, tiny[] = {-INFINITY, -1e-300, 0, INFINITY};
    expect(huge, tiny, 4, 1, 1);
}

static void test_random_series(void **state)
{
    (void)state;
    struct random_stream s;
    random_open(&s, 1, 0, 0, RANDOM_TEST);
    for (int64_t n = 2; n <= N_MAX; n += n < 20 ? 1 : 37)
        for (int values = 2; values <= 400; values *= 5) { /* from ties everywhere to hardly any */
            double x[N_MAX], y[N_MAX];
            for (int64_t i = 0; i < n; i++) {
                x[i] = (double)random_below(&s, values) - 1;
                y[i] = (double)random_below(&s, values) / 3 - (double)(n % 3 - 1) * x[i];
            }
            expect(x, y, n, plain_kendall(x, y, n), plain_spearman(x, y, n));
            expect(y, x, n, plain_kendall(x, y, n), plain_spearman(x, y, n));
        }
}

static void test_undefined(void **state)
{
    (void)state;
    const double constant[] = {3, 3, 3, 3}, x[] = {1, 2, 3, 4};
    expect(constant, x, 4, NAN, NAN);
    expect(x, constant, 4, NAN, NAN);
    expect(constant, constant, 4, NAN, NAN);
    expect(x, x, 1, NAN, NAN);
    expect(x, x, 0, NAN, NAN);
}

/* Beyond where n^2 fits into an int: a long series, whose answer is known. */
static void test_long(void **state)
{
    (void)state;
    const int64_t n = 100000;
    double *x = fixture_take((size_t)n, sizeof *x), *y = fixture_take((size_t)n, sizeof *y), tau, rho;
    for (int64_t i = 0; i < n; i++) {
        x[i] = (double)(i * 7919 % n);
        y[i] = -x[i];
    }
    assert_int_equal(correlation_kendall(&tau, x, y, n), STATUS_OK);
    assert_int_equal(correlation_spearman(&rho, x, y, n), STATUS_OK);
    assert_true(fabs(tau + 1) < 1e-12 && fabs(rho + 1) < 1e-9);
    for (int64_t i = 0; i < n; i++) y[i] = x[i] < (double)n / 2 ? x[i] + (double)n : x[i]; /* the halves change places */
    assert_int_equal(correlation_kendall(&tau, x, y, n), STATUS_OK);
    double pairs = 0.5 * (double)n * (double)(n - 1), apart = 0.25 * (double)n * (double)n;
    assert_true(fabs(tau - (pairs - 2 * apart) / pairs) < 1e-12);
    fixture_release();
}

static void test_order(void **state)
{
    (void)state;
    const double x[] = {1, NAN, 3, -INFINITY, 3, NAN, INFINITY, -1, 3, 0, -0.0};
    const int64_t expected[] = {6, 2, 4, 8, 0, 9, 10, 7, 3, 1, 5};
    int64_t order[11];
    assert_int_equal(correlation_order(order, x, 11), STATUS_OK);
    for (int i = 0; i < 11; i++) assert_int_equal(order[i], expected[i]);
    order[0] = -7;
    assert_int_equal(correlation_order(order, x, 0), STATUS_OK);
    assert_int_equal(order[0], -7);

    struct random_stream s;
    double many[N_MAX];
    int64_t places[N_MAX];
    random_open(&s, 2, 0, 0, RANDOM_TEST);
    for (int i = 0; i < N_MAX; i++) many[i] = (double)random_below(&s, 30);
    assert_int_equal(correlation_order(places, many, N_MAX), STATUS_OK);
    for (int i = 0; i < N_MAX; i++) { /* the place of i is the number of those that come before it */
        int place = 0;
        for (int j = 0; j < N_MAX; j++) place += many[j] > many[i] || (many[j] == many[i] && j < i);
        assert_int_equal(places[place], i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known), cmocka_unit_test(test_random_series), cmocka_unit_test(test_undefined),
        cmocka_unit_test(test_long), cmocka_unit_test(test_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
