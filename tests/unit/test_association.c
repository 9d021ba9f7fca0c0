/* Rank correlations and precision of samples given by weights: against base/correlation.c on the sample written out, and against
 * precision by definition. */
#include "association.h"
#include "correlation.h"
#include "fixture.h"

#include <math.h>
#include <string.h>

enum { N_MAX = 120, KS = 3 };
static const int ks[KS] = {1, 5, 20};

/* The sample with every cell as often as its weight says; unknown ones are left out. */
static int64_t write_out(double *x_out, double *y_out, const double *x, const double *y, int64_t n, const uint16_t *weight)
{
    int64_t m = 0;
    for (int64_t i = 0; i < n; i++)
        for (int w = 0; w < (weight == NULL ? 1 : weight[i]); w++)
            if (!isnan(x[i]) && !isnan(y[i])) {
                x_out[m] = x[i];
                y_out[m++] = y[i];
            }
    return m;
}

/* The chance of each member to be among the k first, if ties are broken by lot. */
static void chances(double *chance, const double *value, int64_t n, int64_t k, int direction)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t better = 0, equal = 0;
        for (int64_t j = 0; j < n; j++) {
            better += direction * value[j] > direction * value[i];
            equal += value[j] == value[i];
        }
        chance[i] = better >= k ? 0 : better + equal <= k ? 1 : (double)(k - better) / (double)equal;
    }
}

static double plain_precision(const double *x, const double *y, int64_t n, int64_t k, int direction)
{
    double *by_x = fixture_take((size_t)n, sizeof *by_x), *by_y = fixture_take((size_t)n, sizeof *by_y), common = 0;
    if (n < k) return NAN;
    chances(by_x, x, n, k, direction);
    chances(by_y, y, n, k, 1);
    for (int64_t i = 0; i < n; i++) common += by_x[i] * by_y[i];
    return common / (double)k;
}

static double plain_tau_top(const double *x, const double *y, int64_t n)
{
    int64_t *order = fixture_take((size_t)n, sizeof *order);
    double *a = fixture_take((size_t)n, sizeof *a), *b = fixture_take((size_t)n, sizeof *b), tau;
    assert_int_equal(correlation_order(order, y, n), STATUS_OK);
    for (int64_t i = 0; i < n / 10; i++) {
        a[i] = x[order[i]];
        b[i] = y[order[i]];
    }
    assert_int_equal(correlation_kendall(&tau, a, b, n / 10), STATUS_OK);
    return tau;
}

static void expect(double found, double expected)
{
    if (isnan(expected) ? !isnan(found) : !(fabs(found - expected) < 1e-12)) fail_msg("%.17g instead of %.17g", found, expected);
}

static void expect_sample(struct association *a, const double *x, const double *y, int64_t n, const uint16_t *weight)
{
    double value[ASSOCIATION_PRECISION + KS], *u = fixture_take(20 * N_MAX, sizeof *u), *v = fixture_take(20 * N_MAX, sizeof *v);
    const int64_t m = write_out(u, v, x, y, n, weight);
    double tau, rho;
    association_measure(value, a, weight);
    assert_int_equal(correlation_kendall(&tau, u, v, m), STATUS_OK);
    assert_int_equal(correlation_spearman(&rho, u, v, m), STATUS_OK);
    expect(value[ASSOCIATION_TAU], tau);
    expect(value[ASSOCIATION_RHO], rho);
    expect(value[ASSOCIATION_TAU_TOP], plain_tau_top(u, v, m));
    for (int i = 0; i < KS; i++)
        expect(value[ASSOCIATION_PRECISION + i], plain_precision(u, v, m, ks[i], association_direction(a)));
}

static void test_samples(void **state)
{
    (void)state;
    struct random_stream s;
    random_open(&s, 3, 0, 0, RANDOM_TEST);
    for (int64_t n = 1; n <= N_MAX; n += n < 12 ? 1 : 27)
        for (int values = 1; values <= 625; values *= 5) /* from one value, through ties everywhere, to hardly any */
            for (int slope = -1; slope <= 1; slope++) {
                double x[N_MAX], y[N_MAX], rho;
                uint16_t weight[N_MAX];
                struct association *a;
                for (int64_t i = 0; i < n; i++) {
                    x[i] = random_below(&s, 15) == 0 ? NAN : (double)random_below(&s, values);
                    y[i] = random_below(&s, 15) == 0 ? NAN : (double)random_below(&s, values) + slope * (isnan(x[i]) ? 0 : x[i]);
                }
                assert_int_equal(association_create(&a, x, y, n, ks, KS), STATUS_OK);
                double u[N_MAX], v[N_MAX];
                const int64_t known = write_out(u, v, x, y, n, NULL);
                assert_int_equal(association_known(a), known);
                assert_int_equal(correlation_spearman(&rho, u, v, known), STATUS_OK);
                if (fabs(rho) > 1e-9) assert_int_equal(association_direction(a), rho < 0 ? -1 : 1);
                expect_sample(a, x, y, n, NULL);
                for (uint32_t sample = 0; sample < 3; sample++) {
                    association_sample(weight, n, 7, sample);
                    expect_sample(a, x, y, n, weight);
                }
                memset(weight, 0, sizeof weight); /* an empty sample */
                expect_sample(a, x, y, n, weight);
                association_destroy(&a);
                assert_null(a);
                fixture_release();
            }
}

static void test_sampling(void **state)
{
    (void)state;
    enum { CELLS = 1000 };
    uint16_t a[CELLS], b[CELLS];
    int64_t all = 0, never = 0;
    association_sample(a, CELLS, 1, 5);
    association_sample(b, CELLS, 1, 5);
    assert_memory_equal(a, b, sizeof a);
    association_sample(b, CELLS, 1, 6);
    assert_memory_not_equal(a, b, sizeof a);
    association_sample(b, CELLS, 2, 5);
    assert_memory_not_equal(a, b, sizeof a);
    for (int i = 0; i < CELLS; i++) {
        all += a[i];
        never += a[i] == 0;
    }
    assert_int_equal(all, CELLS);
    assert_in_range(never, 320, 416); /* 1000 / e = 368, give or take three standard deviations */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_samples), cmocka_unit_test(test_sampling)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
