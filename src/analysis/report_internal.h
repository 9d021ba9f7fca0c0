/* report_internal.h - shared by the report*.c files only. */
#ifndef REPORT_INTERNAL_H
#define REPORT_INTERNAL_H

#include "report.h"

#include <stdbool.h>

/* One finished trial. */
struct report_trial {
    uint64_t seed;
    int realization, file;
    double codes, rho, tau;
    double *value; /* [3][ks] best, trainings, cost */
};

/* The trials of one data set, method and N. */
struct report_series {
    char *dataset, *predictor, *sampler;
    int dataset_rank, method_rank; /* order of appearance */
    int n;
    double oracle;
    int64_t trials, room;
    struct report_trial *trial;    /* [trials] */
};

/* Add the finished units of a file. The first file decides on r->k when it is NULL. */
int report_read_file(struct report *r, const char *path, int file);

/* The K values that the job of a file names; release with free(). */
struct results_input;
int report_job_ks(int **k, int *ks, const struct results_input *f);

/* The series of a data set, method and N; made when it is new. */
int report_find_series(struct report_series **out, struct report *r, const char *dataset, const char *predictor,
                       const char *sampler, int n, double oracle);

/* Room for one more trial, whose curves are allocated. */
int report_add_trial(struct report_trial **out, const struct report *r, struct report_series *s);

#endif
