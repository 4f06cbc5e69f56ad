/* SPDX-License-Identifier: MIT */
/*
 * exchange: HTTP/1.1 on a connection; see protocol.h.
 *
 * Requests go out as the bytes that were made before the run, answers come back in the order of
 * the requests. The parser behind is http1.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "http1.h"
#include "mem.h"
#include "protocol.h"
#include "worker.h"

static const struct request *request_of(const struct worker *w, const struct flight *f)
{
    return &w->requests->at[f->endpoint];
}

static void exchange_expect(struct worker *w, struct conn *c)
{
    c->answer_began = false;
    http1_begin(&c->http, c->in_flight && request_of(w, worker_flight(w, c, 0))->head);
}

/* --- sending ------------------------------------------------------------------------------ */

/* The bytes of all unsent flights in one piece: those of the request itself when that is all,
 * else composed in the worker's memory. */
static struct view compose(struct worker *w, struct conn *c)
{
    unsigned from = c->in_flight - c->unsent;
    const struct request *first = request_of(w, worker_flight(w, c, from));
    if (c->unsent == 1 && !first->made)
        return str_view(&first->bytes);
    if (c->unsent == w->depth && w->requests->len == 1 && first->burst.len)
        return str_view(&first->burst);

    str_clear(&w->composed);
    for (unsigned i = from; i < c->in_flight; i++) {
        const struct flight *f = worker_flight(w, c, i);
        const struct request *r = request_of(w, f);
        if (r->made)
            request_make(w->requests, r, f->number, &w->body, &w->composed);
        else
            str_add(&w->composed, str_view(&r->bytes));
    }
    return str_view(&w->composed);
}

static void exchange_send(struct worker *w, struct conn *c)
{
    AUTO(mem_freep) char *owned = NULL;
    if (!c->unsent || c->out_len)
        return;
    struct view bytes = compose(w, c);
    for (unsigned i = c->in_flight - c->unsent; i < c->in_flight; i++)
        worker_count_send(w, c, worker_flight(w, c, i), w->now_ns);
    c->unsent = 0;
    (void)conn_write(w, c, bytes, &owned);
}

/* --- answers ------------------------------------------------------------------------------ */

static bool looks_into_body(const struct worker *w, const struct conn *c,
                            const struct request *r)
{
    return r->checks_body &&
           (w->plan->check_every < 2 || c->served % w->plan->check_every == 0);
}

static enum fail_cause check_answer(struct worker *w, struct conn *c, const struct flight *f,
                                    struct view last)
{
    const struct request *r = request_of(w, f);
    enum fail_cause cause = check_status(r, c->http.status) ? FAIL_CAUSES : FAIL_STATUS;
    if (!looks_into_body(w, c, r))
        return cause;
    enum fail_cause body;
    if (c->check) {
        check_add(c->check, r, last);
        body = check_end(&c->check, r);
    } else {
        body = check_whole(&w->check_memos[f->endpoint], r, last);
    }
    return cause == FAIL_CAUSES ? body : cause;
}

static void answer_done(struct worker *w, struct conn *c, struct view last)
{
    struct flight f = conn_take_flight(w, c, 0);
    enum fail_cause cause = check_answer(w, c, &f, last);
    bool keep = c->http.keep;
    c->served++;
    worker_answered(w, c, &f, c->http.status, cause);
    exchange_expect(w, c);
    bool over = w->close_each && !c->step;
    if (keep && !over) {
        worker_ready(w, c);
        return;
    }
    if (over && w->plan->close_by == LOAD_CLOSE_SERVER) {
        c->closing = true;
        return;
    }
    if (!over && w->recording) {
        w->tally.closed_by_peer++;
        w->tally.retried += c->in_flight;
    }
    conn_close(w, c);
    worker_closed(w, c, false);
}

static void body_piece(struct worker *w, struct conn *c, struct view piece)
{
    const struct request *r = request_of(w, worker_flight(w, c, 0));
    if (!looks_into_body(w, c, r))
        return;
    if (!c->check)
        c->check = check_begin(r);
    check_add(c->check, r, piece);
}

static void answer_broken(struct worker *w, struct conn *c, enum http1_step step)
{
    conn_fail(w, c, http1_in_head(&c->http) ? FAIL_HEAD : FAIL_BODY,
              step == HTTP1_BAD ? FAIL_MALFORMED : FAIL_TOO_LARGE, 0);
}

static bool alike(const struct flight *a, const struct flight *b)
{
    return a->due_ns == b->due_ns && a->sent_ns == b->sent_ns && a->endpoint == b->endpoint;
}

/* The short way for what nearly all bytes are: good answers, each complete and with the header
 * of the one before, to requests that left together. Counted in one go, as they have everything
 * in common. Takes none when there is anything to look at, and never the last one asked for
 * while bytes follow it. */
static void take_known(struct worker *w, struct conn *c, struct view *in)
{
    const struct flight first = *worker_flight(w, c, 0);
    const struct request *r = request_of(w, &first);
    const struct http1_memo *memo = &w->memos[first.endpoint];
    unsigned sent = c->in_flight - c->unsent;
    struct view rest = *in;
    unsigned n = 0;
    size_t len;
    if (r->checks_body || w->close_each || w->thinks || c->answer_began ||
        !check_status(r, memo->after.status))
        return;
    while (n < sent && (n == 0 || alike(&first, worker_flight(w, c, n))) &&
           (len = http1_known(&c->http, memo, rest)) > 0) {
        if (n + 1 == sent && len < rest.len)
            break;
        rest = (struct view){rest.at + len, rest.len - len};
        n++;
    }
    if (!n)
        return;
    conn_drop_flights(w, c, n);
    c->served += n;
    *in = rest;
    worker_answered_alike(w, c, &first, memo->after.status, n);
    exchange_expect(w, c);
    worker_ready(w, c);
}

/* Takes answers out of 'in' until it is used up or the connection has gone. Returns false then.
 * Bytes behind the last answer that was asked for make that answer wrong: its length was. They
 * must not pass for the answer to a request that has not even been sent. */
static bool take_answers(struct worker *w, struct conn *c, struct view *in)
{
    uint32_t generation = c->generation;
    while (in->len) {
        if (c->in_flight == c->unsent) {
            conn_fail(w, c, FAIL_HEAD, FAIL_UNASKED, 0);
            return false;
        }
        take_known(w, c, in);
        if (c->generation != generation || c->state != CONN_OPEN)
            return false;
        if (!in->len)
            return true;
        if (!c->answer_began) {
            c->answer_began = true;
            c->began_ns = w->now_ns;
        }
        size_t used;
        struct view body;
        struct http1_memo *memo = &w->memos[worker_flight(w, c, 0)->endpoint];
        enum http1_step step = http1_step(&c->http, memo, *in, &used, &body);
        *in = view_skip(*in, used);
        if (step == HTTP1_MORE)
            return true;
        if (step == HTTP1_BODY) {
            body_piece(w, c, body);
            continue;
        }
        if (step != HTTP1_DONE)
            answer_broken(w, c, step);
        else if (in->len && c->in_flight == c->unsent + 1)
            conn_fail(w, c, FAIL_BODY, FAIL_UNASKED, 0);
        else
            answer_done(w, c, body);
        if (c->generation != generation || c->state != CONN_OPEN)
            return false;
    }
    return true;
}

/* Keeps the beginning of a header, which may already lie in the stash. */
static void stash(struct conn *c, struct view rest)
{
    if (rest.len > c->stash_room) {
        char *room = mem_alloc(2 * rest.len);
        memcpy(room, rest.at, rest.len);
        free(c->stash);
        c->stash = room;
        c->stash_room = (uint32_t)(2 * rest.len);
    } else if (rest.len) {
        memmove(c->stash, rest.at, rest.len);
    }
    c->stash_len = (uint32_t)rest.len;
    if (!c->stash_len) {
        mem_freep(&c->stash);
        c->stash_room = 0;
    }
}

static void exchange_bytes(struct worker *w, struct conn *c, struct view bytes)
{
    if (!c->stash_len) {
        if (take_answers(w, c, &bytes) && bytes.len)
            stash(c, bytes);
        return;
    }
    if (c->stash_len + bytes.len > c->stash_room) {
        c->stash_room = (uint32_t)(2 * (c->stash_len + bytes.len));
        c->stash = mem_resize(c->stash, c->stash_room, 1);
    }
    memcpy(c->stash + c->stash_len, bytes.at, bytes.len);
    struct view in = {c->stash, c->stash_len + bytes.len};
    if (take_answers(w, c, &in))
        stash(c, in);
}

static bool exchange_ended(struct worker *w, struct conn *c)
{
    if (!c->answer_began || http1_end(&c->http) != HTTP1_DONE)
        return false;
    answer_done(w, c, VIEW(""));
    return true;
}

static enum fail_phase exchange_phase(const struct conn *c)
{
    return http1_in_head(&c->http) ? FAIL_HEAD : FAIL_BODY;
}

static void exchange_end(struct worker *w, struct conn *c)
{
    (void)w;
    check_abandon(&c->check);
    mem_freep(&c->stash);
    c->stash_len = c->stash_room = 0;
}

const struct protocol protocol_http1 = {
    .retries = true,
    .early = compose,
    .expect = exchange_expect,
    .send = exchange_send,
    .bytes = exchange_bytes,
    .ended = exchange_ended,
    .phase = exchange_phase,
    .end = exchange_end,
};
