/* SPDX-License-Identifier: MIT */
/* store_approval: see store_approval.h. */
#include "store_approval.h"

#include "clock.h"
#include "store_sql.h"

static const char *const how_names[APPROVAL_HOW_COUNT] = {"branch", "forge", "comment",
                                                          "label"};

int store_approval_add(struct store *s, const struct approval *a, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "INSERT INTO approval(repo_id, mr, sha, how, who, role, at_ms)"
                               " VALUES(:repo, :mr, :sha, :how, :who, :role, :now)"
                               " ON CONFLICT(repo_id, mr, sha) DO NOTHING");
    sql_int(&q, ":repo", a->repo_id);
    sql_int(&q, ":mr", a->mr);
    sql_sha(&q, ":sha", &a->sha);
    sql_text(&q, ":how", how_names[a->how]);
    sql_text(&q, ":who", a->who);
    sql_text(&q, ":role", a->role);
    sql_int(&q, ":now", clock_wall_ms());
    return sql_run(&q, e);
}

int store_approval_has(struct store *s, int64_t repo_id, int64_t mr, const struct sha *sha,
                       bool *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "SELECT 1 FROM approval WHERE repo_id = :repo AND mr = :mr AND sha = :sha");
    sql_int(&q, ":repo", repo_id);
    sql_int(&q, ":mr", mr);
    sql_sha(&q, ":sha", sha);
    return sql_step(&q, out, e);
}
