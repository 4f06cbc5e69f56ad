/* SPDX-License-Identifier: MIT */
/*
 * store_job: the queue of jobs, their attempts, and every move of their state machine.
 *
 *     add -> queued --submit--> submitted --begin--> running --store_run_accept--> measured
 *               ^                   |                   |                             |
 *               +------ lost -------+-------------------+             judged, reported
 *
 *     fail: any of the first three -> failed (class infra when the third attempt is lost)
 *     supersede, cancel: any of the first three -> superseded
 *
 * See record.h for the whole picture.
 */
#ifndef STORE_JOB_H
#define STORE_JOB_H

#include "record.h"
#include "store.h"
#include "str.h"

enum {
    STORE_LOG_PIECE_MAX = 64 << 10,
    STORE_LOG_STAGE_MAX = 1 << 20, /* bytes kept of one stage of one attempt */
};

/* The order in which jobs wait; larger goes first. */
int job_kind_priority(enum job_kind kind);

/* Queues a job; repo, branch, change, mr, confirms, kind, base, head and seed are taken from
 * 'want', the priority too unless it is 0. When one for the same work is open already that
 * one's id is the answer and *added is false. A push and a backfill of one commit are the same
 * work. */
int store_job_add(struct store *s, const struct job *want, int64_t *out_id, bool *added,
                  struct err *e);
int store_job_get(struct store *s, int64_t id, struct job *out, struct err *e);
/* Was this commit of the branch ever queued for measuring (and not superseded)? */
int store_job_seen(struct store *s, int64_t branch_id, int64_t head, bool *seen, struct err *e);
/* Was this pair of the merge request ever queued (and not superseded)? */
int store_job_mr_seen(struct store *s, int64_t mr_id, int64_t base, int64_t head, bool *seen,
                      struct err *e);
/* The newest of the merge request that is judged; confirm jobs do not count. */
int store_job_mr_judged(struct store *s, int64_t mr_id, struct job *out, bool *found,
                        struct err *e);
int store_job_next(struct store *s, struct job *out, bool *found, struct err *e); /* to run */
/* The oldest in a state, for the stage that works on it. */
int store_job_in_state(struct store *s, enum job_state state, struct job *out, bool *found,
                       struct err *e);
int store_job_failed_unreported(struct store *s, struct job *out, bool *found, struct err *e);

/* What to compare with: the nearest live ancestor on the branch that is not known to be broken
 * (its newest finished job failed by its own fault). 0: none. */
int store_job_choose_base(struct store *s, int64_t branch_id, int64_t head, int64_t *out_commit,
                          struct err *e);

/* queued -> submitted, with base and spec as chosen, and a new attempt that is 'submitting'. */
int store_job_submit(struct store *s, int64_t job, int64_t base, int64_t spec_id,
                     const char *executor, const unsigned char token_hash[DIGEST_BYTES],
                     int *out_attempt, struct err *e);
int store_job_fail(struct store *s, int64_t job, enum failure_class cls, int side,
                   const char *text, struct err *e); /* side -1: neither */
int store_job_judged(struct store *s, int64_t job, enum outcome outcome, struct err *e);
int store_job_reported(struct store *s, int64_t job, struct err *e); /* judged or failed */
/* Changes the outcome shown for a job that is judged already (a confirm job disagreed). */
int store_job_set_outcome(struct store *s, int64_t job, enum outcome outcome, struct err *e);

/* Open jobs of the merge request for another head. *out_running counts those an attempt of
 * which must still be stopped. */
int store_job_supersede(struct store *s, int64_t mr_id, int64_t head, int *out_running,
                        struct err *e);
int store_job_cancel(struct store *s, int64_t job, struct err *e);

/* --- failure, as lists and reports show it ------------------------------------------------ */

struct job_failure {
    enum failure_class cls;
    int side;   /* enum side, or -1 */
    char *text; /* owned; NULL: none */
};

int store_job_failure(struct store *s, int64_t job, struct job_failure *out, struct err *e);
void job_failure_done(struct job_failure *f);

/* --- specs -------------------------------------------------------------------------------- */

int store_spec_put(struct store *s, int64_t repo_id, struct view body, int64_t *out_id,
                   struct err *e);
int store_spec_body(struct store *s, int64_t spec_id, struct str *out, struct err *e);

#endif
