/* The training pool: who comes in, in what order, and what is paid. Each rank has its own. */
#include "ranks.h"

#include "plain_search.h"
#include "pool.h"

#include <math.h>

enum { CELLS = 40 };

static struct space space;
static const struct candidate_options options = {0, true, "early_loss", 3, CODE_RAW};

/* What is in the pool must be what the space says of the cells. */
static void expect_pool(const struct pool *p, const int64_t *cell, int64_t n, int64_t with_codes)
{
    assert_int_equal(p->view.size, n);
    assert_ptr_equal(p->view.space, &space);
    for (int64_t i = 0; i < n; i++) {
        assert_int_equal(p->view.cell[i], cell[i]);
        assert_true(p->view.label[i] == (float)(space.validation_accuracy[cell[i]] / 100));
        for (int e = 0; e < 3 && i < with_codes; e++)
            assert_true(p->view.code[i * 3 + e] == (float)space.early_loss[cell[i] * space.code_length + e]);
    }
    int members = 0;
    for (int i = 0; i < CELLS; i++) members += p->member[i] != 0;
    assert_int_equal(members, n);
    for (int64_t i = 0; i < n; i++) assert_true(p->member[cell[i]]);
}

static void test_add(void **state)
{
    (void)state;
    struct pool *p;
    struct candidate *c;
    const int64_t cell[] = {7, 0, 39, 12, 3};
    assert_int_equal(candidate_create(&c, &space, &options), STATUS_OK);
    assert_int_equal(pool_create(&p, &space, 5, 3), STATUS_OK);
    for (int round = 0; round < 2; round++) { /* cleared, it is as new */
        expect_pool(p, NULL, 0, 0);
        assert_int_equal(pool_add(p, c, cell, 2, true), STATUS_OK);
        expect_pool(p, cell, 2, 2);
        assert_int_equal(pool_add(p, c, cell + 2, 0, true), STATUS_OK);
        assert_int_equal(pool_add(p, c, cell + 2, 3, true), STATUS_OK);
        expect_pool(p, cell, 5, 5);
        assert_int_equal(candidate_cost(c).trainings, 5); /* the second time all is known */
        assert_int_equal(candidate_cost(c).codes, 5);
        pool_clear(p);
    }
    candidate_reset(c);
    assert_int_equal(pool_add(p, c, cell, 5, false), STATUS_OK);
    expect_pool(p, cell, 5, 0);
    assert_int_equal(candidate_cost(c).codes, 0);
    pool_destroy(&p);
    assert_null(p);
    pool_destroy(&p);
    candidate_destroy(&c);
}

/* A code of no numbers is no trouble. */
static void test_no_code(void **state)
{
    (void)state;
    struct pool *p;
    struct candidate *c;
    const int64_t cell[] = {1, 2};
    assert_int_equal(candidate_create(&c, &space, &options), STATUS_OK);
    assert_int_equal(pool_create(&p, &space, 2, 0), STATUS_OK);
    assert_int_equal(pool_add(p, c, cell, 2, false), STATUS_OK);
    expect_pool(p, cell, 2, 0);
    pool_destroy(&p);
    candidate_destroy(&c);
}

static void test_top(void **state)
{
    (void)state;
    struct pool *p;
    struct candidate *c;
    struct topset top;
    const int64_t expected[] = {5, 6, 20, 21, 22, 23, 24, 25, 26, 27};
    assert_int_equal(candidate_create(&c, &space, &options), STATUS_OK);
    assert_int_equal(pool_create(&p, &space, 20, 3), STATUS_OK);
    assert_int_equal(topset_create(&top, 10), STATUS_OK);
    for (int i = 0; i < 10; i++) topset_push(&top, -i, i < 2 ? 5 + i : 18 + i); /* 5 6 20 21 .. 27 */
    assert_int_equal(pool_add(p, c, expected, 2, true), STATUS_OK);

    assert_int_equal(pool_add_top(p, c, &top, 3, true), STATUS_OK); /* the first three that are not members */
    expect_pool(p, expected, 5, 5);
    assert_int_equal(candidate_cost(c).trainings, 5); /* members cost nothing again */
    assert_int_equal(pool_add_top(p, c, &top, 0, true), STATUS_OK);
    expect_pool(p, expected, 5, 5);
    assert_int_equal(pool_add_top(p, c, &top, 4, false), STATUS_OK);
    expect_pool(p, expected, 9, 5);
    assert_int_equal(candidate_cost(c).codes, 5);
    assert_int_equal(pool_add_top(p, c, &top, 9, true), STATUS_OK); /* as many as there are: one */
    expect_pool(p, expected, 10, 5);
    assert_int_equal(pool_add_top(p, c, &top, 9, true), STATUS_OK); /* none */
    expect_pool(p, expected, 10, 5);
    assert_int_equal(candidate_cost(c).trainings, 10);
    assert_int_equal(candidate_cost(c).codes, 6);
    /* drawn ones have no score; those of a ranking what they had there: -i of place i */
    for (int i = 0; i < 10; i++) assert_true(i < 2 ? isnan(p->score[i]) : p->score[i] == (float)-i);
    topset_clear(&top); /* an empty ranking has none either */
    assert_int_equal(pool_add_top(p, c, &top, 1, true), STATUS_OK);
    expect_pool(p, expected, 10, 5);
    topset_destroy(&top);
    pool_destroy(&p);
    candidate_destroy(&c);
}

static void begin(void **state)
{
    (void)state;
    synthetic_space(&space, CELLS, 4, 1);
}

static void end(void **state)
{
    (void)state;
    space_destroy(&space);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begin), cmocka_unit_test(test_add), cmocka_unit_test(test_no_code), cmocka_unit_test(test_top),
        cmocka_unit_test(end),
    };
    RANKS_MAIN(tests);
}
