/* SPDX-License-Identifier: MIT */
/*
 * store_job_move: the moves of a job's state machine; see store_job.h.
 *
 * Each statement names the state it starts from. Where job and attempt move together, both
 * statements are one transaction.
 */
#include <inttypes.h>

#include "clock.h"
#include "store_job.h"
#include "store_sql.h"

static int add_attempt(struct store *s, int64_t job, const char *executor,
                       const unsigned char token_hash[DIGEST_BYTES], int *out_n, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "INSERT INTO attempt(job_id, n, token_hash, executor, state, created_ms)"
           " VALUES(:job, 1 + coalesce((SELECT max(n) FROM attempt WHERE job_id = :job), 0),"
           "  :hash, :executor, 'submitting', :now) RETURNING n");
    int64_t n;
    sql_int(&q, ":job", job);
    sql_blob(&q, ":hash", token_hash, DIGEST_BYTES);
    sql_text(&q, ":executor", executor);
    sql_int(&q, ":now", clock_wall_ms());
    if (sql_id_of(&q, &n, e) < 0)
        return -1;
    *out_n = (int)n;
    return 0;
}

int store_job_submit(struct store *s, int64_t job, int64_t base, int64_t spec_id,
                     const char *executor, const unsigned char token_hash[DIGEST_BYTES],
                     int *out_attempt, struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE job SET state = 'submitted', base = :base,"
                               " spec_id = :spec WHERE id = :id AND state = 'queued'");
    sql_int(&q, ":id", job);
    sql_id(&q, ":base", base);
    sql_id(&q, ":spec", spec_id);
    if (store_begin(s, &tx, e) < 0 || sql_move(&q, "job", job, "queued", e) < 0 ||
        add_attempt(s, job, executor, token_hash, out_attempt, e) < 0)
        return -1;
    return store_commit(&tx, e);
}

/* Ends the open attempts of a job; there is at most one. */
static int end_attempts(struct store *s, int64_t job, const char *state, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE attempt SET state = :state, ended_ms = :now"
                               " WHERE job_id = :job"
                               " AND state IN ('submitting','submitted','running')");
    sql_int(&q, ":job", job);
    sql_text(&q, ":state", state);
    sql_int(&q, ":now", clock_wall_ms());
    return sql_run(&q, e);
}

int store_job_fail(struct store *s, int64_t job, enum failure_class cls, int side,
                   const char *text, struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE job SET state = 'failed', failure_class = :class,"
                               " failure_side = :side, failure = :text, finished_ms = :now"
                               " WHERE id = :id AND state IN ('queued','submitted','running')");
    sql_int(&q, ":id", job);
    sql_text(&q, ":class", failure_names[cls]);
    sql_text(&q, ":side", side < 0 ? NULL : side_names[side]);
    sql_text(&q, ":text", text);
    sql_int(&q, ":now", clock_wall_ms());
    if (store_begin(s, &tx, e) < 0 || sql_move(&q, "job", job, "open", e) < 0 ||
        end_attempts(s, job, "lost", e) < 0)
        return -1;
    return store_commit(&tx, e);
}

int store_job_judged(struct store *s, int64_t job, enum outcome outcome, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE job SET state = 'judged', outcome = :outcome"
                               " WHERE id = :id AND state = 'measured'");
    sql_int(&q, ":id", job);
    sql_text(&q, ":outcome", outcome_names[outcome]);
    return sql_move(&q, "job", job, "measured", e);
}

int store_job_set_outcome(struct store *s, int64_t job, enum outcome outcome, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE job SET outcome = :outcome"
                               " WHERE id = :id AND state IN ('judged','reported')");
    sql_int(&q, ":id", job);
    sql_text(&q, ":outcome", outcome_names[outcome]);
    return sql_move(&q, "job", job, "judged", e);
}

int store_job_reported(struct store *s, int64_t job, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "UPDATE job SET reported = 1,"
                    " state = CASE state WHEN 'judged' THEN 'reported' ELSE state END"
                    " WHERE id = :id AND (state = 'judged' OR"
                    "   (state = 'failed' AND reported = 0))");
    sql_int(&q, ":id", job);
    return sql_move(&q, "job", job, "judged or failed", e);
}

int store_job_cancel(struct store *s, int64_t job, struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE job SET state = 'superseded', finished_ms = :now"
                               " WHERE id = :id AND state IN ('queued','submitted','running')");
    sql_int(&q, ":id", job);
    sql_int(&q, ":now", clock_wall_ms());
    if (store_begin(s, &tx, e) < 0 || sql_move(&q, "job", job, "open", e) < 0 ||
        end_attempts(s, job, "cancelled", e) < 0)
        return -1;
    return store_commit(&tx, e);
}

static int next_to_supersede(struct store *s, int64_t mr_id, int64_t head, int64_t *out_job,
                             bool *queued, bool *found, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT id, state = 'queued' FROM job WHERE mr_id = :mr"
                               " AND head <> :head"
                               " AND state IN ('queued','submitted','running') LIMIT 1");
    sql_int(&q, ":mr", mr_id);
    sql_int(&q, ":head", head);
    if (sql_step(&q, found, e) < 0)
        return -1;
    if (*found) {
        *out_job = sql_col_int(&q, 0);
        *queued = sql_col_int(&q, 1) != 0;
    }
    return 0;
}

int store_job_supersede(struct store *s, int64_t mr_id, int64_t head, int *out_running,
                        struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    int running = 0;
    if (store_begin(s, &tx, e) < 0)
        return -1;
    for (;;) {
        int64_t job;
        bool queued, found;
        if (next_to_supersede(s, mr_id, head, &job, &queued, &found, e) < 0)
            return -1;
        if (!found)
            break;
        if (store_job_cancel(s, job, e) < 0)
            return -1;
        running += !queued;
    }
    if (store_commit(&tx, e) < 0)
        return -1;
    *out_running = running;
    return 0;
}
