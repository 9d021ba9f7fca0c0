/* analysis_internal.h - shared by the analysis*.c files only. */
#ifndef ANALYSIS_INTERNAL_H
#define ANALYSIS_INTERNAL_H

#include "analysis.h"

/* Serial; each fills its part of the analysis. */
int analysis_find_sharing(struct analysis *a); /* cells with equal codes */
int analysis_find_groups(struct analysis *a);  /* FLOPs */
int analysis_find_classes(struct analysis *a); /* cells that compute the same; none when the operations are of no known family */

#endif
