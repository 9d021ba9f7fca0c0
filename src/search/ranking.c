#include "ranking.h"

#include "memory.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = RANKING_BLOCK };

struct ranking {
    const struct group *group;
    const struct space *space;
    const struct pulse *pulse;
    struct topset top;
    float *code;            /* [most][E] */
    float *score;           /* [max(BLOCK, most)] */
    int64_t *cell;          /* [max(BLOCK, most)] */
    struct placed {
        struct scored scored;
        int place;
    } *head;                /* [most] */
    int *place;             /* [most] of the items of top by their basic scores alone, from 1 */
};

int ranking_create(struct ranking **out, const struct group *group, const struct space *space, int most, int code_length,
                   const struct pulse *pulse)
{
    struct ranking *r;
    int status;
    const size_t longest = (size_t)(most > BLOCK ? most : BLOCK);
    *out = NULL;
    TRY(memory_alloc(&r, 1, sizeof *r));
    r->group = group;
    r->space = space;
    r->pulse = pulse;
    TRY_DONE(topset_create(&r->top, most));
    TRY_DONE(memory_alloc(&r->code, (size_t)most * (size_t)(code_length + 1), sizeof *r->code));
    TRY_DONE(memory_alloc(&r->score, longest, sizeof *r->score));
    TRY_DONE(memory_alloc(&r->cell, longest, sizeof *r->cell));
    TRY_DONE(memory_alloc(&r->head, (size_t)most, sizeof *r->head));
    TRY_DONE(memory_alloc(&r->place, (size_t)most, sizeof *r->place));
    *out = r;
done:
    if (status != STATUS_OK) ranking_destroy(&r);
    return status;
}

void ranking_destroy(struct ranking **out)
{
    struct ranking *r = *out;
    if (r == NULL) return;
    if (r->top.item != NULL) topset_destroy(&r->top);
    free(r->code);
    free(r->score);
    free(r->cell);
    free(r->head);
    free(r->place);
    free(r);
    *out = NULL;
}

/* This rank's blocks through the basic branch. */
static void score_share(struct ranking *r, double *basic, struct predictor *predictor, const int64_t *subset, int64_t n)
{
    int64_t first, last;
    group_share(r->group, (n + BLOCK - 1) / BLOCK, &first, &last);
    for (int64_t block = first; block < last; block++) {
        const int64_t begin = block * BLOCK;
        const int count = n - begin < BLOCK ? (int)(n - begin) : BLOCK;
        for (int i = 0; i < count; i++) r->cell[i] = subset == NULL ? begin + i : subset[begin + i];
        struct predictor_batch batch = {r->space, count, r->cell, NULL};
        predictor_score(predictor, r->score, &batch);
        for (int i = 0; i < count; i++) {
            topset_push(&r->top, (double)r->score[i], r->cell[i]);
            if (basic != NULL) basic[begin + i] = (double)r->score[i];
        }
        pulse_beat(r->pulse);
    }
}

/* Where the cells of a rank's share begin; n for the rank after the last. */
static int64_t share_begin(const struct group *g, int rank, int64_t n)
{
    struct group other = *g;
    int64_t first, last;
    if (rank >= g->size) return n;
    other.rank = rank;
    group_share(&other, (n + BLOCK - 1) / BLOCK, &first, &last);
    return first * BLOCK < n ? first * BLOCK : n;
}

/* Bring the basic scores of all ranks to rank 0, in place, along a binomial tree: shares lie side by side, so what a rank has
 * gathered is one run, and rank 0 gets log2 P messages (those of MPI_Gatherv would be P). */
static void gather_scores(const struct group *g, double *basic, int64_t n)
{
    enum { TAG = 2 };
    for (int step = 1; step < g->size; step *= 2) {
        const bool sends = g->rank % (2 * step) != 0;
        const int from = sends ? g->rank : g->rank + step;
        const int64_t begin = share_begin(g, from, n), count = share_begin(g, from + step, n) - begin;
        if (sends) {
            MPI_Send(basic + begin, (int)count, MPI_DOUBLE, from - step, TAG, g->comm);
            return;
        }
        if (from < g->size) MPI_Recv(basic + begin, (int)count, MPI_DOUBLE, from, TAG, g->comm, MPI_STATUS_IGNORE);
    }
}

static int best_first(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    return scored_before(y->scored, x->scored) - scored_before(x->scored, y->scored);
}

/* Re-sort the first c by the estimation branch. Codes are bought by all ranks alike; rank 0 scores and tells the order. */
static int resort_head(struct ranking *r, struct predictor *predictor, struct candidate *candidate, int c)
{
    if (c > r->top.count) c = r->top.count;
    for (int i = 0; i < c; i++) r->cell[i] = r->top.item[i].cell;
    TRY(candidate_code(candidate, r->code, r->cell, c));
    if (r->group->rank == 0) {
        struct predictor_batch batch = {r->space, c, r->cell, r->code};
        predictor_rescore(predictor, r->score, &batch);
        for (int i = 0; i < c; i++) r->head[i] = (struct placed){{(double)r->score[i], r->cell[i]}, i + 1};
        qsort(r->head, (size_t)c, sizeof *r->head, best_first);
    }
    if (r->group->size > 1) MPI_Bcast(r->head, c * (int)sizeof *r->head, MPI_BYTE, 0, r->group->comm);
    for (int i = 0; i < c; i++) {
        r->top.item[i] = r->head[i].scored;
        r->place[i] = r->head[i].place;
    }
    return STATUS_OK;
}

int ranking_top(const struct topset **top, double *basic, struct ranking *r, struct predictor *predictor, struct candidate *candidate,
                const int64_t *subset, int64_t n, int c)
{
    predictor_share(predictor, r->group);
    topset_clear(&r->top);
    score_share(r, basic, predictor, subset, n);
    topset_reduce(&r->top, r->group->comm);
    for (int i = 0; i < r->top.count; i++) r->place[i] = i + 1;
    if (basic != NULL) gather_scores(r->group, basic, n);
    if (predictor_rescores(predictor) && c > 0) TRY(resort_head(r, predictor, candidate, c));
    *top = &r->top;
    return STATUS_OK;
}

const int *ranking_places(const struct ranking *r)
{
    return r->place;
}
