/* SPDX-License-Identifier: MIT */
/*
 * store_view_overview: the page of a branch. One statement for each kind of row: commits, merge
 * requests, series with their newest points, change points, alerts.
 */
#include "store_view_own.h"

static int read_branch(struct view_read *r, int64_t repo_id, const char *name, int64_t *out_id,
                       int64_t *out_last, bool *found, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(r->store, "SELECT id, coalesce((SELECT max(pos) FROM branch_commit"
                                      "  WHERE branch_id = branch.id), 0)"
                                      " FROM branch WHERE repo_id = :repo AND name = :name");
    sql_int(&q, ":repo", repo_id);
    sql_text(&q, ":name", name);
    if (sql_step(&q, found, e) < 0)
        return -1;
    if (*found) {
        *out_id = sql_col_int(&q, 0);
        *out_last = sql_col_int(&q, 1);
    }
    return 0;
}

static int read_commits(struct view_read *r, struct view_overview *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(r->store,
                 "SELECT bc.pos, c.author_ms, c.sha, c.subject, c.author, "
                 "bc.live," VIEW_JOB_BRIEF_COLUMNS
                 " FROM branch_commit bc JOIN git_commit c ON c.id = bc.commit_id"
                 " LEFT JOIN job j ON j.id = (SELECT max(id) FROM job"
                 "   WHERE branch_id = bc.branch_id AND head = bc.commit_id AND mr_id IS NULL"
                 "   AND kind NOT IN ('confirm', 'bisect', 'anchor') AND state <> 'superseded')"
                 " LEFT JOIN verdict v ON v.job_id = j.id"
                 " WHERE bc.branch_id = :branch ORDER BY bc.pos DESC LIMIT :limit");
    bool row;
    sql_int(&q, ":branch", out->branch_id);
    sql_int(&q, ":limit", VIEW_COMMITS_MAX);
    while (true) {
        if (sql_step(&q, &row, e) < 0)
            return -1;
        if (!row)
            return 0;
        *vec_push(&out->commits) = (struct view_commit){
            .pos = sql_col_int(&q, 0),
            .at_ms = sql_col_int(&q, 1),
            .sha = sql_col_sha(&q, 2),
            .subject = view_keep(r, &q, 3),
            .author = view_keep(r, &q, 4),
            .live = sql_col_int(&q, 5) != 0,
            .job = view_read_brief(r, &q, 6),
        };
    }
}

static int read_merge_requests(struct view_read *r, int64_t repo_id, const char *branch,
                               struct view_overview *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        r->store, "SELECT m.number, m.target, m.state, c.subject, c.sha," VIEW_JOB_BRIEF_COLUMNS
                  " FROM merge_request m LEFT JOIN git_commit c ON c.id = m.head"
                  " LEFT JOIN job j ON j.id = (SELECT max(id) FROM job WHERE mr_id = m.id"
                  "   AND kind = 'mr' AND state <> 'superseded')"
                  " LEFT JOIN verdict v ON v.job_id = j.id"
                  " WHERE m.repo_id = :repo AND m.target = :branch"
                  " ORDER BY m.state = 'closed', m.number DESC LIMIT :limit");
    bool row;
    sql_int(&q, ":repo", repo_id);
    sql_text(&q, ":branch", branch);
    sql_int(&q, ":limit", VIEW_MERGE_REQUESTS_MAX);
    while (true) {
        if (sql_step(&q, &row, e) < 0)
            return -1;
        if (!row)
            return 0;
        *vec_push(&out->merge_requests) = (struct view_merge_request){
            .number = sql_col_int(&q, 0),
            .target = view_keep(r, &q, 1),
            .state = view_keep(r, &q, 2),
            .subject = view_keep(r, &q, 3),
            .head = sql_col_sha(&q, 4),
            .job = view_read_brief(r, &q, 5),
        };
    }
}

/* Points arrive by series, so a series is new when its id differs from the last one's. */
static int read_series(struct view_read *r, int64_t last, struct view_overview *out,
                       struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        r->store,
        "SELECT t.pos, t.value," VIEW_SERIES_COLUMNS
        " FROM (SELECT * FROM series WHERE branch_id = :branch AND EXISTS (SELECT 1 FROM point"
        "   WHERE series_id = series.id AND pos > :stale)"
        "   ORDER BY scenario, endpoint, metric, id LIMIT :limit) s" VIEW_SERIES_JOINS
        " JOIN point t ON t.series_id = s.id AND t.pos >= coalesce((SELECT pos FROM point"
        "   WHERE series_id = s.id ORDER BY pos DESC LIMIT 1 OFFSET :newest), 0)"
        " JOIN branch_commit bc ON bc.branch_id = s.branch_id AND bc.pos = t.pos AND bc.live = "
        "1"
        " ORDER BY s.scenario, s.endpoint, s.metric, s.id, t.pos");
    bool row;
    sql_int(&q, ":branch", out->branch_id);
    sql_int(&q, ":stale", last - VIEW_STALE_POSITIONS);
    sql_int(&q, ":limit", VIEW_SERIES_MAX);
    sql_int(&q, ":newest", VIEW_SPARK_POINTS - 1);
    while (true) {
        if (sql_step(&q, &row, e) < 0)
            return -1;
        if (!row)
            return 0;
        size_t n = out->series.len;
        if (n == 0 || out->series.at[n - 1].id != sql_col_int(&q, 2)) {
            struct view_series s = view_read_series(r, &q, 2);
            s.first = out->sparks.len;
            *vec_push(&out->series) = s;
        }
        out->series.at[out->series.len - 1].len++;
        *vec_push(&out->sparks) =
            (struct view_spark){.pos = sql_col_int(&q, 0), .value = sql_col_real(&q, 1)};
    }
}

static int read_changes(struct view_read *r, struct view_overview *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(r->store, "SELECT" VIEW_CHANGE_COLUMNS
                                      " FROM series s JOIN change_point c ON c.series_id = s.id"
                                      " WHERE s.branch_id = :branch AND c.state <> 'retracted'"
                                      " ORDER BY c.series_id, c.pos, c.method");
    bool row;
    sql_int(&q, ":branch", out->branch_id);
    while (true) {
        if (sql_step(&q, &row, e) < 0)
            return -1;
        if (!row)
            return 0;
        *vec_push(&out->changes) = view_read_change(r, &q);
    }
}

int store_view_overview(struct view_read *r, int64_t repo_id, const char *branch,
                        struct view_overview *out, bool *found, struct err *e)
{
    int64_t last = 0;
    if (read_branch(r, repo_id, branch, &out->branch_id, &last, found, e) < 0)
        return -1;
    if (!*found)
        return 0;
    struct view_alert_filter alerts = {
        .repo_id = repo_id, .branch_id = out->branch_id, .limit = 100};
    if (read_commits(r, out, e) < 0 || read_merge_requests(r, repo_id, branch, out, e) < 0 ||
        read_series(r, last, out, e) < 0 || read_changes(r, out, e) < 0)
        return -1;
    return store_view_alerts(r, &alerts, &out->alerts, e);
}

void view_overview_done(struct view_overview *o)
{
    vec_done(&o->commits);
    vec_done(&o->merge_requests);
    vec_done(&o->series);
    vec_done(&o->sparks);
    vec_done(&o->changes);
    vec_done(&o->alerts.at);
}
