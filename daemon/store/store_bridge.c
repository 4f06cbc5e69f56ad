/* SPDX-License-Identifier: MIT */
/* store_bridge: see store_bridge.h. */
#include "store_bridge.h"

#include "store_sql.h"

int store_bridge_anchors(struct store *s, int64_t branch_id, int64_t run_id, int64_t limit,
                         struct id_list *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "WITH own AS (SELECT n.environment_id AS id FROM run r"
                    "  JOIN environment_state n ON n.id = r.env_state_id WHERE r.id = :run)"
                    " SELECT bc.commit_id FROM branch_commit bc"
                    " WHERE bc.branch_id = :branch AND bc.live = 1"
                    " AND NOT EXISTS (SELECT 1 FROM run r JOIN job j ON j.id = r.job_id"
                    "  JOIN environment_state n ON n.id = r.env_state_id"
                    "  WHERE j.branch_id = :branch AND r.id <> :run AND n.environment_id ="
                    "   (SELECT id FROM own))"
                    " AND EXISTS (SELECT 1 FROM series e JOIN point p ON p.series_id = e.id"
                    "  AND p.pos = bc.pos WHERE e.branch_id = :branch"
                    "  AND e.environment_id <> (SELECT id FROM own))"
                    " AND NOT EXISTS (SELECT 1 FROM series e JOIN point p ON p.series_id = e.id"
                    "  AND p.pos = bc.pos WHERE e.branch_id = :branch"
                    "  AND e.environment_id = (SELECT id FROM own))"
                    " ORDER BY bc.pos DESC LIMIT :limit");
    sql_int(&q, ":branch", branch_id);
    sql_int(&q, ":run", run_id);
    sql_int(&q, ":limit", limit);
    for (bool row = true;;) {
        if (sql_step(&q, &row, e) < 0)
            return -1;
        if (!row)
            return 0;
        *vec_push(&out->ids) = sql_col_int(&q, 0);
    }
}

void bridge_list_done(struct bridge_list *l)
{
    for (size_t i = 0; i < l->at.len; i++) {
        vec_done(&l->at.at[i].before);
        vec_done(&l->at.at[i].after);
    }
    vec_done(&l->at);
}

int store_bridge_siblings(struct store *s, int64_t series_id, struct bridge_list *out,
                          struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "SELECT o.id, b.value, a.value FROM series n JOIN series o"
           " ON o.branch_id = n.branch_id AND o.workload_hash = n.workload_hash"
           " AND o.scenario = n.scenario AND o.endpoint = n.endpoint AND o.metric = n.metric"
           " AND o.environment_id <> n.environment_id"
           " JOIN point a ON a.series_id = n.id JOIN point b ON b.series_id = o.id"
           " AND b.pos = a.pos WHERE n.id = :series ORDER BY o.id, a.pos");
    sql_int(&q, ":series", series_id);
    for (bool row = true;;) {
        if (sql_step(&q, &row, e) < 0)
            return -1;
        if (!row)
            return 0;
        int64_t from = sql_col_int(&q, 0);
        if (!out->at.len || out->at.at[out->at.len - 1].from_id != from)
            *vec_push(&out->at) = (struct bridge_values){.from_id = from};
        struct bridge_values *b = &out->at.at[out->at.len - 1];
        *vec_push(&b->before) = sql_col_real(&q, 1);
        *vec_push(&b->after) = sql_col_real(&q, 2);
    }
}

int store_bridge_put(struct store *s, int64_t series_id, int64_t from_id,
                     const struct bridge *b, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "INSERT INTO bridge(series_id, from_id, ratio, lo, hi, n)"
                    " VALUES(:series, :from, :ratio, :lo, :hi, :n)"
                    " ON CONFLICT(series_id, from_id) DO UPDATE SET ratio = excluded.ratio,"
                    " lo = excluded.lo, hi = excluded.hi, n = excluded.n");
    sql_int(&q, ":series", series_id);
    sql_int(&q, ":from", from_id);
    sql_real(&q, ":ratio", b->ratio);
    sql_real(&q, ":lo", b->lo);
    sql_real(&q, ":hi", b->hi);
    sql_int(&q, ":n", b->n);
    return sql_run(&q, e);
}
