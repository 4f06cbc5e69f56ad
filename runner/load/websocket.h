/* SPDX-License-Identifier: MIT */
/*
 * websocket: messages that a server echoes, on a connection opened by RFC 6455's handshake.
 *
 * The body of an endpoint is a message: text when it is UTF-8, binary when not. The answer to
 * it is the next message that comes back, in one frame or in fragments, and must be the same.
 * Pings are answered, and a close is answered and counted. All endpoints of a run share one
 * path, as that belongs to the connection. What happens on a connection is behind protocol.h.
 */
#ifndef LOAD_WEBSOCKET_H
#define LOAD_WEBSOCKET_H

#include "errors.h"
#include "request.h"
#include "target.h"

struct websocket_setup; /* the opening request up to its key, of one loop */

struct websocket_setup *websocket_setup_new(const struct request_set *requests,
                                            const struct target *target, uint64_t seed,
                                            struct err *e); /* NULL: failed */
void websocket_setup_freep(struct websocket_setup **s);

#endif
