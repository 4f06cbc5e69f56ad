/* SPDX-License-Identifier: MIT */
/*
 * dispatch: brings requests and connections together; see worker.h.
 *
 * Closed loop: a connection that is ready fills its ring and sends. Open loop: a request that
 * is due takes the connection that became free last (so that no more are used than are needed),
 * or joins the backlog; a connection that becomes free looks into the backlog first. Hence
 * there is never a free connection beside a waiting request.
 *
 * The backlog asks for more connections up to the limit. A connection opened for it is not
 * bound to a request: whichever becomes free first takes the request that has waited longest.
 * Only with one connection per request a request is bound to its connection from the start.
 *
 * A session is a request that is due and takes a connection; its further steps follow on the
 * same connection, each a think time behind the answer before, until the last one or a failure.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "worker.h"

static const int64_t later_pause_ns = 10 * CLOCK_NS_PER_MS;

/* --- queues of connections ---------------------------------------------------------------- */

static void ring_push(struct ring *r, uint32_t index)
{
    uint32_t at = r->head + r->len++;
    r->at[at < r->size ? at : at - r->size] = index;
}

static uint32_t ring_pop(struct ring *r)
{
    uint32_t index = r->at[r->head];
    r->head = r->head + 1 < r->size ? r->head + 1 : 0;
    r->len--;
    return index;
}

static void idle_push(struct worker *w, struct conn *c)
{
    c->idle = true;
    c->idle_before = CONN_NONE;
    c->idle_behind = w->idle_top;
    if (w->idle_top != CONN_NONE)
        worker_conn(w, w->idle_top)->idle_before = c->index;
    w->idle_top = c->index;
}

static void idle_remove(struct worker *w, struct conn *c)
{
    if (c->idle_before == CONN_NONE)
        w->idle_top = c->idle_behind;
    else
        worker_conn(w, c->idle_before)->idle_behind = c->idle_behind;
    if (c->idle_behind != CONN_NONE)
        worker_conn(w, c->idle_behind)->idle_before = c->idle_before;
    c->idle = false;
}

struct conn *dispatch_spare(struct worker *w)
{
    if (w->spare.len)
        return worker_conn(w, ring_pop(&w->spare));
    if (w->fresh == w->size)
        return NULL;
    struct conn *c = worker_conn(w, w->fresh);
    c->index = w->fresh++;
    c->fd = -1;
    return c;
}

static void soon(struct worker *w, struct conn *c)
{
    if (!c->queued)
        ring_push(&w->soon, c->index);
    c->queued = true;
}

void worker_later(struct worker *w, struct conn *c)
{
    if (c->queued)
        return;
    c->queued = true;
    w->later_ns[c->index] = w->now_ns + later_pause_ns;
    ring_push(&w->later, c->index);
}

/* --- the backlog -------------------------------------------------------------------------- */

static bool backlog_push(struct backlog *b, int64_t due_ns, uint16_t endpoint)
{
    if (b->len == LOAD_BACKLOG_MAX)
        return false;
    if (b->len == b->room) {
        size_t room = b->room ? 2 * b->room : 1024;
        struct waiting *at = mem_alloc(room * sizeof *at);
        for (size_t i = 0; i < b->len; i++)
            at[i] = b->at[(b->head + i) & (b->room - 1)];
        free(b->at);
        *b = (struct backlog){.at = at, .len = b->len, .room = room};
    }
    b->at[(b->head + b->len++) & (b->room - 1)] = (struct waiting){due_ns, endpoint};
    return true;
}

static struct waiting backlog_pop(struct worker *w)
{
    struct backlog *b = &w->backlog;
    struct waiting first = b->at[b->head & (b->room - 1)];
    worker_area(w);
    b->head++;
    b->len--;
    return first;
}

/* --- counting ----------------------------------------------------------------------------- */

static bool measured(const struct worker *w, const struct flight *f)
{
    return f->due_ns >= w->start_ns && f->due_ns < w->end_ns;
}

void worker_count_send(struct worker *w, const struct conn *c, struct flight *f, int64_t now_ns)
{
    f->sent_ns = now_ns;
    if (now_ns >= w->start_ns)
        w->tally.second.sent++;
    if (!w->open_loop || f->retried || !measured(w, f))
        return;
    /* Connecting is part of the response, neither lateness nor waiting for a free connection.
     */
    int64_t taken = w->close_each && !c->served ? c->open_ns : now_ns;
    int64_t could = c->free_ns > f->due_ns ? c->free_ns : f->due_ns;
    if (could > taken)
        could = taken;
    hist_record(&w->tally.no_connection, could - f->due_ns);
    hist_record(&w->tally.late, taken - could);
}

/* How much of a stretch of time lies in the window. */
static double in_window(const struct worker *w, int64_t from_ns, int64_t to_ns)
{
    int64_t from = from_ns > w->start_ns ? from_ns : w->start_ns;
    int64_t to = to_ns < w->end_ns ? to_ns : w->end_ns;
    return to > from ? (double)(to - from) : 0;
}

/* A session goes on only after a good answer: when a step is sent, the one behind it is not yet
 * to come (take_step). */
static void count_step(struct worker *w, struct conn *c, const struct flight *f)
{
    bool last = f->endpoint + 1U == w->requests->len;
    c->step = last ? 0 : (uint16_t)(f->endpoint + 1);
    c->number = f->number;
    w->tally.sessions_completed += last && measured(w, f);
}

static int64_t think_ns(const struct worker *w, const struct flight *f)
{
    int64_t own = w->requests->at[f->endpoint].endpoint->think_ns;
    return own >= 0 ? own : w->plan->load.think_ns;
}

static void count_failure(struct worker *w, const struct flight *f, enum fail_phase phase,
                          enum fail_cause cause, int number)
{
    struct tally_error *error = &w->tally.errors[phase][cause];
    w->last_done_ns = w->now_ns;
    if (phase != FAIL_CHECK) /* That has been counted as an answer. */
        w->tally.spent += in_window(w, f->due_ns, w->now_ns);
    if (!measured(w, f))
        return;
    if (!error->count++) {
        error->first_ns = w->now_ns;
        error->first_errno = number;
    }
    w->tally.sessions_broken += w->session;
    hist_record(&w->tally.failed, w->now_ns - f->due_ns);
    w->tally.second.failed++;
    if (phase == FAIL_CLIENT)
        w->tally.client_failed++;
    else
        w->tally.endpoints[f->endpoint].failed++;
}

void worker_failed(struct worker *w, const struct flight *f, enum fail_phase phase,
                   enum fail_cause cause, int number)
{
    if (f) {
        count_failure(w, f, phase, cause, number);
    } else if (w->backlog.len && !(phase == FAIL_CLIENT && w->live)) {
        /* The connection was opened for the backlog. When only our own limits stand in the way,
         * the connections that are there will get to it. */
        struct waiting first = backlog_pop(w);
        struct flight lost = {.due_ns = first.due_ns, .endpoint = first.endpoint};
        count_failure(w, &lost, phase, cause, number);
    }
}

/* The only writer, so a load and a store do. */
static void count_warm(struct worker *w, int64_t response_ns, unsigned n)
{
    uint64_t answered = atomic_load_explicit(&w->warm_answered, memory_order_relaxed);
    uint64_t spent_ns = atomic_load_explicit(&w->warm_spent_ns, memory_order_relaxed);
    atomic_store_explicit(&w->warm_answered, answered + n, memory_order_relaxed);
    atomic_store_explicit(&w->warm_spent_ns, spent_ns + n * (uint64_t)response_ns,
                          memory_order_relaxed);
}

static inline void answered(struct worker *w, struct conn *c, const struct flight *f,
                            unsigned status, enum fail_cause cause, unsigned n)
{
    struct tally *t = &w->tally;
    struct tally_endpoint *p = &t->endpoints[f->endpoint];
    int64_t now = w->now_ns;
    bool good = cause == FAIL_CAUSES;
    if (w->session && good)
        count_step(w, c, f);
    /* In an open loop nobody thinks between sessions: they begin by their schedule. */
    if (w->thinks)
        c->next_ns = now + (c->step || !w->open_loop ? think_ns(w, f) : 0);
    w->last_done_ns = now;
    t->spent += n * in_window(w, f->due_ns, now);
    if (good && now >= w->start_ns) {
        t->second.answered += n;
        t->answered_in_window += w->recording ? n : 0;
    }
    if (w->warming && now < w->start_ns)
        count_warm(w, now - f->due_ns, n);
    if (!measured(w, f))
        return;
    p->status[status / 100 < TALLY_STATUS_CLASSES ? status / 100 : 0] += n;
    if (!good) {
        count_failure(w, f, FAIL_CHECK, cause, 0);
        return;
    }
    int64_t response = now - f->due_ns;
    p->answered += n;
    hist_record_many(&p->response, response, n);
    hist_record_many(&t->second_response, response, n);
    if (w->open_loop || w->close_each) {
        hist_record_many(&t->service, now - f->sent_ns, n);
        hist_record_many(&t->queue, f->sent_ns - f->due_ns, n);
    }
    if (c->began_ns != now && !w->plan->open_only) {
        hist_record(&t->pieces_first, c->began_ns - f->sent_ns);
        hist_record(&t->pieces_done, now - f->sent_ns);
    }
}

void worker_answered(struct worker *w, struct conn *c, const struct flight *f, unsigned status,
                     enum fail_cause cause)
{
    answered(w, c, f, status, cause, 1);
}

void worker_answered_alike(struct worker *w, struct conn *c, const struct flight *f,
                           unsigned status, unsigned n)
{
    c->began_ns = w->now_ns;
    answered(w, c, f, status, FAIL_CAUSES, n);
}

/* --- closed loop -------------------------------------------------------------------------- */

static bool may_send(const struct worker *w)
{
    return w->now_ns < w->stop_ns && w->quota > 0;
}

/* What a connection sends next: a step of its session, or a card from the deck. */
static uint16_t draw(struct worker *w, struct conn *c)
{
    uint16_t step = c->step;
    c->step = 0;
    return w->session ? step : request_deck_draw(&w->deck);
}

static void fill(struct worker *w, struct conn *c)
{
    while (c->in_flight < w->depth && may_send(w)) {
        conn_add_flight(w, c, w->now_ns, draw(w, c));
        w->quota -= w->now_ns >= w->start_ns;
    }
}

/* --- open loop ---------------------------------------------------------------------------- */

static void serve_backlog(struct worker *w, struct conn *c)
{
    while (w->backlog.len && c->in_flight < w->depth) {
        struct waiting first = backlog_pop(w);
        conn_add_flight(w, c, first.due_ns, first.endpoint);
    }
    conn_send(w, c);
    if (c->state == CONN_OPEN && c->in_flight < w->depth && !c->idle)
        idle_push(w, c);
}

static void open_for_backlog(struct worker *w)
{
    while (w->backlog.len && (w->close_each || w->connecting < w->backlog.len)) {
        size_t before = w->backlog.len;
        struct conn *c = dispatch_spare(w);
        if (!c)
            return;
        if (w->close_each) {
            struct waiting first = backlog_pop(w);
            conn_add_flight(w, c, first.due_ns, first.endpoint);
        }
        conn_open(w, c);
        if (c->state == CONN_FREE && w->backlog.len == before)
            return; /* A limit of our own: those that are open will get to it. */
    }
}

static void give(struct worker *w, int64_t due_ns, uint16_t endpoint)
{
    w->tally.dispatch_lag += in_window(w, due_ns, w->now_ns);
    if (w->idle_top != CONN_NONE) {
        struct conn *c = worker_conn(w, w->idle_top);
        conn_add_flight(w, c, due_ns, endpoint);
        if (c->in_flight == w->depth)
            idle_remove(w, c);
        conn_send(w, c);
        return;
    }
    worker_area(w);
    if (!backlog_push(&w->backlog, due_ns, endpoint)) {
        struct flight lost = {.due_ns = due_ns, .endpoint = endpoint};
        count_failure(w, &lost, FAIL_QUEUE, FAIL_OVERFLOW, 0);
        return;
    }
    open_for_backlog(w);
    if (w->backlog.len > w->tally.backlog_max)
        w->tally.backlog_max = w->backlog.len;
}

void worker_dispatch(struct worker *w)
{
    while (w->next_due_ns <= w->now_ns) {
        int64_t due = w->next_due_ns;
        int64_t next = arrival_next_due(&w->arrival);
        w->quota -= due >= w->start_ns;
        bool last =
            next == ARRIVAL_END || w->quota <= 0 || w->clockwork->zero_ns + next >= w->stop_ns;
        w->next_due_ns = last ? CLOCK_NEVER : w->clockwork->zero_ns + next;
        give(w, due, w->session ? 0 : request_deck_draw(&w->deck));
        w->now_ns = clock_now_ns();
    }
}

/* --- think time and sessions -------------------------------------------------------------- */

/* The next step of a session under way. It was due when the pause ended, whenever we get to it;
 * in a closed loop a request is due when it is sent. */
static void add_step(struct worker *w, struct conn *c)
{
    int64_t due = w->open_loop ? c->next_ns : w->now_ns;
    w->tally.dispatch_lag += in_window(w, due, w->now_ns);
    conn_add_flight(w, c, due, draw(w, c));
    worker_flight(w, c, c->in_flight - 1)->number = c->number;
    if (!w->open_loop)
        w->quota -= w->now_ns >= w->start_ns;
}

/* True when the connection waits before its next request. */
static bool thinks(struct worker *w, struct conn *c)
{
    if (!w->thinks || c->next_ns <= w->now_ns || c->in_flight || !may_send(w))
        return false;
    c->thinking = true;
    pauses_add(&w->pauses, c->index, c->next_ns);
    return true;
}

/* The pause is over. The connection may have been closed meanwhile. */
static void go_on(struct worker *w, struct conn *c)
{
    c->thinking = false;
    if (!may_send(w)) {
        if (c->state == CONN_FREE)
            ring_push(&w->spare, c->index);
        return;
    }
    if (c->step)
        add_step(w, c);
    else
        fill(w, c);
    if (c->state == CONN_FREE)
        conn_open(w, c);
    else
        conn_send(w, c);
}

/* --- connections come and go -------------------------------------------------------------- */

void worker_ready(struct worker *w, struct conn *c)
{
    if (w->opening) {
        w->opened++;
        return;
    }
    if (w->open_loop)
        c->free_ns = w->now_ns;
    if (thinks(w, c))
        return;
    if (c->step && may_send(w)) {
        add_step(w, c);
        conn_send(w, c);
    } else if (w->open_loop) {
        serve_backlog(w, c);
    } else if (!c->in_flight || w->http2) {
        fill(w, c);
        conn_send(w, c);
    }
}

void worker_closed(struct worker *w, struct conn *c, bool failed)
{
    if (c->idle)
        idle_remove(w, c);
    if (c->thinking || thinks(w, c))
        return;
    if (c->step && may_send(w))
        add_step(w, c);
    bool again = c->in_flight || (!w->open_loop && !w->opening && may_send(w));
    if (again && failed)
        worker_later(w, c);
    else if (again)
        soon(w, c);
    else if (!c->queued)
        ring_push(&w->spare, c->index);
    if (!again && w->close_each)
        c->free_ns = w->now_ns;
}

static void reopen(struct worker *w, uint32_t index)
{
    struct conn *c = worker_conn(w, index);
    c->queued = false;
    if (!w->open_loop && !w->opening && !c->in_flight)
        fill(w, c);
    if (c->in_flight || w->opening)
        conn_open(w, c);
    else
        ring_push(&w->spare, index);
}

void dispatch_open(struct worker *w)
{
    /* Only those that wait now: what fails again belongs to the next turn. */
    for (uint32_t n = w->soon.len; n > 0; n--)
        reopen(w, ring_pop(&w->soon));
    while (w->later.len && w->later_ns[w->later.at[w->later.head]] <= w->now_ns)
        reopen(w, ring_pop(&w->later));
    while (pauses_first_ns(&w->pauses) <= w->now_ns)
        go_on(w, worker_conn(w, pauses_take(&w->pauses)));
    if (w->backlog.len)
        open_for_backlog(w);
}

int64_t dispatch_wakes_ns(const struct worker *w)
{
    if (w->soon.len)
        return w->now_ns;
    int64_t later = w->later.len ? w->later_ns[w->later.at[w->later.head]] : CLOCK_NEVER;
    int64_t pause = pauses_first_ns(&w->pauses);
    return pause < later ? pause : later;
}

void dispatch_abandon(struct worker *w)
{
    w->stop_ns = w->now_ns;
    for (uint32_t i = 0; i < w->fresh; i++) {
        struct conn *c = worker_conn(w, i);
        if (c->in_flight && c->state == CONN_FREE)
            conn_fail(w, c, FAIL_CONNECT, FAIL_TIMEOUT, 0);
        else if (c->in_flight)
            conn_timeout(w, c);
    }
    while (w->backlog.len) {
        struct waiting first = backlog_pop(w);
        struct flight lost = {.due_ns = first.due_ns, .endpoint = first.endpoint};
        count_failure(w, &lost, FAIL_QUEUE, FAIL_TIMEOUT, 0);
    }
}

static void ring_init(struct ring *r, uint32_t size)
{
    *r = (struct ring){.at = mem_zero(size, sizeof *r->at), .size = size};
}

int dispatch_init(struct worker *w)
{
    ring_init(&w->spare, w->size);
    ring_init(&w->soon, w->size);
    ring_init(&w->later, w->size);
    w->later_ns = mem_zero(w->size, sizeof *w->later_ns);
    if (w->thinks)
        pauses_init(&w->pauses, w->size);
    w->idle_top = CONN_NONE;
    return 0;
}

void dispatch_done(struct worker *w)
{
    mem_freep(&w->spare.at);
    mem_freep(&w->soon.at);
    mem_freep(&w->later.at);
    mem_freep(&w->later_ns);
    pauses_done(&w->pauses);
    mem_freep(&w->backlog.at);
}
