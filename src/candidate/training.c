#include "training.h"

#include "broadcast.h"
#include "checkpoint.h"
#include "checksum.h"
#include "executor.h"
#include "log.h"
#include "memory.h"
#include "optimizer.h"
#include "random.h"
#include "status.h"
#include "stop.h"
#include "timer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How far a training is: everything beside its numbers that the next step depends on. */
struct position {
    int32_t epoch;
    uint32_t steps;
    int64_t batch;             /* of the epoch */
    double sum;                /* of the epoch's losses */
    double seconds;            /* that earlier runs took */
};

struct training {
    const struct network *network;
    const struct image_sets *images;
    const struct training_options *options;
    uint64_t seed;
    MPI_Comm team;
    int rank, ranks;
    const struct pulse *pulse;
    int own;                   /* images of a step on this rank */
    int classes;
    struct executor *executor;
    struct optimizer optimizer;
    size_t parameters;
    float *decayed;            /* [parameters] */
    int64_t used;              /* training images of an epoch */
    int64_t *subset, *order;   /* [used] */
    float *logits, *target, *gradient; /* [own][classes] */
    int64_t *index;            /* [own] images of a batch that is evaluated */
    float *scratch;            /* two images, for augmentation */
    struct position at;
    bool stops;                /* the team has seen that the run shall stop */
    uint64_t layout;           /* of the parameters: checkpoints of another one mean something else */
    const struct training_checkpoint *checkpoint;
    double begin, kept;        /* timer_now() */
};

int64_t training_used(const struct training_options *o, int64_t images)
{
    return (int64_t)floor(o->share * (double)images + 0.5);
}

int training_epochs(const struct training_options *o)
{
    int epochs = 0;
    for (int p = 0; p < o->phases; p++) epochs += o->epochs[p];
    return epochs;
}

/* -- a step ---------------------------------------------------------------------------------------------------- */

/* Softmax cross-entropy of this rank's images, as a share of the batch's mean, and its gradient. */
static double cross_entropy(float *gradient, const float *logits, const float *target, int images, int classes, int batch)
{
    double loss = 0;
    for (int b = 0; b < images; b++, gradient += classes, logits += classes, target += classes) {
        double most = logits[0], sum = 0;
        for (int k = 1; k < classes; k++) most = fmax(most, logits[k]);
        for (int k = 0; k < classes; k++) sum += exp(logits[k] - most);
        for (int k = 0; k < classes; k++) {
            const double log_share = logits[k] - most - log(sum);
            loss -= target[k] * log_share / batch;
            gradient[k] = (float)((exp(log_share) - target[k]) / batch);
        }
        for (int k = 0; k < classes; k++)
            if (isnan(logits[k])) loss = NAN; /* fmax passes over them */
    }
    return loss;
}

/* The team's sum on all its ranks, with the same bits on each: a sum that every rank makes for itself could differ. */
static void sum_over_team(const struct training *t, void *values, int count, MPI_Datatype type)
{
    if (t->ranks == 1) return;
    MPI_Reduce(t->rank == 0 ? MPI_IN_PLACE : values, values, count, type, MPI_SUM, 0, t->team);
    MPI_Bcast(values, count, type, 0, t->team);
}

static int step(double *loss, struct training *t, const int64_t *index, uint32_t number, double rate)
{
    size_t count;
    augment_batch(executor_images(t->executor), t->target, t->images, &t->images->train, index, t->options->batch,
                  t->rank * t->own, t->own, &t->options->augment, t->seed, number, t->scratch);
    TRY(executor_forward(t->logits, t->executor, true));
    double sum[] = {cross_entropy(t->gradient, t->logits, t->target, t->own, t->classes, t->options->batch), stop_wanted()};
    sum_over_team(t, sum, 2, MPI_DOUBLE);
    *loss = sum[0];
    t->stops = sum[1] > 0;
    if (!isfinite(*loss)) return STATUS_OK;
    TRY(executor_backward(t->executor, t->gradient));
    float *gradients = executor_gradients(t->executor), *values = executor_parameters(t->executor, &count);
    sum_over_team(t, gradients, (int)count, MPI_FLOAT);
    optimizer_step(&t->optimizer, values, gradients, t->decayed, rate);
    pulse_beat(t->pulse);
    return STATUS_OK;
}

/* -- checkpoints ------------------------------------------------------------------------------------------------ */

enum { PARTS = 6 };

/* The executor keeps its parameters as suits this machine. Where numbers with known places lie then says how. */
static int find_layout(struct training *t)
{
    float *plain;
    size_t count = executor_plain_count(t->executor), kept;
    float *values = executor_parameters(t->executor, &kept);
    TRY(memory_alloc(&plain, count, sizeof *plain));
    for (size_t i = 0; i < count; i++) plain[i] = (float)(1 + i % 1000003);
    int status = executor_set_plain(t->executor, plain);
    t->layout = CHECKSUM_BEGIN;
    checksum_add(&t->layout, values, kept * sizeof *values);
    memset(values, 0, kept * sizeof *values);
    free(plain);
    return status;
}

static uint64_t fingerprint_of(const struct training *t)
{
    uint64_t sum = t->checkpoint->fingerprint;
    checksum_add_number(&sum, t->layout);
    return sum;
}

/* What differs between the ranks of a team, the statistics of other images, has no part in the result. */
static void list_parts(struct checkpoint_part part[PARTS], struct training *t, struct measurement *out)
{
    size_t count, statistics;
    float *values = executor_parameters(t->executor, &count), *running = executor_running(t->executor, &statistics);
    const struct checkpoint_part all[PARTS] = {
        {&t->at, sizeof t->at}, {out, sizeof *out}, {&t->optimizer.step, sizeof t->optimizer.step},
        {values, count * sizeof *values}, {running, statistics * sizeof *running}, {t->optimizer.moment, t->optimizer.moments * sizeof *t->optimizer.moment},
    };
    memcpy(part, all, sizeof all);
}

/* Write a checkpoint when one is due; leave the training when the run shall stop. A disk that is full is no reason to end it. */
static int keep(struct training *t, struct measurement *out)
{
    const struct training_checkpoint *c = t->checkpoint;
    if (c != NULL && t->rank == 0 && (t->stops || timer_now() - t->kept >= c->every)) {
        struct checkpoint_part part[PARTS];
        const double before = t->at.seconds;
        t->kept = timer_now();
        t->at.seconds += t->kept - t->begin;
        list_parts(part, t, out);
        if (checkpoint_write(c->path, fingerprint_of(t), part, PARTS) != STATUS_OK) {
            log_warning("no checkpoint of this training: %s", status_message());
            status_clear();
        }
        t->at.seconds = before;
    }
    return t->stops ? status_fail(STATUS_STOPPED, "stopped cleanly%s", stop_reason()) : STATUS_OK;
}

/* Go on from the checkpoint, when there is one. */
static int restore(bool *found, struct training *t, struct measurement *out)
{
    struct checkpoint_part part[PARTS];
    int status = STATUS_OK;
    *found = false;
    if (t->checkpoint == NULL) return STATUS_OK;
    list_parts(part, t, out);
    if (t->rank == 0) status = checkpoint_read(found, t->checkpoint->path, fingerprint_of(t), part, PARTS);
    if (t->ranks == 1) return status;
    TRY(status_agree(t->team, status));
    MPI_Bcast(found, 1, MPI_C_BOOL, 0, t->team);
    for (int i = 0; i < PARTS && *found; i++) broadcast_bytes(part[i].data, part[i].size, t->team);
    return STATUS_OK;
}

/* -- all steps --------------------------------------------------------------------------------------------------- */

/* The epoch that the training is in, from where it is. */
static int epoch(double *loss, struct training *t, struct measurement *out, double rate, double cosine_begin, double cosine_end)
{
    const int64_t batches = t->used / t->options->batch;
    struct position *at = &t->at;
    augment_order(t->order, t->used, t->seed, (uint32_t)at->epoch);
    for (int64_t i = 0; i < t->used; i++) t->order[i] = t->subset[t->order[i]];
    while (at->batch < batches && isfinite(at->sum)) {
        const double pi = 3.14159265358979323846;
        const double moment = cosine_begin + (cosine_end - cosine_begin) * (double)at->batch / (double)batches;
        const double now = t->options->decay == DECAY_COSINE ? rate * (1 + cos(pi * moment)) / 2 : rate;
        double one;
        TRY(step(&one, t, t->order + at->batch * t->options->batch, at->steps, now));
        at->steps++, at->batch++;
        at->sum += one;
        TRY(keep(t, out));
    }
    *loss = at->sum / (double)batches;
    return STATUS_OK;
}

/* All phases, until the loss is no number any more. */
static int train(struct measurement *out, struct training *t)
{
    int first = 0; /* epoch of the phase */
    for (int p = 0; p < t->options->phases; first += t->options->epochs[p++])
        while (t->at.epoch - first < t->options->epochs[p]) {
            const double epochs = t->options->epochs[p], e = t->at.epoch - first;
            double loss;
            TRY(epoch(&loss, t, out, t->options->learning_rate[p], e / epochs, (e + 1) / epochs));
            if (!isfinite(loss)) {
                out->outcome = MEASUREMENT_DIVERGED;
                return STATUS_OK;
            }
            if (t->at.epoch < MEASUREMENT_LOSSES_MAX) out->loss[out->losses++] = loss;
            t->at.epoch++;
            t->at.batch = 0, t->at.sum = 0;
        }
    out->outcome = MEASUREMENT_DONE;
    return STATUS_OK;
}

/* -- evaluation ------------------------------------------------------------------------------------------------ */

static int is_right(const float *logits, int classes, int label)
{
    for (int k = 0; k < classes; k++) /* also false when the logits are no numbers */
        if (k != label && !(logits[label] > logits[k])) return 0;
    return 1;
}

/* Percent of the images that are classified right: batches of a fixed size, dealt out to the team's ranks. */
static int evaluate(double *accuracy, struct training *t, const struct images *set)
{
    int64_t right = 0;
    for (int64_t first = (int64_t)t->rank * t->own; first < set->count; first += (int64_t)t->ranks * t->own) {
        const int here = set->count - first < t->own ? (int)(set->count - first) : t->own;
        for (int i = 0; i < here; i++) t->index[i] = first + i;
        augment_batch(executor_images(t->executor), t->target, t->images, set, t->index, here, 0, here, NULL, t->seed, 0, t->scratch);
        TRY(executor_forward(t->logits, t->executor, false));
        for (int i = 0; i < here; i++) right += is_right(t->logits + (size_t)i * (size_t)t->classes, t->classes, set->label[first + i]);
        pulse_beat(t->pulse);
    }
    sum_over_team(t, &right, 1, MPI_INT64_T);
    *accuracy = set->count > 0 ? 100.0 * (double)right / (double)set->count : NAN;
    return STATUS_OK;
}

/* -- the whole ------------------------------------------------------------------------------------------------- */

static int create(struct training *t)
{
    const struct images *train_set = &t->images->train;
    const struct training_options *o = t->options;
    t->own = o->batch / t->ranks;
    t->classes = train_set->classes;
    t->used = training_used(o, train_set->count);
    TRY(executor_create(&t->executor, t->network, t->own));
    executor_parameters(t->executor, &t->parameters);
    if (t->checkpoint != NULL) TRY(find_layout(t));
    TRY(optimizer_create(&t->optimizer, o, t->parameters));
    TRY(memory_alloc(&t->decayed, t->parameters, sizeof *t->decayed));
    int arrays;
    const struct parameter *p = executor_parameter(t->executor, &arrays);
    for (int i = 0; i < arrays; i++)
        for (size_t k = 0; p[i].kind == PARAMETER_WEIGHTS && k < p[i].kept; k++) t->decayed[p[i].offset + k] = 1;
    const size_t outputs = (size_t)t->own * (size_t)t->classes;
    TRY(memory_alloc(&t->logits, outputs, sizeof *t->logits));
    TRY(memory_alloc(&t->target, outputs, sizeof *t->target));
    TRY(memory_alloc(&t->index, (size_t)t->own, sizeof *t->index));
    TRY(memory_alloc(&t->gradient, outputs, sizeof *t->gradient));
    TRY(memory_alloc(&t->scratch, 2 * images_size(train_set), sizeof *t->scratch));
    TRY(memory_alloc(&t->subset, (size_t)t->used, sizeof *t->subset));
    TRY(memory_alloc(&t->order, (size_t)t->used, sizeof *t->order));
    struct random_stream s;
    random_open(&s, t->seed, 0, 0, RANDOM_SPLIT);
    random_subset(t->subset, t->used, train_set->count, &s);
    return STATUS_OK;
}

static void destroy(struct training *t)
{
    executor_destroy(&t->executor);
    optimizer_destroy(&t->optimizer);
    free(t->decayed);
    free(t->logits);
    free(t->target);
    free(t->gradient);
    free(t->index);
    free(t->scratch);
    free(t->subset);
    free(t->order);
}

static int run(struct measurement *out, struct training *t, bool evaluated)
{
    bool goes_on;
    TRY(restore(&goes_on, t, out));
    if (!goes_on) {
        TRY(executor_initialise(t->executor, t->seed));
        TRY(executor_synflow(&out->synflow, t->executor));
    }
    TRY(train(out, t));
    if (!evaluated || out->outcome != MEASUREMENT_DONE) return STATUS_OK;
    size_t count;
    float *running = executor_running(t->executor, &count);
    if (t->ranks > 1) MPI_Bcast(running, (int)count, MPI_FLOAT, 0, t->team); /* every rank saw other images */
    TRY(evaluate(&out->accuracy, t, &t->images->test));
    return evaluate(&out->validation_accuracy, t, &t->images->validation);
}

int training_run(struct measurement *out, const struct network *n, const struct image_sets *images, const struct training_options *o,
                 bool evaluated, uint64_t seed, MPI_Comm team, const struct pulse *pulse, const struct training_checkpoint *checkpoint)
{
    struct training t = {.network = n, .images = images, .options = o, .seed = seed, .team = team, .pulse = pulse,
                         .checkpoint = checkpoint, .begin = timer_now()};
    t.kept = t.begin;
    *out = (struct measurement){.accuracy = NAN, .validation_accuracy = NAN, .synflow = NAN};
    MPI_Comm_rank(team, &t.rank);
    MPI_Comm_size(team, &t.ranks);
    int status = create(&t);
    if (t.ranks > 1) status = status_agree(team, status); /* collectives follow */
    if (status == STATUS_OK) status = run(out, &t, evaluated);
    destroy(&t);
    out->seconds = t.at.seconds + timer_now() - t.begin;
    return status;
}
