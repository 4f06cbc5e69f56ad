/* SPDX-License-Identifier: MIT */
/*
 * rows: a database with a repository 'shop', branch 'main' and six commits, for tests of store.
 */
#ifndef TESTS_ROWS_H
#define TESTS_ROWS_H

#include "../scratch.h"
#include "store.h"
#include "store_attempt.h"
#include "store_job.h"
#include "store_repo.h"

enum { ROWS_COMMITS = 6 };

struct rows {
    struct scratch dir;
    char db[128];
    struct store *store;
    int64_t repo, branch;
    int64_t commits[ROWS_COMMITS]; /* all on no branch yet but for the first three */
};

static inline int64_t rows_commit(struct rows *r, int n)
{
    struct commit c = {.repo_id = r->repo, .sha = {.len = 20}, .tree = {.len = 20}};
    memset(c.sha.at, n + 1, 20);
    memset(c.tree.at, n + 1, 20);
    snprintf(c.author, sizeof c.author, "Ada");
    snprintf(c.subject, sizeof c.subject, "c%d", n);
    MUST(store_commit_put(r->store, &c, &e));
    return c.id;
}

static inline int rows_set_up(void **state)
{
    struct rows *r = mem_zero(1, sizeof *r);
    struct branch branch;
    scratch_init(&r->dir);
    snprintf(r->db, sizeof r->db, "%s/pacewatch.db", r->dir.dir);
    MUST(store_open(r->db, &r->store, &e));
    MUST(store_repo_put(r->store, "shop", "/srv/shop.git", "main", &r->repo, &e));
    MUST(store_branch_put(r->store, r->repo, "main", &branch, &e));
    r->branch = branch.id;
    for (int i = 0; i < ROWS_COMMITS; i++)
        r->commits[i] = rows_commit(r, i);
    MUST(store_branch_move(r->store, r->branch, 0, r->commits, 3, &e));
    *state = r;
    return 0;
}

static inline int rows_tear_down(void **state)
{
    struct rows *r = *state;
    store_closep(&r->store);
    scratch_done(&r->dir);
    free(r);
    return 0;
}

static inline struct job rows_want(const struct rows *r, enum job_kind kind, int head)
{
    return (struct job){.repo_id = r->repo,
                        .branch_id = r->branch,
                        .kind = kind,
                        .head = r->commits[head],
                        .seed = 7};
}

static inline int64_t rows_queue(struct rows *r, enum job_kind kind, int head)
{
    struct job want = rows_want(r, kind, head);
    int64_t id;
    bool added;
    MUST(store_job_add(r->store, &want, &id, &added, &e));
    return id;
}

/* A token of its own for every attempt. */
static inline void rows_hash(int64_t job, int attempt, unsigned char out[DIGEST_BYTES])
{
    memset(out, 0, DIGEST_BYTES);
    out[0] = (unsigned char)job;
    out[1] = (unsigned char)attempt;
}

static inline int rows_submit(struct rows *r, int64_t job, int64_t spec)
{
    static int tokens;
    unsigned char hash[DIGEST_BYTES];
    int n;
    rows_hash(job, ++tokens, hash);
    MUST(store_job_submit(r->store, job, 0, spec, "local", hash, &n, &e));
    return n;
}

static inline struct job rows_job(struct rows *r, int64_t id)
{
    struct job job;
    MUST(store_job_get(r->store, id, &job, &e));
    return job;
}

/* The whole queue of attempts of a job, "lost,running". */
static inline void rows_attempts(struct rows *r, int64_t job, char out[256])
{
    scratch_ask(
        &r->dir, out,
        "sqlite3 pacewatch.db \"SELECT coalesce(group_concat(state), '') FROM (SELECT state "
        "FROM attempt WHERE job_id = %lld ORDER BY n)\"",
        (long long)job);
}

#endif
