/* SPDX-License-Identifier: MIT */
/*
 * noise: what else went on while an arm was measured.
 *
 * Two snapshots around the measured part give gauges. The best of them is the run-queue delay
 * of the service's own threads: how long they were ready but did not run, for each second that
 * they did. It tells disturbed rounds apart far better than the host's pressure figures, and it
 * says nothing about the value measured, so a gate on it is fair.
 */
#ifndef HOST_NOISE_H
#define HOST_NOISE_H

#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct noise_snap {
    int64_t at_ns;
    int64_t pressure_us[3]; /* cpu, memory, io: time in which some task waited */
    double busy_s, steal_s; /* of the service's CPUs */
    double mhz;             /* of the service's CPUs, their mean at this moment; 0: not told */
    int64_t throttled_ns;   /* held back by a CPU limit, see throttle.h */
    int64_t hot;            /* times that one of the service's CPUs was slowed for its heat */
    int64_t switches;       /* context switches of the whole host */
    /* Of the service's threads. */
    int64_t run_delay_ns, thread_cpu_ns, involuntary;
    int64_t resident_peak; /* sum of the processes' largest resident sizes, bytes */
};

struct noise_gauges {
    double psi_cpu, psi_memory, psi_io; /* share of time */
    double steal;                       /* share of the service's CPUs */
    double foreign_cpu;                 /* CPUs' worth of others' work on them */
    double run_delay;                   /* waiting over running */
    double throttled;                   /* share of time */
    double hot;                         /* times */
    double mhz;                         /* mean of both ends; 0: not told */
    double switches_per_s, involuntary_per_s;
};

/* The service's processes are named by the caller; 'cpus' are the ones it may use. */
void noise_snap(struct noise_snap *out, const cpu_set_t *cpus, const pid_t *pids, size_t n);
void noise_between(const struct noise_snap *from, const struct noise_snap *to,
                   int64_t service_cpu_ns, const cpu_set_t *cpus, struct noise_gauges *out);

#endif
