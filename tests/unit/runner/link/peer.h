/* SPDX-License-Identifier: MIT */
/*
 * peer: the daemon's side of a link, as a thread that gives prepared answers one after the
 * other and keeps what it was sent.
 */
#ifndef TEST_PEER_H
#define TEST_PEER_H

#include <pthread.h>

#include "str.h"

enum { PEER_ANSWERS_MAX = 8 };

struct peer {
    int fd;
    char url[64];
    pthread_t thread;
    const char
        *answers[PEER_ANSWERS_MAX]; /* "200 OK\r\n...": status and headers, then the body */
    int answers_len;
    struct str requests; /* heads and bodies, one after the other */
};

/* Listens at once; answers each connection's one request, then stops listening. */
void peer_start(struct peer *p, const char *const *answers, int n);
void peer_stop(struct peer *p); /* joins the thread, which must have given all its answers */
void peer_done(struct peer *p);

#endif
