/* SPDX-License-Identifier: MIT */
/*
 * protocol: what is spoken on a connection; HTTP/1.1, HTTP/2 and WebSocket look alike from
 * here.
 *
 * conn.c opens and closes connections and moves bytes. Everything that gives these bytes a
 * meaning is behind this table. A protocol that keeps something per connection hangs it on
 * 'speech' and takes it down in 'end'.
 */
#ifndef LOAD_PROTOCOL_H
#define LOAD_PROTOCOL_H

#include <stdbool.h>
#include <stdint.h>

#include "failure.h"
#include "str.h"

struct conn;
struct worker;

struct protocol {
    bool retries; /* a request that met the close of a kept connection may be sent again */

    /* The bytes of all unsent requests, for the attempt to send while connecting. NULL: nothing
     * can be sent that early. */
    struct view (*early)(struct worker *w, struct conn *c);
    /* The connection is there (and TLS is). Calls conn_ready at once, or when both sides have
     * agreed. NULL: at once. */
    void (*begin)(struct worker *w, struct conn *c);
    void (*expect)(struct worker *w, struct conn *c); /* an answer comes next; NULL: nothing */
    void (*send)(struct worker *w, struct conn *c);   /* all requests not sent yet */
    void (*bytes)(struct worker *w, struct conn *c, struct view bytes);
    /* The stream is over: true when that completed an answer. NULL: it never does. */
    bool (*ended)(struct worker *w, struct conn *c);
    enum fail_phase (*phase)(const struct conn *c); /* of the answer that is under way */
    /* Fails requests that were sent before this moment. NULL: the connection is given up. */
    void (*timeout)(struct worker *w, struct conn *c, int64_t sent_before_ns);
    void (*end)(struct worker *w, struct conn *c); /* the connection closes; NULL: nothing */
};

extern const struct protocol protocol_http1;
extern const struct protocol protocol_http2;
extern const struct protocol protocol_websocket;

#endif
