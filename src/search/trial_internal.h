/* trial_internal.h - what trial.c shares with the samplers, sample_*.c, each of which fills a trial's pool in its own way. */
#ifndef TRIAL_INTERNAL_H
#define TRIAL_INTERNAL_H

#include "acquisition.h"
#include "neighbourhood.h"
#include "pool.h"
#include "predictor.h"
#include "random.h"
#include "ranking.h"
#include "trial.h"
#include "trial_evaluate.h"

struct ascent;

struct trial {
    const struct group *group;
    const struct space *space;
    struct trial_settings settings;
    const struct pulse *pulse;
    int n_max, code_length;
    struct predictor *predictor; /* of the last trial; another kind of predictor takes its place */
    enum predictor_kind kind;
    struct ranking *ranking;
    int most;                   /* the longest list that it gives */
    int64_t *list;              /* [most] scratch of samplers */
    struct pool *pool;
    int64_t *part;              /* [cells of a part] random part of the space */
    float *kept;                /* the selected weights, on rank 0 */
    size_t kept_size;
    struct acquisition *acquisition; /* made when a method first needs it */
    struct neighbourhood *neighbourhood; /* for methods that walk, made when the first of them runs */
    int64_t *near;              /* [neighbourhood_most] */
    struct ascent *ascent;      /* for prednas, likewise */
    struct evaluation evaluation;
    /* the running trial */
    const struct trial_spec *spec;
    struct candidate *candidate;
    struct timer timer;
};

/* The stream of this trial for one purpose. */
struct random_stream trial_stream(const struct trial *t, enum random_purpose purpose);

/* Fill an empty pool with n cells drawn at random, ascending or, for samplers to which the order matters, shuffled by the stream
 * `order`, and buy their codes if the predictor reads any. Collective over the group. */
int trial_draw(struct trial *t, int64_t n, struct random_stream *order);

/* Train the predictor on the pool as it is; phase NULL: all that it takes, from its last state. Collective over the group. */
int trial_fit(struct trial *t, const struct predictor_phase *phase);

/* A random cell that is not in the pool; there must be one. */
int64_t trial_unseen(const struct trial *t, struct random_stream *stream);

/* Cells [n] that rank 0 chose, for all ranks of the group; and whether it could. */
int trial_share(const struct trial *t, int64_t *cell, int64_t n, int status);

/* Rank the whole space by the basic branch; basic as for ranking_top(). */
int trial_rank(struct trial *t, const struct topset **top, double *basic);

/* Cells of a part of the space (settings.part): at least one. */
int64_t trial_part(const struct space *space, const struct trial_settings *s);

/* The samplers: pay for N architectures, most or all of which come into the pool, and leave the predictor trained on rank 0 of the
 * group. Collective over the group. */
int sample_phases(struct trial *t);      /* random, bts, fts: method.md sections 4 and 6 */
int sample_acquisition(struct trial *t); /* ei, ts, ucb */
int sample_evolution(struct trial *t); /* regularized-evolution */
int sample_local(struct trial *t);     /* local-search */
int sample_weaknas(struct trial *t);
int sample_brp(struct trial *t);
int sample_prednas(struct trial *t);

/* What prednas climbs with (sample_prednas.c). Not collective. */
int ascent_create(struct ascent **out, const struct space *space);
void ascent_destroy(struct ascent **a);

#endif
