/* SPDX-License-Identifier: MIT */
/*
 * tally: what one loop has counted; tallies of several loops add up without loss.
 *
 * Every loop owns one and shares it with nobody until the run is over. All of it is about the
 * measured requests, which are those due inside the window; only the few counters marked
 * "(window)" are about what happened while the window was open, whoever it belonged to.
 *
 * Once per second the histogram of that second is kept as a short list of the buckets in use,
 * so that percentiles of a second over all loops are exact and memory grows with time only.
 */
#ifndef LOAD_TALLY_H
#define LOAD_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"
#include "hist.h"
#include "vec.h"

enum { TALLY_STATUS_CLASSES = 6 }; /* index: status / 100 */

struct tally_endpoint {
    struct hist response; /* done - due, of answered requests */
    uint64_t answered, failed;
    uint64_t status[TALLY_STATUS_CLASSES];
};

struct tally_slot { /* a histogram bucket in use */
    uint16_t bucket;
    uint32_t count;
};

struct tally_second {
    uint64_t sent, answered, failed; /* by the time it happened */
    struct tally_slot *slots;
    size_t slots_len;
    int64_t max_ns;
};

struct tally_error {
    uint64_t count;
    int64_t first_ns; /* of the monotonic clock */
    int first_errno;  /* 0: none, it was not the system that said so */
};

struct tally {
    struct tally_endpoint *endpoints;
    size_t endpoints_len;

    struct hist service;       /* done - sent */
    struct hist queue;         /* sent - due */
    struct hist no_connection; /* of that: until a connection was free */
    struct hist late;          /* of that: until the generator got to it */
    struct hist connect, tls;
    /* First byte, kept as a difference: most answers come in one piece, and then the first byte
     * is the last. These hold, for the others only, when they began and when they were done. */
    struct hist pieces_first, pieces_done;
    struct hist failed; /* time until a failure; timeouts are censored at the timeout */

    struct tally_error errors[FAIL_PHASES][FAIL_CAUSES];
    uint64_t client_failed;                       /* of the failures: in phase FAIL_CLIENT */
    uint64_t sessions_completed, sessions_broken; /* broken: a step of it failed */

    uint64_t answered_in_window;         /* (window) */
    uint64_t bytes_in, bytes_out;        /* (window) */
    uint64_t connections_opened;         /* (window) */
    uint64_t closed_by_peer;             /* (window) kept connections */
    uint64_t tls_resumed;                /* (window) handshakes that resumed a session */
    uint64_t retried;                    /* (window) requests that met such a close */
    uint64_t in_flight_max, backlog_max; /* (window) */
    double spent;          /* (window) time that requests have been on their way, in ns */
    double dispatch_lag;   /* (window) of that: until given to connection or backlog, in ns */
    double in_flight_area; /* (window) integral over time, in ns */
    int64_t cpu_user_ns, cpu_system_ns; /* (window) of this thread */
    uint64_t involuntary;               /* (window) context switches */

    VEC(struct tally_second) seconds; /* since the window opened; behind its end: draining */
    struct tally_second second;       /* the one that is running */
    struct hist second_response;
};

void tally_init(struct tally *t, size_t endpoints_len);
void tally_done(struct tally *t);
/* Adds n others. All at once, since the histograms of a second are laid open for it. */
void tally_merge(struct tally *into, const struct tally *const *from, size_t n);

/* Ends the running second. */
void tally_roll(struct tally *t);

/* Response time over all endpoints; 'out' is initialised by the caller. */
void tally_response(const struct tally *t, struct hist *out);
/* Time to the first byte, see pieces_first. */
void tally_first_byte(const struct tally *t, struct hist *out);
uint64_t tally_answered(const struct tally *t);
uint64_t tally_failed(const struct tally *t);

/* Response-time quantile of one second. */
int64_t tally_second_quantile(const struct tally_second *s, double q);

#endif
