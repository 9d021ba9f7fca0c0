/* analysis.h - what a table says of its own signals: how well each orders the cells by accuracy, from which epoch on a code is worth
 * its cost, which cells share a code, a class of FLOPs, or a network. */
#ifndef ANALYSIS_H
#define ANALYSIS_H

#include "space.h"

#include <mpi.h>
#include <stdint.h>
#include <stdio.h>

struct analysis_options {
    int samples;        /* bootstrap samples of the cells, 0: no intervals */
    uint64_t seed;      /* of these */
    double gap;         /* FLOPs groups are separated by gaps above this part of the whole range, in percent */
    const int *k;       /* [ks] of precision at k, ascending */
    int ks;
};

enum analysis_kind { ANALYSIS_SIGNAL, ANALYSIS_LOSS, ANALYSIS_MEAN_LOSS, ANALYSIS_KINDS };

/* A series whose worth is measured: a signal, the loss after an epoch, or the mean of the losses up to it. */
struct analysis_series {
    enum analysis_kind kind;
    char *name;   /* of a signal; validation accuracies are called validation_accuracy:DATASET */
    int index;    /* signal, data set or epoch, from 0 */
};

/* What is measured of one series and one data set. */
struct analysis_worth {
    int64_t known;               /* cells of which both are known */
    int direction;               /* -1: small values are good */
    double *value, *low, *high;  /* [measures], as in association.h; the ends of the intervals are NaN without samples */
};

/* Cells between two gaps on the axis of FLOPs. */
struct analysis_group {
    double low, high;
    int64_t cells;
};

struct analysis_best { /* of a group, for one data set */
    int64_t known, cell; /* cell: -1 when none is known */
    double mean, best;
};

struct analysis_sharing { /* of codes of the first epochs */
    int64_t known, distinct, sharing, largest; /* cells with such a code, codes, cells that share theirs, cells of the commonest code */
};

struct analysis_scatter { /* of cells that compute the same, for one data set */
    int64_t cells;   /* in classes of which two or more accuracies are known */
    double std;      /* within classes, percent */
};

struct analysis {
    const struct space *space;      /* not owned */
    struct analysis_options options;
    int measures;                   /* ASSOCIATION_PRECISION + ks */
    int count[ANALYSIS_KINDS];      /* series of each kind; all of a kind in a row, in this order */
    int series_count;
    struct analysis_series *series; /* [series_count] */
    struct analysis_worth *worth;   /* [datasets][series_count] */
    double *number;                 /* memory of all worths */
    struct analysis_sharing *sharing; /* [epochs] */
    int groups;                     /* 0: FLOPs are not known */
    struct analysis_group *group;   /* [groups] ascending */
    int32_t *group_of;              /* [cells] -1: not known */
    struct analysis_best *best;     /* [datasets][groups] */
    int64_t classes;                /* 0: what the operations compute is not known */
    int64_t *class_of, *class_cells; /* [cells], [classes] */
    struct analysis_scatter *scatter; /* [datasets] */
};

/* Collective over comm: every rank has the space, bootstrap samples are dealt out; rank 0 has all of the result, the same for any number
 * of ranks, the others only part. STATUS_INPUT when nothing is known of any cell's accuracy. */
int analysis_run(struct analysis *out, const struct space *space, const struct analysis_options *options, MPI_Comm comm);
void analysis_destroy(struct analysis *a); /* accepts a zeroed struct */

/* Rank 0. */
int analysis_write(const struct analysis *a, const char *path, const char *history);
void analysis_print(FILE *f, const struct analysis *a);

static inline struct analysis_worth *analysis_worth(const struct analysis *a, int dataset, int series)
{
    return &a->worth[(size_t)dataset * (size_t)a->series_count + (size_t)series];
}

/* The first series of a kind. */
static inline int analysis_first(const struct analysis *a, enum analysis_kind kind)
{
    int first = 0;
    for (int i = 0; i < (int)kind; i++) first += a->count[i];
    return first;
}

#endif
