/* SPDX-License-Identifier: MIT */
/*
 * proctree: the processes below one process, by /proc; what back end "none" has for an account.
 */
#ifndef SANDBOX_PROCTREE_H
#define SANDBOX_PROCTREE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* All descendants of 'root', itself not among them; how many of at most 'max'. */
size_t proctree_below(pid_t root, pid_t *out, size_t max);

/* CPU time of the processes, threads that have ended included, and of the children that they
 * have waited for (those to a clock tick). A process that ended unseen is lost. */
int64_t proctree_cpu_ns(const pid_t *pids, size_t n);

#endif
