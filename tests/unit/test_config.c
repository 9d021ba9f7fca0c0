/* Ini text against a table: lines, comments, lists, ranges, overrides, and a message for every kind of mistake. */
#include "config.h"
#include "status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct config_key table[] = {
    {"file", "name", CONFIG_TEXT, 1, CONFIG_REQUIRED, "a.nc", 0, 0, 0, 0, "where it is"},
    {"file", "note", CONFIG_TEXT, 1, 0, "", 0, 0, 0, 0, "anything"},
    {"file", "tags", CONFIG_TEXT, CONFIG_ANY, 0, "x, y", 0, 0, 0, 0, "labels"},
    {"work", "steps", CONFIG_INT, 1, 0, "10", 1, 100, 0, "steps", "how long it takes"},
    {"work", "sizes", CONFIG_INT, CONFIG_ANY, CONFIG_SORTED, "3, 1", 1, 1000, 0, 0, "how large"},
    {"work", "rates", CONFIG_REAL, 2, 0, "0.5, 1e-07", 0, 1, 0, 0, "how fast"},
    {"work", "mode", CONFIG_CHOICE, 1, 0, "slow", 0, 0, "slow|fast", 0, "how"},
    {"work", "ranks", CONFIG_INT, 1, CONFIG_LOCAL, "1", 1, 9, 0, 0, "how many"},
};
enum { KEYS = sizeof table / sizeof table[0] };

static int create(struct config *c, const char *text, const char *override)
{
    return config_create(c, table, KEYS, "job.ini", text, &override, override != NULL);
}

static void expect_numbers(const struct config *c, const char *key, const double *expected, int count)
{
    const struct config_value *v = config_get(c, "work", key);
    assert_int_equal(v->count, count);
    for (int i = 0; i < count; i++) assert_true(v->number[i] == expected[i]);
}

/* The text must be refused with a message that begins with `begin` and contains `part`. */
static void expect_refusal(const char *text, const char *override, const char *begin, const char *part)
{
    struct config c;
    status_clear();
    assert_int_equal(create(&c, text, override), STATUS_INPUT);
    if (strncmp(status_message(), begin, strlen(begin)) != 0 || strstr(status_message(), part) == NULL)
        fail_msg("message '%s' should begin with '%s' and contain '%s'", status_message(), begin, part);
    assert_null(strchr(status_message(), '\n'));
    assert_null(c.value); /* nothing is left to destroy */
    status_clear();
}

static void test_defaults(void **state)
{
    (void)state;
    struct config c;
    assert_int_equal(create(&c, "[file]\nname = b.nc\n", NULL), STATUS_OK);
    assert_string_equal(config_get(&c, "file", "name")->item[0], "b.nc");
    assert_int_equal(config_get(&c, "file", "name")->line, 2);
    assert_string_equal(config_get(&c, "file", "note")->item[0], "");
    assert_int_equal(config_get(&c, "file", "tags")->count, 2);
    assert_string_equal(config_get(&c, "file", "tags")->item[1], "y");
    assert_int_equal(config_get(&c, "work", "steps")->line, CONFIG_DEFAULT);
    expect_numbers(&c, "steps", (double[]){10}, 1);
    expect_numbers(&c, "sizes", (double[]){1, 3}, 2);
    expect_numbers(&c, "rates", (double[]){0.5, 1e-7}, 2);
    expect_numbers(&c, "mode", (double[]){0}, 1);
    config_destroy(&c);
}

static void test_layout_of_text(void **state)
{
    (void)state;
    struct config c;
    assert_int_equal(create(&c, "\xEF\xBB\xBF; comment\r\n# comment\r\n\r\n  [work]\r\n\tsteps=7 ; why\r\n  mode : fast # how\r\n"
                                "[file]\nname = a#b;c  \n note = x = y\n[work]\nranks = 2", NULL), STATUS_OK);
    expect_numbers(&c, "steps", (double[]){7}, 1);
    expect_numbers(&c, "mode", (double[]){1}, 1);
    expect_numbers(&c, "ranks", (double[]){2}, 1);
    assert_int_equal(config_get(&c, "work", "steps")->line, 5);
    assert_int_equal(config_get(&c, "work", "ranks")->line, 11);
    assert_string_equal(config_get(&c, "file", "name")->item[0], "a#b;c");
    assert_string_equal(config_get(&c, "file", "note")->item[0], "x = y");
    config_destroy(&c);
}

static void test_lists(void **state)
{
    (void)state;
    struct config c;
    assert_int_equal(create(&c, "[file]\nname = a\ntags = p ,q r,s\n[work]\nsizes = 50..20..", NULL), STATUS_INPUT);
    status_clear();
    assert_int_equal(create(&c, "[file]\nname = a\ntags = p ,q r,s\n[work]\nsizes = 90, 30..70:20, 1..3, 70 .. 75 : 3\n", NULL),
                     STATUS_OK);
    expect_numbers(&c, "sizes", (double[]){1, 2, 3, 30, 50, 70, 73, 90}, 8);
    assert_string_equal(config_get(&c, "work", "sizes")->text, "1, 2, 3, 30, 50, 70, 73, 90");
    assert_int_equal(config_get(&c, "file", "tags")->count, 3);
    assert_string_equal(config_get(&c, "file", "tags")->text, "p, q r, s");
    config_destroy(&c);
}

static void test_override(void **state)
{
    (void)state;
    struct config c;
    const char *const override[] = {"work.steps=5", "work.steps = 6", "file.note=a.b=c", "work.rates=1,0"};
    assert_int_equal(config_create(&c, table, KEYS, "job.ini", "[file]\nname=a\n[work]\nsteps=1000\n", override, 4), STATUS_OK);
    expect_numbers(&c, "steps", (double[]){6}, 1);
    assert_int_equal(config_get(&c, "work", "steps")->line, CONFIG_OVERRIDE);
    assert_string_equal(config_get(&c, "file", "note")->item[0], "a.b=c");
    expect_numbers(&c, "rates", (double[]){1, 0}, 2);
    config_destroy(&c);
}

static void test_parameters(void **state)
{
    (void)state;
    struct config c;
    char *text;
    assert_int_equal(create(&c, "[work]\nsizes=5..6\nrates=0.10,1\nranks=4\n[file]\nname=a\n", "work.mode = fast "),
                     STATUS_OK);
    assert_int_equal(config_parameters(&text, &c), STATUS_OK);
    assert_string_equal(text, "file.name = a\nfile.note =\nfile.tags = x, y\nwork.steps = 10\nwork.sizes = 5, 6\n"
                              "work.rates = 0.1, 1\nwork.mode = fast\n");
    free(text);
    config_destroy(&c);
}

static void test_example(void **state)
{
    (void)state;
    char *text;
    size_t length;
    FILE *f = open_memstream(&text, &length);
    config_example(f, table, KEYS);
    fclose(f);
    assert_non_null(strstr(text, "[file]\n# where it is\n#   text, required (no default)\nname = a.nc\n"));
    assert_non_null(strstr(text, "\n# anything\n#   text, default: none\nnote =\n"));
    assert_non_null(strstr(text, "\n[work]\n# how long it takes\n#   integer in [1, 100], unit: steps, default: 10\nsteps = 10\n"));
    assert_non_null(strstr(text, "\n#   2 numbers in [0, 1], default: 0.5, 1e-07\n"));
    struct config c;
    assert_int_equal(create(&c, text, NULL), STATUS_OK); /* the example is itself a valid file */
    expect_numbers(&c, "sizes", (double[]){1, 3}, 2);
    config_destroy(&c);
    free(text);
}

#define NAME "[file]\nname = a\n"

static void test_unknown_keys(void **state)
{
    (void)state;
    expect_refusal(NAME "[work]\nstepps = 3\n", NULL, "job.ini:4: ", "unknown key work.stepps; the nearest known one is steps");
    expect_refusal(NAME "[wrok]\nsteps = 3\n", NULL, "job.ini:4: ", "unknown section [wrok]; the nearest known one is work");
    expect_refusal(NAME "steps = 3\n", NULL, "job.ini:3: ", "the nearest known one is work.steps");
    expect_refusal("name = a\n", NULL, "job.ini:1: ", "the nearest known one is file.name");
    expect_refusal(NAME "[work]\nqqqqqqqqqq = 1\n", NULL, "job.ini:4: ", "known are steps, sizes, rates, mode, ranks");
    expect_refusal(NAME, "work.moode=fast", "-P work.moode=fast: ", "the nearest known one is mode");
    expect_refusal(NAME, "wrk.mode=fast", "-P wrk.mode=fast: ", "the nearest known one is work");
    expect_refusal(NAME, "mode=fast", "-P mode=fast: ", "the nearest known one is work.mode");
    expect_refusal(NAME, "work.mode", "-P work.mode: ", "write -P section.key=value");
}

static void test_wrong_layout(void **state)
{
    (void)state;
    expect_refusal(NAME "name = b\n", NULL, "job.ini:3: file.name is set twice", "first in line 2");
    expect_refusal("[file\nname = b\n", NULL, "job.ini:1: ", "] is missing");
    expect_refusal(NAME "[wo#rk]\nsteps = 3\n", NULL, "job.ini:4: ", "unknown section [wo#rk]");
    expect_refusal(NAME "\n\nnonsense\n", NULL, "job.ini:5: ", "key = value");
    expect_refusal("[work]\nsteps = 3\n", NULL, "job.ini: file.name is missing", "'name = a.nc' to [file]; where it is");
    char line[600] = NAME "note = ";
    memset(line + strlen(line), 'x', 500);
    expect_refusal(line, NULL, "job.ini:3: ", "longer than");
    struct config c;
    line[strlen(NAME "note =") + 1] = '#'; /* of a comment the length does not matter */
    assert_int_equal(create(&c, line, NULL), STATUS_OK);
    assert_string_equal(config_get(&c, "file", "note")->item[0], "");
    config_destroy(&c);
}

static void test_wrong_values(void **state)
{
    (void)state;
    expect_refusal(NAME "[work]\nsteps = 0\n", NULL, "job.ini:4: work.steps = 0: ", "must lie in [1, 100]; how long it takes");
    expect_refusal(NAME, "work.steps=101", "-P work.steps = 101: ", "must lie in [1, 100]");
    expect_refusal(NAME "[work]\nsteps = ten\n", NULL, "job.ini:4: work.steps = ten: ", "not an integer");
    expect_refusal(NAME "[work]\nsteps = 3.5\n", NULL, "job.ini:4: work.steps = 3.5: ", "not an integer");
    expect_refusal(NAME "[work]\nsteps = 99999999999999999999\n", NULL, "job.ini:4: ", "not an integer");
    expect_refusal(NAME "[work]\nsteps =\n", NULL, "job.ini:4: ", "not an integer");
    expect_refusal(NAME "[work]\nsteps = 1..3\n", NULL, "job.ini:4: ", "not an integer");
    expect_refusal(NAME "[work]\nrates = 0.5\n", NULL, "job.ini:4: ", "has 1 items where 2 are needed");
    expect_refusal(NAME "[work]\nrates = 0.5, nan\n", NULL, "job.ini:4: work.rates = nan: ", "not a number");
    expect_refusal(NAME "[work]\nrates = 0.5, 1.5\n", NULL, "job.ini:4: work.rates = 1.5: ", "must lie in [0, 1]");
    expect_refusal(NAME "[work]\nrates = 0.5, 1e\n", NULL, "job.ini:4: ", "not a number");
    expect_refusal(NAME "[work]\nmode = fas\n", NULL, "job.ini:4: work.mode = fas: ", "must be one of slow|fast");
    expect_refusal(NAME "[work]\nmode = slow|fast\n", NULL, "job.ini:4: ", "must be one of slow|fast");
    expect_refusal("[file]\nname =\n", NULL, "job.ini:2: ", "is empty");
}

static void test_wrong_lists(void **state)
{
    (void)state;
    expect_refusal(NAME "[work]\nsizes = 1, , 2\n", NULL, "job.ini:4: ", "an item of the list is empty");
    expect_refusal(NAME "[work]\nsizes = 1,\n", NULL, "job.ini:4: ", "an item of the list is empty");
    expect_refusal(NAME "[work]\nsizes = 9..3\n", NULL, "job.ini:4: work.sizes = 9..3: ", "goes upward");
    expect_refusal(NAME "[work]\nsizes = 3..9:0\n", NULL, "job.ini:4: ", "step must be at least 1");
    expect_refusal(NAME "[work]\nsizes = 3..9:x\n", NULL, "job.ini:4: ", "step is not an integer");
    expect_refusal(NAME "[work]\nsizes = 3..\n", NULL, "job.ini:4: ", "a range looks like");
    expect_refusal(NAME "[work]\nsizes = 3..2000\n", NULL, "job.ini:4: work.sizes = 3..2000: ", "must lie in [1, 1000]");
    expect_refusal(NAME "[work]\nsizes = -9223372036854775807..9223372036854775807\n", NULL, "job.ini:4: ", "must lie in");
}

static void test_too_many_values(void **state)
{
    (void)state;
    static const struct config_key large = {"s", "k", CONFIG_INT, CONFIG_ANY, 0, "1", 0, 1e15, 0, 0, "large"};
    struct config_value v = {0};
    status_clear();
    assert_int_equal(config_value_parse(&v, &large, "0..1000000000000000", "x:"), STATUS_INPUT);
    assert_non_null(strstr(status_message(), "gives too many values"));
    assert_null(v.number);
    status_clear();
    assert_int_equal(config_value_parse(&v, &large, "1000000000000000", "x:"), STATUS_OK);
    assert_string_equal(v.text, "1000000000000000");
    config_value_destroy(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),     cmocka_unit_test(test_layout_of_text), cmocka_unit_test(test_lists),
        cmocka_unit_test(test_override),     cmocka_unit_test(test_parameters),     cmocka_unit_test(test_example),
        cmocka_unit_test(test_unknown_keys), cmocka_unit_test(test_wrong_layout),   cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_wrong_lists),  cmocka_unit_test(test_too_many_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
