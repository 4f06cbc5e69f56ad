/* SPDX-License-Identifier: MIT */
/*
 * pool: a bounded queue in front of a few worker threads.
 *
 * A place is reserved before the work is handed over, so that a full queue is known while the
 * request can still be refused:
 *
 *     if (!pool_reserve(p))
 *         return refuse(request);
 *     MHD_suspend_connection(c);          // before the push: the worker may be quicker than us
 *     pool_push(p, request);
 */
#ifndef HTTP_POOL_H
#define HTTP_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "errors.h"

struct pool;

struct pool_options {
    int workers;
    size_t waiting_max;
    void *self;
    int (*open)(void *self, void **out, struct err *e); /* per worker, in its thread */
    void (*close)(void *self, void *worker);
    /* 'worker' NULL: the pool is draining; answer without doing the work. */
    void (*run)(void *self, void *worker, void *work);
};

/* Returns when every worker has opened, or the first one's failure. */
int pool_start(const struct pool_options *options, struct pool **out, struct err *e);
bool pool_reserve(struct pool *p);
void pool_push(struct pool *p, void *work);
/* What still waits is run with worker NULL. All workers are gone when it returns, and from then
 * on nothing can be reserved. */
void pool_drain(struct pool *p);
void pool_free(struct pool *p); /* drains first; accepts NULL */

#endif
