/* SPDX-License-Identifier: MIT */
/*
 * store_view_series: one series as a chart.
 *
 * The points come by one range scan of their clustered table and are reduced here. Commits are
 * looked up for the entries that are left, at most one per bucket. Points on commits that a
 * force-push replaced are left out.
 */
#include "store_view_own.h"

struct raw_point {
    int64_t pos, n, env_state;
    double value, lo, hi;
};

struct raw_points {
    VEC(struct raw_point) at;
};

static int read_head(struct view_read *r, int64_t id, struct view_chart *out, bool *found,
                     struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(r->store, "SELECT" VIEW_SERIES_COLUMNS
                                      " FROM series s" VIEW_SERIES_JOINS " WHERE s.id = :id");
    sql_int(&q, ":id", id);
    if (sql_step(&q, found, e) < 0)
        return -1;
    if (*found)
        out->series = view_read_series(r, &q, 0);
    return 0;
}

static int read_dead(struct view_read *r, int64_t branch, const struct view_chart_range *range,
                     int64_t **out, size_t *out_len, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(r->store, "SELECT pos FROM branch_commit WHERE branch_id = :branch"
                           " AND pos BETWEEN :from AND :to AND live = 0 ORDER BY pos");
    VEC(int64_t) dead = {0};
    bool row = true;
    sql_int(&q, ":branch", branch);
    sql_int(&q, ":from", range->from);
    sql_int(&q, ":to", range->to);
    while (row) {
        if (sql_step(&q, &row, e) < 0) {
            vec_done(&dead);
            return -1;
        }
        if (row)
            *vec_push(&dead) = sql_col_int(&q, 0);
    }
    *out = dead.at;
    *out_len = dead.len;
    return 0;
}

static int read_points(struct view_read *r, const struct view_chart *chart,
                       const struct view_chart_range *range, struct raw_points *out,
                       struct err *e)
{
    AUTO(mem_freep) int64_t *dead = NULL;
    size_t dead_len, d = 0;
    if (read_dead(r, chart->series.branch_id, range, &dead, &dead_len, e) < 0)
        return -1;
    AUTO(sql_done)
    struct sql q = sql_open(
        r->store, "SELECT pos, value, lo, hi, n, env_state_id FROM point"
                  " WHERE series_id = :series AND pos BETWEEN :from AND :to ORDER BY pos");
    bool row;
    sql_int(&q, ":series", chart->series.id);
    sql_int(&q, ":from", range->from);
    sql_int(&q, ":to", range->to);
    while (true) {
        if (sql_step(&q, &row, e) < 0)
            return -1;
        if (!row)
            return 0;
        if (out->at.len == VIEW_POINTS_MAX)
            return err_set(e, ERR_LIMIT, "more than %d points; ask for fewer", VIEW_POINTS_MAX);
        struct raw_point p = {.pos = sql_col_int(&q, 0),
                              .value = sql_col_real(&q, 1),
                              .lo = sql_col_real(&q, 2),
                              .hi = sql_col_real(&q, 3),
                              .n = sql_col_int(&q, 4),
                              .env_state = sql_col_int(&q, 5)};
        while (d < dead_len && dead[d] < p.pos)
            d++;
        if (d == dead_len || dead[d] != p.pos)
            *vec_push(&out->at) = p;
    }
}

/* --- reduction ---------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value below which a share q of n sorted ones lies, linear between neighbours (the usual
 * quantile of type 7; Hyndman, Fan 1996). */
static double quantile(const double *sorted, size_t n, double q)
{
    double at = q * (double)(n - 1);
    size_t below = (size_t)at;
    double rest = at - (double)below;
    return below + 1 < n ? sorted[below] + rest * (sorted[below + 1] - sorted[below])
                         : sorted[n - 1];
}

/* 'room' holds as many values as there are points. */
static void sort_values(const struct raw_point *points, size_t n, double *room)
{
    for (size_t i = 0; i < n; i++)
        room[i] = points[i].value;
    qsort(room, n, sizeof *room, by_value);
}

static struct view_entry bucket(const struct raw_point *points, size_t n, double *room)
{
    const struct raw_point *last = &points[n - 1];
    if (n == 1)
        return (struct view_entry){.pos = last->pos,
                                   .value = last->value,
                                   .lo = last->lo,
                                   .hi = last->hi,
                                   .n = last->n};
    struct view_entry entry = {.pos = last->pos};
    sort_values(points, n, room);
    entry.value = quantile(room, n, 0.5);
    entry.lo = quantile(room, n, 0.25);
    entry.hi = quantile(room, n, 0.75);
    for (size_t i = 0; i < n; i++)
        entry.n += points[i].n;
    return entry;
}

/* Buckets hold equal numbers of points, so that gaps in the positions leave no empty ones. */
static void make_entries(const struct raw_points *raw, size_t buckets, double *room,
                         struct view_chart *out)
{
    size_t n = raw->at.len, made = n < buckets ? n : buckets;
    out->bucketed = n > buckets;
    for (size_t i = 0; i < made; i++) {
        size_t from = i * n / made, to = (i + 1) * n / made;
        *vec_push(&out->entries) = bucket(&raw->at.at[from], to - from, room);
    }
}

static void make_levels(const struct raw_points *raw, double *room, struct view_chart *out)
{
    size_t from = 0, c = 0;
    while (from < raw->at.len) {
        while (c < out->changes.len && out->changes.at[c].pos <= raw->at.at[from].pos)
            c++;
        int64_t end = c < out->changes.len ? out->changes.at[c].pos : INT64_MAX;
        size_t to = from;
        while (to < raw->at.len && raw->at.at[to].pos < end)
            to++;
        sort_values(&raw->at.at[from], to - from, room);
        *vec_push(&out->levels) = (struct view_level){.from = raw->at.at[from].pos,
                                                      .to = raw->at.at[to - 1].pos,
                                                      .value = quantile(room, to - from, 0.5)};
        from = to;
    }
}

/* --- what stands beside the points -------------------------------------------------------- */

static int read_changes(struct view_read *r, const struct view_chart_range *range,
                        struct view_chart *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(r->store, "SELECT" VIEW_CHANGE_COLUMNS
                           " FROM change_point c JOIN series s ON s.id = c.series_id"
                           " WHERE c.series_id = :series AND c.state <> 'retracted'"
                           " AND c.pos BETWEEN :from AND :to ORDER BY c.pos, c.method");
    bool row;
    sql_int(&q, ":series", out->series.id);
    sql_int(&q, ":from", range->from);
    sql_int(&q, ":to", range->to);
    while (true) {
        if (sql_step(&q, &row, e) < 0)
            return -1;
        if (!row)
            return 0;
        *vec_push(&out->changes) = view_read_change(r, &q);
    }
}

static int read_state(struct view_read *r, struct sql *q, int64_t id, const char **out,
                      struct err *e)
{
    bool row;
    sql_again(q);
    sql_int(q, ":id", id);
    if (sql_step(q, &row, e) < 0)
        return -1;
    *out = row ? view_keep(r, q, 0) : NULL;
    return 0;
}

static int make_events(struct view_read *r, const struct raw_points *raw,
                       struct view_chart *out, struct err *e)
{
    enum { EVENTS_MAX = 200 };
    AUTO(sql_done)
    struct sql q =
        sql_open(r->store, "SELECT facts_json FROM environment_state WHERE id = :id");
    for (size_t i = 1; i < raw->at.len && out->events.len < EVENTS_MAX; i++) {
        const struct raw_point *before = &raw->at.at[i - 1], *p = &raw->at.at[i];
        if (before->env_state == p->env_state)
            continue;
        struct view_event event = {.pos = p->pos};
        if (read_state(r, &q, before->env_state, &event.before_json, e) < 0 ||
            read_state(r, &q, p->env_state, &event.after_json, e) < 0)
            return -1;
        *vec_push(&out->events) = event;
    }
    return 0;
}

static int read_bridges(struct view_read *r, struct view_chart *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(r->store, "SELECT b.from_id, n.host, b.ratio, b.lo, b.hi, b.n"
                                      " FROM bridge b JOIN series s ON s.id = b.from_id"
                                      " JOIN environment n ON n.id = s.environment_id"
                                      " WHERE b.series_id = :series ORDER BY b.from_id");
    sql_int(&q, ":series", out->series.id);
    for (bool row = true;;) {
        if (sql_step(&q, &row, e) < 0)
            return -1;
        if (!row)
            return 0;
        *vec_push(&out->bridges) = (struct view_bridge){
            .from_series = sql_col_int(&q, 0),
            .host = view_keep(r, &q, 1),
            .ratio = sql_col_real(&q, 2),
            .lo = sql_col_real(&q, 3),
            .hi = sql_col_real(&q, 4),
            .n = sql_col_int(&q, 5),
        };
    }
}

static int name_commits(struct view_read *r, struct view_chart *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        r->store, "SELECT c.sha, c.subject, (SELECT max(j.id) FROM job j"
                  "  WHERE j.branch_id = bc.branch_id AND j.head = bc.commit_id"
                  "  AND j.state IN ('measured', 'judged', 'reported') AND j.mr_id IS NULL)"
                  " FROM branch_commit bc JOIN git_commit c ON c.id = bc.commit_id"
                  " WHERE bc.branch_id = :branch AND bc.pos = :pos");
    sql_int(&q, ":branch", out->series.branch_id);
    for (size_t i = 0; i < out->entries.len; i++) {
        struct view_entry *entry = &out->entries.at[i];
        bool row;
        sql_again(&q);
        sql_int(&q, ":pos", entry->pos);
        if (sql_step(&q, &row, e) < 0)
            return -1;
        if (!row)
            continue;
        entry->sha = sql_col_sha(&q, 0);
        entry->subject = view_keep(r, &q, 1);
        entry->job = sql_col_int(&q, 2);
    }
    return 0;
}

static int fill(struct view_read *r, const struct view_chart_range *range,
                struct raw_points *raw, struct view_chart *out, struct err *e)
{
    if (read_points(r, out, range, raw, e) < 0 || read_changes(r, range, out, e) < 0)
        return -1;
    AUTO(mem_freep) double *room = mem_alloc((raw->at.len + 1) * sizeof *room);
    make_entries(raw, (size_t)range->buckets, room, out);
    make_levels(raw, room, out);
    if (make_events(r, raw, out, e) < 0 || read_bridges(r, out, e) < 0)
        return -1;
    return name_commits(r, out, e);
}

int store_view_chart(struct view_read *r, int64_t series_id,
                     const struct view_chart_range *range, struct view_chart *out, bool *found,
                     struct err *e)
{
    struct raw_points raw = {0};
    if (read_head(r, series_id, out, found, e) < 0)
        return -1;
    int result = *found ? fill(r, range, &raw, out, e) : 0;
    vec_done(&raw.at);
    return result;
}

void view_chart_done(struct view_chart *c)
{
    vec_done(&c->entries);
    vec_done(&c->levels);
    vec_done(&c->changes);
    vec_done(&c->events);
    vec_done(&c->bridges);
}
