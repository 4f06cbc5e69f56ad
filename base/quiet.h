/* SPDX-License-Identifier: MIT */
/*
 * quiet: one measuring job, and nobody heavy beside it.
 *
 * A lock file: whoever measures holds it alone; builds, fetches and heavy queries hold it
 * together with others. The kernel frees it when its holder ends in any way. Nobody waits for
 * it: who cannot have it looks again later.
 */
#ifndef BASE_QUIET_H
#define BASE_QUIET_H

#include <stdbool.h>

#include "errors.h"

enum quiet { QUIET_SHARED, QUIET_ALONE };

int quiet_open(const char *path, int *out_fd, struct err *e); /* close it to give the lock up */
int quiet_open_in(const char *dir, int *out_fd, struct err *e); /* its 'quiet.lock' */

/* True when we hold it now. Asking again in the other way gives up the old hold first. */
bool quiet_try(int fd, enum quiet how);
void quiet_release(int fd);

#endif
