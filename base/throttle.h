/* SPDX-License-Identifier: MIT */
/*
 * throttle: how long a CPU limit of a control group, our own or one above, has held us back.
 *
 * Containers and batch systems set such limits. A process that is held back does not run and
 * does not wait in a run queue, so nothing else tells.
 */
#ifndef BASE_THROTTLE_H
#define BASE_THROTTLE_H

#include <stdint.h>

/* Since the groups were made; 0 where nothing says so. Of several levels the largest. */
int64_t throttle_ns(void);

#endif
