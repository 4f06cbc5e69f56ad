/* SPDX-License-Identifier: MIT */
/*
 * post_parts: the parts of the post stage, for its own files and tests.
 */
#ifndef STAGES_POST_PARTS_H
#define STAGES_POST_PARTS_H

#include "post.h"
#include "store_remote.h"

#define POST_DEADLINE_NS (15 * CLOCK_NS_PER_S)

struct delivery { /* what came of a try */
    int status;
    int64_t retry_after_ms;
    bool hopeless; /* no later try can succeed */
};

int post_to_file(const struct post *p, const struct outbox *o, struct delivery *d,
                 struct err *e);
int post_by_courier(const struct post *p, const struct outbox *o, struct delivery *d,
                    struct err *e);

/* --- forges (post_forge.c) -----------------------------------------------------------------
 */

/* How long this text has to wait for the budget of its forge; 0: it may go. */
int64_t post_forge_wait_ms(struct post *p, const struct outbox *o);
int post_to_forge(struct post *p, const struct outbox *o, struct delivery *d, struct err *e);

/* The line that makes a comment ours: hidden, and nobody else can write it. */
int post_marker(const struct post *p, const struct outbox *o, struct str *out, struct err *e);

/* --- jobs under way (post_progress.c) ------------------------------------------------------
 */

/* Queues what has to be told of unfinished jobs. */
int post_progress(struct post *p, struct err *e);

#endif
