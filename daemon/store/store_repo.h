/* SPDX-License-Identifier: MIT */
/*
 * store_repo: repositories, commits, branches with their positions, merge requests.
 *
 * A position is a commit's place on its branch's first-parent chain. It is given once, when the
 * commit first appears, and never moves: commits that a force-push replaced keep theirs with
 * live = 0, and get live again when they are pushed back. Live positions ascend along the
 * chain.
 */
#ifndef STORE_REPO_H
#define STORE_REPO_H

#include "record.h"
#include "store.h"
#include "vec.h"

void repo_done(struct repo *r);

/* Puts by name: an existing repository keeps its id and takes the new URL and branch. */
int store_repo_put(struct store *s, const char *name, const char *url,
                   const char *default_branch, int64_t *out_id, struct err *e);
/* Marks all as left over; putting one back marks it configured again. */
int store_repo_unconfigure_all(struct store *s, struct err *e);
int store_repo_get(struct store *s, int64_t id, struct repo *out, struct err *e);
int store_repo_by_name(struct store *s, const char *name, struct repo *out, bool *found,
                       struct err *e);
/* Notes a look at the remote; error NULL when it succeeded. */
int store_repo_fetched(struct store *s, int64_t id, int64_t at_ms, const char *error,
                       struct err *e);

/* Fills in c->id; a commit that is there already stays as it is. */
int store_commit_put(struct store *s, struct commit *c, struct err *e);
int store_commit_get(struct store *s, int64_t id, struct commit *out, struct err *e);
int store_commit_by_sha(struct store *s, int64_t repo_id, const struct sha *sha,
                        struct commit *out, bool *found, struct err *e);

int store_branch_put(struct store *s, int64_t repo_id, const char *name, struct branch *out,
                     struct err *e);
int store_branch_get(struct store *s, int64_t id, struct branch *out, struct err *e);

struct branch_list {
    VEC(struct branch) branches;
};

void branch_list_done(struct branch_list *l);
int store_branch_list(struct store *s, int64_t repo_id, struct branch_list *out, struct err *e);

/* The branch now ends with 'commits' (ids, oldest first) behind the live commit 'fork' (0: from
 * a root). What was live behind the fork is not any more. The last of all is the tip. */
int store_branch_move(struct store *s, int64_t branch_id, int64_t fork, const int64_t *commits,
                      size_t n, struct err *e);
/* The branch was deleted: no tip; its positions stay as they are. */
int store_branch_gone(struct store *s, int64_t branch_id, struct err *e);
int store_branch_position(struct store *s, int64_t branch_id, int64_t commit_id,
                          int64_t *out_pos, bool *live, bool *found, struct err *e);

struct id_list {
    VEC(int64_t) ids;
};

void id_list_done(struct id_list *l);
/* The newest 'limit' live commits of the branch, oldest first. */
int store_branch_recent(struct store *s, int64_t branch_id, int64_t limit, struct id_list *out,
                        struct err *e);

/* Puts by (repository, number) and opens it; 'head' and 'base' are commit ids. */
int store_mr_put(struct store *s, const struct merge_request *mr, int64_t head, int64_t base,
                 int64_t *out_id, struct err *e);
int store_mr_get(struct store *s, int64_t id, struct merge_request *out, struct err *e);
int store_mr_by_number(struct store *s, int64_t repo_id, int64_t number,
                       struct merge_request *out, bool *found, struct err *e);
int store_mr_close(struct store *s, int64_t id, struct err *e);

struct mr_list {
    VEC(struct merge_request) mrs;
};

void mr_list_done(struct mr_list *l);
int store_mr_list_open(struct store *s, int64_t repo_id, struct mr_list *out, struct err *e);

#endif
