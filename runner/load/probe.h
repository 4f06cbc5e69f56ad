/* SPDX-License-Identifier: MIT */
/*
 * probe: many runs at different rates: a sweep over rates, or a search for the highest one that
 * still meets a goal.
 *
 * Both give a table of rows, one per run. A sweep visits the rates in order; a search brackets
 * by doubling, bisects, repeats what is close, and at the end confirms its answer three times
 * and refutes a rate 5 % above it three times.
 */
#ifndef LOAD_PROBE_H
#define LOAD_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "errors.h"
#include "load.h"
#include "vec.h"

struct probe_goal {
    double quantile;     /* 0.99; of measured requests; below 0: the mean */
    int64_t limit_ns;    /* must be below */
    double errors_share; /* at most */
};

struct probe_row {
    double rate_rps; /* asked */
    struct load_result *result;
    double second_min, second_mean, second_max, second_stddev; /* answers per second */
    double server_cpu_s; /* of the watched process; below 0: none is watched */
    bool good;           /* meets the goal (search) */
    bool limited;        /* by the generator, so that it says nothing about the service */
};

struct probe {
    const struct load_plan *plan; /* what each run is like, but for the rate */
    pid_t server;                 /* 0: none */
    void (*shown)(const struct probe *p, const struct probe_row *row); /* after each; or NULL */
    VEC(struct probe_row) rows; /* in the order in which they were run */

    /* of a search */
    struct probe_goal goal;
    double answer_rps;      /* 0: not even the lowest rate is good */
    bool confirmed;         /* good at the answer, and not at 5 % above */
    bool exhausted;         /* too many runs without an end: the machine is too noisy */
    bool generator_limited; /* the search ended where the generator did */
};

enum { PROBE_ROWS_MAX = 1000 };

/* 'plan' must be open loop. Both may be ended early by the plan's 'stop'. */
int probe_sweep(struct probe *p, double from_rps, double to_rps, double step_rps,
                struct err *e);
int probe_search(struct probe *p, double first_rps, struct err *e);
void probe_done(struct probe *p);

/* "p99<50ms", "p99.9<1s", "mean<2ms" */
int probe_goal_parse(const char *text, struct probe_goal *out, struct err *e);
bool probe_goal_met(const struct probe_goal *goal, const struct load_result *r);

/* Mean and spread of the answers in the whole seconds of the window. */
void probe_second_stats(const struct load_result *r, struct probe_row *row);

#endif
