/* SPDX-License-Identifier: MIT */
/*
 * server: HTTP/1.1 over libmicrohttpd, narrowed to what we need and hardened where it is
 * lenient.
 *
 * The application decides three times about a request:
 *
 *     head     on an event thread, from method, address and headers alone: how large a body may
 *              be, who answers, or that the request is refused already. Must not wait.
 *     check    on a worker, before a body is read; only when 'head' asked for it. For tokens.
 *     answer   on a worker, or on the event thread when 'head' said so; fills in the reply.
 *
 * A reply with a status is final, whichever of them set it. Waiting requests are bounded;
 * beyond the bound the answer is 503 with Retry-After. Header and body together, and the
 * sending of an answer, have deadlines of their own, because the library's timeout only sees
 * inactivity.
 *
 * Nothing of libmicrohttpd is visible here, so another server can take its place.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "errors.h"
#include "str.h"
#include "url.h"

enum {
    SERVER_ANSWER_MAX = 64 << 20,  /* bytes of an answer made in memory */
    SERVER_BODIES_MAX = 192 << 20, /* bytes of all request bodies at one time */
    SERVER_HEADERS_MAX = 12,       /* a reply's own */
};

enum http_method {
    HTTP_GET = 1,
    HTTP_POST = 2,
    HTTP_PUT = 4,
    HTTP_OTHER = 8
}; /* HEAD is GET */

struct request {
    enum http_method method;
    struct url url;
    struct view body;
    bool from_unix;   /* it came over a Unix socket */
    const void *note; /* the application's; 'head' sets it */
};

/* The first header of that name, empty when there is none. Valid until the reply is sent. */
struct view server_header(const struct request *r, const char *name);

struct server_header {
    const char *name; /* a literal */
    char *value;      /* owned */
};

struct server_file; /* an answer made once and given many times; counted */

struct reply {
    int status;       /* 0: none yet */
    const char *type; /* a literal; NULL: there is no body */
    struct str body;  /* or: */
    int fd;           /* a file, closed when sent; -1: none, or: */
    int64_t fd_bytes;
    struct server_file *file; /* an answer that is shared; ours to free */
    struct server_header headers[SERVER_HEADERS_MAX];
    size_t headers_len;
};

void reply_init(struct reply *r);
void reply_done(struct reply *r);
void reply_header(struct reply *r, const char *name, const char *fmt, ...) PRINTF(3, 4);

/* 'bytes' must outlive the file. */
struct server_file *server_file_new(int status, struct view bytes,
                                    const struct server_header *headers, size_t n);
/* Makes a file of a finished reply, which is empty then. */
struct server_file *server_file_of(struct reply *r);
struct server_file *server_file_share(struct server_file *f); /* one more to free */
void server_file_free(struct server_file *f); /* the last one frees; accepts NULL */

struct server_rule {
    int64_t body_max; /* 0: no body is allowed */
    bool at_once;     /* 'answer' on the event thread; only without a body */
    bool check;       /* 'check' before a body is read */
};

struct server_app {
    void *self;
    void (*head)(void *self, struct request *r, struct server_rule *rule, struct reply *reply);
    void (*check)(void *self, void *worker, struct request *r, struct reply *reply);
    void (*answer)(void *self, void *worker, struct request *r, struct reply *reply);
    /* Fills in a refusal of the server's own: status and 'why' are given. */
    void (*refuse)(void *self, struct reply *reply, int status, const char *why);
    int (*worker_open)(void *self, void **out, struct err *e); /* in the worker's thread */
    void (*worker_close)(void *self, void *worker);
};

struct server_options {
    int listen_fds[2]; /* bound and listening; -1: unused. Taken over, also on failure */
    int workers;
    int waiting_max; /* requests that wait for a worker */
    int connections_max;
    int64_t head_deadline_ns; /* for the rest of header and body after the request line */
    int64_t idle_deadline_ns; /* until the next request line */
    struct server_app app;
};

struct server;
int server_start(const struct server_options *options, struct server **out, struct err *e);
void server_stop(struct server *s, int64_t deadline_ns);

#endif
