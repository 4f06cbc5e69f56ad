/* SPDX-License-Identifier: MIT */
/*
 * slot: one of a few places for a running job on this host; it owns a user id and cgroup names.
 *
 * A slot is taken by locking its file, and the kernel frees it when the runner ends in any way.
 */
#ifndef SANDBOX_SLOT_H
#define SANDBOX_SLOT_H

#include "errors.h"

/* Locks the first free 'slot-N.lock' in 'dir'; *out_fd holds it. None free: ERR_AWAY. */
int slot_take(const char *dir, int slots, int *out_slot, int *out_fd, struct err *e);

#endif
