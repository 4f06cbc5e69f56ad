/* SPDX-License-Identifier: MIT */
/*
 * outside: what the service under test does with connections, as seen from outside.
 *
 * A short queue of waiting connections, a connection closed after each answer and answers of
 * another size change speed without a line of the handler changing. They are recorded with each
 * arm; where base and head differ, the report says so and nobody has to guess:
 *
 *     listen_backlog      connections that may wait to be accepted, of the smallest listener
 *     closed_per_request  connections the service closed / answered requests; 0: it kept all
 *     answer_bytes        bytes received / answered requests, heads included
 */
#ifndef JOB_OUTSIDE_H
#define JOB_OUTSIDE_H

#include "job.h"

/* Of what listens on the TCP port in that network. ERR_NOT_FOUND: nobody does. */
int outside_backlog(int netns_fd, int port, int64_t deadline_ns, int64_t *out, struct err *e);

#define OUTSIDE_BYTES_MAX 0.02 /* relative difference that is not worth a word */

struct outside_seen { /* of one side in one combination; negative: not known */
    double backlog, closed_per_request, answer_bytes;
};

/* The first arm of the rounds that count. */
void outside_seen(const struct result_doc *r, enum side side, int variant,
                  struct outside_seen *out);
/* Appends what differs: "base listens with backlog 128, head with 5". Nothing: alike. */
void outside_compare(const struct outside_seen *base, const struct outside_seen *head,
                     struct str *how);

/* Remarks for the report, once all rounds are over. */
void outside_remark(struct job *j);

/* The reader of one datagram of the kernel alone: 1 all was told, 0 more comes, -1 refused.
 * '*smallest' is lowered to the backlog of each listener on the port. */
int outside_read(struct view bytes, int port, int64_t *smallest);

#endif
