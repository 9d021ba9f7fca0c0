/* Which cells, data sets and sets of features. */
#include "ceiling_internal.h"

#include "memory.h"
#include "nearest.h"
#include "status.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS_MIN = 20 };

/* -- sets of features ------------------------------------------------------------------------------------------------ */

static struct ceiling_set *add(struct ceiling *c, bool cell, int epochs, int signal)
{
    struct ceiling_set *s = &c->set[c->sets++];
    *s = (struct ceiling_set){.cell = cell, .epochs = epochs, .signal = signal};
    if (signal >= 0) snprintf(s->name, sizeof s->name, "%s", c->space.signal[signal].name);
    else if (epochs > 0) snprintf(s->name, sizeof s->name, "%scode%d", cell ? "cell+" : "", epochs);
    else snprintf(s->name, sizeof s->name, "cell");
    return s;
}

static int check_epochs(const struct ceiling *c, int epochs)
{
    if (epochs <= c->space.code_length) return STATUS_OK;
    return status_fail(STATUS_INPUT, "ceiling: --codes %d: %s has early losses of %d epochs", epochs, c->space.path,
                       c->space.code_length);
}

static int find_signal(int *signal, const struct ceiling *c, const char *name)
{
    const struct space *s = &c->space;
    *signal = space_find_signal(s, name);
    if (*signal >= 0) return STATUS_OK;
    const char **known;
    TRY(memory_alloc(&known, (size_t)s->signals + 1, sizeof *known));
    for (int i = 0; i < s->signals; i++) known[i] = s->signal[i].name;
    const char *near = nearest_name(name, known, s->signals);
    const int status = near != NULL ? status_fail(STATUS_INPUT, "ceiling: --signals: %s has no signal %s; the nearest is %s",
                                                  s->path, name, near)
                                    : status_fail(STATUS_INPUT,
                                                  "ceiling: --signals: %s has no signal %s; siamese-nas info lists them", s->path,
                                                  name);
    free(known);
    return status;
}

static int plan_sets(struct ceiling *c)
{
    static const int usual_epochs[] = {1, 2, 3, 10};
    static const char *const usual_signal[] = {"flops", "synflow"};
    const struct ceiling_options *o = c->options;
    const int codes = o->codes >= 0 ? o->codes : 4, signals = o->signals >= 0 ? o->signals : 2;
    TRY(memory_alloc(&c->set, 1 + 2 * (size_t)codes + (size_t)signals, sizeof *c->set));
    add(c, true, 0, -1);
    for (int both = 0; both < 2; both++)
        for (int i = 0; i < codes; i++) {
            const int epochs = o->codes >= 0 ? o->epochs[i] : usual_epochs[i];
            if (o->codes >= 0) TRY(check_epochs(c, epochs));
            if (epochs <= c->space.code_length) add(c, both == 1, epochs, -1);
        }
    for (int i = 0; i < signals; i++) {
        int signal;
        if (o->signals >= 0) TRY(find_signal(&signal, c, o->signal[i]));
        else signal = space_find_signal(&c->space, usual_signal[i]);
        if (signal >= 0) add(c, false, 0, signal);
    }
    return STATUS_OK;
}

/* -- cells ----------------------------------------------------------------------------------------------------------- */

static int plan_datasets(struct ceiling *c)
{
    const struct space *s = &c->space;
    TRY(memory_alloc(&c->dataset, (size_t)s->datasets, sizeof *c->dataset));
    for (int d = 0; d < s->datasets; d++) {
        bool known = false;
        for (int64_t i = 0; i < s->cells && !known; i++) known = isfinite(s->accuracy[d * s->cells + i]);
        if (known) c->dataset[c->datasets++] = d;
    }
    if (c->datasets > GP_OUTPUTS_MAX)
        return status_fail(STATUS_INPUT, "ceiling: %s: more than %d data sets", s->path, GP_OUTPUTS_MAX);
    if (c->datasets > 0) return STATUS_OK;
    return status_fail(STATUS_INPUT, "ceiling: %s has no accuracies: nothing can be explained; import a table of them, or train",
                       s->path);
}

static bool is_known(const struct ceiling *c, int64_t cell)
{
    const struct space *s = &c->space;
    for (int d = 0; d < c->datasets; d++)
        if (!isfinite(s->accuracy[c->dataset[d] * s->cells + cell])) return false;
    for (int i = 0; i < c->sets; i++) {
        const struct ceiling_set *set = &c->set[i];
        for (int e = 0; e < set->epochs; e++) {
            const double loss = s->early_loss[cell * s->code_length + e];
            if (!(loss > 0 && isfinite(loss))) return false; /* it has no logarithm */
        }
        if (set->signal >= 0 && !isfinite(s->signal[set->signal].value[cell])) return false;
    }
    return true;
}

/* In the order of the classes. */
static int plan_cells(struct ceiling *c)
{
    const struct space *s = &c->space;
    if (s->cells > INT32_MAX - 1)
        return status_fail(STATUS_INPUT,
                           "ceiling: %s: %" PRId64 " cells are too many for one matrix; take fewer (siamese-nas import --filter)",
                           s->path, s->cells);
    TRY(traits_create(&c->traits, s));
    TRY(memory_alloc(&c->cell, (size_t)s->cells, sizeof *c->cell));
    TRY(memory_alloc(&c->begin, (size_t)c->traits->classes + 1, sizeof *c->begin));
    for (int64_t class = 0; class < c->traits->classes; class++) {
        const int first = c->n;
        for (int64_t m = c->traits->begin[class]; m < c->traits->begin[class + 1]; m++)
            if (is_known(c, c->traits->member[m])) c->cell[c->n++] = c->traits->member[m];
        if (c->n > first) c->begin[++c->classes] = c->n;
    }
    if (c->n >= CELLS_MIN) return STATUS_OK;
    return status_fail(STATUS_INPUT, "ceiling: %s: accuracies, losses and signals are all known of %d cells only, and %d are needed; leave "
                       "out what is unknown with --codes or --signals", s->path, c->n, CELLS_MIN);
}

static int plan_targets(struct ceiling *c)
{
    const size_t n = (size_t)c->n;
    TRY(memory_alloc(&c->accuracy, (size_t)c->datasets * n, sizeof *c->accuracy));
    TRY(memory_alloc(&c->target, (size_t)c->datasets * n, sizeof *c->target));
    for (int d = 0; d < c->datasets; d++) {
        double *accuracy = c->accuracy + (size_t)d * n;
        for (int i = 0; i < c->n; i++) accuracy[i] = c->space.accuracy[c->dataset[d] * c->space.cells + c->cell[i]];
        TRY(ceiling_quantiles(c->target + (size_t)d * n, accuracy, c->n));
    }
    return STATUS_OK;
}

/* -- parameters ------------------------------------------------------------------------------------------------------ */

static int plan_parameters(struct ceiling *c)
{
    const struct ceiling_options *o = c->options;
    size_t room = 256;
    for (int i = 0; i < c->sets; i++) room += CEILING_NAME_MAX + 2;
    TRY(memory_alloc(&c->parameters, room, 1));
    char *to = stpcpy(c->parameters, "features = ");
    for (int i = 0; i < c->sets; i++) to = stpcpy(stpcpy(to, i > 0 ? ", " : ""), c->set[i].name);
    snprintf(to, room - (size_t)(to - c->parameters),
             "\nsample = %d\nstarts = %d\nseed = %" PRIu64 "\nspace_checksum = %016" PRIx64 "\n", o->sample,
             o->starts, o->seed, c->space.checksum);
    return STATUS_OK;
}

static int plan_results(struct ceiling *c)
{
    const size_t sets = (size_t)c->sets, series = sets * CEILING_LEFT_OUT * (size_t)c->datasets;
    TRY(memory_alloc(&c->complete, sets, sizeof *c->complete));
    TRY(memory_alloc(&c->figure, CEILING_FIGURES * series, sizeof *c->figure));
    TRY(memory_alloc(&c->length, sets * CEILING_GROUPS, sizeof *c->length));
    TRY(memory_alloc(&c->noise, sets, sizeof *c->noise));
    TRY(memory_alloc(&c->jitter, sets, sizeof *c->jitter));
    TRY(memory_alloc(&c->prediction, series * (size_t)c->n, sizeof *c->prediction));
    TRY(memory_alloc(&c->deviation, series * (size_t)c->n, sizeof *c->deviation));
    for (size_t i = 0; i < CEILING_FIGURES * series; i++) c->figure[i] = NAN;
    for (size_t i = 0; i < sets * CEILING_GROUPS; i++) c->length[i] = NAN;
    for (size_t i = 0; i < sets; i++) c->noise[i] = c->jitter[i] = NAN;
    for (size_t i = 0; i < series * (size_t)c->n; i++) c->prediction[i] = c->deviation[i] = NAN;
    return STATUS_OK;
}

int ceiling_plan(struct ceiling *c)
{
    TRY(plan_datasets(c));
    TRY(plan_sets(c));
    TRY(plan_cells(c));
    TRY(plan_targets(c));
    TRY(plan_parameters(c));
    return c->rank == 0 ? plan_results(c) : STATUS_OK;
}
