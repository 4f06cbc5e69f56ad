/* SPDX-License-Identifier: MIT */
/* store_hook: see store_hook.h. */
#include "store_hook.h"

#include "clock.h"
#include "store_command.h"
#include "store_sql.h"

#define KEPT_MS (INT64_C(14) * 86400 * 1000)

static int find_repo(struct store *s, const char *name, int64_t *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT id FROM repo WHERE name = :name AND configured = 1");
    bool row;
    sql_text(&q, ":name", name);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "no repository '%s'", name);
    *out = sql_col_int(&q, 0);
    return 0;
}

static int add(struct store *s, int64_t repo_id, const struct hook_note *note, bool *added,
               struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "INSERT INTO hook_delivery(repo_id, delivery, at_ms, mr)"
                               " SELECT :repo, :delivery, :now, :mr WHERE NOT EXISTS(SELECT 1"
                               "   FROM hook_delivery WHERE repo_id = :repo"
                               "   AND delivery = :delivery) RETURNING id");
    sql_int(&q, ":repo", repo_id);
    sql_text(&q, ":delivery", note->delivery);
    sql_int(&q, ":now", clock_wall_ms());
    sql_id(&q, ":mr", note->mr);
    if (sql_step(&q, added, e) < 0)
        return -1;
    return *added ? sql_run(&q, e) : 0;
}

static int forget_old(struct store *s, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "DELETE FROM hook_delivery WHERE at_ms < :before");
    sql_int(&q, ":before", clock_wall_ms() - KEPT_MS);
    return sql_run(&q, e);
}

static int add_command(struct store *s, int64_t repo_id, const struct hook_note *note,
                       struct err *e)
{
    if (!note->comment || !note->comment[0])
        return 0;
    return store_command_add(s, repo_id, note->command_mr, note->comment, e);
}

int store_hook_add(struct store *s, const char *repo, const struct hook_note *note, bool *added,
                   struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    int64_t repo_id;
    bool is_new;
    if (store_begin(s, &tx, e) < 0 || find_repo(s, repo, &repo_id, e) < 0 ||
        add(s, repo_id, note, &is_new, e) < 0 ||
        (is_new && add_command(s, repo_id, note, e) < 0) || forget_old(s, e) < 0 ||
        store_commit(&tx, e) < 0)
        return -1;
    *added = is_new;
    return 0;
}

void hook_news_list_done(struct hook_news_list *l)
{
    vec_done(&l->news);
}

int store_hook_news(struct store *s, int64_t behind, struct hook_news_list *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT repo_id, max(id) FROM hook_delivery WHERE id > :behind"
                               " GROUP BY repo_id");
    bool row;
    sql_int(&q, ":behind", behind);
    while (sql_step(&q, &row, e) == 0) {
        if (!row)
            return 0;
        *vec_push(&out->news) =
            (struct hook_news){.repo_id = sql_col_int(&q, 0), .newest = sql_col_int(&q, 1)};
    }
    return -1;
}

int store_hook_mrs(struct store *s, int64_t repo_id, int64_t behind, struct id_list *out,
                   struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT DISTINCT mr FROM hook_delivery WHERE id > :behind"
                               " AND repo_id = :repo AND mr IS NOT NULL ORDER BY mr");
    bool row;
    sql_int(&q, ":repo", repo_id);
    sql_int(&q, ":behind", behind);
    while (sql_step(&q, &row, e) == 0) {
        if (!row)
            return 0;
        *vec_push(&out->ids) = sql_col_int(&q, 0);
    }
    return -1;
}

int store_hook_newest(struct store *s, int64_t *out, struct err *e)
{
    AUTO(sql_done) struct sql q = sql_open(s, "SELECT max(id) FROM hook_delivery");
    bool row;
    if (sql_step(&q, &row, e) < 0)
        return -1;
    *out = row ? sql_col_int(&q, 0) : 0;
    return 0;
}
