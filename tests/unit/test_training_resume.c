/* A training that is stopped or killed after any step and goes on from its checkpoint gives the same bits as one that was left
 * alone: with both optimisers, alone and in a team. */
#include "ranks.h"

#include "stop.h"
#include "training_fixture.h"

enum { STEPS = 3 * (2 + 1) }; /* of an epoch 3 */

static struct training_options options_of(enum training_optimizer optimizer)
{
    struct training_options o = quick;
    o.phases = 2;
    o.epochs[0] = 2, o.epochs[1] = 1;
    o.learning_rate[0] = 0.02, o.learning_rate[1] = 0.005;
    o.decay = DECAY_COSINE;
    o.optimizer = optimizer;
    o.momentum = 0.9;
    o.weight_decay = 1e-3;
    o.augment = (struct augment_options){.flip = 0.5, .crop = 0.5, .crop_pixels = 1, .mixup = 0.5, .mixup_alpha = 1};
    return o;
}

/* What happens after a number of steps of this run: the wish to stop on one rank, or a copy of the checkpoint, as a kill would leave
 * it. */
struct event {
    int steps, at, stopper;
    const char *copy_from, *copy_to;
};

static void copy(const char *from, const char *to)
{
    size_t size = 0;
    char *data = scratch_read(from, &size);
    FILE *f = fopen(to, "wb");
    if (data == NULL || f == NULL || fwrite(data, 1, size, f) != size || fclose(f) != 0) abort();
    free(data);
}

static void beat(void *argument)
{
    struct event *e = argument;
    if (++e->steps != e->at) return;
    if (e->stopper == rank) stop_want();
    if (e->copy_from != NULL && rank == 0) copy(e->copy_from, e->copy_to);
}

static bool there(const char *path)
{
    bool is = access(path, F_OK) == 0;
    MPI_Bcast(&is, 1, MPI_C_BOOL, 0, MPI_COMM_WORLD);
    return is;
}

static int run_as(struct measurement *m, const struct training_options *o, struct event *e, const char *path, double every,
                  uint64_t fingerprint)
{
    const struct training_checkpoint c = {path, fingerprint, every};
    const struct pulse pulse = {beat, e};
    e->steps = 0;
    assert_int_equal(stop_open(false, -1), STATUS_OK); /* as a new process */
    status_clear();
    return training_run(m, &network, &sets, o, true, 4, MPI_COMM_WORLD, &pulse, path == NULL ? NULL : &c);
}

static int evaluations; /* beats of the pulse behind the last step */

static struct measurement undisturbed(const struct training_options *o)
{
    struct measurement m;
    struct event nothing = {.at = -1};
    MPI_ASSERT(run_as(&m, o, &nothing, NULL, 0, 0) == STATUS_OK);
    MPI_ASSERT(m.outcome == MEASUREMENT_DONE && m.losses == 3 && m.accuracy > 10);
    evaluations = nothing.steps - STEPS;
    return m;
}

static void remove_file(const char *path)
{
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) unlink(path);
    MPI_Barrier(MPI_COMM_WORLD);
}

/* Whichever rank is told. The wish that comes during a step ends the training after the next one: all ranks must know of it. */
static void test_stopped_at_any_step(void **state)
{
    (void)state;
    const char *path = scratch("stopped");
    for (int kind = 0; kind < 2; kind++) {
        const struct training_options o = options_of((enum training_optimizer)kind);
        const struct measurement whole = undisturbed(&o);
        for (int at = 1; at < STEPS; at++) {
            struct measurement m;
            struct event stop = {.at = at, .stopper = at % ranks}, nothing = {.at = -1};
            MPI_ASSERT(run_as(&m, &o, &stop, path, 1e9, 7) == STATUS_STOPPED);
            MPI_ASSERT(stop.steps == at + 1);
            MPI_ASSERT(strstr(status_message(), "stopped cleanly") != NULL);
            MPI_ASSERT(there(path));
            MPI_ASSERT(run_as(&m, &o, &nothing, path, 1e9, 7) == STATUS_OK);
            MPI_ASSERT(stop.steps + nothing.steps == STEPS + evaluations); /* none twice */
            MPI_ASSERT(same_result(&m, &whole));
            MPI_ASSERT(there(path)); /* until the result is safe: its owner removes it */
            remove_file(path);
        }
    }
}

/* One step a run. */
static void test_stopped_after_every_step(void **state)
{
    (void)state;
    const char *path = scratch("every");
    const struct training_options o = options_of(OPTIMIZER_ADAM);
    const struct measurement whole = undisturbed(&o);
    struct measurement m;
    int runs = 0, status;
    do {
        struct event stop = {.at = 1, .stopper = 0};
        status = run_as(&m, &o, &stop, path, 1e9, 7);
        runs++;
        MPI_ASSERT(status == STATUS_OK || status == STATUS_STOPPED);
    } while (status != STATUS_OK && runs <= STEPS);
    MPI_ASSERT(runs == (STEPS + 1) / 2); /* two steps each, the last one of them at the end */
    MPI_ASSERT(same_result(&m, &whole));
}

/* Killed without notice: what was written last counts. */
static void test_killed_at_any_step(void **state)
{
    (void)state;
    const char *path = scratch("killed"), *left = scratch("left");
    for (int kind = 0; kind < 2; kind++) {
        const struct training_options o = options_of((enum training_optimizer)kind);
        const struct measurement whole = undisturbed(&o);
        for (int at = 2; at <= STEPS; at += 2) {
            struct measurement m;
            struct event kill = {.at = at, .stopper = -1, .copy_from = path, .copy_to = left}, nothing = {.at = -1};
            MPI_ASSERT(run_as(&m, &o, &kill, path, 0, 7) == STATUS_OK); /* a checkpoint after each step */
            MPI_ASSERT(same_result(&m, &whole)); /* which changes nothing */
            MPI_ASSERT(run_as(&m, &o, &nothing, left, 1e9, 7) == STATUS_OK);
            MPI_ASSERT(nothing.steps == STEPS - (at - 1) + evaluations); /* it was written before the beat */
            MPI_ASSERT(same_result(&m, &whole));
            remove_file(path);
        }
    }
}

static void test_seconds_add_up(void **state)
{
    (void)state;
    struct measurement m;
    const struct training_options o = options_of(OPTIMIZER_SGD);
    struct event stop = {.at = 4, .stopper = 0}, nothing = {.at = -1};
    const char *path = scratch("seconds");
    MPI_ASSERT(run_as(&m, &o, &stop, path, 1e9, 7) == STATUS_STOPPED);
    struct measurement first = m;
    MPI_ASSERT(run_as(&m, &o, &nothing, path, 1e9, 7) == STATUS_OK);
    MPI_ASSERT(first.seconds > 0);
    MPI_ASSERT(rank != 0 || m.seconds > 0.5 * first.seconds); /* what was spent before counts */
}

/* Damaged or of something else: begun anew, with the right result all the same. */
static void test_no_use(void **state)
{
    (void)state;
    struct measurement m;
    const struct training_options o = options_of(OPTIMIZER_SGD);
    const struct measurement whole = undisturbed(&o);
    const char *path = scratch("nouse"), *damaged = scratch("damaged");
    struct event stop = {.at = 4, .stopper = 0}, nothing = {.at = -1};
    MPI_ASSERT(run_as(&m, &o, &stop, path, 1e9, 7) == STATUS_STOPPED);
    MPI_ASSERT(run_as(&m, &o, &nothing, path, 1e9, 8) == STATUS_OK); /* another fingerprint */
    MPI_ASSERT(nothing.steps == STEPS + evaluations && same_result(&m, &whole));
    for (int way = 0; way < 3; way++) {
        if (rank == 0) {
            size_t size = 0;
            char *data = scratch_read(path, &size);
            if (way == 0) data[size / 2] ^= 1;
            FILE *f = fopen(damaged, "wb");
            if (f == NULL || fwrite(data, 1, way == 1 ? size / 2 : way == 2 ? 0 : size, f) > size || fclose(f) != 0) abort();
            free(data);
        }
        MPI_Barrier(MPI_COMM_WORLD);
        MPI_ASSERT(run_as(&m, &o, &nothing, damaged, 1e9, 7) == STATUS_OK);
        MPI_ASSERT(nothing.steps == STEPS + evaluations && same_result(&m, &whole));
        MPI_Barrier(MPI_COMM_WORLD);
    }
    /* and it cannot be written: a warning, and the training ends all the same */
    MPI_ASSERT(run_as(&m, &o, &nothing, scratch("no/such/folder"), 0, 7) == STATUS_OK);
    MPI_ASSERT(same_result(&m, &whole) && strcmp(status_message(), "") == 0);
}

/* The end is the same when it is divergence. */
static void test_diverges(void **state)
{
    (void)state;
    struct measurement m, whole;
    const struct training_options o = diverging();
    struct event stop = {.at = 1, .stopper = ranks - 1}, nothing = {.at = -1};
    const char *path = scratch("diverges");
    MPI_ASSERT(run_as(&whole, &o, &nothing, NULL, 0, 0) == STATUS_OK);
    expect_divergence(&whole);
    MPI_ASSERT(run_as(&m, &o, &stop, path, 1e9, 7) == STATUS_STOPPED);
    MPI_ASSERT(run_as(&m, &o, &nothing, path, 0, 7) == STATUS_OK);
    MPI_ASSERT(same_result(&m, &whole));
    MPI_ASSERT(run_as(&m, &o, &nothing, path, 0, 7) == STATUS_OK); /* from after the step that diverged */
    MPI_ASSERT(same_result(&m, &whole));
}

static int open_all(void **state)
{
    return ranks_scratch_open(state) || set_up(state);
}

static int close_all(void **state)
{
    tear_down(state);
    return ranks_scratch_close(state);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_stopped_at_any_step, open_all),
        cmocka_unit_test(test_stopped_after_every_step),
        cmocka_unit_test(test_killed_at_any_step),
        cmocka_unit_test(test_seconds_add_up),
        cmocka_unit_test(test_no_use),
        cmocka_unit_test_teardown(test_diverges, close_all),
    };
    RANKS_MAIN(tests);
}
