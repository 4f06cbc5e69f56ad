/* SPDX-License-Identifier: MIT */
/*
 * canary: a fixed reference service that tells a slower machine from a slower change.
 *
 * A small HTTP/1.1 server that is part of the runner: one thread, epoll, and for each request
 * the same arithmetic and dependent loads from a table that does not fit the first-level cache.
 * So its CPU time per request moves with clock, caches, memory, kernel and mitigations, as a
 * real service's does, and with nothing that a commit can change. The runner starts itself with
 * the hidden word in a sandbox of its own, so that foreign code can neither see nor reach it.
 *
 * It listens on a free port of loopback, prints the port and a line end once it does, and
 * serves until it is killed.
 */
#ifndef HOST_CANARY_H
#define HOST_CANARY_H

#define CANARY_WORD "__canary"

enum {
    CANARY_BODY_BYTES = 1024, /* of each answer */
    CANARY_STEPS = 1000,      /* of the work for one request: about 5 us */
};

/* Returns -1 at once when argv[1] is not the hidden word; otherwise serves, and returns only
 * when it cannot. */
int canary_main(int argc, char **argv);

#endif
