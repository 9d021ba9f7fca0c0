#include "method.h"

#include "memory.h"
#include "nearest.h"
#include "status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const predictor_kind_name[PREDICTOR_KINDS] = {"random", "naive", "siamese", "siamese+nsam", "gp-paths", "gp",
                                                         "known", "mlp", "pairwise"};
const char *const sampler_kind_name[SAMPLER_KINDS] = {"random", "bts", "fts", "ei", "ts", "ucb",
                                                     "regularized-evolution", "local-search", "weaknas", "brp", "prednas"};

/* All methods. A pool drawn at random is what a predictor gets without a sampler, so it has no name of its own. */
static const struct known {
    const char *name;
    struct method method;
    enum method_family family;
} known[] = {
    {"random", {PREDICTOR_RANDOM, SAMPLER_RANDOM}, METHOD_LOT},
    {"naive", {PREDICTOR_NAIVE, SAMPLER_RANDOM}, METHOD_PHASES},
    {"naive+bts", {PREDICTOR_NAIVE, SAMPLER_BTS}, METHOD_PHASES},
    {"naive+fts", {PREDICTOR_NAIVE, SAMPLER_FTS}, METHOD_PHASES},
    {"naive+ei", {PREDICTOR_NAIVE, SAMPLER_EI}, METHOD_ROUNDS},
    {"naive+ts", {PREDICTOR_NAIVE, SAMPLER_TS}, METHOD_ROUNDS},
    {"naive+ucb", {PREDICTOR_NAIVE, SAMPLER_UCB}, METHOD_ROUNDS},
    {"siamese", {PREDICTOR_SIAMESE, SAMPLER_RANDOM}, METHOD_PHASES},
    {"siamese+bts", {PREDICTOR_SIAMESE, SAMPLER_BTS}, METHOD_PHASES},
    {"siamese+fts", {PREDICTOR_SIAMESE, SAMPLER_FTS}, METHOD_PHASES},
    {"siamese+ei", {PREDICTOR_SIAMESE, SAMPLER_EI}, METHOD_ROUNDS},
    {"siamese+ts", {PREDICTOR_SIAMESE, SAMPLER_TS}, METHOD_ROUNDS},
    {"siamese+ucb", {PREDICTOR_SIAMESE, SAMPLER_UCB}, METHOD_ROUNDS},
    {"siamese+nsam", {PREDICTOR_SIAMESE_NSAM, SAMPLER_RANDOM}, METHOD_PHASES},
    {"siamese+nsam+bts", {PREDICTOR_SIAMESE_NSAM, SAMPLER_BTS}, METHOD_PHASES},
    {"siamese+nsam+fts", {PREDICTOR_SIAMESE_NSAM, SAMPLER_FTS}, METHOD_PHASES},
    {"siamese+nsam+ei", {PREDICTOR_SIAMESE_NSAM, SAMPLER_EI}, METHOD_ROUNDS},
    {"siamese+nsam+ts", {PREDICTOR_SIAMESE_NSAM, SAMPLER_TS}, METHOD_ROUNDS},
    {"siamese+nsam+ucb", {PREDICTOR_SIAMESE_NSAM, SAMPLER_UCB}, METHOD_ROUNDS},
    {"gp-paths", {PREDICTOR_GP_PATHS, SAMPLER_RANDOM}, METHOD_ROUNDS},
    {"gp-paths+ei", {PREDICTOR_GP_PATHS, SAMPLER_EI}, METHOD_ROUNDS},
    {"gp-paths+ts", {PREDICTOR_GP_PATHS, SAMPLER_TS}, METHOD_ROUNDS},
    {"gp-paths+ucb", {PREDICTOR_GP_PATHS, SAMPLER_UCB}, METHOD_ROUNDS},
    {"gp", {PREDICTOR_GP, SAMPLER_RANDOM}, METHOD_ROUNDS},
    {"gp+ei", {PREDICTOR_GP, SAMPLER_EI}, METHOD_ROUNDS},
    {"gp+ts", {PREDICTOR_GP, SAMPLER_TS}, METHOD_ROUNDS},
    {"gp+ucb", {PREDICTOR_GP, SAMPLER_UCB}, METHOD_ROUNDS},
    {"regularized-evolution", {PREDICTOR_KNOWN, SAMPLER_EVOLUTION}, METHOD_ROUNDS},
    {"local-search", {PREDICTOR_KNOWN, SAMPLER_LOCAL}, METHOD_ROUNDS},
    {"weaknas", {PREDICTOR_MLP, SAMPLER_WEAKNAS}, METHOD_ROUNDS},
    {"brp", {PREDICTOR_PAIRWISE, SAMPLER_BRP}, METHOD_ROUNDS},
    {"prednas", {PREDICTOR_NAIVE, SAMPLER_PREDNAS}, METHOD_ROUNDS},
};
enum { KNOWN = sizeof known / sizeof known[0] };

static const struct known *find(struct method m)
{
    for (int i = 0; i < KNOWN; i++)
        if (known[i].method.predictor == m.predictor && known[i].method.sampler == m.sampler) return &known[i];
    return NULL;
}

enum method_family method_family(struct method m)
{
    return find(m)->family;
}

int method_list(char **out)
{
    const char *name[KNOWN];
    for (int i = 0; i < KNOWN; i++) name[i] = known[i].name;
    return memory_join(out, name, KNOWN, ", ");
}

int method_parse(struct method *m, const char *name)
{
    const char *names[KNOWN];
    char *all;
    for (int i = 0; i < KNOWN; i++) {
        names[i] = known[i].name;
        if (strcmp(name, known[i].name) != 0) continue;
        *m = known[i].method;
        return STATUS_OK;
    }
    if (strncmp(name, "random+", 7) == 0)
        return status_fail(STATUS_INPUT, "'%s': random learns nothing, so there is no %s for it; write random", name, name + 7);
    const char *near = nearest_name(name, names, KNOWN);
    TRY(method_list(&all));
    int status = status_fail(STATUS_INPUT, "unknown method '%s'; %s%s%sknown are %s", name, near == NULL ? "" : "the nearest is ",
                             near == NULL ? "" : near, near == NULL ? "" : "; ", all);
    free(all);
    return status;
}

bool method_of(struct method *m, const char *predictor, const char *sampler)
{
    for (int i = 0; i < KNOWN; i++) {
        *m = known[i].method;
        if (strcmp(predictor, predictor_kind_name[m->predictor]) == 0 && strcmp(sampler, sampler_kind_name[m->sampler]) == 0) return true;
    }
    return false;
}

void method_name(char name[METHOD_NAME_MAX], struct method m)
{
    snprintf(name, METHOD_NAME_MAX, "%s", find(m)->name);
}

bool method_needs_neighbours(struct method m)
{
    return m.sampler == SAMPLER_EVOLUTION || m.sampler == SAMPLER_LOCAL || m.sampler == SAMPLER_PREDNAS;
}

bool method_asks(struct method m)
{
    return m.sampler == SAMPLER_EI || m.sampler == SAMPLER_TS || m.sampler == SAMPLER_UCB;
}

bool method_is_neural(struct method m)
{
    return m.predictor == PREDICTOR_NAIVE || m.predictor == PREDICTOR_SIAMESE || m.predictor == PREDICTOR_SIAMESE_NSAM;
}

bool method_needs_code(struct method m)
{
    return m.predictor == PREDICTOR_SIAMESE || m.predictor == PREDICTOR_SIAMESE_NSAM || m.predictor == PREDICTOR_GP;
}
