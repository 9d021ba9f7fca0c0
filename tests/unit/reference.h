/* reference.h - the layers of method.md section 2 once more, as plain loops over whole matrices in double: the oracle of the
 * fast kernels. Slow and obvious on purpose. B batch, V nodes, H = WIDTH. */
#ifndef REFERENCE_H
#define REFERENCE_H

#include "fixture.h"
#include "siamese.h"

#include <math.h>

struct matrix {
    int rows, columns;
    double *v;
};

static inline struct matrix reference_matrix(int rows, int columns)
{
    return (struct matrix){rows, columns, fixture_take((size_t)rows * (size_t)columns, sizeof(double))};
}

static inline double *reference_at(struct matrix m, int i, int j)
{
    return &m.v[i * m.columns + j];
}

static inline struct matrix reference_copy(const real *x, int rows, int columns)
{
    struct matrix m = reference_matrix(rows, columns);
    for (int i = 0; i < rows * columns; i++) m.v[i] = (double)x[i];
    return m;
}

static inline struct matrix reference_transpose(struct matrix a)
{
    struct matrix t = reference_matrix(a.columns, a.rows);
    for (int i = 0; i < a.rows; i++)
        for (int j = 0; j < a.columns; j++) *reference_at(t, j, i) = *reference_at(a, i, j);
    return t;
}

static inline struct matrix reference_product(struct matrix a, struct matrix b)
{
    struct matrix y = reference_matrix(a.rows, b.columns);
    assert_int_equal(a.columns, b.rows);
    for (int i = 0; i < a.rows; i++)
        for (int j = 0; j < b.columns; j++)
            for (int k = 0; k < a.columns; k++) *reference_at(y, i, j) += *reference_at(a, i, k) * *reference_at(b, k, j);
    return y;
}

/* y = a + scale b. */
static inline struct matrix reference_sum(struct matrix a, double scale, struct matrix b)
{
    struct matrix y = reference_matrix(a.rows, a.columns);
    for (int i = 0; i < a.rows * a.columns; i++) y.v[i] = a.v[i] + scale * b.v[i];
    return y;
}

/* A + I of one cell, from the rows of A alone. */
static inline struct matrix reference_adjacency(const struct cells *cells, int cell)
{
    struct matrix a = reference_matrix(cells->nodes, cells->nodes);
    for (int i = 0; i < cells->nodes; i++)
        for (int j = 0; j < cells->nodes; j++) *reference_at(a, i, j) = cells->mask[0][cell][i] >> j & 1;
    return a;
}

/* The rows of one cell in a matrix of the whole batch: a view. */
static inline struct matrix reference_cell(struct matrix x, int cell, int nodes)
{
    return (struct matrix){nodes, x.columns, x.v + cell * nodes * x.columns};
}

static inline struct matrix reference_one_hot(const struct cells *cells, int operations)
{
    struct matrix x = reference_matrix(cells->count * cells->nodes, operations);
    for (int r = 0; r < x.rows; r++) *reference_at(x, r, cells->operation[r]) = 1;
    return x;
}

/* A x of each cell, or A^T x. */
static inline struct matrix reference_aggregate(struct matrix x, const struct cells *cells, bool transposed)
{
    struct matrix y = reference_matrix(x.rows, x.columns);
    for (int b = 0; b < cells->count; b++) {
        struct matrix a = reference_adjacency(cells, b);
        struct matrix part = reference_product(transposed ? reference_transpose(a) : a, reference_cell(x, b, cells->nodes));
        for (int i = 0; i < part.rows * part.columns; i++) reference_cell(y, b, cells->nodes).v[i] = part.v[i];
    }
    return y;
}

static inline double reference_mish(double x)
{
    return x * tanh(log1p(exp(x)));
}

/* Batch normalisation and mish. Training: with the statistics of x, which are returned in mean and variance [H] unless
 * NULL; inference: with the running ones. */
static inline struct matrix reference_norm(struct matrix x, const struct norm *p, bool training, double epsilon, double *mean,
                                           double *variance)
{
    struct matrix y = reference_matrix(x.rows, x.columns);
    for (int j = 0; j < x.columns; j++) {
        double m = 0, v = 0;
        for (int i = 0; i < x.rows; i++) m += *reference_at(x, i, j) / x.rows;
        for (int i = 0; i < x.rows; i++) v += pow(*reference_at(x, i, j) - m, 2) / x.rows;
        if (mean != NULL) mean[j] = m;
        if (variance != NULL) variance[j] = v;
        if (!training) m = (double)p->mean[j];
        if (!training) v = (double)p->variance[j];
        for (int i = 0; i < x.rows; i++)
            *reference_at(y, i, j) =
                reference_mish((double)p->gamma[j] * (*reference_at(x, i, j) - m) / sqrt(v + epsilon) + (double)p->beta[j]);
    }
    return y;
}

/* A (x w) + b, or with A^T: what one direction of a group normalises. */
static inline struct matrix reference_direction(struct matrix x, const struct graph_conv *p, int d, const struct cells *cells)
{
    struct matrix z = reference_aggregate(reference_product(x, reference_copy(p->weight[d], x.columns, WIDTH)), cells, d == 1);
    for (int i = 0; i < z.rows; i++)
        for (int j = 0; j < WIDTH; j++) *reference_at(z, i, j) += (double)p->bias[d][j];
    return z;
}

/* G(A, x). */
static inline struct matrix reference_group(struct matrix x, const struct graph_conv *p, const struct cells *cells,
                                            bool training, double epsilon)
{
    struct matrix y = reference_matrix(x.rows, WIDTH);
    for (int d = 0; d < 2; d++) {
        struct matrix z = reference_direction(x, p, d, cells);
        y = reference_sum(y, 0.5, reference_norm(z, &p->norm[d], training, epsilon, NULL, NULL));
    }
    return y;
}

/* The softmax over each row of s o a, whole rows: where a is 0, the score is 0 and not left out. */
static inline struct matrix reference_softmax(struct matrix s, struct matrix a)
{
    struct matrix w = reference_matrix(s.rows, s.columns);
    for (int i = 0; i < s.rows; i++) {
        double largest = -INFINITY, total = 0;
        for (int j = 0; j < s.columns; j++) largest = fmax(largest, *reference_at(s, i, j) * *reference_at(a, i, j));
        for (int j = 0; j < s.columns; j++) total += exp(*reference_at(s, i, j) * *reference_at(a, i, j) - largest);
        for (int j = 0; j < s.columns; j++)
            *reference_at(w, i, j) = exp(*reference_at(s, i, j) * *reference_at(a, i, j) - largest) / total;
    }
    return w;
}

/* x + softmax(S o A) v + softmax(S o A^T) v with S = q k^T, cell by cell. */
static inline struct matrix reference_attention(struct matrix x, struct matrix q, struct matrix k, struct matrix v,
                                                const struct cells *cells)
{
    struct matrix y = reference_matrix(x.rows, x.columns);
    for (int b = 0; b < cells->count; b++) {
        const int V = cells->nodes;
        struct matrix a = reference_adjacency(cells, b), vb = reference_cell(v, b, V);
        struct matrix s = reference_product(reference_cell(q, b, V), reference_transpose(reference_cell(k, b, V)));
        struct matrix sum = reference_sum(reference_cell(x, b, V), 1, reference_product(reference_softmax(s, a), vb));
        sum = reference_sum(sum, 1, reference_product(reference_softmax(s, reference_transpose(a)), vb));
        for (int i = 0; i < V * x.columns; i++) reference_cell(y, b, V).v[i] = sum.v[i];
    }
    return y;
}

/* score[B]: mean over the channels -> affine V -> 1 -> sigmoid. */
static inline void reference_head(double *score, struct matrix x, const struct head *p, const struct cells *cells)
{
    for (int b = 0; b < cells->count; b++) {
        double sum = (double)p->bias[0];
        for (int i = 0; i < cells->nodes; i++) {
            double mean = 0;
            for (int j = 0; j < x.columns; j++) mean += *reference_at(reference_cell(x, b, cells->nodes), i, j) / x.columns;
            sum += (double)p->weight[i] * mean;
        }
        score[b] = 1 / (1 + exp(-sum));
    }
}

static inline double reference_loss(const double *score, const real *target, int count, double delta)
{
    double loss = 0;
    for (int b = 0; b < count; b++) {
        double d = fabs((double)target[b] - score[b]);
        loss += (d < delta ? 0.5 * d * d : delta * (d - 0.5 * delta)) / count;
    }
    return loss;
}

/* The EFM's features from the code: affine E -> V H, reshaped to V x H for each cell; before normalisation. */
static inline struct matrix reference_code_affine(const struct siamese_parameters *p, const real *code, int code_length,
                                                  int count, int nodes)
{
    struct matrix z = reference_product(reference_copy(code, count, code_length),
                                        reference_copy(p->code_weight, code_length, nodes * WIDTH));
    for (int b = 0; b < count; b++)
        for (int j = 0; j < z.columns; j++) *reference_at(z, b, j) += (double)p->code_bias[j];
    return (struct matrix){count * nodes, WIDTH, z.v};
}

/* The whole network: scores [B] of both branches; estimation is left alone when the shape has no code. */
static inline void reference_network(double *basic, double *estimation, const struct siamese_parameters *p,
                                     const struct siamese_shape *shape, const struct cells *cells, const real *code,
                                     bool training, double epsilon)
{
    const struct graph_conv *g = p->group;
    struct matrix x = reference_group(reference_one_hot(cells, shape->operations), &g[GROUP_1], cells, training, epsilon);
    x = reference_group(x, &g[GROUP_2], cells, training, epsilon);
    if (shape->nsam) {
        struct matrix q = reference_group(x, &g[NSAM_QUERY], cells, training, epsilon);
        struct matrix k = reference_group(x, &g[NSAM_KEY], cells, training, epsilon);
        struct matrix v = reference_group(x, &g[NSAM_VALUE], cells, training, epsilon);
        x = reference_group(reference_attention(x, q, k, v, cells), &g[NSAM_OUT], cells, training, epsilon);
    }
    x = reference_group(x, &g[GROUP_3], cells, training, epsilon);
    reference_head(basic, x, &p->head, cells);
    if (shape->code_length == 0) return;

    struct matrix f = reference_code_affine(p, code, shape->code_length, cells->count, cells->nodes);
    f = reference_norm(f, &p->code_norm, training, epsilon, NULL, NULL);
    struct matrix k = reference_group(f, &g[EFM_KEY], cells, training, epsilon);
    struct matrix q = reference_group(x, &g[EFM_QUERY], cells, training, epsilon), v = q;
    if (shape->efm_value_own) v = reference_group(x, &g[EFM_VALUE], cells, training, epsilon);
    x = reference_group(reference_attention(x, q, k, v, cells), &g[EFM_OUT], cells, training, epsilon);
    reference_head(estimation, x, &p->head, cells);
}

/* Every entry of x within `tolerance` times the largest magnitude of what is expected, or times 1 if that is larger. */
static inline void reference_expect(const char *what, const real *x, struct matrix expected, double tolerance)
{
    double largest = 1;
    for (int i = 0; i < expected.rows * expected.columns; i++) largest = fmax(largest, fabs(expected.v[i]));
    for (int i = 0; i < expected.rows * expected.columns; i++)
        if (!(fabs((double)x[i] - expected.v[i]) <= tolerance * largest)) {
            print_error("%s: row %d, column %d is %.17g where %.17g is expected\n", what, i / expected.columns,
                        i % expected.columns, (double)x[i], expected.v[i]);
            fail();
        }
}

#endif
