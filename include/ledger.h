/* ledger.h - what has been trained so far: a file of fixed-size records, one a distinct cell and kind of measurement, each
 * written with its own checksum as soon as it is known. Several ranks and several jobs may use one ledger: records do not
 * overlap, and two writers of the same record write the same. A record torn by a crash counts as not there. */
#ifndef LEDGER_H
#define LEDGER_H

#include "measurement.h"

#include <stdbool.h>

struct ledger;

/* Where the measurements of the cells of a space file are kept: NAME.ledger for NAME.nc. Release with free(). */
int ledger_name(char **out, const char *space);

/* Of everything that decides what is written into a ledger. */
uint64_t ledger_fingerprint(uint64_t cells_checksum, uint64_t measurer);

/* Open or begin PATH for `cells` distinct cells. fingerprint: of space and measurer; a ledger of another fingerprint or size is
 * STATUS_INPUT and stays as it is. Every rank opens it for itself, once: claims of a process end when it closes any one of its
 * ledgers of the same path. */
int ledger_open(struct ledger **out, const char *path, int64_t cells, uint64_t fingerprint);
void ledger_close(struct ledger **l);

/* outcome = MEASUREMENT_NONE when the record is not there, or not what a measurement can be. */
int ledger_read(struct measurement *out, const struct ledger *l, int64_t cell, enum measurement_kind kind);

/* On disk when it returns. */
int ledger_write(struct ledger *l, int64_t cell, enum measurement_kind kind, const struct measurement *m);

/* Say that this process is about to measure something, so that no other does the same: false when another process has said so
 * already. A claim ends with its process at the latest. Where files cannot be locked everybody may claim everything, and some
 * cells are measured twice, to the same result. */
bool ledger_claim(struct ledger *l, int64_t cell, enum measurement_kind kind);
void ledger_release(struct ledger *l, int64_t cell, enum measurement_kind kind);

#endif
