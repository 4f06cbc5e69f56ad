/* SPDX-License-Identifier: MIT */
/*
 * wire: the smallest HTTP client, so that tests may also send what no client would.
 *
 * Everything has a deadline of WIRE_DEADLINE_S; passing it fails the test.
 */
#ifndef TEST_WIRE_H
#define TEST_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "str.h"

enum { WIRE_DEADLINE_S = 20, WIRE_BYTES_MAX = 128 << 20 };

struct answer {
    int status;  /* 0: the connection ended without one */
    bool closed; /* behind the answer, or instead of it */
    struct str head, body;
};

int wire_tcp(int port);
int wire_unix(const char *path);
bool wire_send(int fd, struct view bytes); /* false: the other side has gone */

/* Reads one answer; with 'bodyless' (HEAD, 304, 204) nothing behind the head. */
void wire_read(int fd, bool bodyless, struct answer *out);
int wire_status(int fd); /* the status alone; 0: the connection ended without one */
bool wire_ended(int fd); /* waits until the other side closes; false when it sends more */
void answer_done(struct answer *a);

/* A header of the answer, "" when there is none. Valid until the next call. */
const char *answer_header(const struct answer *a, const char *name);

/* One request on a connection of its own. 'extra' are whole header lines. */
void wire_ask(int fd, const char *method, const char *target, const char *extra,
              struct view body, struct answer *out);
void wire_get(int port, const char *target, const char *extra, struct answer *out);

#endif
