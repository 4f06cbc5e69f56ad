/* SPDX-License-Identifier: MIT */
/*
 * canary: a fixed piece of work that tells a slower machine from a slower change.
 *
 * The same instructions every time: arithmetic and dependent loads from a table that does not
 * fit the first-level cache, about three milliseconds. It is part of the runner and runs on the
 * service's CPUs before each round, so no commit can reach it.
 */
#ifndef HOST_CANARY_H
#define HOST_CANARY_H

#include <sched.h>
#include <stdint.h>

/* CPU time of the work on 'cpus', in ns; the caller's own CPUs are restored. -1: not possible.
 */
int64_t canary_ns(const cpu_set_t *cpus);

#endif
