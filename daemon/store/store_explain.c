/* SPDX-License-Identifier: MIT */
/* store_explain: see store_explain.h. */
#include "store_explain.h"

#include "store_sql.h"

void explained_list_done(struct explained_list *l)
{
    vec_done(&l->at);
}

/* Rows of a statement that answers (what, state, why). */
static int read_rows(struct sql *q, struct explained_list *out, struct err *e)
{
    for (bool row = true;;) {
        if (sql_step(q, &row, e) < 0)
            return -1;
        if (!row)
            return 0;
        struct explained *x = vec_push(&out->at);
        *x = (struct explained){0};
        sql_col_copy(q, 0, x->what, sizeof x->what);
        sql_col_copy(q, 1, x->state, sizeof x->state);
        sql_col_copy(q, 2, x->why, sizeof x->why);
    }
}

static int read_some(struct sql *q, const char *noun, int64_t id, struct explained_list *out,
                     struct err *e)
{
    size_t before = out->at.len;
    if (read_rows(q, out, e) < 0)
        return -1;
    return out->at.len > before ? 0
                                : err_set(e, ERR_NOT_FOUND, "no %s %lld", noun, (long long)id);
}

int store_explain_job(struct store *s, int64_t job, struct explained_list *out, struct err *e)
{
    AUTO(sql_done)
    struct sql head = sql_open(
        s,
        "SELECT j.kind || ' job of ' || substr(lower(hex(c.sha)), 1, 7) || ' ' || c.subject,"
        " coalesce(v.outcome, j.state), coalesce(v.why, j.failure, 'not judged yet')"
        " FROM job j JOIN git_commit c ON c.id = j.head LEFT JOIN verdict v ON v.job_id = j.id"
        " WHERE j.id = :id");
    AUTO(sql_done)
    struct sql rows = sql_open(
        s, "SELECT e.scenario || iif(e.endpoint = '', '', ' ' || e.endpoint) || ': ' ||"
           " e.metric || iif(r.is_primary, '', ' (advisory)'), r.outcome, r.why FROM verdict v"
           " JOIN verdict_row r ON r.verdict_id = v.id JOIN series e ON e.id = r.series_id"
           " WHERE v.job_id = :id ORDER BY CASE r.outcome WHEN 'slower' THEN 0"
           "  WHEN 'faster' THEN 1 WHEN 'undecided' THEN 2 ELSE 3 END, r.is_primary DESC,"
           "  abs(r.effect) DESC");
    sql_int(&head, ":id", job);
    sql_int(&rows, ":id", job);
    return read_some(&head, "job", job, out, e) < 0 ? -1 : read_rows(&rows, out, e);
}

#define POINT_TEXT                                                                            \
    " e.scenario || iif(e.endpoint = '', '', ' ' || e.endpoint) || ': ' || e.metric || ' at " \
    "commit ' || p.pos || coalesce(' ' || substr(lower(hex(c.sha)), 1, 7) || ' ' ||"          \
    " c.subject, '') || ' (' || p.method || ')', p.state, p.why"
#define POINT_JOINS                                                                   \
    " JOIN series e ON e.id = p.series_id LEFT JOIN branch_commit b ON b.branch_id =" \
    " e.branch_id AND b.pos = p.pos LEFT JOIN git_commit c ON c.id = b.commit_id"

int store_explain_alert(struct store *s, int64_t alert, struct explained_list *out,
                        struct err *e)
{
    AUTO(sql_done)
    struct sql head =
        sql_open(s, "SELECT a.kind || ': ' || a.title || ' at ' ||"
                    " substr(lower(hex(c.sha)), 1, 7) || ' ' || c.subject, a.state, a.why"
                    " FROM alert a JOIN git_commit c ON c.id = a.commit_id WHERE a.id = :id");
    AUTO(sql_done)
    struct sql points =
        sql_open(s, "SELECT" POINT_TEXT " FROM alert a JOIN change_point p ON p.alert_id = a.id"
                    "  OR (p.method = 'pair' AND a.mr_id IS NULL)" POINT_JOINS
                    " WHERE a.id = :id AND (p.alert_id = a.id OR (b.commit_id = a.commit_id"
                    "  AND e.branch_id = a.branch_id)) ORDER BY p.state, abs(p.effect) DESC");
    sql_int(&head, ":id", alert);
    sql_int(&points, ":id", alert);
    return read_some(&head, "alert", alert, out, e) < 0 ? -1 : read_rows(&points, out, e);
}

int store_explain_series(struct store *s, int64_t series, struct explained_list *out,
                         struct err *e)
{
    AUTO(sql_done)
    struct sql head = sql_open(
        s, "SELECT e.scenario || iif(e.endpoint = '', '', ' ' || e.endpoint) || ': ' ||"
           " e.metric || ' on ' || n.host, (SELECT count(*) FROM point WHERE series_id = e.id)"
           "  || ' points', (SELECT count(*) FROM change_point WHERE series_id = e.id"
           "  AND state <> 'retracted') || ' change points, ' || (SELECT count(*) FROM"
           "  change_point WHERE series_id = e.id AND state = 'retracted') || ' retracted'"
           " FROM series e JOIN environment n ON n.id = e.environment_id WHERE e.id = :id");
    AUTO(sql_done)
    struct sql points = sql_open(s, "SELECT" POINT_TEXT " FROM change_point p" POINT_JOINS
                                    " WHERE p.series_id = :id ORDER BY p.pos, p.method");
    sql_int(&head, ":id", series);
    sql_int(&points, ":id", series);
    return read_some(&head, "series", series, out, e) < 0 ? -1 : read_rows(&points, out, e);
}
