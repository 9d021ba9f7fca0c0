/* Random streams: the published answers of Philox, independence of streams, distributions. All seeds are fixed, so nothing
 * here fails by chance. */
#include "fixture.h"

#include "random.h"

#include <math.h>
#include <string.h>

/* Known answers from Random123: counter, key, block. */
static void test_known_answers(void **state)
{
    (void)state;
    static const struct { uint32_t counter[4], key[2], block[4]; } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}, {UINT32_MAX, UINT32_MAX},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct random_stream s = {
            .key = {known[i].key[0], known[i].key[1]},
            .tag = {known[i].counter[2], known[i].counter[3]},
            .counter = (uint64_t)known[i].counter[1] << 32 | known[i].counter[0],
        };
        for (int w = 0; w < 4; w++) assert_int_equal(random_bits(&s), known[i].block[w]);
    }
    struct random_stream zero;
    random_open(&zero, 0, 0, 0, (enum random_purpose)0);
    for (int w = 0; w < 4; w++) assert_int_equal(random_bits(&zero), known[0].block[w]);
}

/* Every part of the key makes another stream; the words of the seed and the tags do not run into each other. */
static void test_keys(void **state)
{
    (void)state;
    enum { STREAMS = 9 };
    static const struct { uint64_t seed; uint32_t trial, budget; enum random_purpose purpose; } key[STREAMS] = {
        {1, 2, 3, RANDOM_POOL}, {2, 2, 3, RANDOM_POOL}, {UINT64_C(1) << 32 | 1, 2, 3, RANDOM_POOL}, {1, 3, 3, RANDOM_POOL},
        {1, 2, 4, RANDOM_POOL}, {1, 2, 3, RANDOM_BATCH}, {1, 3, 2, RANDOM_POOL}, {2, 1, 3, RANDOM_POOL},
        {1, 2, (1 << 24) - 1, RANDOM_POOL},
    };
    uint32_t block[STREAMS][4];
    for (int i = 0; i < STREAMS; i++) {
        struct random_stream s;
        random_open(&s, key[i].seed, key[i].trial, key[i].budget, key[i].purpose);
        for (int w = 0; w < 4; w++) block[i][w] = random_bits(&s);
        for (int k = 0; k < i; k++) assert_memory_not_equal(block[k], block[i], sizeof block[i]);
    }
}

/* What a stream gives does not depend on what is read from others in between, nor on when it was opened. */
static void test_independence(void **state)
{
    (void)state;
    enum { STREAMS = 3, WORDS = 101 };
    uint32_t alone[STREAMS][WORDS];
    struct random_stream s[STREAMS];
    for (int i = 0; i < STREAMS; i++) {
        random_open(&s[i], 5, (uint32_t)i, 100, RANDOM_BATCH);
        for (int w = 0; w < WORDS; w++) alone[i][w] = random_bits(&s[i]);
    }
    for (int i = STREAMS - 1; i >= 0; i--) random_open(&s[i], 5, (uint32_t)i, 100, RANDOM_BATCH);
    for (int w = 0; w < WORDS; w++)
        for (int i = STREAMS - 1; i >= 0; i--) assert_int_equal(random_bits(&s[i]), alone[i][w]);
    struct random_stream copy = s[0]; /* a copy goes on from the same place */
    for (int w = 0; w < 9; w++) assert_int_equal(random_bits(&copy), random_bits(&s[0]));
    for (int w = 1; w < WORDS; w++) /* blocks do not repeat */
        for (int before = 0; before < w; before++) assert_true(alone[0][w] != alone[0][before]);
}

/* sum (observed - expected)^2 / expected, which exceeds `limit` once in 10,000 times for good numbers. */
static void expect_even(const char *what, const int64_t *observed, int classes, double limit)
{
    double total = 0, square = 0;
    for (int i = 0; i < classes; i++) total += (double)observed[i];
    for (int i = 0; i < classes; i++) square += pow((double)observed[i] - total / classes, 2) * classes / total;
    if (!(square < limit)) {
        print_error("%s: chi-square is %g for %d classes, above %g\n", what, square, classes, limit);
        fail();
    }
}

static void test_below(void **state)
{
    (void)state;
    struct random_stream s;
    random_open(&s, 1, 0, 0, RANDOM_TEST);
    for (int i = 0; i < 100; i++) assert_int_equal(random_below(&s, 1), 0);

    int64_t seven[7] = {0};
    for (int i = 0; i < 70000; i++) {
        int64_t drawn = random_below(&s, 7);
        assert_in_range(drawn, 0, 6);
        seven[drawn]++;
    }
    expect_even("below 7", seven, 7, 27.9);

    /* 3 x 2^61 goes 2.67 times into 2^64: without rejection the lower two thirds would come up three times as often as they
     * should against twice */
    const int64_t large = INT64_C(3) << 61;
    int64_t third[3] = {0}, low[8] = {0};
    for (int i = 0; i < 30000; i++) {
        int64_t drawn = random_below(&s, large);
        assert_true(0 <= drawn && drawn < large);
        third[drawn / (INT64_C(1) << 61)]++;
        low[drawn % 8]++;
    }
    expect_even("thirds", third, 3, 18.4);
    expect_even("lowest bits", low, 8, 29.9);
}

static void test_uniform(void **state)
{
    (void)state;
    enum { N = 40000, CLASSES = 20 };
    struct random_stream s;
    int64_t class[CLASSES] = {0}, pair[16] = {0};
    double sum = 0, before = 0;
    random_open(&s, 2, 0, 0, RANDOM_TEST);
    for (int i = 0; i < N; i++) {
        double x = random_uniform(&s);
        assert_true(0 <= x && x < 1);
        class[(int)(x * CLASSES)]++;
        if (i % 2 == 1) pair[(int)(before * 4) * 4 + (int)(x * 4)]++; /* neighbours know nothing of each other */
        before = x;
        sum += x;
    }
    assert_true(fabs(sum / N - 0.5) < 4 * sqrt(1.0 / 12 / N));
    expect_even("twentieths", class, CLASSES, 50.8);
    expect_even("pairs", pair, 16, 44.3);
    struct random_stream largest = {.left = 1, .block = {0, 0, 0, UINT32_MAX}};
    assert_true(random_uniform(&largest) < 1);
}

static void test_subset(void **state)
{
    (void)state;
    struct random_stream s;
    random_open(&s, 3, 0, 0, RANDOM_TEST);
    for (int64_t n = 1; n <= 30; n++)
        for (int64_t m = 0; m <= n; m++) {
            int64_t drawn[31];
            drawn[m] = -7;
            random_subset(drawn, m, n, &s);
            for (int64_t i = 0; i < m; i++) {
                assert_in_range(drawn[i], 0, n - 1);
                if (i > 0) assert_true(drawn[i - 1] < drawn[i]); /* sorted, each once */
            }
            assert_int_equal(drawn[m], -7); /* no more than m */
        }

    /* every subset of 2 out of 5, and of 3 out of 6, equally often */
    static const struct { int m, n, subsets; double limit; } choice[] = {{2, 5, 10, 33.7}, {3, 6, 20, 50.8}, {1, 4, 4, 21.1}};
    for (int c = 0; c < 3; c++) {
        int64_t observed[64] = {0}, packed[20];
        int subsets = 0;
        for (int i = 0; i < 20000; i++) {
            int64_t drawn[3];
            int bits = 0;
            random_subset(drawn, choice[c].m, choice[c].n, &s);
            for (int k = 0; k < choice[c].m; k++) bits |= 1 << drawn[k];
            observed[bits]++;
        }
        for (int bits = 0; bits < 64; bits++)
            if (observed[bits] > 0) {
                assert_true(subsets < choice[c].subsets);
                packed[subsets++] = observed[bits];
            }
        assert_int_equal(subsets, choice[c].subsets);
        expect_even("subsets", packed, subsets, choice[c].limit);
    }
}

/* All 24 orders of four equally often; nothing to do for none and one. */
static void test_shuffle(void **state)
{
    (void)state;
    struct random_stream s;
    int64_t observed[256] = {0}, packed[24], one = 5;
    int orders = 0;
    random_open(&s, 4, 0, 0, RANDOM_TEST);
    random_shuffle(NULL, 0, &s);
    random_shuffle(&one, 1, &s);
    assert_int_equal(one, 5);
    for (int i = 0; i < 24000; i++) {
        int64_t x[] = {0, 1, 2, 3};
        random_shuffle(x, 4, &s);
        observed[x[0] | x[1] << 2 | x[2] << 4 | x[3] << 6]++;
    }
    for (int i = 0; i < 256; i++)
        if (observed[i] > 0) {
            assert_true(orders < 24);
            packed[orders++] = observed[i];
        }
    assert_int_equal(orders, 24);
    expect_even("orders", packed, 24, 56.6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers), cmocka_unit_test(test_keys), cmocka_unit_test(test_independence),
        cmocka_unit_test(test_below), cmocka_unit_test(test_uniform), cmocka_unit_test(test_subset),
        cmocka_unit_test(test_shuffle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
