/* SPDX-License-Identifier: MIT */
/*
 * store_run: see store_run.h.
 *
 * A series is everything that makes points comparable: branch, identity of the environment,
 * workload, scenario, endpoint, metric. The samples of a merge request hang on the series of
 * its target branch; only points, which the judge writes, are for commits of the branch.
 */
#include "store_run.h"

#include <inttypes.h>

#include "clock.h"
#include "json_write.h"
#include "mem.h"
#include "store_job.h"
#include "store_sql.h"

enum { FACTS_BYTES_MAX = 1 << 20 };

/* What is needed at each depth of the document. */
struct taking {
    struct store *s;
    const struct result_doc *doc;
    const struct spec *spec;
    /* One per scenario and combination of variants, scenario by scenario. */
    unsigned char (*workload)[DIGEST_BYTES];
    int64_t branch_id, environment_id, env_state_id, run_id;
};

static void facts_json(const struct result_fact *facts, size_t n, struct str *out)
{
    struct jw w = jw_begin(out);
    jw_object(&w, NULL);
    for (size_t i = 0; i < n; i++) {
        if (facts[i].text)
            jw_text(&w, facts[i].name, facts[i].text);
        else
            jw_real(&w, facts[i].name, facts[i].number);
    }
    jw_end(&w);
}

/* --- may it deliver? ---------------------------------------------------------------------- */

static int check_attempt(struct taking *t, bool *delivered, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(t->s, "SELECT a.state, j.branch_id,"
                                  " a.n = (SELECT max(n) FROM attempt WHERE job_id = a.job_id)"
                                  " FROM attempt a JOIN job j ON j.id = a.job_id"
                                  " WHERE a.job_id = :job AND a.n = :n");
    bool row;
    sql_int(&q, ":job", t->doc->job);
    sql_int(&q, ":n", t->doc->attempt);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_CONFLICT, "job %" PRId64 " has no attempt %" PRId64, t->doc->job,
                       t->doc->attempt);
    int state = sql_col_word(&q, 0, attempt_state_names, ATTEMPT_STATE_COUNT);
    t->branch_id = sql_col_int(&q, 1);
    *delivered = state == ATTEMPT_DELIVERED;
    if (state > ATTEMPT_DELIVERED || !sql_col_int(&q, 2))
        return err_set(e, ERR_CONFLICT, "attempt %" PRId64 " of job %" PRId64 " is over (%s)",
                       t->doc->attempt, t->doc->job, attempt_state_names[state]);
    return 0;
}

static int end_attempt(struct taking *t, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(t->s, "UPDATE attempt SET state = 'delivered', ended_ms = :now"
                                  " WHERE job_id = :job AND n = :n"
                                  " AND state IN ('submitting','submitted','running')");
    sql_int(&q, ":job", t->doc->job);
    sql_int(&q, ":n", t->doc->attempt);
    sql_int(&q, ":now", clock_wall_ms());
    return sql_move(&q, "attempt of job", t->doc->job, "open", e);
}

static int job_measured(struct taking *t, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(t->s, "UPDATE job SET state = 'measured', finished_ms = :now"
                                  " WHERE id = :id AND state IN ('submitted','running')");
    sql_int(&q, ":id", t->doc->job);
    sql_int(&q, ":now", clock_wall_ms());
    return sql_move(&q, "job", t->doc->job, "running", e);
}

/* --- where it was measured ---------------------------------------------------------------- */

static int put_environment(struct taking *t, struct err *e)
{
    const struct result_doc *d = t->doc;
    unsigned char hash[DIGEST_BYTES];
    AUTO(str_done) struct str json = STR_INIT(FACTS_BYTES_MAX);
    AUTO(sql_done)
    struct sql q = sql_open(
        t->s, "INSERT INTO environment(host, identity_hash, identity_json)"
              " VALUES(:host, :hash, :json)"
              " ON CONFLICT(identity_hash) DO UPDATE SET host = excluded.host RETURNING id");
    result_facts_digest(d->identity.at, d->identity.len, hash);
    facts_json(d->identity.at, d->identity.len, &json);
    sql_text(&q, ":host", d->host ? d->host : "");
    sql_blob(&q, ":hash", hash, sizeof hash);
    sql_view(&q, ":json", str_view(&json));
    return sql_id_of(&q, &t->environment_id, e);
}

static int put_environment_state(struct taking *t, struct err *e)
{
    const struct result_doc *d = t->doc;
    unsigned char hash[DIGEST_BYTES];
    AUTO(str_done) struct str json = STR_INIT(FACTS_BYTES_MAX);
    AUTO(sql_done)
    struct sql q = sql_open(t->s, "INSERT INTO environment_state(environment_id, state_hash,"
                                  "  facts_json, first_seen_ms)"
                                  " VALUES(:environment, :hash, :json, :at)"
                                  " ON CONFLICT(environment_id, state_hash) DO UPDATE"
                                  " SET first_seen_ms = min(first_seen_ms, :at) RETURNING id");
    result_facts_digest(d->state.at, d->state.len, hash);
    facts_json(d->state.at, d->state.len, &json);
    sql_int(&q, ":environment", t->environment_id);
    sql_blob(&q, ":hash", hash, sizeof hash);
    sql_view(&q, ":json", str_view(&json));
    sql_int(&q, ":at", d->started_ms);
    return sql_id_of(&q, &t->env_state_id, e);
}

/* --- what was measured -------------------------------------------------------------------- */

static const char *endpoint_name(const struct taking *t, int scenario, int endpoint)
{
    return endpoint < 0 ? "" : t->spec->scenarios[scenario].endpoints[endpoint].name;
}

static int put_series(struct taking *t, int variant, const struct result_sample *sample,
                      int64_t *out_id, struct err *e)
{
    size_t workload = (size_t)sample->scenario * t->spec->variants_len + (size_t)variant;
    const struct metric_info *metric = &metric_table[sample->metric];
    AUTO(sql_done)
    struct sql q =
        sql_open(t->s, "INSERT INTO series(branch_id, environment_id, workload_hash, scenario,"
                       "  endpoint, metric, unit, direction, variant)"
                       " VALUES(:branch, :environment, :workload, :scenario, :endpoint,"
                       "  :metric, :unit, :direction, :variant)"
                       " ON CONFLICT(branch_id, environment_id, workload_hash, scenario,"
                       "  endpoint, metric) DO UPDATE SET unit = unit RETURNING id");
    sql_int(&q, ":branch", t->branch_id);
    sql_int(&q, ":environment", t->environment_id);
    sql_blob(&q, ":workload", t->workload[workload], DIGEST_BYTES);
    sql_text(&q, ":scenario", t->spec->scenarios[sample->scenario].name);
    sql_text(&q, ":endpoint", endpoint_name(t, sample->scenario, sample->endpoint));
    sql_text(&q, ":metric", metric->name);
    sql_text(&q, ":unit", metric->unit);
    sql_int(&q, ":direction", metric->direction);
    sql_text(&q, ":variant", t->spec->variants[variant].name);
    return sql_id_of(&q, out_id, e);
}

static int put_sample(struct taking *t, int64_t arm_id, int variant,
                      const struct result_sample *sample, struct err *e)
{
    int64_t series_id;
    if (put_series(t, variant, sample, &series_id, e) < 0)
        return -1;
    AUTO(sql_done)
    struct sql q = sql_open(t->s, "INSERT INTO sample(arm_id, series_id, value)"
                                  " VALUES(:arm, :series, :value)");
    sql_int(&q, ":arm", arm_id);
    sql_int(&q, ":series", series_id);
    sql_real(&q, ":value", sample->value);
    return sql_run(&q, e);
}

static int put_hist(struct taking *t, int64_t arm_id, const struct result_hist *h,
                    struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(t->s, "INSERT INTO histogram(arm_id, scenario, endpoint, count, z)"
                                  " VALUES(:arm, :scenario, :endpoint, :count, :z)");
    sql_int(&q, ":arm", arm_id);
    sql_text(&q, ":scenario", t->spec->scenarios[h->scenario].name);
    sql_text(&q, ":endpoint", endpoint_name(t, h->scenario, h->endpoint));
    sql_int(&q, ":count", (int64_t)h->count);
    sql_blob(&q, ":z", h->packed, h->packed_len);
    return sql_run(&q, e);
}

static int put_arm(struct taking *t, int64_t round_id, const struct result_arm *arm,
                   int64_t *out_id, struct err *e)
{
    AUTO(str_done) struct str gauges = STR_INIT(FACTS_BYTES_MAX);
    AUTO(sql_done)
    struct sql q =
        sql_open(t->s, "INSERT INTO arm(round_id, place, side, copy, gauges_json, variant)"
                       " VALUES(:round, :place, :side, :copy, :gauges, :variant)"
                       " RETURNING id");
    facts_json(arm->gauges.at, arm->gauges.len, &gauges);
    sql_int(&q, ":round", round_id);
    sql_int(&q, ":place", arm->place);
    sql_text(&q, ":side", side_names[arm->side]);
    sql_int(&q, ":copy", arm->copy);
    sql_view(&q, ":gauges", str_view(&gauges));
    sql_text(&q, ":variant", t->spec->variants[arm->variant].name);
    return sql_id_of(&q, out_id, e);
}

static int put_arm_whole(struct taking *t, int64_t round_id, const struct result_arm *arm,
                         struct err *e)
{
    int64_t arm_id;
    if (put_arm(t, round_id, arm, &arm_id, e) < 0)
        return -1;
    for (size_t i = 0; i < arm->samples.len; i++)
        if (put_sample(t, arm_id, arm->variant, &arm->samples.at[i], e) < 0)
            return -1;
    for (size_t i = 0; i < arm->hists.len; i++)
        if (put_hist(t, arm_id, &arm->hists.at[i], e) < 0)
            return -1;
    return 0;
}

static int put_round(struct taking *t, const struct result_round *round, struct err *e)
{
    int64_t round_id;
    AUTO(sql_done)
    struct sql q = sql_open(t->s, "INSERT INTO round(run_id, n, kind, void_reason)"
                                  " VALUES(:run, :n, :kind, :void) RETURNING id");
    sql_int(&q, ":run", t->run_id);
    sql_int(&q, ":n", round->n);
    sql_text(&q, ":kind", round_kind_names[round->kind]);
    sql_text(&q, ":void", round->void_reason);
    if (sql_id_of(&q, &round_id, e) < 0)
        return -1;
    for (size_t i = 0; i < round->arms.len; i++)
        if (put_arm_whole(t, round_id, &round->arms.at[i], e) < 0)
            return err_ctx(e, "round %d", round->n);
    return 0;
}

static int put_run(struct taking *t, struct err *e)
{
    const struct result_doc *d = t->doc;
    const struct result_artifact *a = d->artifact;
    AUTO(str_done) struct str noise = STR_INIT(FACTS_BYTES_MAX);
    AUTO(str_done) struct str notes = STR_INIT(RESULT_NOTES_MAX * (RESULT_NOTE_MAX + 1));
    AUTO(sql_done)
    struct sql q = sql_open(
        t->s,
        "INSERT INTO run(job_id, attempt, env_state_id, identical, base_artifact,"
        "  head_artifact, started_ms, ended_ms, noise_json, rounds_planned, end_reason,"
        "  notes)"
        " VALUES(:job, :attempt, :env, :identical, :base, :head, :started, :ended, :noise,"
        "  :planned, :end, :notes)"
        " RETURNING id");
    facts_json(d->noise.at, d->noise.len, &noise);
    for (size_t i = 0; i < d->notes.len; i++)
        str_addf(&notes, "%s\n", d->notes.at[i]);
    sql_int(&q, ":job", d->job);
    sql_int(&q, ":attempt", d->attempt);
    sql_int(&q, ":env", t->env_state_id);
    sql_int(&q, ":identical", d->outcome == RESULT_IDENTICAL);
    sql_blob(&q, ":base", a[SIDE_BASE].present ? a[SIDE_BASE].digest : NULL, DIGEST_BYTES);
    sql_blob(&q, ":head", a[SIDE_HEAD].present ? a[SIDE_HEAD].digest : NULL, DIGEST_BYTES);
    sql_int(&q, ":started", d->started_ms);
    sql_int(&q, ":ended", d->ended_ms);
    sql_view(&q, ":noise", str_view(&noise));
    sql_int(&q, ":planned", d->rounds_planned);
    sql_text(&q, ":end", result_end_names[d->end]);
    sql_text(&q, ":notes", str_text(&notes));
    return sql_id_of(&q, &t->run_id, e);
}

static int put_measurements(struct taking *t, struct err *e)
{
    size_t variants = t->spec->variants_len, n = t->spec->scenarios_len * variants;
    AUTO(mem_freep) void *memory = mem_zero(n, DIGEST_BYTES);
    t->workload = memory;
    for (size_t i = 0; i < n; i++)
        spec_workload_digest(t->spec, &t->spec->scenarios[i / variants],
                             &t->spec->variants[i % variants], t->workload[i]);
    if (put_environment(t, e) < 0 || put_environment_state(t, e) < 0 || put_run(t, e) < 0)
        return -1;
    for (size_t i = 0; i < t->doc->rounds.len; i++)
        if (put_round(t, &t->doc->rounds.at[i], e) < 0)
            return -1;
    return job_measured(t, e);
}

int store_run_accept(struct store *s, const struct result_doc *doc, const struct spec *spec,
                     struct err *e)
{
    struct taking t = {.s = s, .doc = doc, .spec = spec};
    AUTO(store_tx_done) struct store_tx tx = {0};
    bool delivered;
    if (store_begin_durable(s, &tx, e) < 0 || check_attempt(&t, &delivered, e) < 0)
        return -1;
    if (delivered)
        return store_commit(&tx, e);
    if (end_attempt(&t, e) < 0)
        return -1;
    if (doc->outcome == RESULT_FAILED) {
        if (store_job_fail(s, doc->job, doc->failure, doc->failure_side, doc->failure_text, e) <
            0)
            return -1;
    } else if (put_measurements(&t, e) < 0) {
        return -1;
    }
    return store_commit(&tx, e);
}

int store_run_by_job(struct store *s, int64_t job, struct run *out, bool *found, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT r.id, r.job_id, r.env_state_id, s.environment_id,"
                               " r.attempt, r.identical, r.started_ms, r.ended_ms, v.host,"
                               " r.rounds_planned, r.end_reason"
                               " FROM run r JOIN environment_state s ON s.id = r.env_state_id"
                               " JOIN environment v ON v.id = s.environment_id"
                               " WHERE r.job_id = :job");
    sql_int(&q, ":job", job);
    if (sql_step(&q, found, e) < 0)
        return -1;
    if (!*found)
        return 0;
    *out = (struct run){
        .id = sql_col_int(&q, 0),
        .job_id = sql_col_int(&q, 1),
        .env_state_id = sql_col_int(&q, 2),
        .environment_id = sql_col_int(&q, 3),
        .attempt = (int)sql_col_int(&q, 4),
        .identical = sql_col_int(&q, 5) != 0,
        .started_ms = sql_col_int(&q, 6),
        .ended_ms = sql_col_int(&q, 7),
    };
    sql_col_copy(&q, 8, out->host, sizeof out->host);
    out->rounds_planned = (int)sql_col_int(&q, 9);
    out->end = (enum result_end)sql_col_word(&q, 10, result_end_names, RESULT_END_COUNT);
    return 0;
}

int store_run_rounds_usual(struct store *s, int64_t job, int64_t *out, struct err *e)
{
    /* The median of the newest runs of the same kind, spec and branch. */
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "WITH last AS (SELECT count(o.id) AS n FROM job j"
           "  JOIN job k ON k.branch_id = j.branch_id AND k.kind = j.kind"
           "   AND k.spec_id = j.spec_id AND k.id < j.id"
           "  JOIN run r ON r.job_id = k.id AND r.identical = 0 JOIN round o ON o.run_id = r.id"
           "  WHERE j.id = :job GROUP BY r.id ORDER BY k.id DESC LIMIT 9)"
           " SELECT n FROM last ORDER BY n LIMIT 1 OFFSET (SELECT count(*) / 2 FROM last)");
    bool row;
    sql_int(&q, ":job", job);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    *out = row ? sql_col_int(&q, 0) : 0;
    return 0;
}
