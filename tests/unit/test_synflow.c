/* SynFlow against a plain network in double and another way to the sum; it leaves everything as it was. */
#include "executor_fixture.h"

struct kind {
    enum topology_family family;
    const char *operations, *edges;
    int channels, side, image_channels, batch, cells, stages;
};

#define NAS  TOPOLOGY_NASBENCH201
#define NANO TOPOLOGY_NANOBENCH

static const struct kind kinds[] = {
    {NAS, "", "", 4, 4, 1, 3, 1, 1},                      /* zeros only: no flow at all */
    {NAS, "", "01 01 01 01", 5, 8, 3, 3, 2, 3},           /* skips only */
    {NAS, "3", "01 12", 16, 8, 1, 1, 1, 2},
    {NAS, "pp", "01 12 02 23 13", 5, 8, 3, 3, 2, 2},
    {NAS, "13", "01 12 13 23", 20, 8, 3, 8, 1, 2},
    {NAS, "1", "01 12 12 02 02", 4, 8, 3, 3, 2, 2},
    {NAS, "13p3p1", "01 02 03 12 14 14 23 25 34 36 45 46 56 17 47 57 67 67 07", 5, 8, 3, 3, 1, 2},
    {NANO, "d", "01 12", 16, 8, 3, 3, 2, 2},
    {NANO, "d", "01 12", 5, 8, 3, 3, 2, 3},
    {NANO, "c", "01 12", 5, 8, 1, 8, 1, 2},
    {NANO, "a", "01 12", 20, 8, 3, 3, 2, 2},
    {NANO, "e", "01 12", 5, 8, 3, 3, 2, 2},
    {NANO, "sda", "01 12 13 24 34", 16, 8, 3, 3, 2, 3},
    {NANO, "ssddc", "01 12 13 24 25 36 46 56", 5, 8, 1, 3, 1, 2},
    {NANO, "csdea", "01 12 23 24 36 45 56", 4, 8, 1, 8, 2, 3},
    {NANO, "sedac", "01 12 13 24 35 46 56", 20, 4, 3, 3, 1, 2},
};

static void open_kind(struct subject *s, const struct kind *k)
{
    const struct topology t = fixture_topology(k->family, k->operations, k->edges);
    const struct network_options o = {.channels = k->channels, .cells_per_stage = k->cells, .stages = k->stages, .height = k->side,
                                      .width = k->side, .image_channels = k->image_channels, .classes = 10};
    struct network n;
    if (network_build(&n, &t, &o) != STATUS_OK) fail_msg("%s", status_message());
    snprintf(fixture_case, sizeof fixture_case, "cell '%s', edges '%s'", k->operations, k->edges);
    subject_open(s, &n, k->batch, 1);
}

/* Against the reference, which is given the score's parameters beforehand. */
static void assert_synflow(struct subject *s)
{
    double score, again;
    assert_int_equal(executor_synflow(&score, s->executor), STATUS_OK);
    assert_int_equal(executor_synflow(&again, s->executor), STATUS_OK);
    const double expected = plain_synflow(&s->plain);
    assert_true(isfinite(expected));
    if (!(fabs(score - expected) <= 1e-4 * expected)) fail_msg("%s: score %.9g instead of %.9g", fixture_case, score, expected);
    assert_true(again == score);
}

static void test_scores(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct subject s;
        open_kind(&s, &kinds[i]);
        assert_synflow(&s);
        subject_close(&s);
    }
}

/* A training before, whose activations and gradients are still in memory, changes nothing; nor does the score anything but images
 * and gradients. */
static void test_leaves(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct subject s;
        size_t count, statistics;
        open_kind(&s, &kinds[i]);
        float *parameters = executor_parameters(s.executor, &count), *running = executor_running(s.executor, &statistics);
        float *logits = plain_take(s.logits, sizeof *logits);
        float *images = plain_take(s.images, sizeof *images), *kept = plain_take(count, sizeof *kept);
        float *moved = plain_take(statistics, sizeof *moved);
        memcpy(images, executor_images(s.executor), s.images * sizeof *images);
        assert_int_equal(executor_forward(s.output, s.executor, true), STATUS_OK);
        assert_int_equal(executor_backward(s.executor, s.direction), STATUS_OK);
        memcpy(kept, parameters, count * sizeof *kept);
        memcpy(moved, running, statistics * sizeof *moved);
        assert_synflow(&s);
        assert_memory_equal(parameters, kept, count * sizeof *kept);
        assert_memory_equal(running, moved, statistics * sizeof *moved);
        memcpy(executor_images(s.executor), images, s.images * sizeof *images);
        assert_int_equal(executor_forward(logits, s.executor, true), STATUS_OK);
        assert_memory_equal(logits, s.output, s.logits * sizeof *logits);
        subject_close(&s);
        free(logits), free(images), free(kept), free(moved);
    }
}

/* A chain of three layers: the share of each is R. An image of ones becomes 2 and 3 everywhere, these 2 + 15 = 17, and R is
 * 17 (7 + 1); the biases do not count. */
static void test_by_hand(void **state)
{
    (void)state;
    struct network n = fixture_images(1, 2, 2);
    struct subject s;
    double score;
    const int two = network_conv(&n, network_activated(&n, network_conv(&n, 0, 2, 1, 1), ACTIVATION_RELU), 1, 1, 1);
    n.logits = network_linear(&n, network_global_pool(&n, network_activated(&n, two, ACTIVATION_RELU)), 2);
    subject_open(&s, &n, 3, 1);
    const float plain[] = {-2, 3, 1, -5, 7, -1, 100, -100};
    assert_int_equal(s.numbers, 8);
    assert_int_equal(executor_set_plain(s.executor, plain), STATUS_OK);
    assert_int_equal(executor_synflow(&score, s.executor), STATUS_OK);
    assert_true(fabs(score - 3 * 17 * 8) < 1e-3);
    subject_close(&s);
}

/* Far beyond the largest float, and below the smallest. */
static void test_range(void **state)
{
    (void)state;
    static const struct kind deep[] = {{NAS, "33", "01 12 13 23", 4, 4, 1, 2, 5, 3}, {NANO, "ed", "01 12 23", 4, 4, 1, 2, 3, 3},
                                       {NANO, "sda", "01 12 13 24 34", 16, 4, 3, 3, 3, 3}};
    for (size_t i = 0; i < 2 * sizeof deep / sizeof deep[0]; i++) {
        struct subject s;
        open_kind(&s, &deep[i / 2]);
        for (int k = 0; k < s.plain.parameters; k++)
            for (size_t j = 0; s.plain.parameter[k].kind == PARAMETER_WEIGHTS && j < s.plain.parameter[k].count; j++) {
                const size_t at = s.plain.parameter[k].plain + j;
                s.plain.number[at] = s.parameters[at] *= i % 2 == 0 ? 200 : 1e-4f;
            }
        assert_int_equal(executor_set_plain(s.executor, s.parameters), STATUS_OK);
        assert_synflow(&s);
        subject_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores), cmocka_unit_test(test_leaves), cmocka_unit_test(test_by_hand), cmocka_unit_test(test_range),
    };
    int status = fixture_blocks();
    while (fixture_next()) status += cmocka_run_group_tests_name(fixture_group(), tests, NULL, NULL);
    return status;
}
