/* trainer.h - a measurer that trains the candidates itself, by a recipe. */
#ifndef TRAINER_H
#define TRAINER_H

#include "measurement.h"
#include "recipe.h"
#include "space.h"

struct trainer;

/* Collective over comm, which all ranks share that will train: rank 0 reads the images. team: the ranks that train one
 * candidate together, MPI_COMM_NULL on ranks that train none. ledger: the path of the ledger of what is trained: checkpoints of
 * long trainings lie beside it, LEDGER.CELL-code and LEDGER.CELL-training. recipe, space and ledger must outlive the trainer.
 * STATUS_INPUT when the space has no networks, or the images or the team do not fit the recipe. */
int trainer_create(struct trainer **out, const struct recipe *recipe, const struct space *space, const char *ledger, MPI_Comm comm,
                   MPI_Comm team);
void trainer_destroy(struct trainer **t);

/* The interface of measurement.h; valid as long as the trainer. */
struct measurer trainer_measurer(struct trainer *t);

/* What it trains on. */
const struct image_sets *trainer_images(const struct trainer *t);

/* Millions of multiply-adds and of parameters of a cell's network, parts without effect included, as published tables count. */
int trainer_counts(double *flops, double *parameters, const struct trainer *t, int64_t cell);

#endif
