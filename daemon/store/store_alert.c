/* SPDX-License-Identifier: MIT */
/* store_alert: see store_alert.h. */
#include "store_alert.h"

#include "clock.h"
#include "store_verdict_own.h"

static const char *const kind_names[ALERT_KIND_COUNT] = {"regression", "improvement",
                                                         "environment"};
static const char *const state_names[ALERT_STATE_COUNT] = {"confirming", "open", "noise"};

void store_alert_bind(struct sql *q, const struct alert *a)
{
    sql_text(q, ":kind", kind_names[a->kind]);
    sql_text(q, ":title", a->title);
    sql_text(q, ":why", a->why);
    sql_text(q, ":state", state_names[a->state]);
    sql_int(q, ":now", clock_wall_ms());
}

int store_alert_put(struct store *s, const struct alert *a, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "INSERT INTO alert(repo_id, branch_id, mr_id, job_id, commit_id, kind, title,"
           " why, state, created_ms, closed_ms) VALUES(:repo, :branch, :mr, :job, :commit,"
           " :kind, :title, :why, :state, :now, iif(:state = 'noise', :now, NULL))"
           " ON CONFLICT(job_id) WHERE method = 'pair' DO UPDATE SET kind = excluded.kind,"
           " title = excluded.title, why = excluded.why, state = excluded.state,"
           " closed_ms = coalesce(closed_ms, excluded.closed_ms)");
    sql_int(&q, ":repo", a->repo_id);
    sql_int(&q, ":branch", a->branch_id);
    sql_id(&q, ":mr", a->mr_id);
    sql_int(&q, ":job", a->job_id);
    sql_int(&q, ":commit", a->commit_id);
    store_alert_bind(&q, a);
    return sql_run(&q, e);
}

int store_alert_by_job(struct store *s, int64_t job, struct alert *out, bool *found,
                       struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "SELECT id, repo_id, branch_id, mr_id, commit_id, kind, state, title,"
                    " closed_ms, why FROM alert WHERE job_id = :job AND method = 'pair'");
    bool row;
    sql_int(&q, ":job", job);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    *found = row;
    if (!row)
        return 0;
    *out = (struct alert){
        .id = sql_col_int(&q, 0),
        .repo_id = sql_col_int(&q, 1),
        .branch_id = sql_col_int(&q, 2),
        .mr_id = sql_col_int(&q, 3),
        .job_id = job,
        .commit_id = sql_col_int(&q, 4),
        .kind = (enum alert_kind)sql_col_word(&q, 5, kind_names, ALERT_KIND_COUNT),
        .state = (enum alert_state)sql_col_word(&q, 6, state_names, ALERT_STATE_COUNT),
        .closed_ms = sql_col_int(&q, 8),
    };
    sql_col_copy(&q, 7, out->title, sizeof out->title);
    sql_col_copy(&q, 9, out->why, sizeof out->why);
    return 0;
}

int store_alert_close(struct store *s, int64_t job, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE alert SET closed_ms = :now"
                               " WHERE job_id = :job AND method = 'pair'"
                               " AND closed_ms IS NULL");
    sql_int(&q, ":now", clock_wall_ms());
    sql_int(&q, ":job", job);
    return sql_run(&q, e);
}

int store_alert_close_older(struct store *s, int64_t mr_id, int64_t job, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE alert SET closed_ms = :now"
                               " WHERE mr_id = :mr AND job_id < :job AND closed_ms IS NULL");
    sql_int(&q, ":now", clock_wall_ms());
    sql_int(&q, ":mr", mr_id);
    sql_int(&q, ":job", job);
    return sql_run(&q, e);
}
