/* SPDX-License-Identifier: MIT */
/*
 * failure: why a request was not answered well, as phase x cause.
 *
 * The phase says how far the request came, the cause what ended it. Nothing is merged into
 * "socket errors": a refused connection, a reset in the middle of a body and a client that ran
 * out of ports need different people. Everything in phase FAIL_CLIENT is the generator's own
 * limit and never counts against the service.
 */
#ifndef LOAD_FAILURE_H
#define LOAD_FAILURE_H

#include <stdbool.h>

enum fail_phase {
    FAIL_QUEUE,   /* due, but never sent: no connection became free */
    FAIL_CONNECT, /* opening the connection */
    FAIL_TLS,     /* handshake */
    FAIL_UPGRADE, /* agreeing on another protocol: WebSocket */
    FAIL_WRITE,   /* sending the request */
    FAIL_HEAD,    /* waiting for the answer or reading its header */
    FAIL_BODY,    /* reading the body */
    FAIL_CHECK,   /* answered, but not as expected */
    FAIL_CLIENT,  /* the generator itself could not */
    FAIL_PHASES,
};

enum fail_cause {
    FAIL_REFUSED,
    FAIL_TIMEOUT,
    FAIL_RESET,
    FAIL_UNREACHABLE,
    FAIL_EOF,       /* closed before the answer was complete */
    FAIL_MALFORMED, /* not HTTP, or HTTP that contradicts itself */
    FAIL_TOO_LARGE, /* a header or trailer above our ceiling */
    FAIL_UNASKED,   /* bytes that answer no request */
    FAIL_STATUS,
    FAIL_CONTENT,
    FAIL_CHECKSUM,
    FAIL_VERIFY, /* the certificate was not accepted */
    FAIL_HANDSHAKE,
    FAIL_STREAM,      /* HTTP/2: the stream was reset */
    FAIL_GOAWAY,      /* HTTP/2: the peer is going away */
    FAIL_DESCRIPTORS, /* EMFILE, ENFILE */
    FAIL_PORTS,       /* EADDRNOTAVAIL */
    FAIL_MEMORY,      /* ENOBUFS, ENOMEM */
    FAIL_OVERFLOW,    /* the backlog reached its ceiling */
    FAIL_OTHER,
    FAIL_CAUSES,
};

const char *fail_phase_name(enum fail_phase phase);
const char *fail_cause_name(enum fail_cause cause);

/* The cause behind an errno of socket, connect, send or recv. */
enum fail_cause fail_cause_of(int number);
/* True when this errno is a limit of our own side. */
bool fail_is_client(int number);

#endif
