/* Distributed Cholesky factors against a plain one: factor, determinant, solutions, norms, inverse, blocks of it, on every grid of these ranks
 * and on one. */
#include "cholesky.h"
#include "status.h"

#include "ranks.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { N_MAX = 300, COLUMNS = 5, MANY = 2100 };

/* Points on a line with a smooth covariance. */
struct problem {
    int n;
    double noise;
    bool twice; /* every point is there twice: singular without noise */
};

static double covariance(const struct problem *p, int i, int j)
{
    const double a = p->twice ? i / 2 : i, b = p->twice ? j / 2 : j;
    return exp(-fabs(a - b) / 7) + (i == j ? p->noise : 0);
}

static void fill_matrix(double *a, int lda, const int *row, int rows, const int *column, int columns, void *self)
{
    for (int j = 0; j < columns; j++)
        for (int i = 0; i < rows; i++) a[i + (size_t)j * (size_t)lda] = covariance(self, row[i], column[j]);
}

static double right_side(int i, int j)
{
    return sin(0.37 * i + 1.3 * j) + 0.1 * j;
}

static void fill_right_sides(double *a, int lda, const int *row, int rows, const int *column, int columns, void *self)
{
    (void)self;
    for (int j = 0; j < columns; j++)
        for (int i = 0; i < rows; i++) a[i + (size_t)j * (size_t)lda] = right_side(row[i], column[j]);
}

/* ---- the plain one ---- */

struct plain {
    double l[N_MAX][N_MAX], log_determinant;
};
static struct plain plain;

static void plain_factor(const struct problem *p)
{
    plain.log_determinant = 0;
    for (int j = 0; j < p->n; j++)
        for (int i = j; i < p->n; i++) {
            double sum = covariance(p, i, j);
            for (int k = 0; k < j; k++) sum -= plain.l[i][k] * plain.l[j][k];
            plain.l[i][j] = i == j ? sqrt(sum) : sum / plain.l[j][j];
            if (i == j) plain.log_determinant += 2 * log(plain.l[i][j]);
        }
}

static void plain_half(double *x, int n)
{
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < i; k++) x[i] -= plain.l[i][k] * x[k];
        x[i] /= plain.l[i][i];
    }
}

static void plain_whole(double *x, int n)
{
    plain_half(x, n);
    for (int i = n - 1; i >= 0; i--) {
        for (int k = i + 1; k < n; k++) x[i] -= plain.l[k][i] * x[k];
        x[i] /= plain.l[i][i];
    }
}

static double inverse_entry(int n, int i, int j)
{
    double x[N_MAX] = {0};
    x[j] = 1;
    plain_whole(x, n);
    return x[i];
}

/* ---- comparisons ---- */

static bool near(double actual, double expected, double scale)
{
    return fabs(actual - expected) <= 1e-10 * fmax(scale, fabs(expected));
}

static void check_solves(struct cholesky *c, int n)
{
    static double half[N_MAX * COLUMNS], whole[N_MAX * COLUMNS];
    int wrong = 0;
    for (int j = 0; j < COLUMNS; j++)
        for (int i = 0; i < n; i++) half[j * n + i] = whole[j * n + i] = right_side(i, j);
    MPI_ASSERT(cholesky_half_solve(c, half, COLUMNS) == STATUS_OK);
    MPI_ASSERT(cholesky_solve(c, whole, COLUMNS) == STATUS_OK);
    for (int j = 0; j < COLUMNS; j++) {
        double a[N_MAX], b[N_MAX];
        for (int i = 0; i < n; i++) a[i] = b[i] = right_side(i, j);
        plain_half(a, n);
        plain_whole(b, n);
        for (int i = 0; i < n; i++) wrong += !near(half[j * n + i], a[i], 1) + !near(whole[j * n + i], b[i], 1);
    }
    MPI_ASSERT(wrong == 0);
}

static void check_norms(struct cholesky *c, int n, int columns)
{
    static double norm[MANY];
    const struct cholesky_entries sides = {fill_right_sides, NULL};
    int wrong = 0;
    MPI_ASSERT(cholesky_norms(norm, c, &sides, columns) == STATUS_OK);
    for (int j = 0; j < columns; j += columns > 100 ? 97 : 1) {
        double x[N_MAX], sum = 0;
        for (int i = 0; i < n; i++) x[i] = right_side(i, j);
        plain_half(x, n);
        for (int i = 0; i < n; i++) sum += x[i] * x[i];
        wrong += !near(norm[j], sum, 1);
    }
    MPI_ASSERT(wrong == 0);
}

struct seen {
    int n, entries, wrong;
};

static void visit(const double *a, int lda, const int *row, int rows, const int *column, int columns, void *self)
{
    struct seen *s = self;
    for (int j = 0; j < columns; j++)
        for (int i = 0; i < rows; i++) {
            if (row[i] < column[j]) continue;
            s->entries++;
            if ((row[i] + column[j]) % 13 == 0)
                s->wrong += !near(a[i + (size_t)j * (size_t)lda], inverse_entry(s->n, row[i], column[j]), 10);
        }
}

static void check_inverse(struct cholesky *c, int n)
{
    double diagonal[N_MAX];
    struct seen seen = {.n = n};
    int wrong = 0, entries;
    MPI_ASSERT(cholesky_invert(c) == STATUS_OK);
    cholesky_inverse_diagonal(diagonal, c);
    for (int i = 0; i < n; i++) wrong += !near(diagonal[i], inverse_entry(n, i, i), 10);
    MPI_ASSERT(wrong == 0);
    cholesky_each(c, visit, &seen);
    MPI_ASSERT(seen.wrong == 0);
    entries = seen.entries;
    if (c != NULL) MPI_Allreduce(MPI_IN_PLACE, &entries, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_ASSERT(entries == n * (n + 1) / 2 || entries == ranks * n * (n + 1) / 2); /* the latter where each rank is alone */
}

/* Groups of all sizes, within blocks and over several, and the diagonal alone. */
static void check_blocks(MPI_Comm comm, int n, int rows, int columns)
{
    static const int sizes[] = {1, 3, 1, 180, 2, 5, 40, 1};
    static double block[N_MAX * N_MAX];
    struct problem p = {.n = n, .noise = 0.01};
    const struct cholesky_entries matrix = {fill_matrix, &p};
    struct cholesky *c;
    int begin[N_MAX + 1], groups = 0, wrong = 0;
    double jitter, *at = block;
    for (int i = 0; i < n; i += sizes[(groups - 1) % 8]) begin[groups++] = i;
    begin[groups] = n;
    plain_factor(&p);
    MPI_ASSERT(cholesky_create(&c, comm, n, rows, columns) == STATUS_OK);
    MPI_ASSERT(cholesky_factor(c, &matrix, &jitter) == STATUS_OK);
    MPI_ASSERT(cholesky_invert_factor(c) == STATUS_OK);
    MPI_ASSERT(cholesky_inverse_blocks(block, c, begin, groups) == STATUS_OK);
    for (int g = 0; g < groups; g++)
        for (int j = begin[g]; j < begin[g + 1]; j++)
            for (int i = begin[g]; i < begin[g + 1]; i++, at++)
                if (i == j || (i + j) % 13 == 0) wrong += !near(*at, inverse_entry(n, i, j), 10);
    MPI_ASSERT(wrong == 0);
    for (int i = 0; i <= n; i++) begin[i] = i;
    MPI_ASSERT(cholesky_inverse_blocks(block, c, begin, n) == STATUS_OK);
    for (int i = 0; i < n; i++) wrong += !near(block[i], inverse_entry(n, i, i), 10);
    MPI_ASSERT(wrong == 0);
    cholesky_destroy(&c);
}

static void check(MPI_Comm comm, int n, int rows, int columns)
{
    struct problem p = {.n = n, .noise = 0.01};
    const struct cholesky_entries matrix = {fill_matrix, &p};
    struct cholesky *c;
    double jitter;
    plain_factor(&p);
    MPI_ASSERT(cholesky_create(&c, comm, n, rows, columns) == STATUS_OK);
    MPI_ASSERT(cholesky_factor(c, &matrix, &jitter) == STATUS_OK);
    MPI_ASSERT(jitter == 0);
    MPI_ASSERT(near(cholesky_log_determinant(c), plain.log_determinant, 1));
    check_solves(c, n);
    check_norms(c, n, COLUMNS);
    if (n == 193) check_norms(c, n, MANY);
    check_inverse(c, n);
    cholesky_destroy(&c);
    MPI_ASSERT(c == NULL);
    check_blocks(comm, n, rows, columns);
}

static const int orders[] = {1, 10, 192, 193, N_MAX};

static void test_alone(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) check(MPI_COMM_SELF, orders[i], 0, 0);
}

static void test_grids(void **state)
{
    (void)state;
    for (int rows = 1; rows <= ranks; rows++)
        for (int i = 0; i < 5 && ranks % rows == 0; i++) check(MPI_COMM_WORLD, orders[i], rows, ranks / rows);
    check(MPI_COMM_WORLD, N_MAX, 0, 0);
}

/* Singular: a little is added to the diagonal, and reported; hopeless: refused. */
static void test_jitter(void **state)
{
    (void)state;
    struct problem p = {.n = 100, .twice = true}, hopeless = {.n = 100, .noise = -2};
    const struct cholesky_entries matrix = {fill_matrix, &p}, bad = {fill_matrix, &hopeless};
    struct cholesky *c;
    double jitter, x[100];
    MPI_ASSERT(cholesky_create(&c, MPI_COMM_WORLD, 100, 0, 0) == STATUS_OK);
    MPI_ASSERT(cholesky_factor(c, &matrix, &jitter) == STATUS_OK);
    MPI_ASSERT(jitter > 0 && jitter < 1e-6);
    for (int i = 0; i < 100; i++) x[i] = covariance(&p, i, 3); /* a column of A: its solution gives it back */
    MPI_ASSERT(cholesky_solve(c, x, 1) == STATUS_OK);
    double largest = 0;
    for (int i = 0; i < 100; i++) {
        double sum = 0;
        for (int j = 0; j < 100; j++) sum += covariance(&p, i, j) * x[j];
        largest = fmax(largest, fabs(sum - covariance(&p, i, 3)));
    }
    MPI_ASSERT(largest < 1e-4);
    MPI_ASSERT(cholesky_factor(c, &bad, &jitter) == STATUS_FAILURE);
    MPI_ASSERT(strstr(status_message(), "order 100 is not positive definite") != NULL);
    status_clear();
    cholesky_destroy(&c);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_alone), cmocka_unit_test(test_grids), cmocka_unit_test(test_jitter)};
    RANKS_MAIN(tests);
}
