/* SPDX-License-Identifier: MIT */
/*
 * Change points keep their identity when a longer history moves them: what a person has said
 * about one stays with it. Two of them may swap places, while (series, pos, method) is unique;
 * so those that keep their id are first parked on positions that cannot exist, then put where
 * they belong.
 */
#include "store_verdict.h"

#include "clock.h"
#include "store_verdict_own.h"

static const char *const method_names[CHANGE_METHOD_COUNT] = {"pair", "history"};
static const char *const state_names[CHANGE_POINT_STATE_COUNT] = {"provisional", "confirmed",
                                                                  "retracted"};

void change_point_list_done(struct change_point_list *l)
{
    vec_done(&l->at);
}

void change_point_read(struct sql *q, struct change_point *p)
{
    p->id = sql_col_int(q, 0);
    p->pos = sql_col_int(q, 1);
    p->after_pos = sql_col_int(q, 2);
    p->pos_lo = sql_col_int(q, 3);
    p->pos_hi = sql_col_int(q, 4);
    p->before = sql_col_real(q, 5);
    p->after = sql_col_real(q, 6);
    p->effect = sql_col_real(q, 7);
    p->lo = sql_col_real(q, 8);
    p->hi = sql_col_real(q, 9);
    p->state =
        (enum change_point_state)sql_col_word(q, 10, state_names, CHANGE_POINT_STATE_COUNT);
    sql_col_copy(q, 11, p->why, sizeof p->why);
}

int store_change_point_list(struct store *s, int64_t series_id, enum change_point_method method,
                            struct change_point_list *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "SELECT" CHANGE_POINT_COLUMNS " FROM change_point c"
                    " WHERE c.series_id = :series AND c.method = :method ORDER BY c.pos");
    sql_int(&q, ":series", series_id);
    sql_text(&q, ":method", method_names[method]);
    for (bool row = true;;) {
        if (sql_step(&q, &row, e) < 0)
            return -1;
        if (!row)
            return 0;
        struct change_point *p = vec_push(&out->at);
        change_point_read(&q, p);
        p->series_id = series_id;
        p->method = method;
    }
}

static int park(struct store *s, int64_t id, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE change_point SET pos = -id WHERE id = :id");
    sql_int(&q, ":id", id);
    return sql_run(&q, e);
}

static void bind(struct sql *q, const struct change_point *p)
{
    sql_int(q, ":series", p->series_id);
    sql_int(q, ":pos", p->pos);
    sql_int(q, ":after_pos", p->after_pos);
    sql_int(q, ":pos_lo", p->pos_lo);
    sql_int(q, ":pos_hi", p->pos_hi);
    sql_real(q, ":before", p->before);
    sql_real(q, ":after", p->after);
    sql_real(q, ":effect", p->effect);
    sql_real(q, ":lo", p->lo);
    sql_real(q, ":hi", p->hi);
    sql_text(q, ":method", method_names[p->method]);
    sql_text(q, ":state", state_names[p->state]);
    sql_text(q, ":why", p->why);
    sql_int(q, ":now", clock_wall_ms());
}

/* A retracted point in the way of a known one that moves there has nothing left to tell. */
static int make_room(struct store *s, const struct change_point *p, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "DELETE FROM change_point WHERE series_id = :series AND pos = :pos"
                    " AND method = :method AND id <> :id");
    sql_int(&q, ":series", p->series_id);
    sql_int(&q, ":pos", p->pos);
    sql_text(&q, ":method", method_names[p->method]);
    sql_int(&q, ":id", p->id);
    return sql_run(&q, e);
}

static int move(struct store *s, const struct change_point *p, struct err *e)
{
    if (make_room(s, p, e) < 0)
        return -1;
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "UPDATE change_point SET series_id = :series, method = :method, pos = :pos,"
                    " after_pos = :after_pos, pos_lo = :pos_lo, pos_hi = :pos_hi,"
                    " before = :before, after = :after, effect = :effect, lo = :lo, hi = :hi,"
                    " changed_ms = CASE state WHEN :state THEN changed_ms ELSE :now END,"
                    " state = :state, why = :why WHERE id = :id");
    bind(&q, p);
    sql_int(&q, ":id", p->id);
    return sql_run(&q, e);
}

static int add(struct store *s, const struct change_point *p, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "INSERT INTO change_point(series_id, pos, after_pos, pos_lo, pos_hi, before,"
           " after, effect, lo, hi, method, state, why, created_ms, changed_ms)"
           " VALUES(:series, :pos, :after_pos, :pos_lo, :pos_hi, :before, :after,"
           " :effect, :lo, :hi, :method, :state, :why, :now, :now)"
           " ON CONFLICT(series_id, pos, method) DO UPDATE SET"
           " after_pos = excluded.after_pos, pos_lo = excluded.pos_lo,"
           " pos_hi = excluded.pos_hi, before = excluded.before,"
           " after = excluded.after, effect = excluded.effect, lo = excluded.lo,"
           " hi = excluded.hi, why = excluded.why,"
           " changed_ms = CASE state WHEN excluded.state THEN changed_ms ELSE :now END,"
           " state = excluded.state");
    bind(&q, p);
    return sql_run(&q, e);
}

int store_change_point_put(struct store *s, const struct change_point *points, size_t n,
                           struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    if (store_begin(s, &tx, e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (points[i].id && park(s, points[i].id, e) < 0)
            return -1;
    for (size_t i = 0; i < n; i++)
        if ((points[i].id ? move(s, &points[i], e) : add(s, &points[i], e)) < 0)
            return -1;
    return store_commit(&tx, e);
}
