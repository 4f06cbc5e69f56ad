/* SPDX-License-Identifier: MIT */
/* store_series: see store_series.h. */
#include "store_series.h"

#include <inttypes.h>
#include <math.h>

#include "mem.h"
#include "store_sql.h"

void series_key_done(struct series_key *key)
{
    free(key->scenario);
    free(key->endpoint);
    *key = (struct series_key){0};
}

void job_samples_done(struct job_samples *js)
{
    for (size_t i = 0; i < js->series.len; i++) {
        struct series_rounds *r = &js->series.at[i];
        series_key_done(&r->key);
        free(r->base);
        free(r->head);
        free(r->again);
        free(r->twin);
    }
    vec_done(&js->series);
}

static int count_rounds(struct store *s, int64_t job, struct job_samples *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT coalesce(sum(o.void_reason IS NULL), 0),"
                               " coalesce(sum(o.void_reason IS NOT NULL), 0)"
                               " FROM run r JOIN round o ON o.run_id = r.id"
                               " WHERE r.job_id = :job");
    bool row;
    sql_int(&q, ":job", job);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    out->rounds = (size_t)sql_col_int(&q, 0);
    out->rounds_void = (int)sql_col_int(&q, 1);
    return 0;
}

static double *missing(size_t n)
{
    double *at = mem_alloc((n ? n : 1) * sizeof *at);
    for (size_t i = 0; i < n; i++)
        at[i] = NAN;
    return at;
}

void series_rounds_init(struct series_rounds *r, size_t rounds)
{
    r->base = missing(rounds);
    r->head = missing(rounds);
    r->again = missing(rounds);
    r->twin = missing(rounds);
}

void series_rounds_set(struct series_rounds *r, size_t round, enum side side, int copy,
                       double value)
{
    double *column = side == SIDE_HEAD ? r->head
                     : copy == 0       ? r->base
                     : copy == 1       ? r->again
                                       : r->twin;
    column[round] = value;
    if (side == SIDE_BASE && copy == 0 && isnan(r->twin[round]))
        r->twin[round] = value; /* until the real one comes */
}

static struct series_rounds *push_series(struct sql *q, int metric, struct job_samples *out)
{
    struct series_rounds *r = vec_push(&out->series);
    r->key = (struct series_key){
        .id = sql_col_int(q, 0),
        .scenario = sql_col_dup(q, 1),
        .endpoint = sql_col_dup(q, 2),
        .metric = (enum metric)metric,
    };
    series_rounds_init(r, out->rounds);
    sql_col_copy(q, 8, r->key.variant, sizeof r->key.variant);
    return r;
}

/* One pass over the rows, which come sorted by series. A metric that this program does not know
 * was stored by a newer one and is left out. */
static int read_samples(struct sql *q, struct job_samples *out, struct err *e)
{
    struct series_rounds *r = NULL;
    bool row;
    while (sql_step(q, &row, e) == 0) {
        enum metric metric;
        if (!row)
            return 0;
        if (metric_by_name(sql_col_view(q, 3), &metric) < 0)
            continue;
        if (!r || r->key.id != sql_col_int(q, 0))
            r = push_series(q, (int)metric, out);
        size_t index = (size_t)sql_col_int(q, 4);
        if (index < out->rounds)
            series_rounds_set(r, index, (enum side)sql_col_word(q, 5, side_names, SIDE_COUNT),
                              (int)sql_col_int(q, 6), sql_col_real(q, 7));
    }
    return -1;
}

int store_samples_load(struct store *s, int64_t job, struct job_samples *out, struct err *e)
{
    AUTO(job_samples_done) struct job_samples js = {0};
    if (count_rounds(s, job, &js, e) < 0)
        return -1;
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "WITH good AS (SELECT o.id, row_number() OVER (ORDER BY o.n) - 1 AS i"
           "  FROM run r JOIN round o ON o.run_id = r.id"
           "  WHERE r.job_id = :job AND o.void_reason IS NULL)"
           " SELECT e.id, e.scenario, e.endpoint, e.metric, g.i, a.side, a.copy, v.value,"
           " e.variant"
           " FROM good g JOIN arm a ON a.round_id = g.id JOIN sample v ON v.arm_id = a.id"
           " JOIN series e ON e.id = v.series_id"
           " ORDER BY e.scenario, e.variant, e.endpoint, e.id, g.i");
    sql_int(&q, ":job", job);
    if (read_samples(&q, &js, e) < 0)
        return -1;
    *out = js;
    js = (struct job_samples){0};
    return 0;
}

/* --- points ------------------------------------------------------------------------------- */

static int write_point(struct sql *q, const struct point *p, struct err *e)
{
    sql_int(q, ":series", p->series_id);
    sql_int(q, ":pos", p->pos);
    sql_real(q, ":value", p->value);
    sql_real(q, ":lo", p->lo);
    sql_real(q, ":hi", p->hi);
    sql_int(q, ":n", p->n);
    sql_int(q, ":env", p->env_state_id);
    return sql_run(q, e);
}

int store_point_add(struct store *s, const struct point *p, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "INSERT INTO point(series_id, pos, value, lo, hi, n, env_state_id)"
                    " VALUES(:series, :pos, :value, :lo, :hi, :n, :env)"
                    " ON CONFLICT(series_id, pos) DO NOTHING");
    return write_point(&q, p, e);
}

int store_point_put(struct store *s, const struct point *p, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "INSERT INTO point(series_id, pos, value, lo, hi, n, env_state_id)"
                    " VALUES(:series, :pos, :value, :lo, :hi, :n, :env)"
                    " ON CONFLICT(series_id, pos) DO UPDATE SET value = excluded.value,"
                    "  lo = excluded.lo, hi = excluded.hi, n = excluded.n,"
                    "  env_state_id = excluded.env_state_id");
    return write_point(&q, p, e);
}

static void read_point(struct sql *q, struct point *out)
{
    *out = (struct point){
        .series_id = sql_col_int(q, 0),
        .pos = sql_col_int(q, 1),
        .value = sql_col_real(q, 2),
        .lo = sql_col_real(q, 3),
        .hi = sql_col_real(q, 4),
        .n = (int)sql_col_int(q, 5),
        .env_state_id = sql_col_int(q, 6),
    };
}

int store_point_list(struct store *s, int64_t series_id, int64_t upto, int64_t limit,
                     struct point_list *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s,
        "SELECT * FROM (SELECT p.series_id, p.pos, p.value, p.lo, p.hi, p.n, p.env_state_id"
        "  FROM series s JOIN point p ON p.series_id = s.id"
        "  JOIN branch_commit c ON c.branch_id = s.branch_id AND c.pos = p.pos AND c.live = 1"
        "  WHERE s.id = :series AND p.pos <= :upto ORDER BY p.pos DESC LIMIT :limit)"
        " ORDER BY pos");
    bool row;
    sql_int(&q, ":series", series_id);
    sql_int(&q, ":upto", upto);
    sql_int(&q, ":limit", limit);
    while (sql_step(&q, &row, e) == 0) {
        if (!row)
            return 0;
        read_point(&q, vec_push(&out->points));
    }
    return -1;
}

void point_list_done(struct point_list *l)
{
    vec_done(&l->points);
}
