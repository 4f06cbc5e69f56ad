/* SPDX-License-Identifier: MIT */
/* store_repo: see store_repo.h. Branches and merge requests are in store_branch.c. */
#include "store_repo.h"

#include <inttypes.h>

#include "clock.h"
#include "store_sql.h"

void repo_done(struct repo *r)
{
    free(r->url);
    r->url = NULL;
}

int store_repo_put(struct store *s, const char *name, const char *url,
                   const char *default_branch, int64_t *out_id, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "INSERT INTO repo(name, url, default_branch, created_ms)"
                               " VALUES(:name, :url, :branch, :now)"
                               " ON CONFLICT(name) DO UPDATE SET url = excluded.url,"
                               "   default_branch = excluded.default_branch, configured = 1"
                               " RETURNING id");
    sql_text(&q, ":name", name);
    sql_text(&q, ":url", url);
    sql_text(&q, ":branch", default_branch);
    sql_int(&q, ":now", clock_wall_ms());
    return sql_id_of(&q, out_id, e);
}

int store_repo_unconfigure_all(struct store *s, struct err *e)
{
    AUTO(sql_done) struct sql q = sql_open(s, "UPDATE repo SET configured = 0");
    return sql_run(&q, e);
}

static void read_repo(struct sql *q, struct repo *out)
{
    *out = (struct repo){.id = sql_col_int(q, 0), .url = sql_col_dup(q, 2)};
    sql_col_copy(q, 1, out->name, sizeof out->name);
    sql_col_copy(q, 3, out->default_branch, sizeof out->default_branch);
}

int store_repo_get(struct store *s, int64_t id, struct repo *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT id, name, url, default_branch FROM repo WHERE id = :id");
    bool row;
    sql_int(&q, ":id", id);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "no repository %" PRId64, id);
    read_repo(&q, out);
    return 0;
}

int store_repo_by_name(struct store *s, const char *name, struct repo *out, bool *found,
                       struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "SELECT id, name, url, default_branch FROM repo WHERE name = :name");
    sql_text(&q, ":name", name);
    if (sql_step(&q, found, e) < 0)
        return -1;
    if (*found)
        read_repo(&q, out);
    return 0;
}

int store_repo_fetched(struct store *s, int64_t id, int64_t at_ms, const char *error,
                       struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "UPDATE repo SET fetched_ms = :at, fetch_error = :error WHERE id = :id");
    sql_int(&q, ":id", id);
    sql_int(&q, ":at", at_ms);
    sql_text(&q, ":error", error);
    return sql_run(&q, e);
}

/* --- commits ------------------------------------------------------------------------------ */

int store_commit_put(struct store *s, struct commit *c, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s,
        "INSERT INTO git_commit(repo_id, sha, tree, first_parent, author, author_ms, subject)"
        " VALUES(:repo, :sha, :tree, :parent, :author, :at, :subject)"
        " ON CONFLICT(repo_id, sha) DO UPDATE SET tree = tree RETURNING id");
    sql_int(&q, ":repo", c->repo_id);
    sql_sha(&q, ":sha", &c->sha);
    sql_sha(&q, ":tree", &c->tree);
    sql_sha(&q, ":parent", &c->first_parent);
    sql_text(&q, ":author", c->author);
    sql_int(&q, ":at", c->author_ms);
    sql_text(&q, ":subject", c->subject);
    return sql_id_of(&q, &c->id, e);
}

static void read_commit(struct sql *q, struct commit *out)
{
    *out = (struct commit){
        .id = sql_col_int(q, 0),
        .repo_id = sql_col_int(q, 1),
        .sha = sql_col_sha(q, 2),
        .tree = sql_col_sha(q, 3),
        .first_parent = sql_col_sha(q, 4),
        .author_ms = sql_col_int(q, 6),
    };
    sql_col_copy(q, 5, out->author, sizeof out->author);
    sql_col_copy(q, 7, out->subject, sizeof out->subject);
}

int store_commit_get(struct store *s, int64_t id, struct commit *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "SELECT id, repo_id, sha, tree, first_parent, author, author_ms, subject"
                    " FROM git_commit WHERE id = :id");
    bool row;
    sql_int(&q, ":id", id);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "no commit %" PRId64, id);
    read_commit(&q, out);
    return 0;
}

int store_commit_by_sha(struct store *s, int64_t repo_id, const struct sha *sha,
                        struct commit *out, bool *found, struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "SELECT id, repo_id, sha, tree, first_parent, author, author_ms, subject"
                    " FROM git_commit WHERE repo_id = :repo AND sha = :sha");
    sql_int(&q, ":repo", repo_id);
    sql_sha(&q, ":sha", sha);
    if (sql_step(&q, found, e) < 0)
        return -1;
    if (*found)
        read_commit(&q, out);
    return 0;
}
