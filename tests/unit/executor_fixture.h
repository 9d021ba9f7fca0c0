/* executor_fixture.h - an executor beside its plain reference, with random parameters and images, and what they must agree on;
 * and the same tests with both sizes of blocks. */
#ifndef EXECUTOR_FIXTURE_H
#define EXECUTOR_FIXTURE_H

#include "../../src/network/executor_internal.h"
#include "network_fixture.h"
#include "plain_network.h"
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct subject {
    struct network network;
    int batch;
    struct executor *executor;
    struct plain plain;
    struct random_stream random;
    size_t images, logits, numbers;         /* in floats */
    float *parameters, *output, *direction; /* plain parameters; logits; the gradient that comes back from them */
    double tolerance;                       /* relative to the largest */
};

static char fixture_case[120]; /* what a test is at, for messages */
static size_t fixture_part;    /* bytes of a part of a tensor, 0: as many as the executor takes */

static inline int fixture_executor(struct executor **x, const struct network *n, int batch)
{
    return fixture_part > 0 ? executor_create_parts(x, n, batch, fixture_part) : executor_create(x, n, batch);
}

/* In [-1, 1). */
static inline float fixture_random(struct random_stream *r)
{
    return (float)(2 * random_uniform(r) - 1);
}

static inline void subject_images(struct subject *s)
{
    for (size_t i = 0; i < s->images; i++) s->plain.value[0][i] = executor_images(s->executor)[i] = fixture_random(&s->random);
}

static inline void subject_parameters(struct subject *s)
{
    for (int i = 0; i < s->plain.parameters; i++) {
        const struct parameter *p = &s->plain.parameter[i];
        const float middle = p->kind == PARAMETER_GAMMA ? 1 : 0;
        const float range = p->kind == PARAMETER_WEIGHTS ? sqrtf(6.0f / (float)p->fan_in) : 0.5f;
        for (size_t k = 0; k < p->count; k++) s->parameters[p->plain + k] = middle + range * fixture_random(&s->random);
    }
    for (size_t k = 0; k < s->numbers; k++) s->plain.number[k] = s->parameters[k];
    assert_int_equal(executor_set_plain(s->executor, s->parameters), STATUS_OK);
}

/* Takes the network over. */
static inline void subject_open(struct subject *s, const struct network *n, int batch, uint64_t seed)
{
    *s = (struct subject){.network = *n, .batch = batch, .tolerance = 1e-5};
    if (n->failed != STATUS_OK || fixture_executor(&s->executor, &s->network, batch) != STATUS_OK)
        fail_msg("%s", status_message());
    assert_int_equal(executor_initialise(s->executor, seed), STATUS_OK);
    plain_open(&s->plain, &s->network, s->executor, batch);
    random_open(&s->random, seed, 0, 0, RANDOM_TEST);
    s->images = plain_size(&s->plain, 0);
    s->logits = plain_size(&s->plain, s->network.logits);
    s->numbers = executor_plain_count(s->executor);
    s->parameters = plain_take(s->numbers, sizeof(float));
    s->output = plain_take(s->logits, sizeof(float));
    s->direction = plain_take(s->logits, sizeof(float));
    for (size_t i = 0; i < s->logits; i++) s->direction[i] = fixture_random(&s->random);
    subject_parameters(s);
    subject_images(s);
}

static inline void subject_close(struct subject *s)
{
    executor_destroy(&s->executor);
    assert_null(s->executor);
    plain_close(&s->plain);
    network_destroy(&s->network);
    free(s->parameters);
    free(s->output);
    free(s->direction);
}

/* ---- forward ---- */

/* Within tolerance of the largest. */
static inline void assert_near(const char *what, const float *actual, const double *expected, size_t n, double tolerance)
{
    double largest = 0;
    for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs(expected[i]));
    for (size_t i = 0; i < n; i++)
        if (!(fabs(actual[i] - expected[i]) <= tolerance * largest))
            fail_msg("%s: %s %zu of %zu: %.9g instead of %.9g; the largest is %.9g", fixture_case, what, i, n,
                     (double)actual[i], expected[i], largest);
}

static inline void assert_forward(struct subject *s, bool training)
{
    assert_int_equal(executor_forward(s->output, s->executor, training), STATUS_OK);
    const double *expected = plain_run(&s->plain, training ? PLAIN_TRAINING : PLAIN_INFERENCE, 0, training);
    assert_near(training ? "logit in training" : "logit in inference", s->output, expected, s->logits, s->tolerance);
}

/* ---- backward ---- */

struct difference {
    double slope, spread; /* of the two sides; spread: how far they are apart */
};

static inline double subject_loss(struct subject *s, int first)
{
    const double *logits = plain_run(&s->plain, PLAIN_TRAINING, first, false);
    double sum = 0;
    for (size_t i = 0; i < s->logits; i++) sum += s->direction[i] * logits[i];
    return sum;
}

/* The slope of the plain loss where the parameter's numbers move by way [count]. */
static inline struct difference subject_slope(struct subject *s, const struct parameter *p, const double *way, double loss)
{
    double *number = s->plain.number + p->plain, *kept = plain_take(p->count, sizeof *kept), length = 0, side[2];
    for (size_t k = 0; k < p->count; k++) length += way[k] * way[k];
    const double h = 1e-6 / sqrt(length);
    memcpy(kept, number, p->count * sizeof *kept);
    for (int i = 0; i < 2; i++) {
        for (size_t k = 0; k < p->count; k++) number[k] = kept[k] + (i == 0 ? -h : h) * way[k];
        side[i] = (subject_loss(s, p->layer) - loss) / (i == 0 ? -h : h);
    }
    memcpy(number, kept, p->count * sizeof *kept);
    free(kept);
    return (struct difference){(side[0] + side[1]) / 2, fabs(side[0] - side[1])};
}

/* Two numbers of the parameter, and all of them together in a random direction. Returns how many of the three could be
 * compared: not where an activation's kink is between the two sides. */
static inline int assert_slopes(struct subject *s, const struct parameter *p, const float *gradient, double loss, double floor)
{
    static const char *const kind[] = {"weights", "bias", "gamma", "beta"};
    double *way = plain_take(p->count, sizeof *way);
    int compared = 0;
    for (int i = 0; i < 3; i++) {
        const size_t one = (size_t)random_below(&s->random, (int64_t)p->count);
        double actual = 0;
        for (size_t k = 0; k < p->count; k++) {
            way[k] = i == 2 ? fixture_random(&s->random) : k == one;
            actual += way[k] * gradient[p->plain + k];
        }
        const struct difference d = subject_slope(s, p, way, loss);
        if (d.spread > 1e-4 * fabs(d.slope) + floor) continue;
        compared++;
        if (!(fabs(actual - d.slope) <= 1e-3 * fabs(d.slope) + floor))
            fail_msg("%s: gradient of the %s of layer %d, input %d, %s %zu of %zu: %.9g instead of %.9g", fixture_case,
                     kind[p->kind], p->layer, p->input, i == 2 ? "all" : "number", i == 2 ? p->count : one, p->count, actual,
                     d.slope);
    }
    free(way);
    plain_run(&s->plain, PLAIN_TRAINING, p->layer, false);
    return compared;
}

/* Slopes take nearly all the time, nearly all of it in the reference: nothing for sanitizers to see. */
#ifdef __SANITIZE_ADDRESS__
enum { FIXTURE_SLOPES = 0 };
#else
enum { FIXTURE_SLOPES = 1 };
#endif

/* After a forward pass in training: every parameter's gradient is the slope of the plain reference. */
static inline void assert_gradients(struct subject *s)
{
    float *gradient = plain_take(s->numbers, sizeof *gradient);
    double largest = 0;
    int compared = 0;
    assert_int_equal(executor_forward(s->output, s->executor, true), STATUS_OK);
    assert_int_equal(executor_backward(s->executor, s->direction), STATUS_OK);
    assert_int_equal(executor_get_plain(gradient, s->executor, true), STATUS_OK);
    for (size_t k = 0; k < s->numbers; k++) largest = fmax(largest, fabs((double)gradient[k]));
    plain_run(&s->plain, PLAIN_TRAINING, 0, true);
    const double loss = subject_loss(s, s->network.layers);
    for (int i = 0; i < FIXTURE_SLOPES * s->plain.parameters; i++)
        compared += assert_slopes(s, &s->plain.parameter[i], gradient, loss, s->tolerance * largest);
    if (compared < 2 * FIXTURE_SLOPES * s->plain.parameters)
        fail_msg("%s: only %d slopes of %d arrays compared", fixture_case, compared, s->plain.parameters);
    free(gradient);
}

/* ---- blocks and parts ---- */

static bool fixture_narrow; /* blocks of 8 channels, whatever the CPU has */

/* Channels are in blocks as the CPU likes them; a child does the same tests with the 8 of CPUs without AVX-512, which the
 * library takes when asked before it is first used. Returns the child's exit status; in the child 0. */
static inline int fixture_blocks(void)
{
    int status;
    const pid_t child = fork();
    if (child == 0) {
        fixture_narrow = setenv("ONEDNN_MAX_CPU_ISA", "AVX2", 1) == 0;
        return 0;
    }
    if (child < 0 || waitpid(child, &status, 0) != child) return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* And each with parts of the usual size, which are the whole batch, of 4 KB, which are some images, and of one image. False: done. */
static inline bool fixture_next(void)
{
    static const size_t part[] = {0, 4096, 1};
    static int next;
    if (next < 3) fixture_part = part[next];
    return next++ < 3;
}

static inline const char *fixture_group(void)
{
    static char group[80];
    snprintf(group, sizeof group, "blocks of %s, parts of %s", fixture_narrow ? "8 channels" : "this CPU",
             fixture_part == 0 ? "the usual size" : fixture_part > 1 ? "4 KB" : "one image");
    return group;
}

#endif
