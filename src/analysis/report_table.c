#include "report.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

static int width_of(int width, const char *text)
{
    return (int)strlen(text) > width ? (int)strlen(text) : width;
}

/* A number in a column, or a dash where it is not defined. */
static void put(FILE *f, int width, int digits, double value)
{
    if (isnan(value)) fprintf(f, "  %*s", width, "-");
    else fprintf(f, "  %*.*f", width, digits, value);
}

void report_print(FILE *f, const struct report *r)
{
    int dataset = width_of(0, "dataset"), predictor = width_of(0, "predictor"), sampler = width_of(0, "sampler");
    for (int i = 0; i < r->rows; i++) {
        dataset = width_of(dataset, r->row[i].dataset);
        predictor = width_of(predictor, r->row[i].predictor);
        sampler = width_of(sampler, r->row[i].sampler);
    }
    const bool by_cost = r->limit != NULL;
    if (by_cost) fprintf(f, "Accuracy in percent of the best cell trained by a total cost, in full trainings; regret to the best of %" PRId64
                         " cells\n", r->space_cells);
    else fprintf(f, "Best accuracy in percent among the K trained at the end; regret to the best of %" PRId64 " cells; mean search "
                 "cost in full trainings\n", r->space_cells);
    fprintf(f, "%" PRId64 " of %" PRId64 " trials are finished\n\n", r->finished, r->units);
    fprintf(f, "%-*s  %-*s  %-*s  %5s", dataset, "dataset", predictor, "predictor", sampler, "sampler", "N");
    if (by_cost) fprintf(f, "  %7s", "by cost");
    else fprintf(f, "  %5s  %5s", "K", "N+K");
    fprintf(f, "  %6s  %8s  %7s  %7s  %7s  %6s  %9s", "trials", "mean", "std", "se", "regret", "found", "trainings");
    if (!by_cost) fprintf(f, "  %7s", "codes");
    fprintf(f, "  %8s  %6s  %6s\n", "cost", "rho", "tau");
    for (int i = 0; i < r->rows; i++) {
        const struct report_row *row = &r->row[i];
        fprintf(f, "%-*s  %-*s  %-*s  %5d", dataset, row->dataset, predictor, row->predictor, sampler, row->sampler, row->n);
        if (by_cost) fprintf(f, "  %7g", row->limit);
        else fprintf(f, "  %5d  %5d", row->k, row->n + row->k);
        fprintf(f, "  %6" PRId64, row->trials);
        put(f, 8, 3, row->mean);
        put(f, 7, 3, row->std);
        put(f, 7, 3, row->se);
        put(f, 7, 3, row->regret);
        if (isnan(row->found)) put(f, 6, 0, NAN);
        else fprintf(f, "  %4.0f %%", 100 * row->found);
        put(f, 9, 1, row->trainings);
        if (!by_cost) put(f, 7, 1, row->codes);
        put(f, 8, 2, row->cost);
        put(f, 6, 3, row->rho);
        put(f, 6, 3, row->tau);
        fputc('\n', f);
    }
}

/* Names with a comma, a quote or a line break are quoted. */
static void put_name(FILE *f, const char *name)
{
    if (strpbrk(name, ",\"\n\r") == NULL) {
        fprintf(f, "%s,", name);
        return;
    }
    fputc('"', f);
    for (; *name != '\0'; name++) {
        if (*name == '"') fputc('"', f);
        fputc(*name, f);
    }
    fputs("\",", f);
}

/* Undefined numbers are empty fields. */
static void put_field(FILE *f, double value, char end)
{
    if (!isnan(value)) fprintf(f, "%.10g", value);
    fputc(end, f);
}

void report_csv(FILE *f, const struct report *r)
{
    const bool by_cost = r->limit != NULL;
    fprintf(f, "dataset,predictor,sampler,N,%s,trials,mean,std,se,regret,found,cost\n", by_cost ? "limit" : "K");
    for (int i = 0; i < r->rows; i++) {
        const struct report_row *row = &r->row[i];
        put_name(f, row->dataset);
        put_name(f, row->predictor);
        put_name(f, row->sampler);
        fprintf(f, "%d,", row->n);
        if (by_cost) fprintf(f, "%.10g,", row->limit);
        else fprintf(f, "%d,", row->k);
        fprintf(f, "%" PRId64 ",", row->trials);
        put_field(f, row->mean, ',');
        put_field(f, row->std, ',');
        put_field(f, row->se, ',');
        put_field(f, row->regret, ',');
        put_field(f, row->found, ',');
        put_field(f, row->cost, '\n');
    }
}
