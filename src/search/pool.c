#include "pool.h"

#include "memory.h"
#include "status.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int pool_create(struct pool **out, const struct space *space, int64_t capacity, int code_length)
{
    struct pool *p;
    int status;
    const size_t n = (size_t)capacity;
    *out = NULL;
    TRY(memory_alloc(&p, 1, sizeof *p));
    p->capacity = capacity;
    p->code_length = code_length;
    TRY_DONE(memory_alloc(&p->cell, n, sizeof *p->cell));
    TRY_DONE(memory_alloc(&p->label_bought, n, sizeof *p->label_bought));
    TRY_DONE(memory_alloc(&p->label, n, sizeof *p->label));
    TRY_DONE(memory_alloc(&p->score, n, sizeof *p->score));
    TRY_DONE(memory_alloc(&p->code, n * (size_t)(code_length + 1), sizeof *p->code));
    TRY_DONE(memory_alloc(&p->member, (size_t)space->cells, 1));
    p->view = (struct predictor_pool){space, 0, p->cell, p->label, p->code};
    *out = p;
done:
    if (status != STATUS_OK) pool_destroy(&p);
    return status;
}

void pool_destroy(struct pool **p)
{
    if (*p == NULL) return;
    free((*p)->cell);
    free((*p)->label_bought);
    free((*p)->label);
    free((*p)->score);
    free((*p)->code);
    free((*p)->member);
    free(*p);
    *p = NULL;
}

void pool_clear(struct pool *p)
{
    for (int64_t i = 0; i < p->view.size; i++) p->member[p->cell[i]] = 0;
    p->view.size = 0;
}

int pool_add(struct pool *p, struct candidate *candidate, const int64_t *cell, int64_t n, bool buy_codes)
{
    const int64_t size = p->view.size;
    assert(size + n <= p->capacity);
    TRY(candidate_train(candidate, p->label_bought, NULL, cell, n));
    if (buy_codes) TRY(candidate_code(candidate, p->code + size * p->code_length, cell, n));
    for (int64_t i = 0; i < n; i++) {
        assert(!p->member[cell[i]]);
        p->member[cell[i]] = 1;
        p->cell[size + i] = cell[i];
        p->label[size + i] = (float)p->label_bought[i];
        p->score[size + i] = NAN;
    }
    p->view.size = size + n;
    return STATUS_OK;
}

int64_t pool_find_new(int64_t *cell, const struct pool *p, const struct topset *top, int64_t most)
{
    int64_t found = 0;
    for (int i = 0; i < top->count && found < most; i++)
        if (!p->member[top->item[i].cell]) cell[found++] = top->item[i].cell;
    return found;
}

int pool_add_top(struct pool *p, struct candidate *candidate, const struct topset *top, int64_t want, bool buy_codes)
{
    const int64_t size = p->view.size;
    int64_t *chosen = p->cell + size; /* where they will stand: pool_add copies them in place */
    const int64_t found = pool_find_new(chosen, p, top, want);
    TRY(pool_add(p, candidate, chosen, found, buy_codes));
    for (int64_t i = 0, next = size; next < size + found; i++) /* the items that were found, in the same order */
        if (top->item[i].cell == p->cell[next]) p->score[next++] = (float)top->item[i].score;
    return STATUS_OK;
}
