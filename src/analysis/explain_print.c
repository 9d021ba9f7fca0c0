#include "explain.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* A number, or a dash where it is not known. */
static void put(FILE *f, int width, int digits, double value)
{
    if (isnan(value)) fprintf(f, "  %*s", width, "-");
    else fprintf(f, "  %*.*f", width, digits, value);
}

static int64_t find_cell(const struct space *s, double id)
{
    for (int64_t i = 0; i < s->cells; i++)
        if ((double)space_id(s, i) == id) return i;
    return -1;
}

/* "12503", and its text when the space is at hand. */
static void put_cell(FILE *f, const struct explanation *e, double id)
{
    const int64_t cell = e->space == NULL ? -1 : find_cell(e->space, id);
    fprintf(f, "cell %.0f", id);
    if (cell < 0) return;
    if (e->space->arch != NULL) {
        fprintf(f, " %.*s", e->space->arch_length, e->space->arch + cell * e->space->arch_length);
        return;
    }
    for (int i = 0; i < e->space->nodes; i++)
        fprintf(f, "%s%s", i == 0 ? " " : ",", e->space->vocabulary[e->space->operation[cell * e->space->nodes + i]]);
}

/* ---- head ---- */

static void print_head(FILE *f, const struct explanation *e)
{
    const struct results_input *r = &e->file;
    fprintf(f, "%s: trial %d of %s on %s, N = %d\n", r->in.path, e->trial, e->method, r->dataset[e->dataset], e->n);
    if (r->methods > 1 || r->datasets > 1 || r->budgets > 1)
        fputs("(the file has others: --method, --dataset and -n choose)\n", f);
    if (e->before == 0) fprintf(f, "%d cells were trained, all of them its choice", e->queries);
    else fprintf(f, "%d cells were trained for the predictor and %d of its first %d", e->before, e->queries - e->before, r->k_max);
    if (e->queries > 0) fprintf(f, ": a cost of %.3f full trainings", e->cost[e->queries - 1]);
    fprintf(f, ", with %d Estimation Codes\n", e->codes);
}

/* ---- what was trained when ---- */

/* The cell's place in the pool, or -1. */
static int find_in_pool(const struct explanation *e, double cell)
{
    for (int i = 0; i < e->pool; i++)
        if (e->pool_cell[i] == cell) return i;
    return -1;
}

/* The cell whose label is the best of the first `count`; -1 when there is none. */
static int best_label(const struct explanation *e, int count)
{
    int best = -1;
    for (int i = 0; i < count; i++)
        if (!isnan(e->label[i]) && (best < 0 || e->label[i] > e->label[best])) best = i;
    return best;
}

static bool labels_differ(const struct explanation *e)
{
    for (int i = 0; i < e->queries; i++)
        if (!isnan(e->label[i]) && e->label[i] != e->accuracy[i]) return true;
    return false;
}

/* Why a cell was trained for the predictor. */
enum kind { DRAWN, CHOSEN, LOOKED_AT };
static const char *const kind_name[] = {"drawn", "chosen by the predictor", "looked at to choose the weights"};

static enum kind kind_of(const struct explanation *e, int i)
{
    const int pool = find_in_pool(e, e->cell[i]);
    return pool < 0 ? LOOKED_AT : isnan(e->pool_score[pool]) ? DRAWN : CHOSEN;
}

static double expected_of(const struct explanation *e, int i)
{
    const int pool = find_in_pool(e, e->cell[i]);
    return pool < 0 ? NAN : 100 * e->pool_score[pool];
}

static void print_query(FILE *f, const struct explanation *e, int i, bool labels)
{
    const int best = best_label(e, i + 1);
    fprintf(f, "%11d", i + 1);
    put(f, 8, 2, e->cost[i]);
    fprintf(f, "  %8.0f", e->cell[i]);
    put(f, 8, 3, e->accuracy[i]);
    if (labels) put(f, 8, 3, e->label[i]);
    put(f, 8, 3, expected_of(e, i));
    put(f, 8, 3, best < 0 ? NAN : e->accuracy[best]);
    fprintf(f, "%s %s\n", best == i ? "*" : " ", kind_name[kind_of(e, i)]);
}

/* Cells from `first` on of one kind that tell the same story: draws, or cells none of which is better than all before. */
static int count_alike(const struct explanation *e, int first)
{
    const enum kind kind = kind_of(e, first);
    int last = first;
    while (last < e->before && kind_of(e, last) == kind && (kind == DRAWN || best_label(e, last + 1) != last)) last++;
    return last - first;
}

/* Cells [first, first + count) in one line, with means. */
static void print_alike(FILE *f, const struct explanation *e, int first, int count, bool labels)
{
    const int last = first + count, best = best_label(e, last);
    double accuracy = 0, label = 0, expected = 0;
    for (int i = first; i < last; i++) {
        accuracy += e->accuracy[i] / count;
        label += e->label[i] / count;
        expected += expected_of(e, i) / count;
    }
    fprintf(f, "%4d - %4d", first + 1, last);
    put(f, 8, 2, e->cost[last - 1]);
    fprintf(f, "  %8s", "mean");
    put(f, 8, 3, accuracy);
    if (labels) put(f, 8, 3, label);
    put(f, 8, 3, expected);
    put(f, 8, 3, best < 0 ? NAN : e->accuracy[best]);
    fprintf(f, "%s %d %s", best >= first ? "*" : " ", count, kind_name[kind_of(e, first)]);
    if (best >= first) fprintf(f, ", the best: cell %.0f", e->cell[best]);
    fputc('\n', f);
}

static void print_training(FILE *f, const struct explanation *e, bool all)
{
    const bool labels = labels_differ(e);
    if (e->before == 0) return;
    fprintf(f, "\nTrained for the predictor, accuracies in percent; expected: what it thought when it chose the cell; *: the best so far\n"
            "%11s  %8s  %8s  %8s%s  %8s  %8s\n", "training", "cost", "cell", "accuracy", labels ? "     label" : "", "expected", "best");
    for (int i = 0, alike; i < e->before; i += alike) {
        alike = all ? 1 : count_alike(e, i);
        if (alike < 2) {
            print_query(f, e, i, labels);
            alike = 1;
        } else {
            print_alike(f, e, i, alike, labels);
        }
    }
}

/* ---- what it chose ---- */

static int find_query(const struct explanation *e, double cell, int count)
{
    for (int i = 0; i < count; i++)
        if (e->cell[i] == cell) return i;
    return -1;
}

static void print_chosen(FILE *f, const struct explanation *e)
{
    fprintf(f, "\nThe first %d of its ranking; before: the place by the basic branch, before the codes were read\n", e->k);
    fprintf(f, "%11s  %8s  %8s  %8s  %8s  %8s\n", "rank", "before", "cell", "accuracy", "expected", "best");
    for (int k = 0; k < e->k; k++) {
        const int known = find_query(e, e->chosen[k], e->before);
        fprintf(f, "%11d", k + 1);
        put(f, 8, 0, e->place[k]);
        put(f, 8, 0, e->chosen[k]);
        put(f, 8, 3, e->chosen_accuracy[k]);
        put(f, 8, 3, 100 * e->score[k]);
        put(f, 8, 3, e->best[k]);
        const bool better = k == 0 || e->best[k] > e->best[k - 1];
        if (known >= 0) fprintf(f, "%s known since training %d", better ? "*" : " ", known + 1);
        else if (better) fputc('*', f);
        fputc('\n', f);
    }
}

static void print_winner(FILE *f, const struct explanation *e)
{
    const int winner = explain_winner(e), best = best_label(e, e->before);
    const double oracle = e->file.oracle[e->dataset];
    if (winner < 0) return;
    fprintf(f, "\nBest of the first %d: ", e->k);
    put_cell(f, e, e->chosen[winner]);
    fprintf(f, ", accuracy %.3f", e->chosen_accuracy[winner]);
    if (!isnan(oracle)) fprintf(f, ", %.3f below the best cell of the table", oracle - e->chosen_accuracy[winner]);
    fprintf(f, "\n  rank %d", winner + 1);
    if (e->codes > 0 && !isnan(e->place[winner])) fprintf(f, ", %.0f before the codes were read", e->place[winner]);
    if (!isnan(e->score[winner])) fprintf(f, "; the predictor expected %.3f", 100 * e->score[winner]);
    fputc('\n', f);
    if (best >= 0 && e->accuracy[best] > e->chosen_accuracy[winner]) {
        fputs("  better yet, of those trained for the predictor: ", f);
        put_cell(f, e, e->cell[best]);
        fprintf(f, ", accuracy %.3f\n", e->accuracy[best]);
    }
}

void explain_print(FILE *f, const struct explanation *e, bool all)
{
    print_head(f, e);
    print_training(f, e, all);
    print_chosen(f, e);
    print_winner(f, e);
}
