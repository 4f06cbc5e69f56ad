/* SPDX-License-Identifier: MIT */
/*
 * exchange: one request on its way through head, check, body, answer and reply.
 *
 * The library cuts the connection when an answer is queued while a body is still arriving, and
 * the client never sees the status. So a refusal either goes out before any of the body was
 * taken (announced lengths above the ceiling), or the rest of the body is read and dropped
 * first.
 */
#include <inttypes.h>
#include <sys/socket.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "server_own.h"

enum {
    DROP_MAX = 1 << 20,              /* of a body nobody wants */
    SLOWEST_RECEIVE_BPS = 512 << 10, /* what a body's deadline allows for */
    SLOWEST_SEND_BPS = 64 << 10,
    SEND_DEADLINE_S = 30,
};

static void set_deadline(struct exchange *x, int64_t due_ns)
{
    if (x->conn)
        atomic_store(&x->conn->deadline_ns, due_ns);
}

static void set_receive_deadline(struct exchange *x)
{
    int64_t body = x->body_announced > 0 ? x->body_announced : x->rule.body_max;
    set_deadline(x, clock_now_ns() + x->server->o.head_deadline_ns +
                        body / SLOWEST_RECEIVE_BPS * CLOCK_NS_PER_S);
}

static bool came_over_unix(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info && info->client_addr && info->client_addr->sa_family == AF_UNIX;
}

struct exchange *exchange_new(struct server *s, struct MHD_Connection *c, const char *target)
{
    struct exchange *x = mem_zero(1, sizeof *x);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    x->server = s;
    x->connection = c;
    x->request.from_unix = came_over_unix(c);
    x->conn = info ? info->socket_context : NULL;
    x->target = mem_strndup(target, strnlen(target, URL_BYTES_MAX + 1));
    reply_init(&x->reply);
    set_deadline(x, clock_now_ns() + s->o.head_deadline_ns);
    pthread_mutex_lock(&s->lock);
    s->active++;
    pthread_mutex_unlock(&s->lock);
    return x;
}

static void free_body(struct exchange *x)
{
    str_done(&x->body);
    atomic_fetch_sub(&x->server->bodies, x->budget);
    x->budget = 0;
}

void exchange_free(struct exchange *x)
{
    struct server *s = x->server;
    set_deadline(x, clock_now_ns() + s->o.idle_deadline_ns);
    free_body(x);
    reply_done(&x->reply);
    free(x->target);
    free(x);
    pthread_mutex_lock(&s->lock);
    s->active--;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void refuse(struct exchange *x, int status, const char *why)
{
    free_body(x);
    reply_done(&x->reply);
    x->server->o.app.refuse(x->server->o.app.self, &x->reply, status, why);
}

/* --- reply ------------------------------------------------------------------------------- */

static enum MHD_Result send_reply(struct exchange *x)
{
    int64_t bytes = 0;
    int status = x->reply.status;
    enum MHD_Result queued = MHD_NO;
    if (x->reply.body.cut)
        refuse(x, status = 500, "the answer is too large");
    if (x->reply.file) {
        struct MHD_Response *shared = server_file_response(x->reply.file, &status, &bytes);
        queued = MHD_queue_response(x->connection, (unsigned)status, shared);
    } else {
        struct MHD_Response *own = reply_take(&x->reply, &bytes);
        if (!own)
            return MHD_NO;
        if (atomic_load(&x->server->draining))
            (void)MHD_add_response_header(own, MHD_HTTP_HEADER_CONNECTION, "close");
        queued = MHD_queue_response(x->connection, (unsigned)status, own);
        MHD_destroy_response(own);
    }
    log_debug("request", "status=%d bytes=%" PRId64 " target=%s", status, bytes, x->target);
    set_deadline(x, clock_now_ns() + SEND_DEADLINE_S * CLOCK_NS_PER_S +
                        bytes / SLOWEST_SEND_BPS * CLOCK_NS_PER_S);
    return queued;
}

/* --- work -------------------------------------------------------------------------------- */

void exchange_work(struct exchange *x, void *worker)
{
    const struct server_app *app = &x->server->o.app;
    if (!worker)
        refuse(x, 503, "the service is stopping");
    else if (x->checking)
        app->check(app->self, worker, &x->request, &x->reply);
    else
        app->answer(app->self, worker, &x->request, &x->reply);
    if (x->checking)
        set_receive_deadline(x);
    else if (!x->reply.status)
        refuse(x, 500, "no answer was made");
    MHD_resume_connection(x->connection);
}

/* True: the exchange is the worker's now and must not be looked at. False: it is refused. */
static bool hand_over(struct exchange *x)
{
    if (!pool_reserve(x->server->pool)) {
        refuse(x, 503, "too many requests are waiting");
        return false;
    }
    set_deadline(x, CLOCK_NEVER);
    MHD_suspend_connection(x->connection);
    pool_push(x->server->pool, x);
    return true;
}

/* --- head -------------------------------------------------------------------------------- */

static enum http_method method_of(const char *name)
{
    static const struct {
        const char *name;
        enum http_method method;
    } known[] = {{"GET", HTTP_GET}, {"HEAD", HTTP_GET}, {"POST", HTTP_POST}, {"PUT", HTTP_PUT}};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].method;
    return HTTP_OTHER;
}

static void judge_head(struct exchange *x, const char *method, const char *version)
{
    const struct server_app *app = &x->server->o.app;
    const char *why;
    x->request.method = method_of(method);
    if (!head_acceptable(x, version, &why)) {
        refuse(x, 400, why);
        x->broken = true;
        return;
    }
    if (atomic_load(&x->server->draining)) {
        refuse(x, 503, "the service is stopping");
        return;
    }
    app->head(app->self, &x->request, &x->rule, &x->reply);
    if (x->reply.status)
        return;
    if (x->body_announced > x->rule.body_max || (x->chunked && x->rule.body_max == 0))
        refuse(x, 413, "the body is too large");
    x->body = (struct str)STR_INIT((size_t)x->rule.body_max);
}

static bool expects_body(const struct exchange *x)
{
    return x->chunked || x->body_announced > 0;
}

/* How much of a body is read although it is not wanted: what would have been read otherwise, so
 * that a client that was refused by 'check' hears of it. */
static int64_t drop_max(const struct exchange *x)
{
    return x->rule.body_max > DROP_MAX ? x->rule.body_max : DROP_MAX;
}

/* Says how it goes on behind the head. Answering here makes the library close the connection,
 * so it is done only when nobody can tell where the body ends, or when it is large and not
 * wanted. All else is answered in a later call, when the body, if any, is over. */
static enum MHD_Result pass_head(struct exchange *x)
{
    if (!x->broken && (!x->reply.status || x->body_announced <= drop_max(x)))
        return MHD_YES;
    reply_header(&x->reply, MHD_HTTP_HEADER_CONNECTION, "close");
    return send_reply(x);
}

static enum MHD_Result begin(struct exchange *x, const char *method, const char *version)
{
    x->head_seen = true;
    judge_head(x, method, version);
    set_receive_deadline(x);
    if (!x->reply.status && x->rule.check && expects_body(x)) {
        x->checking = true;
        if (hand_over(x))
            return MHD_YES;
        x->checking = false;
    }
    return pass_head(x);
}

/* --- body -------------------------------------------------------------------------------- */

static enum MHD_Result take_body(struct exchange *x, const char *bytes, size_t len)
{
    if (!x->reply.status) {
        x->budget += (int64_t)len;
        int64_t all = atomic_fetch_add(&x->server->bodies, (int64_t)len) + (int64_t)len;
        if ((int64_t)(x->body.len + len) > x->rule.body_max)
            refuse(x, 413, "the body is too large");
        else if (all > SERVER_BODIES_MAX)
            refuse(x, 503, "too many bodies at one time");
        else
            str_add(&x->body, (struct view){bytes, len});
        return MHD_YES;
    }
    x->body_dropped += (int64_t)len;
    return x->body_dropped > drop_max(x) ? MHD_NO : MHD_YES;
}

enum MHD_Result exchange_step(struct exchange *x, const char *method, const char *version,
                              const char *upload, size_t *upload_size)
{
    if (!x->head_seen)
        return begin(x, method, version);
    if (x->checking) { /* The library makes the first call again after it was suspended in it.
                        */
        x->checking = false;
        return pass_head(x);
    }
    if (*upload_size) {
        size_t len = *upload_size;
        *upload_size = 0;
        return take_body(x, upload, len);
    }
    if (!x->reply.status && x->rule.at_once) {
        x->server->o.app.answer(x->server->o.app.self, NULL, &x->request, &x->reply);
    } else if (!x->reply.status && !x->submitted) {
        x->submitted = true;
        x->request.body = str_view(&x->body);
        if (hand_over(x))
            return MHD_YES;
    }
    return send_reply(x);
}
