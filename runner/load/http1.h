/* SPDX-License-Identifier: MIT */
/*
 * http1: reads HTTP/1.0 and 1.1 responses out of whatever bytes a server sends.
 *
 * Strict where leniency would let a wrong answer pass for a right one (RFC 9112): contradicting
 * lengths, both length and transfer coding, folded lines, control bytes and garbage are
 * HTTP1_BAD. A bare LF ends a line, as section 2.2 allows. Bodies are framed and counted, not
 * kept.
 *
 * The caller feeds bytes and takes steps:
 *
 *     http1_begin(&p, is_head_request);
 *     for (;;) {
 *         size_t used;
 *         struct view body;
 *         enum http1_step step = http1_step(&p, memo, in, &used, &body);
 *         in = view_skip(in, used);
 *         ...
 *     }
 *
 * HTTP1_MORE with bytes left over means that a header is incomplete: the caller keeps these
 * bytes and presents them again, followed by more. All other state is in the struct.
 */
#ifndef LOAD_HTTP1_H
#define LOAD_HTTP1_H

#include <stdbool.h>
#include <stdint.h>

#include "str.h"

enum {
    HTTP1_HEAD_MAX = 32 << 10,    /* status line and header fields of one response */
    HTTP1_TRAILER_MAX = 16 << 10, /* also of all chunk extensions of one response */
    HTTP1_INTERIM_MAX = 16,       /* 1xx responses before the real one */
    HTTP1_MEMO_MAX = 512,
};

enum http1_step {
    HTTP1_MORE,      /* all that can be used is used */
    HTTP1_BODY,      /* '*body' is a piece of the body; call again */
    HTTP1_DONE,      /* the response is complete; '*body' may hold its last piece */
    HTTP1_BAD,       /* malformed */
    HTTP1_TOO_LARGE, /* a header or trailer above the ceiling */
};

struct http1 {
    uint64_t left;   /* of the body or of the chunk */
    uint32_t spent;  /* bytes of trailers and chunk extensions so far */
    uint16_t status; /* once the header is read */
    uint8_t state;
    uint8_t interim;
    bool head_request; /* its response has no body whatever it says */
    bool keep;         /* the connection may carry another request */
    bool digits;       /* of a chunk size have been seen; in trailers: the line is not empty */
    bool return_seen;  /* the byte before was CR */
};

/* The last complete header and what it meant. Servers repeat themselves: with a Date that
 * changes once per second, nearly every header is byte for byte the one before, and comparing
 * is several times cheaper than parsing. Equality is exact, so the answer is the parser's own.
 */
struct http1_memo {
    size_t len;
    struct http1 after;
    char bytes[HTTP1_MEMO_MAX];
};

void http1_begin(struct http1 *p, bool head_request);
enum http1_step http1_step(struct http1 *p, struct http1_memo *memo, struct view in,
                           size_t *used, struct view *body);

/* How long the complete response is that 'in' begins with, or 0 when only http1_step can tell:
 * its header is not the remembered one, it is not all there, or the connection ends with it.
 * Says nothing that http1_step would not say, and 'p' has yet to begin. */
size_t http1_known(const struct http1 *p, const struct http1_memo *memo, struct view in);

/* The peer closed: HTTP1_DONE when that is how this body ends, else HTTP1_BAD. */
enum http1_step http1_end(const struct http1 *p);

/* True while no byte of the body has been due yet. */
bool http1_in_head(const struct http1 *p);

#endif
