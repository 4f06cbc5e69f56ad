/* SPDX-License-Identifier: MIT */
/*
 * health: could the generator's own numbers be trusted?
 *
 * A generator that runs late or out of CPU measures itself. So it watches itself: CPU share of
 * its loops, lateness of its sends, what else ran on its CPUs, and what the hypervisor took.
 */
#ifndef LOAD_HEALTH_H
#define LOAD_HEALTH_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "tally.h"

enum verdict_kind { VERDICT_VALID, VERDICT_GENERATOR_LIMITED, VERDICT_NOISY };

enum { HEALTH_REASON_MAX = 256 };

struct health {
    double cpu_s; /* of all loops inside the window */
    double user_s, system_s;
    double cpu_share;     /* of the loops' wall time */
    double foreign_share; /* of the CPUs we may use: busy with something else */
    double steal_share;   /* of the same CPUs: taken by the hypervisor */
    double throttled_s;   /* of our control group */
    uint64_t involuntary; /* context switches */
    enum verdict_kind verdict;
    char reason[HEALTH_REASON_MAX]; /* "" when valid */
};

/* CPU time so far of a set of CPUs, all in nanoseconds. */
struct health_sample {
    int64_t busy_ns, steal_ns, total_ns;
    int64_t throttled_ns;
};

void health_sample(const cpu_set_t *cpus, struct health_sample *out);

struct health_rules {
    bool open_loop;
    bool dedicated; /* our CPUs were given to us: nothing else should run there */
    bool polls;     /* the loops spin, so their CPU share says nothing */
    bool batch;     /* sends wait for the next quantum by design */
    unsigned threads;
    double duration_s;
};

void health_judge(const struct health_rules *rules, const struct health_sample *before,
                  const struct health_sample *after, const struct tally *tally,
                  struct health *out);

const char *verdict_name(enum verdict_kind verdict);

#endif
