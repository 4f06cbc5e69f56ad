/* SPDX-License-Identifier: MIT */
/* clock: see clock.h. */
#include "clock.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <time.h>

int64_t clock_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * CLOCK_NS_PER_S + t.tv_nsec;
}

int64_t clock_wall_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / CLOCK_NS_PER_MS;
}

void clock_sleep_until(int64_t due_ns)
{
    struct timespec t = {due_ns / CLOCK_NS_PER_S, due_ns % CLOCK_NS_PER_S};
    /* Only a signal is a reason to go on; a due time below 0 is refused by the kernel. */
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        continue;
}

int clock_poll_ms(int64_t deadline_ns)
{
    if (deadline_ns == CLOCK_NEVER)
        return -1;
    int64_t now = clock_now_ns();
    if (deadline_ns <= now)
        return 0;
    int64_t left = deadline_ns - now;
    int64_t ms = (left - 1) / CLOCK_NS_PER_MS + 1;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

void clock_iso(int64_t wall_ms, char out[CLOCK_ISO_BYTES])
{
    time_t seconds = wall_ms / 1000;
    struct tm t;
    gmtime_r(&seconds, &t);
    if (!strftime(out, CLOCK_ISO_BYTES, "%Y-%m-%dT%H:%M:%SZ", &t))
        snprintf(out, CLOCK_ISO_BYTES, "-");
}
