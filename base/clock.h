/* SPDX-License-Identifier: MIT */
/*
 * clock: time is int64_t nanoseconds on the monotonic clock.
 *
 * Wall time exists for display and the database only, in milliseconds since 1970 UTC.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_NS_PER_US INT64_C(1000)
#define CLOCK_NS_PER_MS INT64_C(1000000)
#define CLOCK_NS_PER_S  INT64_C(1000000000)
#define CLOCK_NEVER     INT64_MAX /* a deadline that does not come */

int64_t clock_now_ns(void);
int64_t clock_wall_ms(void);
void clock_sleep_until(int64_t due_ns);

/* What poll(2) takes for a deadline: milliseconds rounded up, 0 when it has passed, -1 never.
 */
int clock_poll_ms(int64_t deadline_ns);

/* Writes wall time as "2026-11-24T10:15:30Z" into 'out' of at least 21 bytes. */
enum { CLOCK_ISO_BYTES = 21 };
void clock_iso(int64_t wall_ms, char out[CLOCK_ISO_BYTES]);

#endif
