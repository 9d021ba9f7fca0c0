/* Training one candidate on made-up images: against a plain loop over the same batches, what is learned, what a seed decides, what
 * diverges, and how classified images are counted. */
#include "training_fixture.h"

#include "executor.h"

/* -- a plain training ------------------------------------------------------------------------------------------ */

struct plain {
    struct executor *executor;
    float *logits, *target, *gradient, *scratch;
    int64_t subset[TEST], order[TEST];
};

static void plain_open(struct plain *p, int batch, uint64_t seed)
{
    assert_int_equal(executor_create(&p->executor, &network, batch), STATUS_OK);
    assert_int_equal(executor_initialise(p->executor, seed), STATUS_OK);
    assert_int_equal(memory_alloc(&p->logits, (size_t)batch * CLASSES, sizeof(float)), STATUS_OK);
    assert_int_equal(memory_alloc(&p->target, (size_t)batch * CLASSES, sizeof(float)), STATUS_OK);
    assert_int_equal(memory_alloc(&p->gradient, (size_t)batch * CLASSES, sizeof(float)), STATUS_OK);
    assert_int_equal(memory_alloc(&p->scratch, (size_t)2 * SIDE * SIDE, sizeof(float)), STATUS_OK);
}

static void plain_close(struct plain *p)
{
    executor_destroy(&p->executor);
    free(p->logits);
    free(p->target);
    free(p->gradient);
    free(p->scratch);
}

/* Mean cross-entropy against soft targets. */
static double plain_loss(struct plain *p, int batch)
{
    double loss = 0;
    for (int b = 0; b < batch; b++) {
        double sum = 0;
        const float *logits = p->logits + (ptrdiff_t)b * CLASSES, *target = p->target + (ptrdiff_t)b * CLASSES;
        for (int k = 0; k < CLASSES; k++) sum += exp((double)logits[k]);
        for (int k = 0; k < CLASSES; k++) {
            const double share = exp((double)logits[k]) / sum;
            loss -= (double)target[k] * log(share) / batch;
            p->gradient[b * CLASSES + k] = (float)((share - (double)target[k]) / batch);
        }
    }
    return loss;
}

/* By gradient descent without momentum; `rate` is that of each step. Returns the mean loss of the last epoch. */
static double plain_train(struct plain *p, const struct training_options *o, uint64_t seed, int epochs, const double *rate)
{
    struct random_stream s;
    uint32_t step = 0;
    size_t count;
    double loss = 0;
    const int64_t used = llround(o->share * (double)sets.train.count), steps = used / o->batch;
    random_open(&s, seed, 0, 0, RANDOM_SPLIT);
    random_subset(p->subset, used, sets.train.count, &s);
    for (int e = 0; e < epochs; e++) {
        int64_t index[TEST];
        augment_order(p->order, used, seed, (uint32_t)e);
        for (int64_t i = 0; i < used; i++) index[i] = p->subset[p->order[i]];
        loss = 0;
        for (int64_t k = 0; k < steps; k++, step++) {
            augment_batch(executor_images(p->executor), p->target, &sets, &sets.train, index + k * o->batch, o->batch, 0, o->batch,
                          &o->augment, seed, step, p->scratch);
            assert_int_equal(executor_forward(p->logits, p->executor, true), STATUS_OK);
            loss += plain_loss(p, o->batch) / (double)steps;
            assert_int_equal(executor_backward(p->executor, p->gradient), STATUS_OK);
            float *value = executor_parameters(p->executor, &count), *gradient = executor_gradients(p->executor);
            for (size_t i = 0; i < count; i++) value[i] -= (float)(rate[step] * (double)gradient[i]);
        }
    }
    return loss;
}

/* One image after the other, by the running statistics; the first of equal logits does not count as the largest. */
static double plain_accuracy(struct plain *p, const struct images *m)
{
    int64_t right = 0;
    for (int64_t i = 0; i < m->count; i++) {
        augment_batch(executor_images(p->executor), p->target, &sets, m, &i, 1, 0, 1, NULL, 0, 0, p->scratch);
        assert_int_equal(executor_forward(p->logits, p->executor, false), STATUS_OK);
        int wins = 0;
        for (int k = 0; k < CLASSES; k++) wins += p->logits[m->label[i]] > p->logits[k];
        right += wins == CLASSES - 1;
    }
    return 100.0 * (double)right / (double)m->count;
}

/* Phases, cosine, share, order and numbering of the batches, all kinds of augmentation, evaluation with a last partial batch. */
static void test_against_a_plain_loop(void **state)
{
    (void)state;
    const double pi = acos(-1);
    struct plain p;
    struct measurement m;
    double rate[TRAIN];
    struct training_options o = {
        .batch = 16, .phases = 2, .epochs = {3, 2}, .learning_rate = {0.3, 0.05}, .decay = DECAY_COSINE,
        .optimizer = OPTIMIZER_SGD, .share = 0.31, /* 78 of 252: 4 steps, 14 images left out */
        .augment = {.flip = 0.5, .crop = 0.5, .shift = 0.5, .crop_pixels = 2, .shift_pixels = 1, .mixup = 0.5, .mixup_alpha = 1.5,
                    .label_smoothing = 0.1},
    };
    for (int i = 0; i < 12; i++) rate[i] = 0.3 * (1 + cos(pi * i / 12)) / 2;
    for (int i = 0; i < 8; i++) rate[12 + i] = 0.05 * (1 + cos(pi * i / 8)) / 2;
    for (int decay = 0; decay < 2; decay++) {
        assert_int_equal(training_run(&m, &network, &sets, &o, true, 11, MPI_COMM_SELF, NULL, NULL), STATUS_OK);
        assert_int_equal(m.outcome, MEASUREMENT_DONE);
        assert_int_equal(m.losses, 5);
        for (int e = 1; e <= 5; e++) {
            plain_open(&p, o.batch, 11);
            const double loss = plain_train(&p, &o, 11, e, rate);
            if (fabs(m.loss[e - 1] - loss) > 1e-4 * loss) print_error("epoch %d: %.9g, not %.9g\n", e, m.loss[e - 1], loss);
            assert_true(fabs(m.loss[e - 1] - loss) <= 1e-4 * loss);
            plain_close(&p);
        }
        o.decay = DECAY_NONE;
        for (int i = 0; i < 20; i++) rate[i] = i < 12 ? 0.3 : 0.05;
    }
}

/* What training_run() counts, with batches that do not divide the images: as image by image with the same final network. */
static void test_evaluation(void **state)
{
    (void)state;
    static const int batch[] = {16, 7, 252, 1100};
    const struct images train = sets.train;
    for (int i = 0; i < 4; i++) {
        struct plain trained, single;
        struct measurement m;
        double rate[TEST];
        if (batch[i] > TRAIN) sets.train = sets.test;
        const struct training_options o = {.batch = batch[i], .phases = 1, .epochs = {4}, .learning_rate = {0.05},
                                           .optimizer = OPTIMIZER_SGD, .share = 1};
        for (int k = 0; k < TEST; k++) rate[k] = 0.05;
        assert_int_equal(training_run(&m, &network, &sets, &o, true, 3, MPI_COMM_SELF, NULL, NULL), STATUS_OK);
        plain_open(&trained, o.batch, 3);
        plain_train(&trained, &o, 3, 4, rate);
        plain_open(&single, 1, 3);
        size_t count;
        const size_t values = executor_plain_count(trained.executor);
        float *copy;
        assert_int_equal(memory_alloc(&copy, values, sizeof *copy), STATUS_OK);
        assert_int_equal(executor_get_plain(copy, trained.executor, false), STATUS_OK);
        assert_int_equal(executor_set_plain(single.executor, copy), STATUS_OK);
        const float *running = executor_running(trained.executor, &count);
        memcpy(executor_running(single.executor, &count), running, count * sizeof *running);
        const double test = plain_accuracy(&single, &sets.test), validation = plain_accuracy(&single, &sets.validation);
        if (fabs(m.accuracy - test) > 1e-9) print_error("batch %d: %.9g %%, not %.9g\n", batch[i], m.accuracy, test);
        assert_true(fabs(m.accuracy - test) < 1e-9);
        assert_true(fabs(m.validation_accuracy - validation) < 1e-9);
        assert_true(test > 20 && test < 99); /* of a network that is often right and often wrong */
        free(copy);
        plain_close(&trained);
        plain_close(&single);
    }
    sets.train = train;
}

/* -- what is learned ------------------------------------------------------------------------------------------- */

static void test_learns(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct measurement m;
        struct training_options o = quick;
        o.optimizer = (enum training_optimizer)kind;
        o.momentum = 0.9;
        o.epochs[0] = 20;
        o.learning_rate[0] = kind == OPTIMIZER_ADAM ? 0.02 : 0.2;
        o.decay = DECAY_COSINE;
        assert_int_equal(training_run(&m, &network, &sets, &o, true, 1, MPI_COMM_SELF, NULL, NULL), STATUS_OK);
        assert_int_equal(m.outcome, MEASUREMENT_DONE);
        assert_int_equal(m.losses, 20);
        assert_true(m.loss[0] < 2 && m.loss[0] > 0.5); /* ln 4 without an idea */
        assert_true(m.loss[19] < 0.5 * m.loss[0]);
        if (m.accuracy < 90) print_error("optimiser %d: accuracy %g, losses %g to %g\n", kind, m.accuracy, m.loss[0], m.loss[19]);
        assert_true(m.accuracy > 90 && m.accuracy <= 100); /* chance: 25 */
        assert_true(m.validation_accuracy > 85 && m.validation_accuracy <= 100);
        assert_true(isfinite(m.synflow) && m.synflow > 0);
        assert_true(m.seconds > 0);
    }
}

/* Without an evaluation, or without images to evaluate on, there is no accuracy. */
static void test_codes_have_no_accuracy(void **state)
{
    (void)state;
    struct measurement m, full;
    struct training_options o = quick;
    struct image_sets few = sets;
    o.epochs[0] = 3;
    assert_int_equal(training_run(&m, &network, &sets, &o, false, 1, MPI_COMM_SELF, NULL, NULL), STATUS_OK);
    assert_int_equal(m.outcome, MEASUREMENT_DONE);
    assert_int_equal(m.losses, 3);
    assert_true(isnan(m.accuracy) && isnan(m.validation_accuracy) && isfinite(m.synflow));
    few.validation.count = 0;
    assert_int_equal(training_run(&full, &network, &few, &o, true, 1, MPI_COMM_SELF, NULL, NULL), STATUS_OK);
    assert_memory_equal(m.loss, full.loss, sizeof m.loss);
    assert_true(isfinite(full.accuracy) && isnan(full.validation_accuracy));
}

static void beat(void *counter)
{
    ++*(int *)counter;
}

/* Every step beats once, so they can be counted: also those behind the losses that are kept. */
static void test_steps_and_losses(void **state)
{
    (void)state;
    struct measurement m;
    int beats = 0;
    const struct pulse pulse = {beat, &beats};
    struct training_options o = {.batch = 50, .phases = 3, .epochs = {30, 30, 10}, .learning_rate = {1e-3, 1e-3, 1e-3}, .share = 1};
    assert_int_equal(training_epochs(&o), 70);
    assert_int_equal(training_run(&m, &network, &sets, &o, false, 1, MPI_COMM_SELF, &pulse, NULL), STATUS_OK);
    assert_int_equal(beats, 70 * 5); /* 252 images: 5 steps of 50 */
    assert_int_equal(m.losses, MEASUREMENT_LOSSES_MAX);
    assert_true(m.loss[63] > 0);
    beats = 0;
    o.phases = 1, o.epochs[0] = 2, o.share = 0.4; /* 101 images: 2 steps */
    assert_int_equal(training_run(&m, &network, &sets, &o, false, 1, MPI_COMM_SELF, &pulse, NULL), STATUS_OK);
    assert_int_equal(beats, 4);
    assert_int_equal(m.losses, 2);
}

/* -- seeds ----------------------------------------------------------------------------------------------------- */

static void test_the_seed_decides(void **state)
{
    (void)state;
    struct measurement a, b, c;
    struct training_options o = quick;
    o.epochs[0] = 3;
    o.share = 0.7;
    o.augment = (struct augment_options){.flip = 0.1, .shift = 0.5, .shift_pixels = 1, .mixup = 0.5, .mixup_alpha = 1.5};
    assert_int_equal(training_run(&a, &network, &sets, &o, true, 7, MPI_COMM_SELF, NULL, NULL), STATUS_OK);
    assert_int_equal(training_run(&b, &network, &sets, &o, true, 7, MPI_COMM_SELF, NULL, NULL), STATUS_OK);
    assert_int_equal(training_run(&c, &network, &sets, &o, true, 8, MPI_COMM_SELF, NULL, NULL), STATUS_OK);
    assert_true(same_result(&a, &b));
    for (int e = 0; e < 3; e++) assert_true(a.loss[e] != c.loss[e]);
    assert_true(a.synflow != c.synflow); /* other initial weights */
}

/* Weights and running statistics of a training leave no trace in the next one, also when it diverged. */
static void test_trainings_are_apart(void **state)
{
    (void)state;
    struct measurement a, b, other;
    struct training_options wild = quick;
    wild.learning_rate[0] = 1e30;
    assert_int_equal(training_run(&a, &network, &sets, &quick, true, 7, MPI_COMM_SELF, NULL, NULL), STATUS_OK);
    assert_int_equal(training_run(&other, &network, &sets, &wild, true, 7, MPI_COMM_SELF, NULL, NULL), STATUS_OK);
    assert_int_equal(training_run(&b, &network, &sets, &quick, true, 7, MPI_COMM_SELF, NULL, NULL), STATUS_OK);
    assert_true(same_result(&a, &b));
}

/* -- divergence ------------------------------------------------------------------------------------------------ */

static void test_diverges(void **state)
{
    (void)state;
    struct measurement m;
    struct training_options o = diverging();
    assert_int_equal(training_run(&m, &network, &sets, &o, true, 1, MPI_COMM_SELF, NULL, NULL), STATUS_OK);
    expect_divergence(&m);
    o.phases = 2, o.epochs[1] = 3, o.learning_rate[1] = 1e-3; /* a later phase does not bring it back */
    assert_int_equal(training_run(&m, &network, &sets, &o, true, 1, MPI_COMM_SELF, NULL, NULL), STATUS_OK);
    expect_divergence(&m);
}

/* Normalised layers do not care how large their weights are: rates that are far too high spoil a training, but it ends with numbers. */
static void test_rates_that_are_too_high(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++)
        for (double rate = 1e3; rate < 1e31; rate *= 1e9) {
            struct measurement m;
            struct training_options o = quick;
            o.optimizer = (enum training_optimizer)kind;
            o.learning_rate[0] = rate;
            assert_int_equal(training_run(&m, &network, &sets, &o, true, 1, MPI_COMM_SELF, NULL, NULL), STATUS_OK);
            assert_true(m.outcome == MEASUREMENT_DONE || m.outcome == MEASUREMENT_DIVERGED);
            assert_true(m.outcome == MEASUREMENT_DONE ? m.losses == 8 && m.accuracy >= 0 && m.accuracy < 60
                                                      : m.losses < 8 && isnan(m.accuracy));
            for (int e = 0; e < m.losses; e++) assert_true(isfinite(m.loss[e]));
        }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_against_a_plain_loop, set_up),
        cmocka_unit_test(test_evaluation),
        cmocka_unit_test(test_learns),
        cmocka_unit_test(test_codes_have_no_accuracy),
        cmocka_unit_test(test_steps_and_losses),
        cmocka_unit_test(test_the_seed_decides),
        cmocka_unit_test(test_trainings_are_apart),
        cmocka_unit_test(test_diverges),
        cmocka_unit_test_teardown(test_rates_that_are_too_high, tear_down),
    };
    MPI_Init(&argc, &argv);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    MPI_Finalize();
    return failed;
}
