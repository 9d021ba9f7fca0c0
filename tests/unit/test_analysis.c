/* What a table says of its signals: on any number of ranks as on one; codes, groups and networks against plain counting. */
#include "analysis.h"
#include "association.h"
#include "correlation.h"
#include "nasbench201.h"
#include "ranks.h"
#include "sample_space.h"
#include "space.h"
#include "status.h"

#include <math.h>
#include <string.h>

enum { CELLS = 60 };
static const int ks[] = {1, 7};
static const struct analysis_options options = {.samples = 9, .seed = 3, .gap = 3, .k = ks, .ks = 2};

static bool same_doubles(const double *a, const double *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i] && !(isnan(a[i]) && isnan(b[i]))) return false;
    return true;
}

static void make_space(struct space *s)
{
    sample_space(s, CELLS, 5, SAMPLE_ALL, 4);
    for (int64_t i = 0; i < CELLS; i++) { /* cells that share their first loss, or two, or all */
        double *loss = s->early_loss + i * s->code_length;
        for (int e = 0; e < s->code_length; e++)
            if (!isnan(loss[e])) loss[e] = (double)(i % (e < 2 ? 4 : 9));
    }
    for (int i = 0; i < s->signals; i++) /* FLOPs in three groups */
        if (strcmp(s->signal[i].name, "flops") == 0)
            for (int64_t cell = 0; cell < CELLS; cell++)
                if (!isnan(s->signal[i].value[cell])) s->signal[i].value[cell] = 10 * (double)(cell % 3) + 0.05 * (double)(cell % 5);
}

static void test_any_ranks(void **state)
{
    (void)state;
    struct space s;
    struct analysis together, alone;
    make_space(&s);
    MPI_ASSERT(analysis_run(&together, &s, &options, MPI_COMM_WORLD) == STATUS_OK);
    MPI_ASSERT(analysis_run(&alone, &s, &options, MPI_COMM_SELF) == STATUS_OK);
    MPI_ASSERT(together.series_count == 2 + 2 + 4 + 4 && together.measures == ASSOCIATION_PRECISION + 2);
    const size_t pairs = (size_t)s.datasets * (size_t)together.series_count, numbers = pairs * 3 * (size_t)together.measures;
    MPI_ASSERT(rank != 0 || same_doubles(together.number, alone.number, numbers));
    bool same = true, ordered = true;
    for (size_t i = 0; i < pairs && rank == 0; i++) {
        const struct analysis_worth *a = &together.worth[i], *b = &alone.worth[i];
        same = same && a->known == b->known && a->direction == b->direction;
        for (int m = 0; m < ASSOCIATION_PRECISION; m++) ordered = ordered && !(a->low[m] > a->high[m]);
    }
    MPI_ASSERT(same && ordered);
    analysis_destroy(&together);
    analysis_destroy(&alone);
    space_destroy(&s);
}

/* Worths are those of the series they are called by. */
static void test_series(void **state)
{
    (void)state;
    struct space s;
    struct analysis a;
    make_space(&s);
    MPI_ASSERT(analysis_run(&a, &s, &options, MPI_COMM_SELF) == STATUS_OK);
    bool named = true, equal = true;
    for (int d = 0; d < s.datasets; d++)
        for (int i = 0; i < a.series_count; i++) {
            double x[CELLS], y[CELLS], tau, validation = 0;
            int64_t n = 0;
            for (int64_t cell = 0; cell < CELLS; cell++) {
                const double *loss = s.early_loss + cell * 4, accuracy = s.accuracy[d * CELLS + cell];
                double value = 0;
                if (i < 2) value = s.signal[i].value[cell];
                else if (i < 4) value = s.validation_accuracy[(i - 2) * CELLS + cell];
                else if (i < 8) value = loss[i - 4];
                else
                    for (int e = 0; e <= i - 8; e++) value += loss[e];
                if (isnan(value) || isnan(accuracy)) continue;
                x[n] = value;
                y[n++] = accuracy;
            }
            if (i < 2) named = named && strcmp(a.series[i].name, s.signal[i].name) == 0;
            else if (i < 4) named = named && strncmp(a.series[i].name, "validation_accuracy:", 20) == 0;
            sample_ok(correlation_kendall(&tau, x, y, n));
            validation = analysis_worth(&a, d, i)->value[ASSOCIATION_TAU];
            equal = equal && analysis_worth(&a, d, i)->known == n && fabs(tau - validation) < 1e-12;
        }
    MPI_ASSERT(named);
    MPI_ASSERT(equal);
    analysis_destroy(&a);
    space_destroy(&s);
}

static bool same_code(const struct space *s, int64_t a, int64_t b, int length)
{
    return same_doubles(s->early_loss + a * s->code_length, s->early_loss + b * s->code_length, (size_t)length);
}

static bool is_known(const struct space *s, int64_t cell, int length)
{
    for (int e = 0; e < length; e++)
        if (isnan(s->early_loss[cell * s->code_length + e])) return false;
    return true;
}

static void test_sharing_and_groups(void **state)
{
    (void)state;
    struct space s;
    struct analysis a;
    make_space(&s);
    MPI_ASSERT(analysis_run(&a, &s, &options, MPI_COMM_SELF) == STATUS_OK);
    bool right = true;
    for (int length = 1; length <= s.code_length; length++) {
        struct analysis_sharing plain = {0};
        for (int64_t i = 0; i < CELLS; i++) {
            int64_t alike = 0;
            bool first = true;
            if (!is_known(&s, i, length)) continue;
            for (int64_t j = 0; j < CELLS; j++) {
                if (!is_known(&s, j, length) || !same_code(&s, i, j, length)) continue;
                alike++;
                first = first && j >= i;
            }
            plain.known++;
            plain.distinct += first;
            plain.sharing += alike > 1;
            if (alike > plain.largest) plain.largest = alike;
        }
        right = right && memcmp(&plain, &a.sharing[length - 1], sizeof plain) == 0;
    }
    MPI_ASSERT(right);

    MPI_ASSERT(a.groups == 3 && a.classes == 0); /* op_0, op_1, ... compute nobody knows what */
    const double *flops = s.signal[space_find_signal(&s, "flops")].value;
    for (int g = 0; g < 3; g++) {
        int64_t cells = 0;
        for (int64_t i = 0; i < CELLS; i++)
            if (!isnan(flops[i]) && i % 3 == g) {
                cells++;
                right = right && a.group_of[i] == g && flops[i] >= a.group[g].low && flops[i] <= a.group[g].high;
                for (int d = 0; d < s.datasets; d++) right = right && !(s.accuracy[d * CELLS + i] > a.best[d * 3 + g].best);
            }
        right = right && a.group[g].cells == cells;
        for (int d = 0; d < s.datasets; d++) {
            const struct analysis_best *b = &a.best[d * 3 + g];
            right = right && b->best == s.accuracy[d * CELLS + b->cell] && a.group_of[b->cell] == g;
        }
    }
    MPI_ASSERT(right);
    analysis_destroy(&a);
    space_destroy(&s);
}

/* Accuracies that are the network's number, and one more for every second cell: their scatter is known. */
static void test_networks(void **state)
{
    (void)state;
    struct space s;
    struct analysis a;
    MPI_ASSERT(nasbench201_space(&s, 3) == STATUS_OK && space_tabulate(&s) == STATUS_OK && space_add_dataset(&s, "made-up") == STATUS_OK);
    MPI_ASSERT(analysis_run(&a, &s, &options, MPI_COMM_SELF) == STATUS_INPUT); /* no accuracy is known */
    status_clear();
    analysis_destroy(&a);
    for (int64_t i = 0; i < s.cells; i++) s.accuracy[i] = 50;
    MPI_ASSERT(analysis_run(&a, &s, &options, MPI_COMM_SELF) == STATUS_OK);
    MPI_ASSERT(a.classes > 1 && a.classes < s.cells && a.scatter[0].std == 0 && a.groups == 0 && a.series_count == 0);
    double squares = 0;
    int64_t free = 0;
    for (int64_t c = 0; c < a.classes; c++) {
        int64_t members = 0;
        for (int64_t i = 0; i < s.cells; i++)
            if (a.class_of[i] == c) s.accuracy[i] = (double)c / 10 + (members++ == 0 ? 1 : 0); /* the first of each is one better */
        if (members > 1) {
            squares += 1 - 1 / (double)members;
            free += members - 1;
        }
    }
    analysis_destroy(&a);
    MPI_ASSERT(analysis_run(&a, &s, &options, MPI_COMM_SELF) == STATUS_OK);
    MPI_ASSERT(fabs(a.scatter[0].std - sqrt(squares / (double)free)) < 1e-9);
    analysis_destroy(&a);
    space_destroy(&s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_ranks), cmocka_unit_test(test_series), cmocka_unit_test(test_sharing_and_groups),
        cmocka_unit_test(test_networks),
    };
    RANKS_MAIN(tests);
}
