/* SPDX-License-Identifier: MIT */
/*
 * runner_api: the routes under /runner/, for pacewatch-runner alone.
 *
 * Each request carries the token of one attempt. The database has the token's SHA-256 only, so
 * looking it up is comparing hashes, and reading the database gives nobody a token.
 */
#ifndef HTTP_RUNNER_API_H
#define HTTP_RUNNER_API_H

#include "api.h"

/* Fills in c->attempt, or makes the refusing reply: 401, 410. For a result that was delivered
 * already the reply is 204. */
int runner_authorise(struct call *c, enum route_kind kind, struct err *e);

int runner_job(struct call *c, struct err *e);
int runner_source(struct call *c, struct err *e);
int runner_beat(struct call *c, struct err *e);
int runner_log(struct call *c, struct err *e);
int runner_look_ask(struct call *c, struct err *e);    /* PUT: the rounds so far */
int runner_look_answer(struct call *c, struct err *e); /* GET: go on, or stop? */
int runner_result(struct call *c, struct err *e);

#endif
