/* SPDX-License-Identifier: MIT */
/* store_remote: see store_remote.h. */
#include "store_remote.h"

#include "clock.h"
#include "store_sql.h"

static void bind(struct sql *q, const struct remote_object *r)
{
    sql_int(q, ":repo", r->repo_id);
    sql_text(q, ":target", outbox_target_names[r->target]);
    sql_text(q, ":slot", r->slot);
}

int store_remote_get(struct store *s, struct remote_object *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT remote_id, asked_ms, said FROM remote_object"
                               " WHERE repo_id = :repo AND target = :target AND slot = :slot");
    bool row;
    bind(&q, out);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    out->id[0] = out->said[0] = '\0';
    out->asked_ms = 0;
    if (!row)
        return 0;
    sql_col_copy(&q, 0, out->id, sizeof out->id);
    out->asked_ms = sql_col_int(&q, 1);
    sql_col_copy(&q, 2, out->said, sizeof out->said);
    return 0;
}

int store_remote_put(struct store *s, const struct remote_object *r, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "INSERT INTO remote_object(repo_id, target, slot, remote_id, asked_ms, said)"
           " VALUES(:repo, :target, :slot, :remote, :asked, :said)"
           " ON CONFLICT(repo_id, target, slot) DO UPDATE SET"
           " remote_id = :remote, asked_ms = :asked, said = :said");
    bind(&q, r);
    sql_text(&q, ":remote", r->id);
    sql_id(&q, ":asked", r->asked_ms);
    sql_text(&q, ":said", r->said);
    return sql_run(&q, e);
}

/* --- jobs under way ------------------------------------------------------------------------
 */

static void read_progress(struct sql *q, struct progress *out)
{
    *out = (struct progress){
        .job = sql_col_int(q, 0),
        .repo_id = sql_col_int(q, 1),
        .mr = sql_col_int(q, 4),
        .head = sql_col_sha(q, 5),
        .kind = (enum job_kind)sql_col_word(q, 6, job_kind_names, JOB_KIND_COUNT),
        .state = (enum job_state)sql_col_word(q, 7, job_state_names, JOB_STATE_COUNT),
        .rounds_done = sql_col_int(q, 9),
        .rounds_planned = sql_col_int(q, 10),
        .eta_ms = sql_col_int(q, 11),
        .before = sql_col_int(q, 12),
        .spec_id = sql_col_int(q, 13),
        .told_ms = sql_col_int(q, 15),
    };
    sql_col_copy(q, 2, out->repo, sizeof out->repo);
    sql_col_copy(q, 3, out->branch, sizeof out->branch);
    sql_col_copy(q, 8, out->stage, sizeof out->stage);
    sql_col_copy(q, 14, out->told, sizeof out->told);
}

int store_progress_next(struct store *s, int64_t after, struct progress *out, bool *found,
                        struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "SELECT j.id, j.repo_id, r.name, b.name, m.number, c.sha, j.kind, j.state,"
           " a.stage, a.rounds_done, a.rounds_planned, a.eta_ms,"
           " iif(j.state = 'queued', (SELECT count(*) FROM job q WHERE q.state = 'queued' AND"
           "  (q.priority > j.priority OR (q.priority = j.priority AND q.id < j.id))), 0),"
           " coalesce(j.spec_id, (SELECT max(p.id) FROM spec p WHERE p.repo_id = j.repo_id)),"
           " t.words, t.at_ms"
           " FROM job j JOIN repo r ON r.id = j.repo_id JOIN branch b ON b.id = j.branch_id"
           " JOIN git_commit c ON c.id = j.head"
           " LEFT JOIN merge_request m ON m.id = j.mr_id"
           " LEFT JOIN job f ON f.id = j.confirms"
           " LEFT JOIN job_told t ON t.job_id = j.id"
           " LEFT JOIN attempt a ON a.job_id = j.id AND"
           "  a.n = (SELECT max(n) FROM attempt x WHERE x.job_id = j.id)"
           " WHERE j.id > :after AND coalesce(f.kind, j.kind) IN ('mr', 'push')"
           " AND (j.state IN ('queued', 'submitted', 'running') OR"
           "  (j.state = 'superseded' AND t.job_id IS NOT NULL))"
           " ORDER BY j.id LIMIT 1");
    sql_int(&q, ":after", after);
    if (sql_step(&q, found, e) < 0)
        return -1;
    if (*found)
        read_progress(&q, out);
    return 0;
}

int store_progress_told(struct store *s, int64_t job, const char *words, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "INSERT INTO job_told(job_id, words, at_ms)"
                               " VALUES(:job, :words, :now) ON CONFLICT(job_id) DO UPDATE SET"
                               " words = :words, at_ms = :now");
    sql_int(&q, ":job", job);
    sql_text(&q, ":words", words);
    sql_int(&q, ":now", clock_wall_ms());
    return sql_run(&q, e);
}

int store_progress_forget(struct store *s, int64_t job, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "DELETE FROM job_told WHERE job_id = :job OR job_id IN"
                               " (SELECT t.job_id FROM job_told t JOIN job j ON j.id = t.job_id"
                               "  WHERE j.state IN ('judged', 'reported', 'failed'))");
    sql_int(&q, ":job", job);
    return sql_run(&q, e);
}
