/* nasbench201.h - NAS-Bench-201: arch strings and cells (method.md section 1). */
#ifndef NASBENCH201_H
#define NASBENCH201_H

#include "space.h"

enum { NASBENCH201_NODES = 10, NASBENCH201_OPERATIONS = 9, NASBENCH201_ARCH_MAX = 96 /* with the zero */ };

extern const char *const nasbench201_vocabulary[NASBENCH201_OPERATIONS];

/* The adjacency that all its cells share. */
void nasbench201_graph(struct graph *g);

/* "|a~0|+|b~0|c~1|+|d~0|e~1|f~2|" to the operations of the nodes. STATUS_INPUT when it is no such string; `where` begins
 * the message. */
int nasbench201_parse(uint8_t operation[NASBENCH201_NODES], const char *arch, const char *where);

/* The way back. false when the operations are those of no NAS-Bench-201 cell. */
bool nasbench201_format(char arch[NASBENCH201_ARCH_MAX], const uint8_t operation[NASBENCH201_NODES]);

#endif
