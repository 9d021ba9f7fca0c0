#include "siamese_internal.h"

void siamese_fold(struct siamese *s)
{
    const real epsilon = (real)s->training.norm_epsilon;
    for (int g = 0; g < SIAMESE_GROUPS; g++)
        if (siamese_has(&s->shape, g))
            graph_conv_fold(&s->folded.group[g], &s->parameters.group[g], siamese_inputs(&s->shape, g), epsilon);
    if (s->shape.code_length > 0)
        norm_fold(s->folded.code_scale, s->folded.code_shift, &s->parameters.code_norm, NULL, epsilon);
    siamese_table_fill(s);
}

static void group(real *y, struct siamese *s, enum siamese_group g, const real *x, const struct cells *tile)
{
    graph_conv_infer(y, &s->folded.group[g], x, tile, s->folded.scratch);
}

/* The key group's input: mish(scale (code w + b) + shift). */
static void code_features(real *y, struct siamese *s, const real *code, int count)
{
    const struct siamese_folded *f = &s->folded;
    siamese_code_affine(y, &s->parameters, code, &s->shape, count);
    for (int r = 0; r < count * s->shape.nodes; r++, y += WIDTH)
        for (int c = 0; c < WIDTH; c += LANES)
            vec_store(y + c, vec_mish(vec_load(y + c) * vec_load(f->code_scale + c) + vec_load(f->code_shift + c)));
}

/* A group behind the second one, whose output is x. */
static void behind(real *y, struct siamese *s, enum siamese_group g, const real *x, const struct cells *tile, bool known)
{
    if (known) graph_conv_look_up(y, &s->folded.group[g], s->table.product[g], s->table.far_row, tile);
    else group(y, s, g, x, tile);
}

/* What the head makes of features x. */
static void head_score(real *score, struct siamese *s, int branch, const real *x, const struct cells *tile)
{
    const struct siamese_parameters *p = &s->parameters;
    if (!s->shape.linear) {
        head_forward(score, s->folded.pooled, &p->head, x, tile->count, tile->nodes);
        return;
    }
    head_linear(score, s->folded.pooled, &p->head, x, tile->count, tile->nodes);
    for (int b = 0; b < tile->count; b++) score[b] = p->unit[2 * branch] + p->unit[2 * branch + 1] * score[b];
}

/* At most SCORE_TILE cells through all layers. */
static void score_tile(real *score, struct siamese *s, const struct cells *tile, const real *code)
{
    struct siamese_folded *f = &s->folded;
    const bool known = siamese_table_find(s, tile);
    if (known) {
        graph_conv_look_up(f->x, &f->group[GROUP_2], s->table.product[GROUP_2], s->table.near_row, tile);
        siamese_table_add(s, f->x, tile);
    } else {
        group(f->y, s, GROUP_1, NULL, tile);
        group(f->x, s, GROUP_2, f->y, tile);
    }
    if (s->shape.nsam) {
        behind(f->q, s, NSAM_QUERY, f->x, tile, known);
        behind(f->k, s, NSAM_KEY, f->x, tile, known);
        behind(f->v, s, NSAM_VALUE, f->x, tile, known);
        attention_forward(f->x, &f->weights, f->x, f->q, f->k, f->v, tile, &f->attention);
        group(f->y, s, NSAM_OUT, f->x, tile);
        group(f->x, s, GROUP_3, f->y, tile);
    } else {
        behind(f->y, s, GROUP_3, f->x, tile, known);
        real *swap = f->x;
        f->x = f->y;
        f->y = swap;
    }
    if (code != NULL) {
        code_features(f->y, s, code, tile->count);
        group(f->k, s, EFM_KEY, f->y, tile);
        group(f->q, s, EFM_QUERY, f->x, tile);
        const real *v = f->q;
        if (s->shape.efm_value_own) {
            group(f->v, s, EFM_VALUE, f->x, tile);
            v = f->v;
        }
        attention_forward(f->x, &f->weights, f->x, f->q, f->k, v, tile, &f->attention);
        group(f->y, s, EFM_OUT, f->x, tile);
        head_score(score, s, 1, f->y, tile);
    } else {
        head_score(score, s, 0, f->x, tile);
    }
}

void siamese_score(real *score, struct siamese *s, const struct cells *batch, const real *code)
{
    for (int first = 0; first < batch->count; first += SCORE_TILE) {
        struct cells tile = *batch;
        tile.count = batch->count - first < SCORE_TILE ? batch->count - first : SCORE_TILE;
        tile.operation += first * batch->nodes;
        tile.mask[0] += first;
        tile.mask[1] += first;
        score_tile(score + first, s, &tile, code == NULL ? NULL : code + first * s->shape.code_length);
    }
}
