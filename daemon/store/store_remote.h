/* SPDX-License-Identifier: MIT */
/*
 * store_remote: what a slot of the outbox is called on its forge, and what it says there.
 *
 * Before something is made on a forge, 'asked_ms' is written; when its id is known it is
 * cleared. So whoever finds it set, after a crash or a lost answer, has to look there first.
 */
#ifndef STORE_REMOTE_H
#define STORE_REMOTE_H

#include "store_outbox.h"

enum { REMOTE_ID_MAX = 64, REMOTE_SAID_MAX = 512 };

struct remote_object {
    int64_t repo_id;
    enum outbox_target target; /* comment or status */
    char slot[OUTBOX_SLOT_MAX];
    char id[REMOTE_ID_MAX + 1];     /* "": not known */
    int64_t asked_ms;               /* 0: it has not been made without our knowing */
    char said[REMOTE_SAID_MAX + 1]; /* the last verdict told there; "": none */
};

/* 'out' has repo_id, target and slot and gets the rest; what is not known stays empty. */
int store_remote_get(struct store *s, struct remote_object *out, struct err *e);
int store_remote_put(struct store *s, const struct remote_object *r, struct err *e);

/* --- jobs under way ------------------------------------------------------------------------
 */

enum { TOLD_WORDS_MAX = 200 };

/* A job of a merge request or a push, or the one that confirms it, that is not finished or that
 * was superseded after something had been told of it. */
struct progress {
    int64_t job, repo_id, mr; /* mr: its number; 0: none */
    char repo[RECORD_NAME_MAX], branch[RECORD_NAME_MAX];
    struct sha head;
    enum job_kind kind;
    enum job_state state;
    char stage[64]; /* what the runner said last; "": nothing yet */
    int64_t rounds_done, rounds_planned;
    int64_t eta_ms;                /* wall time; 0: not known */
    int64_t before;                /* jobs that go first while it is queued */
    int64_t spec_id;               /* its own, or else the repository's newest; 0: none */
    char told[TOLD_WORDS_MAX + 1]; /* "": nothing yet */
    int64_t told_ms;
};

/* The next one behind 'after' in the order of ids. */
int store_progress_next(struct store *s, int64_t after, struct progress *out, bool *found,
                        struct err *e);
int store_progress_told(struct store *s, int64_t job, const char *words, struct err *e);
/* Forgets what was told of jobs that are finished, and of 'job'. */
int store_progress_forget(struct store *s, int64_t job, struct err *e);

#endif
