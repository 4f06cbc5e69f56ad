/* SPDX-License-Identifier: MIT */
/*
 * post: delivers what waits in the outbox, by webhook or into a file, and marks its jobs
 * reported.
 *
 * A delivery that fails is tried again after pauses that double, with jitter, and not before
 * the receiver's Retry-After. After POST_TRIES_MAX tries the text is dead and the log says so.
 * A daemon killed between sending and noting it sends the same text with the same webhook-id
 * again; receivers know it by that.
 */
#ifndef STAGES_POST_H
#define STAGES_POST_H

#include <stdatomic.h>
#include <stdint.h>

#include "notice.h"
#include "rng.h"
#include "store.h"

enum { POST_TRIES_MAX = 14 };

struct post { /* all borrowed */
    struct store *store;
    const atomic_bool *stopping; /* NULL: never */
    const char *state_dir;       /* files go to <state_dir>/reports/<repo>/<slot>.md */
    struct notice_targets targets;
    int64_t pause_first_ms; /* 0: 5 s */
    int tries_max;          /* 0: POST_TRIES_MAX */
    struct rng rng;         /* for jitter; rng_init it */
};

/* 'self' is a struct post. */
int64_t post_step(void *self);

/* The pause before the next try, 'attempt' tries having failed: it doubles up to an hour,
 * within 20 % either way, and is no shorter than what the receiver asked for. */
int64_t post_pause_ms(struct post *p, int attempt, int64_t retry_after_ms);

#endif
