/* SPDX-License-Identifier: MIT */
/*
 * http2: see http2.h.
 *
 * nghttp2 calls back while it reads, and an answer may end in closing the connection, which
 * would pull the session from under it. So callbacks only note which streams have ended; what
 * that means is worked out when nghttp2 has returned.
 */
#include "http2.h"

#include <ctype.h>
#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mem.h"
#include "protocol.h"
#include "worker.h"

enum { WINDOW = 1 << 30, FIELDS_OWN = 6, HEADER_BYTES_MAX = HTTP1_HEAD_MAX };

/* Values that are templates are made for each request, see fill_in. */
struct http2_request {
    nghttp2_nv *fields;
    struct template *values; /* one per field; a constant one is in the field already */
    size_t fields_len;
    bool length_last; /* the last field follows the length of the body */
};

struct http2_setup {
    struct http2_request *requests;
    size_t len;
};

struct stream {
    int32_t id; /* 0: unused */
    uint16_t endpoint, status;
    bool too_large, ended;
    uint32_t error; /* of RFC 9113, once ended */
    uint32_t header_bytes;
    int64_t began_ns; /* 0: nothing has come */
    size_t body_sent;
    char *made; /* a body of its own, from a template; NULL: the request's */
    struct view body;
    struct check_stream *check;
};

struct http2 {
    nghttp2_session *session;
    struct worker *worker;
    struct conn *conn;
    bool going;              /* GOAWAY has come: no new streams */
    unsigned ended;          /* streams that have ended and are not worked out yet */
    struct stream streams[]; /* as many as the ring has places */
};

/* --- fields ------------------------------------------------------------------------------- */

/* Fields that HTTP/2 has no place for (RFC 9113, section 8.2.2) or that :authority replaces. */
static bool is_left_out(const char *name)
{
    static const char *const names[] = {
        "host", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

/* The value is checked already, as a part of the same request for HTTP/1.1. */
static void add_field(struct http2_request *r, const char *name, const char *value,
                      enum template_place place, const struct dataset *data)
{
    struct template *t = &r->values[r->fields_len];
    *t = (struct template)TEMPLATE_INIT;
    (void)template_add(t, view_z(value), place, NULL);
    (void)template_bind(t, data, NULL);
    if (template_is_constant(t))
        value = str_text(&t->text);
    r->fields[r->fields_len++] = (nghttp2_nv){
        .name = (uint8_t *)mem_strdup(name),
        .value = (uint8_t *)mem_strdup(value),
        .namelen = strlen(name),
        .valuelen = strlen(value),
        .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE,
    };
    for (uint8_t *p = r->fields[r->fields_len - 1].name; *p; p++)
        *p = (uint8_t)tolower(*p);
}

static void prepare(struct http2_request *r, const struct request_set *set,
                    const struct request *request, const struct target *target)
{
    const struct spec_endpoint *p = request->endpoint;
    AUTO(str_done) struct str length = STR_INIT(32);
    const char *authority = target->authority;
    bool has_length = false;
    r->fields = mem_zero(p->headers.len + FIELDS_OWN, sizeof *r->fields);
    r->values = mem_zero(p->headers.len + FIELDS_OWN, sizeof *r->values);
    for (size_t i = 0; i < p->headers.len; i++) {
        if (strcasecmp(p->headers.at[i].name, "host") == 0)
            authority = p->headers.at[i].value;
        has_length |= strcasecmp(p->headers.at[i].name, "content-length") == 0;
    }
    const struct dataset *data = set->data;
    add_field(r, ":method", p->method, TEMPLATE_HEADER, data);
    add_field(r, ":scheme", target->tls ? "https" : "http", TEMPLATE_HEADER, data);
    add_field(r, ":authority", authority, TEMPLATE_HEADER, data);
    add_field(r, ":path", p->path, TEMPLATE_PATH, data);
    for (size_t i = 0; i < p->headers.len; i++)
        if (!is_left_out(p->headers.at[i].name))
            add_field(r, p->headers.at[i].name, p->headers.at[i].value, TEMPLATE_HEADER, data);
    str_addf(&length, "%zu", request->body.text.len);
    if (p->body && !has_length)
        add_field(r, "content-length", str_text(&length), TEMPLATE_HEADER, data);
    r->length_last = p->body && !has_length;
}

struct http2_setup *http2_setup_new(const struct request_set *requests,
                                    const struct target *target)
{
    struct http2_setup *s = mem_zero(1, sizeof *s);
    s->len = requests->len;
    s->requests = mem_zero(s->len, sizeof *s->requests);
    for (size_t i = 0; i < s->len; i++)
        prepare(&s->requests[i], requests, &requests->at[i], target);
    return s;
}

void http2_setup_freep(struct http2_setup **s)
{
    if (!*s)
        return;
    for (size_t i = 0; i < (*s)->len; i++) {
        struct http2_request *r = &(*s)->requests[i];
        for (size_t k = 0; k < r->fields_len; k++) {
            free(r->fields[k].name);
            free(r->fields[k].value);
            template_done(&r->values[k]);
        }
        free(r->fields);
        free(r->values);
    }
    free((*s)->requests);
    mem_freep(s);
}

/* --- callbacks ---------------------------------------------------------------------------- */

static void stream_done(struct stream *s)
{
    check_abandon(&s->check);
    mem_freep(&s->made);
    s->id = 0;
}

static struct stream *stream_of(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    struct http2 *h = user;
    struct stream *s = stream_of(session, frame->hd.stream_id);
    (void)flags;
    if (!s)
        return 0;
    if (!s->began_ns)
        s->began_ns = h->worker->now_ns;
    h->conn->answer_began = true;
    s->header_bytes += (uint32_t)(name_len + value_len);
    s->too_large = s->header_bytes > HEADER_BYTES_MAX;
    if (s->too_large)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (name_len == 7 && memcmp(name, ":status", 7) == 0 && value_len == 3)
        s->status = (uint16_t)((value[0] - '0') * 100 + (value[1] - '0') * 10 + value[2] - '0');
    return 0;
}

/* Streams of a client have odd numbers: 1, 3, 5, ... */
static bool looks_into_body(const struct worker *w, const struct stream *s,
                            const struct request *r)
{
    unsigned every = w->plan->check_every;
    return r->checks_body && (every < 2 || (unsigned)s->id / 2 % every == 0);
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t len, void *user)
{
    struct http2 *h = user;
    struct stream *s = stream_of(session, id);
    (void)flags;
    if (!s)
        return 0;
    const struct request *r = &h->worker->requests->at[s->endpoint];
    if (!looks_into_body(h->worker, s, r))
        return 0;
    if (!s->check)
        s->check = check_begin(r);
    check_add(s->check, r, (struct view){(const char *)data, len});
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
    struct http2 *h = user;
    struct stream *s = stream_of(session, id);
    if (!s)
        return 0;
    s->ended = true;
    s->error = error;
    h->ended++;
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct http2 *h = user;
    (void)session;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        h->going = true;
    return 0;
}

static ssize_t give_body(nghttp2_session *session, int32_t id, uint8_t *to, size_t len,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct stream *s = source->ptr;
    size_t left = s->body.len - s->body_sent;
    size_t n = left < len ? left : len;
    (void)session;
    (void)id;
    (void)user;
    memcpy(to, s->body.at + s->body_sent, n);
    s->body_sent += n;
    if (s->body_sent == s->body.len)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

/* --- a connection ------------------------------------------------------------------------- */

static void http2_begin(struct worker *w, struct conn *c)
{
    struct http2 *h = mem_zero(1, sizeof *h + w->depth * sizeof *h->streams);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW},
    };
    nghttp2_session_callbacks *callbacks;
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        abort(); /* Only without memory, as all of the following. */
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    h->worker = w;
    h->conn = c;
    if (nghttp2_session_client_new(&h->session, callbacks, h) != 0 ||
        nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings, ARRAY_LEN(settings)) !=
            0 ||
        nghttp2_session_set_local_window_size(h->session, NGHTTP2_FLAG_NONE, 0, WINDOW) != 0)
        abort();
    nghttp2_session_callbacks_del(callbacks);
    c->speech = h;
    conn_ready(w, c);
}

static void http2_end(struct worker *w, struct conn *c)
{
    struct http2 *h = c->speech;
    if (!h)
        return;
    for (unsigned i = 0; i < w->depth; i++)
        stream_done(&h->streams[i]);
    nghttp2_session_del(h->session);
    mem_freep(&c->speech);
}

/* Writes what nghttp2 has to say; false when the connection is gone. */
static bool flush(struct worker *w, struct conn *c)
{
    AUTO(mem_freep) char *owned = NULL;
    const struct http2 *h = c->speech;
    while (!c->out_len) {
        size_t n = 0;
        const uint8_t *data;
        ssize_t len = 0;
        while (n < WORKER_SCRATCH_BYTES / 2 &&
               (len = nghttp2_session_mem_send(h->session, &data)) > 0) {
            if (n + (size_t)len > WORKER_SCRATCH_BYTES)
                abort(); /* A frame is never that long. */
            memcpy(w->scratch + n, data, (size_t)len);
            n += (size_t)len;
        }
        if (len < 0) {
            conn_fail(w, c, FAIL_WRITE, FAIL_OTHER, 0);
            return false;
        }
        if (n == 0)
            return true;
        if (!conn_write(w, c, (struct view){w->scratch, n}, &owned))
            return false;
    }
    return true;
}

static struct stream *unused_stream(struct worker *w, struct http2 *h)
{
    for (unsigned i = 0; i < w->depth; i++)
        if (!h->streams[i].id)
            return &h->streams[i];
    return NULL;
}

/* The fields of a request whose values are templates; they live until the next one is made. */
static nghttp2_nv *fill_in(struct worker *w, const struct http2_request *r,
                           const struct template_values *values, size_t body_len)
{
    struct str *text = &w->composed;
    nghttp2_nv *out = mem_dup(r->fields, r->fields_len * sizeof *out);
    str_clear(text);
    for (size_t i = 0; i < r->fields_len; i++) {
        size_t before = text->len;
        if (r->length_last && i + 1 == r->fields_len)
            str_addf(text, "%zu", body_len);
        else
            template_make(&r->values[i], values, text);
        out[i].valuelen = text->len - before;
        out[i].flags = NGHTTP2_NV_FLAG_NO_COPY_NAME;
    }
    uint8_t *at = (uint8_t *)text->at;
    for (size_t i = 0; i < r->fields_len; at += out[i++].valuelen)
        out[i].value = at;
    return out;
}

static int32_t submit_made(struct worker *w, struct http2 *h, const struct flight *f,
                           struct stream *s, const nghttp2_data_provider *body)
{
    const struct http2_request *r = &w->http2->requests[f->endpoint];
    struct template_values values = request_values(w->requests, f->number);
    AUTO(str_done) struct str made = STR_INIT(REQUEST_BYTES_MAX);
    request_make_body(w->requests, &w->requests->at[f->endpoint], f->number, &made);
    s->body.len = made.len;
    s->body.at = s->made = str_steal(&made);
    AUTO(mem_freep) nghttp2_nv *fields = fill_in(w, r, &values, s->body.len);
    return nghttp2_submit_request(h->session, NULL, fields, r->fields_len, body, s);
}

/* One more request as a stream; false when the session takes no more now. */
static bool submit(struct worker *w, struct conn *c, struct flight *f)
{
    struct http2 *h = c->speech;
    const struct http2_request *r = &w->http2->requests[f->endpoint];
    struct stream *s = unused_stream(w, h);
    uint32_t most = nghttp2_session_get_remote_settings(
        h->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    uint32_t now = (uint32_t)(c->in_flight - c->unsent);
    if (!s || h->going || now >= most)
        return false;
    *s = (struct stream){.endpoint = f->endpoint};
    nghttp2_data_provider body = {.source.ptr = s, .read_callback = give_body};
    const struct request *request = &w->requests->at[f->endpoint];
    const nghttp2_data_provider *source = request->endpoint->body ? &body : NULL;
    s->body = str_view(&request->body.text);
    int32_t id = request->made ? submit_made(w, h, f, s, source)
                               : nghttp2_submit_request(h->session, NULL, r->fields,
                                                        r->fields_len, source, s);
    if (id < 0) {
        stream_done(s);
        return false;
    }
    s->id = f->stream = id;
    return true;
}

/* Nothing is under way any more on a connection that takes nothing new: open another. */
static bool retire(struct worker *w, struct conn *c)
{
    const struct http2 *h = c->speech;
    if (!h->going || c->in_flight != c->unsent)
        return false;
    if (w->recording) {
        w->tally.closed_by_peer++;
        w->tally.retried += c->in_flight;
    }
    conn_close(w, c);
    worker_closed(w, c, false);
    return true;
}

static void http2_send(struct worker *w, struct conn *c)
{
    while (c->unsent) {
        struct flight *f = worker_flight(w, c, c->in_flight - c->unsent);
        if (!submit(w, c, f))
            break;
        worker_count_send(w, c, f, w->now_ns);
        c->unsent--;
    }
    if (!retire(w, c))
        (void)flush(w, c);
}

/* --- answers ------------------------------------------------------------------------------ */

static unsigned place_of(const struct worker *w, struct conn *c, int32_t id)
{
    unsigned k = 0;
    while (worker_flight(w, c, k)->stream != id)
        k++;
    return k;
}

static enum fail_cause check_body(struct worker *w, struct stream *s)
{
    const struct request *r = &w->requests->at[s->endpoint];
    if (!looks_into_body(w, s, r))
        return FAIL_CAUSES;
    if (s->check)
        return check_end(&s->check, r);
    return check_whole(&w->check_memos[s->endpoint], r, VIEW(""));
}

/* Works out a stream that has ended: answered, failed, or to be sent again. */
static void finish(struct worker *w, struct conn *c, struct stream *s)
{
    struct flight f = conn_take_flight(w, c, place_of(w, c, s->id));
    bool untouched = s->error == NGHTTP2_REFUSED_STREAM;
    c->served++;
    c->began_ns = s->began_ns ? s->began_ns : w->now_ns;
    if (untouched && !f.retried) {
        w->tally.retried += w->recording;
        conn_add_flight(w, c, f.due_ns, f.endpoint);
        worker_flight(w, c, c->in_flight - 1)->retried = true;
        worker_flight(w, c, c->in_flight - 1)->number = f.number;
    } else if (s->error || s->too_large) {
        worker_failed(w, &f, s->began_ns ? FAIL_BODY : FAIL_HEAD,
                      s->too_large ? FAIL_TOO_LARGE : FAIL_STREAM, 0);
    } else if (s->status < 200) {
        worker_failed(w, &f, FAIL_HEAD, FAIL_MALFORMED, 0);
    } else {
        const struct request *r = &w->requests->at[f.endpoint];
        enum fail_cause cause = check_status(r, s->status) ? FAIL_CAUSES : FAIL_STATUS;
        enum fail_cause body = check_body(w, s);
        worker_answered(w, c, &f, s->status, cause == FAIL_CAUSES ? body : cause);
    }
    stream_done(s);
}

static void finish_ended(struct worker *w, struct conn *c)
{
    struct http2 *h = c->speech;
    for (unsigned i = 0; h->ended && i < w->depth; i++) {
        struct stream *s = &h->streams[i];
        if (!s->id || !s->ended)
            continue;
        h->ended--;
        finish(w, c, s);
    }
    if (c->in_flight == c->unsent)
        c->answer_began = false;
}

static void http2_bytes(struct worker *w, struct conn *c, struct view bytes)
{
    struct http2 *h = c->speech;
    uint32_t generation = c->generation;
    ssize_t used = nghttp2_session_mem_recv(h->session, (const uint8_t *)bytes.at, bytes.len);
    bool any = h->ended > 0;
    finish_ended(w, c);
    if (used < 0 || !nghttp2_session_want_read(h->session)) {
        if (used >= 0 && retire(w, c))
            return;
        conn_fail(w, c, FAIL_HEAD, used >= 0 && h->going ? FAIL_GOAWAY : FAIL_MALFORMED, 0);
        return;
    }
    if (any && w->close_each && !c->step) {
        conn_close(w, c);
        worker_closed(w, c, false);
        return;
    }
    if (any && !h->going)
        worker_ready(w, c);
    if (c->generation == generation && c->state == CONN_OPEN)
        http2_send(w, c);
    /* nghttp2 gives a broken peer up only once it has told it so. */
    if (c->generation == generation && c->state == CONN_OPEN && !h->going &&
        !nghttp2_session_want_read(h->session))
        conn_fail(w, c, FAIL_HEAD, FAIL_MALFORMED, 0);
}

static void http2_timeout(struct worker *w, struct conn *c, int64_t sent_before_ns)
{
    struct http2 *h = c->speech;
    bool any = false;
    for (unsigned i = 0; i < w->depth; i++) {
        struct stream *s = &h->streams[i];
        if (!s->id || worker_flight(w, c, place_of(w, c, s->id))->sent_ns > sent_before_ns)
            continue;
        struct flight f = conn_take_flight(w, c, place_of(w, c, s->id));
        (void)nghttp2_session_set_stream_user_data(h->session, s->id, NULL);
        (void)nghttp2_submit_rst_stream(h->session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_CANCEL);
        stream_done(s);
        worker_failed(w, &f, s->began_ns ? FAIL_BODY : FAIL_HEAD, FAIL_TIMEOUT, 0);
        any = true;
    }
    if (!any)
        return;
    uint32_t generation = c->generation;
    if (!h->going)
        worker_ready(w, c);
    if (c->generation == generation && c->state == CONN_OPEN)
        http2_send(w, c);
}

/* Streams know their own phase; the connection as a whole waits for an answer. */
static enum fail_phase http2_phase(const struct conn *c)
{
    (void)c;
    return FAIL_HEAD;
}

const struct protocol protocol_http2 = {
    .retries = true,
    .begin = http2_begin,
    .send = http2_send,
    .bytes = http2_bytes,
    .phase = http2_phase,
    .timeout = http2_timeout,
    .end = http2_end,
};
