/* job_keys.h - the table of all keys of a job file. */
#ifndef JOB_KEYS_H
#define JOB_KEYS_H

#include "config.h"

extern const struct config_key job_keys[];
extern const int job_keys_count;

#endif
