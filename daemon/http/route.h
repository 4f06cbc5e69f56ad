/* SPDX-License-Identifier: MIT */
/*
 * route: which function answers which method and address, and what a request there may bring.
 *
 * The table in route.c is the whole interface besides the page itself; schema/api.md explains
 * it.
 */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include "errors.h"
#include "server.h"
#include "url.h"

struct call; /* see api.h */

enum { ROUTE_PARAMS_MAX = 2 };

enum route_kind {
    ROUTE_PLAIN,
    ROUTE_DATA,   /* answer depends on address and database alone: ETag, kept while both stay */
    ROUTE_RUNNER, /* needs the token of an attempt that is open */
    ROUTE_BEAT,   /* the same, and one that was cancelled or given up is told so */
    ROUTE_RESULT, /* the same, and one that has delivered gets 204 */
    ROUTE_HOOK,   /* a forge's; refused before the body when it cannot be signed */
};

struct route {
    enum http_method method;
    const char *pattern; /* "{}" stands for one segment */
    enum route_kind kind;
    int64_t body_max;
    int (*run)(struct call *c, struct err *e);
};

/* NULL: no such address, or not with this method; *allowed then has the methods it takes. */
const struct route *route_find(const struct url *u, enum http_method method, unsigned *allowed);

/* The segments that stand for "{}", in order; those beyond what the pattern has are empty. */
void route_params(const struct route *route, const struct url *u,
                  struct view out[ROUTE_PARAMS_MAX]);

#endif
