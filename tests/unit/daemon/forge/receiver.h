/* SPDX-License-Identifier: MIT */
/*
 * receiver: starts receiver.py and reads what it says about each delivery.
 */
#ifndef TEST_RECEIVER_H
#define TEST_RECEIVER_H

#include <stdio.h>

#include "child.h"
#include "json.h"

struct receiver {
    struct child child;
    int in;    /* closing it ends the receiver */
    FILE *out; /* its lines */
    int port;
};

void receiver_start(struct receiver *r, const char *script, struct view key);
/* The same for a program of another kind that prints its port first; 'arg' is its argument. */
void receiver_start_with(struct receiver *r, const char *script, const char *arg);
void receiver_stop(struct receiver *r);
void receiver_url(const struct receiver *r, const char *path, struct str *out);
/* The next delivery; 'text' keeps its bytes. NULL fault: all is well with it. */
struct json_doc *receiver_next(struct receiver *r, struct str *text);
void receiver_skip(struct receiver *r); /* waits for it and looks no closer */

#endif
