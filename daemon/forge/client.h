/* SPDX-License-Identifier: MIT */
/*
 * client: one HTTP request to somebody else's server, within bounds.
 *
 * Redirects are not followed, only http and https are spoken, the answer has a ceiling and the
 * whole exchange a deadline. Unless allowed, nothing is sent to private addresses: what is
 * looked at is the address that the name resolved to, so a name cannot point inside afterwards.
 * An environment proxy is not used. A status of 400 or above is an answer, not an error.
 *
 *     AUTO(client_answer_done) struct client_answer answer = CLIENT_ANSWER_INIT;
 *     struct client_request request = {.method = "POST", .url = url, .headers = headers,
 *                                      .body = body, .deadline_ns = clock_now_ns() + 10 * S};
 *     if (client_send(&request, &answer, e) < 0)
 *         return -1;
 */
#ifndef FORGE_CLIENT_H
#define FORGE_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "errors.h"
#include "str.h"

enum { CLIENT_ANSWER_MAX = 1 << 20, CLIENT_URL_MAX = 4096 };

struct client_request {
    const char *method;         /* NULL: GET */
    const char *url;            /* http or https */
    const char *const *headers; /* "Name: value", ends with NULL; may be NULL */
    struct view body;           /* of POST, PUT, PATCH */
    int64_t deadline_ns;        /* of the whole exchange */
    bool allow_private;         /* loopback, private and link-local addresses */
    bool allow_http;            /* without TLS */
    const char *ca_file;        /* PEM with the authorities to trust; NULL: the system's */
    const atomic_bool *cancel;  /* gives up within a second or two once true; NULL: never */
};

struct client_answer {
    bool sent; /* bytes of the request have left us: it may have been done, whatever follows */
    int status;
    int64_t retry_after_ms;  /* of the header Retry-After; 0: none */
    int64_t budget;          /* requests left, as the RateLimit headers say; -1: not told */
    int64_t budget_reset_ms; /* wall time when there are more; 0: not told */
    struct str body;         /* up to its ceiling; body.cut says that there was more */
};

#define CLIENT_ANSWER_INIT                                \
    {                                                     \
        .budget = -1, .body = STR_INIT(CLIENT_ANSWER_MAX) \
    }

void client_answer_done(struct client_answer *a);

/* ERR_AWAY and ERR_TIMEOUT may pass; ERR_INPUT is a URL or address that is never spoken to;
 * ERR_CONFLICT: cancelled. */
int client_send(const struct client_request *request, struct client_answer *out, struct err *e);

/* Loopback, private, link-local, shared, documentation, multicast or unspecified? IPv4
 * addresses inside IPv6 ones count as what they are. Pure; unknown families are private. */
struct sockaddr;
bool client_address_is_private(const struct sockaddr *address);

#endif
