/* SPDX-License-Identifier: MIT */
/* store_outbox: see store_outbox.h. */
#include "store_outbox.h"

#include "clock.h"
#include "store_sql.h"

const char *const outbox_target_names[OUTBOX_TARGET_COUNT] = {
    "file", "status", "comment", "webhook", "slack", "matrix", "mail",
};

void outbox_done(struct outbox *o)
{
    free(o->body);
    o->body = NULL;
}

static void bind_slot(struct sql *q, const struct outbox *o)
{
    sql_int(q, ":repo", o->repo_id);
    sql_text(q, ":target", outbox_target_names[o->target]);
    sql_text(q, ":place", o->place);
    sql_text(q, ":slot", o->slot);
}

static int replace(struct store *s, const struct outbox *o, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "UPDATE outbox SET state = 'replaced', body = '' WHERE repo_id = :repo"
                    " AND target = :target AND place = :place AND slot = :slot"
                    " AND state = 'pending'");
    bind_slot(&q, o);
    return sql_run(&q, e);
}

static int insert(struct store *s, const struct outbox *o, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "INSERT INTO outbox(repo_id, job_id, target, place, slot, message_id, body, state,"
           " next_ms, created_ms) VALUES(:repo, :job, :target, :place, :slot, :message, :body,"
           " 'pending', :now, :now)");
    bind_slot(&q, o);
    sql_id(&q, ":job", o->job_id);
    sql_text(&q, ":message", o->message_id);
    sql_text(&q, ":body", o->body);
    sql_int(&q, ":now", clock_wall_ms());
    return sql_run(&q, e);
}

int store_outbox_put(struct store *s, const struct outbox *o, struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    if (store_begin(s, &tx, e) < 0 || replace(s, o, e) < 0 || insert(s, o, e) < 0)
        return -1;
    return store_commit(&tx, e);
}

int store_outbox_due(struct store *s, int64_t now_ms, struct outbox *out, bool *found,
                     struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s,
        "SELECT o.id, o.repo_id, o.job_id, o.target, o.slot, o.message_id, o.attempt,"
        " o.body, r.name, o.place FROM outbox o JOIN repo r ON r.id = o.repo_id"
        " WHERE o.state = 'pending' AND o.next_ms <= :now"
        " ORDER BY CASE o.target WHEN 'file' THEN 0 WHEN 'status' THEN 1 WHEN 'comment' THEN 1"
        " ELSE 2 END, o.next_ms, o.id LIMIT 1");
    bool row;
    sql_int(&q, ":now", now_ms);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    *found = row;
    if (!row)
        return 0;
    *out = (struct outbox){
        .id = sql_col_int(&q, 0),
        .repo_id = sql_col_int(&q, 1),
        .job_id = sql_col_int(&q, 2),
        .target =
            (enum outbox_target)sql_col_word(&q, 3, outbox_target_names, OUTBOX_TARGET_COUNT),
        .attempt = (int)sql_col_int(&q, 6),
        .body = sql_col_dup(&q, 7),
    };
    sql_col_copy(&q, 4, out->slot, sizeof out->slot);
    sql_col_copy(&q, 5, out->message_id, sizeof out->message_id);
    sql_col_copy(&q, 8, out->repo, sizeof out->repo);
    sql_col_copy(&q, 9, out->place, sizeof out->place);
    return 0;
}

int store_outbox_next_ms(struct store *s, int64_t *out_ms, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "SELECT next_ms FROM outbox WHERE state = 'pending' ORDER BY next_ms LIMIT 1");
    bool row;
    if (sql_step(&q, &row, e) < 0)
        return -1;
    *out_ms = row ? sql_col_int(&q, 0) : INT64_MAX;
    return 0;
}

int store_outbox_slot_used(struct store *s, const struct outbox *o, bool *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT 1 FROM outbox WHERE repo_id = :repo AND target = :target"
                               " AND place = :place AND slot = :slot"
                               " AND state IN ('pending', 'sent') LIMIT 1");
    bind_slot(&q, o);
    return sql_step(&q, out, e);
}

int store_outbox_tried(struct store *s, int64_t id, const struct outbox_try *t, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE outbox SET attempt = attempt + 1,"
                               " last_status = :status, last_error = :error,"
                               " sent_ms = iif(:error IS NULL, :now, sent_ms), next_ms = :next,"
                               " state = CASE WHEN state <> 'pending' THEN state"
                               " WHEN :error IS NULL THEN 'sent' WHEN :next = 0 THEN 'dead'"
                               " ELSE 'pending' END WHERE id = :id");
    sql_int(&q, ":id", id);
    sql_id(&q, ":status", t->status);
    sql_text(&q, ":error", t->error);
    sql_int(&q, ":next", t->next_ms);
    sql_int(&q, ":now", clock_wall_ms());
    return sql_run(&q, e);
}

int store_outbox_delay(struct store *s, int64_t id, int64_t next_ms, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE outbox SET next_ms = :next WHERE id = :id");
    sql_int(&q, ":id", id);
    sql_int(&q, ":next", next_ms);
    return sql_run(&q, e);
}

static int one_id(struct sql *q, int64_t *out, bool *found, struct err *e)
{
    if (sql_step(q, found, e) < 0)
        return -1;
    if (*found)
        *out = sql_col_int(q, 0);
    return 0;
}

int store_outbox_silent_failure(struct store *s, int64_t *out_job, bool *found, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "SELECT j.id FROM job j WHERE j.state = 'failed' AND j.reported = 0"
                    " AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.job_id = j.id)"
                    " ORDER BY j.id LIMIT 1");
    return one_id(&q, out_job, found, e);
}

int store_outbox_settled_job(struct store *s, int64_t *out_job, bool *found, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s,
        "SELECT j.id FROM job j WHERE"
        " (j.state = 'judged' OR (j.state = 'failed' AND j.reported = 0 AND"
        "  EXISTS (SELECT 1 FROM outbox o WHERE o.job_id = j.id)))"
        " AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.job_id = j.id AND o.state = 'pending')"
        " ORDER BY j.id LIMIT 1");
    return one_id(&q, out_job, found, e);
}
