/* SPDX-License-Identifier: MIT */
/*
 * wsopen: the opening handshake of WebSocket (RFC 6455, section 4).
 *
 * The client sends a key, and only a server that speaks the protocol can answer with what
 * belongs to it: so an answer from a cache or from a server that echoes everything is not taken
 * for an agreement. Extensions and subprotocols are not offered, so none may be chosen.
 */
#ifndef LOAD_WSOPEN_H
#define LOAD_WSOPEN_H

#include <stdint.h>

#include "failure.h"
#include "str.h"

enum {
    WSOPEN_KEY_BYTES = 16,
    WSOPEN_KEY_LEN = 24,    /* the same in base64 */
    WSOPEN_ACCEPT_LEN = 28, /* SHA-1 in base64 */
    WSOPEN_HEAD_MAX = 32 << 10,
};

/* What a server must answer to this key. */
void wsopen_accept(const char key[WSOPEN_KEY_LEN], char out[WSOPEN_ACCEPT_LEN + 1]);

/* Reads the answer in 'in': its length when the server agrees, 0 when it is not complete yet,
 * -1 when it is something else; '*why' says what then. */
long wsopen_read(struct view in, const char key[WSOPEN_KEY_LEN], enum fail_cause *why);

#endif
