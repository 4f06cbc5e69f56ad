/* SPDX-License-Identifier: MIT */
/*
 * quiet_lock: keeps the host quiet while a job is measured.
 *
 * Measuring holds it alone; work that would disturb (fetching) holds it shared. The kernel
 * frees it when its holder dies. Nobody waits for it: who cannot have it looks again later.
 */
#ifndef STAGES_QUIET_LOCK_H
#define STAGES_QUIET_LOCK_H

#include <stdbool.h>

#include "errors.h"

enum quiet { QUIET_SHARED, QUIET_ALONE };

int quiet_lock_open(const char *state_dir, int *out_fd,
                    struct err *e); /* close with fdio_closep */
bool quiet_lock_try(int fd, enum quiet how);
void quiet_lock_release(int fd);

#endif
