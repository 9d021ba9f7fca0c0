/* Cells as vectors. */
#include "ceiling_internal.h"

#include "memory.h"
#include "status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What marginal likelihood alone decides: the priors are wide. */
#define LENGTH_SPREAD 1.5
#define NOISE         0.05
#define NOISE_SPREAD  2.0


/* Mean 0 and variance 1; a column that does not vary is 0. */
static void standardise(double *x, int n)
{
    double mean = 0, variance = 0;
    for (int i = 0; i < n; i++) mean += x[i] / n;
    for (int i = 0; i < n; i++) variance += (x[i] - mean) * (x[i] - mean) / n;
    const double scale = variance > 1e-18 * (1 + mean * mean) ? 1 / sqrt(variance) : 0;
    for (int i = 0; i < n; i++) x[i] = scale * (x[i] - mean);
}

static void put_traits(double *to, const struct ceiling *c, int first, int columns)
{
    for (int i = 0; i < c->n; i++) {
        const float *value = traits_of(c->traits, c->traits->class_of[c->cell[i]]);
        for (int d = 0; d < columns; d++) to[(size_t)d * (size_t)c->n + (size_t)i] = (double)value[first + d];
    }
}

static void put_losses(double *to, const struct ceiling *c, int epochs)
{
    for (int e = 0; e < epochs; e++, to += c->n) {
        for (int i = 0; i < c->n; i++) to[i] = log(c->space.early_loss[c->cell[i] * c->space.code_length + e]);
        standardise(to, c->n);
    }
}

static int put_signal(double *to, const struct ceiling *c, int signal)
{
    double *value;
    TRY(memory_alloc(&value, (size_t)c->n, sizeof *value));
    for (int i = 0; i < c->n; i++) value[i] = c->space.signal[signal].value[c->cell[i]];
    int status = ceiling_quantiles(to, value, c->n);
    free(value);
    return status;
}

/* The root of the mean squared distance of two cells by these columns. */
static double typical_distance(const double *x, int columns, int n)
{
    double sum = 0;
    for (int d = 0; d < columns; d++, x += n) {
        double mean = 0;
        for (int i = 0; i < n; i++) mean += x[i] / n;
        for (int i = 0; i < n; i++) sum += 2 * (x[i] - mean) * (x[i] - mean) / n;
    }
    return sum > 1e-12 ? sqrt(sum) : 1;
}

static void transpose(double *to, const double *from, int rows, int columns)
{
    for (int d = 0; d < columns; d++)
        for (int i = 0; i < rows; i++) to[(size_t)i * (size_t)columns + (size_t)d] = from[(size_t)d * (size_t)rows + (size_t)i];
}

int ceiling_features(double **x, struct gp_shape *shape, struct gp_prior *prior, enum ceiling_group group[GP_GROUPS_MAX],
                     const struct ceiling *c, const struct ceiling_set *s)
{
    const int width[CEILING_GROUPS] = {
        [CEILING_COUNTS] = s->cell ? c->traits->counts : 0, [CEILING_STATISTICS] = s->cell ? c->traits->statistics : 0,
        [CEILING_LOSSES] = s->epochs, [CEILING_SIGNAL] = s->signal >= 0,
    };
    double *column, *at;
    int columns = 0;
    for (int g = 0; g < CEILING_GROUPS; g++) columns += width[g];
    *x = NULL;
    *shape = (struct gp_shape){.outputs = c->datasets};
    *prior = (struct gp_prior){.length_spread = LENGTH_SPREAD, .noise = NOISE, .noise_spread = NOISE_SPREAD};
    TRY(memory_alloc(&column, (size_t)columns * (size_t)c->n, sizeof *column));
    int status = memory_alloc(x, (size_t)columns * (size_t)c->n, sizeof **x);
    at = column;
    for (int g = 0; g < CEILING_GROUPS && status == STATUS_OK; g++) {
        if (width[g] == 0) continue;
        switch (g) {
        case CEILING_COUNTS: put_traits(at, c, 0, width[g]); break;
        case CEILING_STATISTICS: put_traits(at, c, c->traits->counts, width[g]); break;
        case CEILING_LOSSES: put_losses(at, c, s->epochs); break;
        case CEILING_SIGNAL: status = put_signal(at, c, s->signal); break;
        }
        group[shape->groups] = (enum ceiling_group)g;
        prior->length[shape->groups] = typical_distance(at, width[g], c->n);
        shape->width[shape->groups++] = width[g];
        at += (size_t)width[g] * (size_t)c->n;
    }
    if (status == STATUS_OK) transpose(*x, column, c->n, columns);
    free(column);
    return status;
}
