/* Several ranks that train one candidate together: the same result on all of them, that of one rank where the statistics of a batch
 * are the same in all its parts, and one as good elsewhere. */
#include "ranks.h"

#include "training_fixture.h"

/* Train on all ranks together; they must all have the same result. */
static void run_team(struct measurement *m, const struct image_sets *from, const struct training_options *o)
{
    struct measurement first;
    MPI_ASSERT(training_run(m, &network, from, o, true, 4, MPI_COMM_WORLD, NULL, NULL) == STATUS_OK);
    first = *m;
    MPI_Bcast(&first, sizeof first, MPI_BYTE, 0, MPI_COMM_WORLD);
    MPI_ASSERT(same_result(m, &first));
}

/* When all images are the same, each rank sees the same statistics as one rank that sees all: then only rounding differs. The labels
 * differ, so a wrong part or weight of a rank would show. */
static void test_team_against_one_rank(void **state)
{
    (void)state;
    struct image_sets alike;
    struct measurement team, one;
    struct training_options o = quick;
    make_sets(&alike, true);
    o.optimizer = OPTIMIZER_SGD; /* Adam's first step would be made of signs, and so of rounding */
    o.momentum = 0.5;
    o.epochs[0] = 6;
    o.learning_rate[0] = 0.05;
    o.weight_decay = 1e-3;
    o.augment.label_smoothing = 0.05;
    run_team(&team, &alike, &o);
    MPI_ASSERT(training_run(&one, &network, &alike, &o, true, 4, MPI_COMM_SELF, NULL, NULL) == STATUS_OK);
    MPI_ASSERT(team.outcome == MEASUREMENT_DONE && team.losses == 6);
    bool near = true;
    for (int e = 0; e < 6; e++) near = near && fabs(team.loss[e] - one.loss[e]) < 1e-4 * one.loss[e];
    if (!near) fprintf(stderr, "%.9g .. %.9g, not %.9g .. %.9g\n", team.loss[0], team.loss[5], one.loss[0], one.loss[5]);
    MPI_ASSERT(near);
    MPI_ASSERT(one.loss[5] < one.loss[0] - 0.01); /* it did train */
    MPI_ASSERT(team.accuracy == one.accuracy && team.validation_accuracy == one.validation_accuracy);
    MPI_ASSERT(team.synflow == one.synflow);
    images_destroy(&alike);
}

/* Other statistics, another training, but one that learns as well. */
static void test_team_learns(void **state)
{
    (void)state;
    struct measurement team, one;
    struct training_options o = quick;
    o.epochs[0] = 20;
    o.decay = DECAY_COSINE;
    run_team(&team, &sets, &o);
    MPI_ASSERT(training_run(&one, &network, &sets, &o, true, 4, MPI_COMM_SELF, NULL, NULL) == STATUS_OK);
    MPI_ASSERT(team.loss[19] < 0.5 * team.loss[0]);
    MPI_ASSERT(fabs(team.loss[0] - one.loss[0]) < 0.1 * one.loss[0]);
    MPI_ASSERT(team.accuracy > 90 && team.validation_accuracy > 85);
    MPI_ASSERT((ranks == 1) == same_result(&team, &one));
}

/* All ranks judge by the same statistics: it is of no account which of them sees which test image. */
static void test_team_evaluates(void **state)
{
    (void)state;
    struct measurement m;
    struct training_options o = quick;
    struct image_sets moved = sets;
    double accuracy[2];
    o.optimizer = OPTIMIZER_SGD;
    o.epochs[0] = 3;
    o.learning_rate[0] = 0.05;
    o.batch = ranks; /* one image each, so that statistics differ much */
    run_team(&m, &sets, &o);
    accuracy[0] = m.accuracy;
    moved.test.pixel += SIDE * SIDE; /* the second image becomes the first, and goes to another rank */
    moved.test.label++;
    moved.test.count--;
    run_team(&m, &moved, &o);
    accuracy[1] = m.accuracy;
    MPI_ASSERT(accuracy[0] > 20 && accuracy[0] < 99); /* often right and often wrong */
    const double right[] = {accuracy[0] * TEST / 100, accuracy[1] * (TEST - 1) / 100};
    MPI_ASSERT(fabs(right[0] - right[1]) < 1 + 1e-9); /* the one that was left out */
}

/* All ranks of a team leave it together. */
static void test_team_diverges(void **state)
{
    (void)state;
    struct measurement m;
    const struct training_options o = diverging();
    run_team(&m, &sets, &o);
    expect_divergence(&m);
}

/* Teams beside each other know nothing of each other: each rank alone has the same result as all others alone. */
static void test_teams_are_apart(void **state)
{
    (void)state;
    struct measurement m, first;
    struct training_options o = quick;
    o.epochs[0] = 2;
    MPI_ASSERT(training_run(&m, &network, &sets, &o, true, 9, MPI_COMM_SELF, NULL, NULL) == STATUS_OK);
    first = m;
    MPI_Bcast(&first, sizeof first, MPI_BYTE, 0, MPI_COMM_WORLD);
    MPI_ASSERT(same_result(&m, &first));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_team_against_one_rank, set_up),
        cmocka_unit_test(test_team_learns),
        cmocka_unit_test(test_team_evaluates),
        cmocka_unit_test(test_team_diverges),
        cmocka_unit_test_teardown(test_teams_are_apart, tear_down),
    };
    RANKS_MAIN(tests);
}
