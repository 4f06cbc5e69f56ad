/* SPDX-License-Identifier: MIT */
/* store_verdict: see store_verdict.h. */
#include "store_verdict.h"

#include "clock.h"
#include "store_sql.h"

static int put_head(struct store *s, const struct verdict_record *v, int64_t *out_id,
                    struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "INSERT INTO verdict(job_id, outcome, confirmed, why, rules_version, rounds,"
           " rounds_void, created_ms)"
           " VALUES(:job, :outcome, :confirmed, :why, :rules, :rounds, :void, :now)"
           " ON CONFLICT(job_id) DO UPDATE SET outcome = excluded.outcome,"
           " confirmed = excluded.confirmed, why = excluded.why,"
           " rules_version = excluded.rules_version, rounds = excluded.rounds,"
           " rounds_void = excluded.rounds_void RETURNING id");
    sql_int(&q, ":job", v->job_id);
    sql_text(&q, ":outcome", outcome_names[v->outcome]);
    sql_int(&q, ":confirmed", v->confirmed);
    sql_text(&q, ":why", v->why);
    sql_int(&q, ":rules", VERDICT_RULES_VERSION);
    sql_int(&q, ":rounds", v->rounds);
    sql_int(&q, ":void", v->rounds_void);
    sql_int(&q, ":now", clock_wall_ms());
    return sql_id_of(&q, out_id, e);
}

static int drop_rows(struct store *s, int64_t verdict, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "DELETE FROM verdict_row WHERE verdict_id = :verdict");
    sql_int(&q, ":verdict", verdict);
    return sql_run(&q, e);
}

static void bind_row(struct sql *q, int64_t verdict, const struct verdict_line *line)
{
    sql_int(q, ":verdict", verdict);
    sql_int(q, ":series", line->series_id);
    sql_int(q, ":primary", line->primary);
    sql_real(q, ":base", line->base);
    sql_real(q, ":head", line->head);
    sql_real(q, ":effect", line->effect);
    sql_real(q, ":lo", line->lo);
    sql_real(q, ":hi", line->hi);
    sql_real(q, ":noise", line->noise);
    sql_real(q, ":least", line->least_effect);
    sql_real(q, ":detectable", line->detectable);
    sql_int(q, ":rounds", line->rounds);
    sql_text(q, ":outcome", outcome_names[line->outcome]);
    sql_text(q, ":why", line->why);
}

static int put_row(struct store *s, int64_t verdict, const struct verdict_line *line,
                   struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "INSERT INTO verdict_row(verdict_id, series_id, is_primary, base, head,"
                    " effect, lo, hi, noise, least_effect, detectable, rounds, outcome, why)"
                    " VALUES(:verdict, :series, :primary, :base, :head, :effect, :lo, :hi,"
                    " :noise, :least, :detectable, :rounds, :outcome, :why)");
    bind_row(&q, verdict, line);
    return sql_run(&q, e);
}

static int drop_variants(struct store *s, int64_t verdict, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "DELETE FROM variant_row WHERE verdict_id = :verdict");
    sql_int(&q, ":verdict", verdict);
    return sql_run(&q, e);
}

static int put_variant(struct store *s, int64_t verdict, const struct verdict_line *line,
                       struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "INSERT INTO variant_row(verdict_id, series_id, baseline_id, is_primary,"
                    " base, head, effect, lo, hi, noise, least_effect, detectable, rounds,"
                    " outcome, why)"
                    " VALUES(:verdict, :series, :baseline, :primary, :base, :head, :effect,"
                    " :lo, :hi, :noise, :least, :detectable, :rounds, :outcome, :why)");
    bind_row(&q, verdict, line);
    sql_int(&q, ":baseline", line->baseline_id);
    return sql_run(&q, e);
}

int store_verdict_put(struct store *s, const struct verdict_record *v, struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    int64_t id;
    if (store_begin(s, &tx, e) < 0 || put_head(s, v, &id, e) < 0 || drop_rows(s, id, e) < 0 ||
        drop_variants(s, id, e) < 0)
        return -1;
    for (size_t i = 0; i < v->variants.len; i++)
        if (put_variant(s, id, &v->variants.at[i], e) < 0)
            return -1;
    for (size_t i = 0; i < v->lines.len; i++)
        if (put_row(s, id, &v->lines.at[i], e) < 0)
            return -1;
    return store_commit(&tx, e);
}

void verdict_record_done(struct verdict_record *v)
{
    vec_done(&v->lines);
    vec_done(&v->variants);
}

static void read_line(struct sql *q, struct verdict_line *line)
{
    line->series_id = sql_col_int(q, 0);
    sql_col_copy(q, 1, line->scenario, sizeof line->scenario);
    sql_col_copy(q, 2, line->endpoint, sizeof line->endpoint);
    (void)metric_by_name(sql_col_view(q, 3), &line->metric);
    line->primary = sql_col_int(q, 4);
    line->base = sql_col_real(q, 5);
    line->head = sql_col_real(q, 6);
    line->effect = sql_col_real(q, 7);
    line->lo = sql_col_real(q, 8);
    line->hi = sql_col_real(q, 9);
    line->noise = sql_col_real(q, 10);
    line->least_effect = sql_col_real(q, 11);
    line->detectable = sql_col_real(q, 12);
    line->rounds = (int)sql_col_int(q, 13);
    line->outcome = (enum outcome)sql_col_word(q, 14, outcome_names, OUTCOME_COUNT);
    sql_col_copy(q, 15, line->why, sizeof line->why);
    sql_col_copy(q, 16, line->variant, sizeof line->variant);
}

static int get_rows(struct store *s, struct verdict_record *v, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "SELECT r.series_id, x.scenario, x.endpoint, x.metric, r.is_primary, r.base,"
           " r.head, r.effect, r.lo, r.hi, r.noise, r.least_effect, r.detectable,"
           " r.rounds, r.outcome, r.why, x.variant"
           " FROM verdict_row r JOIN series x ON x.id = r.series_id"
           " WHERE r.verdict_id = :verdict"
           " ORDER BY CASE r.outcome WHEN 'slower' THEN 0 WHEN 'faster' THEN 1"
           " WHEN 'undecided' THEN 2 ELSE 3 END, r.is_primary DESC, x.metric = 'errors' DESC,"
           " abs(r.effect) DESC,"
           " x.scenario, x.endpoint, x.metric");
    sql_int(&q, ":verdict", v->id);
    for (bool row = true;;) {
        if (sql_step(&q, &row, e) < 0)
            return -1;
        if (!row)
            return 0;
        read_line(&q, vec_push(&v->lines));
    }
}

static int get_variants(struct store *s, struct verdict_record *v, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "SELECT r.series_id, x.scenario, x.endpoint, x.metric, r.is_primary, r.base,"
           " r.head, r.effect, r.lo, r.hi, r.noise, r.least_effect, r.detectable,"
           " r.rounds, r.outcome, r.why, x.variant, r.baseline_id, b.variant"
           " FROM variant_row r JOIN series x ON x.id = r.series_id"
           " JOIN series b ON b.id = r.baseline_id"
           " WHERE r.verdict_id = :verdict"
           " ORDER BY x.scenario, r.is_primary DESC, x.metric, x.variant");
    sql_int(&q, ":verdict", v->id);
    for (bool row = true;;) {
        if (sql_step(&q, &row, e) < 0)
            return -1;
        if (!row)
            return 0;
        struct verdict_line *line = vec_push(&v->variants);
        read_line(&q, line);
        line->baseline_id = sql_col_int(&q, 17);
        sql_col_copy(&q, 18, v->baseline, sizeof v->baseline);
    }
}

int store_verdict_get(struct store *s, int64_t job, struct verdict_record *out, bool *found,
                      struct err *e)
{
    AUTO(verdict_record_done) struct verdict_record v = {.job_id = job};
    {
        AUTO(sql_done)
        struct sql q =
            sql_open(s, "SELECT id, outcome, confirmed, why, rounds, rounds_void FROM verdict"
                        " WHERE job_id = :job");
        bool row;
        sql_int(&q, ":job", job);
        if (sql_step(&q, &row, e) < 0)
            return -1;
        *found = row;
        if (!row)
            return 0;
        v.id = sql_col_int(&q, 0);
        v.outcome = (enum outcome)sql_col_word(&q, 1, outcome_names, OUTCOME_COUNT);
        v.confirmed = sql_col_int(&q, 2);
        sql_col_copy(&q, 3, v.why, sizeof v.why);
        v.rounds = (int)sql_col_int(&q, 4);
        v.rounds_void = (int)sql_col_int(&q, 5);
    }
    if (get_rows(s, &v, e) < 0 || get_variants(s, &v, e) < 0)
        return -1;
    *out = v;
    v.lines.at = NULL;
    v.variants.at = NULL;
    return 0;
}

int store_void_reason(struct store *s, int64_t job, struct str *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "SELECT d.void_reason FROM round d JOIN run r ON r.id = d.run_id"
                    " WHERE r.job_id = :job AND d.void_reason IS NOT NULL"
                    " GROUP BY d.void_reason ORDER BY count(*) DESC, d.void_reason LIMIT 1");
    bool row;
    sql_int(&q, ":job", job);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    if (row)
        str_add(out, sql_col_view(&q, 0));
    return 0;
}
