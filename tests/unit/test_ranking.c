/* Siamese-Ranking by groups of every size against scoring cell by cell and sorting it all. */
#include "ranks.h"

#include "plain_search.h"
#include "ranking.h"

enum { CELLS = 1100, NODES = 5, MOST = 100 }; /* more than four blocks of cells */

static struct space space;
static struct trial_settings settings;
static const struct candidate_options options = {0, false, "early_loss", 3, CODE_RAW};

static void begin(void **state)
{
    (void)state;
    synthetic_space(&space, CELLS, NODES, 1);
    trial_defaults(&settings);
    settings.weaknas.width = 64;
}

static void end(void **state)
{
    (void)state;
    space_destroy(&space);
}

/* Weights that mean something, from a few steps on some cells. Each seed gives another predictor. */
static struct predictor *trained(enum predictor_kind kind, uint64_t seed)
{
    struct predictor *p;
    int64_t cell[40];
    float label[40], code[40 * 3];
    for (int i = 0; i < 40; i++) {
        cell[i] = i * 7;
        label[i] = (float)(space.accuracy[i * 7] / 100);
        for (int e = 0; e < 3; e++) code[i * 3 + e] = (float)space.early_loss[i * 7 * space.code_length + e];
    }
    assert_int_equal(predictor_create(&p, kind, &space, 3, &settings, CELLS, MPI_COMM_SELF), STATUS_OK);
    predictor_start(p, seed, 1, 40);
    const struct predictor_pool pool = {&space, 40, cell, label, code};
    predictor_fit(p, &pool, &(struct predictor_phase){10, 5, 1e-3, true}, NULL);
    return p;
}

struct scene {
    struct group group;
    struct ranking *ranking;
    struct candidate *candidate;
    struct predictor *predictor; /* of this rank: only rank 0 of the group has the one that counts */
    struct plain_search plain;   /* with the predictor of the group's rank 0 */
};

/* Rank with the group, compare on every rank. Returns how many differences there are. */
static int differences(struct scene *t, const int64_t *subset, int64_t n, int c, bool want_basic)
{
    const struct topset *top;
    struct scored *expected = fixture_take((size_t)n, sizeof *expected);
    double *basic = fixture_take((size_t)n, sizeof *basic), *expected_basic = fixture_take((size_t)n, sizeof *basic);
    memset(t->plain.account.coded, 0, CELLS);
    t->plain.account.cost = (struct candidate_cost){0};
    candidate_reset(t->candidate);
    plain_rank(expected, expected_basic, &t->plain, subset, n, c);
    if (!want_basic) basic = NULL;
    if (ranking_top(&top, basic, t->ranking, t->predictor, t->candidate, subset, n, c) != STATUS_OK) return 1;
    int wrong = top->count != (n < MOST ? n : MOST);
    for (int i = 0; i < top->count && i < n; i++)
        wrong += top->item[i].cell != expected[i].cell || top->item[i].score != expected[i].score;
    for (int i = 0; i < top->count; i++) { /* nobody before it in the list of the basic branch: that many and itself */
        const int place = ranking_places(t->ranking)[i], head = predictor_rescores(t->predictor) ? c : 0;
        if (i >= head) wrong += place != i + 1;
        else wrong += place < 1 || place > head;
        for (int k = 0; k < i; k++) wrong += ranking_places(t->ranking)[k] == place;
        for (int k = 0; k < i && expected_basic != NULL && subset == NULL; k++) {
            const double a = expected_basic[top->item[k].cell], b = expected_basic[top->item[i].cell];
            wrong += a != b && (a > b) != (ranking_places(t->ranking)[k] < place);
        }
    }
    if (basic != NULL && t->group.rank == 0)
        for (int64_t i = 0; i < n; i++) wrong += basic[i] != expected_basic[i];
    wrong += candidate_cost(t->candidate).codes != t->plain.account.cost.codes; /* charged on every rank alike */
    wrong += candidate_cost(t->candidate).trainings != 0;
    wrong += candidate_cost(t->candidate).codes != (predictor_rescores(t->predictor) ? (c < n ? c : n) : 0);
    return wrong;
}

static int64_t make_subset(int64_t *subset, int64_t n, uint64_t seed)
{
    struct random_stream s;
    random_open(&s, seed, 0, 0, RANDOM_TEST);
    random_subset(subset, n, CELLS, &s);
    return n;
}

static void check_kind(enum predictor_kind kind, int members)
{
    struct scene t = {.predictor = NULL};
    MPI_ASSERT(group_create(&t.group, MPI_COMM_WORLD, members) == STATUS_OK);
    int wrong = 0;
    if (!t.group.idle) {
        bool *coded = fixture_take(CELLS, 1);
        const uint64_t seed = (uint64_t)(100 + t.group.index);
        t.plain = (struct plain_search){&space, &options, trained(kind, seed), 3, {NULL, coded, {0, 0}}};
        t.predictor = trained(kind, t.group.rank == 0 ? seed : 7); /* the weights of the others are overwritten */
        if (kind == PREDICTOR_RANDOM) predictor_start(t.predictor, seed, 1, 40); /* which this one has not */
        wrong += candidate_create(&t.candidate, &space, &options) != STATUS_OK;
        wrong += ranking_create(&t.ranking, &t.group, &space, MOST, 3, NULL) != STATUS_OK;
    }
    MPI_ASSERT(wrong == 0);
    if (!t.group.idle) {
        int64_t *subset = fixture_take(CELLS, sizeof *subset);
        const int64_t sizes[] = {1, 29, 99, 256, 257, 600, CELLS};
        const int heads[] = {1, 30, 60, MOST};
        for (int h = 0; h < 4; h++) wrong += differences(&t, NULL, CELLS, heads[h], h % 2 == 0);
        wrong += differences(&t, NULL, CELLS, 0, true); /* nothing re-sorted, nothing bought */
        for (int n = 0; n < 7; n++) /* also fewer cells than c, and than there are ranks with blocks */
            wrong += differences(&t, subset, make_subset(subset, sizes[n], (uint64_t)n), 60, n % 2 == 0);
    }
    MPI_ASSERT(wrong == 0);
    if (!t.group.idle) {
        ranking_destroy(&t.ranking);
        assert_null(t.ranking);
        candidate_destroy(&t.candidate);
        predictor_destroy(&t.predictor);
        predictor_destroy(&t.plain.predictor);
    }
    group_destroy(&t.group);
    fixture_release();
}

static void test_plain(void **state)
{
    (void)state;
    for (int members = 1; members <= ranks; members++)
        for (int kind = 0; kind < PREDICTOR_KINDS; kind++)
            if (kind <= PREDICTOR_SIAMESE_NSAM || members == ranks) check_kind((enum predictor_kind)kind, members);
}

/* Architectures that are the same one get the same score, and the lower index comes first. */
static void test_ties(void **state)
{
    (void)state;
    struct group group;
    struct ranking *r;
    struct candidate *c;
    const struct topset *top;
    struct predictor *p = trained(PREDICTOR_NAIVE, 1);
    MPI_ASSERT(group_create(&group, MPI_COMM_WORLD, ranks) == STATUS_OK);
    MPI_ASSERT(candidate_create(&c, &space, &options) == STATUS_OK);
    MPI_ASSERT(ranking_create(&r, &group, &space, CELLS, 3, NULL) == STATUS_OK);
    MPI_ASSERT(ranking_top(&top, NULL, r, p, c, NULL, CELLS, 30) == STATUS_OK);
    int place[CELLS], ties = 0;
    for (int i = 0; i < CELLS; i++) place[top->item[i].cell] = i;
    for (int i = 8; i < CELLS; i += 9) {
        ties += top->item[place[i]].score == top->item[place[i / 2]].score;
        assert_true(place[i / 2] < place[i]);
    }
    assert_int_equal(ties, CELLS / 9);
    for (int i = 1; i < CELLS; i++) assert_true(scored_before(top->item[i - 1], top->item[i]));
    ranking_destroy(&r);
    candidate_destroy(&c);
    predictor_destroy(&p);
    group_destroy(&group);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begin), cmocka_unit_test(test_plain), cmocka_unit_test(test_ties), cmocka_unit_test(end),
    };
    RANKS_MAIN(tests);
}
