/* SPDX-License-Identifier: MIT */
/*
 * gate: whether a round counts. Pure.
 *
 * A round is void for what disturbed it, never for the value it measured, and always as a
 * whole, all arms together: else slow rounds of one side could be dropped and the other's kept.
 *
 * Others' work on the service's CPUs is no reason by itself: a service at a raised priority
 * that is not kept waiting is measured well beside it. Nor is waiting: a service with more
 * threads than CPUs waits for itself. Both together mean that others made it wait.
 */
#ifndef JOB_GATE_H
#define JOB_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "noise.h"
#include "result_doc.h"
#include "str.h"

enum gate_cause {
    GATE_NONE,
    GATE_NOTHING,   /* nothing was measured */
    GATE_ANSWERS,   /* answers that nobody asked for, or not the same from both sides */
    GATE_GENERATOR, /* the load generator fell behind */
    GATE_NOISE,     /* others took the service's CPU time */
    GATE_ENDED,     /* the service ended by itself */
};

struct gate_arm { /* what is known about one arm */
    enum side side;
    int variant;
    bool open_loop;
    bool service_ended;
    char ended_how[480]; /* with which status, and its last words */
    uint64_t requests, answered, failed;
    bool generator_limited;
    char generator_reason[160];
    /* Of its scenarios the worst, window by window. */
    double steal, throttled, hot;
    double foreign, run_delay; /* where the two came together */
    /* Bytes received for each answer, heads included, by scenario. 0: not to be compared. */
    double answer_bytes[SPEC_SCENARIOS_MAX];
};

/* Above these a round is void. */
#define GATE_FAILED_MAX    0.01 /* share of the requests */
#define GATE_STEAL_MAX     0.10 /* share of the service's CPUs */
#define GATE_THROTTLED_MAX 0.01 /* share of time */
#define GATE_HOT_MAX       0    /* times */
#define GATE_FOREIGN_MAX   0.15 /* share of the service's CPUs, and at once ... */
#define GATE_RUN_DELAY_MAX 0.50 /* ... seconds of waiting for each one of running */
#define GATE_BYTES_MAX     0.02 /* relative difference between two arms */

/* Ticks of the accounts are too coarse for foreign work in a shorter window. */
#define GATE_WINDOW_LEAST_S 0.2
/* Answers cut by the window's ends would show with fewer. */
enum { GATE_COMPARED_LEAST = 1000 };

/* Takes the noise of one window of 'cpus' CPUs into the arm's. */
void gate_add_noise(struct gate_arm *arm, const struct noise_gauges *noise, double seconds,
                    int cpus);

/* GATE_NONE, or the cause with words for people appended to 'why'. */
enum gate_cause gate_judge(const struct gate_arm *arm, struct str *why);
/* The same for what shows only between the arms of a round. */
enum gate_cause gate_compare(const struct gate_arm *arms, size_t n, struct str *why);

#endif
