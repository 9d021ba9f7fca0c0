/* The pairwise graph network and its layer normalisation against central differences, in float64; and what its order means. */
#include "gradient.h"

#include "dense.h"
#include "fixture.h"
#include "layer_norm.h"
#include "pairwise.h"

#include <string.h>

enum { CELLS = 5, NODES = 6, FEATURES = 4 };

struct setting {
    struct pairwise *p;
    uint8_t feature[CELLS * NODES];
    uint32_t mask[CELLS * NODES];
    real label[CELLS];
    struct pairwise_cells cells;
    struct random_stream dropout;
    bool drops;
};

static double loss(void *argument)
{
    struct setting *t = argument;
    struct random_stream same = t->dropout;
    return (double)pairwise_gradient(t->p, &t->cells, t->label, t->drops ? &same : NULL);
}

static void make(struct setting *t, int width, bool drops)
{
    struct random_stream s;
    random_open(&s, (uint64_t)width, drops, 0, RANDOM_TEST);
    random_open(&t->dropout, 5, 5, 5, RANDOM_TEST);
    for (int b = 0; b < CELLS; b++)
        for (int i = 0; i < NODES; i++) {
            t->mask[b * NODES + i] = UINT32_C(1) << i;
            for (int j = i + 1; j < NODES; j++) t->mask[b * NODES + i] |= (uint32_t)random_below(&s, 2) << j;
            const int64_t f = random_below(&s, FEATURES + 1);
            t->feature[b * NODES + i] = f == FEATURES ? PAIRWISE_NOTHING : (uint8_t)f;
        }
    gradient_fill(t->label, CELLS, 2, &s);
    t->cells = (struct pairwise_cells){CELLS, t->feature, t->mask};
    t->drops = drops;
    assert_int_equal(pairwise_create(&t->p, &(struct pairwise_shape){NODES, FEATURES, width}, CELLS), STATUS_OK);
    pairwise_initialise(t->p, &s);
}

/* Does a relu have its kink within h? Then the differences to both sides differ, and the gradient is one of them. */
static bool is_kink(struct setting *t, real *x, double dx)
{
    const double h = 1e-5, here = loss(t);
    const real keep = *x;
    *x = (real)(keep + h);
    const double right = (loss(t) - here) / h;
    *x = (real)(keep - h);
    const double left = (here - loss(t)) / h;
    *x = keep;
    return fabs(right - left) > 1e-3 * fabs(dx) && fmin(fabs(right - dx), fabs(left - dx)) < 1e-2 * fabs(dx);
}

static void check(int width, bool drops)
{
    static struct setting t;
    size_t count, checked = 0, kinks = 0;
    make(&t, width, drops);
    real *weights = pairwise_weights(t.p, &count), *gradient = fixture_zeros(count);
    assert_true(loss(&t) > 0); /* a divergence */
    memcpy(gradient, pairwise_gradients(t.p), count * sizeof *gradient);
    for (size_t i = 0, at = 0; i < count; i++) {
        if (gradient[i] == 0 || at++ % (width > 64 ? 97 : 11) != 0) continue; /* 0: of padding, among others */
        checked++;
        if (is_kink(&t, weights + i, (double)gradient[i])) kinks++;
        else gradient_check("parameter", loss, &t, weights + i, gradient + i, 1, 1, 1e-4);
    }
    assert_true(checked > 100 && kinks <= checked / 50);
    pairwise_destroy(&t.p);
    fixture_release();
}

static void test_gradient(void **state)
{
    (void)state;
    check(64, false);
    check(64, true);
    check(20, true);
    check(150, true);
}

/* Ten steps without dropout lower the loss; parameters of padding stay zero. */
static void test_step(void **state)
{
    (void)state;
    static struct setting t;
    size_t count;
    make(&t, 100, false);
    real *weights = pairwise_weights(t.p, &count);
    bool *used = fixture_take(count, sizeof *used);
    const double before = loss(&t);
    size_t moved = 0;
    for (size_t i = 0; i < count; i++) used[i] = weights[i] != 0;
    for (int i = 0; i < 10; i++) pairwise_step(t.p, &t.cells, t.label, 3e-3, NULL);
    assert_true(loss(&t) < before / 2);
    for (size_t i = 0; i < count; i++) moved += !used[i] && weights[i] != 0;
    assert_in_range(moved, 200, 4 * 100); /* the beta, which begin with zero, but for those of units that are dead */
    pairwise_destroy(&t.p);
    fixture_release();
}

/* The score of a cell stands by itself, and cells are ordered by their labels after training. */
static void test_score(void **state)
{
    (void)state;
    static struct setting t;
    real all[CELLS], one;
    make(&t, 64, false);
    for (int i = 0; i < 300; i++) pairwise_step(t.p, &t.cells, t.label, 1e-3, NULL);
    pairwise_score(all, t.p, &t.cells);
    for (int b = 0; b < CELLS; b++) {
        const struct pairwise_cells single = {1, t.feature + b * NODES, t.mask + b * NODES};
        pairwise_score(&one, t.p, &single);
        assert_true(one == all[b]);
        for (int c = 0; c < CELLS; c++)
            if (t.label[b] > t.label[c]) assert_true(all[b] > all[c]);
    }
    pairwise_destroy(&t.p);
    fixture_release();
}

/* A fifth is dropped, what stays is scaled up, and the mean and the variance of a row are those of the width. */
static void test_dropout(void **state)
{
    (void)state;
    enum { ROWS = 200, ACROSS = 100, PANELS = 2 };
    struct random_stream s;
    random_open(&s, 8, 0, 0, RANDOM_TEST);
    const size_t size = PANELS * ROWS * WIDTH;
    struct layer_norm p = {fixture_zeros(PANELS * WIDTH), fixture_zeros(PANELS * WIDTH)};
    struct layer_norm_cache cache = {fixture_zeros(size), fixture_zeros(size), fixture_zeros(ROWS)};
    real *y = fixture_zeros(size), *z = fixture_zeros(size);
    for (int o = 0; o < ACROSS; o++) p.gamma[o] = 1, p.beta[o] = (real)0.3;
    for (int r = 0; r < ROWS; r++)
        for (int o = 0; o < ACROSS; o++) z[(o / WIDTH * ROWS + r) * WIDTH + o % WIDTH] = (real)(r + random_uniform(&s));
    memcpy(cache.normal, z, size * sizeof *z);
    layer_norm_forward(y, &cache, &p, ROWS, ACROSS, 0.2, &s);
    int dropped = 0, positive = 0;
    for (int r = 0; r < ROWS; r++) {
        double mean = 0, variance = 0;
        for (int o = 0; o < PANELS * WIDTH; o++) {
            const int at = (o / WIDTH * ROWS + r) * WIDTH + o % WIDTH;
            if (o < ACROSS) mean += (double)z[at] / ACROSS;
            else assert_true(y[at] == 0);
        }
        for (int o = 0; o < ACROSS; o++) variance += pow((double)z[(o / WIDTH * ROWS + r) * WIDTH + o % WIDTH] - mean, 2) / ACROSS;
        for (int o = 0; o < ACROSS; o++) {
            const int at = (o / WIDTH * ROWS + r) * WIDTH + o % WIDTH;
            const double u = ((double)z[at] - mean) / sqrt(variance + 1e-5) + 0.3;
            positive += u > 0;
            dropped += u > 0 && y[at] == 0;
            if (y[at] != 0) assert_true(u > 0 && fabs((double)y[at] - u / (1 - 13107 / 65536.0)) < 1e-9);
        }
    }
    assert_true(fabs((double)dropped / positive - 0.2) < 0.02);
    fixture_release();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_gradient), cmocka_unit_test(test_step), cmocka_unit_test(test_score),
                                       cmocka_unit_test(test_dropout)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
