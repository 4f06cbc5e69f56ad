/* SPDX-License-Identifier: MIT */
/*
 * conn: see conn.h.
 *
 * Nothing here opens a connection from inside the failure of another: worker_closed puts it
 * into a queue instead. So a peer that resets everything cannot drive the stack into the
 * ground.
 */
#include "conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http2.h"
#include "mem.h"
#include "tls.h"
#include "worker.h"

static const struct request *request_of(const struct worker *w, const struct flight *f)
{
    return &w->requests->at[f->endpoint];
}

static struct flight take_flight(struct worker *w, struct conn *c)
{
    struct flight f = *worker_flight(w, c, 0);
    worker_area(w);
    c->first = (uint16_t)(c->first + 1 < w->depth ? c->first + 1 : 0);
    c->in_flight--;
    w->in_flight--;
    return f;
}

struct flight conn_take_flight(struct worker *w, struct conn *c, unsigned k)
{
    struct flight taken = *worker_flight(w, c, k);
    *worker_flight(w, c, k) = *worker_flight(w, c, 0);
    (void)take_flight(w, c);
    return taken;
}

static void expect_next(struct worker *w, struct conn *c)
{
    c->answer_began = false;
    http1_begin(&c->http, c->in_flight && request_of(w, worker_flight(w, c, 0))->head);
}

void conn_add_flight(struct worker *w, struct conn *c, int64_t due_ns, uint16_t endpoint)
{
    *worker_flight(w, c, c->in_flight) =
        (struct flight){.due_ns = due_ns, .sent_ns = due_ns, .endpoint = endpoint};
    worker_area(w);
    c->in_flight++;
    c->unsent++;
    w->in_flight++;
    if (w->in_flight > w->tally.in_flight_max)
        w->tally.in_flight_max = w->in_flight;
    if (c->in_flight == 1 && !c->http2)
        expect_next(w, c);
}

/* --- the end of a connection -------------------------------------------------------------- */

void conn_close(struct worker *w, struct conn *c)
{
    if (c->state == CONN_FREE)
        return;
    if (c->state != CONN_OPEN)
        w->connecting--;
    w->live--;
    c->state = CONN_FREE;
    check_abandon(&c->check);
    mem_freep(&c->stash);
    mem_freep(&c->out_owned);
    c->stash_len = c->stash_room = c->out_len = 0;
    http2_freep(&c->http2);
    tls_freep(&c->tls);
    if (c->fd >= 0) {
        w->ops->forget(w->engine, c);
        close(c->fd);
        c->fd = -1;
    }
}

void conn_fail(struct worker *w, struct conn *c, enum fail_phase phase, enum fail_cause cause,
               int number)
{
    bool unopened = c->state != CONN_OPEN;
    if (!unopened && !c->in_flight && w->recording)
        w->tally.closed_by_peer++; /* It spoke unasked while idle, as before a close. */
    if (number && fail_is_client(number))
        phase = FAIL_CLIENT;
    conn_close(w, c);
    if (w->opening) {
        w->opening_failed++;
        w->opening_phase = phase;
        w->opening_cause = cause;
    } else if (unopened && !c->in_flight) {
        worker_failed(w, NULL, phase, cause, number);
    }
    while (c->in_flight) {
        struct flight f = take_flight(w, c);
        worker_failed(w, &f, phase, cause, number);
    }
    c->unsent = 0;
    worker_closed(w, c, unopened);
}

void conn_timeout(struct worker *w, struct conn *c)
{
    enum fail_phase phase = c->state == CONN_CONNECTING  ? FAIL_CONNECT
                            : c->state == CONN_HANDSHAKE ? FAIL_TLS
                            : c->out_len                 ? FAIL_WRITE
                            : http1_in_head(&c->http)    ? FAIL_HEAD
                                                         : FAIL_BODY;
    conn_fail(w, c, phase, FAIL_TIMEOUT, 0);
}

/* A kept connection that the peer closed while a request was under way to it: the request has
 * not been looked at and may be sent again (RFC 9112, section 9.3.1), once. */
static bool retry(struct worker *w, struct conn *c)
{
    if (c->answer_began || !c->served || worker_flight(w, c, 0)->retried)
        return false;
    for (unsigned i = 0; i < c->in_flight; i++)
        worker_flight(w, c, i)->retried = true;
    if (w->recording) {
        w->tally.closed_by_peer++;
        w->tally.retried += c->in_flight;
    }
    conn_close(w, c);
    worker_closed(w, c, false);
    return true;
}

static void lost(struct worker *w, struct conn *c, enum fail_phase phase, int number)
{
    if (!retry(w, c))
        conn_fail(w, c, phase, number ? fail_cause_of(number) : FAIL_EOF, number);
}

/* --- sending ------------------------------------------------------------------------------ */

/* The bytes of all unsent flights in one piece. What is composed lies in the worker's scratch,
 * or in '*owned' when it is larger. */
static struct view compose(struct worker *w, struct conn *c, char **owned)
{
    unsigned from = c->in_flight - c->unsent;
    const struct request *first = request_of(w, worker_flight(w, c, from));
    if (c->unsent == 1)
        return str_view(&first->bytes);
    if (c->unsent == w->depth && w->requests->len == 1 && first->burst.len)
        return str_view(&first->burst);

    size_t total = 0;
    for (unsigned i = from; i < c->in_flight; i++)
        total += request_of(w, worker_flight(w, c, i))->bytes.len;
    char *to = total <= WORKER_SCRATCH_BYTES ? w->scratch : (*owned = mem_alloc(total));
    size_t n = 0;
    for (unsigned i = from; i < c->in_flight; i++) {
        const struct str *bytes = &request_of(w, worker_flight(w, c, i))->bytes;
        memcpy(to + n, bytes->at, bytes->len);
        n += bytes->len;
    }
    return (struct view){to, n};
}

static void keep_rest(struct worker *w, struct conn *c, struct view rest, char **owned)
{
    if (!*owned && rest.at >= w->scratch && rest.at < w->scratch + WORKER_SCRATCH_BYTES) {
        *owned = mem_dup(rest.at, rest.len);
        rest.at = *owned;
    }
    c->out = rest.at;
    c->out_len = (uint32_t)rest.len;
    c->out_owned = STEAL(*owned);
}

/* Hands bytes to the socket: 1 all, 0 some, -1 the connection is lost or not yet there. */
static int push(struct worker *w, struct conn *c, struct view *bytes)
{
    ssize_t n = w->ops->send(w->engine, c, bytes->at, bytes->len);
    if (n < 0)
        return errno == EAGAIN ? 0 : -1;
    if (w->recording)
        w->tally.bytes_out += (uint64_t)n;
    *bytes = view_skip(*bytes, (size_t)n);
    return bytes->len == 0;
}

bool conn_write(struct worker *w, struct conn *c, struct view bytes)
{
    AUTO(mem_freep) char *owned = NULL;
    int done = push(w, c, &bytes);
    if (done < 0)
        lost(w, c, FAIL_WRITE, errno);
    else if (!done)
        keep_rest(w, c, bytes, &owned);
    return done >= 0;
}

void conn_send(struct worker *w, struct conn *c)
{
    AUTO(mem_freep) char *owned = NULL;
    if (c->http2) {
        http2_send(w, c);
        return;
    }
    if (!c->unsent || c->out_len)
        return;
    struct view bytes = compose(w, c, &owned);
    for (unsigned i = c->in_flight - c->unsent; i < c->in_flight; i++)
        worker_count_send(w, c, worker_flight(w, c, i), w->now_ns);
    c->unsent = 0;
    int done = push(w, c, &bytes);
    if (done < 0)
        lost(w, c, FAIL_WRITE, errno);
    else if (!done)
        keep_rest(w, c, bytes, &owned);
}

static void flush(struct worker *w, struct conn *c)
{
    struct view bytes = {c->out, c->out_len};
    int done = push(w, c, &bytes);
    if (done < 0) {
        lost(w, c, FAIL_WRITE, errno);
        return;
    }
    c->out = bytes.at;
    c->out_len = (uint32_t)bytes.len;
    if (done) {
        mem_freep(&c->out_owned);
        conn_send(w, c);
    }
}

/* --- opening ------------------------------------------------------------------------------ */

static void opened(struct worker *w, struct conn *c)
{
    w->connecting--;
    c->state = CONN_OPEN;
    if (!w->close_each)
        c->free_ns = w->now_ns;
}

static void connected(struct worker *w, const struct conn *c)
{
    if (w->recording) {
        w->tally.connections_opened++;
        hist_record(&w->tally.connect, w->now_ns - c->began_ns);
    }
}

static void ready(struct worker *w, struct conn *c)
{
    opened(w, c);
    if (w->http2)
        http2_begin(w, c);
    if (w->plan->open_only)
        for (; c->unsent; c->unsent--)
            worker_count_send(w, c, worker_flight(w, c, c->in_flight - c->unsent), w->now_ns);
    if (c->in_flight || w->http2)
        conn_send(w, c);
    if (!c->in_flight && c->state == CONN_OPEN)
        worker_ready(w, c);
}

static void handshake(struct worker *w, struct conn *c)
{
    enum tls_step step = tls_handshake(c->tls);
    w->now_ns = clock_now_ns();
    if (step == TLS_FAILED) {
        conn_fail(w, c, FAIL_TLS, tls_failure(c->tls), 0);
    } else if (step == TLS_DONE && w->http2 && !tls_chose_http2(c->tls)) {
        conn_fail(w, c, FAIL_TLS, FAIL_HANDSHAKE, 0);
    } else if (step == TLS_DONE) {
        if (w->recording) {
            hist_record(&w->tally.tls, w->now_ns - c->began_ns);
            w->tally.tls_resumed += tls_resumed(c->tls);
        }
        ready(w, c);
    }
}

static void established(struct worker *w, struct conn *c)
{
    connected(w, c);
    if (!w->tls) {
        ready(w, c);
        return;
    }
    c->state = CONN_HANDSHAKE;
    c->began_ns = w->now_ns;
    c->tls = tls_new(w->tls, c->fd);
    handshake(w, c);
}

/* Requests must not wait for the acknowledgement of a request's earlier part. A single small
 * send on a fresh connection cannot, so the call is saved there. */
static void set_no_delay(const struct worker *w, const struct conn *c)
{
    enum { SMALL = 1400 };
    int one = 1;
    bool small = w->close_each && w->requests->at[0].bytes.len < SMALL && w->requests->len == 1;
    if (!small && w->plan->target->address.ss_family != AF_UNIX)
        (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void open_failed(struct worker *w, struct conn *c, int number)
{
    int64_t waited =
        c->in_flight ? w->now_ns - worker_flight(w, c, 0)->due_ns : w->now_ns - c->began_ns;
    if (number == EAGAIN && waited < w->plan->load.timeout_ns) {
        /* A Unix socket whose queue is full has no handshake to wait in: come again later. */
        conn_close(w, c);
        worker_later(w, c);
        return;
    }
    conn_fail(w, c, FAIL_CONNECT, fail_cause_of(number), number);
}

/* A handshake over loopback is often over when connect returns. Trying to send at once saves
 * one round through the engine: 1 when the requests are on their way, 0 when it is too early,
 * -1 and errno when connecting has failed (the socket tells that only once). */
static int send_early(struct worker *w, struct conn *c)
{
    AUTO(mem_freep) char *owned = NULL;
    if (!c->in_flight || w->tls || w->http2 || w->plan->open_only)
        return 0;
    struct view bytes = compose(w, c, &owned);
    w->now_ns = clock_now_ns();
    ssize_t n = w->ops->send(w->engine, c, bytes.at, bytes.len);
    if (n < 0)
        return errno == EAGAIN ? 0 : -1;
    connected(w, c);
    opened(w, c);
    for (unsigned i = 0; i < c->in_flight; i++)
        worker_count_send(w, c, worker_flight(w, c, i), w->now_ns);
    c->unsent = 0;
    if (w->recording)
        w->tally.bytes_out += (uint64_t)n;
    if ((size_t)n < bytes.len)
        keep_rest(w, c, view_skip(bytes, (size_t)n), &owned);
    return 1;
}

/* Socket and connect; the same answers as send_early, 2 when it is open already. */
static int begin_connect(struct worker *w, struct conn *c)
{
    const struct target *t = w->plan->target;
    c->fd = socket(t->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return -1;
    set_no_delay(w, c);
    const struct load_plan *plan = w->plan;
    if (plan->sources_len &&
        target_bind_source(c->fd, &plan->sources[w->source++ % plan->sources_len]) < 0)
        return -1;
    if (connect(c->fd, (const struct sockaddr *)&t->address, t->address_len) == 0)
        return 2;
    return errno == EINPROGRESS ? send_early(w, c) : -1;
}

void conn_open(struct worker *w, struct conn *c)
{
    c->generation++;
    c->state = CONN_CONNECTING;
    c->served = 0;
    c->unsent = c->in_flight;
    c->out_len = 0;
    c->began_ns = c->open_ns = w->now_ns;
    w->connecting++;
    w->live++;
    expect_next(w, c);
    int rc = begin_connect(w, c);
    if (rc < 0)
        open_failed(w, c, errno);
    else if (w->ops->watch(w->engine, c) < 0)
        conn_fail(w, c, FAIL_CLIENT, fail_cause_of(errno), errno);
    else if (rc == 2)
        established(w, c);
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
    struct flight f = take_flight(w, c);
    enum fail_cause cause = check_answer(w, c, &f, last);
    bool keep = c->http.keep && !w->close_each;
    c->served++;
    worker_answered(w, c, &f, c->http.status, cause);
    expect_next(w, c);
    if (keep) {
        worker_ready(w, c);
        return;
    }
    if (!w->close_each && w->recording) {
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

void conn_bytes(struct worker *w, struct conn *c, struct view bytes)
{
    if (w->recording)
        w->tally.bytes_in += bytes.len;
    if (w->plan->open_only)
        return;
    if (c->http2) {
        http2_bytes(w, c, bytes);
        return;
    }
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

void conn_writable(struct worker *w, struct conn *c)
{
    if (c->state == CONN_CONNECTING)
        established(w, c);
    else if (c->state == CONN_HANDSHAKE)
        handshake(w, c);
    else if (c->out_len)
        flush(w, c);
}

void conn_ended(struct worker *w, struct conn *c, int number)
{
    if (c->state == CONN_CONNECTING) {
        open_failed(w, c, number ? number : ECONNRESET);
    } else if (!c->in_flight) {
        if (w->recording)
            w->tally.closed_by_peer++;
        conn_close(w, c);
        worker_closed(w, c, false);
    } else if (w->plan->open_only && !number) {
        struct flight f = take_flight(w, c);
        worker_answered(w, c, &f, 200, FAIL_CAUSES);
        conn_close(w, c);
        worker_closed(w, c, false);
    } else if (!number && c->answer_began && http1_end(&c->http) == HTTP1_DONE) {
        answer_done(w, c, VIEW(""));
    } else {
        lost(w, c, http1_in_head(&c->http) ? FAIL_HEAD : FAIL_BODY, number);
    }
}
