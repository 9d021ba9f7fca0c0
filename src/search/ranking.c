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
    struct scored *head;    /* [most] */
    int *count, *offset;    /* [group size] of a gather */
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
    TRY_DONE(memory_alloc(&r->count, 2 * (size_t)group->size, sizeof *r->count));
    r->offset = r->count + group->size;
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
    free(r->count);
    free(r);
    *out = NULL;
}

/* Only rank 0 trains: give its weights to the others. */
static void share_state(const struct group *group, struct predictor *predictor)
{
    size_t count;
    float *state = predictor_state(predictor, &count);
    if (group->size > 1 && count > 0) MPI_Bcast(state, (int)count, MPI_FLOAT, 0, group->comm);
    predictor_prepare(predictor);
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

/* Bring the basic scores of all ranks to rank 0, in place. */
static void gather_scores(struct ranking *r, double *basic, int64_t n)
{
    const struct group *g = r->group;
    if (g->size == 1) return;
    for (int rank = 0; rank < g->size; rank++) {
        struct group other = *g;
        int64_t first, last;
        other.rank = rank;
        group_share(&other, (n + BLOCK - 1) / BLOCK, &first, &last);
        int64_t begin = first * BLOCK, end = last * BLOCK < n ? last * BLOCK : n;
        r->offset[rank] = (int)(begin < n ? begin : n);
        r->count[rank] = (int)(end > begin ? end - begin : 0);
    }
    if (g->rank == 0)
        MPI_Gatherv(MPI_IN_PLACE, 0, MPI_DOUBLE, basic, r->count, r->offset, MPI_DOUBLE, 0, g->comm);
    else
        MPI_Gatherv(basic + r->offset[g->rank], r->count[g->rank], MPI_DOUBLE, NULL, NULL, NULL, MPI_DOUBLE, 0, g->comm);
}

static int best_first(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;
    return scored_before(*y, *x) - scored_before(*x, *y);
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
        for (int i = 0; i < c; i++) r->head[i] = (struct scored){(double)r->score[i], r->cell[i]};
        qsort(r->head, (size_t)c, sizeof *r->head, best_first);
    }
    if (r->group->size > 1) MPI_Bcast(r->head, c * (int)sizeof *r->head, MPI_BYTE, 0, r->group->comm);
    memcpy(r->top.item, r->head, (size_t)c * sizeof *r->head);
    return STATUS_OK;
}

int ranking_top(const struct topset **top, double *basic, struct ranking *r, struct predictor *predictor, struct candidate *candidate,
                const int64_t *subset, int64_t n, int c)
{
    share_state(r->group, predictor);
    topset_clear(&r->top);
    score_share(r, basic, predictor, subset, n);
    topset_reduce(&r->top, r->group->comm);
    if (basic != NULL) gather_scores(r, basic, n);
    if (predictor_rescores(predictor) && c > 0) TRY(resort_head(r, predictor, candidate, c));
    *top = &r->top;
    return STATUS_OK;
}
