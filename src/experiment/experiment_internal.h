/* experiment_internal.h - shared by the experiment_*.c files only. */
#ifndef EXPERIMENT_INTERNAL_H
#define EXPERIMENT_INTERNAL_H

#include "experiment.h"
#include "grid.h"
#include "group.h"
#include "progress.h"
#include "queue.h"
#include "recipe.h"
#include "results.h"
#include "trainer.h"

/* What a live search has beside a space: candidates are measured when they are asked for. */
struct live {
    struct space all;              /* every cell of the file: so the measurer counts them; without accuracies and losses */
    uint64_t cells_checksum;       /* of what these cells are */
    int64_t classes;               /* distinct cells */
    int64_t *first;                /* [classes] the first of each, in `all` */
    int64_t *class_of;             /* [cells used] */
    int64_t *file_class;           /* [cells of the file], on rank 0 */
    struct group team;             /* within the group: ranks that measure one candidate together */
    MPI_Comm workers;              /* the ranks of all teams */
    struct measurer measurer;      /* on workers; its fingerprint on all ranks */
    struct recipe recipe;          /* of source = train */
    struct trainer *trainer;
    struct ledger *ledger;         /* on the ranks of groups */
    struct pulse pulse;
};

struct experiment {
    const struct job *job;
    const struct experiment_options *options;
    MPI_Comm comm;                 /* duplicated */
    int rank, ranks;
    struct grid grid;
    struct space space;            /* the cells used */
    uint64_t file_checksum;
    int64_t file_cells, filtered, missing;
    struct candidate **candidate;  /* [datasets] */
    double *oracle;                /* [datasets] percent, NaN when it is not known */
    bool is_live;
    struct live live;
    struct group group;
    struct results_plan plan;
    struct results *results;
    bool *finished;                /* [units] before this run */
    int64_t *order, remaining;     /* [remaining] units of this run, the longest first */
    int64_t completed;             /* by this rank's group, on leaders */
    struct trial *trial;
    struct queue *queue;           /* on leaders */
    struct progress progress;      /* on rank 0 */
    struct timer timer;            /* of the units of this rank's group, on leaders */
    double begin;
};

/* On rank 0, in every step of long work: answer the ranks that ask for units, with none when the run shall stop. */
void experiment_serve(struct experiment *e);

/* Read, filter and check the space on rank 0, hand it to all ranks, open the candidates. Collective. */
int experiment_read_space(struct experiment *e);

/* The Estimation Code and the like that the job asks for, of its data set number `dataset`. */
int experiment_candidate_options(struct candidate_options *o, const struct job *j, const struct space *s, int dataset);

/* A live search, in the order of these calls. On rank 0: read all cells, number the distinct ones; then, with the cells that
 * are used in e->space, their classes. */
int experiment_read_live(struct experiment *e);
int experiment_match_live(struct experiment *e);
int experiment_share_live(struct experiment *e); /* collective over e->comm, as are the next two: to all ranks */
int experiment_open_live(struct experiment *e);  /* teams and measurer, once there are groups */
int experiment_end_live(struct experiment *e);   /* say what was measured, and fill it into the space file */
int experiment_begin_live(struct experiment *e); /* on the ranks of groups: ledger and candidates; not collective */
void experiment_close_live(struct experiment *e);

/* Whoever measures candidates, by the job's candidate.source, into e->live.measurer. Collective over e->live.workers. The
 * fingerprint covers everything that changes a measurement. */
int experiment_open_measurer(struct experiment *e);
void experiment_close_measurer(struct experiment *e);

/* Collective over e->comm, which is freed. */
void experiment_release(struct experiment *e);

/* What the log says before and after. experiment_log_end() is collective over comm. */
void experiment_log_start(const struct experiment *e);
void experiment_log_idle(const struct experiment *e);
void experiment_log_end(const struct experiment *e, int64_t peak);

/* The largest resident set of all ranks so far, in bytes. Collective. */
int64_t experiment_peak(const struct experiment *e);

#endif
