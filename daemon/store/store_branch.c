/* SPDX-License-Identifier: MIT */
/* store_branch: branches, positions and merge requests; see store_repo.h. */
#include <inttypes.h>

#include "store_repo.h"
#include "store_sql.h"

void id_list_done(struct id_list *l)
{
    vec_done(&l->ids);
}

void branch_list_done(struct branch_list *l)
{
    vec_done(&l->branches);
}

void mr_list_done(struct mr_list *l)
{
    vec_done(&l->mrs);
}

static void read_branch(struct sql *q, struct branch *out)
{
    *out = (struct branch){
        .id = sql_col_int(q, 0), .repo_id = sql_col_int(q, 1), .tip = sql_col_int(q, 3)};
    sql_col_copy(q, 2, out->name, sizeof out->name);
}

int store_branch_put(struct store *s, int64_t repo_id, const char *name, struct branch *out,
                     struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "INSERT INTO branch(repo_id, name) VALUES(:repo, :name)"
                               " ON CONFLICT(repo_id, name) DO UPDATE SET name = name"
                               " RETURNING id, repo_id, name, tip");
    bool row;
    sql_int(&q, ":repo", repo_id);
    sql_text(&q, ":name", name);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    read_branch(&q, out);
    return sql_run(&q, e);
}

int store_branch_get(struct store *s, int64_t id, struct branch *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT id, repo_id, name, tip FROM branch WHERE id = :id");
    bool row;
    sql_int(&q, ":id", id);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "no branch %" PRId64, id);
    read_branch(&q, out);
    return 0;
}

int store_branch_list(struct store *s, int64_t repo_id, struct branch_list *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "SELECT id, repo_id, name, tip FROM branch WHERE repo_id = :repo ORDER BY id");
    bool row;
    sql_int(&q, ":repo", repo_id);
    while (sql_step(&q, &row, e) == 0) {
        if (!row)
            return 0;
        read_branch(&q, vec_push(&out->branches));
    }
    return -1;
}

/* --- positions ---------------------------------------------------------------------------- */

int store_branch_position(struct store *s, int64_t branch_id, int64_t commit_id,
                          int64_t *out_pos, bool *live, bool *found, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT pos, live FROM branch_commit"
                               " WHERE commit_id = :commit AND branch_id = :branch");
    sql_int(&q, ":commit", commit_id);
    sql_int(&q, ":branch", branch_id);
    if (sql_step(&q, found, e) < 0)
        return -1;
    if (*found) {
        *out_pos = sql_col_int(&q, 0);
        *live = sql_col_int(&q, 1) != 0;
    }
    return 0;
}

static int cut_behind(struct store *s, int64_t branch_id, int64_t pos, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE branch_commit SET live = 0"
                               " WHERE branch_id = :branch AND pos > :pos AND live = 1");
    sql_int(&q, ":branch", branch_id);
    sql_int(&q, ":pos", pos);
    return sql_run(&q, e);
}

static int set_tip(struct store *s, int64_t branch_id, int64_t tip, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE branch SET tip = :tip WHERE id = :branch");
    sql_int(&q, ":branch", branch_id);
    sql_id(&q, ":tip", tip);
    return sql_run(&q, e);
}

/* A commit that has been on the branch before gets its old place back. Its ancestors on the
 * chain were there with it, at smaller positions, so live positions still ascend. */
static int append(struct store *s, int64_t branch_id, const int64_t *commits, size_t n,
                  struct err *e)
{
    AUTO(sql_done)
    struct sql q =
        sql_open(s, "INSERT INTO branch_commit(branch_id, pos, commit_id)"
                    " VALUES(:branch, (SELECT coalesce(max(pos), 0) + 1 FROM branch_commit"
                    "                  WHERE branch_id = :branch), :commit)"
                    " ON CONFLICT(commit_id, branch_id) DO UPDATE SET live = 1");
    sql_int(&q, ":branch", branch_id);
    for (size_t i = 0; i < n; i++) {
        sql_int(&q, ":commit", commits[i]);
        if (sql_run(&q, e) < 0)
            return -1;
        sql_again(&q);
    }
    return 0;
}

int store_branch_move(struct store *s, int64_t branch_id, int64_t fork, const int64_t *commits,
                      size_t n, struct err *e)
{
    AUTO(store_tx_done) struct store_tx tx = {0};
    int64_t fork_pos = 0;
    bool live = true, found = true;
    if (store_begin(s, &tx, e) < 0)
        return -1;
    if (fork && store_branch_position(s, branch_id, fork, &fork_pos, &live, &found, e) < 0)
        return -1;
    if (!found || !live)
        return err_set(e, ERR_CONFLICT, "commit %" PRId64 " is not live on branch %" PRId64,
                       fork, branch_id);
    if (cut_behind(s, branch_id, fork_pos, e) < 0 || append(s, branch_id, commits, n, e) < 0 ||
        set_tip(s, branch_id, n ? commits[n - 1] : fork, e) < 0)
        return -1;
    return store_commit(&tx, e);
}

int store_branch_gone(struct store *s, int64_t branch_id, struct err *e)
{
    return set_tip(s, branch_id, 0, e);
}

int store_branch_recent(struct store *s, int64_t branch_id, int64_t limit, struct id_list *out,
                        struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "SELECT commit_id FROM (SELECT commit_id, pos FROM branch_commit"
                               "   WHERE branch_id = :branch AND live = 1"
                               "   ORDER BY pos DESC LIMIT :limit) ORDER BY pos");
    bool row;
    sql_int(&q, ":branch", branch_id);
    sql_int(&q, ":limit", limit);
    while (sql_step(&q, &row, e) == 0) {
        if (!row)
            return 0;
        *vec_push(&out->ids) = sql_col_int(&q, 0);
    }
    return -1;
}

/* --- merge requests ----------------------------------------------------------------------- */

int store_mr_put(struct store *s, const struct merge_request *mr, int64_t head, int64_t base,
                 int64_t *out_id, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(
        s, "INSERT INTO merge_request(repo_id, number, target, head, merge_base, state)"
           " VALUES(:repo, :number, :target, :head, :base, 'open')"
           " ON CONFLICT(repo_id, number) DO UPDATE SET target = excluded.target,"
           "   head = excluded.head, merge_base = excluded.merge_base, state = 'open'"
           " RETURNING id");
    sql_int(&q, ":repo", mr->repo_id);
    sql_int(&q, ":number", mr->number);
    sql_text(&q, ":target", mr->target);
    sql_id(&q, ":head", head);
    sql_id(&q, ":base", base);
    return sql_id_of(&q, out_id, e);
}

#define MR_COLUMNS                                                                     \
    "SELECT m.id, m.repo_id, m.number, m.target, h.sha, b.sha, m.state = 'open' FROM " \
    "merge_request m"                                                                  \
    " LEFT JOIN git_commit h ON h.id = m.head LEFT JOIN git_commit b ON b.id = m.merge_base "

static void read_mr(struct sql *q, struct merge_request *out)
{
    *out = (struct merge_request){
        .id = sql_col_int(q, 0),
        .repo_id = sql_col_int(q, 1),
        .number = sql_col_int(q, 2),
        .head = sql_col_sha(q, 4),
        .merge_base = sql_col_sha(q, 5),
        .open = sql_col_int(q, 6) != 0,
    };
    sql_col_copy(q, 3, out->target, sizeof out->target);
}

int store_mr_get(struct store *s, int64_t id, struct merge_request *out, struct err *e)
{
    AUTO(sql_done) struct sql q = sql_open(s, MR_COLUMNS "WHERE m.id = :id");
    bool row;
    sql_int(&q, ":id", id);
    if (sql_step(&q, &row, e) < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "no merge request with id %" PRId64, id);
    read_mr(&q, out);
    return 0;
}

int store_mr_by_number(struct store *s, int64_t repo_id, int64_t number,
                       struct merge_request *out, bool *found, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, MR_COLUMNS "WHERE m.repo_id = :repo AND m.number = :number");
    sql_int(&q, ":repo", repo_id);
    sql_int(&q, ":number", number);
    if (sql_step(&q, found, e) < 0)
        return -1;
    if (*found)
        read_mr(&q, out);
    return 0;
}

int store_mr_list_open(struct store *s, int64_t repo_id, struct mr_list *out, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, MR_COLUMNS "WHERE m.repo_id = :repo AND m.state = 'open'");
    bool row;
    sql_int(&q, ":repo", repo_id);
    while (sql_step(&q, &row, e) == 0) {
        if (!row)
            return 0;
        read_mr(&q, vec_push(&out->mrs));
    }
    return -1;
}

int store_mr_close(struct store *s, int64_t id, struct err *e)
{
    AUTO(sql_done)
    struct sql q = sql_open(s, "UPDATE merge_request SET state = 'closed' WHERE id = :id");
    sql_int(&q, ":id", id);
    return sql_run(&q, e);
}
