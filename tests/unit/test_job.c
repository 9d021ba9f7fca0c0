/* Job files: defaults against the published constants, what each key sets, checks between keys, equal text on all
 * ranks, the documented example and the jobs of the paper. */
#include "job.h"
#include "status.h"

#include "ranks.h"

#include <string.h>
#include <unistd.h>

static char path[300]; /* of the job file that a test writes */

static int read_job(struct job *j, const char *text, const char *override)
{
    status_clear();
    if (rank == 0) scratch_write("test_job.ini", text);
    int status = job_read(j, path, &override, override != NULL, MPI_COMM_WORLD);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) unlink(path);
    return status;
}

#define SPACE "[space]\nfile = s.nc\ndataset = cifar10\n"
#define LEAST SPACE "[experiment]\npredictor = naive\nN = 30\n"

/* The job must be refused with a message that holds `place` (behind the path) and `part`, the same on all ranks. */
static void expect_refusal(const char *text, const char *override, const char *place, const char *part)
{
    struct job j;
    MPI_ASSERT(read_job(&j, text, override) == STATUS_INPUT);
    const char *message = status_message();
    bool good = strstr(message, place) != NULL && strstr(message, part) != NULL && strchr(message, '\n') == NULL;
    if (!good) fprintf(stderr, "'%s' should contain '%s' and '%s'\n", message, place, part);
    MPI_ASSERT(good);
    MPI_ASSERT(j.text == NULL && j.path == NULL);
    status_clear();
}

static void test_defaults(void **state)
{
    (void)state;
    struct job j;
    MPI_ASSERT(read_job(&j, LEAST, NULL) == STATUS_OK);
    assert_string_equal(j.path, path);
    assert_string_equal(j.text, LEAST);
    assert_string_equal(j.space, "s.nc");
    assert_int_equal(j.datasets, 1);
    assert_string_equal(j.dataset[0], "cifar10");
    assert_string_equal(j.code, "early_loss");
    assert_int_equal(j.code_length, 3);
    assert_int_equal(j.code_transform, CODE_RAW);
    assert_false(j.label_is_validation);
    assert_false(j.drop_missing);
    assert_string_equal(j.filter, "");
    assert_int_equal(j.methods, 1);
    assert_int_equal(j.method[0].predictor, PREDICTOR_NAIVE);
    assert_int_equal(j.budgets, 1);
    assert_int_equal(j.n[0], 30);
    assert_int_equal(j.trials, 100);
    assert_int_equal(j.first_trial, 1);
    assert_true(j.seed == 1);
    assert_int_equal(j.ranks_per_trial, 1);
    assert_int_equal(j.ks, 3);
    assert_int_equal(j.k[0], 10);
    assert_int_equal(j.k[2], 30);
    assert_string_equal(j.output, "test_job.nc");
    job_destroy(&j);
}

/* The published constants stand in the table of keys and in trial_defaults(): they must not drift apart. */
static void test_defaults_are_the_published_ones(void **state)
{
    (void)state;
    struct job j;
    struct trial_settings d;
    trial_defaults(&d);
    MPI_ASSERT(read_job(&j, LEAST, NULL) == STATUS_OK);
    const struct trial_settings *s = &j.settings;
    assert_int_equal(s->batch, d.batch);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(s->epochs[i], d.epochs[i]);
        assert_true(s->learning_rate[i] == d.learning_rate[i]);
    }
    assert_true(s->huber_delta == d.huber_delta);
    assert_true(s->adam_beta1 == d.adam_beta1 && s->adam_beta2 == d.adam_beta2 && s->adam_epsilon == d.adam_epsilon);
    assert_true(s->norm_momentum == d.norm_momentum && s->norm_epsilon == d.norm_epsilon);
    assert_int_equal(s->efm_value_own, d.efm_value_own);
    assert_true(s->rank_loss == d.rank_loss && s->standardise == d.standardise && s->prune == d.prune && s->ensemble == d.ensemble);
    assert_int_equal(s->acquisition.epochs, d.acquisition.epochs);
    assert_true(s->initial_share == d.initial_share && s->part == d.part);
    assert_int_equal(s->rounds, d.rounds);
    assert_int_equal(s->c_train, d.c_train);
    assert_int_equal(s->c_evaluate, d.c_evaluate);
    assert_int_equal(s->k_max, d.k_max);
    assert_int_equal(s->epochs[1], 100);
    assert_true(s->learning_rate[2] == 1e-4);
    job_destroy(&j);
}

static void test_every_key(void **state)
{
    (void)state;
    static const char text[] =
        "[space]\nfile = a/b.nc\ndataset = cifar10, cifar100\nlabel = validation_accuracy\ncode = synflow ,naswot\n"
        "code_length = 5\ncode_transform = log\nmissing = drop\nfilter = flops<35\n"
        "[experiment]\npredictor = siamese+nsam+fts, random\nN = 100, 40..60:10\ntrials = 7\nfirst_trial = 101\n"
        "seed = 9007199254740991\nranks_per_trial = 3\n"
        "[training]\nbatch = 16\nepochs = 1, 20, 3, 4\nlearning_rate = 0.1, 0.2, 0.3, 0.4\nhuber_delta = 0.25\n"
        "adam_beta1 = 0.8\nadam_beta2 = 0.99\nadam_epsilon = 1e-8\nnorm_momentum = 0.9\nnorm_epsilon = 1e-3\nefm_value = own\n"
        "loss = rank\nprune = yes\nensemble = 4\n"
        "[sampling]\ninitial_share = 0.5\nrounds = 6\npart = 0.2\nc = 31\n"
        "[acquisition]\nepochs = 17\n"
        "[evaluation]\nc = 61\nK = 50, 5\nK_max = 50\n"
        "[output]\nfile = out/r.nc\n";
    static const int n[] = {40, 50, 60, 100}, epochs[] = {1, 20, 3, 4};
    static const double learning_rate[] = {0.1, 0.2, 0.3, 0.4};
    struct job j;
    MPI_ASSERT(read_job(&j, text, NULL) == STATUS_OK);
    const struct trial_settings *s = &j.settings;
    assert_string_equal(j.space, "a/b.nc");
    assert_int_equal(j.datasets, 2);
    assert_string_equal(j.dataset[1], "cifar100");
    assert_true(j.label_is_validation && j.drop_missing);
    assert_string_equal(j.code, "synflow,naswot");
    assert_int_equal(j.code_length, 5);
    assert_int_equal(j.code_transform, CODE_LOG);
    assert_string_equal(j.filter, "flops<35");
    assert_int_equal(j.methods, 2);
    assert_true(j.method[0].predictor == PREDICTOR_SIAMESE_NSAM && j.method[0].sampler == SAMPLER_FTS);
    assert_true(j.method[1].predictor == PREDICTOR_RANDOM && j.method[1].sampler == SAMPLER_RANDOM);
    assert_int_equal(j.budgets, 4);
    for (int i = 0; i < 4; i++) assert_int_equal(j.n[i], n[i]);
    assert_true(j.trials == 7 && j.first_trial == 101 && j.ranks_per_trial == 3);
    assert_true(j.seed == 9007199254740991u);
    assert_int_equal(s->batch, 16);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(s->epochs[i], epochs[i]);
        assert_true(s->learning_rate[i] == learning_rate[i]);
    }
    assert_true(s->huber_delta == 0.25 && s->adam_beta1 == 0.8 && s->adam_beta2 == 0.99 && s->adam_epsilon == 1e-8);
    assert_true(s->norm_momentum == 0.9 && s->norm_epsilon == 1e-3 && s->efm_value_own);
    assert_true(s->rank_loss && !s->standardise && s->prune && s->ensemble == 4 && s->acquisition.epochs == 17);
    assert_true(s->initial_share == 0.5 && s->rounds == 6 && s->part == 0.2 && s->c_train == 31 && s->c_evaluate == 61);
    assert_true(j.ks == 2 && j.k[0] == 5 && j.k[1] == 50 && s->k_max == 50);
    assert_string_equal(j.output, "out/r.nc");
    job_destroy(&j);
}

static void test_ensemble(void **state)
{
    (void)state;
    struct job j;
    static const char *const asks[] = {"experiment.predictor=naive+ei", "experiment.predictor=siamese+ts",
                                       "experiment.predictor=gp+ei,siamese+nsam+ucb"};
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        expect_refusal(LEAST, asks[i], "training.ensemble = 1: ", "one network cannot say");
        MPI_ASSERT(read_job(&j, LEAST "[training]\nensemble = 2\n", asks[i]) == STATUS_OK);
        job_destroy(&j);
    }
    MPI_ASSERT(read_job(&j, LEAST, "experiment.predictor=gp+ei") == STATUS_OK);
    job_destroy(&j);
    expect_refusal(LEAST "[training]\nensemble = 0\n", NULL, ":8: training.ensemble = 0", "1");
    expect_refusal(LEAST "[training]\nloss = rank\ntargets = standardised\n", NULL, ":9: training.targets = standardised", "leave this out");
    MPI_ASSERT(read_job(&j, LEAST, "training.targets=standardised") == STATUS_OK);
    MPI_ASSERT(j.settings.standardise && !j.settings.rank_loss);
    job_destroy(&j);
}

#define COMMAND "[candidate]\nsource = command\ncommand = python3 train.py --fast\n"

static void test_candidate_keys(void **state)
{
    (void)state;
    struct job j;
    MPI_ASSERT(read_job(&j, LEAST, NULL) == STATUS_OK);
    assert_int_equal(j.source, JOB_TABLE);
    assert_string_equal(j.recipe, "");
    assert_string_equal(j.command, "");
    assert_string_equal(j.ledger, "");
    assert_true(j.timeout == 86400 && j.ranks_per_candidate == 1);
    job_destroy(&j);
    MPI_ASSERT(read_job(&j, LEAST COMMAND "timeout = 0.5\n", NULL) == STATUS_OK);
    assert_int_equal(j.source, JOB_COMMAND);
    assert_string_equal(j.command, "python3 train.py --fast");
    assert_string_equal(j.ledger, "s.ledger");
    assert_true(j.timeout == 0.5);
    job_destroy(&j);
    static const char train[] =
        LEAST "[candidate]\nsource = train\nrecipe = digits.ini\nranks_per_candidate = 4\nledger = x/y\n";
    MPI_ASSERT(read_job(&j, train, NULL) == STATUS_OK);
    assert_int_equal(j.source, JOB_TRAIN);
    assert_string_equal(j.recipe, "digits.ini");
    assert_string_equal(j.ledger, "x/y");
    assert_int_equal(j.ranks_per_candidate, 4);
    assert_null(strstr(j.parameters, "ranks_per_candidate"));
    assert_null(strstr(j.parameters, "ledger"));
    assert_non_null(strstr(j.parameters, "candidate.source = train\ncandidate.recipe = digits.ini\n"));
    job_destroy(&j);
    MPI_ASSERT(read_job(&j, LEAST COMMAND, "space.file=folder.nc/space") == STATUS_OK);
    assert_string_equal(j.ledger, "folder.nc/space.ledger");
    job_destroy(&j);
}

static void test_candidate_checks(void **state)
{
    (void)state;
    expect_refusal(LEAST "[candidate]\nsource = command\n", NULL, ":8: candidate.source = command:", "needs candidate.command");
    expect_refusal(LEAST "[candidate]\nsource = train\n", NULL, ":8: candidate.source = train:", "needs candidate.recipe");
    expect_refusal(LEAST "[candidate]\nsource = guess\n", NULL, ":8: candidate.source = guess:", "table|train|command");
    expect_refusal(LEAST COMMAND "recipe = x.ini\n", NULL, ":10: candidate.recipe = x.ini:", "for candidate.source = train only");
    expect_refusal(LEAST "[candidate]\ncommand = x\n", NULL, ":8: candidate.command = x:", "for candidate.source = command only");
    expect_refusal(LEAST COMMAND "ranks_per_candidate = 2\n", NULL, ":10: candidate.ranks_per_candidate = 2:", "train only");
    expect_refusal(LEAST "[candidate]\nledger = x\n", NULL, ":8: candidate.ledger = x:", "a table needs none");
    expect_refusal(LEAST COMMAND "timeout = 0\n", NULL, ":10: candidate.timeout = 0:", "must lie in [0.01, 1000000000]");
    expect_refusal(LEAST COMMAND, "space.dataset=a,b", "-P space.dataset = a, b:", "one name");
    expect_refusal(LEAST COMMAND, "space.dataset=a:b", "-P space.dataset = a:b:", "colons");
    expect_refusal(LEAST COMMAND, "space.code_length=65", "-P space.code_length = 65:", "at most 64");
    expect_refusal(LEAST COMMAND, "space.filter=validation_accuracy:a>50", "-P space.filter", "measured only after");
    expect_refusal(LEAST COMMAND, "space.filter=early_loss:1<2", "-P space.filter", "measured only after");
    struct job j;
    MPI_ASSERT(read_job(&j, LEAST COMMAND, "space.code_length=64") == STATUS_OK);
    job_destroy(&j);
}

/* Results are compared byte by byte for any group size, so what cannot change them is not among the parameters. */
static void test_parameters(void **state)
{
    (void)state;
    struct job a, b;
    MPI_ASSERT(read_job(&a, LEAST, NULL) == STATUS_OK);
    MPI_ASSERT(read_job(&b, LEAST "ranks_per_trial = 4\n[output]\nfile = x.nc\n", NULL) == STATUS_OK);
    assert_string_equal(a.parameters, b.parameters);
    assert_non_null(strstr(a.parameters, "experiment.N = 30\nexperiment.trials = 100\n"));
    assert_non_null(strstr(a.parameters, "\ntraining.epochs = 40, 100, 60, 3\n"));
    job_destroy(&b);
    MPI_ASSERT(read_job(&b, LEAST, "experiment.trials=3") == STATUS_OK);
    assert_int_equal(b.trials, 3);
    assert_non_null(strstr(b.parameters, "\nexperiment.trials = 3\n"));
    assert_string_equal(b.text, a.text);
    job_destroy(&a);
    job_destroy(&b);
}

static void test_checks_between_keys(void **state)
{
    (void)state;
    expect_refusal(LEAST, "experiment.N=3", "-P experiment.N = 3:", "must lie in [4, 16777215]");
    expect_refusal(LEAST "[training]\nepochs = 40, 100, 60, 30\n", NULL, ":6: experiment.N = 30:", "N must be at least 31");
    expect_refusal(SPACE "[experiment]\npredictor = naive, naive+bts\nN = 6, 200\n", NULL, ":6: experiment.N = 6, 200:",
                   "N must be at least 7");
    expect_refusal(SPACE "[experiment]\npredictor = siamse\nN = 6\n", NULL, ":5: experiment.predictor = siamse:",
                   "unknown method 'siamse'");
    expect_refusal(SPACE "[experiment]\npredictor = random+bts\nN = 6\n", NULL, ":5: ", "random learns nothing");
    expect_refusal(SPACE "[experiment]\npredictor = naive, random, naive\nN = 6\n", NULL, ":5: ", "naive is named twice");
    expect_refusal(LEAST, "space.dataset=a,b,a", "-P space.dataset", "a is named twice");
    expect_refusal(LEAST "[evaluation]\nK = 10, 300\n", NULL, ":8: evaluation.K = 10, 300:", "larger than evaluation.K_max = 200");
    expect_refusal(SPACE "[experiment]\npredictor = naive+bts\nN = 30\n", "sampling.rounds=100", "-P sampling.rounds = 100:",
                   "less than the 100 epochs");
    expect_refusal(LEAST, "output.file=result.txt", "-P output.file", "ends in .nc");
    expect_refusal(LEAST "trails = 3\n", NULL, ":7: ", "unknown key experiment.trails; the nearest known one is trials");
    struct job j;
    MPI_ASSERT(read_job(&j, SPACE "[experiment]\npredictor = naive+bts\nN = 7\n", NULL) == STATUS_OK);
    job_destroy(&j);
    MPI_ASSERT(read_job(&j, LEAST, "experiment.N=4") == STATUS_OK);
    job_destroy(&j);
}

static void test_unreadable_files(void **state)
{
    (void)state;
    struct job j;
    status_clear();
    MPI_ASSERT(job_read(&j, "/no/such/job.ini", NULL, 0, MPI_COMM_WORLD) == STATUS_INPUT);
    MPI_ASSERT(strstr(status_message(), "/no/such/job.ini: cannot open") != NULL); /* only rank 0 looked */
    status_clear();
    MPI_ASSERT(job_read(&j, "tests", NULL, 0, MPI_COMM_WORLD) == STATUS_INPUT);
    MPI_ASSERT(strstr(status_message(), "tests: cannot read") != NULL);
    status_clear();
    expect_refusal("", NULL, "test_job.ini: ", "space.file is missing");
    if (rank == 0) {
        FILE *f = fopen(path, "wb");
        fwrite("CDF\0\1", 1, 5, f);
        fclose(f);
    }
    MPI_ASSERT(job_read(&j, path, NULL, 0, MPI_COMM_WORLD) == STATUS_INPUT);
    MPI_ASSERT(strstr(status_message(), "no text file") != NULL);
    status_clear();
    if (rank == 0) unlink(path);
}

static void test_example_is_up_to_date(void **state)
{
    (void)state;
    char *text;
    size_t length;
    FILE *f = open_memstream(&text, &length);
    job_example(f);
    fclose(f);
    struct job j;
    MPI_ASSERT(job_read(&j, "inputs/example.ini", NULL, 0, MPI_COMM_WORLD) == STATUS_OK);
    assert_string_equal(j.text, text); /* otherwise: siamese-nas run --example > inputs/example.ini */
    for (const char *line = strtok(j.parameters, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char entry[64];
        const char *key = strchr(line, '.') + 1;
        snprintf(entry, sizeof entry, "\n%.*s", (int)(strchr(key, '=') + 1 - key), key);
        assert_non_null(strstr(text, entry));
    }
    job_destroy(&j);
    free(text);
}

static void test_jobs_of_the_paper(void **state)
{
    (void)state;
    static const struct { const char *name; int datasets, methods, budgets, trials, first_n, last_n, last_k; } jobs[] = {
        {"quick", 1, 3, 1, 20, 60, 60, 30},        {"fig5-cifar10", 1, 4, 18, 100, 30, 200, 30},
        {"fig5-cifar100", 1, 4, 18, 100, 30, 200, 30}, {"fig6a", 1, 4, 1, 100, 30, 30, 170},
        {"fig6b", 1, 4, 18, 100, 30, 200, 30},     {"table1", 1, 2, 1, 10, 100, 100, 30},
        {"fig7-tiny201", 1, 4, 18, 100, 10, 95, 10}, {"ablation-siamese", 1, 2, 2, 20, 50, 100, 30},
    };
    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++) {
        char file[80];
        struct job j;
        snprintf(file, sizeof file, "jobs/%s.ini", jobs[i].name);
        int status = job_read(&j, file, NULL, 0, MPI_COMM_WORLD);
        if (status != STATUS_OK) fprintf(stderr, "%s\n", status_message());
        MPI_ASSERT(status == STATUS_OK);
        assert_string_equal(j.space, i == 0 ? "inputs/nas-bench-201-digits.nc" : "nas-bench-201.nc"); /* the first look needs no data */
        assert_true(j.drop_missing);
        assert_int_equal(j.datasets, jobs[i].datasets);
        assert_int_equal(j.methods, jobs[i].methods);
        assert_int_equal(j.budgets, jobs[i].budgets);
        assert_int_equal(j.trials, jobs[i].trials);
        assert_int_equal(j.n[0], jobs[i].first_n);
        assert_int_equal(j.n[j.budgets - 1], jobs[i].last_n);
        assert_int_equal(j.k[j.ks - 1], jobs[i].last_k);
        assert_true(strncmp(j.output, jobs[i].name, strlen(jobs[i].name)) == 0);
        job_destroy(&j);
    }
}

static void test_live_job(void **state)
{
    (void)state;
    struct job j;
    MPI_ASSERT(job_read(&j, "jobs/live-digits.ini", NULL, 0, MPI_COMM_WORLD) == STATUS_OK);
    assert_int_equal(j.source, JOB_TRAIN);
    assert_string_equal(j.recipe, "jobs/digits-recipe.ini");
    assert_string_equal(j.ledger, "live-digits-space.ledger");
    assert_int_equal(j.ranks_per_trial, 2);
    job_destroy(&j);
}

static int make_folder(void **state)
{
    int failed = ranks_scratch_open(state);
    snprintf(path, sizeof path, "%s", scratch("test_job.ini"));
    return failed;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_defaults, make_folder),
        cmocka_unit_test(test_defaults_are_the_published_ones),
        cmocka_unit_test(test_every_key), cmocka_unit_test(test_ensemble), cmocka_unit_test(test_candidate_keys), cmocka_unit_test(test_candidate_checks),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_checks_between_keys),
        cmocka_unit_test(test_example_is_up_to_date),
        cmocka_unit_test(test_jobs_of_the_paper),
        cmocka_unit_test(test_live_job),
        cmocka_unit_test_teardown(test_unreadable_files, ranks_scratch_close),
    };
    RANKS_MAIN(tests);
}
