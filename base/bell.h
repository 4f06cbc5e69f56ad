/* SPDX-License-Identifier: MIT */
/*
 * bell: says "look again" to a thread that waits.
 *
 * Work lies in tables; a bell only shortens the wait. Ringing any number of times before the
 * other side looks is one ring, and a lost ring costs time, never work: every waiter also has a
 * deadline after which it looks by itself. Ringing is safe from a signal handler.
 */
#ifndef BASE_BELL_H
#define BASE_BELL_H

#include <stdbool.h>
#include <stdint.h>

#include "errors.h"

struct bell {
    int fd; /* eventfd; readable while rung, so it can stand in a poll set beside others */
};

int bell_open(struct bell *b, struct err *e);
void bell_close(struct bell *b);
void bell_ring(const struct bell *b);
bool bell_wait(const struct bell *b, int64_t deadline_ns); /* true when rung; takes the ring */
void bell_take(const struct bell *b);                      /* takes the ring without waiting */

#endif
