/* SPDX-License-Identifier: MIT */
/* store_decision: what people decided about merge requests; see store_command.h. */
#include "clock.h"
#include "store_command.h"
#include "store_sql.h"

static const char *const kind_names[DECISION_KIND_COUNT] = {"accept", "ignore"};

void decision_list_done(struct decision_list *l)
{
    vec_done(&l->at);
}

int store_decision_add(struct store *s, const struct decision *d, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "INSERT INTO mr_decision(mr_id, kind, job_id, scenario, reason, who, role, state,"
           "  at_ms) VALUES(:mr, :kind, :job, :scenario, :reason, :who, :role, 'new', :now)");
    sql_int(&q, ":mr", d->mr_id);
    sql_text(&q, ":kind", kind_names[d->kind]);
    sql_id(&q, ":job", d->job_id);
    sql_text(&q, ":scenario", d->scenario);
    sql_text(&q, ":reason", d->reason);
    sql_text(&q, ":who", d->who);
    sql_text(&q, ":role", d->role);
    sql_int(&q, ":now", clock_wall_ms());
    return sql_run(&q, e);
}

#define COLUMNS "SELECT id, mr_id, kind, job_id, scenario, reason, who, role FROM mr_decision "

static void read_decision(struct sql *q, struct decision *out)
{
    *out = (struct decision){
        .id = sql_col_int(q, 0),
        .mr_id = sql_col_int(q, 1),
        .kind = sql_col_word(q, 2, kind_names, DECISION_KIND_COUNT),
        .job_id = sql_col_int(q, 3),
    };
    sql_col_copy(q, 4, out->scenario, sizeof out->scenario);
    sql_col_copy(q, 5, out->reason, sizeof out->reason);
    sql_col_copy(q, 6, out->who, sizeof out->who);
    sql_col_copy(q, 7, out->role, sizeof out->role);
}

int store_decision_list(struct store *s, int64_t mr_id, struct decision_list *out,
                        struct err *e)
{
    AUTO(sql_done) struct sql q = sql_open(s, COLUMNS "WHERE mr_id = :mr ORDER BY id");
    bool row;
    sql_int(&q, ":mr", mr_id);
    while (sql_step(&q, &row, e) == 0) {
        if (!row)
            return 0;
        read_decision(&q, vec_push(&out->at));
    }
    return -1;
}

int store_decision_next(struct store *s, struct decision *out, bool *found, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, COLUMNS "WHERE state = 'new' ORDER BY id LIMIT 1");
    if (sql_step(&q, found, e) < 0)
        return -1;
    if (*found)
        read_decision(&q, out);
    return 0;
}

int store_decision_applied(struct store *s, int64_t id, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "UPDATE mr_decision SET state = 'applied' WHERE id = :id AND state = 'new'");
    sql_int(&q, ":id", id);
    return sql_move(&q, "decision", id, "new", e);
}
