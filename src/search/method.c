#include "method.h"

#include "status.h"

#include <stdio.h>
#include <string.h>

const char *const predictor_kind_name[PREDICTOR_KINDS] = {"random", "naive", "siamese", "siamese+nsam"};
const char *const sampler_kind_name[SAMPLER_KINDS] = {"random", "bts", "fts"};

int method_parse(struct method *m, const char *name)
{
    char known[METHOD_NAME_MAX];
    for (int p = 0; p < PREDICTOR_KINDS; p++) {
        for (int s = 0; s < SAMPLER_KINDS; s++) {
            *m = (struct method){(enum predictor_kind)p, (enum sampler_kind)s};
            method_name(known, *m);
            if (strcmp(name, known) != 0) continue;
            if (p == PREDICTOR_RANDOM && s != SAMPLER_RANDOM)
                return status_fail(STATUS_INPUT, "'%s': random learns nothing, so there is no %s for it; write random", name,
                                   sampler_kind_name[s]);
            return STATUS_OK;
        }
    }
    return status_fail(STATUS_INPUT, "unknown method '%s'; known are random, naive, siamese and siamese+nsam, "
                       "the last three also with +bts or +fts behind them", name);
}

void method_name(char name[METHOD_NAME_MAX], struct method m)
{
    /* drawing at random is what a predictor does without a sampler, so it has no name of its own */
    const char *sampler = m.sampler == SAMPLER_RANDOM ? "" : sampler_kind_name[m.sampler];
    snprintf(name, METHOD_NAME_MAX, "%s%s%s", predictor_kind_name[m.predictor], sampler[0] == '\0' ? "" : "+", sampler);
}

bool method_needs_code(struct method m)
{
    return m.predictor == PREDICTOR_SIAMESE || m.predictor == PREDICTOR_SIAMESE_NSAM;
}
