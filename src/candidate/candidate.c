#include "candidate.h"

#include "memory.h"
#include "status.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What this account knows of a cell. */
enum { KNOWS_TRAINING = 1, KNOWS_CODE = 2 };

struct candidate {
    const struct space *space;
    const double *label, *accuracy;  /* [cells] percent */
    int code_length, sources;
    const double **source;           /* [sources] arrays of the code, NULL for early_loss */
    enum code_transform transform;
    double oracle;
    struct candidate_cost cost;
    uint8_t *known;                  /* [cells] */
};

/* The signals named in a comma-separated list, at most `most`. */
static int find_sources(const double **source, int *sources, int most, const struct space *s, const char *list)
{
    *sources = 0;
    for (const char *at = list; *at != '\0';) {
        size_t length = strcspn(at, ",");
        const char *next = at + length + (at[length] == ',');
        while (length > 0 && *at == ' ') at++, length--;
        while (length > 0 && at[length - 1] == ' ') length--;
        char name[128];
        if (length == 0 || length >= sizeof name) return status_fail(STATUS_INPUT, "code = %s: an empty or overlong name", list);
        memcpy(name, at, length);
        name[length] = '\0';
        int signal = space_find_signal(s, name);
        if (signal < 0)
            return status_fail(STATUS_INPUT, "code = %s: %s has no variable %s (known: early_loss and the signals that `siamese-nas info` lists)",
                               list, s->path, name);
        if (*sources == most) return status_fail(STATUS_INPUT, "code = %s: more than %d names", list, most);
        source[(*sources)++] = s->signal[signal].value;
        at = next;
    }
    return STATUS_OK;
}

/* One entry of a code before the transform; NaN when unknown. */
static double raw_code(const struct space *s, const double *const *source, int64_t cell, int entry)
{
    return source != NULL ? source[entry][cell] : s->early_loss[cell * s->code_length + entry];
}

static double transformed(double value, enum code_transform transform)
{
    return transform == CODE_LOG ? log(value) : value;
}

enum { SOURCES_MAX = 64 };

/* Resolve the options against the space: sources (NULL sources pointer for early losses) and E. */
static int resolve(const double **source, int *sources, int *code_length, const struct space *s, const struct candidate_options *o)
{
    *sources = 0;
    if (strcmp(o->code, "early_loss") == 0) {
        *code_length = s->early_loss == NULL ? 0 : o->code_length;
        if (s->early_loss != NULL && o->code_length > s->code_length)
            return status_fail(STATUS_INPUT, "code_length = %d, but %s knows the losses of %d epochs", o->code_length, s->path,
                               s->code_length);
        return STATUS_OK;
    }
    TRY(find_sources(source, sources, SOURCES_MAX, s, o->code));
    *code_length = *sources;
    return STATUS_OK;
}

int candidate_create(struct candidate **out, const struct space *s, const struct candidate_options *o)
{
    int status;
    struct candidate *c;
    *out = NULL;
    TRY(memory_alloc(&c, 1, sizeof *c));
    TRY_DONE(memory_alloc(&c->source, SOURCES_MAX, sizeof *c->source));
    TRY_DONE(resolve(c->source, &c->sources, &c->code_length, s, o));
    TRY_DONE(memory_alloc(&c->known, (size_t)s->cells, 1));
    if (o->label_is_validation && s->validation_accuracy == NULL) {
        status = status_fail(STATUS_INPUT, "label = validation_accuracy, but %s has none", s->path);
        goto done;
    }
    c->space = s;
    c->transform = o->transform;
    c->accuracy = s->accuracy + o->dataset * s->cells;
    c->label = o->label_is_validation ? s->validation_accuracy + o->dataset * s->cells : c->accuracy;
    for (int64_t i = 0; i < s->cells; i++)
        if (c->accuracy[i] > c->oracle) c->oracle = c->accuracy[i];
    *out = c;
done:
    if (status != STATUS_OK) candidate_destroy(&c);
    return status;
}

void candidate_destroy(struct candidate **c)
{
    if (*c == NULL) return;
    free((void *)(*c)->source);
    free((*c)->known);
    free(*c);
    *c = NULL;
}

int candidate_code_length(const struct candidate *c)
{
    return c->code_length;
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

int candidate_train(struct candidate *c, double *label, double *accuracy, const int64_t *cell, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = cell[i];
        if (!(c->known[at] & KNOWS_TRAINING)) {
            c->known[at] |= KNOWS_TRAINING;
            c->cost.trainings++;
        }
        if (label != NULL) label[i] = c->label[at] / 100;
        if (accuracy != NULL) accuracy[i] = c->accuracy[at] / 100;
    }
    return STATUS_OK;
}

int candidate_code(struct candidate *c, float *code, const int64_t *cell, int64_t n)
{
    const double *const *source = c->sources > 0 ? c->source : NULL;
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = cell[i];
        if (!(c->known[at] & KNOWS_CODE)) {
            c->known[at] |= KNOWS_CODE;
            c->cost.codes++;
        }
        for (int e = 0; e < c->code_length; e++)
            code[i * c->code_length + e] = (float)transformed(raw_code(c->space, source, at, e), c->transform);
    }
    return STATUS_OK;
}

double candidate_truth(const struct candidate *c, int64_t cell)
{
    return c->accuracy[cell] / 100;
}

double candidate_oracle(const struct candidate *c)
{
    return c->oracle / 100;
}

/* Whether every entry of the cell's code is a number that a float can hold. */
static bool code_known(const struct space *s, const double *const *source, int64_t cell, int length, enum code_transform transform)
{
    for (int e = 0; e < length; e++)
        if (!isfinite((float)transformed(raw_code(s, source, cell, e), transform))) return false;
    return length > 0;
}

int64_t candidate_missing(const struct space *s, const struct candidate_options *o, bool needs_code, bool *keep)
{
    const double *source[SOURCES_MAX];
    int sources = 0, length = 0;
    int64_t missing = 0;
    const double *accuracy = s->accuracy + o->dataset * s->cells;
    const double *label = o->label_is_validation && s->validation_accuracy != NULL ? s->validation_accuracy + o->dataset * s->cells
                                                                                    : accuracy;
    if (needs_code && resolve(source, &sources, &length, s, o) != STATUS_OK) {
        status_clear(); /* candidate_create reports it */
        return 0;
    }
    for (int64_t i = 0; i < s->cells; i++) {
        bool known = isfinite(accuracy[i]) && isfinite(label[i]) &&
                     (!needs_code || code_known(s, sources > 0 ? source : NULL, i, length, o->transform));
        if (!known) {
            keep[i] = false;
            missing++;
        }
    }
    return missing;
}
