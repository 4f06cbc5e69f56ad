/* SPDX-License-Identifier: MIT */
/*
 * worker: see worker.h.
 *
 * One turn of the loop: open what waits to be opened, sleep until the next due time or until a
 * socket has something, let the engine handle that, send what is due, look after the clock
 * (worker_tick: window, seconds, timeouts). There is nothing else.
 */
#include "worker.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "http2.h"
#include "mem.h"
#include "protocol.h"
#include "tls.h"
#include "websocket.h"

enum {
    CONNECTING_MAX = 128, /* at once while opening beforehand: below any accept queue */
    SWEEP_PART = 1024,    /* connections looked at for timeouts in one tick */
    SWEEPS_PER_TIMEOUT = 20,
};

static const int64_t spin_below_ns = 2 * CLOCK_NS_PER_US; /* too short for a system call */
static const int64_t quantum_ns = CLOCK_NS_PER_MS;        /* of LOAD_BATCH */
static const int64_t warm_look_ns = CLOCK_NS_PER_MS;      /* for an end of the warm-up */
static const int64_t lead_min_ns = 5 * CLOCK_NS_PER_US;
static const int64_t lead_max_ns = 200 * CLOCK_NS_PER_US;

/* --- window and seconds ------------------------------------------------------------------- */

static void thread_cpu(int64_t *user_ns, int64_t *system_ns, uint64_t *involuntary)
{
    struct rusage r;
    getrusage(RUSAGE_THREAD, &r);
    *user_ns = r.ru_utime.tv_sec * CLOCK_NS_PER_S + r.ru_utime.tv_usec * CLOCK_NS_PER_US;
    *system_ns = r.ru_stime.tv_sec * CLOCK_NS_PER_S + r.ru_stime.tv_usec * CLOCK_NS_PER_US;
    *involuntary = (uint64_t)r.ru_nivcsw;
}

static void open_window(struct worker *w)
{
    worker_area(w);
    w->recording = true;
    w->second_ends_ns = w->start_ns + CLOCK_NS_PER_S;
    w->tally.in_flight_max = w->in_flight;
    w->tally.backlog_max = w->backlog.len;
    thread_cpu(&w->user0_ns, &w->system0_ns, &w->involuntary0);
}

static void close_window(struct worker *w)
{
    int64_t user, system;
    uint64_t involuntary;
    if (!w->recording)
        return;
    worker_area(w);
    w->recording = false;
    thread_cpu(&user, &system, &involuntary);
    w->tally.cpu_user_ns = user - w->user0_ns;
    w->tally.cpu_system_ns = system - w->system0_ns;
    w->tally.involuntary = involuntary - w->involuntary0;
}

static void show_progress(struct worker *w)
{
    atomic_store_explicit(&w->shown_answered, tally_answered(&w->tally), memory_order_relaxed);
    atomic_store_explicit(&w->shown_failed, tally_failed(&w->tally), memory_order_relaxed);
}

/* Looks for requests older than the timeout, a part of the connections at a time. */
static void sweep(struct worker *w)
{
    int64_t timeout = w->plan->load.timeout_ns;
    uint32_t end = w->sweep_at + SWEEP_PART < w->fresh ? w->sweep_at + SWEEP_PART : w->fresh;
    for (uint32_t i = w->sweep_at; i < end; i++) {
        struct conn *c = worker_conn(w, i);
        if (c->state == CONN_FREE)
            continue;
        if (c->state == CONN_OPEN && w->protocol->timeout) {
            w->protocol->timeout(w, c, w->now_ns - timeout);
            continue;
        }
        int64_t since = c->state != CONN_OPEN ? c->began_ns
                        : c->in_flight        ? worker_flight(w, c, 0)->sent_ns
                        : c->closing          ? c->began_ns
                                              : w->now_ns;
        if (w->now_ns - since >= timeout)
            conn_timeout(w, c);
    }
    w->sweep_at = end == w->fresh ? 0 : end;
    int64_t pause = timeout / SWEEPS_PER_TIMEOUT;
    uint32_t parts = w->fresh / SWEEP_PART + 1;
    w->sweep_ns = w->now_ns + pause / parts;
}

/* The window moves as a whole. What was already drawn from the schedule behind it is not sent.
 */
static void take_early_start(struct worker *w)
{
    int64_t early =
        (int64_t)atomic_load_explicit(&w->clockwork->early_ns, memory_order_relaxed);
    w->warming = early == CLOCK_NEVER && w->now_ns < w->start_ns;
    if (early == CLOCK_NEVER)
        return;
    w->end_ns = w->stop_ns = early + w->end_ns - w->start_ns;
    w->start_ns = early;
    if (w->next_due_ns >= w->stop_ns)
        w->next_due_ns = CLOCK_NEVER;
}

void worker_tick(struct worker *w)
{
    bool counting = w->second_ends_ns != 0;
    if (w->warming)
        take_early_start(w);
    if (!counting && w->now_ns >= w->start_ns)
        open_window(w);
    if (w->recording && w->now_ns >= w->end_ns)
        close_window(w);
    while (w->second_ends_ns && w->now_ns >= w->second_ends_ns) {
        tally_roll(&w->tally);
        w->second_ends_ns += CLOCK_NS_PER_S;
        show_progress(w);
    }
    if (w->now_ns >= w->sweep_ns)
        sweep(w);

    int64_t next = w->second_ends_ns ? w->second_ends_ns : w->start_ns;
    if (w->recording && w->end_ns < next)
        next = w->end_ns;
    if (w->warming && w->now_ns + warm_look_ns < next)
        next = w->now_ns + warm_look_ns;
    w->next_tick_ns = w->sweep_ns < next ? w->sweep_ns : next;
}

/* --- waiting ------------------------------------------------------------------------------ */

/* Follows the 99th percentile of how late the timer wakes us: one step up for each wake-up that
 * was later than the lead, 1/99 of a step down for each that was not. */
static void adapt_lead(struct worker *w, int64_t overshoot_ns)
{
    enum { STEP = 2000 };
    w->lead_ns += overshoot_ns > w->lead_ns ? STEP : -STEP / 99;
    if (w->lead_ns < lead_min_ns)
        w->lead_ns = lead_min_ns;
    if (w->lead_ns > lead_max_ns)
        w->lead_ns = lead_max_ns;
}

static int64_t end_of_quantum(const struct worker *w, int64_t due_ns)
{
    int64_t since = due_ns - w->clockwork->zero_ns;
    return due_ns + quantum_ns - 1 - (since + quantum_ns - 1) % quantum_ns;
}

static bool quantum_over(const struct worker *w)
{
    return end_of_quantum(w, w->next_due_ns) <= w->now_ns;
}

/* When to look again at the latest, by the kind of pacing. While every connection is busy, a
 * due time is no reason to wake up: the request keeps its due time, and the answer that frees a
 * connection will wake us. */
static int64_t wake_ns(const struct worker *w)
{
    bool busy = w->idle_top == CONN_NONE && !w->spare.len && w->fresh == w->size;
    int64_t due = busy ? CLOCK_NEVER : w->next_due_ns;
    if (w->plan->pacing == LOAD_BATCH && due != CLOCK_NEVER)
        due = end_of_quantum(w, due);
    int64_t open = dispatch_wakes_ns(w);
    int64_t first = due < open ? due : open;
    return first < w->next_tick_ns ? first : w->next_tick_ns;
}

static void wait_events(struct worker *w)
{
    int64_t wake = wake_ns(w);
    int64_t gap = wake - w->now_ns;
    bool hybrid = w->plan->pacing == LOAD_HYBRID && wake == w->next_due_ns;
    if (gap > 0 && gap < spin_below_ns && w->plan->pacing != LOAD_TIMER) {
        while ((w->now_ns = clock_now_ns()) < wake)
            continue;
        return;
    }
    if (gap <= 0 || w->plan->pacing == LOAD_SPIN || (hybrid && gap <= w->lead_ns)) {
        w->ops->wait(w->engine, 0);
    } else if (hybrid) {
        int64_t asked = wake - w->lead_ns;
        w->ops->wait(w->engine, asked - w->now_ns);
        int64_t now = clock_now_ns();
        if (now >= asked)
            adapt_lead(w, now - asked);
    } else {
        w->ops->wait(w->engine, gap);
    }
    w->now_ns = clock_now_ns();
}

/* --- the run ------------------------------------------------------------------------------ */

static bool stop_asked(const struct worker *w)
{
    return w->plan->stop && atomic_load_explicit(w->plan->stop, memory_order_relaxed);
}

/* How many connections are there before the first request. An open loop opens more when it
 * needs them; it begins with as many as answers of 5 ms would keep busy. */
static uint32_t wanted_beforehand(const struct worker *w)
{
    double rate = 0;
    if (w->close_each)
        return 0;
    if (!w->open_loop)
        return w->size;
    for (size_t i = 0; i < w->arrival.plan->stages_len; i++) {
        const struct arrival_stage *s = &w->arrival.plan->stages[i];
        rate = s->from_rps > rate ? s->from_rps : rate;
        rate = s->to_rps > rate ? s->to_rps : rate;
    }
    double busy = rate / w->lanes * 0.005 + 1;
    return busy < w->size ? (uint32_t)busy : w->size;
}

static void open_beforehand(struct worker *w)
{
    uint32_t wanted = wanted_beforehand(w);
    uint32_t started = 0;
    w->now_ns = clock_now_ns();
    w->next_due_ns = w->next_tick_ns = CLOCK_NEVER;
    w->opening = true;
    int64_t deadline = w->now_ns + w->plan->load.timeout_ns;
    while ((started < wanted || w->connecting || w->later.len) && w->now_ns < deadline &&
           !stop_asked(w)) {
        for (; started < wanted && w->connecting < CONNECTING_MAX; started++)
            conn_open(w, dispatch_spare(w));
        dispatch_open(w);
        if (w->connecting || w->later.len)
            w->ops->wait(w->engine, CLOCK_NS_PER_MS);
        w->now_ns = clock_now_ns();
    }
    w->opening = false;
}

/* Lets the connections go. One that is not open yet in a closed loop gets its first request at
 * once, so that what happens to it is counted. */
static void begin(struct worker *w)
{
    const struct clockwork *k = w->clockwork;
    clock_sleep_until(k->zero_ns - CLOCK_NS_PER_MS);
    w->now_ns = clock_now_ns();
    w->start_ns = k->start_ns;
    w->end_ns = w->stop_ns = k->end_ns;
    w->warming = w->plan->steady;
    w->sweep_ns = w->now_ns + w->plan->load.timeout_ns / SWEEPS_PER_TIMEOUT;
    w->area_ns = w->now_ns;
    if (w->open_loop) {
        int64_t due = arrival_next_due(&w->arrival);
        w->next_due_ns = due == ARRIVAL_END ? CLOCK_NEVER : k->zero_ns + due;
    } else {
        clock_sleep_until(k->zero_ns);
        w->now_ns = clock_now_ns();
    }
    worker_tick(w);
    if (!w->open_loop) {
        w->spare.len = 0; /* In a closed loop every connection has work from the beginning. */
        while (dispatch_spare(w))
            continue;
    }
    for (uint32_t i = 0; i < w->fresh; i++) {
        struct conn *c = worker_conn(w, i);
        if (!w->open_loop)
            w->now_ns = clock_now_ns();
        if (c->state == CONN_OPEN)
            worker_ready(w, c);
        else if (c->state == CONN_FREE && !c->queued && !w->open_loop)
            worker_closed(w, c, false);
    }
}

static bool finished(struct worker *w, int64_t *deadline)
{
    bool over = w->now_ns >= w->stop_ns || (w->quota <= 0 && w->end_ns == CLOCK_NEVER);
    if (!over)
        return false;
    if (*deadline == CLOCK_NEVER)
        *deadline = w->now_ns + w->plan->load.timeout_ns;
    if (w->in_flight == 0 && w->backlog.len == 0 && w->next_due_ns > w->now_ns)
        return true;
    if (w->now_ns < *deadline + w->plan->load.timeout_ns / SWEEPS_PER_TIMEOUT)
        return false;
    worker_dispatch(w);
    dispatch_abandon(w);
    return true;
}

static void run(struct worker *w)
{
    int64_t deadline = CLOCK_NEVER;
    begin(w);
    while (!finished(w, &deadline)) {
        if (stop_asked(w) && w->now_ns < w->stop_ns) {
            w->stop_ns = w->end_ns = w->now_ns;
            w->next_due_ns = CLOCK_NEVER;
            w->next_tick_ns = w->now_ns;
        }
        dispatch_open(w);
        wait_events(w);
        if (w->next_tick_ns <= w->now_ns)
            worker_tick(w);
        if (w->next_due_ns <= w->now_ns && (w->plan->pacing != LOAD_BATCH || quantum_over(w)))
            worker_dispatch(w);
    }
    if (w->end_ns == CLOCK_NEVER)
        w->end_ns = w->last_done_ns;
    close_window(w);
    if (w->tally.second.sent || w->tally.second.answered || w->tally.second.failed)
        tally_roll(&w->tally);
    show_progress(w);
}

static void pin(struct worker *w)
{
    if (!w->plan->pin)
        return;
    int count = CPU_COUNT(&w->plan->cpus);
    int wanted = (int)(w->lane % (unsigned)count);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &w->plan->cpus) && wanted-- == 0)
            CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one) < 0 && !w->broken) {
        w->broken = true;
        (void)err_errno(&w->err, "pin to CPU");
    }
}

void *worker_main(void *argument)
{
    struct worker *w = argument;
    pin(w);
    /* Errors of a write are returned; the signal is nobody's business. */
    sigset_t pipe_signal;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
    /* Timers may otherwise be 50 us late by design. */
    (void)prctl(PR_SET_TIMERSLACK, 1);
    /* Here, because a ring belongs to the thread that made it. */
    if (!w->broken && w->ops->open(&w->engine, w, &w->err) < 0)
        w->broken = true;
    if (!w->broken)
        open_beforehand(w);
    pthread_barrier_wait(&w->clockwork->opened);
    pthread_barrier_wait(&w->clockwork->go);
    if (!w->clockwork->cancelled)
        run(w);
    for (uint32_t i = 0; i < w->fresh; i++)
        conn_close(w, worker_conn(w, i));
    w->ops->close(w->engine);
    atomic_store(&w->ended, true);
    bell_ring(w->bell);
    return NULL;
}

static int choose_protocol(struct worker *w, struct err *e)
{
    static const struct protocol *const protocols[] = {[SPEC_HTTP1] = &protocol_http1,
                                                       [SPEC_HTTP2] = &protocol_http2,
                                                       [SPEC_WEBSOCKET] = &protocol_websocket};
    enum spec_protocol chosen = w->plan->load.protocol;
    w->protocol = protocols[chosen];
    if (chosen == SPEC_HTTP2)
        w->http2 = http2_setup_new(w->requests, w->plan->target);
    if (chosen == SPEC_WEBSOCKET &&
        !(w->websocket = websocket_setup_new(w->requests, w->plan->target,
                                             w->plan->seed + 0x20000 + w->lane, e)))
        return -1;
    return 0;
}

int worker_init(struct worker *w, struct err *e)
{
    size_t stride = sizeof(struct conn) + w->depth * sizeof(struct flight);
    w->stride = (stride + 63) & ~(size_t)63;
    w->memory = mem_zero(w->size, w->stride);
    w->memos = mem_zero(w->requests->len, sizeof *w->memos);
    w->check_memos = mem_zero(w->requests->len, sizeof *w->check_memos);
    w->scratch = mem_alloc(WORKER_SCRATCH_BYTES);
    w->composed = (struct str)STR_INIT(WORKER_COMPOSED_MAX);
    w->body = (struct str)STR_INIT(REQUEST_BYTES_MAX);
    w->next_number = w->lane + 1;
    w->lead_ns = 50 * CLOCK_NS_PER_US;
    request_deck_init(&w->deck, w->requests, w->plan->seed + 0x10000 + w->lane);
    tally_init(&w->tally, w->requests->len);
    dispatch_init(w);
    const struct tls_rules rules = {.host = w->plan->target->host,
                                    .ca_file = w->plan->tls_ca,
                                    .insecure = w->plan->tls_insecure,
                                    .no_resume = w->plan->tls_no_resume,
                                    .http2 = w->plan->load.protocol == SPEC_HTTP2};
    if (w->plan->target->tls && !(w->tls = tls_setup_new(&rules, e)))
        return -1;
    return choose_protocol(w, e);
}

void worker_done(struct worker *w)
{
    dispatch_done(w);
    tally_done(&w->tally);
    request_deck_done(&w->deck);
    for (size_t i = 0; w->check_memos && i < w->requests->len; i++)
        check_memo_done(&w->check_memos[i]);
    mem_freep(&w->check_memos);
    mem_freep(&w->memos);
    mem_freep(&w->scratch);
    str_done(&w->composed);
    str_done(&w->body);
    mem_freep(&w->memory);
    tls_setup_freep(&w->tls);
    http2_setup_freep(&w->http2);
    websocket_setup_freep(&w->websocket);
}
