#include "results_copy.h"

#include "results_internal.h"
#include "status.h"

enum { REALIZATION = 3, RANK_MAX = 5 };

/* A variable over dataset, method, budget, realization and perhaps one more. */
struct shape {
    int variable, rank;
    nc_type type;
    size_t size;             /* of a value */
    size_t length[RANK_MAX]; /* 1 behind the last */
};

static int read_shape(struct shape *s, int file, int variable)
{
    int dimension[NC_MAX_VAR_DIMS];
    *s = (struct shape){.variable = variable};
    int code = nc_inq_var(file, variable, NULL, &s->type, &s->rank, dimension, NULL);
    if (code == NC_NOERR) code = nc_inq_type(file, s->type, NULL, &s->size);
    if (code == NC_NOERR && (s->rank < RANK_MAX - 1 || s->rank > RANK_MAX || s->size > sizeof(double))) code = NC_EDIMSIZE;
    for (int d = 0; d < RANK_MAX && code == NC_NOERR; d++) {
        s->length[d] = 1;
        if (d < s->rank) code = nc_inq_dimlen(file, dimension[d], &s->length[d]);
    }
    return code;
}

/* -- blocks -------------------------------------------------------------------------------------------------- */

struct block {
    size_t start[RANK_MAX], count[RANK_MAX];
};

/* The first block: as many values of the last two dimensions as fit. */
static struct block first_block(const struct shape *s)
{
    const size_t room = RESULTS_BLOCK / s->size, extra = s->length[4] < room ? s->length[4] : room;
    const size_t records = extra < s->length[4] ? 1 : room / extra;
    return (struct block){{0}, {1, 1, 1, records < s->length[REALIZATION] ? records : s->length[REALIZATION], extra}};
}

/* The block behind this one; false behind the last. */
static bool next_block(struct block *b, const struct shape *s)
{
    const struct block first = first_block(s);
    for (int d = RANK_MAX - 1; d >= 0; d--) {
        b->start[d] += first.count[d];
        if (b->start[d] < s->length[d]) {
            const size_t left = s->length[d] - b->start[d];
            b->count[d] = left < first.count[d] ? left : first.count[d];
            return true;
        }
        b->start[d] = 0;
        b->count[d] = first.count[d];
    }
    return false;
}

/* -- what is done with them ---------------------------------------------------------------------------------- */

static int fail_read(const char *path, const char *name, int code)
{
    return status_fail(STATUS_INPUT, "%s: cannot read %s: %s; it is damaged, run its job again", path, name, nc_strerror(code));
}

static bool fits(const struct shape *from, const struct shape *to, size_t place)
{
    for (int d = 0; d < RANK_MAX; d++)
        if (d != REALIZATION && from->length[d] != to->length[d]) return false;
    return from->type == to->type && from->rank == to->rank && from->length[REALIZATION] <= to->length[REALIZATION] - place;
}

int results_copy_variable(const struct results_copy *c, const char *name)
{
    struct shape from, to;
    int v, code = nc_inq_varid(c->to, name, &v);
    if (code == NC_NOERR) code = read_shape(&to, c->to, v);
    TRY(results_check(code, c->to_path, "write"));
    code = nc_inq_varid(c->from, name, &v);
    if (code == NC_NOERR) code = read_shape(&from, c->from, v);
    if (code != NC_NOERR) return fail_read(c->from_path, name, code);
    if (!fits(&from, &to, c->place))
        return status_fail(STATUS_INPUT, "%s: %s has not the type and size that siamese-nas run gives it; take the file that "
                           "run wrote", c->from_path, name);
    struct block b = first_block(&from);
    do {
        code = nc_get_vara(c->from, from.variable, b.start, b.count, c->block);
        if (code != NC_NOERR) return fail_read(c->from_path, name, code);
        struct block there = b;
        there.start[REALIZATION] += c->place;
        TRY(results_check(nc_put_vara(c->to, to.variable, there.start, there.count, c->block), c->to_path, "write"));
    } while (next_block(&b, &from));
    return STATUS_OK;
}

int results_count_complete(int64_t *out, int file, int variable, const char *path, void *block)
{
    struct shape s;
    const signed char *complete = block;
    *out = 0;
    int code = read_shape(&s, file, variable);
    if (code != NC_NOERR) return fail_read(path, "complete", code);
    s.size = 1; /* read as bytes, whatever it is in the file */
    struct block b = first_block(&s);
    do {
        code = nc_get_vara_schar(file, variable, b.start, b.count, block);
        if (code != NC_NOERR) return fail_read(path, "complete", code);
        for (size_t i = 0; i < b.count[REALIZATION]; i++) *out += complete[i] == 1;
    } while (next_block(&b, &s));
    return STATUS_OK;
}
