/* Lists of "key = value" lines: what is found, what differs, what is replaced. */
#include "parameters.h"

#include "status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char list[] = "space.file = a.nc\nexperiment.trials = 3\nspace.filter =\nexperiment.first_trial = 1\nevaluation.K = 1, 2\n";
static const char *const nothing[] = {NULL};

static void test_find(void **state)
{
    (void)state;
    assert_ptr_equal(parameters_find(list, "space.file"), strstr(list, "a.nc"));
    assert_int_equal(strncmp(parameters_find(list, "evaluation.K"), "1, 2\n", 5), 0);
    assert_int_equal(*parameters_find(list, "space.filter"), '\n');
    assert_null(parameters_find(list, "experiment.trial")); /* only the beginning of a key, */
    assert_null(parameters_find(list, "trials"));           /* only its end */
    assert_null(parameters_find("", "trials"));
}

static void expect(const char *there, const char *here, const char *const *free_to, const char *words)
{
    char difference[PARAMETERS_DIFFERENCE_MAX] = "";
    assert_int_equal(parameters_differ(difference, there, here, free_to), words[0] != '\0');
    assert_string_equal(difference, words);
}

static void test_differ(void **state)
{
    (void)state;
    static const char *const keys[] = {"b.y", "c.", NULL};
    expect(list, list, nothing, "");
    expect("a = 1\nb = 2\n", "b = 2\na = 1\n", nothing, ""); /* in any order */
    expect("a = 1\nb = 2\n", "a = 1\nb = 3\n", nothing, "there b = 2, here b = 3");
    expect("a = 1\nb = 2\n", "a = 1\n", nothing, "there b = 2, here nothing");
    expect("a = 1\n", "a = 1\nb = 2", nothing, "there nothing, here b = 2");
    expect("a = 1\n", "a = 12\n", nothing, "there a = 1, here a = 12");
    expect("b.x = 1\nb.y = 1\nc.z = 4\n", "b.x = 1\nb.y = 2\nc.y = 3\n", keys, "");
    expect("b.yy = 1\n", "b.yy = 2\n", keys, "there b.yy = 1, here b.yy = 2"); /* a free key is no beginning of others */
    expect("c = 1\n", "c = 2\n", keys, "there c = 1, here c = 2");
}

/* Texts of strangers may be long: the message is cut, not more. */
static void test_long(void **state)
{
    (void)state;
    enum { LENGTH = 5000 };
    static char there[LENGTH], here[LENGTH];
    char difference[PARAMETERS_DIFFERENCE_MAX];
    memset(there, 'x', LENGTH - 1);
    memset(here, 'y', LENGTH - 1);
    memcpy(there, "a = ", 4);
    memcpy(here, "a = ", 4);
    assert_true(parameters_differ(difference, there, here, nothing));
    assert_int_equal(strlen(difference), PARAMETERS_DIFFERENCE_MAX - 1);
}

static void test_replace(void **state)
{
    (void)state;
    char *out;
    assert_int_equal(parameters_replace(&out, list, "experiment.trials", 12345), STATUS_OK);
    assert_string_equal(out, "space.file = a.nc\nexperiment.trials = 12345\nspace.filter =\nexperiment.first_trial = 1\n"
                             "evaluation.K = 1, 2\n");
    free(out);
    assert_int_equal(parameters_replace(&out, "a = 1", "a", 2), STATUS_OK);
    assert_string_equal(out, "a = 2");
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find), cmocka_unit_test(test_differ), cmocka_unit_test(test_long), cmocka_unit_test(test_replace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
