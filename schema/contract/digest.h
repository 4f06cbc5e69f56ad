/* SPDX-License-Identifier: MIT */
/*
 * digest: SHA-256 for naming content (artefacts, specs, workloads) and for storing tokens.
 *
 * Several fields are hashed with digest_field, which mixes in each length, so that ("ab", "c")
 * and
 * ("a", "bc") have different names.
 */
#ifndef CONTRACT_DIGEST_H
#define CONTRACT_DIGEST_H

#include <stddef.h>

#include "str.h"

enum { DIGEST_BYTES = 32, DIGEST_HEX = 64, DIGEST_SHA1_BYTES = 20 };

struct digest; /* a running hash */

struct digest *digest_new(void);
void digest_freep(struct digest **d);
void digest_add(struct digest *d, struct view bytes);
void digest_field(struct digest *d, struct view bytes);
void digest_end(struct digest *d, unsigned char out[DIGEST_BYTES]);

void digest_of(struct view bytes, unsigned char out[DIGEST_BYTES]);
/* For the handshake of WebSocket, which asks for it (RFC 6455); names nothing of ours. */
void digest_sha1(struct view bytes, unsigned char out[DIGEST_SHA1_BYTES]);
void digest_hex(const unsigned char digest[DIGEST_BYTES], char out[DIGEST_HEX + 1]);
bool digest_equal(const unsigned char a[DIGEST_BYTES],
                  const unsigned char b[DIGEST_BYTES]); /* in constant time */

/* Standard base64 with padding (RFC 4648), for bytes inside JSON. */
void digest_base64(struct view bytes, struct str *out);
int digest_unbase64(struct view text, struct str *out); /* 0, or -1 when it is not base64 */

#endif
