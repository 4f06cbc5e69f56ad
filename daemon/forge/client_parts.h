/* SPDX-License-Identifier: MIT */
/*
 * client_parts: the bounds that every exchange has, whatever is spoken. Private to this folder.
 */
#ifndef FORGE_CLIENT_PARTS_H
#define FORGE_CLIENT_PARTS_H

#include <curl/curl.h>

#include "client.h"

struct exchange {
    const struct client_request *request;
    struct client_answer *answer;
    bool refused; /* the only address found is private */
};

CURL *client_begin(struct err *e);
/* Deadline, address, protocols, authorities and cancelling as the request says. */
void client_set_bounds(CURL *c, struct exchange *x, const char *protocols);
int client_fail(CURLcode code, const struct exchange *x, const char *detail, struct err *e);

#endif
