/* SPDX-License-Identifier: MIT */
/* canary: see canary.h. */
#include "canary.h"

#include <time.h>

#include "mem.h"

enum { CANARY_WORDS = 1 << 16, CANARY_STEPS = 400000 };

static uint64_t work(const uint32_t *table)
{
    uint64_t x = UINT64_C(0x9e3779b97f4a7c15);
    for (int i = 0; i < CANARY_STEPS; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x += table[x % CANARY_WORDS]; /* the next step waits for this load */
    }
    return x;
}

static int64_t thread_cpu_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t canary_ns(const cpu_set_t *cpus)
{
    cpu_set_t before;
    if (sched_getaffinity(0, sizeof before, &before) < 0 ||
        sched_setaffinity(0, sizeof *cpus, cpus) < 0)
        return -1;
    uint32_t *table = mem_alloc(CANARY_WORDS * sizeof *table);
    for (uint32_t i = 0; i < CANARY_WORDS; i++)
        table[i] = i * UINT32_C(2654435761);
    int64_t start = thread_cpu_ns();
    volatile uint64_t sink = work(table);
    int64_t spent = thread_cpu_ns() - start;
    (void)sink;
    free(table);
    (void)sched_setaffinity(0, sizeof before, &before);
    return spent;
}
