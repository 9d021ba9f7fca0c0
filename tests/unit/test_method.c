/* Method names: all there are, there and back, and what is refused. */
#include "method.h"
#include "status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_names_there_and_back(void **state)
{
    (void)state;
    static const struct { const char *name; enum predictor_kind predictor; enum sampler_kind sampler; bool code; } known[] = {
        {"random", PREDICTOR_RANDOM, SAMPLER_RANDOM, false},
        {"naive", PREDICTOR_NAIVE, SAMPLER_RANDOM, false},
        {"naive+bts", PREDICTOR_NAIVE, SAMPLER_BTS, false},
        {"naive+fts", PREDICTOR_NAIVE, SAMPLER_FTS, false},
        {"siamese", PREDICTOR_SIAMESE, SAMPLER_RANDOM, true},
        {"siamese+bts", PREDICTOR_SIAMESE, SAMPLER_BTS, true},
        {"siamese+fts", PREDICTOR_SIAMESE, SAMPLER_FTS, true},
        {"siamese+nsam", PREDICTOR_SIAMESE_NSAM, SAMPLER_RANDOM, true},
        {"siamese+nsam+bts", PREDICTOR_SIAMESE_NSAM, SAMPLER_BTS, true},
        {"siamese+nsam+fts", PREDICTOR_SIAMESE_NSAM, SAMPLER_FTS, true},
        {"regularized-evolution", PREDICTOR_KNOWN, SAMPLER_EVOLUTION, false},
        {"local-search", PREDICTOR_KNOWN, SAMPLER_LOCAL, false},
        {"weaknas", PREDICTOR_MLP, SAMPLER_WEAKNAS, false},
        {"brp", PREDICTOR_PAIRWISE, SAMPLER_BRP, false},
        {"prednas", PREDICTOR_NAIVE, SAMPLER_PREDNAS, false},
        {"naive+ei", PREDICTOR_NAIVE, SAMPLER_EI, false},
        {"siamese+ts", PREDICTOR_SIAMESE, SAMPLER_TS, true},
        {"siamese+nsam+ucb", PREDICTOR_SIAMESE_NSAM, SAMPLER_UCB, true},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct method m;
        char name[METHOD_NAME_MAX];
        assert_int_equal(method_parse(&m, known[i].name), STATUS_OK);
        assert_int_equal(m.predictor, known[i].predictor);
        assert_int_equal(m.sampler, known[i].sampler);
        assert_int_equal(method_needs_code(m), known[i].code);
        assert_true(method_is_neural(m) == (m.predictor >= PREDICTOR_NAIVE && m.predictor <= PREDICTOR_SIAMESE_NSAM));
        assert_true(method_asks(m) == (known[i].sampler >= SAMPLER_EI && known[i].sampler <= SAMPLER_UCB));
        method_name(name, m);
        assert_string_equal(name, known[i].name);
    }
}

static void test_wrong_names(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "siamse", "siamese+", "siamese+bts+nsam", "naive+nsam", "Naive"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct method m;
        assert_int_equal(method_parse(&m, wrong[i]), STATUS_INPUT);
        assert_non_null(strstr(status_message(), "known are random, naive, naive+bts, "));
        status_clear();
    }
}

static void test_random_takes_no_sampler(void **state)
{
    (void)state;
    struct method m;
    assert_int_equal(method_parse(&m, "random+bts"), STATUS_INPUT);
    assert_non_null(strstr(status_message(), "there is no bts for it"));
    status_clear();
    assert_int_equal(method_parse(&m, "random+fts"), STATUS_INPUT);
    status_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_there_and_back),
        cmocka_unit_test(test_wrong_names),
        cmocka_unit_test(test_random_takes_no_sampler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
