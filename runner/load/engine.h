/* SPDX-License-Identifier: MIT */
/*
 * engine: waits for sockets and moves bytes; knows nothing of requests.
 *
 * One engine per loop. It calls conn_writable when a connection is established or can take more
 * after a short send, conn_bytes for what arrived, conn_ended when the stream is over, and sets
 * the worker's 'now' before each call. An event of a connection that has been closed or opened
 * again in between is dropped by comparing generations.
 */
#ifndef LOAD_ENGINE_H
#define LOAD_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "errors.h"

struct conn;
struct engine;
struct worker;

struct engine_ops {
    const char *name;
    int (*open)(struct engine **out, struct worker *w, struct err *e);
    void (*close)(struct engine *g);
    int (*watch)(struct engine *g, struct conn *c);   /* a new descriptor; -1 and errno */
    void (*forget)(struct engine *g, struct conn *c); /* it will be closed at once */
    /* Sends what the socket takes; -1 and errno. */
    ssize_t (*send)(struct engine *g, struct conn *c, const char *at, size_t len);
    /* Handles what has happened, after waiting for it at most so long; 0: not at all. */
    void (*wait)(struct engine *g, int64_t timeout_ns);
};

extern const struct engine_ops engine_epoll;
#ifdef LOAD_WITH_URING
extern const struct engine_ops engine_uring;

/* Whether this kernel lets us do what the engine needs. It is tried out in well below a
 * millisecond, as neither a version nor a filter of system calls can be asked. */
bool engine_uring_works(void);
#endif

enum { ENGINE_RECV_MAX = 64 << 10, ENGINE_EVENTS = 256 };

#endif
