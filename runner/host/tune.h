/* SPDX-License-Identifier: MIT */
/*
 * tune: the few settings of a host that make measurements steadier, changed only when asked.
 *
 *     governor      performance      no slow clock at the start of a burst
 *     turbo         off              the clock does not depend on who else works
 *     NMI watchdog  off              a counter and an interrupt less
 *     swappiness    10               a service is not swapped out for page cache
 *
 * What a setting was before is in a state file before anything is changed, so tune_restore
 * works after a crash and after a reboot; tuning twice keeps the first values. Address
 * randomisation is left alone: each round starts the service anew, and so averages over
 * layouts, where a fixed one would favour base or head by chance.
 *
 * 'root' stands before every path; "" but in tests.
 */
#ifndef HOST_TUNE_H
#define HOST_TUNE_H

#include <stdbool.h>

#include "errors.h"
#include "str.h"

#define TUNE_STATE "/var/lib/pacewatch/tuned"

enum { TUNE_PATH_MAX = 512, TUNE_VALUE_MAX = 64 };

struct tune_setting {
    const char *name;
    const char *why;
    char path[TUNE_PATH_MAX]; /* without 'root' */
    char value[TUNE_VALUE_MAX], wanted[TUNE_VALUE_MAX];
    bool good; /* as it is now */
};

/* The i-th setting that exists here; false behind the last. */
bool tune_setting(const char *root, int i, struct tune_setting *out);

/* Both append a line to 'said' for each setting that they changed. */
int tune_apply(const char *root, const char *state, struct str *said, struct err *e);
int tune_restore(const char *root, const char *state, struct str *said, struct err *e);

#endif
