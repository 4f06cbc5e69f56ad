/* SPDX-License-Identifier: MIT */
/* store_view: reads in one snapshot, and the lists of repositories and alerts. */
#include "store_view.h"

#include "mem.h"
#include "store_view_own.h"

int store_view_begin(struct store *s, struct view_read *r, struct err *e)
{
    *r = (struct view_read){.store = s};
    if (store_exec(s, "BEGIN", e) < 0)
        return -1;
    r->open = true;
    return 0;
}

void store_view_done(struct view_read *r)
{
    if (r->open && !sqlite3_get_autocommit(r->store->db))
        (void)store_exec(r->store, "COMMIT", NULL);
    r->open = false;
    for (size_t i = 0; i < r->texts.len; i++)
        free(r->texts.at[i]);
    vec_done(&r->texts);
}

const char *view_keep(struct view_read *r, struct sql *q, int column)
{
    char *text = sql_col_dup(q, column);
    if (text)
        *vec_push(&r->texts) = text;
    return text;
}

struct view view_keep_bytes(struct view_read *r, struct sql *q, int column)
{
    size_t len = sql_col_view(q, column).len;
    return (struct view){view_keep(r, q, column), len};
}

static int one_number(struct store *s, const char *text, int64_t *out, struct err *e)
{
    AUTO(sql_done) struct sql q = sql_open(s, text);
    bool row;
    if (sql_step(&q, &row, e) < 0)
        return -1;
    *out = row ? sql_col_int(&q, 0) : 0;
    return 0;
}

int store_view_version(struct store *s, uint64_t *out, struct err *e)
{
    int64_t others;
    if (one_number(s, "PRAGMA data_version", &others, e) < 0)
        return -1;
    /* data_version leaves out what this connection wrote itself. */
    *out = ((uint64_t)others << 32) ^ (uint64_t)sqlite3_total_changes64(s->db);
    return 0;
}

int store_view_schema(struct store *s, int64_t *out, struct err *e)
{
    return one_number(s, "PRAGMA user_version", out, e);
}

/* --- repositories ------------------------------------------------------------------------- */

static void read_repo(struct view_read *r, struct sql *q, struct view_repo *out)
{
    *out = (struct view_repo){
        .id = sql_col_int(q, 0),
        .name = view_keep(r, q, 1),
        .url = view_keep(r, q, 2),
        .default_branch = view_keep(r, q, 3),
        .branches_json = view_keep(r, q, 4),
        .fetched_ms = sql_col_int(q, 5),
        .fetch_error = view_keep(r, q, 6),
        .queued = sql_col_int(q, 7),
        .running = sql_col_int(q, 8),
        .open_alerts = sql_col_int(q, 9),
        .last_job = sql_col_int(q, 10),
        .last_outcome = view_keep(r, q, 11),
        .last_confirmed = sql_col_int(q, 12) != 0,
        .last_sha = sql_col_sha(q, 13),
        .last_subject = view_keep(r, q, 14),
    };
}

int store_view_repos(struct view_read *r, const char *name, struct view_repos *out,
                     struct err *e)
{
    /* The newest judged job is found by walking job_repo backwards, which ends after a few
     * rows. */
    AUTO(sql_done)
    struct sql q = sql_open(
        r->store,
        "SELECT p.id, p.name, p.url, p.default_branch,"
        " (SELECT json_group_array(name) FROM branch WHERE repo_id = p.id AND tip IS NOT NULL),"
        " p.fetched_ms, p.fetch_error, coalesce(w.queued, 0), coalesce(w.running, 0),"
        " (SELECT count(*) FROM alert WHERE repo_id = p.id AND state = 'open'"
        "   AND kind = 'regression'"
        "   AND closed_ms IS NULL),"
        " j.id, j.outcome, coalesce(v.confirmed, 0), c.sha, c.subject"
        " FROM repo p"
        " LEFT JOIN (SELECT repo_id, sum(state = 'queued') AS queued,"
        "   sum(state <> 'queued') AS running FROM job"
        "   WHERE state IN ('queued', 'submitted', 'running') GROUP BY repo_id) w"
        "  ON w.repo_id = p.id"
        " LEFT JOIN job j ON j.id = (SELECT id FROM job WHERE repo_id = p.id"
        "   AND state IN ('judged', 'reported') AND kind IN ('push', 'backfill', 'bisect')"
        "   ORDER BY id DESC LIMIT 1)"
        " LEFT JOIN verdict v ON v.job_id = j.id"
        " LEFT JOIN git_commit c ON c.id = j.head"
        " WHERE CASE WHEN :name IS NULL THEN p.configured = 1 ELSE p.name = :name END"
        " ORDER BY p.name");
    bool row;
    sql_text(&q, ":name", name);
    while (true) {
        if (sql_step(&q, &row, e) < 0)
            return -1;
        if (!row)
            return 0;
        read_repo(r, &q, vec_push(&out->at));
    }
}

/* --- alerts ------------------------------------------------------------------------------- */

int store_view_alerts(struct view_read *r, const struct view_alert_filter *f,
                      struct view_alerts *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        r->store, "SELECT a.id, a.job_id, bc.pos, m.number, a.created_ms, p.name, a.kind,"
                  " a.state, a.title, c.sha, a.method, a.why"
                  " FROM alert a JOIN repo p ON p.id = a.repo_id"
                  " JOIN git_commit c ON c.id = a.commit_id"
                  " LEFT JOIN merge_request m ON m.id = a.mr_id"
                  " LEFT JOIN branch_commit bc ON bc.commit_id = a.commit_id"
                  "  AND bc.branch_id = a.branch_id"
                  " WHERE (:repo IS NULL OR a.repo_id = :repo)"
                  " AND (:branch IS NULL OR a.branch_id = :branch)"
                  " AND (:noise OR a.state <> 'noise')"
                  " ORDER BY a.id DESC LIMIT :limit");
    bool row;
    sql_id(&q, ":repo", f->repo_id);
    sql_id(&q, ":branch", f->branch_id);
    sql_int(&q, ":noise", f->noise_too);
    sql_int(&q, ":limit", f->limit);
    while (true) {
        if (sql_step(&q, &row, e) < 0)
            return -1;
        if (!row)
            return 0;
        *vec_push(&out->at) = (struct view_alert){
            .id = sql_col_int(&q, 0),
            .job = sql_col_int(&q, 1),
            .pos = sql_col_int(&q, 2),
            .mr = sql_col_int(&q, 3),
            .created_ms = sql_col_int(&q, 4),
            .repo = view_keep(r, &q, 5),
            .kind = view_keep(r, &q, 6),
            .state = view_keep(r, &q, 7),
            .title = view_keep(r, &q, 8),
            .sha = sql_col_sha(&q, 9),
            .method = view_keep(r, &q, 10),
            .why = view_keep(r, &q, 11),
        };
    }
}

/* --- shared readers ----------------------------------------------------------------------- */

struct view_job_brief view_read_brief(struct view_read *r, struct sql *q, int first)
{
    return (struct view_job_brief){
        .id = sql_col_int(q, first),
        .kind = view_keep(r, q, first + 1),
        .state = view_keep(r, q, first + 2),
        .outcome = view_keep(r, q, first + 3),
        .confirmed = sql_col_int(q, first + 4) != 0,
        .failure_class = view_keep(r, q, first + 5),
        .failure = view_keep(r, q, first + 6),
    };
}

struct view_series view_read_series(struct view_read *r, struct sql *q, int first)
{
    return (struct view_series){
        .id = sql_col_int(q, first),
        .branch_id = sql_col_int(q, first + 1),
        .repo = view_keep(r, q, first + 2),
        .branch = view_keep(r, q, first + 3),
        .scenario = view_keep(r, q, first + 4),
        .endpoint = view_keep(r, q, first + 5),
        .metric = view_keep(r, q, first + 6),
        .unit = view_keep(r, q, first + 7),
        .host = view_keep(r, q, first + 8),
        .direction = (int)sql_col_int(q, first + 9),
        .variant = view_keep(r, q, first + 10),
    };
}

struct view_change view_read_change(struct view_read *r, struct sql *q)
{
    struct view_change c = {
        .series_id = sql_col_int(q, 0),
        .pos = sql_col_int(q, 1),
        .after_pos = sql_col_int(q, 2),
        .pos_lo = sql_col_int(q, 3),
        .pos_hi = sql_col_int(q, 4),
        .before = sql_col_real(q, 5),
        .after = sql_col_real(q, 6),
        .effect = sql_col_real(q, 7),
        .lo = sql_col_real(q, 8),
        .hi = sql_col_real(q, 9),
        .method = view_keep(r, q, 10),
        .state = view_keep(r, q, 11),
        .why = view_keep(r, q, 12),
    };
    c.worse = c.effect * (double)sql_col_int(q, 13) < 0;
    return c;
}
