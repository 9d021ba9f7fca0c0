/* method.h - the names of methods in job files: a predictor and a sampler, e.g. "siamese+nsam+bts". */
#ifndef METHOD_H
#define METHOD_H

#include <stdbool.h>

enum predictor_kind { PREDICTOR_RANDOM, PREDICTOR_NAIVE, PREDICTOR_SIAMESE, PREDICTOR_SIAMESE_NSAM, PREDICTOR_KINDS };
enum sampler_kind { SAMPLER_RANDOM, SAMPLER_BTS, SAMPLER_FTS, SAMPLER_KINDS };

extern const char *const predictor_kind_name[PREDICTOR_KINDS]; /* "random" "naive" "siamese" "siamese+nsam" */
extern const char *const sampler_kind_name[SAMPLER_KINDS];     /* "random" "bts" "fts" */

struct method {
    enum predictor_kind predictor;
    enum sampler_kind sampler;
};

enum { METHOD_NAME_MAX = 40 };

/* STATUS_INPUT for an unknown name, with the list of known ones. */
int method_parse(struct method *m, const char *name);
void method_name(char name[METHOD_NAME_MAX], struct method m);
bool method_needs_code(struct method m);

#endif
