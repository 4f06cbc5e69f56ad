/* SPDX-License-Identifier: MIT */
/* store_view_job: lists of jobs, and everything about one. */
#include "store_job.h"
#include "store_view_own.h"

/* --- lists -------------------------------------------------------------------------------- */

static struct view_job read_job(struct view_read *r, struct sql *q)
{
    int at = VIEW_JOB_BRIEF_COUNT;
    return (struct view_job){
        .brief = view_read_brief(r, q, 0),
        .repo = view_keep(r, q, at),
        .branch = view_keep(r, q, at + 1),
        .subject = view_keep(r, q, at + 2),
        .failure_side = view_keep(r, q, at + 3),
        .mr = sql_col_int(q, at + 4),
        .confirms = sql_col_int(q, at + 5),
        .base = sql_col_sha(q, at + 6),
        .head = sql_col_sha(q, at + 7),
        .created_ms = sql_col_int(q, at + 8),
        .started_ms = sql_col_int(q, at + 9),
        .finished_ms = sql_col_int(q, at + 10),
        .attempt = sql_col_int(q, at + 11),
        .stage = view_keep(r, q, at + 12),
        .rounds_done = sql_col_int(q, at + 13),
        .rounds_planned = sql_col_int(q, at + 14),
        .eta_ms = sql_col_int(q, at + 15),
        .beat_ms = sql_col_int(q, at + 16),
        .before = sql_col_int(q, at + 17),
        .spec_id = sql_col_int(q, at + 18),
    };
}

static void add_states(struct str *out, unsigned states)
{
    for (int i = 0; i < JOB_STATE_COUNT; i++)
        if (!states || states & 1u << i)
            str_addf(out, "%s\"%s\"", out->len ? "," : "[", job_state_names[i]);
    str_addc(out, ']');
}

int store_view_jobs(struct view_read *r, const struct view_job_filter *f, struct view_jobs *out,
                    struct err *e)
{
    /* 'line' is the queue in the order in which jobs are taken. */
    AUTO(sql_done)
    struct sql q = sql_open(
        r->store,
        "WITH line AS MATERIALIZED (SELECT id,"
        "  row_number() OVER (ORDER BY priority DESC, id) - 1 + (SELECT count(*) FROM job"
        "   WHERE state IN ('submitted', 'running')) AS before FROM job WHERE state = 'queued')"
        " SELECT" VIEW_JOB_BRIEF_COLUMNS
        ", p.name, b.name, h.subject, j.failure_side, m.number,"
        " j.confirms, k.sha, h.sha, j.created_ms, j.started_ms, j.finished_ms, a.n, a.stage,"
        " coalesce(a.rounds_done, 0), coalesce(a.rounds_planned, 0), a.eta_ms, a.beat_ms,"
        " coalesce(line.before, -1), j.spec_id"
        " FROM job j JOIN repo p ON p.id = j.repo_id JOIN branch b ON b.id = j.branch_id"
        " JOIN git_commit h ON h.id = j.head LEFT JOIN git_commit k ON k.id = j.base"
        " LEFT JOIN merge_request m ON m.id = j.mr_id LEFT JOIN verdict v ON v.job_id = j.id"
        " LEFT JOIN attempt a ON a.job_id = j.id"
        "  AND a.n = (SELECT max(n) FROM attempt WHERE job_id = j.id)"
        " LEFT JOIN line ON line.id = j.id"
        " WHERE j.id BETWEEN :first AND :last AND (:repo IS NULL OR j.repo_id = :repo)"
        " AND (:all OR j.state IN (SELECT value FROM json_each(:states)))"
        " ORDER BY j.id DESC LIMIT :limit");
    AUTO(str_done) struct str states = STR_INIT(512);
    bool row;
    add_states(&states, f->states);
    /* A range of row ids serves one job and all jobs alike, without a scan for one. */
    sql_int(&q, ":first", f->id ? f->id : 0);
    sql_int(&q, ":last", f->id ? f->id : INT64_MAX);
    sql_id(&q, ":repo", f->repo_id);
    sql_int(&q, ":all", f->states == 0);
    sql_view(&q, ":states", str_view(&states));
    sql_int(&q, ":limit", f->limit);
    while (true) {
        if (sql_step(&q, &row, e) < 0)
            return -1;
        if (!row)
            return 0;
        *vec_push(&out->at) = read_job(r, &q);
    }
}

/* --- one job ------------------------------------------------------------------------------ */

static int read_run(struct view_read *r, int64_t job, struct view_job_page *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        r->store, "SELECT n.host, n.identity_json, t.facts_json, u.noise_json, u.started_ms,"
                  " u.ended_ms, u.identical, u.base_artifact, u.head_artifact,"
                  " u.rounds_planned, u.end_reason, u.notes"
                  " FROM run u JOIN environment_state t ON t.id = u.env_state_id"
                  " JOIN environment n ON n.id = t.environment_id WHERE u.job_id = :job");
    sql_int(&q, ":job", job);
    if (sql_step(&q, &out->has_run, e) < 0)
        return -1;
    if (!out->has_run)
        return 0;
    out->host = view_keep(r, &q, 0);
    out->identity_json = view_keep(r, &q, 1);
    out->state_json = view_keep(r, &q, 2);
    out->noise_json = view_keep(r, &q, 3);
    out->started_ms = sql_col_int(&q, 4);
    out->ended_ms = sql_col_int(&q, 5);
    out->identical = sql_col_int(&q, 6) != 0;
    out->base_artifact = view_keep_bytes(r, &q, 7);
    out->head_artifact = view_keep_bytes(r, &q, 8);
    out->rounds_planned = sql_col_int(&q, 9);
    out->end = view_keep(r, &q, 10);
    out->notes = view_keep(r, &q, 11);
    return 0;
}

static int read_verdict(struct view_read *r, int64_t job, struct view_job_page *out,
                        struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(r->store, "SELECT outcome, why, confirmed, rounds, rounds_void"
                                      " FROM verdict WHERE job_id = :job");
    sql_int(&q, ":job", job);
    if (sql_step(&q, &out->has_verdict, e) < 0)
        return -1;
    if (!out->has_verdict)
        return 0;
    out->outcome = view_keep(r, &q, 0);
    out->why = view_keep(r, &q, 1);
    out->confirmed = sql_col_int(&q, 2) != 0;
    out->rounds_counted = sql_col_int(&q, 3);
    out->rounds_void = sql_col_int(&q, 4);
    return 0;
}

static struct view_verdict_row read_row(struct view_read *r, struct sql *q)
{
    int at = VIEW_SERIES_COUNT;
    return (struct view_verdict_row){
        .series = view_read_series(r, q, 0),
        .primary = sql_col_int(q, at) != 0,
        .base = sql_col_real(q, at + 1),
        .head = sql_col_real(q, at + 2),
        .effect = sql_col_real(q, at + 3),
        .lo = sql_col_real(q, at + 4),
        .hi = sql_col_real(q, at + 5),
        .noise = sql_col_real(q, at + 6),
        .least_effect = sql_col_real(q, at + 7),
        .detectable = sql_col_real(q, at + 8),
        .rounds = sql_col_int(q, at + 9),
        .outcome = view_keep(r, q, at + 10),
        .why = view_keep(r, q, at + 11),
    };
}

#define ROW_COLUMNS                                                                  \
    ", w.is_primary, w.base, w.head, w.effect, w.lo, w.hi, w.noise, w.least_effect," \
    " w.detectable, w.rounds, w.outcome, w.why"

static int read_rows(struct view_read *r, int64_t job, struct view_job_page *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        r->store,
        "SELECT" VIEW_SERIES_COLUMNS ROW_COLUMNS
        " FROM verdict v JOIN verdict_row w ON w.verdict_id = v.id"
        " JOIN series s ON s.id = w.series_id" VIEW_SERIES_JOINS " WHERE v.job_id = :job"
        " ORDER BY CASE w.outcome WHEN 'slower' THEN 0 WHEN 'faster' THEN 1"
        "   WHEN 'undecided' THEN 2 ELSE 3 END, w.is_primary DESC, abs(w.effect) DESC, s.id");
    bool row;
    sql_int(&q, ":job", job);
    while (true) {
        if (sql_step(&q, &row, e) < 0)
            return -1;
        if (!row)
            return 0;
        *vec_push(&out->rows) = read_row(r, &q);
    }
}

static int read_variants(struct view_read *r, int64_t job, struct view_job_page *out,
                         struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(r->store, "SELECT" VIEW_SERIES_COLUMNS ROW_COLUMNS ", k.variant"
                           " FROM verdict v JOIN variant_row w ON w.verdict_id = v.id"
                           " JOIN series s ON s.id = w.series_id" VIEW_SERIES_JOINS
                           " JOIN series k ON k.id = w.baseline_id WHERE v.job_id = :job"
                           " ORDER BY s.scenario, w.is_primary DESC, s.metric, s.variant");
    bool row;
    sql_int(&q, ":job", job);
    while (true) {
        if (sql_step(&q, &row, e) < 0)
            return -1;
        if (!row)
            return 0;
        *vec_push(&out->variants) = read_row(r, &q);
        if (!out->baseline)
            out->baseline = view_keep(r, &q, VIEW_SERIES_COUNT + 12);
    }
}

/* A row is a sample; rounds and arms begin where their number changes. */
static void take_sample(struct view_read *r, struct sql *q, struct view_job_page *out)
{
    size_t rounds = out->rounds.len;
    if (rounds == 0 || out->rounds.at[rounds - 1].n != sql_col_int(q, 0))
        *vec_push(&out->rounds) = (struct view_round){.n = sql_col_int(q, 0),
                                                      .kind = view_keep(r, q, 1),
                                                      .void_reason = view_keep(r, q, 2),
                                                      .first = out->arms.len};
    struct view_round *round = &out->rounds.at[out->rounds.len - 1];
    if (sqlite3_column_type(q->stmt, 3) == SQLITE_NULL)
        return;
    if (round->len == 0 || out->arms.at[out->arms.len - 1].place != sql_col_int(q, 3)) {
        *vec_push(&out->arms) = (struct view_arm){.place = sql_col_int(q, 3),
                                                  .side = view_keep(r, q, 4),
                                                  .copy = sql_col_int(q, 5),
                                                  .gauges_json = view_keep(r, q, 6),
                                                  .first = out->samples.len};
        round->len++;
    }
    if (sqlite3_column_type(q->stmt, 7) == SQLITE_NULL)
        return;
    out->arms.at[out->arms.len - 1].len++;
    *vec_push(&out->samples) =
        (struct view_sample){.series_id = sql_col_int(q, 7), .value = sql_col_real(q, 8)};
}

static int read_rounds(struct view_read *r, int64_t job, struct view_job_page *out,
                       struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        r->store, "SELECT d.n, d.kind, d.void_reason, a.place, a.side, a.copy, a.gauges_json,"
                  " x.series_id, x.value"
                  " FROM run u JOIN round d ON d.run_id = u.id"
                  " LEFT JOIN arm a ON a.round_id = d.id LEFT JOIN sample x ON x.arm_id = a.id"
                  " WHERE u.job_id = :job ORDER BY d.n, a.place, x.series_id LIMIT :limit");
    bool row;
    sql_int(&q, ":job", job);
    sql_int(&q, ":limit", VIEW_SAMPLES_MAX + 1);
    for (int64_t n = 0;; n++) {
        if (sql_step(&q, &row, e) < 0)
            return -1;
        out->samples_cut = row && n == VIEW_SAMPLES_MAX;
        if (!row || out->samples_cut)
            return 0;
        take_sample(r, &q, out);
    }
}

static int read_stages(struct view_read *r, const struct view_job *job,
                       struct view_job_page *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(r->store, "SELECT stage FROM job_log WHERE job_id = :job"
                           " AND attempt = :attempt GROUP BY stage ORDER BY min(at_ms)");
    bool row;
    sql_int(&q, ":job", job->brief.id);
    sql_int(&q, ":attempt", job->attempt);
    while (true) {
        if (sql_step(&q, &row, e) < 0)
            return -1;
        if (!row)
            return 0;
        *vec_push(&out->stages) = view_keep(r, &q, 0);
    }
}

static int read_spec(struct view_read *r, int64_t spec_id, struct view_job_page *out,
                     struct err *e)
{
    AUTO(sql_done) struct sql q = sql_open(r->store, "SELECT body FROM spec WHERE id = :id");
    bool row;
    sql_id(&q, ":id", spec_id);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    if (row)
        out->spec = view_keep(r, &q, 0);
    return 0;
}

int store_view_job_page(struct view_read *r, const struct view_job *job,
                        struct view_job_page *out, struct err *e)
{
    int64_t id = job->brief.id;
    if (read_spec(r, job->spec_id, out, e) < 0 || read_run(r, id, out, e) < 0 ||
        read_verdict(r, id, out, e) < 0 || read_rows(r, id, out, e) < 0 ||
        read_variants(r, id, out, e) < 0 || read_rounds(r, id, out, e) < 0)
        return -1;
    return read_stages(r, job, out, e);
}

void view_job_page_done(struct view_job_page *p)
{
    vec_done(&p->rows);
    vec_done(&p->variants);
    vec_done(&p->rounds);
    vec_done(&p->arms);
    vec_done(&p->samples);
    vec_done(&p->stages);
}

int store_view_log(struct view_read *r, int64_t job, struct view stage, struct str *out,
                   bool *found, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        r->store,
        "SELECT seq, bytes FROM job_log WHERE job_id = :job AND stage = :stage"
        " AND attempt = (SELECT max(n) FROM attempt WHERE job_id = :job) ORDER BY seq");
    bool row;
    int64_t next = 0;
    *found = false;
    sql_int(&q, ":job", job);
    sql_view(&q, ":stage", stage);
    while (true) {
        if (sql_step(&q, &row, e) < 0)
            return -1;
        if (!row)
            return 0;
        int64_t seq = sql_col_int(&q, 0);
        if (seq != next)
            str_addf(out, "\n[%lld pieces are missing here]\n", (long long)(seq - next));
        str_add(out, sql_col_view(&q, 1));
        next = seq + 1;
        *found = true;
    }
}
