/* SPDX-License-Identifier: MIT */
/*
 * arrival: decides when each request is due.
 *
 * An open-loop schedule never looks at responses. If the service stalls, due times keep coming
 * and the waiting is charged to the requests that had to wait; this is what keeps coordinated
 * omission out of our numbers. For the same reason the offered rate does not rise after a
 * stall.
 *
 * A plan is a line of stages, each with a rate that is constant or changes evenly. Several
 * loops share one plan by lanes: lane i of n takes arrivals i, i + n, i + 2n, ..., so that all
 * lanes together are evenly spaced. Poisson arrivals are drawn per lane at 1/n of the rate;
 * together they are a Poisson process of the whole rate.
 *
 * The caller owns the structs; they hold no memory of their own and the plan must outlive them.
 */
#ifndef LOAD_ARRIVAL_H
#define LOAD_ARRIVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rng.h"

struct arrival_stage {
    double from_rps, to_rps; /* equal: constant */
    int64_t duration_ns;
};

struct arrival_plan {
    const struct arrival_stage *stages;
    size_t stages_len;
    bool poisson; /* seeded exponential gaps instead of equal ones */
};

struct arrival {
    const struct arrival_plan *plan;
    double position; /* of the next arrival, counted in expected arrivals since the start */
    double step;     /* lanes */
    size_t stage;
    double stage_position;  /* expected arrivals before the stage */
    int64_t stage_start_ns; /* since the start */
    struct rng rng;
};

#define ARRIVAL_END INT64_MAX

void arrival_init(struct arrival *a, const struct arrival_plan *plan, uint64_t seed,
                  unsigned lane, unsigned lanes);

/* Nanoseconds since the start; never decreases; ARRIVAL_END behind the last stage. */
int64_t arrival_next_due(struct arrival *a);

/* Expected arrivals and length of a whole plan. */
double arrival_expected(const struct arrival_plan *plan);
int64_t arrival_duration_ns(const struct arrival_plan *plan);

#endif
