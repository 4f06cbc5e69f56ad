/* SPDX-License-Identifier: MIT */
/*
 * gate: whether a round counts. Pure.
 *
 * A round is void for what disturbed it, never for the value it measured, and always as a
 * whole, all arms together: else slow rounds of one side could be dropped and the other's kept.
 */
#ifndef JOB_GATE_H
#define JOB_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "result_doc.h"
#include "str.h"

enum gate_cause {
    GATE_NONE,
    GATE_NOTHING,   /* nothing was measured */
    GATE_ANSWERS,   /* answers that nobody asked for */
    GATE_GENERATOR, /* the load generator fell behind */
    GATE_NOISE,     /* others took the service's CPU time */
    GATE_ENDED,     /* the service ended by itself */
};

struct gate_arm { /* what is known about one arm */
    enum side side;
    bool open_loop;
    bool service_ended;
    char ended_how[480]; /* with which status, and its last words */
    uint64_t requests, answered, failed;
    bool generator_limited;
    char generator_reason[160];
    double steal;
};

/* The shares above which a round is void. */
#define GATE_FAILED_MAX 0.01
#define GATE_STEAL_MAX  0.10

/* GATE_NONE, or the cause with words for people appended to 'why'. */
enum gate_cause gate_judge(const struct gate_arm *arm, struct str *why);

#endif
