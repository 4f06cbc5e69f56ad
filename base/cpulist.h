/* SPDX-License-Identifier: MIT */
/*
 * cpulist: sets of CPUs as the kernel writes them, "0-3,8".
 */
#ifndef BASE_CPULIST_H
#define BASE_CPULIST_H

#include <sched.h>

#include "errors.h"
#include "str.h"

/* An empty text is an empty set; a number of CPU_SETSIZE or above is ERR_INPUT. */
int cpulist_parse(struct view text, cpu_set_t *out, struct err *e);
void cpulist_write(const cpu_set_t *set, struct str *out);

#endif
