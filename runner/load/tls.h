/* SPDX-License-Identifier: MIT */
/*
 * tls: TLS on a connection's socket, by OpenSSL.
 *
 * Certificates are verified unless told otherwise. The last session of a loop is offered to its
 * next connection, so that reconnecting costs what it costs a browser. Reads take all that the
 * socket has in one system call (OpenSSL by itself asks for each record's header first), and
 * the socket layer remembers whether it emptied the socket, which edge-triggered waiting needs.
 *
 * One tls_setup per loop: nothing is shared between threads.
 */
#ifndef LOAD_TLS_H
#define LOAD_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "errors.h"
#include "failure.h"

struct tls;
struct tls_setup;

struct tls_rules {
    const char *host;    /* that the certificate must name */
    const char *ca_file; /* NULL: the system's authorities */
    bool insecure;       /* accept any certificate */
    bool no_resume;      /* a full handshake each time */
    bool http2;          /* ask for "h2" instead of "http/1.1" */
};

struct tls_setup *tls_setup_new(const struct tls_rules *rules,
                                struct err *e); /* NULL: failed */
void tls_setup_freep(struct tls_setup **s);

struct tls *tls_new(struct tls_setup *s, int fd);
void tls_freep(struct tls **t);

enum tls_step { TLS_DONE, TLS_AGAIN, TLS_FAILED };
enum tls_step tls_handshake(struct tls *t);
enum fail_cause tls_failure(const struct tls *t); /* why the handshake failed */
bool tls_resumed(const struct tls *t);
bool tls_chose_http2(const struct tls *t); /* by ALPN */

/* As recv and send: -1 with EAGAIN when it must wait, 0 at a proper end. */
ssize_t tls_read(struct tls *t, void *to, size_t len);
ssize_t tls_write(struct tls *t, const void *from, size_t len);
/* True when neither socket nor OpenSSL holds anything that has not been read. */
bool tls_drained(const struct tls *t);

#endif
