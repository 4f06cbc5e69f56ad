/* SPDX-License-Identifier: MIT */
/*
 * http2: a connection's requests as HTTP/2 streams, by nghttp2.
 *
 * Every flight in the ring is a stream, and answers may come in any order. With TLS the
 * protocol is agreed by ALPN, without it the server must expect HTTP/2 from the first byte.
 * Streams that a server refuses or leaves behind with GOAWAY have not been processed (RFC 9113,
 * section 8.7) and are sent again, once. What it does on a connection is behind protocol.h.
 */
#ifndef LOAD_HTTP2_H
#define LOAD_HTTP2_H

#include "request.h"
#include "target.h"

struct http2_setup; /* header fields of all requests, of one loop */

struct http2_setup *http2_setup_new(const struct request_set *requests,
                                    const struct target *target);
void http2_setup_freep(struct http2_setup **s);

#endif
