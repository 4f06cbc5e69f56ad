/* SPDX-License-Identifier: MIT */
/*
 * link: the runner's only way to the outside: the daemon's HTTP interface (schema/api.md).
 *
 * One link belongs to one thread. Every request has a deadline and every answer a ceiling. The
 * bearer token goes into one header and nowhere else, never into an error or a log.
 *
 * What an answer means for the caller:
 *
 *     ERR_AWAY      no answer, or 5xx: trying again later may help
 *     ERR_CONFLICT  401 or 410: this attempt is over, nobody wants its result
 *     ERR_PROTOCOL  anything else that is not success
 */
#ifndef LINK_LINK_H
#define LINK_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "errors.h"
#include "job_doc.h"
#include "str.h"

enum {
    LINK_TOKEN_MAX = 256,
    LINK_LOG_PIECE = 64 << 10, /* bytes in one piece of a log */
    LINK_LOG_STAGE = 1 << 20,  /* bytes in one stage */
    LINK_ANSWER_MAX = 1 << 20,
};

struct link_address {
    const char *url;    /* http://host:port, without a path */
    const char *socket; /* Unix socket to use instead of host and port; NULL: none */
    const char *token;
};

struct link_beat {
    const char *stage; /* "build base", "round 4" */
    int64_t rounds_done, rounds_planned;
    int64_t eta_ms; /* wall time; 0: not known */
};

struct link;

int link_open(const struct link_address *to, struct link **out, struct err *e);
void link_freep(struct link **l);

int link_job(struct link *l, struct job_doc **out, struct err *e);

/* Writes the tree as a tar to 'fd'; more than 'bytes_max' is ERR_LIMIT. */
int link_source(struct link *l, enum side side, int fd, int64_t bytes_max, struct err *e);

/* 'cancel' becomes true when the daemon wants no more of this attempt. */
int link_beat(struct link *l, const struct link_beat *beat, bool *cancel, struct err *e);
int link_log(struct link *l, const char *stage, int64_t seq, struct view bytes, struct err *e);

/* Hands in the rounds so far after 'n' that counted, and asks whether to go on. */
int link_look_ask(struct link *l, int n, struct view result, struct err *e);
enum link_look { LINK_LOOK_OPEN, LINK_LOOK_GO_ON, LINK_LOOK_STOP };
int link_look_answer(struct link *l, int n, enum link_look *out, struct err *e);

/* Tries until it is taken, refused for good, or the deadline; pauses grow from 100 ms to 10 s.
 */
int link_result(struct link *l, struct view result, int64_t deadline_ns, struct err *e);

#endif
