/* SPDX-License-Identifier: MIT */
/* store_cause: see store_cause.h. */
#include "store_cause.h"

#include "clock.h"
#include "store_verdict_own.h"

void cause_edge_list_done(struct cause_edge_list *l)
{
    for (size_t i = 0; i < l->at.len; i++)
        series_key_done(&l->at.at[i].series);
    vec_done(&l->at);
}

static void read_edge(struct sql *q, enum metric metric, struct cause_edge *out)
{
    change_point_read(q, &out->point);
    out->alert_id = sql_col_int(q, CHANGE_POINT_COLUMN_COUNT);
    out->point.series_id = sql_col_int(q, CHANGE_POINT_COLUMN_COUNT + 1);
    out->point.method = CHANGE_HISTORY;
    out->series = (struct series_key){
        .id = out->point.series_id,
        .scenario = sql_col_dup(q, CHANGE_POINT_COLUMN_COUNT + 2),
        .endpoint = sql_col_dup(q, CHANGE_POINT_COLUMN_COUNT + 3),
        .metric = metric,
    };
}

int store_cause_edges(struct store *s, int64_t branch_id, int64_t environment_id,
                      struct cause_edge_list *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "SELECT" CHANGE_POINT_COLUMNS ", c.alert_id, s.id, s.scenario, s.endpoint, s.metric"
           " FROM series s JOIN change_point c ON c.series_id = s.id"
           " WHERE s.branch_id = :branch AND s.environment_id = :environment"
           " AND c.method = 'history'"
           " AND (c.state <> 'retracted' OR c.alert_id IS NOT NULL) ORDER BY c.pos, s.id");
    sql_int(&q, ":branch", branch_id);
    sql_int(&q, ":environment", environment_id);
    for (bool row = true;;) {
        enum metric metric;
        if (sql_step(&q, &row, e) < 0)
            return -1;
        if (!row)
            return 0;
        if (metric_by_name(sql_col_view(&q, CHANGE_POINT_COLUMN_COUNT + 4), &metric) == 0)
            read_edge(&q, metric, vec_push(&out->at));
    }
}

int store_cause_canary(struct store *s, int64_t branch_id, int64_t environment_id,
                       int64_t limit, struct point_list *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s,
        "SELECT * FROM (SELECT bc.pos AS pos,"
        "   avg(json_extract(a.gauges_json, '$.canary_ns')) AS value"
        "  FROM branch_commit bc JOIN job j ON j.branch_id = bc.branch_id"
        "   AND j.head = bc.commit_id AND j.mr_id IS NULL"
        "  JOIN run r ON r.job_id = j.id"
        "  JOIN environment_state n ON n.id = r.env_state_id"
        "  JOIN round o ON o.run_id = r.id AND o.void_reason IS NULL"
        "  JOIN arm a ON a.round_id = o.id"
        "  WHERE bc.branch_id = :branch AND bc.live = 1 AND n.environment_id = :environment"
        "  GROUP BY bc.pos HAVING value > 0 ORDER BY bc.pos DESC LIMIT :limit) ORDER BY pos");
    sql_int(&q, ":branch", branch_id);
    sql_int(&q, ":environment", environment_id);
    sql_int(&q, ":limit", limit);
    for (bool row = true;;) {
        if (sql_step(&q, &row, e) < 0)
            return -1;
        if (!row)
            return 0;
        *vec_push(&out->points) =
            (struct point){.pos = sql_col_int(&q, 0), .value = sql_col_real(&q, 1)};
    }
}

/* --- alerts ------------------------------------------------------------------------------- */

static int add_alert(struct store *s, struct alert *a, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "INSERT INTO alert(repo_id, branch_id, job_id, commit_id, method, kind, title, why,"
           " state, created_ms, closed_ms) VALUES(:repo, :branch, :job, :commit, 'history',"
           " :kind, :title, :why, :state, :now, iif(:state = 'noise', :now, NULL))"
           " RETURNING id");
    sql_int(&q, ":repo", a->repo_id);
    sql_int(&q, ":branch", a->branch_id);
    sql_int(&q, ":job", a->job_id);
    sql_int(&q, ":commit", a->commit_id);
    store_alert_bind(&q, a);
    return sql_id_of(&q, &a->id, e);
}

int store_cause_alert_put(struct store *s, struct alert *a, struct err *e)
{
    if (!a->id)
        return add_alert(s, a, e);
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "UPDATE alert SET commit_id = :commit, kind = :kind, title = :title, why = :why,"
           " state = :state, closed_ms = iif(:state = 'noise', coalesce(closed_ms, :now),"
           "  iif(state = 'noise', NULL, closed_ms))"
           " WHERE id = :id AND method = 'history'");
    sql_int(&q, ":commit", a->commit_id);
    sql_int(&q, ":id", a->id);
    store_alert_bind(&q, a);
    return sql_run(&q, e);
}

int store_cause_link(struct store *s, int64_t change_point, int64_t alert, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE change_point SET alert_id = :alert WHERE id = :id");
    sql_int(&q, ":alert", alert);
    sql_int(&q, ":id", change_point);
    return sql_run(&q, e);
}

/* The one id that a statement answers, 0 when it answers none. */
static int one_id(struct sql *q, int64_t *out, struct err *e)
{
    bool row;
    if (sql_step(q, &row, e) < 0)
        return -1;
    *out = row ? sql_col_int(q, 0) : 0;
    return 0;
}

int store_cause_pair_alert(struct store *s, int64_t branch_id, int64_t lo, int64_t hi,
                           int64_t *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "SELECT a.id FROM alert a JOIN branch_commit bc ON bc.commit_id ="
                    " a.commit_id AND bc.branch_id = a.branch_id"
                    " WHERE a.branch_id = :branch AND a.method = 'pair' AND a.mr_id IS NULL"
                    " AND a.state <> 'noise' AND bc.pos BETWEEN :lo AND :hi"
                    " ORDER BY a.id LIMIT 1");
    sql_int(&q, ":branch", branch_id);
    sql_int(&q, ":lo", lo);
    sql_int(&q, ":hi", hi);
    return one_id(&q, out, e);
}

int store_cause_is_history(struct store *s, int64_t alert, bool *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT 1 FROM alert WHERE id = :id AND method = 'history'");
    sql_int(&q, ":id", alert);
    return sql_step(&q, out, e);
}

int store_cause_retract(struct store *s, int64_t alert, const char *why, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE alert SET state = 'noise', why = :why,"
                               " closed_ms = coalesce(closed_ms, :now)"
                               " WHERE id = :id AND method = 'history' AND state <> 'noise'");
    sql_text(&q, ":why", why);
    sql_int(&q, ":now", clock_wall_ms());
    sql_int(&q, ":id", alert);
    return sql_run(&q, e);
}

/* --- commits and jobs --------------------------------------------------------------------- */

int store_cause_commit(struct store *s, int64_t branch_id, int64_t pos, int64_t *out,
                       struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT commit_id FROM branch_commit"
                               " WHERE branch_id = :branch AND pos = :pos AND live = 1");
    sql_int(&q, ":branch", branch_id);
    sql_int(&q, ":pos", pos);
    return one_id(&q, out, e);
}

int store_cause_between(struct store *s, int64_t branch_id, int64_t after, int64_t before,
                        int64_t *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "SELECT commit_id FROM (SELECT commit_id, row_number() OVER (ORDER BY pos) AS i,"
           "  count(*) OVER () AS n FROM branch_commit WHERE branch_id = :branch AND live = 1"
           "  AND pos > :after AND pos < :before) WHERE i = (n + 1) / 2");
    sql_int(&q, ":branch", branch_id);
    sql_int(&q, ":after", after);
    sql_int(&q, ":before", before);
    return one_id(&q, out, e);
}

int store_cause_job(struct store *s, int64_t branch_id, int64_t base, int64_t head,
                    struct cause_job *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "SELECT id, state IN ('judged', 'reported', 'failed'), coalesce(outcome, '')"
           " FROM job WHERE branch_id = :branch AND head = :head AND base = :base"
           " AND kind = 'bisect' AND state <> 'superseded' ORDER BY id DESC LIMIT 1");
    bool row;
    sql_int(&q, ":branch", branch_id);
    sql_int(&q, ":base", base);
    sql_int(&q, ":head", head);
    *out = (struct cause_job){0};
    if (sql_step(&q, &row, e) < 0)
        return -1;
    if (!row)
        return 0;
    out->id = sql_col_int(&q, 0);
    out->over = sql_col_int(&q, 1) != 0;
    for (int i = OUTCOME_NONE + 1; i < OUTCOME_COUNT; i++)
        if (view_eqz(sql_col_view(&q, 2), outcome_names[i]))
            out->outcome = (enum outcome)i;
    return 0;
}
