/* SPDX-License-Identifier: MIT */
/*
 * lineage: questions about the history in a mirror. Reads local objects only.
 */
#ifndef MIRROR_LINEAGE_H
#define MIRROR_LINEAGE_H

#include "mirror.h"
#include "str.h"

enum {
    LINEAGE_AUTHOR_MAX = 127,
    LINEAGE_SUBJECT_MAX = 200,
    LINEAGE_CHAIN_MAX = 1000000,
    LINEAGE_PATHS_MAX = 100000,
};

struct lineage_commit {
    char sha[MIRROR_HEX_MAX + 1], tree[MIRROR_HEX_MAX + 1];
    char first_parent[MIRROR_HEX_MAX + 1]; /* "" for a root */
    char author[LINEAGE_AUTHOR_MAX + 1];   /* name, cut between characters */
    int64_t author_ms;
    int64_t commit_ms;
    char subject[LINEAGE_SUBJECT_MAX + 1];
};

struct lineage_chain {
    VEC(struct lineage_commit) commits; /* oldest first */
    char fork[MIRROR_HEX_MAX + 1]; /* where 'stop' said so; "": the chain begins with a root */
};

int lineage_read(struct mirror *m, const char *sha, struct lineage_commit *out, struct err *e);

/* A commit by any name git understands: "HEAD~3", a branch, a short id. */
int lineage_resolve(struct mirror *m, const char *rev, struct lineage_commit *out,
                    struct err *e);

/* The first-parent chain that ends with 'tip', down to (without) the first commit for which
 * 'stop' answers 1, or to the root. 'stop' answers 0 to go on, -1 with *e set to give up. */
typedef int lineage_stop_fn(void *ctx, const char *sha, struct err *e);
int lineage_chain_read(struct mirror *m, const char *tip, lineage_stop_fn *stop, void *ctx,
                       struct lineage_chain *out, struct err *e);
void lineage_chain_done(struct lineage_chain *c);

/* The newest common ancestor; *found is false for unrelated histories. */
int lineage_merge_base(struct mirror *m, const char *a, const char *b,
                       char out[MIRROR_HEX_MAX + 1], bool *found, struct err *e);

/* Calls 'each' with every path that differs between the trees of two commits ("" for 'from': an
 * empty tree), until it answers true. *out_stopped tells whether it did. */
typedef bool lineage_path_fn(void *ctx, const char *path);
int lineage_changed_paths(struct mirror *m, const char *from, const char *to,
                          lineage_path_fn *each, void *ctx, bool *out_stopped, struct err *e);

/* Appends a file of the commit's tree. A link or folder of that name is ERR_INPUT; larger than
 * the ceiling of 'out' ERR_LIMIT. */
int lineage_read_file(struct mirror *m, const char *sha, const char *path, struct str *out,
                      bool *found, struct err *e);

#endif
