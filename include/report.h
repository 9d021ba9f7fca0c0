/* report.h - results files as the table a paper would print. Serial. */
#ifndef REPORT_H
#define REPORT_H

#include <stdint.h>
#include <stdio.h>

/* One line: all finished trials of a data set, method, N and K, or total cost. */
struct report_row {
    const char *dataset, *predictor, *sampler; /* owned by the report */
    int n, k;
    double limit;                    /* of the total cost, when the report is by cost */
    int64_t trials;
    double mean, std, se;            /* of the best accuracy, percent; std divides by trials - 1, NaN for one trial */
    double regret;                   /* oracle - mean, percentage points; NaN, as is found, when nobody knows the best cell */
    double found;                    /* share of trials that found the best cell */
    double trainings, codes, cost;   /* means; cost in full trainings */
    double rho, tau;                 /* means over the trials for which they are defined */
};

struct report_series;

struct report {
    int ks, *k;                      /* ascending; by cost: how many limits, and NULL */
    double *limit;                   /* [ks] ascending; NULL when the report is by K */
    int series_count;
    int64_t series_room;
    struct report_series *series;    /* one for each data set, method and N */
    int64_t units, finished;         /* of all files */
    const char *first;               /* name of the first file, and what it says of job and space (results_input.h) */
    char *facts;
    int64_t space_cells;
    int rows;
    struct report_row *row;          /* [rows] those with at least one finished trial */
};

/* Read results files (or unfinished .part files) and pool those trials that belong together. k = NULL: the K values that
 * the job of the first file names. STATUS_INPUT when a file holds no results, files are of different spaces or settings,
 * a trial of the same seed occurs twice, or a K is beyond the curves. The paths must outlive the report. */
int report_read(struct report *out, const char *const *path, int paths, const int *k, int ks);

/* The same by total cost in full trainings: the accuracy of the cell with the best label among all that were trained, whatever for,
 * before the total of trainings and codes went beyond each limit. NaN for trials that had trained nothing by then. */
int report_read_costs(struct report *out, const char *const *path, int paths, const double *limit, int limits);
void report_destroy(struct report *r); /* accepts a zeroed struct */

void report_print(FILE *f, const struct report *r);
void report_csv(FILE *f, const struct report *r);

#endif
