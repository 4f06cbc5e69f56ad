/* SPDX-License-Identifier: MIT */
/*
 * conn: one connection and the requests on their way through it.
 *
 * Small and flat: everything a request touches is in the struct itself, followed by a ring of
 * 'pipeline' flights. Memory for the unusual (an answer's header in pieces, a send cut short, a
 * body check over several reads) is taken when it happens and kept no longer than needed.
 *
 * All functions run in the loop of the connection's worker. conn_bytes, conn_writable and
 * conn_ended are called by the engine; they may close the connection.
 */
#ifndef LOAD_CONN_H
#define LOAD_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "check.h"
#include "failure.h"
#include "http1.h"
#include "str.h"

struct worker;
struct tls;

/*
 *     FREE --conn_open--> CONNECTING --(TLS)--> HANDSHAKE --(WebSocket)--> UPGRADE --> OPEN --.
 *      ^                      |                     |                         |         |     |
 *      |                      v                     v                         v         v     |
 *      '-------------------------------- conn_close ------------------------------------'<----'
 *                                                                              conn_bytes
 *
 * A closed one may stand in the worker's queue for opening again, with or without flights.
 */
enum conn_state { CONN_FREE, CONN_CONNECTING, CONN_HANDSHAKE, CONN_UPGRADE, CONN_OPEN };

struct flight {
    int64_t due_ns;
    int64_t sent_ns;
    uint64_t number; /* of the request, for templates; from 1 */
    uint16_t endpoint;
    bool retried;
    int32_t stream; /* HTTP/2 */
};

enum { CONN_NONE = 0xffffffff };

struct conn {
    int fd;
    uint32_t index;
    uint32_t generation; /* counts openings, so that an event of an earlier one is recognised */
    uint8_t state;
    bool idle;          /* stands in the worker's list of idle ones */
    bool queued;        /* stands in a queue for opening */
    bool closing;       /* the last answer is in, the server's close is waited for */
    bool thinking;      /* its next request waits for the end of a pause */
    bool answer_began;  /* bytes of the current answer have been seen */
    uint16_t first;     /* of the ring: the flight that is answered next */
    uint16_t in_flight; /* flights in the ring */
    uint16_t unsent;    /* of these, at the end */
    uint16_t step;      /* of the session under way: what comes next; 0: none is */
    uint32_t served;    /* answers since it was opened */
    struct http1 http;
    int64_t open_ns;  /* of conn_open */
    int64_t free_ns;  /* since when it could have taken the request it takes next */
    uint64_t number;  /* of the session under way */
    int64_t next_ns;  /* not before this the next request: think time */
    int64_t began_ns; /* of connecting, then of the handshake, then of the current answer */

    const char *out; /* the rest of a send that was cut short */
    uint32_t out_len;
    uint32_t idle_before, idle_behind;
    uint32_t stash_len, stash_room;
    char *out_owned; /* NULL, or what 'out' points into */
    char *stash;     /* the beginning of a header */
    struct check_stream *check;
    struct tls *tls;
    void *speech; /* of a protocol that keeps something; see protocol.h */
    struct flight flights[];
};

/* Puts a new flight at the end of the ring; there is room. */
void conn_add_flight(struct worker *w, struct conn *c, int64_t due_ns, uint16_t endpoint);

/* Takes the first n flights out of the ring. */
void conn_drop_flights(struct worker *w, struct conn *c, unsigned n);

/* Takes the flight at place k out of the ring; the first one moves there. */
struct flight conn_take_flight(struct worker *w, struct conn *c, unsigned k);

/* Sends bytes; nothing may be waiting already. What the socket does not take is kept: as a copy
 * when the bytes lie in the worker's scratch, with '*owned' when that is their memory, else as
 * they are. False when that closed the connection. */
bool conn_write(struct worker *w, struct conn *c, struct view bytes, char **owned);

/* Starts connecting. What is in the ring is sent as soon as it is open. */
void conn_open(struct worker *w, struct conn *c);

/* Requests may go: the protocol has agreed with the other side. */
void conn_ready(struct worker *w, struct conn *c);

/* Sends all flights that have not been sent. */
void conn_send(struct worker *w, struct conn *c);

/* Gives back descriptor and memory; the flights stay in the ring. */
void conn_close(struct worker *w, struct conn *c);

/* Closes and fails: every flight, as all of them are lost. */
void conn_fail(struct worker *w, struct conn *c, enum fail_phase phase, enum fail_cause cause,
               int number);
/* The oldest request, or connecting itself, has taken too long. */
void conn_timeout(struct worker *w, struct conn *c);

void conn_bytes(struct worker *w, struct conn *c, struct view bytes);
void conn_writable(struct worker *w, struct conn *c);
void conn_ended(struct worker *w, struct conn *c, int number); /* 0: end of stream */

#endif
