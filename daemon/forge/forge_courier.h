/* SPDX-License-Identifier: MIT */
/*
 * forge_courier: carries a text to people who do not look at the forge: a signed webhook, a
 * Slack or Mattermost channel, a Matrix room, a mailbox.
 *
 *     kind      body                              secret_file
 *     webhook   JSON                              the key of the signature
 *     slack     plain text; also Mattermost       the address, which is the secret there
 *     matrix    plain text                        an access token
 *     mail      subject, line end, plain text     the password of 'user'
 *
 * 'message_id' is the same for every try. Matrix and receivers of webhooks know a second
 * delivery by it and mail carries it as Message-ID; Slack has no such thing, so that a lost
 * answer there may show a message twice.
 */
#ifndef FORGE_FORGE_COURIER_H
#define FORGE_FORGE_COURIER_H

#include "client.h"

enum courier_kind {
    COURIER_WEBHOOK,
    COURIER_SLACK,
    COURIER_MATRIX,
    COURIER_MAIL,
    COURIER_KIND_COUNT,
};
extern const char *const courier_kind_names[COURIER_KIND_COUNT];

struct courier { /* borrowed texts */
    enum courier_kind kind;
    const char *url; /* webhook; homeserver; smtp:// or smtps:// with host and port */
    const char *secret_file;
    const char *room;        /* matrix: "!id:server" */
    const char *from, *user; /* mail; user NULL: the server asks for none */
    char *const *to;
    size_t to_len;
    bool allow_private;  /* the address may be private or loopback */
    bool allow_plain;    /* http, or mail without TLS */
    const char *ca_file; /* NULL: the system's authorities */
    const atomic_bool *cancel;
};

/* Any answer is 0: look at its status. A mail that was taken has the status 250. */
int courier_send(const struct courier *c, const char *message_id, struct view body,
                 int64_t deadline_ns, struct client_answer *out, struct err *e);

#endif
