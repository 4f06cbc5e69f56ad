/* SPDX-License-Identifier: MIT */
/*
 * post_parts: the parts of the post stage, for its own files and tests.
 */
#ifndef STAGES_POST_PARTS_H
#define STAGES_POST_PARTS_H

#include "post.h"
#include "store_remote.h"

#define POST_DEADLINE_NS (10 * CLOCK_NS_PER_S)

struct delivery { /* what came of a try */
    int status;
    int64_t retry_after_ms;
    bool silent;   /* the receiver let the deadline pass */
    bool hopeless; /* no later try can succeed */
};

int post_to_file(const struct post *p, const struct outbox *o, struct delivery *d,
                 struct err *e);
int post_by_courier(const struct post *p, const struct outbox *o, struct delivery *d,
                    struct err *e);

/* --- receivers (post_host.c) ---------------------------------------------------------------
 */

/* Who a text goes to; NULL: a file, or whoever it was has left the configuration. */
struct post_host *post_host_of(struct post *p, const struct outbox *o);
/* How long texts to it have to wait for its budget or because it was silent; 0: they may go. */
int64_t post_host_wait_ms(struct post_host *host, int64_t now_ms);
/* It let a deadline pass, or it did not. */
void post_host_note(struct post_host *host, bool silent, int64_t now_ms);

/* --- forges (post_forge.c) -----------------------------------------------------------------
 */

int post_to_forge(struct post *p, const struct outbox *o, struct delivery *d, struct err *e);

/* The line that makes a comment ours: hidden, and nobody else can write it. */
int post_marker(const struct post *p, const struct outbox *o, struct str *out, struct err *e);

/* --- jobs under way (post_progress.c) ------------------------------------------------------
 */

/* Queues what has to be told of unfinished jobs. */
int post_progress(struct post *p, struct err *e);

#endif
