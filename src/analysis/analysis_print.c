#include "analysis.h"

#include "association.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

static int name_width(int least, const char *name)
{
    const int width = (int)strlen(name);
    return width > least ? width : least;
}

static int dataset_width(const struct space *s)
{
    int width = (int)strlen("dataset");
    for (int d = 0; d < s->datasets; d++) width = name_width(width, s->dataset[d]);
    return width;
}

/* " 0.812 [0.803, 0.820]", or without the bracket when there are no samples. */
static void put_interval(FILE *f, const struct analysis *a, const struct analysis_worth *w, int measure)
{
    if (isnan(w->value[measure])) fprintf(f, "  %6s", "-");
    else fprintf(f, "  %6.3f", w->value[measure]);
    if (a->options.samples == 0) return;
    if (isnan(w->low[measure])) fprintf(f, " %16s", "");
    else fprintf(f, " [%6.3f, %6.3f]", w->low[measure], w->high[measure]);
}

static void put_head(FILE *f, const struct analysis *a, const char *name)
{
    fprintf(f, "  %6s", name);
    if (a->options.samples > 0) fprintf(f, " %16s", "");
}

static void put_percent(FILE *f, double value)
{
    if (isnan(value)) fprintf(f, "  %6s", "-");
    else fprintf(f, "  %4.0f %%", 100 * value);
}

static void put_measures(FILE *f, const struct analysis *a, const struct analysis_worth *w)
{
    for (int i = 0; i < ASSOCIATION_PRECISION; i++) put_interval(f, a, w, i);
    for (int i = 0; i < a->options.ks; i++) put_percent(f, w->value[ASSOCIATION_PRECISION + i]);
    fputc('\n', f);
}

static void put_measures_head(FILE *f, const struct analysis *a)
{
    put_head(f, a, "rho");
    put_head(f, a, "tau");
    put_head(f, a, "top");
    for (int i = 0; i < a->options.ks; i++) {
        char at[24];
        snprintf(at, sizeof at, "@%d", a->options.k[i]);
        fprintf(f, "  %6s", at);
    }
    fputc('\n', f);
}

static void print_signals(FILE *f, const struct analysis *a)
{
    const int width = dataset_width(a->space);
    int name = (int)strlen("signal");
    for (int i = 0; i < a->count[ANALYSIS_SIGNAL]; i++) name = name_width(name, a->series[i].name);
    if (a->count[ANALYSIS_SIGNAL] == 0) return;
    fprintf(f, "\n%-*s  %-*s  %6s", width, "dataset", name, "signal", "cells");
    put_measures_head(f, a);
    for (int d = 0; d < a->space->datasets; d++)
        for (int i = 0; i < a->count[ANALYSIS_SIGNAL]; i++) {
            const struct analysis_worth *w = analysis_worth(a, d, i);
            fprintf(f, "%-*s  %-*s  %6" PRId64, width, a->space->dataset[d], name, a->series[i].name, w->known);
            put_measures(f, a, w);
        }
}

/* Of many epochs 1, 2, 3, 5, 10, 20, 50, ... and the last. */
static bool is_shown(int epoch, int last)
{
    int power = 1;
    while (epoch >= 10 * power) power *= 10;
    return epoch == power || epoch == 2 * power || epoch == 5 * power || epoch == 3 || epoch == last;
}

static void print_epochs(FILE *f, const struct analysis *a)
{
    const int width = dataset_width(a->space), epochs = a->count[ANALYSIS_LOSS];
    const enum analysis_kind kind[] = {ANALYSIS_LOSS, ANALYSIS_MEAN_LOSS};
    static const char *const name[] = {"loss", "mean loss"};
    if (epochs == 0) return;
    fputs("\nEarly losses: the loss after an epoch, and the mean of the losses up to it\n", f);
    fprintf(f, "%-*s  %-9s  %5s  %6s", width, "dataset", "series", "epoch", "cells");
    put_measures_head(f, a);
    for (int d = 0; d < a->space->datasets; d++)
        for (int k = 0; k < 2; k++)
            for (int e = 0; e < epochs; e++) {
                if (!is_shown(e + 1, epochs) || (k == 1 && e == 0)) continue;
                const struct analysis_worth *w = analysis_worth(a, d, analysis_first(a, kind[k]) + e);
                fprintf(f, "%-*s  %-9s  %5d  %6" PRId64, width, a->space->dataset[d], name[k], e + 1, w->known);
                put_measures(f, a, w);
            }
    fprintf(f, "\nCells with the same code\n%5s  %6s  %9s  %13s  %13s\n", "epochs", "cells", "codes", "cells sharing", "most with one");
    for (int e = 0; e < epochs; e++) {
        const struct analysis_sharing *s = &a->sharing[e];
        if (is_shown(e + 1, epochs))
            fprintf(f, "%6d  %6" PRId64 "  %9" PRId64 "  %13" PRId64 "  %13" PRId64 "\n", e + 1, s->known, s->distinct, s->sharing,
                    s->largest);
    }
}

static void print_cell(FILE *f, const struct space *s, int64_t cell)
{
    fprintf(f, "  %" PRId64, space_id(s, cell));
    if (s->arch != NULL) fprintf(f, " %.*s", s->arch_length, s->arch + cell * s->arch_length);
    fputc('\n', f);
}

static void print_groups(FILE *f, const struct analysis *a)
{
    const struct space *s = a->space;
    const int width = dataset_width(s);
    if (a->groups == 0) return;
    fprintf(f, "\nFLOPs groups, apart by more than %g %% of the whole range\n%-*s  %5s  %19s  %6s  %7s  %7s  %s\n", a->options.gap, width,
            "dataset", "group", "MFLOPs", "cells", "mean", "best", "best cell");
    for (int d = 0; d < s->datasets; d++)
        for (int g = 0; g < a->groups; g++) {
            const struct analysis_best *b = &a->best[(size_t)d * (size_t)a->groups + (size_t)g];
            fprintf(f, "%-*s  %5d  %8.2f - %8.2f  %6" PRId64, width, s->dataset[d], g + 1, a->group[g].low, a->group[g].high,
                    a->group[g].cells);
            if (b->cell < 0) fprintf(f, "  %7s  %7s\n", "-", "-");
            else {
                fprintf(f, "  %7.3f  %7.3f", b->mean, b->best);
                print_cell(f, s, b->cell);
            }
        }
}

static void print_classes(FILE *f, const struct analysis *a)
{
    const struct space *s = a->space;
    int64_t alone = 0, largest = 0;
    if (a->classes == 0) {
        fputs("\nCells that compute the same: not known, as the operations are not those of NAS-Bench-201 or NanoBench\n", f);
        return;
    }
    for (int64_t c = 0; c < a->classes; c++) {
        alone += a->class_cells[c] == 1;
        if (a->class_cells[c] > largest) largest = a->class_cells[c];
    }
    fprintf(f, "\nCells that compute the same: %" PRId64 " cells are %" PRId64 " networks, %" PRId64 " of them one cell each, the "
            "commonest %" PRId64 "\n", s->cells, a->classes, alone, largest);
    for (int d = 0; d < s->datasets; d++)
        if (a->scatter[d].std < 1e-9)
            fprintf(f, "  %s: the same network has the same accuracy (%" PRId64 " cells)\n", s->dataset[d], a->scatter[d].cells);
        else if (!isnan(a->scatter[d].std))
            fprintf(f, "  %s: accuracies of the same network scatter by %.3f (standard deviation, %" PRId64 " cells)\n", s->dataset[d],
                    a->scatter[d].std, a->scatter[d].cells);
}

void analysis_print(FILE *f, const struct analysis *a)
{
    fprintf(f, "%s: %" PRId64 " cells", a->space->path, a->space->cells);
    if (a->options.samples > 0)
        fprintf(f, "; in brackets 95 %% intervals from %d samples of the cells with replacement", a->options.samples);
    fputs("\nrho: Spearman, tau: Kendall's tau-b, top: tau in the tenth of the cells with the best accuracy; @k: share of "
          "the best k cells among the\nk that the signal puts first, by the sign of rho\n", f);
    print_signals(f, a);
    print_epochs(f, a);
    print_groups(f, a);
    print_classes(f, a);
}
