/* SPDX-License-Identifier: MIT */
/*
 * host: by which names may a daemon be called that listens on the loopback alone?
 *
 * It has no login, because only this machine reaches it. But a page from elsewhere may point
 * its own name at 127.0.0.1 and then read our answers as its own (DNS rebinding). Such a
 * request carries the foreign name in Host. Good are addresses, which cannot be pointed
 * elsewhere, 'localhost', and the name in public_url, which is what a proxy in front of us
 * passes on.
 */
#ifndef HTTP_HOST_H
#define HTTP_HOST_H

#include <stdbool.h>

#include "str.h"

bool host_is_good(struct view host_header, const char *public_url);
bool host_is_loopback(const char *listen); /* "127.0.0.1:80", "localhost:80", "[::1]:80" */

#endif
