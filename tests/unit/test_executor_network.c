/* Whole networks of both families, small: forward, gradients, running statistics against the plain reference; parameters in
 * and out; padding; the same bits again. */
#include "executor_fixture.h"

struct kind {
    enum topology_family family;
    const char *operations, *edges;
    int channels, side, image_channels, classes, batch, cells, stages;
};

#define NAS  TOPOLOGY_NASBENCH201
#define NANO TOPOLOGY_NANOBENCH

static const struct kind nasbench[] = {
    {NAS, "", "", 4, 8, 1, 3, 3, 2, 3},                        /* zeros only */
    {NAS, "", "01 01 01 01", 5, 8, 3, 10, 3, 1, 3},            /* skips only */
    {NAS, "p", "01 12", 16, 8, 1, 10, 1, 1, 2},
    {NAS, "pp", "01 12 02 23 13", 5, 8, 3, 3, 3, 2, 2},        /* a pool of pools */
    {NAS, "13", "01 12 13 23", 16, 8, 3, 10, 3, 1, 2},         /* an output that two sums take */
    {NAS, "1", "01 12 12 02 02", 20, 4, 3, 10, 8, 2, 1},       /* what counts twice */
    {NAS, "33", "01 02 13 23", 4, 4, 1, 10, 8, 1, 3},          /* down to one pixel */
    {NAS, "133p", "01 02 13 23 14 24 35 45", 5, 8, 1, 10, 3, 2, 1},
    {NAS, "13p3p1", "01 02 03 12 14 14 23 25 34 36 45 46 56 17 47 57 67 67 07", 5, 4, 3, 10, 3, 1, 2},
};

static const struct kind nanobench[] = {
    {NANO, "d", "01 12", 16, 8, 3, 10, 3, 2, 2},
    {NANO, "c", "01 12", 5, 8, 1, 3, 8, 1, 2},
    {NANO, "a", "01 12", 20, 4, 3, 10, 3, 2, 2},
    {NANO, "a", "01 12", 4, 8, 1, 3, 1, 1, 3},
    {NANO, "e", "01 12", 5, 4, 3, 10, 3, 2, 2},
    {NANO, "sda", "01 12 13 24 34", 16, 4, 3, 10, 3, 1, 2},
    {NANO, "ssddc", "01 12 13 24 25 36 46 56", 5, 8, 1, 10, 3, 1, 2}, /* a split of a split */
    {NANO, "csdea", "01 12 23 24 36 45 56", 4, 4, 1, 3, 8, 2, 1},     /* everything */
    {NANO, "sedac", "01 12 13 24 35 46 56", 20, 4, 3, 10, 3, 1, 1},
};

enum { NASBENCHES = sizeof nasbench / sizeof nasbench[0], NANOBENCHES = sizeof nanobench / sizeof nanobench[0] };

static void open_kind(struct subject *s, const struct kind *k)
{
    const struct topology t = fixture_topology(k->family, k->operations, k->edges);
    const struct network_options o = {.channels = k->channels, .cells_per_stage = k->cells, .stages = k->stages, .height = k->side,
                                      .width = k->side, .image_channels = k->image_channels, .classes = k->classes};
    struct network n;
    if (network_build(&n, &t, &o) != STATUS_OK) fail_msg("%s", status_message());
    subject_open(s, &n, k->batch, 1);
}

static void for_all(void (*check)(struct subject *), const struct kind *k, int kinds)
{
    for (int i = 0; i < kinds; i++) {
        struct subject s;
        open_kind(&s, &k[i]);
        snprintf(fixture_case, sizeof fixture_case, "cell '%s', edges '%s'", k[i].operations, k[i].edges);
        check(&s);
        subject_close(&s);
    }
}

/* ---- against the reference ---- */

/* Both halves of the running statistics: means, then variances; of each normalisation the channels, then padding. */
static void assert_running(struct subject *s)
{
    size_t count, at = 0;
    const float *running = executor_running(s->executor, &count);
    for (int i = 0; i < s->plain.parameters; i++) {
        const struct parameter *p = &s->plain.parameter[i];
        if (p->kind != PARAMETER_GAMMA) continue;
        assert_near("running mean", running + at, s->plain.mean + p->plain, p->count, s->tolerance);
        assert_near("running variance", running + count / 2 + at, s->plain.variance + p->plain, p->count, s->tolerance);
        at += p->kept;
    }
    assert_int_equal(2 * at, count);
}

static void check_forward(struct subject *s)
{
    assert_forward(s, false);
    for (int pass = 0; pass < 4; pass++) {
        assert_forward(s, true);
        subject_images(s);
    }
    assert_running(s);
    assert_forward(s, false);
    subject_parameters(s);
    assert_forward(s, false);
    assert_running(s);
}

static void test_forward_nasbench(void **state)
{
    (void)state;
    for_all(check_forward, nasbench, NASBENCHES);
}

static void test_forward_nanobench(void **state)
{
    (void)state;
    for_all(check_forward, nanobench, NANOBENCHES);
}

static void test_gradients_nasbench(void **state)
{
    (void)state;
    for_all(assert_gradients, nasbench, NASBENCHES);
}

static void test_gradients_nanobench(void **state)
{
    (void)state;
    for_all(assert_gradients, nanobench, NANOBENCHES);
}

/* One pixel of one image: normalisation leaves its beta and rounding, 1 / sqrt(epsilon) times larger. */
static void test_one_pixel(void **state)
{
    (void)state;
    const struct kind k = {NAS, "1", "01 12", 5, 4, 1, 3, 1, 1, 3};
    struct subject s;
    open_kind(&s, &k);
    s.tolerance = 3e-4;
    check_forward(&s);
    assert_gradients(&s);
    subject_close(&s);
}

/* ---- parameters ---- */

static void assert_same(const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(a[i] == b[i])) fail_msg("%s: %zu of %zu: %.9g and %.9g", fixture_case, i, n, (double)a[i], (double)b[i]);
}

/* Nothing but the numbers and zeros: what a fresh executor holds that is given these numbers. */
static void assert_padding(struct subject *s, bool gradients)
{
    struct executor *fresh;
    size_t count, other;
    float *plain = plain_take(s->numbers, sizeof *plain);
    assert_int_equal(fixture_executor(&fresh, &s->network, s->batch), STATUS_OK);
    assert_int_equal(executor_get_plain(plain, s->executor, gradients), STATUS_OK);
    assert_int_equal(executor_set_plain(fresh, plain), STATUS_OK);
    const float *values = executor_parameters(s->executor, &count), *expected = executor_parameters(fresh, &other);
    assert_int_equal(count, other);
    assert_same(gradients ? executor_gradients(s->executor) : values, expected, count);
    executor_destroy(&fresh);
    free(plain);
}

/* Optimiser's steps over the whole arrays leave the padding alone. */
static void check_padding(struct subject *s)
{
    size_t count;
    float *values = executor_parameters(s->executor, &count), *gradients = executor_gradients(s->executor);
    for (int step = 0; step < 20; step++) {
        subject_images(s);
        assert_int_equal(executor_forward(s->output, s->executor, true), STATUS_OK);
        assert_int_equal(executor_backward(s->executor, s->direction), STATUS_OK);
        for (size_t i = 0; i < count; i++) values[i] -= 1e-3f * gradients[i] / (fabsf(gradients[i]) + 1e-8f);
        assert_padding(s, true);
    }
    assert_padding(s, false);
    float *plain = plain_take(s->numbers, sizeof *plain);
    assert_int_equal(executor_get_plain(plain, s->executor, false), STATUS_OK);
    for (size_t k = 0; k < s->numbers; k++) s->plain.number[k] = plain[k];
    free(plain);
    assert_int_equal(executor_forward(s->output, s->executor, true), STATUS_OK);
    assert_near("logit", s->output, plain_run(&s->plain, PLAIN_TRAINING, 0, true), s->logits, 1e-5);
}

static void test_padding(void **state)
{
    (void)state;
    for_all(check_padding, nasbench, NASBENCHES);
    for_all(check_padding, nanobench, NANOBENCHES);
}

/* Every number has its place, once; what comes in comes out. */
static void check_plain(struct subject *s)
{
    double multiply_adds, parameters;
    size_t next = 0, kept = 0;
    network_counts(&multiply_adds, &parameters, &s->network);
    assert_true(parameters == (double)s->numbers);
    for (int i = 0; i < s->plain.parameters; i++) {
        const struct parameter *p = &s->plain.parameter[i];
        assert_int_equal(p->plain, next);
        assert_true(p->offset >= kept && p->offset % 16 == 0 && p->kept >= p->count);
        next += p->count;
        kept = p->offset + p->kept;
    }
    assert_int_equal(next, s->numbers);
    size_t count;
    executor_parameters(s->executor, &count);
    assert_true(count >= kept);
    float *back = plain_take(s->numbers, sizeof *back);
    assert_int_equal(executor_get_plain(back, s->executor, false), STATUS_OK);
    assert_memory_equal(back, s->parameters, s->numbers * sizeof *back);
    free(back);
}

static void test_plain(void **state)
{
    (void)state;
    for_all(check_plain, nasbench, NASBENCHES);
    for_all(check_plain, nanobench, NANOBENCHES);
}

/* A convolution's weights, then its bias, or gamma and beta of the normalisation that follows; one of a sum comes with the sum. */
static void test_order(void **state)
{
    (void)state;
    const struct kind k = {NAS, "13", "01 12 13 23", 4, 8, 3, 10, 2, 1, 1};
    const struct {
        enum parameter_kind kind;
        size_t count;
        int fan_in;
    } expected[] = {
        {PARAMETER_WEIGHTS, 108, 27}, {PARAMETER_GAMMA, 4, 0}, {PARAMETER_BETA, 4, 0},  /* stem */
        {PARAMETER_WEIGHTS, 16, 4},   {PARAMETER_GAMMA, 4, 0}, {PARAMETER_BETA, 4, 0},  /* 1x1 */
        {PARAMETER_WEIGHTS, 144, 36}, {PARAMETER_GAMMA, 4, 0}, {PARAMETER_BETA, 4, 0},  /* 3x3 */
        {PARAMETER_GAMMA, 4, 0},      {PARAMETER_BETA, 4, 0},                           /* of the last sum */
        {PARAMETER_WEIGHTS, 40, 4},   {PARAMETER_BIAS, 10, 0},
    };
    struct subject s;
    open_kind(&s, &k);
    assert_int_equal(s.plain.parameters, sizeof expected / sizeof expected[0]);
    for (int i = 0; i < s.plain.parameters; i++) {
        assert_int_equal(s.plain.parameter[i].kind, expected[i].kind);
        assert_int_equal(s.plain.parameter[i].count, expected[i].count);
        assert_int_equal(s.plain.parameter[i].fan_in, expected[i].fan_in);
    }
    subject_close(&s);
}

/* Mean and standard deviation of initial numbers. */
static void moments(double *mean, double *deviation, const float *x, size_t n)
{
    *mean = *deviation = 0;
    for (size_t i = 0; i < n; i++) *mean += (double)x[i] / (double)n;
    for (size_t i = 0; i < n; i++) *deviation += pow(x[i] - *mean, 2) / (double)n;
    *deviation = sqrt(*deviation);
}

static void check_initial(struct subject *s)
{
    float *again = plain_take(s->numbers, sizeof *again), *other = plain_take(s->numbers, sizeof *other);
    size_t statistics;
    const float *running = executor_running(s->executor, &statistics);
    assert_forward(s, true);
    assert_int_equal(executor_initialise(s->executor, 8), STATUS_OK);
    assert_int_equal(executor_get_plain(other, s->executor, false), STATUS_OK);
    assert_int_equal(executor_initialise(s->executor, 7), STATUS_OK);
    assert_int_equal(executor_get_plain(s->parameters, s->executor, false), STATUS_OK);
    assert_padding(s, false);
    for (size_t i = 0; i < statistics; i++) assert_true(running[i] == (i < statistics / 2 ? 0 : 1));
    for (int i = 0; i < s->plain.parameters; i++) {
        const struct parameter *p = &s->plain.parameter[i];
        const float *numbers = s->parameters + p->plain;
        if (p->kind != PARAMETER_WEIGHTS) {
            for (size_t k = 0; k < p->count; k++) assert_true(numbers[k] == (p->kind == PARAMETER_GAMMA ? 1 : 0));
            continue;
        }
        double mean, deviation;
        const double expected = sqrt((s->network.layer[p->layer].bias ? 1.0 : 2.0) / p->fan_in), n = (double)p->count;
        moments(&mean, &deviation, numbers, p->count);
        assert_true(fabs(mean) < 5 * expected / sqrt(n)); /* five standard errors */
        if (p->count > 30) assert_true(fabs(deviation - expected) < 5 * expected / sqrt(2 * n));
        assert_true(memcmp(numbers, other + p->plain, p->count * sizeof *numbers) != 0);
        for (int j = 0; j < i; j++) /* layers of one shape have numbers of their own */
            if (s->plain.parameter[j].kind == PARAMETER_WEIGHTS && s->plain.parameter[j].count == p->count)
                assert_true(memcmp(numbers, s->parameters + s->plain.parameter[j].plain, p->count * sizeof *numbers) != 0);
    }
    assert_int_equal(executor_initialise(s->executor, 7), STATUS_OK);
    assert_int_equal(executor_get_plain(again, s->executor, false), STATUS_OK);
    assert_memory_equal(again, s->parameters, s->numbers * sizeof *again);
    free(again);
    free(other);
}

static void test_initial(void **state)
{
    (void)state;
    for_all(check_initial, nasbench, NASBENCHES);
    for_all(check_initial, nanobench, NANOBENCHES);
}

/* ---- the same bits ---- */

static void run_both(float *logits, float *gradients, struct executor *x, const struct subject *s)
{
    assert_int_equal(executor_forward(logits, x, true), STATUS_OK);
    assert_int_equal(executor_backward(x, s->direction), STATUS_OK);
    assert_int_equal(executor_get_plain(gradients, x, true), STATUS_OK);
}

/* Again, after other images and a pass of inference; and by another executor. */
static void check_bits(struct subject *s)
{
    struct executor *other;
    float *logits = plain_take(s->logits, sizeof *logits), *images = plain_take(s->images, sizeof *images);
    float *first = plain_take(s->numbers, sizeof *first), *again = plain_take(s->numbers, sizeof *again);
    memcpy(images, executor_images(s->executor), s->images * sizeof *images);
    run_both(s->output, first, s->executor, s);
    subject_images(s);
    run_both(logits, again, s->executor, s);
    assert_int_equal(executor_forward(logits, s->executor, false), STATUS_OK);
    assert_int_equal(fixture_executor(&other, &s->network, s->batch), STATUS_OK);
    assert_int_equal(executor_initialise(other, 1), STATUS_OK);
    assert_int_equal(executor_set_plain(other, s->parameters), STATUS_OK);
    struct executor *const both[] = {s->executor, other};
    for (int i = 0; i < 2; i++) {
        memcpy(executor_images(both[i]), images, s->images * sizeof *images);
        run_both(logits, again, both[i], s);
        assert_memory_equal(logits, s->output, s->logits * sizeof *logits);
        assert_memory_equal(again, first, s->numbers * sizeof *again);
    }
    assert_int_equal(executor_memory(other), executor_memory(s->executor));
    executor_destroy(&other);
    free(logits), free(images), free(first), free(again);
}

static void test_same_bits(void **state)
{
    (void)state;
    for_all(check_bits, nasbench, NASBENCHES);
    for_all(check_bits, nanobench, NANOBENCHES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward_nasbench), cmocka_unit_test(test_forward_nanobench), cmocka_unit_test(test_gradients_nasbench),
        cmocka_unit_test(test_gradients_nanobench), cmocka_unit_test(test_one_pixel), cmocka_unit_test(test_padding),
        cmocka_unit_test(test_plain), cmocka_unit_test(test_order), cmocka_unit_test(test_initial), cmocka_unit_test(test_same_bits),
    };
    int status = fixture_blocks();
    while (fixture_next()) status += cmocka_run_group_tests_name(fixture_group(), tests, NULL, NULL);
    return status;
}
