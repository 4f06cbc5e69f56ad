/* SPDX-License-Identifier: MIT */
/*
 * forge_webhook: a signed notice to anything that takes JSON, in the form of Standard Webhooks.
 *
 *     POST <url>
 *     content-type: application/json
 *     webhook-id: msg_...                    the same for every try: the key against doubles
 *     webhook-timestamp: 1764000000          seconds; receivers refuse old ones
 *     webhook-signature: v1,<base64 of HMAC-SHA256(secret, "id.timestamp.body")>
 *
 * The secret is the content of a file that nobody but its owner may read, without line end:
 * either any text, or "whsec_" and the base64 of the key.
 */
#ifndef FORGE_FORGE_WEBHOOK_H
#define FORGE_FORGE_WEBHOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"

enum { WEBHOOK_SECRET_MAX = 4096 };

struct forge_webhook { /* borrowed texts */
    const char *url;
    const char *secret_file; /* NULL: unsigned */
    bool allow_private;
    bool allow_http;
    const char *ca_file;       /* NULL: the system's authorities */
    const atomic_bool *cancel; /* see client.h */
};

/* Sends one notice. Any answer is 0: look at its status. */
int forge_webhook_send(const struct forge_webhook *hook, const char *message_id,
                       struct view body, int64_t deadline_ns, struct client_answer *out,
                       struct err *e);

/* Appends the text of a secret's file as it is, but for the blanks around it. Others may read
 * the file, or it is empty: ERR_INPUT. */
int forge_secret_read_text(const char *path, struct str *text, struct err *e);

/* The same, and appends the key that the text stands for. */
int forge_secret_read(const char *path, struct str *key, struct err *e);

/* HMAC-SHA256 in hexadecimal. */
void forge_mac_hex(struct view key, struct view text, struct str *out);

/* "v1,<base64>" over "id.timestamp.body". */
void forge_webhook_sign(struct view key, const char *message_id, int64_t timestamp,
                        struct view body, struct str *out);

#endif
