/* SPDX-License-Identifier: MIT */
/* store_change: see store_change.h. */
#include "store_change.h"

#include "clock.h"
#include "store_sql.h"

int store_change_add(struct store *s, const struct change *c, int64_t *out_id, bool *added,
                     struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s,
        "INSERT INTO change(repo_id, source, ref, head, mr_id, state, at_ms)"
        " SELECT :repo, :source, :ref, :head, :mr, 'new', :now"
        " WHERE :source = 'manual' OR NOT EXISTS(SELECT 1 FROM (SELECT head, state FROM change"
        "   WHERE repo_id = :repo AND ref = :ref ORDER BY id DESC LIMIT 1)"
        "   WHERE head IS :head AND (state = 'new' OR NOT :again))"
        " RETURNING id");
    sql_int(&q, ":repo", c->repo_id);
    sql_text(&q, ":source", change_source_names[c->source]);
    sql_text(&q, ":ref", c->ref);
    sql_sha(&q, ":head", &c->head);
    sql_id(&q, ":mr", c->mr_id);
    sql_int(&q, ":again", c->again);
    sql_int(&q, ":now", clock_wall_ms());
    if (sql_step(&q, added, e) < 0)
        return -1;
    if (!*added)
        return 0;
    *out_id = sql_col_int(&q, 0);
    return sql_run(&q, e);
}

/* '+repo_id' keeps SQLite off the index by repository, which holds every change there ever was.
 */
int store_change_next(struct store *s, int64_t repo_id, int64_t behind, struct change *out,
                      bool *found, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT id, repo_id, source, ref, head, mr_id FROM change"
                               " WHERE state = 'new' AND +repo_id = :repo AND id > :behind"
                               " ORDER BY id LIMIT 1");
    sql_int(&q, ":repo", repo_id);
    sql_int(&q, ":behind", behind);
    if (sql_step(&q, found, e) < 0)
        return -1;
    if (!*found)
        return 0;
    *out = (struct change){
        .id = sql_col_int(&q, 0),
        .repo_id = sql_col_int(&q, 1),
        .source = sql_col_word(&q, 2, change_source_names, ARRAY_LEN(change_source_names)),
        .head = sql_col_sha(&q, 4),
        .mr_id = sql_col_int(&q, 5),
    };
    sql_col_copy(&q, 3, out->ref, sizeof out->ref);
    return 0;
}

int store_change_newest_ms(struct store *s, int64_t repo_id, int64_t *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT max(at_ms) FROM change WHERE repo_id = :repo");
    bool row;
    sql_int(&q, ":repo", repo_id);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    *out = row ? sql_col_int(&q, 0) : 0;
    return 0;
}

int store_change_waiting(struct store *s, struct id_list *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT DISTINCT repo_id FROM change WHERE state = 'new'");
    bool row;
    while (sql_step(&q, &row, e) == 0) {
        if (!row)
            return 0;
        *vec_push(&out->ids) = sql_col_int(&q, 0);
    }
    return -1;
}

static int settle(struct store *s, int64_t id, int64_t mr_id, const char *state,
                  const char *why, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "UPDATE change SET state = :state, why = :why,"
                    " mr_id = coalesce(:mr, mr_id) WHERE id = :id AND state = 'new'");
    sql_int(&q, ":id", id);
    sql_id(&q, ":mr", mr_id);
    sql_text(&q, ":state", state);
    sql_text(&q, ":why", why);
    return sql_move(&q, "change", id, "new", e);
}

int store_change_planned(struct store *s, int64_t id, int64_t mr_id, struct err *e)
{
    return settle(s, id, mr_id, "planned", NULL, e);
}

int store_change_skipped(struct store *s, int64_t id, const char *why, struct err *e)
{
    return settle(s, id, 0, "skipped", why, e);
}
