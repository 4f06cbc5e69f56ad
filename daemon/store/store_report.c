/* SPDX-License-Identifier: MIT */
/* store_report: see store_report.h. */
#include "store_report.h"

#include <inttypes.h>

#include "store_job.h"
#include "store_sql.h"
#include "store_verdict.h"

static void read_sha(struct sql *q, int column, char out[JOB_SHA_MAX + 1])
{
    struct sha sha = sql_col_sha(q, column);
    sha_hex(&sha, out);
}

static void read_spec(struct sql *q, int column, char out[REPORT_SPEC_HEX + 1])
{
    static const char digits[] = "0123456789abcdef";
    struct view hash = sql_col_view(q, column);
    size_t i = 0;
    for (; i < REPORT_SPEC_HEX && i / 2 < hash.len; i++)
        out[i] = digits[(unsigned char)hash.at[i / 2] >> (i % 2 ? 0 : 4) & 15];
    out[i] = '\0';
}

static int load_job(struct store *s, int64_t job, struct report *r, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "SELECT j.confirms, j.kind, j.state, p.name, b.name, m.number, base.sha,"
           " head.sha, mb.sha, head.subject, j.seed, spec.hash, n.host, run.started_ms,"
           " run.ended_ms, c.id, run.notes, run.rounds_planned, run.end_reason,"
           " coalesce(json_extract(n.identity_json, '$.pairing') = 'duet', 0)"
           " FROM job j JOIN repo p ON p.id = j.repo_id"
           " JOIN branch b ON b.id = j.branch_id JOIN git_commit head ON head.id = j.head"
           " LEFT JOIN git_commit base ON base.id = j.base"
           " LEFT JOIN merge_request m ON m.id = j.mr_id"
           " LEFT JOIN git_commit mb ON mb.id = m.merge_base"
           " LEFT JOIN spec ON spec.id = j.spec_id LEFT JOIN run ON run.job_id = j.id"
           " LEFT JOIN environment_state t ON t.id = run.env_state_id"
           " LEFT JOIN environment n ON n.id = t.environment_id"
           " LEFT JOIN job c ON c.confirms = j.id"
           "  AND c.state IN ('queued', 'submitted', 'running', 'measured')"
           " WHERE j.id = :job ORDER BY c.id LIMIT 1");
    bool row;
    sql_int(&q, ":job", job);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "no job %" PRId64, job);
    r->job = job;
    r->confirms = sql_col_int(&q, 0);
    r->kind = (enum job_kind)sql_col_word(&q, 1, job_kind_names, JOB_KIND_COUNT);
    r->state = (enum job_state)sql_col_word(&q, 2, job_state_names, JOB_STATE_COUNT);
    sql_col_copy(&q, 3, r->repo, sizeof r->repo);
    sql_col_copy(&q, 4, r->branch, sizeof r->branch);
    r->mr = sql_col_int(&q, 5);
    read_sha(&q, 6, r->base);
    read_sha(&q, 7, r->head);
    read_sha(&q, 8, r->merge_base);
    sql_col_copy(&q, 9, r->subject, sizeof r->subject);
    r->seed = sql_col_int(&q, 10);
    read_spec(&q, 11, r->spec);
    sql_col_copy(&q, 12, r->host, sizeof r->host);
    r->started_ms = sql_col_int(&q, 13);
    r->ended_ms = sql_col_int(&q, 14);
    r->confirming = sql_col_int(&q, 15);
    r->rounds_planned = (int)sql_col_int(&q, 17);
    r->end = (enum result_end)sql_col_word(&q, 18, result_end_names, RESULT_END_COUNT);
    r->duet = sql_col_int(&q, 19) != 0;
    struct view notes = sql_col_view(&q, 16);
    if (notes.len)
        r->notes = mem_strndup(notes.at, notes.len);
    return 0;
}

static int load_acceptance(struct store *s, int64_t job, struct report *r, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT who, reason FROM mr_decision WHERE job_id = :job"
                               " AND kind = 'accept' ORDER BY id DESC LIMIT 1");
    bool row;
    sql_int(&q, ":job", job);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    if (row) {
        sql_col_copy(&q, 0, r->accepted_by, sizeof r->accepted_by);
        sql_col_copy(&q, 1, r->accepted_why, sizeof r->accepted_why);
    }
    return 0;
}

int store_report_load(struct store *s, int64_t job, struct report *out, struct err *e)
{
    AUTO(report_record_done) struct report r = {.failure_side = -1};
    AUTO(job_failure_done) struct job_failure failure = {.side = -1};
    if (load_job(s, job, &r, e) < 0 || load_acceptance(s, job, &r, e) < 0 ||
        store_verdict_get(s, job, &r.verdict, &r.judged, e) < 0 ||
        (r.state == JOB_FAILED && store_job_failure(s, job, &failure, e) < 0))
        return -1;
    r.failure = failure.cls;
    r.failure_side = failure.side;
    r.failure_text = STEAL(failure.text);
    *out = r;
    r = (struct report){0};
    return 0;
}
