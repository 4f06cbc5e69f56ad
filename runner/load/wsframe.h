/* SPDX-License-Identifier: MIT */
/*
 * wsframe: WebSocket frames (RFC 6455, section 5), read from a server and written to it.
 *
 * Reading is strict: masked frames, reserved bits and opcodes, lengths that are not written in
 * the shortest way, control frames that are long or in pieces, and fragments out of order are
 * WSFRAME_BAD. Payloads are handed on in the pieces in which they arrive; only a control frame,
 * which has 125 bytes at most, is kept until it is complete.
 *
 *     wsframe_begin(&p);
 *     while (in.len) {
 *         size_t used;
 *         struct view piece;
 *         enum wsframe_step step = wsframe_step(&p, in, &used, &piece);
 *         in = view_skip(in, used);
 *         ...
 *     }
 *
 * Unlike http1_step, this takes all bytes that it is shown; nothing has to be presented again.
 */
#ifndef LOAD_WSFRAME_H
#define LOAD_WSFRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "str.h"

enum {
    WSFRAME_MESSAGE_MAX = 64 << 20, /* of all fragments together */
    WSFRAME_CONTROL_MAX = 125,
    WSFRAME_HEAD_MAX = 14, /* of a frame that we write: with its mask */
};

enum wsframe_opcode {
    WSFRAME_CONTINUATION = 0,
    WSFRAME_TEXT = 1,
    WSFRAME_BINARY = 2,
    WSFRAME_OPCODE_CLOSE = 8,
    WSFRAME_OPCODE_PING = 9,
    WSFRAME_OPCODE_PONG = 10,
};

enum wsframe_step {
    WSFRAME_MORE,      /* all bytes are used */
    WSFRAME_PIECE,     /* '*piece' is a part of the message */
    WSFRAME_DONE,      /* the message is complete; '*piece' may be its last part */
    WSFRAME_PING,      /* '*piece' is what the pong must say */
    WSFRAME_PONG,      /* nobody asked, which is allowed */
    WSFRAME_CLOSE,     /* '*piece' holds code and reason, or nothing */
    WSFRAME_BAD,       /* against the protocol */
    WSFRAME_TOO_LARGE, /* a message above the ceiling */
};

struct wsframe {
    uint64_t left;    /* of this frame's payload */
    uint64_t message; /* bytes of the message so far, this frame included */
    uint8_t head[10];
    uint8_t head_len;
    uint8_t kind;   /* opcode of the message: text or binary */
    uint8_t opcode; /* of this frame */
    uint8_t control_len;
    bool in_payload;
    bool last;       /* fragment of its message */
    bool in_message; /* a first fragment has come, the last has not */
    uint8_t control[WSFRAME_CONTROL_MAX];
};

/* Does a frame that begins with this byte carry a message, not a control frame? */
static inline bool wsframe_is_data(char first)
{
    return !(first & WSFRAME_OPCODE_CLOSE);
}

void wsframe_begin(struct wsframe *p);
enum wsframe_step wsframe_step(struct wsframe *p, struct view in, size_t *used,
                               struct view *piece);

/* Writes one whole frame with its text masked (section 5.3) to 'to', which has room for
 * WSFRAME_HEAD_MAX + text.len bytes; returns the length. */
size_t wsframe_write(char *to, enum wsframe_opcode opcode, struct view text, uint32_t mask);

#endif
