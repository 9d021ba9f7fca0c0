#include "prediction.h"

#include "memory.h"
#include "ranking.h"
#include "status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = RANKING_BLOCK };

static int create(struct prediction *p, int64_t cells, int code_length)
{
    const size_t n = (size_t)cells;
    *p = (struct prediction){.cells = cells};
    TRY(memory_alloc(&p->cell, n, sizeof *p->cell));
    TRY(memory_alloc(&p->basic, n, sizeof *p->basic));
    if (code_length > 0) TRY(memory_alloc(&p->estimation, n, sizeof *p->estimation));
    return STATUS_OK;
}

void prediction_destroy(struct prediction *p)
{
    free(p->cell);
    free(p->basic);
    free(p->estimation);
    *p = (struct prediction){0};
}

/* The first E early losses of a cell. false when they are not known. */
static bool get_code(float *code, const struct space *s, int64_t cell, int length)
{
    if (s->early_loss == NULL || s->code_length < length) return false;
    for (int e = 0; e < length; e++) {
        code[e] = (float)s->early_loss[cell * s->code_length + e];
        if (!isfinite(code[e])) return false;
    }
    return true;
}

/* The estimation branch for places [first, last) of the prediction whose cells have a code; others stay as they are. */
static void estimate(struct prediction *p, struct predictor *predictor, const struct space *s, int64_t first, int64_t last, int length,
                     float *code)
{
    int64_t cell[BLOCK], place[BLOCK];
    float score[BLOCK];
    int count = 0;
    for (int64_t i = first; i < last; i++)
        if (get_code(code + count * length, s, p->cell[i], length)) {
            cell[count] = p->cell[i];
            place[count++] = i;
        }
    if (count == 0) return;
    const struct predictor_batch batch = {s, count, cell, code};
    predictor_rescore(predictor, score, &batch);
    for (int i = 0; i < count; i++) p->estimation[place[i]] = score[i];
}

/* Every place has one owner; the others hold minus infinity, and so does what nobody knows. */
static void collect(float *value, int64_t n, const struct group *group)
{
    const int64_t piece = 1 << 20;
    for (int64_t at = 0; at < n; at += piece) {
        const int count = (int)(n - at < piece ? n - at : piece);
        MPI_Reduce(group->rank == 0 ? MPI_IN_PLACE : value + at, value + at, count, MPI_FLOAT, MPI_MAX, 0, group->comm);
    }
    for (int64_t i = 0; i < n; i++)
        if (isinf(value[i])) value[i] = NAN;
}

int prediction_all(struct prediction *out, struct predictor *predictor, int code_length, const struct space *space,
                   const struct group *group)
{
    const int64_t n = space->cells;
    float *code = NULL;
    int status = create(out, n, code_length);
    if (status == STATUS_OK) status = memory_alloc(&code, BLOCK * ((size_t)code_length + 1), sizeof *code);
    status = status_agree(group->comm, status);
    if (status == STATUS_OK) {
        int64_t first, last;
        predictor_prepare(predictor);
        for (int64_t i = 0; i < n; i++) {
            out->cell[i] = i;
            out->basic[i] = -INFINITY;
            if (code_length > 0) out->estimation[i] = -INFINITY;
        }
        group_share(group, (n + BLOCK - 1) / BLOCK, &first, &last);
        for (int64_t block = first; block < last; block++) {
            const int64_t begin = block * BLOCK, end = begin + BLOCK < n ? begin + BLOCK : n;
            const struct predictor_batch batch = {space, (int)(end - begin), out->cell + begin, NULL};
            predictor_score(predictor, out->basic + begin, &batch);
            if (code_length > 0) estimate(out, predictor, space, begin, end, code_length, code);
        }
        collect(out->basic, n, group);
        if (code_length > 0) collect(out->estimation, n, group);
    }
    free(code);
    return status;
}

int prediction_top(struct prediction *out, struct predictor *predictor, int code_length, const struct space *space,
                   const struct group *group, int64_t top, const struct pulse *pulse)
{
    struct ranking *ranking = NULL;
    const struct topset *best;
    float *code = NULL;
    if (top > space->cells) top = space->cells;
    int status = create(out, top, code_length);
    if (status == STATUS_OK) status = memory_alloc(&code, BLOCK * ((size_t)code_length + 1), sizeof *code);
    if (status == STATUS_OK) status = ranking_create(&ranking, group, space, (int)top, 0, pulse);
    status = status_agree(group->comm, status);
    if (status == STATUS_OK) status = ranking_top(&best, NULL, ranking, predictor, NULL, NULL, space->cells, 0);
    if (status == STATUS_OK) {
        for (int64_t i = 0; i < top; i++) {
            out->cell[i] = best->item[i].cell;
            out->basic[i] = (float)best->item[i].score;
            if (code_length > 0) out->estimation[i] = NAN;
        }
        for (int64_t i = 0; i < top && code_length > 0 && group->rank == 0; i += BLOCK)
            estimate(out, predictor, space, i, i + BLOCK < top ? i + BLOCK : top, code_length, code);
    }
    ranking_destroy(&ranking);
    free(code);
    return status;
}
