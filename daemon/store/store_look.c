/* SPDX-License-Identifier: MIT */
/* store_look: see store_look.h. */
#include "store_look.h"

#include <inttypes.h>

#include "clock.h"
#include "store_sql.h"

static int forget_earlier(struct store *s, int64_t job, int attempt, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "DELETE FROM look WHERE job_id = :job AND attempt < :attempt");
    sql_int(&q, ":job", job);
    sql_int(&q, ":attempt", attempt);
    return sql_run(&q, e);
}

int store_look_ask(struct store *s, int64_t job, int attempt, int n, struct view body,
                   struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    AUTO(sql_done)
    struct sql q = sql_open(s, "INSERT INTO look(job_id, attempt, n, body, asked_ms)"
                               " VALUES(:job, :attempt, :n, :body, :now)"
                               " ON CONFLICT(job_id, attempt, n) DO NOTHING");
    sql_int(&q, ":job", job);
    sql_int(&q, ":attempt", attempt);
    sql_int(&q, ":n", n);
    sql_view(&q, ":body", body);
    sql_int(&q, ":now", clock_wall_ms());
    if (store_begin(s, &tx, e) < 0 || forget_earlier(s, job, attempt, e) < 0 ||
        sql_run(&q, e) < 0)
        return -1;
    return store_commit(&tx, e);
}

int store_look_next(struct store *s, struct look *out, struct str *body, bool *found,
                    struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT l.job_id, l.attempt, l.n, l.body FROM look l"
                               " JOIN attempt a ON a.job_id = l.job_id AND a.n = l.attempt"
                               " WHERE l.stop IS NULL"
                               "  AND a.state IN ('submitting','submitted','running')"
                               " ORDER BY l.asked_ms LIMIT 1");
    if (sql_step(&q, found, e) < 0)
        return -1;
    if (!*found)
        return 0;
    *out = (struct look){
        .job_id = sql_col_int(&q, 0),
        .attempt = (int)sql_col_int(&q, 1),
        .n = (int)sql_col_int(&q, 2),
    };
    str_add(body, sql_col_view(&q, 3));
    return 0;
}

int store_look_answer(struct store *s, const struct look *look, bool stop, const char *why,
                      struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE look SET stop = :stop, why = :why, body = NULL,"
                               " answered_ms = :now"
                               " WHERE job_id = :job AND attempt = :attempt AND n = :n"
                               " AND stop IS NULL");
    sql_int(&q, ":job", look->job_id);
    sql_int(&q, ":attempt", look->attempt);
    sql_int(&q, ":n", look->n);
    sql_int(&q, ":stop", stop);
    sql_text(&q, ":why", why);
    sql_int(&q, ":now", clock_wall_ms());
    return sql_move(&q, "look at job", look->job_id, "open", e);
}

int store_look_get(struct store *s, const struct look *look, enum look_answer *out,
                   struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT coalesce(stop, -1) FROM look"
                               " WHERE job_id = :job AND attempt = :attempt AND n = :n");
    bool row;
    sql_int(&q, ":job", look->job_id);
    sql_int(&q, ":attempt", look->attempt);
    sql_int(&q, ":n", look->n);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "nobody asked after %d rounds of job %" PRId64,
                       look->n, look->job_id);
    int64_t stop = sql_col_int(&q, 0);
    *out = stop < 0 ? LOOK_OPEN : stop ? LOOK_STOP : LOOK_GO_ON;
    return 0;
}
