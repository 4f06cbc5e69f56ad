/* SPDX-License-Identifier: MIT */
/*
 * http: puts listeners, workers, routes and the page's files together.
 *
 * Many readers look at the same pages, and most looks change nothing. So each worker keeps its
 * newest answers by address together with the database's version, and gives them again as long
 * as that version stays the same. What it keeps is bounded in number and size.
 */
#include "http.h"

#include <unistd.h>

#include "api.h"
#include "asset.h"
#include "clock.h"
#include "fdio.h"
#include "hook_api.h"
#include "host.h"
#include "listen.h"
#include "mem.h"
#include "runner_api.h"

enum {
    WORKERS_DEFAULT = 2,
    CONNECTIONS_DEFAULT = 4096,
    WAITING_MAX = 2048, /* a thousand readers who all look at once are not turned away */
    HEAD_DEADLINE_S = 20,
    IDLE_DEADLINE_S = 60,
    KEPT_MAX = 16,
    KEPT_BYTES_MAX = 3 << 19, /* the overview of 200 series is smaller */
};

struct http {
    struct http_options options; /* its texts are ours */
    struct assets *assets;
    struct hooks *hooks;
    struct server *server;
    int port;
    bool loopback; /* TCP reaches this machine alone */
};

struct kept { /* an answer of this worker */
    char *address;
    struct server_file *file;
    char tag[API_TAG_ROOM];
    uint64_t version;
};

struct worker {
    const struct http *http;
    struct store *store;
    struct kept kept[KEPT_MAX];
    unsigned evict;
};

/* --- kept answers ------------------------------------------------------------------------ */

/* The address in one spelling: segments and parameters, each with its length. */
static void address_of(const struct url *u, struct str *out)
{
    for (size_t i = 0; i < u->segments_len; i++)
        str_addf(out, "/%zu:%s", u->segments[i].len, u->segments[i].at);
    for (size_t i = 0; i < u->params_len; i++)
        str_addf(out, "&%zu:%s=%zu:%s", u->params[i].name.len, u->params[i].name.at,
                 u->params[i].value.len, u->params[i].value.at);
}

static struct kept *find_kept(struct worker *w, const char *address)
{
    for (size_t i = 0; i < KEPT_MAX; i++)
        if (w->kept[i].address && strcmp(w->kept[i].address, address) == 0)
            return &w->kept[i];
    return NULL;
}

static void kept_done(struct kept *k)
{
    free(k->address);
    server_file_free(k->file);
    *k = (struct kept){0};
}

/* Keeps what was just made and leaves a share of it in the reply. */
static void keep(struct worker *w, const char *address, uint64_t version, const char *tag,
                 struct reply *r)
{
    struct kept *k = find_kept(w, address);
    if (!k)
        k = &w->kept[w->evict++ % KEPT_MAX];
    kept_done(k);
    struct server_file *file = server_file_of(r);
    if (!file)
        return;
    *k = (struct kept){.address = mem_strdup(address), .file = file, .version = version};
    memcpy(k->tag, tag, sizeof k->tag);
    r->status = 200;
    r->file = server_file_share(file);
}

/* Tells a client that it has the newest answer already. */
static bool is_unchanged(struct call *c, const char *tag)
{
    if (!api_tag_matches(server_header(c->request, "If-None-Match"), tag))
        return false;
    reply_done(c->reply);
    api_headers(c->reply);
    reply_header(c->reply, "ETag", "%s", tag);
    c->reply->status = 304;
    return true;
}

static int answer_data(struct worker *w, const struct route *route, struct call *c,
                       struct err *e)
{
    AUTO(str_done) struct str address = STR_INIT(4 * URL_BYTES_MAX);
    char tag[API_TAG_ROOM];
    uint64_t version;
    address_of(&c->request->url, &address);
    if (store_view_version(w->store, &version, e) < 0)
        return -1;
    struct kept *k = find_kept(w, str_text(&address));
    if (k && k->version == version) {
        if (is_unchanged(c, k->tag))
            return 0;
        c->reply->status = 200;
        c->reply->file = server_file_share(k->file);
        return 0;
    }
    if (route->run(c, e) < 0)
        return -1;
    if (c->reply->body.cut)
        return err_set(e, ERR_LIMIT, "the answer is too large; ask for less");
    api_tag_of(str_view(&c->reply->body), tag);
    reply_header(c->reply, "ETag", "%s", tag);
    if (c->reply->body.len <= KEPT_BYTES_MAX)
        keep(w, str_text(&address), version, tag, c->reply);
    (void)is_unchanged(c, tag);
    return 0;
}

/* --- the server's questions -------------------------------------------------------------- */

static bool is_below(const struct url *u, const char *first)
{
    return u->segments_len > 0 && view_eqz(u->segments[0], first);
}

static void refuse_method(struct reply *reply, unsigned allowed)
{
    api_error(reply, 405, "this address takes another method");
    reply_header(reply, "Allow", "%s%s%s", allowed & HTTP_GET ? "GET, HEAD" : "",
                 allowed & HTTP_POST ? "POST" : "", allowed & HTTP_PUT ? "PUT" : "");
}

static bool is_called_well(const struct http *h, const struct request *r)
{
    return r->from_unix || !h->loopback ||
           host_is_good(server_header(r, "Host"), h->options.public_url);
}

static void begin_hook(const struct http *h, const struct route *route, const struct request *r,
                       struct server_rule *rule, struct reply *reply)
{
    struct view params[ROUTE_PARAMS_MAX];
    route_params(route, &r->url, params);
    rule->body_max = route->body_max;
    hook_admit(h->hooks, params[0], r, reply);
}

static void on_head(void *self, struct request *r, struct server_rule *rule,
                    struct reply *reply)
{
    unsigned allowed;
    const struct route *route = route_find(&r->url, r->method, &allowed);
    if (!is_called_well(self, r)) {
        api_error(reply, 403, "this host name is not ours; 'public_url' names the one to use");
        return;
    }
    r->note = route;
    if (route && route->kind == ROUTE_HOOK)
        begin_hook(self, route, r, rule, reply);
    else if (route)
        *rule = (struct server_rule){.body_max = route->body_max, .check = route->body_max > 0};
    else if (allowed)
        refuse_method(reply, allowed);
    else if (is_below(&r->url, "api") || is_below(&r->url, "runner") ||
             is_below(&r->url, "hooks"))
        api_error(reply, 404, "no such address");
    else if (r->method != HTTP_GET)
        refuse_method(reply, HTTP_GET);
    else
        *rule = (struct server_rule){.at_once = true};
}

static struct call call_of(struct worker *w, const struct request *r, struct reply *reply)
{
    struct call c = {.options = &w->http->options,
                     .store = w->store,
                     .request = r,
                     .reply = reply,
                     .hooks = w->http->hooks};
    route_params(r->note, &r->url, c.params);
    return c;
}

static void on_check(void *self, void *worker, struct request *r, struct reply *reply)
{
    const struct route *route = r->note;
    struct call c = call_of(worker, r, reply);
    struct err e = {0};
    (void)self;
    if (runner_authorise(&c, route->kind, &e) < 0)
        api_error_from(reply, &e);
}

static bool is_runners(const struct route *route)
{
    return route->kind == ROUTE_RUNNER || route->kind == ROUTE_BEAT ||
           route->kind == ROUTE_RESULT;
}

static void answer_route(struct worker *w, const struct route *route, struct request *r,
                         struct reply *reply)
{
    struct call c = call_of(w, r, reply);
    struct err e = {0};
    int result = is_runners(route) ? runner_authorise(&c, route->kind, &e) : 0;
    if (result == 0 && !reply->status)
        result = route->kind == ROUTE_DATA ? answer_data(w, route, &c, &e) : route->run(&c, &e);
    if (result == 0)
        return;
    /* A row that has moved on means that this attempt's time is over. */
    if (is_runners(route) && e.kind == ERR_CONFLICT)
        api_error(reply, 410, e.text);
    else
        api_error_from(reply, &e);
}

static void on_answer(void *self, void *worker, struct request *r, struct reply *reply)
{
    const struct http *h = self;
    if (r->note)
        answer_route(worker, r->note, r, reply);
    else if (is_below(&r->url, "assets") ? !assets_answer(h->assets, r, reply)
                                         : !assets_answer_shell(h->assets, r, reply))
        api_error(reply, 404, "no such file");
}

static void on_refuse(void *self, struct reply *reply, int status, const char *why)
{
    (void)self;
    api_error(reply, status, why);
}

static void close_worker(void *self, void *worker)
{
    struct worker *w = worker;
    (void)self;
    for (size_t i = 0; i < KEPT_MAX; i++)
        kept_done(&w->kept[i]);
    store_closep(&w->store);
    free(w);
}

static int open_worker(void *self, void **out, struct err *e)
{
    const struct http *h = self;
    struct worker *w = mem_zero(1, sizeof *w);
    w->http = h;
    if (store_open(h->options.db_path, &w->store, e) < 0) {
        free(w);
        return -1;
    }
    *out = w;
    return 0;
}

/* --- start and stop ---------------------------------------------------------------------- */

static void copy_options(struct http *h, const struct http_options *o)
{
    h->options = *o;
    h->options.listen = mem_strdup(o->listen);
    h->options.socket_path = mem_strdup(o->socket_path);
    h->options.state_dir = mem_strdup(o->state_dir);
    h->options.db_path = mem_strdup(o->db_path);
    h->options.public_url = mem_strdup(o->public_url);
}

static void free_http(struct http *h)
{
    assets_free(h->assets);
    hooks_free(h->hooks);
    free((char *)h->options.listen);
    free((char *)h->options.socket_path);
    free((char *)h->options.state_dir);
    free((char *)h->options.db_path);
    free((char *)h->options.public_url);
    free(h);
}

static int open_listeners(struct http *h, int fds[2], struct err *e)
{
    if (!h->options.listen && !h->options.socket_path)
        return err_set(e, ERR_INPUT, "http needs an address or a socket to listen on");
    if (h->options.listen && listen_tcp(h->options.listen, &fds[0], &h->port, e) < 0)
        return -1;
    if (h->options.socket_path && listen_unix(h->options.socket_path, &fds[1], e) < 0) {
        fdio_closep(&fds[0]);
        return -1;
    }
    return 0;
}

int http_start(const struct http_options *options, struct http **out, struct err *e)
{
    struct http *h = mem_zero(1, sizeof *h);
    copy_options(h, options);
    struct server_options server = {
        .listen_fds = {-1, -1},
        .workers = options->workers ? options->workers : WORKERS_DEFAULT,
        .waiting_max = WAITING_MAX,
        .connections_max =
            options->connections_max ? options->connections_max : CONNECTIONS_DEFAULT,
        .head_deadline_ns = HEAD_DEADLINE_S * CLOCK_NS_PER_S,
        .idle_deadline_ns = IDLE_DEADLINE_S * CLOCK_NS_PER_S,
        .app = {h, on_head, on_check, on_answer, on_refuse, open_worker, close_worker},
    };
    h->loopback = options->listen && host_is_loopback(options->listen);
    h->assets = assets_new();
    h->hooks = hooks_new(options->hooks, options->hooks_len);
    if (open_listeners(h, server.listen_fds, e) < 0 ||
        server_start(&server, &h->server, e) < 0) {
        free_http(h);
        return err_ctx(e, "http");
    }
    *out = h;
    return 0;
}

int http_port(const struct http *h)
{
    return h->port;
}

void http_stop(struct http *h, int64_t deadline_ns)
{
    if (!h)
        return;
    server_stop(h->server, deadline_ns);
    if (h->options.socket_path)
        (void)unlink(h->options.socket_path);
    free_http(h);
}
