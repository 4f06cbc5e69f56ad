/* SPDX-License-Identifier: MIT */
/*
 * ask: one plain HTTP/1.1 request to the service under test, for readiness and equivalence.
 *
 * Not for load: each request has its own connection, and the whole body is kept. The answer
 * comes from foreign code, so head, body and time have ceilings.
 */
#ifndef JOB_ASK_H
#define JOB_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "errors.h"
#include "spec.h"
#include "str.h"

enum { ASK_HEAD_MAX = 64 << 10, ASK_BODY_MAX = 16 << 20, ASK_TYPE_MAX = 128 };

enum ask_framing { ASK_CLOSE, ASK_LENGTH, ASK_CHUNKED }; /* how the body's end is told */

struct ask_request {
    const char *method, *path;
    const struct spec_pairs *headers; /* NULL: none */
    struct view body;                 /* .at NULL: none */
};

struct ask_answer {
    int status;
    enum ask_framing framing;
    char type[ASK_TYPE_MAX]; /* content type, printable; "" when there was none */
    struct str body;         /* the caller frees it with ask_answer_done */
};

void ask_answer_done(struct ask_answer *a);

/* Connects 'fd', a fresh socket from netns_socket, to the port on loopback. ERR_AWAY: nobody
 * listens yet, and the socket may be tried again. */
int ask_connect(int fd, int port, int64_t deadline_ns, struct err *e);

/* On a connected socket. */
int ask_http(int fd, const struct ask_request *request, int64_t deadline_ns,
             struct ask_answer *out, struct err *e);

/* The parser alone: 1 complete, 0 more is needed ('at_end': nothing more comes), -1 not HTTP.
 */
int ask_parse(struct view bytes, bool at_end, bool is_head, struct ask_answer *out,
              struct err *e);

#endif
