/* SPDX-License-Identifier: MIT */
/*
 * load: sends requests to a service and measures what it does with them.
 *
 * A plan says what to send, where, and when; load_run carries it out with one event loop per
 * thread and gives back everything it has seen. Three models share one scheduler:
 *
 *   closed loop      each connection sends its next request when the last answer is in
 *   open loop        requests are due on a schedule that never looks at answers (arrival.h)
 *   connection rate  the same, and each request has a connection of its own ('load.close')
 *
 * Three times belong to a request: due, sent, done. Response time is done - due, service time
 * done - sent, queue wait sent - due, which is split into waiting for a free connection and the
 * generator's own lateness. In a closed loop a request is due when it is sent.
 *
 * A request belongs to the measurement when it was due inside the window, between warm-up and
 * end. After the end nothing new is sent, but measured requests are waited for as long as the
 * timeout says: nothing that was slow is forgotten.
 *
 *     struct load_plan plan = {.target = &target, .endpoints = e, .endpoints_len = 1, ...};
 *     AUTO(load_result_freep) struct load_result *r = NULL;
 *     if (load_run(&plan, &r, err) < 0) ...
 */
#ifndef LOAD_LOAD_H
#define LOAD_LOAD_H

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arrival.h"
#include "dataset.h"
#include "errors.h"
#include "health.h"
#include "spec.h"
#include "tally.h"
#include "target.h"

enum load_pacing {
    LOAD_TIMER,  /* sleep until the next request is due */
    LOAD_HYBRID, /* sleep until shortly before, then look at the clock */
    LOAD_SPIN,   /* never sleep; for a CPU of its own */
    LOAD_BATCH,  /* send what is due once per quantum; cheapest, least exact */
};

enum load_close {                       /* who ends the connection of a single request */
                  LOAD_CLOSE_ANNOUNCED, /* the server is asked to, and we do not wait for it */
                  LOAD_CLOSE_SERVER,    /* the server is asked to, and waited for */
                  LOAD_CLOSE_CLIENT,    /* we do, without a word */
                  LOAD_CLOSE_RESET, /* the same with a reset, which leaves nothing behind in the
                                       kernel */
};

enum load_engine { LOAD_ENGINE_AUTO, LOAD_ENGINE_EPOLL, LOAD_ENGINE_URING };

enum {
    LOAD_THREADS_MAX = 256,
    LOAD_PIPELINE_MAX = 1024,
    LOAD_BACKLOG_MAX = 1 << 20, /* requests of one loop that wait for a connection */
};

struct load_plan {
    const struct target *target; /* resolved */
    const struct spec_endpoint *endpoints;
    size_t endpoints_len;
    bool session; /* the endpoints are steps in order on one connection, not a mix */
    struct spec_load load;
    const struct dataset *data; /* for templates in requests; NULL: none */

    /* Open loop; without them load.rate_rps for load.duration_ns. */
    const struct arrival_stage *stages;
    size_t stages_len;
    int64_t requests;         /* exactly so many instead of a duration; 0: none given */
    enum load_close close_by; /* with load.close */
    bool open_only;           /* connect, send nothing, read to end of file */
    bool steady; /* the warm-up ends when steady.h says so, at the latest as planned */

    const struct sockaddr_storage *sources; /* addresses to connect from, in turn; or none */
    size_t sources_len;
    unsigned check_every; /* look into every Nth body of a connection only; 0 and 1: all */

    enum load_pacing pacing;
    enum load_engine engine;
    bool pin;       /* one loop per CPU of 'cpus', in turn */
    cpu_set_t cpus; /* with 'pin' */
    uint64_t seed;
    int marks_fd;                     /* -1: none; see load_run */
    const volatile atomic_bool *stop; /* NULL, or set by someone to end early */
    /* NULL, or called about once per second. */
    void (*progress)(const struct load_plan *plan, int64_t elapsed_ns, uint64_t answered,
                     uint64_t failed);
    bool tls_insecure;  /* accept any certificate */
    bool tls_no_resume; /* a full handshake on every connection */
    const char *tls_ca; /* NULL: the system's authorities */
};

struct load_result {
    int64_t start_ns, end_ns; /* the window, on the monotonic clock */
    int64_t warmup_ns;        /* that went before it */
    double duration_s;
    double offered_rps;        /* requests due in the window per second */
    double achieved_rps;       /* answers in the window per second */
    uint64_t requests;         /* measured */
    uint64_t answered, failed; /* of these; failed without those that the client failed */
    struct tally tally;
    struct hist response; /* of the whole */
    struct health health;
    const char *engine;
    double mean_in_flight; /* as counted over time */
    double little;         /* achieved rate x mean response / mean in flight; near 1 */
};

/* Blocks until the run is over. Fails when there is nothing to measure with: bad plan, no
 * connection at all (ERR_AWAY). Failed requests are results, not errors.
 *
 * With 'marks_fd', writes {"mark":"start","at_ns":N} when the window opens and "end" when it
 * closes, before draining, one line each, so that the caller can read the service's own
 * counters at the same moments. */
int load_run(const struct load_plan *plan, struct load_result **out, struct err *e);
void load_result_freep(struct load_result **r);

const char *load_pacing_name(enum load_pacing pacing);

#endif
