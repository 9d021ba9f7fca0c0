/* A measurer that trains: from recipe, space and image files to measurements and counts, on all ranks alike; what does not fit. */
#include "trainer.h"

#include "group.h"
#include "nasbench201.h"
#include "ranks.h"
#include "sample_space.h"
#include "status.h"

#include <math.h>
#include <string.h>

/* Images of a CIFAR-10 file. */
enum { TRAIN = 56, TEST = 19, RECORD = 1 + 3 * 32 * 32 };

static struct space cells;

static void write_cifar(const char *name, int images, int step)
{
    FILE *f = fopen(scratch(name), "wb");
    for (int i = 0; i < images; i++) {
        fputc((i * step) % 10, f);
        for (int k = 1; k < RECORD; k++) fputc((i * 31 + k * step + k * k % 89) % 256, f);
    }
    fclose(f);
}

/* The published width, but few images, small batches and one cell a stage. */
static const char recipe_text[] =
    "[network]\nchannels = 16\ncells_per_stage = 1\nstages = 1\n[images]\ndataset = cifar10\n%s\nvalidation = 0.25\n"
    "[code]\nbatch = 6\nepochs = 2, 1\nlearning_rate = 0.01, 0.001\nshare = 0.5\n"
    "[training]\nbatch = 12\nepochs = 2\nlearning_rate = 0.01\n";

static int set_up(void **state)
{
    int failed = ranks_scratch_open(state);
    if (rank == 0) {
        char text[sizeof recipe_text + 700], files[700];
        write_cifar("train.bin", TRAIN, 7);
        write_cifar("other.bin", TRAIN, 9);
        write_cifar("test.bin", TEST, 3);
        snprintf(files, sizeof files, "train = %s\ntest = %s", scratch("train.bin"), scratch("test.bin"));
        snprintf(text, sizeof text, recipe_text, files);
        scratch_write("recipe.ini", text);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    return failed || nasbench201_space(&cells, 4) != STATUS_OK;
}

static int tear_down(void **state)
{
    space_destroy(&cells);
    return ranks_scratch_close(state);
}

/* A trainer by the recipe with one or two values replaced (NULL: none). Collective. */
static int open_trainer(struct trainer **t, struct recipe *r, const char *first, const char *second, const struct space *s,
                        MPI_Comm team)
{
    const char *override[] = {first, second};
    MPI_ASSERT(recipe_read(r, scratch("recipe.ini"), override, first == NULL ? 0 : second == NULL ? 1 : 2, MPI_COMM_WORLD) ==
               STATUS_OK);
    return trainer_create(t, r, s, "none.ledger", MPI_COMM_WORLD, team);
}

static void close_trainer(struct trainer **t, struct recipe *r)
{
    trainer_destroy(t);
    assert_null(*t);
    recipe_destroy(r);
}

static void test_images(void **state)
{
    (void)state;
    struct trainer *t;
    struct recipe r;
    MPI_ASSERT(open_trainer(&t, &r, NULL, NULL, &cells, MPI_COMM_SELF) == STATUS_OK);
    const struct image_sets *images = trainer_images(t);
    struct image_sets here;
    assert_int_equal(images_read(&here, &r.source), STATUS_OK); /* as if each rank had read the files */
    MPI_ASSERT(images->train.count == TRAIN - TRAIN / 4 && images->validation.count == TRAIN / 4 && images->test.count == TEST);
    const struct images *set[] = {&images->train, &images->validation, &images->test};
    const struct images *same[] = {&here.train, &here.validation, &here.test};
    for (int i = 0; i < 3; i++) {
        MPI_ASSERT(set[i]->channels == 3 && set[i]->height == 32 && set[i]->width == 32 && set[i]->classes == 10);
        MPI_ASSERT(memcmp(set[i]->pixel, same[i]->pixel, (size_t)set[i]->count * images_size(set[i])) == 0);
        MPI_ASSERT(memcmp(set[i]->label, same[i]->label, (size_t)set[i]->count * sizeof *set[i]->label) == 0);
    }
    MPI_ASSERT(memcmp(images->mean, here.mean, sizeof here.mean) == 0);
    MPI_ASSERT(memcmp(images->deviation, here.deviation, sizeof here.deviation) == 0);
    MPI_ASSERT(images->checksum == here.checksum);
    images_destroy(&here);
    close_trainer(&t, &r);
}

/* method.md, section 8: with no operation at all 7.78305 M and 73,306 parameters; each 1x1 edge adds 3.93216 M, pooling nothing. */
static void test_counts(void **state)
{
    (void)state;
    enum { SKIP = 1, CONV_1X1 = 2, POOL = 4, FIRST_EDGE = 3125 }; /* the last edge is the last digit of a cell's number */
    struct trainer *t;
    struct recipe r;
    double flops, parameters;
    MPI_ASSERT(open_trainer(&t, &r, "network.cells_per_stage=5", "network.stages=3", &cells, MPI_COMM_SELF) == STATUS_OK);
    const struct { int64_t cell; double flops; } known[] = {
        {0, 7.78305}, {SKIP, 7.78305}, {POOL, 7.78305}, {CONV_1X1, 11.71521}, {CONV_1X1 * FIRST_EDGE, 11.71521},
        {CONV_1X1 * FIRST_EDGE + CONV_1X1, 15.64737},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        MPI_ASSERT(trainer_counts(&flops, &parameters, t, known[i].cell) == STATUS_OK);
        MPI_ASSERT(fabs(flops - known[i].flops) < 1e-9);
    }
    MPI_ASSERT(trainer_counts(&flops, &parameters, t, 0) == STATUS_OK);
    MPI_ASSERT(fabs(parameters - 0.073306) < 1e-12);
    close_trainer(&t, &r);
}

static bool same_result(const struct measurement *a, const struct measurement *b)
{
    struct measurement x = *a, y = *b;
    x.seconds = y.seconds = 0;
    return memcmp(&x, &y, sizeof x) == 0;
}

/* What a rank finds alone is what all others find alone; a code has the losses of its phases, a training the accuracies. */
static void test_measures(void **state)
{
    (void)state;
    struct trainer *t;
    struct recipe r;
    struct measurement code, again, training, first;
    MPI_ASSERT(open_trainer(&t, &r, NULL, NULL, &cells, MPI_COMM_SELF) == STATUS_OK);
    const struct measurer m = trainer_measurer(t);
    const int64_t direct = 3 * 25, nowhere = 2 * 3125; /* a 3x3 convolution from input to output, a 1x1 one to a node without exit */
    const int64_t cell = direct + nowhere;
    MPI_ASSERT(m.measure(&code, m.self, cell, MEASUREMENT_CODE, NULL) == STATUS_OK);
    MPI_ASSERT(m.measure(&training, m.self, cell, MEASUREMENT_TRAINING, NULL) == STATUS_OK);
    MPI_ASSERT(m.measure(&again, m.self, cell, MEASUREMENT_CODE, NULL) == STATUS_OK);
    MPI_ASSERT(code.outcome == MEASUREMENT_DONE && code.losses == 3 && isnan(code.accuracy));
    MPI_ASSERT(training.outcome == MEASUREMENT_DONE && training.losses == 2);
    MPI_ASSERT(training.accuracy >= 0 && training.accuracy <= 100 && training.validation_accuracy >= 0);
    const double right = training.accuracy * TEST / 100;
    MPI_ASSERT(fabs(right - round(right)) < 1e-9);
    MPI_ASSERT(fabs(training.synflow - code.synflow) < 1e-5 * code.synflow && code.synflow > 0);
    MPI_ASSERT(training.loss[0] != code.loss[0]); /* other images, other batches */
    MPI_ASSERT(same_result(&code, &again));
    first = training;
    MPI_Bcast(&first, sizeof first, MPI_BYTE, 0, MPI_COMM_WORLD);
    MPI_ASSERT(same_result(&first, &training));
    MPI_ASSERT(m.measure(&again, m.self, direct, MEASUREMENT_TRAINING, NULL) == STATUS_OK); /* computes the same */
    MPI_ASSERT(same_result(&again, &training));
    MPI_ASSERT(m.measure(&again, m.self, nowhere, MEASUREMENT_TRAINING, NULL) == STATUS_OK); /* computes nothing */
    MPI_ASSERT(again.outcome == MEASUREMENT_DONE && !same_result(&again, &training) && again.synflow == 0);
    close_trainer(&t, &r);
}

/* Two ranks a candidate, and one left over when their number is odd. */
static void test_teams(void **state)
{
    (void)state;
    struct trainer *t;
    struct recipe r;
    struct measurement mine = {0}, first;
    struct group team;
    group_create(&team, MPI_COMM_WORLD, 2);
    MPI_ASSERT(open_trainer(&t, &r, NULL, NULL, &cells, team.comm) == STATUS_OK);
    const struct measurer m = trainer_measurer(t);
    int status = team.idle ? STATUS_OK : m.measure(&mine, m.self, 3, MEASUREMENT_TRAINING, NULL);
    MPI_ASSERT(status == STATUS_OK);
    MPI_ASSERT(team.idle || mine.outcome == MEASUREMENT_DONE);
    first = mine;
    MPI_Bcast(&first, sizeof first, MPI_BYTE, 0, MPI_COMM_WORLD);
    MPI_ASSERT(team.idle || same_result(&mine, &first)); /* on all ranks of all teams */
    close_trainer(&t, &r);
    group_destroy(&team);
}

static uint64_t fingerprint(const char *first, const char *second)
{
    struct trainer *t;
    struct recipe r;
    MPI_ASSERT(open_trainer(&t, &r, first, second, &cells, MPI_COMM_SELF) == STATUS_OK);
    uint64_t mine = trainer_measurer(t).fingerprint, root = mine;
    MPI_Bcast(&root, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
    MPI_ASSERT(mine == root);
    close_trainer(&t, &r);
    return mine;
}

static void test_fingerprint(void **state)
{
    (void)state;
    char other[400];
    snprintf(other, sizeof other, "images.train=%s", scratch("other.bin"));
    const uint64_t usual = fingerprint(NULL, NULL);
    MPI_ASSERT(fingerprint("code.batch = 6", NULL) == usual); /* as it is */
    MPI_ASSERT(fingerprint("run.seed=2", NULL) != usual);
    MPI_ASSERT(fingerprint("training.epochs=3", NULL) != usual);
    MPI_ASSERT(fingerprint("network.channels=8", NULL) != usual);
    MPI_ASSERT(fingerprint(other, NULL) != usual);
    MPI_ASSERT(fingerprint("images.train_limit=20", NULL) != usual);

    /* the same name, but other pixels in the file */
    if (rank == 0) write_cifar("test.bin", TEST, 5);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_ASSERT(fingerprint(NULL, NULL) != usual);
    if (rank == 0) write_cifar("test.bin", TEST, 3);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_ASSERT(fingerprint(NULL, NULL) == usual);
}

/* No trainer, and the same message on all ranks. */
static void expect_refusal(const char *first, const char *second, const struct space *s, MPI_Comm team, const char *words)
{
    struct trainer *t;
    struct recipe r;
    char message[1024];
    MPI_ASSERT(open_trainer(&t, &r, first, second, s, team) == STATUS_INPUT);
    MPI_ASSERT(t == NULL);
    const bool good = strstr(status_message(), words) != NULL;
    if (!good) fprintf(stderr, "'%s' should contain '%s'\n", status_message(), words);
    MPI_ASSERT(good);
    snprintf(message, sizeof message, "%s", status_message());
    MPI_Bcast(message, sizeof message, MPI_CHAR, 0, MPI_COMM_WORLD);
    MPI_ASSERT(strcmp(message, status_message()) == 0);
    status_clear();
    recipe_destroy(&r);
}

static void test_what_does_not_fit(void **state)
{
    (void)state;
    struct space other;
    char words[200], batch[40];
    expect_refusal("training.batch=43", NULL, &cells, MPI_COMM_SELF,
                   "recipe.ini: training.batch = 43, but of 42 training images only 42 are used (training.share = 1)");
    expect_refusal("code.batch=22", NULL, &cells, MPI_COMM_SELF,
                   "recipe.ini: code.batch = 22, but of 42 training images only 21 are used (code.share = 0.5)");
    expect_refusal("code.share=1e-6", NULL, &cells, MPI_COMM_SELF, "only 0 are used");
    expect_refusal("images.train_limit=11", NULL, &cells, MPI_COMM_SELF, "recipe.ini: ");
    expect_refusal("network.stages=8", NULL, &cells, MPI_COMM_SELF, "images of 32 x 32 pixels cannot be halved 7 times");
    expect_refusal("images.train=nowhere.bin", NULL, &cells, MPI_COMM_SELF, "nowhere.bin");
    if (ranks > 1) { /* no multiple of the team */
        snprintf(batch, sizeof batch, "code.batch=%d", 2 * ranks - 1);
        snprintf(words, sizeof words, "recipe.ini: code.batch = %d cannot be shared by %d ranks", 2 * ranks - 1, ranks);
        expect_refusal(batch, NULL, &cells, MPI_COMM_WORLD, words);
    }
    sample_space(&other, 20, 5, SAMPLE_ALL, 1); /* of operations that no network has */
    expect_refusal(NULL, NULL, &other, MPI_COMM_SELF, "op_");
    space_destroy(&other);
}

/* A file that is cut short is named, whoever reads it. */
static void test_damaged_images(void **state)
{
    (void)state;
    char override[400];
    if (rank == 0) {
        write_cifar("short.bin", 3, 1);
        assert_int_equal(truncate(scratch("short.bin"), 2 * RECORD + 100), 0);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    snprintf(override, sizeof override, "images.train=%s", scratch("short.bin"));
    expect_refusal(override, NULL, &cells, MPI_COMM_SELF, "short.bin");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_images, set_up),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_measures),
        cmocka_unit_test(test_teams),
        cmocka_unit_test(test_fingerprint),
        cmocka_unit_test(test_what_does_not_fit),
        cmocka_unit_test_teardown(test_damaged_images, tear_down),
    };
    RANKS_MAIN(tests);
}
