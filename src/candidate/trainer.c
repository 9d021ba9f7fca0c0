#include "trainer.h"

#include "broadcast.h"
#include "checkpoint.h"
#include "checksum.h"
#include "memory.h"
#include "status.h"
#include "topology.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct trainer {
    const struct recipe *recipe;
    const struct space *space;
    struct topology_words words;
    struct network_options network;
    struct image_sets images;
    MPI_Comm team;
    uint64_t fingerprint;
    const char *ledger;
};

/* Seconds: what a killed training loses at most. */
static const double checkpoint_every = 120;

/* -- images, one reader for all ranks -------------------------------------------------------------------------- */

static int share_set(struct images *s, MPI_Comm comm, bool reader)
{
    int64_t shape[] = {s->count, s->channels, s->height, s->width, s->classes};
    MPI_Bcast(shape, 5, MPI_INT64_T, 0, comm);
    int status = STATUS_OK;
    if (!reader) {
        *s = (struct images){shape[0], (int)shape[1], (int)shape[2], (int)shape[3], (int)shape[4], NULL, NULL};
        status = memory_alloc(&s->pixel, (size_t)s->count, images_size(s));
        if (status == STATUS_OK) status = memory_alloc(&s->label, (size_t)s->count, sizeof *s->label);
    }
    TRY(status_agree(comm, status));
    broadcast_bytes(s->pixel, (size_t)s->count * images_size(s), comm);
    broadcast_bytes(s->label, (size_t)s->count * sizeof *s->label, comm);
    return STATUS_OK;
}

static int read_images(struct trainer *t, MPI_Comm comm)
{
    int rank;
    MPI_Comm_rank(comm, &rank);
    TRY(status_agree(comm, rank == 0 ? images_read(&t->images, &t->recipe->source) : STATUS_OK));
    MPI_Bcast(t->images.mean, IMAGES_CHANNELS_MAX, MPI_FLOAT, 0, comm);
    MPI_Bcast(t->images.deviation, IMAGES_CHANNELS_MAX, MPI_FLOAT, 0, comm);
    MPI_Bcast(&t->images.checksum, 1, MPI_UINT64_T, 0, comm);
    TRY(share_set(&t->images.train, comm, rank == 0));
    TRY(share_set(&t->images.validation, comm, rank == 0));
    return share_set(&t->images.test, comm, rank == 0);
}

/* -- what fits together ---------------------------------------------------------------------------------------- */

static int check_schedule(const struct trainer *t, const char *section, const struct training_options *o)
{
    const char *path = t->recipe->path;
    const int64_t used = training_used(o, t->images.train.count);
    int ranks = 1;
    if (t->team != MPI_COMM_NULL) MPI_Comm_size(t->team, &ranks);
    if (used < o->batch)
        return status_fail(STATUS_INPUT, "%s: %s.batch = %d, but of %" PRId64 " training images only %" PRId64 " are used (%s.share = "
                           "%g); make the batch smaller, or use more", path, section, o->batch, t->images.train.count, used, section,
                           o->share);
    if (o->batch % ranks != 0)
        return status_fail(STATUS_INPUT, "%s: %s.batch = %d cannot be shared by %d ranks a candidate; take a multiple of it", path, section,
                           o->batch, ranks);
    return STATUS_OK;
}

/* the_same: a checksum of all that distinguishes the network from those of other cells. */
static int build(struct network *n, uint64_t *the_same, const struct trainer *t, int64_t cell)
{
    struct topology topology;
    TRY(topology_of_cell(&topology, t->space, &t->words, cell, false));
    *the_same = CHECKSUM_BEGIN;
    checksum_add_number(the_same, (uint64_t)topology.family);
    checksum_add_number(the_same, (uint64_t)topology.nodes);
    checksum_add(the_same, topology.label, (size_t)topology.nodes);
    for (int i = 0; i < topology.nodes; i++) checksum_add(the_same, topology.edge[i], (size_t)topology.nodes);
    return network_build(n, &topology, &t->network);
}

static int check(struct trainer *t)
{
    struct network network;
    uint64_t ignored;
    TRY(topology_words(&t->words, t->space));
    t->network = t->recipe->network;
    t->network.height = t->images.train.height;
    t->network.width = t->images.train.width;
    t->network.image_channels = t->images.train.channels;
    t->network.classes = t->images.train.classes;
    TRY(check_schedule(t, "code", &t->recipe->code));
    TRY(check_schedule(t, "training", &t->recipe->training));
    TRY(build(&network, &ignored, t, 0)); /* shows whether the shapes go together */
    network_destroy(&network);
    return STATUS_OK;
}

int trainer_create(struct trainer **out, const struct recipe *recipe, const struct space *space, const char *ledger, MPI_Comm comm,
                   MPI_Comm team)
{
    struct trainer *t;
    *out = NULL;
    TRY(status_agree(comm, memory_alloc(&t, 1, sizeof *t)));
    t->recipe = recipe;
    t->space = space;
    t->team = team;
    t->ledger = ledger;
    int status = read_images(t, comm);
    if (status == STATUS_OK) status = status_agree(comm, check(t));
    if (status != STATUS_OK) {
        trainer_destroy(&t);
        return status;
    }
    t->fingerprint = CHECKSUM_BEGIN;
    checksum_add_text(&t->fingerprint, recipe->parameters, strlen(recipe->parameters));
    checksum_add_number(&t->fingerprint, t->images.checksum);
    *out = t;
    return STATUS_OK;
}

void trainer_destroy(struct trainer **t)
{
    if (*t == NULL) return;
    images_destroy(&(*t)->images);
    free(*t);
    *t = NULL;
}

/* -- measuring ------------------------------------------------------------------------------------------------- */

static int checkpoint_name(char **out, const struct trainer *t, int64_t cell, enum measurement_kind kind)
{
    char end[48];
    snprintf(end, sizeof end, ".%" PRId64 "-%s", cell, kind == MEASUREMENT_CODE ? "code" : "training");
    const char *const name[] = {t->ledger, end};
    return memory_join(out, name, 2, "");
}

/* The result depends on the size of the team. */
static uint64_t checkpoint_fingerprint(const struct trainer *t, uint64_t network, enum measurement_kind kind)
{
    uint64_t sum = CHECKSUM_BEGIN;
    int ranks;
    MPI_Comm_size(t->team, &ranks);
    const uint64_t number[] = {t->fingerprint, network, (uint64_t)kind, (uint64_t)ranks};
    for (size_t i = 0; i < sizeof number / sizeof *number; i++) checksum_add_number(&sum, number[i]);
    return sum;
}

static int measure(struct measurement *out, void *self, int64_t cell, enum measurement_kind kind, const struct pulse *pulse)
{
    const struct trainer *t = self;
    const struct training_options *o = kind == MEASUREMENT_CODE ? &t->recipe->code : &t->recipe->training;
    struct network network;
    uint64_t the_same;
    char *path;
    TRY(build(&network, &the_same, t, cell));
    int status = checkpoint_name(&path, t, cell, kind);
    if (status == STATUS_OK) {
        const struct training_checkpoint c = {path, checkpoint_fingerprint(t, the_same, kind), checkpoint_every};
        status = training_run(out, &network, &t->images, o, kind == MEASUREMENT_TRAINING, t->recipe->seed, t->team, pulse, &c);
    }
    free(path);
    network_destroy(&network);
    return status;
}

static void forget(void *self, int64_t cell, enum measurement_kind kind)
{
    char *path;
    if (checkpoint_name(&path, self, cell, kind) == STATUS_OK) checkpoint_remove(path);
    free(path);
}

struct measurer trainer_measurer(struct trainer *t)
{
    return (struct measurer){.measure = measure, .forget = forget, .self = t, .fingerprint = t->fingerprint};
}

const struct image_sets *trainer_images(const struct trainer *t)
{
    return &t->images;
}

int trainer_counts(double *flops, double *parameters, const struct trainer *t, int64_t cell)
{
    return network_costs(flops, parameters, t->space, &t->words, cell, &t->network);
}
