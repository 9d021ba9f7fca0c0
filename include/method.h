/* method.h - the names of methods in job files: a predictor and how its training pool is sampled, e.g. "siamese+nsam+bts". */
#ifndef METHOD_H
#define METHOD_H

#include <stdbool.h>

enum predictor_kind { PREDICTOR_RANDOM, PREDICTOR_NAIVE, PREDICTOR_SIAMESE, PREDICTOR_SIAMESE_NSAM, PREDICTOR_GP_PATHS, PREDICTOR_GP,
                      PREDICTOR_KNOWN, PREDICTOR_MLP, PREDICTOR_PAIRWISE, PREDICTOR_KINDS };
enum sampler_kind { SAMPLER_RANDOM, SAMPLER_BTS, SAMPLER_FTS, SAMPLER_EI, SAMPLER_TS, SAMPLER_UCB,
                    SAMPLER_EVOLUTION, SAMPLER_LOCAL, SAMPLER_WEAKNAS, SAMPLER_BRP, SAMPLER_PREDNAS, SAMPLER_KINDS };

extern const char *const predictor_kind_name[PREDICTOR_KINDS]; /* "random" "naive" "siamese" ... */
extern const char *const sampler_kind_name[SAMPLER_KINDS];     /* "random" "bts" "fts" ... */

struct method {
    enum predictor_kind predictor;
    enum sampler_kind sampler;
};

/* How a trial goes. */
enum method_family {
    METHOD_LOT,    /* nothing is learnt: no pool is trained */
    METHOD_PHASES, /* the paper's four phases of training (method.md section 4); N pays for the pool and for the last phase's look-ups */
    METHOD_ROUNDS, /* the pool, all of N, grows by rounds of a sampler, which asks the predictor or none */
};
enum method_family method_family(struct method m);

enum { METHOD_NAME_MAX = 40 };

/* STATUS_INPUT for an unknown name, with the list of known ones. */
int method_parse(struct method *m, const char *name);

/* The method of these two names, as results files have them; false when there is none. */
bool method_of(struct method *m, const char *predictor, const char *sampler);

void method_name(char name[METHOD_NAME_MAX], struct method m);

/* The names of all methods, separated by commas; release with free(). */
int method_list(char **out);

/* Does it go from cells to their neighbours (neighbourhood.h)? */
bool method_needs_neighbours(struct method m);

/* Does its sampler ask how sure the predictor is? */
bool method_asks(struct method m);

/* Does only an ensemble of its predictor say how sure it is? */
bool method_is_neural(struct method m);

/* Must the space know codes? */
bool method_needs_code(struct method m);

#endif
