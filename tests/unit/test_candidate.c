/* Where values come from, and what is charged for them. */
#include "fixture.h"

#include "candidate.h"

#include <math.h>
#include <string.h>

enum { CELLS = 6, CODE = 4 };

static char first[] = "first", second[] = "second", table[] = "table.nc";
static char flops_name[] = "flops", synflow_name[] = "synflow", none[] = "";
static char *dataset[] = {first, second};
static double accuracy[2 * CELLS], validation[2 * CELLS], loss[CELLS * CODE], flops[CELLS], synflow[CELLS];
static struct space_signal signal[] = {{flops_name, none, none, flops}, {synflow_name, none, none, synflow}};
static struct space space;

static int setup(void **state)
{
    (void)state;
    for (int i = 0; i < CELLS; i++) {
        for (int d = 0; d < 2; d++) {
            accuracy[d * CELLS + i] = 50 + 10 * d + i;
            validation[d * CELLS + i] = 40 + 10 * d - i;
        }
        for (int e = 0; e < CODE; e++) loss[i * CODE + e] = 2.5 - 0.25 * i - 0.125 * e;
        flops[i] = 10 * i + 1;
        synflow[i] = -i;
    }
    accuracy[3] = 80; /* the best of the first data set */
    space = (struct space){.path = table, .cells = CELLS, .datasets = 2, .dataset = dataset, .accuracy = accuracy,
                           .validation_accuracy = validation, .code_length = CODE, .early_loss = loss, .signals = 2,
                           .signal = signal};
    status_clear();
    return 0;
}

static const struct candidate_options plain = {0, false, "early_loss", 3, CODE_RAW};

static struct candidate *create(const struct candidate_options *o)
{
    struct candidate *c = NULL;
    assert_int_equal(candidate_create(&c, &space, o), STATUS_OK);
    return c;
}

static void expect_cost(const struct candidate *c, int64_t trainings, int64_t codes)
{
    assert_int_equal(candidate_cost(c).trainings, trainings);
    assert_int_equal(candidate_cost(c).codes, codes);
}

static void test_charges(void **state)
{
    (void)state;
    struct candidate *c = create(&plain);
    const int64_t two[] = {4, 1}, again[] = {1, 5, 5, 4};
    double label[4], truth[4];
    float code[4 * 3];
    expect_cost(c, 0, 0);
    assert_true(candidate_truth(c, 2) == 0.52 && candidate_oracle(c) == 0.8); /* for judging, free */
    expect_cost(c, 0, 0);

    assert_int_equal(candidate_train(c, label, truth, two, 2), STATUS_OK);
    assert_true(label[0] == 0.54 && label[1] == 0.51 && truth[0] == 0.54 && truth[1] == 0.51);
    expect_cost(c, 2, 0);
    assert_int_equal(candidate_train(c, NULL, truth, again, 4), STATUS_OK); /* one new cell, twice in the list */
    assert_true(truth[0] == 0.51 && truth[1] == 0.55 && truth[2] == 0.55 && truth[3] == 0.54);
    expect_cost(c, 3, 0);
    assert_int_equal(candidate_train(c, label, NULL, again, 4), STATUS_OK); /* known values are free */
    assert_int_equal(candidate_train(c, NULL, NULL, again, 0), STATUS_OK);
    expect_cost(c, 3, 0);
    assert_int_equal(candidate_train(c, NULL, NULL, &(int64_t){0}, 1), STATUS_OK); /* paid although nothing is taken */
    expect_cost(c, 4, 0);

    assert_int_equal(candidate_code(c, code, again, 4), STATUS_OK); /* a code is not part of a training, nor the reverse */
    for (int i = 0; i < 4; i++)
        for (int e = 0; e < 3; e++) assert_true(code[i * 3 + e] == (float)loss[again[i] * CODE + e]);
    expect_cost(c, 4, 3);
    assert_int_equal(candidate_code(c, code, two, 2), STATUS_OK);
    expect_cost(c, 4, 3);
    assert_int_equal(candidate_code(c, code, &(int64_t){2}, 1), STATUS_OK);
    expect_cost(c, 4, 4);

    candidate_reset(c); /* a new account knows nothing */
    expect_cost(c, 0, 0);
    assert_int_equal(candidate_train(c, label, truth, again, 4), STATUS_OK);
    assert_int_equal(candidate_code(c, code, again, 4), STATUS_OK);
    expect_cost(c, 3, 3);
    candidate_destroy(&c);
    assert_null(c);
    candidate_destroy(&c);
    assert_true(CANDIDATE_CODE_COST == 0.003);
}

/* Every training once, when it was paid, with what had been paid by then. */
static void test_history(void **state)
{
    (void)state;
    const struct candidate_options validation_label = {0, true, "early_loss", 3, CODE_RAW};
    struct candidate *c = create(&validation_label);
    const struct candidate_purchase *p;
    float code[3 * 3];
    for (int account = 0; account < 2; account++) {
        assert_int_equal(candidate_history(&p, c), 0);
        assert_int_equal(candidate_train(c, NULL, NULL, (const int64_t[]){4, 1, 4}, 3), STATUS_OK);
        assert_int_equal(candidate_code(c, code, (const int64_t[]){0, 2, 4}, 3), STATUS_OK);
        assert_int_equal(candidate_train(c, NULL, NULL, (const int64_t[]){1, 0}, 2), STATUS_OK);
        static const int64_t cell[] = {4, 1, 0};
        static const double total[] = {1, 2, 3.009};
        assert_int_equal(candidate_history(&p, c), 3);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(p[i].cell, cell[i]);
            assert_true(p[i].label == validation[cell[i]] / 100 && p[i].accuracy == accuracy[cell[i]] / 100);
            assert_true(fabs(p[i].total - total[i]) < 1e-12);
        }
        candidate_reset(c);
    }
    candidate_destroy(&c);
}

/* Accounts on one space know nothing of each other. */
static void test_accounts(void **state)
{
    (void)state;
    struct candidate *a = create(&plain), *b = create(&plain);
    assert_int_equal(candidate_train(a, NULL, NULL, &(int64_t){3}, 1), STATUS_OK);
    expect_cost(b, 0, 0);
    assert_int_equal(candidate_train(b, NULL, NULL, &(int64_t){3}, 1), STATUS_OK);
    expect_cost(b, 1, 0);
    candidate_reset(a);
    expect_cost(b, 1, 0);
    candidate_destroy(&a);
    candidate_destroy(&b);
}

static void test_label(void **state)
{
    (void)state;
    const struct candidate_options other = {1, true, "early_loss", 1, CODE_RAW};
    struct candidate *c = create(&other);
    double label, truth;
    assert_int_equal(candidate_train(c, &label, &truth, &(int64_t){2}, 1), STATUS_OK);
    assert_true(label == 0.48 && truth == 0.62);
    assert_true(candidate_truth(c, 2) == 0.62); /* results are always judged by accuracy */
    assert_true(candidate_oracle(c) == 0.65);
    expect_cost(c, 1, 0); /* both together are one training */
    candidate_destroy(&c);
}

static void expect_code(const char *source, enum code_transform transform, int length, const double *expected)
{
    const struct candidate_options o = {0, false, source, 2, transform};
    struct candidate *c = create(&o);
    float code[8];
    assert_int_equal(candidate_code_length(c), length);
    assert_int_equal(candidate_code(c, code, &(int64_t){2}, 1), STATUS_OK);
    for (int e = 0; e < length; e++) assert_true(code[e] == (float)expected[e]);
    expect_cost(c, 0, 1);
    candidate_destroy(&c);
}

static void test_code(void **state)
{
    (void)state;
    expect_code("early_loss", CODE_RAW, 2, (double[]){2, 1.875});
    expect_code("early_loss", CODE_LOG, 2, (double[]){log(2), log(1.875)});
    expect_code("flops", CODE_RAW, 1, (double[]){21});
    expect_code("flops", CODE_LOG, 1, (double[]){log(21)});
    expect_code("synflow, flops", CODE_RAW, 2, (double[]){-2, 21});
    expect_code(" flops ,synflow,flops", CODE_RAW, 3, (double[]){21, -2, 21});
    space.early_loss = NULL; /* a space without losses has signals still */
    expect_code("flops", CODE_RAW, 1, (double[]){21});
    struct candidate *c = create(&plain);
    assert_int_equal(candidate_code_length(c), 0);
    candidate_destroy(&c);
}

static void expect_refusal(const struct candidate_options *o, const char *mention)
{
    struct candidate *c = (struct candidate *)&space;
    status_clear();
    assert_int_equal(candidate_create(&c, &space, o), STATUS_INPUT);
    assert_null(c);
    if (strstr(status_message(), mention) == NULL) {
        print_error("'%s' does not mention %s\n", status_message(), mention);
        fail();
    }
    status_clear();
}

static void test_refusals(void **state)
{
    (void)state;
    char many[65 * 6 + 1] = "", overlong[201];
    struct candidate_options o = plain;
    o.code_length = 5;
    expect_refusal(&o, "4 epochs");
    o.code_length = 3;
    o.code = "flop";
    expect_refusal(&o, "flop");
    o.code = "early_loss,flops"; /* the losses are no signal */
    expect_refusal(&o, "early_loss");
    o.code = "flops,,synflow";
    expect_refusal(&o, "empty");
    for (int i = 0; i < 65; i++) strcat(many, "flops,");
    o.code = many;
    expect_refusal(&o, "more than 64");
    memset(overlong, 'x', 200);
    overlong[200] = '\0';
    o.code = overlong;
    expect_refusal(&o, "overlong");
    o = plain;
    o.label_is_validation = true;
    space.validation_accuracy = NULL;
    expect_refusal(&o, "validation_accuracy");
}

/* Which cells are kept, as a text of 1 and 0; the first was dropped before and stays so. */
static void expect_missing(const struct candidate_options *o, bool needs_code, const char *expected)
{
    bool keep[CELLS];
    int64_t missing = 0;
    for (int i = 0; i < CELLS; i++) {
        keep[i] = true;
        missing += expected[i] == '0';
    }
    assert_int_equal(candidate_missing(&space, o, needs_code, keep), missing);
    for (int i = 0; i < CELLS; i++) assert_int_equal(keep[i], expected[i] == '1');
    for (int i = 0; i < CELLS; i++) keep[i] = false; /* never brings a cell back */
    candidate_missing(&space, o, needs_code, keep);
    for (int i = 0; i < CELLS; i++) assert_false(keep[i]);
}

static void test_missing(void **state)
{
    (void)state;
    struct candidate_options o = plain;
    expect_missing(&o, true, "111111");
    accuracy[0] = NAN;
    validation[1] = NAN;
    loss[2 * CODE + 2] = NAN; /* the third epoch */
    loss[4 * CODE + 3] = NAN; /* the fourth, which E = 3 does not read */
    accuracy[CELLS + 5] = NAN; /* of the other data set */
    loss[5 * CODE] = 1e300; /* no float holds it */
    expect_missing(&o, false, "011111");
    expect_missing(&o, true, "010110");
    o.label_is_validation = true;
    expect_missing(&o, true, "000110");
    o.label_is_validation = false;
    o.code_length = 2;
    expect_missing(&o, true, "011110");
    o.transform = CODE_LOG; /* the logarithm brings 1e300 into range, but takes 0 and what is below it out */
    loss[3 * CODE] = 0;
    loss[4 * CODE + 1] = -1;
    expect_missing(&o, true, "011001");
    o.transform = CODE_RAW;
    expect_missing(&o, true, "011110");
    o.dataset = 1;
    expect_missing(&o, false, "111110");
    o.code = "synflow";
    expect_missing(&o, true, "111110");
    o.transform = CODE_LOG; /* synflow is negative or 0 throughout */
    expect_missing(&o, true, "000000");
    o.code = "no_such_signal"; /* that is for candidate_create to say */
    expect_missing(&o, true, "111111");
    assert_string_equal(status_message(), "");
}

/* The oracle leaves out what is not known. */
static void test_oracle(void **state)
{
    (void)state;
    accuracy[3] = NAN;
    struct candidate *c = create(&plain);
    assert_true(candidate_oracle(c) == 0.55);
    candidate_destroy(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_charges, setup), cmocka_unit_test_setup(test_history, setup),
        cmocka_unit_test_setup(test_accounts, setup),
        cmocka_unit_test_setup(test_label, setup),   cmocka_unit_test_setup(test_code, setup),
        cmocka_unit_test_setup(test_refusals, setup), cmocka_unit_test_setup(test_missing, setup),
        cmocka_unit_test_setup(test_oracle, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
