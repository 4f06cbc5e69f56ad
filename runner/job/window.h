/* SPDX-License-Identifier: MIT */
/*
 * window: what a sandbox used, and what else went on, between two marks of the generator.
 *
 * CPU time per request is the service's CPU time between the marks over the answers that came
 * between them. A mark is read a little after it was made, while the warm-up's load goes on
 * unchanged; so the first reading is taken back by the service's pace over that delay. Behind
 * the second mark the load is over, and the reading is right whenever it is made.
 *
 *     struct window w = {.sandbox = s, .cpus = &j->cpus.service};
 *     run.mark = window_mark;             // of a struct loadgen_run
 *     run.mark_arg = &w;
 *     ...
 *     double cpu_ns = window_cpu_ns(&w);  // below 0: not known
 */
#ifndef JOB_WINDOW_H
#define JOB_WINDOW_H

#include "noise.h"
#include "sandbox.h"
#include "services.h"

struct window {
    const struct sandbox *sandbox;
    const struct services *beside; /* what stands beside it; NULL: nothing */
    const cpu_set_t *cpus;         /* those that they may use */
    bool shared;                   /* with the generator */
    struct noise_snap snap[2];
    int64_t cpu_ns[2], read_ns[2], at_ns[2];
    struct services_cpu beside_cpu[2];
    int64_t own_ns[2]; /* CPU time of the runner itself, without the work at the marks */
    bool has[2];
};

void window_mark(void *window, int edge, int64_t at_ns);
double window_cpu_ns(const struct window *w);
/* Of what stands beside the service and is not counted as its own. */
double window_beside_ns(const struct window *w);
double window_own_share(const struct window *w); /* runner's CPU time over the time between */
void window_noise(const struct window *w, struct noise_gauges *out); /* zeros without marks */

#endif
