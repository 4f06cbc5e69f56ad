/* SPDX-License-Identifier: MIT */
/*
 * http: the daemon's face: dashboard, JSON API and the runner's interface, as schema/api.md
 * says.
 *
 * Listens on a TCP address and on a Unix socket at the same time, one event thread each.
 * Whatever touches the database is answered by a small pool of workers, each with its own
 * connection; the event threads only read requests, send answers and hand out the page's files.
 *
 *     struct http *http = NULL;
 *     if (http_start(&(struct http_options){.listen = "127.0.0.1:8080",
 *                                           .socket_path =
 * "/var/lib/pacewatch/pacewatchd.sock", .state_dir = "/var/lib/pacewatch", .db_path =
 * "/var/lib/pacewatch/pacewatch.db", .judge = &bells.judge, .dispatch = &bells.dispatch},
 * &http, e) < 0) return -1;
 *     ...
 *     http_stop(http, clock_now_ns() + 5 * CLOCK_NS_PER_S);
 *
 * The texts are copied; the bells are borrowed until http_stop has returned.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdint.h>

#include "bell.h"
#include "errors.h"
#include "forge_hook.h"

struct http;

struct http_hook { /* a repository that takes webhooks; borrowed until http_stop has returned */
    const char *repo;
    struct forge_hook forge;
};

struct http_options {
    const char *listen; /* "HOST:PORT", "[::1]:PORT", ":PORT"; port 0: any free one; NULL: no
                           TCP */
    const char *socket_path;     /* NULL: no Unix socket. One of the two must be given */
    const char *state_dir;       /* <state>/jobs/<id>/{job.json,base.tar,head.tar} is served */
    const char *db_path;         /* opened once per worker */
    const char *public_url;      /* for links in reports; NULL: they stay relative */
    const struct bell *judge;    /* rung when a result was accepted; may be NULL */
    const struct bell *dispatch; /* rung when a runner became free; may be NULL */
    const struct bell *watch;    /* rung when a webhook asked for a look; may be NULL */
    const struct bell *commands; /* rung when a comment may be a command; may be NULL */
    const struct http_hook *hooks;
    size_t hooks_len;
    int workers;         /* 0: 2 */
    int connections_max; /* per listener; 0: 4096 */
};

/* Returns when both sockets listen and every worker has opened the database. */
int http_start(const struct http_options *options, struct http **out, struct err *e);

/* The TCP port in use; 0 without TCP. */
int http_port(const struct http *h);

/* Stops accepting, answers what is queued with 503, lets answers under way finish until the
 * deadline, then closes everything and frees. Accepts NULL. */
void http_stop(struct http *h, int64_t deadline_ns);

#endif
