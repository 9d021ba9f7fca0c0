/* Each operation of the executor alone, between a convolution of the images and one before the logits: logits and the slopes of
 * all parameters are those of the plain reference. */
#include "executor_fixture.h"

/* The operation under test: takes a tensor, returns one. */
typedef int operation(struct network *n, int x);

/* What stands behind has weights for each place and a smooth activation, so that gradients differ from pixel to pixel. */
static struct network around(operation *op, int channels, int image_channels, int height, int width, int classes)
{
    struct network n = fixture_images(image_channels, height, width);
    const int x = op(&n, channels > 0 ? network_conv(&n, 0, channels, 3, 1) : 0);
    const int y = network_activated(&n, network_conv(&n, x, 6, 3, 1), ACTIVATION_MISH);
    n.logits = network_linear(&n, network_global_pool(&n, y), classes);
    return n;
}

static void check(operation *op, int channels, int image_channels, int height, int width, int classes, int batch)
{
    struct network n = around(op, channels, image_channels, height, width, classes);
    struct subject s;
    snprintf(fixture_case, sizeof fixture_case, "%d channels, %d images of %d channels, %d x %d pixels", channels, batch,
             image_channels, height, width);
    subject_open(&s, &n, batch, (uint64_t)(channels + batch));
    assert_forward(&s, true);
    assert_gradients(&s);
    assert_forward(&s, false);
    subject_close(&s);
}

/* Fewer channels than a block, more, and whole ones; one image and several. */
static void check_all(operation *op)
{
    check(op, 4, 1, 4, 6, 3, 3);
    check(op, 5, 3, 2, 4, 10, 8);
    check(op, 16, 3, 8, 4, 10, 1);
    check(op, 20, 1, 4, 4, 3, 3);
}

#define TEST(name, op)                      \
    static void test_##name(void **state)   \
    {                                       \
        (void)state;                        \
        check_all(op);                      \
    }

static int norm(struct network *n, int x)
{
    return network_join(n, &(struct layer_input){x, true}, 1, &n->tensor[x]);
}

static int add(struct network *n, int a, int b)
{
    const struct layer_input both[] = {{a, false}, {b, false}};
    return network_join(n, both, 2, &n->tensor[a]);
}

/* ---- convolutions ---- */

static int conv_1x1(struct network *n, int x)
{
    return network_conv(n, x, 7, 1, 1);
}

static int conv_3x3(struct network *n, int x)
{
    return network_conv(n, x, 18, 3, 1);
}

static int conv_stride_2(struct network *n, int x)
{
    return network_conv(n, x, 9, 3, 2);
}

static int linear(struct network *n, int x)
{
    return network_linear(n, x, 11);
}

TEST(conv_1x1, conv_1x1)

static void test_conv_3x3(void **state)
{
    (void)state;
    check_all(conv_3x3);
    check(conv_3x3, 4, 3, 1, 1, 10, 3);
}

static void test_conv_stride_2(void **state)
{
    (void)state;
    check_all(conv_stride_2);
    check(conv_stride_2, 4, 3, 5, 3, 10, 3);
}

TEST(depthwise, network_depthwise)
TEST(linear, linear)

/* The images themselves convolved, 1 to 4 channels. */
static void test_images(void **state)
{
    (void)state;
    for (int channels = 1; channels <= 4; channels++) {
        check(conv_1x1, 0, channels, 4, 6, 10, 3);
        check(conv_3x3, 0, channels, 4, 6, 10, 3);
    }
    check(conv_stride_2, 0, 3, 8, 4, 10, 3);
}

/* ---- pooling, channels ---- */

static int pool_3x3(struct network *n, int x)
{
    return network_pool(n, x, 3, 1);
}

static int pool_2x2(struct network *n, int x)
{
    return network_pool(n, x, 2, 2);
}

/* Tensors of different channels, one of them twice. */
static int concat(struct network *n, int x)
{
    const int input[] = {x, network_conv(n, x, 3, 1, 1), x, network_conv(n, x, 16, 1, 1)};
    return network_concat(n, input, 4);
}

/* Both halves, changing places, and a part of both. */
static int slice(struct network *n, int x)
{
    const int channels = n->tensor[x].channels, half = channels / 2;
    const int second = network_slice(n, x, half, channels - half), first = network_slice(n, x, 0, half);
    const int input[] = {second, first, network_slice(n, x, 1, channels - 2)};
    return network_concat(n, input, 3);
}

static void test_pool_3x3(void **state)
{
    (void)state;
    check_all(pool_3x3);
    check(pool_3x3, 4, 3, 1, 2, 10, 3);
}

TEST(pool_2x2, pool_2x2)
TEST(global_pool, network_global_pool)
TEST(concat, concat)
TEST(slice, slice)

/* ---- attention ---- */

/* A gate that is no sigmoid. */
static int gate(struct network *n, int x)
{
    return network_gate(n, x, network_conv(n, network_global_pool(n, x), n->tensor[x].channels, 1, 1));
}

static int mix(struct network *n, int x)
{
    const int mean = network_global_pool(n, x);
    const int q = network_conv(n, mean, 5, 1, 1), k = network_conv(n, mean, 5, 1, 1);
    return network_mix(n, q, k, network_conv(n, mean, 5, 1, 1));
}

/* With scores so far apart that the softmax must not overflow. */
static int mix_far(struct network *n, int x)
{
    const int mean = network_global_pool(n, x);
    int q = network_linear(n, mean, 5), k = network_linear(n, mean, 5);
    for (int i = 0; i < 4; i++) q = add(n, q, q), k = add(n, k, k);
    return network_mix(n, q, k, network_conv(n, mean, 5, 1, 1));
}

TEST(gate, gate)
TEST(mix, mix)
TEST(mix_far, mix_far)

/* ---- sums, normalisation, activations ---- */

static int sum_of_none(struct network *n, int x)
{
    return add(n, network_join(n, NULL, 0, &n->tensor[x]), x);
}

/* Only zeros, and a sum that nobody reads. */
static int nothing(struct network *n, int x)
{
    norm(n, x);
    return network_activated(n, norm(n, network_join(n, NULL, 0, &n->tensor[x])), ACTIVATION_RELU);
}

static int sum_of_some(struct network *n, int x)
{
    const int channels = n->tensor[x].channels, y = network_conv(n, x, channels, 1, 1);
    const struct layer_input input[] = {{x, false}, {y, false}, {x, false}, {x, false}, {network_depthwise(n, y), false}};
    return network_join(n, input, 5, &n->tensor[x]);
}

/* Normalised inputs between others, one of them taken as it is, too. */
static int sum_of_normalised(struct network *n, int x)
{
    const int channels = n->tensor[x].channels, y = network_conv(n, x, channels, 1, 1), z = network_depthwise(n, x);
    const struct layer_input input[] = {{y, true}, {x, false}, {z, true}, {network_conv(n, x, channels, 3, 1), true}, {z, false}};
    return network_join(n, input, 5, &n->tensor[x]);
}

/* The activated tensor and the sum before it both have readers. */
static int activated(struct network *n, int x, enum activation activation)
{
    const int sum = norm(n, x), y = network_activated(n, sum, activation), channels = n->tensor[x].channels;
    const int inputs[] = {network_conv(n, y, channels, 3, 1), sum, y, sum, network_depthwise(n, sum)};
    return network_concat(n, inputs, 5);
}

/* Of a tensor that no join makes, and only the activated one is read. */
static int relu(struct network *n, int x)
{
    return network_activated(n, activated(n, x, ACTIVATION_RELU), ACTIVATION_RELU);
}

static int mish(struct network *n, int x)
{
    return network_activated(n, activated(n, x, ACTIVATION_MISH), ACTIVATION_MISH);
}

static int hard_sigmoid(struct network *n, int x)
{
    return network_activated(n, activated(n, x, ACTIVATION_HARD_SIGMOID), ACTIVATION_HARD_SIGMOID);
}

/* Two activations of one sum. */
static int two_activations(struct network *n, int x)
{
    const int sum = norm(n, x);
    const int input[] = {network_activated(n, sum, ACTIVATION_MISH), network_activated(n, sum, ACTIVATION_RELU)};
    return network_concat(n, input, 2);
}

static void test_zeros(void **state)
{
    (void)state;
    check_all(sum_of_none);
    check_all(nothing);
}

TEST(sum, sum_of_some)

static void test_normalisation(void **state)
{
    (void)state;
    check_all(norm);
    check_all(sum_of_normalised);
}

TEST(relu, relu)

static void test_mish(void **state)
{
    (void)state;
    check_all(mish);
    check_all(two_activations);
}

TEST(hard_sigmoid, hard_sigmoid)

/* Gradients of an output that five layers of several kinds read. */
static int fan_out(struct network *n, int x)
{
    const int channels = n->tensor[x].channels, y = network_conv(n, x, channels, 1, 1);
    const int input[] = {network_pool(n, y, 3, 1), network_conv(n, y, channels, 3, 1), norm(n, y), y, network_depthwise(n, y)};
    return network_concat(n, input, 5);
}

TEST(several_readers, fan_out)

/* As many channels as go in: the numbers and sizes for which there is Winograd's algorithm. */
static int conv_square(struct network *n, int x)
{
    return network_conv(n, x, n->tensor[x].channels, 3, 1);
}

static void test_winograd(void **state)
{
    (void)state;
    check(conv_square, 32, 1, 9, 13, 3, 2);
    check(conv_square, 64, 1, 8, 8, 3, 2);
}

/* Of convolutions one that a join normalises, one that it normalises and takes as it is, one that it only takes as it is; a pooling. */
static int sum_of_kinds(struct network *n, int x)
{
    const int channels = n->tensor[x].channels, y = network_conv(n, x, channels, 1, 1);
    const struct layer_input input[] = {{y, true}, {network_conv(n, x, channels, 3, 1), true}, {network_pool(n, x, 3, 1), false},
                                        {y, false}, {network_conv(n, x, channels, 1, 1), false}};
    return network_activated(n, network_join(n, input, 5, &n->tensor[x]), ACTIVATION_RELU);
}

TEST(kinds, sum_of_kinds)

/* ---- the rest ---- */

static void test_block(void **state)
{
    (void)state;
    struct network n = around(norm, 4, 1, 4, 4, 3);
    struct subject s;
    subject_open(&s, &n, 1, 1);
    for (int i = 0; i < s.plain.parameters; i++) {
        const struct parameter *p = &s.plain.parameter[i];
        if (p->kind == PARAMETER_GAMMA) assert_true(p->kept == 8 || (p->kept == 16 && !fixture_narrow));
    }
    subject_close(&s);
}

static void test_too_many_inputs(void **state)
{
    (void)state;
    for (int inputs = 64; inputs <= 65; inputs++) {
        struct network n = fixture_images(1, 4, 4);
        struct layer_input input[65];
        const int x = network_conv(&n, 0, 4, 3, 1);
        for (int i = 0; i < inputs; i++) input[i] = (struct layer_input){x, false};
        n.logits = network_linear(&n, network_global_pool(&n, network_join(&n, input, inputs, &n.tensor[x])), 3);
        struct executor *executor;
        assert_int_equal(fixture_executor(&executor, &n, 2), inputs == 64 ? STATUS_OK : STATUS_INPUT);
        assert_true((executor != NULL) == (inputs == 64));
        if (inputs == 65) assert_string_equal(status_message(), "a sum of 65 tensors; at most 64 are possible");
        status_clear();
        executor_destroy(&executor);
        network_destroy(&n);
    }
}

/* Up to 4096 channels, and no more. */
static void test_wide_attention(void **state)
{
    (void)state;
    for (int channels = 4096; channels <= 4097; channels++) {
        struct network n = fixture_images(1, 1, 1);
        const int v = network_conv(&n, 0, channels, 1, 1);
        struct executor *executor;
        float logits[6];
        n.logits = network_linear(&n, network_mix(&n, v, v, v), 3);
        assert_int_equal(fixture_executor(&executor, &n, 2), channels == 4096 ? STATUS_OK : STATUS_INPUT);
        if (channels == 4096) {
            assert_int_equal(executor_forward(logits, executor, true), STATUS_OK);
            assert_int_equal(executor_backward(executor, logits), STATUS_OK);
        } else {
            assert_non_null(strstr(status_message(), "attention of 4097 channels; at most 4096 are possible"));
        }
        status_clear();
        executor_destroy(&executor);
        network_destroy(&n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv_1x1), cmocka_unit_test(test_conv_3x3), cmocka_unit_test(test_conv_stride_2),
        cmocka_unit_test(test_depthwise), cmocka_unit_test(test_linear), cmocka_unit_test(test_images),
        cmocka_unit_test(test_pool_3x3), cmocka_unit_test(test_pool_2x2), cmocka_unit_test(test_global_pool),
        cmocka_unit_test(test_concat), cmocka_unit_test(test_slice), cmocka_unit_test(test_gate), cmocka_unit_test(test_mix),
        cmocka_unit_test(test_mix_far), cmocka_unit_test(test_zeros), cmocka_unit_test(test_sum),
        cmocka_unit_test(test_normalisation), cmocka_unit_test(test_relu), cmocka_unit_test(test_mish),
        cmocka_unit_test(test_hard_sigmoid), cmocka_unit_test(test_several_readers),
        cmocka_unit_test(test_winograd), cmocka_unit_test(test_kinds), cmocka_unit_test(test_block),
        cmocka_unit_test(test_too_many_inputs), cmocka_unit_test(test_wide_attention),
    };
    int status = fixture_blocks();
    while (fixture_next()) status += cmocka_run_group_tests_name(fixture_group(), tests, NULL, NULL);
    return status;
}
