/* SPDX-License-Identifier: MIT */
/*
 * websocket: see websocket.h.
 *
 * Masks come from a seeded generator: they guard proxies against scripts that choose the bytes
 * on the wire (RFC 6455, section 10.3), which a load generator is not.
 */
#include "websocket.h"

#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "mem.h"
#include "protocol.h"
#include "rng.h"
#include "worker.h"
#include "wsframe.h"
#include "wsopen.h"

enum {
    STATUS_SWITCHED = 101, /* what the statistics of status classes say for an echo */
    UPGRADE_BYTES_MAX = 64 << 10,
};

struct websocket_setup {
    struct str upgrade;
    struct rng rng;
};

struct websocket {
    struct wsframe frame;
    char key[WSOPEN_KEY_LEN];
    struct str head; /* of the answer to the handshake, while it is incomplete */
    size_t matched;  /* bytes of the echo that were as they should be */
    bool differs;
    bool pong_due; /* only the latest ping needs its pong (section 5.5.3) */
    uint8_t pong_len;
    char pong[WSFRAME_CONTROL_MAX];
};

/* --- setup -------------------------------------------------------------------------------- */

static int prepare(struct websocket_setup *s, const struct request_set *requests,
                   const struct target *target, struct err *e)
{
    const struct spec_endpoint *first = requests->at[0].endpoint;
    for (size_t i = 0; i < requests->len; i++) {
        const struct spec_endpoint *p = requests->at[i].endpoint;
        if (strcmp(p->method, "GET") != 0)
            return err_set(e, ERR_INPUT, "endpoint '%s': a WebSocket is opened with GET",
                           p->name);
        if (strcmp(p->path, first->path) != 0)
            return err_set(
                e, ERR_INPUT,
                "endpoints '%s' and '%s': all messages of a WebSocket go to one path",
                first->name, p->name);
        if (requests->at[i].checks_body)
            return err_set(e, ERR_INPUT,
                           "endpoint '%s': an echo is compared with what was sent; leave "
                           "expectations of the body away",
                           p->name);
    }
    AUTO(template_done) struct template head = TEMPLATE_INIT;
    if (request_add_head(&head, first, target, e) < 0)
        return -1;
    if (!template_is_constant(&head))
        return err_set(e, ERR_INPUT,
                       "endpoint '%s': only the message of a WebSocket can be a template",
                       first->name);
    str_add(&s->upgrade, str_view(&head.text));
    str_addz(&s->upgrade, "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ");
    return s->upgrade.cut
               ? err_set(e, ERR_LIMIT, "the header is longer than %d bytes", UPGRADE_BYTES_MAX)
               : 0;
}

struct websocket_setup *websocket_setup_new(const struct request_set *requests,
                                            const struct target *target, uint64_t seed,
                                            struct err *e)
{
    struct websocket_setup *s = mem_zero(1, sizeof *s);
    s->upgrade.max = UPGRADE_BYTES_MAX;
    rng_init(&s->rng, seed);
    if (prepare(s, requests, target, e) < 0)
        websocket_setup_freep(&s);
    return s;
}

void websocket_setup_freep(struct websocket_setup **s)
{
    if (*s)
        str_done(&(*s)->upgrade);
    mem_freep(s);
}

/* --- sending ------------------------------------------------------------------------------ */

static uint32_t next_mask(struct worker *w)
{
    return (uint32_t)(rng_next(&w->websocket->rng) >> 32);
}

/* Valid until the next one is asked for. */
static struct view message_of(struct worker *w, const struct flight *f)
{
    const struct request *r = &w->requests->at[f->endpoint];
    if (!r->made)
        return (struct view){str_text(&r->body.text), r->body.text.len};
    str_clear(&w->body);
    request_make_body(w->requests, r, f->number, &w->body);
    return (struct view){str_text(&w->body), w->body.len};
}

static enum wsframe_opcode kind_of(struct view message)
{
    return view_is_utf8(message) ? WSFRAME_TEXT : WSFRAME_BINARY;
}

/* False when the connection is gone. */
static bool send_pong(struct worker *w, struct conn *c)
{
    AUTO(mem_freep) char *owned = NULL;
    struct websocket *ws = c->speech;
    if (!ws->pong_due || c->out_len)
        return true;
    ws->pong_due = false;
    struct view text = {ws->pong, ws->pong_len};
    size_t n = wsframe_write(w->scratch, WSFRAME_OPCODE_PONG, text, next_mask(w));
    return conn_write(w, c, (struct view){w->scratch, n}, &owned);
}

static void websocket_send(struct worker *w, struct conn *c)
{
    AUTO(mem_freep) char *owned = NULL;
    size_t room = 0;
    size_t n = 0;
    if (c->state != CONN_OPEN || c->out_len || !send_pong(w, c) || c->out_len || !c->unsent)
        return;
    for (unsigned i = c->in_flight - c->unsent; i < c->in_flight; i++)
        room += WSFRAME_HEAD_MAX + message_of(w, worker_flight(w, c, i)).len;
    char *to = room <= WORKER_SCRATCH_BYTES ? w->scratch : (owned = mem_alloc(room));
    for (; c->unsent; c->unsent--) {
        struct flight *f = worker_flight(w, c, c->in_flight - c->unsent);
        struct view message = message_of(w, f);
        n += wsframe_write(to + n, kind_of(message), message, next_mask(w));
        worker_count_send(w, c, f, w->now_ns);
    }
    (void)conn_write(w, c, (struct view){to, n}, &owned);
}

/* --- opening ------------------------------------------------------------------------------ */

static void websocket_begin(struct worker *w, struct conn *c)
{
    AUTO(mem_freep) char *owned = NULL;
    struct websocket *ws = mem_zero(1, sizeof *ws);
    AUTO(str_done) struct str key = STR_INIT(WSOPEN_KEY_LEN);
    uint64_t secret[WSOPEN_KEY_BYTES / sizeof(uint64_t)];
    const struct str *upgrade = &w->websocket->upgrade;
    for (size_t i = 0; i < ARRAY_LEN(secret); i++)
        secret[i] = rng_next(&w->websocket->rng);
    digest_base64((struct view){(const char *)secret, sizeof secret}, &key);
    memcpy(ws->key, key.at, WSOPEN_KEY_LEN);
    ws->head.max = WSOPEN_HEAD_MAX + 1;
    wsframe_begin(&ws->frame);
    c->speech = ws;
    c->state = CONN_UPGRADE;
    c->began_ns = w->now_ns;

    memcpy(w->scratch, upgrade->at, upgrade->len);
    memcpy(w->scratch + upgrade->len, ws->key, WSOPEN_KEY_LEN);
    memcpy(w->scratch + upgrade->len + WSOPEN_KEY_LEN, "\r\n\r\n", 4);
    size_t n = upgrade->len + WSOPEN_KEY_LEN + 4;
    (void)conn_write(w, c, (struct view){w->scratch, n}, &owned);
}

/* Reads the answer to the handshake; what is left of '*in' afterwards are frames. False while
 * there is nothing more to do, or when the connection is gone. */
static bool agree(struct worker *w, struct conn *c, struct view *in)
{
    struct websocket *ws = c->speech;
    uint32_t generation = c->generation;
    size_t before = ws->head.len;
    enum fail_cause why;
    str_add(&ws->head, *in);
    long len = wsopen_read(str_view(&ws->head), ws->key, &why);
    if (len < 0)
        conn_fail(w, c, FAIL_UPGRADE, why, 0);
    if (len <= 0)
        return false;
    /* The end of the answer lies in what has just come, or it would have been seen before. */
    *in = view_skip(*in, (size_t)len - before);
    str_done(&ws->head);
    conn_ready(w, c);
    return c->generation == generation && c->state == CONN_OPEN;
}

/* --- answers ------------------------------------------------------------------------------ */

static enum fail_phase websocket_phase(const struct conn *c)
{
    const struct websocket *ws = c->speech;
    return ws->frame.in_message ? FAIL_BODY : FAIL_HEAD;
}

static void compare(struct worker *w, struct conn *c, struct view piece)
{
    struct websocket *ws = c->speech;
    struct view rest = view_skip(message_of(w, worker_flight(w, c, 0)), ws->matched);
    ws->differs |= piece.len > rest.len || memcmp(piece.at, rest.at, piece.len) != 0;
    ws->matched += ws->differs ? 0 : piece.len;
}

static void echoed(struct worker *w, struct conn *c)
{
    struct websocket *ws = c->speech;
    struct flight f = conn_take_flight(w, c, 0);
    struct view message = message_of(w, &f);
    bool good =
        !ws->differs && ws->matched == message.len && ws->frame.kind == kind_of(message);
    ws->matched = 0;
    ws->differs = false;
    c->answer_began = false;
    c->served++;
    worker_answered(w, c, &f, STATUS_SWITCHED, good ? FAIL_CAUSES : FAIL_CONTENT);
    if (!w->close_each || c->step) {
        worker_ready(w, c);
        return;
    }
    conn_close(w, c);
    worker_closed(w, c, false);
}

/* 'behind' is what has come with the end of a message. Another message there is one that nobody
 * asked for, and must not pass for the echo of a message that has not even been sent. */
static bool has_unasked(const struct conn *c, struct view behind)
{
    return behind.len && wsframe_is_data(behind.at[0]) && c->in_flight == c->unsent + 1;
}

static void message_step(struct worker *w, struct conn *c, struct view piece, bool done,
                         struct view behind)
{
    if (c->in_flight == c->unsent) {
        conn_fail(w, c, FAIL_HEAD, FAIL_UNASKED, 0);
        return;
    }
    if (!c->answer_began) {
        c->answer_began = true;
        c->began_ns = w->now_ns;
    }
    compare(w, c, piece);
    if (done && has_unasked(c, behind))
        conn_fail(w, c, FAIL_BODY, FAIL_UNASKED, 0);
    else if (done)
        echoed(w, c);
}

static void take_ping(struct worker *w, struct conn *c, struct view text)
{
    struct websocket *ws = c->speech;
    memcpy(ws->pong, text.at, text.len);
    ws->pong_len = (uint8_t)text.len;
    ws->pong_due = true;
    (void)send_pong(w, c);
}

static void take_step(struct worker *w, struct conn *c, enum wsframe_step step,
                      struct view piece, struct view behind)
{
    switch (step) {
    case WSFRAME_PIECE:
    case WSFRAME_DONE:
        message_step(w, c, piece, step == WSFRAME_DONE, behind);
        return;
    case WSFRAME_PING:
        take_ping(w, c, piece);
        return;
    case WSFRAME_CLOSE:
        conn_fail(w, c, FAIL_HEAD, FAIL_GOAWAY, 0);
        return;
    case WSFRAME_BAD:
    case WSFRAME_TOO_LARGE:
        conn_fail(w, c, websocket_phase(c),
                  step == WSFRAME_BAD ? FAIL_MALFORMED : FAIL_TOO_LARGE, 0);
        return;
    case WSFRAME_MORE:
    case WSFRAME_PONG:
        return;
    }
}

static void websocket_bytes(struct worker *w, struct conn *c, struct view in)
{
    uint32_t generation = c->generation;
    if (c->state == CONN_UPGRADE && !agree(w, c, &in))
        return;
    while (in.len) {
        size_t used;
        struct view piece;
        struct websocket *ws = c->speech;
        enum wsframe_step step = wsframe_step(&ws->frame, in, &used, &piece);
        in = view_skip(in, used);
        take_step(w, c, step, piece, in);
        if (c->generation != generation || c->state != CONN_OPEN)
            return;
    }
}

/* Says goodbye as section 5.5.1 wants it; whether that still gets through is not waited for. */
static void websocket_end(struct worker *w, struct conn *c)
{
    static const char normal[] = {1000 >> 8, (char)(1000 & 0xff)};
    char frame[WSFRAME_HEAD_MAX + sizeof normal];
    struct websocket *ws = c->speech;
    if (!ws)
        return;
    if (c->state == CONN_OPEN && !c->out_len) {
        size_t n = wsframe_write(frame, WSFRAME_OPCODE_CLOSE,
                                 (struct view){normal, sizeof normal}, next_mask(w));
        (void)w->ops->send(w->engine, c, frame, n);
    }
    str_done(&ws->head);
    mem_freep(&c->speech);
}

const struct protocol protocol_websocket = {
    .begin = websocket_begin,
    .send = websocket_send,
    .bytes = websocket_bytes,
    .phase = websocket_phase,
    .end = websocket_end,
};
