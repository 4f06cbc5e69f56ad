/* SPDX-License-Identifier: MIT */
/*
 * hook_api: POST /hooks/<repository>, where forges say that something happened.
 *
 * All that can be refused is refused before the body: repositories that take no webhooks,
 * bodies that are not JSON, requests without a signature. Then the signature is checked over
 * the raw bytes, and only then are they read. What is accepted is one row and one ring for the
 * watch stage, so the answer does not wait for anything remote.
 *
 * Deliveries with a wrong signature are counted and leave no other trace; a line in the log
 * tells of them at most once a minute and repository.
 */
#ifndef HTTP_HOOK_API_H
#define HTTP_HOOK_API_H

#include "http.h"
#include "server.h"

struct call;

struct hooks; /* of all repositories that take webhooks; used from every thread */

struct hooks *hooks_new(const struct http_hook *hooks, size_t n); /* borrowed */
void hooks_free(struct hooks *h);                                 /* accepts NULL */

/* On an event thread: fills in the reply when the request is refused. */
void hook_admit(struct hooks *h, struct view repo, const struct request *r,
                struct reply *reply);

/* On a worker. */
int hook_receive(struct call *c, struct err *e);

#endif
