/* SPDX-License-Identifier: MIT */
/*
 * store_attempt: one try at running a job, seen from its runner and from the executor.
 *
 * Moves are idempotent for the runner, which repeats a request whose answer it did not see.
 */
#ifndef STORE_ATTEMPT_H
#define STORE_ATTEMPT_H

#include "record.h"
#include "store.h"
#include "str.h"

/* Whose token is this? 'token_hash' is the SHA-256 of the token's text. */
int store_attempt_by_token(struct store *s, const unsigned char token_hash[DIGEST_BYTES],
                           struct attempt *out, bool *found, struct err *e);
static inline bool attempt_is_open(const struct attempt *a)
{
    return a->state <= ATTEMPT_RUNNING;
}

/* The executor has taken it; 'ref' is its name there. */
int store_attempt_submitted(struct store *s, int64_t job, int n, const char *ref,
                            struct err *e);

/* The runner asked for its job: attempt and job are running. Again: nothing changes. */
int store_attempt_begin(struct store *s, int64_t job, int n, struct err *e);

struct attempt_beat {
    struct view stage; /* "round 4" */
    int64_t rounds_done, rounds_planned;
    int64_t eta_ms; /* 0: not known */
};

/* *cancel: the runner should stop, its job is wanted no more. */
int store_attempt_beat(struct store *s, int64_t job, int n, const struct attempt_beat *beat,
                       bool *cancel, struct err *e);

/* One piece of a stage's output. A piece that was there already and bytes above the ceiling are
 * dropped quietly. */
int store_attempt_log(struct store *s, int64_t job, int n, struct view stage, int64_t seq,
                      struct view bytes, struct err *e);

/* The attempt is lost: its job waits again, or has failed when ATTEMPTS_MAX were lost. */
int store_attempt_lost(struct store *s, int64_t job, int n, const char *why, bool *failed,
                       struct err *e);

/* The attempt is taken back, through no fault of its own: its job waits again, nothing counts.
 */
int store_attempt_release(struct store *s, int64_t job, int n, struct err *e);

/* At start: open attempts of 'executor' have died with the daemon that ran them. Their jobs
 * wait again; from attempt ATTEMPTS_EVER_MAX on they count as lost. */
int store_attempt_recover(struct store *s, const char *executor, int *out_taken, struct err *e);

#endif
