/* SPDX-License-Identifier: MIT */
/*
 * quiet: one measuring job on a host, and nobody heavy beside it.
 *
 * A lock file: whoever measures holds it alone; builds, fetches and heavy queries hold it
 * together with others. The kernel frees it when its holder ends in any way.
 */
#ifndef HOST_QUIET_H
#define HOST_QUIET_H

#include <stdbool.h>

#include "errors.h"

int quiet_open(const char *path, int *out_fd, struct err *e); /* close it to give the lock up */

/* True when we hold it now. Asking again in the other way gives up the old hold first. */
bool quiet_try(int fd, bool alone);

#endif
