#include "candidate_internal.h"

#include "memory.h"
#include "status.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What this account knows of a cell. */
enum { KNOWS_TRAINING = 1, KNOWS_CODE = 2 };

int candidate_begin(struct candidate **out, const struct space *s, const struct candidate_options *o)
{
    int status;
    struct candidate *c;
    *out = NULL;
    TRY(memory_alloc(&c, 1, sizeof *c));
    c->space = s;
    c->transform = o->transform;
    TRY_DONE(memory_alloc(&c->signal, CANDIDATE_SIGNALS_MAX, sizeof *c->signal));
    TRY_DONE(candidate_find_signals(c->signal, &c->signals, s, o));
    TRY_DONE(memory_alloc(&c->known, (size_t)s->cells, 1));
    *out = c;
done:
    if (status != STATUS_OK) candidate_destroy(&c);
    return status;
}

void candidate_destroy(struct candidate **c)
{
    if (*c == NULL) return;
    candidate_live_destroy(&(*c)->live);
    free((void *)(*c)->signal);
    free((*c)->known);
    free((*c)->history);
    free(*c);
    *c = NULL;
}

bool candidate_is_live(const struct candidate *c)
{
    return c->live != NULL;
}

int candidate_code_length(const struct candidate *c)
{
    return c->code_length;
}

bool candidate_code_is_losses(const struct candidate *c)
{
    return c->signals == 0;
}

void candidate_reset(struct candidate *c)
{
    c->cost = (struct candidate_cost){0};
    memset(c->known, 0, (size_t)c->space->cells);
}

struct candidate_cost candidate_cost(const struct candidate *c)
{
    return c->cost;
}

double candidate_total(struct candidate_cost cost)
{
    return (double)cost.trainings + CANDIDATE_CODE_COST * (double)cost.codes;
}

int64_t candidate_history(const struct candidate_purchase **out, const struct candidate *c)
{
    *out = c->history;
    return c->cost.trainings;
}

static int64_t row_of(const struct candidate *c, int64_t cell)
{
    return c->live != NULL ? candidate_live_row(c->live, cell) : cell;
}

int candidate_expect(struct candidate *c, enum measurement_kind kind, const int64_t *cell, int64_t n)
{
    const bool measured = c->live != NULL && (kind == MEASUREMENT_TRAINING || c->signals == 0);
    return measured ? candidate_live_need(c, kind, cell, n) : STATUS_OK;
}

/* Room for n more; none is needed again in a later account of the same length. */
static int reserve_history(struct candidate *c, int64_t n)
{
    const int64_t needed = c->cost.trainings + n, room = 2 * needed;
    if (needed <= c->history_room) return STATUS_OK;
    TRY(memory_grow(&c->history, (size_t)c->cost.trainings, (size_t)room, sizeof *c->history));
    c->history_room = room;
    return STATUS_OK;
}

int candidate_train(struct candidate *c, double *label, double *accuracy, const int64_t *cell, int64_t n)
{
    TRY(candidate_expect(c, MEASUREMENT_TRAINING, cell, n));
    TRY(reserve_history(c, n));
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = cell[i], row = row_of(c, at);
        if (!(c->known[at] & KNOWS_TRAINING)) {
            c->known[at] |= KNOWS_TRAINING;
            struct candidate_purchase *p = &c->history[c->cost.trainings++];
            *p = (struct candidate_purchase){at, c->label[row] / 100, c->accuracy[row] / 100, candidate_total(c->cost)};
        }
        if (label != NULL) label[i] = c->label[row] / 100;
        if (accuracy != NULL) accuracy[i] = c->accuracy[row] / 100;
    }
    return STATUS_OK;
}

int candidate_code(struct candidate *c, float *code, const int64_t *cell, int64_t n)
{
    TRY(candidate_expect(c, MEASUREMENT_CODE, cell, n));
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = cell[i], row = row_of(c, at);
        if (!(c->known[at] & KNOWS_CODE)) {
            c->known[at] |= KNOWS_CODE;
            c->cost.codes++;
        }
        for (int e = 0; e < c->code_length; e++) {
            const double value = c->signals > 0 ? c->signal[e][at] : c->loss[row * c->loss_stride + e];
            code[i * c->code_length + e] = (float)candidate_transformed(value, c->transform);
        }
    }
    return STATUS_OK;
}

double candidate_truth(const struct candidate *c, int64_t cell)
{
    assert(c->live == NULL);
    return c->accuracy[cell] / 100;
}

double candidate_oracle(const struct candidate *c)
{
    assert(c->live == NULL);
    return c->oracle / 100;
}
