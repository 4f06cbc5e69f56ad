/* SPDX-License-Identifier: MIT */
/*
 * server_own: what the files of the server share among themselves.
 *
 * The life of a request, with who acts:
 *
 *     line read ---> head -------> [check] ------> body -------> answer ------> sent, freed
 *     event thread   event thread  worker,         event thread  worker,        event thread
 *                                  suspended                     suspended
 *
 * While suspended the exchange belongs to the worker, otherwise to the event thread of its
 * listener; MHD_resume_connection hands it back.
 */
#ifndef HTTP_SERVER_OWN_H
#define HTTP_SERVER_OWN_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "pool.h"
#include "server.h"

struct conn { /* one client connection, in the list of its server */
    struct conn *prev, *next;
    int fd; /* the library's */
    atomic_int_least64_t deadline_ns;
};

struct exchange {
    struct request request; /* first, so that one leads to the other */
    struct reply reply;
    struct server *server;
    struct MHD_Connection *connection;
    struct conn *conn;
    struct server_rule rule;
    struct str body;
    int64_t body_announced; /* Content-Length; -1: none */
    int64_t body_dropped;
    int64_t budget; /* our share of server->bodies */
    char *target;
    bool chunked;
    bool broken; /* the head is not acceptable: nothing behind it can be trusted */
    bool head_seen, checking, submitted;
};

struct server {
    struct server_options o;
    struct MHD_Daemon *daemons[2];
    struct pool *pool;
    pthread_t reaper;
    bool reaping;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    struct conn conns; /* head of the ring */
    int active;        /* exchanges */
    bool closing;      /* ends the reaper */
    atomic_bool draining;
    atomic_int_least64_t bodies;
};

struct exchange *exchange_new(struct server *s, struct MHD_Connection *c, const char *target);
void exchange_free(struct exchange *x);
/* The library's access handler. */
enum MHD_Result exchange_step(struct exchange *x, const char *method, const char *version,
                              const char *upload, size_t *upload_size);
/* In a worker; without one (draining) the request is refused. */
void exchange_work(struct exchange *x, void *worker);

/* False, with the reason in 'why', when the head is not one we accept. */
bool head_acceptable(struct exchange *x, const char *version, const char **why);

/* Takes body, file and headers out of the reply. Owned by the caller, see MHD_destroy_response.
 */
struct MHD_Response *reply_take(struct reply *r, int64_t *out_bytes);
struct MHD_Response *server_file_response(const struct server_file *f, int *status,
                                          int64_t *out_bytes);

#endif
