/* SPDX-License-Identifier: MIT */
/*
 * worker: one event loop on one thread, with its own connections, schedule and tally.
 *
 * Workers share nothing while they run but the plan, the request bytes and the clockwork, which
 * are read-only by then. What a worker shows to the outside while running (progress) it stores
 * into atomics of its own cache line about once per second.
 */
#ifndef LOAD_WORKER_H
#define LOAD_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "arrival.h"
#include "bell.h"
#include "check.h"
#include "clock.h"
#include "conn.h"
#include "engine.h"
#include "http1.h"
#include "load.h"
#include "pause.h"
#include "request.h"
#include "tally.h"

struct tls_setup;
struct http2_setup;
struct websocket_setup;
struct protocol;

enum {
    WORKER_SCRATCH_BYTES = 256 << 10,
    WORKER_COMPOSED_MAX = LOAD_PIPELINE_MAX * (1 << 20), /* of requests sent together */
};

/* The moments all workers agree on. Set by load_run before the loops are let go. */
struct clockwork {
    pthread_barrier_t opened; /* every worker has opened what it opens beforehand */
    pthread_barrier_t go;     /* the times below are set */
    int64_t zero_ns;          /* of the schedule */
    int64_t start_ns;         /* the window opens */
    int64_t end_ns;           /* it closes; INT64_MAX with an exact number of requests */
    bool cancelled;           /* there will be no run */
    /* Warm-up that ends when the service is steady: the window opens at this time instead,
     * which lies in the future when it is set. CLOCK_NEVER: not known yet. */
    atomic_int_fast64_t early_ns;
};

struct ring { /* a queue of connection indices, each at most once */
    uint32_t *at;
    uint32_t head, len, size;
};

struct waiting { /* a request that is due and has no connection yet */
    int64_t due_ns;
    uint16_t endpoint;
};

struct backlog { /* first in, first out; grows up to LOAD_BACKLOG_MAX */
    struct waiting *at;
    size_t head, len, room; /* room is a power of two */
};

struct worker {
    int64_t now_ns;                    /* when the last thing happened */
    int64_t next_tick_ns;              /* housekeeping */
    int64_t next_due_ns;               /* open loop */
    int64_t start_ns, end_ns, stop_ns; /* window, and when to stop sending */

    const struct load_plan *plan;
    const struct request_set *requests;
    const struct engine_ops *ops;
    const struct protocol *protocol;
    struct engine *engine;
    bool open_loop, close_each, recording;
    bool session; /* the endpoints are steps, one after the other on a connection */
    bool thinks;  /* there are pauses between requests */
    bool warming; /* in a warm-up whose end is looked for */
    uint16_t depth;
    int64_t quota; /* requests still to send inside the window; INT64_MAX without '-n' */

    char *memory; /* of the connections, 'stride' bytes each */
    size_t stride;
    uint32_t size;       /* connections at most */
    uint32_t fresh;      /* those from here on have never been used */
    uint32_t connecting; /* in progress */
    uint32_t live;       /* open or connecting */
    uint32_t source;     /* turn of the source addresses */
    uint32_t idle_top;   /* list of open ones that can take a request, latest first */
    struct ring spare;   /* free slots */
    struct ring soon;    /* to be opened in the next turn */
    struct ring later;   /* to be opened after a pause; their times are in order */
    int64_t *later_ns;
    struct pauses pauses; /* open or closed ones; they go on when it ends */

    uint64_t in_flight;   /* requests in rings */
    uint64_t next_number; /* of a request: each loop has every lanes-th */
    int64_t area_ns;      /* up to when in_flight_area has been counted */
    struct backlog backlog;
    struct arrival arrival;
    struct request_deck deck;
    struct http1_memo *memos;          /* one per endpoint */
    struct check_memo *check_memos;    /* one per endpoint */
    char *scratch;                     /* for frames */
    struct str composed, body;         /* requests that are sent together, or made anew */
    struct tls_setup *tls;             /* NULL: plain */
    struct http2_setup *http2;         /* NULL: another protocol */
    struct websocket_setup *websocket; /* the same */

    struct tally tally;
    int64_t second_ends_ns, sweep_ns, last_done_ns;
    uint32_t sweep_at;
    int64_t lead_ns; /* hybrid: how early to wake up */
    int64_t user0_ns, system0_ns;
    uint64_t involuntary0;
    bool opening;                  /* before the run */
    enum fail_phase opening_phase; /* of the last failure meanwhile */
    enum fail_cause opening_cause;
    uint32_t opening_failed;
    uint32_t opened;

    _Alignas(64) atomic_uint_fast64_t shown_answered;
    atomic_uint_fast64_t shown_failed;
    /* Of the warm-up, when its end is looked for. */
    atomic_uint_fast64_t warm_answered, warm_spent_ns;

    unsigned lane, lanes;
    struct clockwork *clockwork;
    const struct bell *bell; /* rung when the loop has ended */
    atomic_bool ended;
    struct err err;
    bool broken; /* could not start, see err */
    pthread_t thread;
};

/* Memory is taken here, outside the thread that will run it. */
int worker_init(struct worker *w, struct err *e);
void worker_done(struct worker *w);
void *worker_main(void *worker);

static inline struct conn *worker_conn(struct worker *w, uint32_t index)
{
    return (struct conn *)(w->memory + (size_t)index * w->stride);
}

static inline struct flight *worker_flight(const struct worker *w, struct conn *c, unsigned k)
{
    unsigned i = c->first + k;
    return &c->flights[i < w->depth ? i : i - w->depth];
}

/* Brings the integral of requests in flight up to now; called before their number changes. */
static inline void worker_area(struct worker *w)
{
    if (w->now_ns != w->area_ns && w->recording)
        w->tally.in_flight_area +=
            (double)(w->in_flight + w->backlog.len) * (double)(w->now_ns - w->area_ns);
    w->area_ns = w->now_ns;
}

/* --- called by conn ----------------------------------------------------------------------- */

/* An answer is in; the flight has left the ring. 'cause' is FAIL_CAUSES when it passed. */
void worker_answered(struct worker *w, struct conn *c, const struct flight *f, unsigned status,
                     enum fail_cause cause);
/* The same for n good answers in one piece to requests that were due and sent together. */
void worker_answered_alike(struct worker *w, struct conn *c, const struct flight *f,
                           unsigned status, unsigned n);
void worker_failed(struct worker *w, const struct flight *f, enum fail_phase phase,
                   enum fail_cause cause, int number);
/* The connection can take requests: newly open, or an answer has made room. */
void worker_ready(struct worker *w, struct conn *c);
/* The connection is closed and its ring may hold flights that want another try. */
void worker_closed(struct worker *w, struct conn *c, bool failed);
/* It could not be opened yet: again after a pause. */
void worker_later(struct worker *w, struct conn *c);
void worker_count_send(struct worker *w, const struct conn *c, struct flight *f,
                       int64_t now_ns);

/* --- called by engines -------------------------------------------------------------------- */

/* Window, seconds, timeouts: whatever next_tick_ns stands for. */
void worker_tick(struct worker *w);
/* Sends everything that is due by now. */
void worker_dispatch(struct worker *w);

/* --- between worker and dispatch ---------------------------------------------------------- */

int dispatch_init(struct worker *w);
void dispatch_done(struct worker *w);
/* Opens what waits for it: closed connections, and new ones for the backlog. */
void dispatch_open(struct worker *w);
/* Fails whatever is left when no more waiting is allowed. */
void dispatch_abandon(struct worker *w);
/* When dispatch_open has something to do; CLOCK_NEVER: not by itself. */
int64_t dispatch_wakes_ns(const struct worker *w);
struct conn *dispatch_spare(struct worker *w); /* NULL: all are in use */

#endif
