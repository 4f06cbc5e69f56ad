/* SPDX-License-Identifier: MIT */
/* store_command: see store_command.h. Decisions are in store_decision.c. */
#include "store_command.h"

#include "clock.h"
#include "store_sql.h"

static const char *const state_names[COMMAND_STATE_COUNT] = {"new", "done", "refused",
                                                             "ignored"};

int store_command_add(struct store *s, int64_t repo_id, int64_t mr, const char *comment,
                      struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "INSERT INTO command(repo_id, mr, comment, state, next_ms, at_ms)"
                    " VALUES(:repo, :mr, :comment, 'new', :now, :now)"
                    " ON CONFLICT(repo_id, mr, comment) DO NOTHING");
    sql_int(&q, ":repo", repo_id);
    sql_int(&q, ":mr", mr);
    sql_text(&q, ":comment", comment);
    sql_int(&q, ":now", clock_wall_ms());
    return sql_run(&q, e);
}

int store_command_due(struct store *s, int64_t now_ms, struct command *out, bool *found,
                      struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT c.id, c.repo_id, c.mr, c.comment, c.tries, r.name"
                               " FROM command c JOIN repo r ON r.id = c.repo_id"
                               " WHERE c.state = 'new' AND c.next_ms <= :now"
                               " ORDER BY c.next_ms, c.id LIMIT 1");
    sql_int(&q, ":now", now_ms);
    if (sql_step(&q, found, e) < 0)
        return -1;
    if (!*found)
        return 0;
    *out = (struct command){
        .id = sql_col_int(&q, 0),
        .repo_id = sql_col_int(&q, 1),
        .mr = sql_col_int(&q, 2),
        .tries = (int)sql_col_int(&q, 4),
    };
    sql_col_copy(&q, 3, out->comment, sizeof out->comment);
    sql_col_copy(&q, 5, out->repo, sizeof out->repo);
    return 0;
}

int store_command_next_ms(struct store *s, int64_t *out_ms, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT next_ms FROM command WHERE state = 'new'"
                               " ORDER BY next_ms LIMIT 1");
    bool row;
    if (sql_step(&q, &row, e) < 0)
        return -1;
    *out_ms = row ? sql_col_int(&q, 0) : INT64_MAX;
    return 0;
}

int store_command_settle(struct store *s, const struct command *c, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE command SET state = :state, verb = :verb, who = :who,"
                               " role = :role, why = :why WHERE id = :id AND state = 'new'");
    sql_int(&q, ":id", c->id);
    sql_text(&q, ":state", state_names[c->state]);
    sql_text(&q, ":verb", c->verb);
    sql_text(&q, ":who", c->who);
    sql_text(&q, ":role", c->role);
    sql_text(&q, ":why", c->why);
    return sql_move(&q, "command", c->id, "new", e);
}

int store_command_later(struct store *s, int64_t id, int64_t next_ms, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE command SET tries = tries + 1, next_ms = :next"
                               " WHERE id = :id AND state = 'new'");
    sql_int(&q, ":id", id);
    sql_int(&q, ":next", next_ms);
    return sql_run(&q, e);
}

int store_command_count(struct store *s, const struct command *like, int64_t since_ms,
                        int64_t *out_answered, int64_t *out_refused, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "SELECT count(*), coalesce(sum(state = 'refused'), 0) FROM command"
                    " WHERE repo_id = :repo AND mr = :mr AND who = :who"
                    " AND at_ms >= :since AND state IN ('done','refused')");
    bool row;
    sql_int(&q, ":repo", like->repo_id);
    sql_int(&q, ":mr", like->mr);
    sql_text(&q, ":who", like->who);
    sql_int(&q, ":since", since_ms);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    *out_answered = sql_col_int(&q, 0);
    *out_refused = sql_col_int(&q, 1);
    return 0;
}

/* --- wishes ------------------------------------------------------------------------------- */

int store_wish_put(struct store *s, int64_t change_id, const struct change_wish *w,
                   struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "INSERT INTO change_wish(change_id, rounds, scenario)"
                               " VALUES(:change, :rounds, :scenario)");
    sql_int(&q, ":change", change_id);
    sql_id(&q, ":rounds", w->rounds);
    sql_text(&q, ":scenario", w->scenario[0] ? w->scenario : NULL);
    return sql_run(&q, e);
}

int store_wish_get(struct store *s, int64_t change_id, struct change_wish *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "SELECT rounds, scenario FROM change_wish WHERE change_id = :change");
    bool row;
    sql_int(&q, ":change", change_id);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    *out = (struct change_wish){.rounds = row ? sql_col_int(&q, 0) : 0};
    if (row)
        sql_col_copy(&q, 1, out->scenario, sizeof out->scenario);
    return 0;
}
