/* SPDX-License-Identifier: MIT */
/* store_attempt: see store_attempt.h. */
#include "store_attempt.h"

#include <inttypes.h>

#include "clock.h"
#include "store_job.h"
#include "store_sql.h"

enum { STAGE_NAME_MAX = 128 };

int store_attempt_by_token(struct store *s, const unsigned char token_hash[DIGEST_BYTES],
                           struct attempt *out, bool *found, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT a.job_id, a.n, a.state, a.executor, a.beat_ms,"
                               " a.created_ms, j.state, j.repo_id, j.spec_id FROM attempt a"
                               " JOIN job j ON j.id = a.job_id WHERE a.token_hash = :hash");
    sql_blob(&q, ":hash", token_hash, DIGEST_BYTES);
    if (sql_step(&q, found, e) < 0)
        return -1;
    if (!*found)
        return 0;
    *out = (struct attempt){
        .job_id = sql_col_int(&q, 0),
        .n = (int)sql_col_int(&q, 1),
        .state = sql_col_word(&q, 2, attempt_state_names, ATTEMPT_STATE_COUNT),
        .beat_ms = sql_col_int(&q, 4),
        .created_ms = sql_col_int(&q, 5),
        .job_state = sql_col_word(&q, 6, job_state_names, JOB_STATE_COUNT),
        .repo_id = sql_col_int(&q, 7),
        .spec_id = sql_col_int(&q, 8),
    };
    sql_col_copy(&q, 3, out->executor, sizeof out->executor);
    return 0;
}

/* A runner that is quick has begun, or even delivered, before its executor's answer is written
 * down: the state only moves on from 'submitting', the reference is kept in any case. */
int store_attempt_submitted(struct store *s, int64_t job, int n, const char *ref, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE attempt SET executor_ref = :ref, state ="
                               " CASE state WHEN 'submitting' THEN 'submitted' ELSE state END"
                               " WHERE job_id = :job AND n = :n");
    sql_int(&q, ":job", job);
    sql_int(&q, ":n", n);
    sql_text(&q, ":ref", ref);
    return sql_move(&q, "attempt of job", job, "there", e);
}

static int begin_attempt(struct store *s, int64_t job, int n, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE attempt SET state = 'running', beat_ms = :now"
                               " WHERE job_id = :job AND n = :n"
                               " AND state IN ('submitting','submitted','running')");
    sql_int(&q, ":job", job);
    sql_int(&q, ":n", n);
    sql_int(&q, ":now", clock_wall_ms());
    return sql_move(&q, "attempt of job", job, "open", e);
}

int store_attempt_begin(struct store *s, int64_t job, int n, struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE job SET state = 'running', started_ms = :now"
                               " WHERE id = :job AND state = 'submitted'");
    sql_int(&q, ":job", job);
    sql_int(&q, ":now", clock_wall_ms());
    if (store_begin(s, &tx, e) < 0 || begin_attempt(s, job, n, e) < 0 || sql_run(&q, e) < 0)
        return -1;
    return store_commit(&tx, e);
}

static int attempt_state(struct store *s, int64_t job, int n, enum attempt_state *out,
                         struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT state FROM attempt WHERE job_id = :job AND n = :n");
    bool row;
    sql_int(&q, ":job", job);
    sql_int(&q, ":n", n);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "no attempt %d of job %" PRId64, n, job);
    *out = sql_col_word(&q, 0, attempt_state_names, ATTEMPT_STATE_COUNT);
    return 0;
}

int store_attempt_beat(struct store *s, int64_t job, int n, const struct attempt_beat *beat,
                       bool *cancel, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE attempt SET stage = :stage, rounds_done = :done,"
                               " rounds_planned = :planned, eta_ms = :eta, beat_ms = :now"
                               " WHERE job_id = :job AND n = :n"
                               " AND state IN ('submitted','running')");
    enum attempt_state state;
    sql_int(&q, ":job", job);
    sql_int(&q, ":n", n);
    sql_view(&q, ":stage",
             (struct view){beat->stage.at, view_utf8_prefix(beat->stage, STAGE_NAME_MAX)});
    sql_int(&q, ":done", beat->rounds_done);
    sql_int(&q, ":planned", beat->rounds_planned);
    sql_id(&q, ":eta", beat->eta_ms);
    sql_int(&q, ":now", clock_wall_ms());
    if (sql_run(&q, e) < 0)
        return -1;
    if (sql_changes(&q) > 0) {
        *cancel = false;
        return 0;
    }
    if (attempt_state(s, job, n, &state, e) < 0)
        return -1;
    *cancel = state == ATTEMPT_LOST || state == ATTEMPT_CANCELLED;
    return 0;
}

/* --- lost --------------------------------------------------------------------------------- */

static int end_as(struct store *s, int64_t job, int n, const char *state, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE attempt SET state = :state, ended_ms = :now"
                               " WHERE job_id = :job AND n = :n"
                               " AND state IN ('submitting','submitted','running')");
    sql_int(&q, ":job", job);
    sql_int(&q, ":n", n);
    sql_text(&q, ":state", state);
    sql_int(&q, ":now", clock_wall_ms());
    return sql_move(&q, "attempt of job", job, "open", e);
}

static int count_lost(struct store *s, int64_t job, int64_t *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "SELECT count(*) FROM attempt WHERE job_id = :job AND state = 'lost'");
    bool row;
    sql_int(&q, ":job", job);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    *out = sql_col_int(&q, 0);
    return 0;
}

static int queue_again(struct store *s, int64_t job, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE job SET state = 'queued', started_ms = NULL"
                               " WHERE id = :id AND state IN ('submitted','running')");
    sql_int(&q, ":id", job);
    return sql_move(&q, "job", job, "submitted or running", e);
}

int store_attempt_lost(struct store *s, int64_t job, int n, const char *why, bool *failed,
                       struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    AUTO(str_done) struct str text = STR_INIT(RESULT_TEXT_MAX);
    int64_t lost;
    if (store_begin(s, &tx, e) < 0 || end_as(s, job, n, "lost", e) < 0 ||
        count_lost(s, job, &lost, e) < 0)
        return -1;
    str_addf(&text, "%s (lost attempt %d of %d)", why, (int)lost, ATTEMPTS_MAX);
    bool last = lost >= ATTEMPTS_MAX;
    if (last ? store_job_fail(s, job, FAILURE_INFRA, -1, str_text(&text), e) < 0
             : queue_again(s, job, e) < 0)
        return -1;
    if (store_commit(&tx, e) < 0)
        return -1;
    *failed = last;
    return 0;
}

int store_attempt_release(struct store *s, int64_t job, int n, struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    if (store_begin(s, &tx, e) < 0 || end_as(s, job, n, "cancelled", e) < 0 ||
        queue_again(s, job, e) < 0)
        return -1;
    return store_commit(&tx, e);
}

static int next_open(struct store *s, const char *executor, int64_t *out_job, int *out_n,
                     bool *found, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "SELECT a.job_id, a.n FROM job j JOIN attempt a ON a.job_id = j.id"
                    " WHERE j.state IN ('submitted','running') AND a.executor = :executor"
                    " AND a.state IN ('submitting','submitted','running') LIMIT 1");
    sql_text(&q, ":executor", executor);
    if (sql_step(&q, found, e) < 0)
        return -1;
    if (*found) {
        *out_job = sql_col_int(&q, 0);
        *out_n = (int)sql_col_int(&q, 1);
    }
    return 0;
}

/* An attempt that died with the daemon is taken back: that the daemon was killed is not the
 * job's fault. Only a job that is always there when it happens is suspected at last. */
int store_attempt_recover(struct store *s, const char *executor, int *out_taken, struct err *e)
{
    const char *why = "the daemon ended again and again while it ran";
    int taken = 0;
    for (;; taken++) {
        int64_t job;
        int n;
        bool found, failed;
        if (next_open(s, executor, &job, &n, &found, e) < 0)
            return -1;
        if (!found)
            break;
        if (n < ATTEMPTS_EVER_MAX ? store_attempt_release(s, job, n, e) < 0
                                  : store_attempt_lost(s, job, n, why, &failed, e) < 0)
            return -1;
    }
    *out_taken = taken;
    return 0;
}
