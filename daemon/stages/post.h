/* SPDX-License-Identifier: MIT */
/*
 * post: delivers what waits in the outbox - to a merge request, a commit, a webhook, a chat, a
 * mailbox or into a file - and marks its jobs reported. It also tells forges how far jobs are.
 *
 * A delivery that fails is tried again after pauses that double, with jitter, and not before
 * the receiver's Retry-After. After POST_TRIES_MAX tries the text is dead and the log says so.
 * What a forge's budget does not allow now waits, and that is no try. So do all texts for a
 * receiver that let a deadline pass, so that it holds up others once and not with every text.
 *
 * A daemon killed at any moment neither loses nor doubles a comment: before one is made that is
 * written down, and whoever finds it so looks for the comment by its marker before making one.
 * A webhook's text goes out again with the same webhook-id; receivers know it by that.
 */
#ifndef STAGES_POST_H
#define STAGES_POST_H

#include <stdatomic.h>
#include <stdint.h>

#include "forge_budget.h"
#include "notice.h"
#include "rng.h"
#include "store.h"

enum { POST_TRIES_MAX = 14, POST_HOSTS_MAX = 64 };

struct post_host { /* a forge or another receiver, over all repositories */
    char *name;
    bool is_forge; /* only those have a budget */
    struct forge_budget budget;
    int silences; /* in a row */
    int64_t silent_until_ms;
};

struct post { /* all borrowed but what is said */
    struct store *store;
    const atomic_bool *stopping; /* NULL: never */
    const char *state_dir;       /* files go to <state_dir>/reports/<repo>/<slot>.md; the key of
                                    markers is <state_dir>/marker.key */
    const char *public_url;      /* for links; NULL: none */
    struct notice_targets targets;
    int64_t pause_first_ms; /* 0: 5 s */
    int64_t progress_ms;    /* between two edits that only count on; 0: 60 s */
    int tries_max;          /* 0: POST_TRIES_MAX */
    struct rng rng;         /* for jitter; rng_init it */

    struct post_host hosts[POST_HOSTS_MAX]; /* own */
    size_t hosts_len;
};

void post_done(struct post *p);

/* 'self' is a struct post. */
int64_t post_step(void *self);

/* The pause before the next try, 'attempt' tries having failed: it doubles up to an hour,
 * within 20 % either way, and is no shorter than what the receiver asked for. */
int64_t post_pause_ms(struct post *p, int attempt, int64_t retry_after_ms);

#endif
