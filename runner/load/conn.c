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

#include "mem.h"
#include "protocol.h"
#include "tls.h"
#include "worker.h"

void conn_drop_flights(struct worker *w, struct conn *c, unsigned n)
{
    unsigned first = c->first + n;
    worker_area(w);
    c->first = (uint16_t)(first < w->depth ? first : first - w->depth);
    c->in_flight = (uint16_t)(c->in_flight - n);
    w->in_flight -= n;
}

static struct flight take_flight(struct worker *w, struct conn *c)
{
    struct flight f = *worker_flight(w, c, 0);
    conn_drop_flights(w, c, 1);
    return f;
}

struct flight conn_take_flight(struct worker *w, struct conn *c, unsigned k)
{
    if (k == 0)
        return take_flight(w, c);
    struct flight taken = *worker_flight(w, c, k);
    *worker_flight(w, c, k) = take_flight(w, c);
    return taken;
}

void conn_add_flight(struct worker *w, struct conn *c, int64_t due_ns, uint16_t endpoint)
{
    *worker_flight(w, c, c->in_flight) = (struct flight){
        .due_ns = due_ns, .sent_ns = due_ns, .number = w->next_number, .endpoint = endpoint};
    w->next_number += w->lanes;
    worker_area(w);
    c->in_flight++;
    c->unsent++;
    w->in_flight++;
    if (w->in_flight > w->tally.in_flight_max)
        w->tally.in_flight_max = w->in_flight;
    if (c->in_flight == 1 && w->protocol->expect)
        w->protocol->expect(w, c);
}

/* --- the end of a connection -------------------------------------------------------------- */

void conn_close(struct worker *w, struct conn *c)
{
    if (c->state == CONN_FREE)
        return;
    if (c->state != CONN_OPEN)
        w->connecting--;
    w->live--;
    if (w->protocol->end)
        w->protocol->end(w, c);
    c->state = CONN_FREE;
    mem_freep(&c->out_owned);
    c->out_len = 0;
    tls_freep(&c->tls);
    if (c->fd >= 0) {
        if (w->plan->close_by == LOAD_CLOSE_RESET)
            (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1},
                             sizeof(struct linger));
        w->ops->forget(w->engine, c);
        close(c->fd);
        c->fd = -1;
    }
}

void conn_fail(struct worker *w, struct conn *c, enum fail_phase phase, enum fail_cause cause,
               int number)
{
    bool unopened = c->state != CONN_OPEN;
    if (!unopened && !c->in_flight && !c->closing && w->recording)
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
                            : c->state == CONN_UPGRADE   ? FAIL_UPGRADE
                            : c->out_len                 ? FAIL_WRITE
                                                         : w->protocol->phase(c);
    conn_fail(w, c, phase, FAIL_TIMEOUT, 0);
}

/* A kept connection that the peer closed while a request was under way to it: the request has
 * not been looked at and may be sent again (RFC 9112, section 9.3.1), once. */
static bool retry(struct worker *w, struct conn *c)
{
    if (!w->protocol->retries || c->answer_began || !c->served ||
        worker_flight(w, c, 0)->retried)
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

static void keep_rest(struct worker *w, struct conn *c, struct view rest)
{
    bool scratch = rest.at >= w->scratch && rest.at < w->scratch + WORKER_SCRATCH_BYTES;
    bool composed = rest.at >= w->composed.at && rest.at < w->composed.at + w->composed.len;
    if (!c->out_owned && (scratch || composed)) {
        c->out_owned = mem_dup(rest.at, rest.len);
        rest.at = c->out_owned;
    }
    c->out = rest.at;
    c->out_len = (uint32_t)rest.len;
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

bool conn_write(struct worker *w, struct conn *c, struct view bytes, char **owned)
{
    /* It belongs to the connection already while it is sent, so that an engine that sends later
     * can see that it will not stay. */
    c->out_owned = STEAL(*owned);
    int done = push(w, c, &bytes);
    if (done < 0) {
        lost(w, c, c->state == CONN_UPGRADE ? FAIL_UPGRADE : FAIL_WRITE, errno);
        return false;
    }
    if (done)
        mem_freep(&c->out_owned);
    else
        keep_rest(w, c, bytes);
    return true;
}

void conn_send(struct worker *w, struct conn *c)
{
    w->protocol->send(w, c);
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

void conn_ready(struct worker *w, struct conn *c)
{
    opened(w, c);
    if (w->plan->open_only)
        for (; c->unsent; c->unsent--)
            worker_count_send(w, c, worker_flight(w, c, c->in_flight - c->unsent), w->now_ns);
    if (c->in_flight || c->speech)
        conn_send(w, c);
    if (!c->in_flight && c->state == CONN_OPEN)
        worker_ready(w, c);
}

static void begin(struct worker *w, struct conn *c)
{
    if (w->protocol->begin)
        w->protocol->begin(w, c);
    else
        conn_ready(w, c);
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
        begin(w, c);
    }
}

static void established(struct worker *w, struct conn *c)
{
    connected(w, c);
    if (!w->tls) {
        begin(w, c);
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
    bool small = w->close_each && w->protocol->early && w->requests->len == 1 &&
                 w->requests->at[0].bytes.len < SMALL;
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
    if (!c->in_flight || w->tls || !w->protocol->early || w->plan->open_only)
        return 0;
    struct view bytes = w->protocol->early(w, c);
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
        keep_rest(w, c, view_skip(bytes, (size_t)n));
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
    c->closing = false;
    c->unsent = c->in_flight;
    c->out_len = 0;
    c->began_ns = c->open_ns = w->now_ns;
    w->connecting++;
    w->live++;
    if (w->protocol->expect)
        w->protocol->expect(w, c);
    int rc = begin_connect(w, c);
    if (rc < 0)
        open_failed(w, c, errno);
    else if (w->ops->watch(w->engine, c) < 0)
        conn_fail(w, c, FAIL_CLIENT, fail_cause_of(errno), errno);
    else if (rc == 2)
        established(w, c);
}

/* --- called by the engine ------------------------------------------------------------------
 */

void conn_bytes(struct worker *w, struct conn *c, struct view bytes)
{
    if (w->recording)
        w->tally.bytes_in += bytes.len;
    if (!w->plan->open_only)
        w->protocol->bytes(w, c, bytes);
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
    } else if (c->state == CONN_UPGRADE) {
        conn_fail(w, c, FAIL_UPGRADE, number ? fail_cause_of(number) : FAIL_EOF, number);
    } else if (!c->in_flight) {
        if (w->recording && !c->closing)
            w->tally.closed_by_peer++;
        conn_close(w, c);
        worker_closed(w, c, false);
    } else if (w->plan->open_only && !number) {
        struct flight f = take_flight(w, c);
        worker_answered(w, c, &f, 200, FAIL_CAUSES);
        conn_close(w, c);
        worker_closed(w, c, false);
    } else if (number || !w->protocol->ended || !w->protocol->ended(w, c)) {
        lost(w, c, w->protocol->phase(c), number);
    }
}
