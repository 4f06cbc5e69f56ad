/* SPDX-License-Identifier: MIT */
/* lineage: see lineage.h. */
#include "lineage.h"

#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "mirror_own.h"

/* Foreign text as one line of valid UTF-8 within 'size'. */
static void copy_text(char *out, size_t size, const char *text)
{
    struct view v = view_z(text ? text : "");
    size_t len = view_utf8_prefix(v, size - 1);
    bool valid = view_is_utf8((struct view){v.at, len});
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)v.at[i];
        out[i] = c < 0x20 || c == 0x7f || (!valid && c >= 0x80) ? '?' : (char)c;
    }
    out[len] = '\0';
}

static void describe(git_commit *c, struct lineage_commit *out)
{
    const git_signature *author = git_commit_author(c);
    *out = (struct lineage_commit){
        .author_ms = author ? author->when.time * 1000 : 0,
        .commit_ms = git_commit_time(c) * 1000,
    };
    (void)git_oid_tostr(out->sha, sizeof out->sha, git_commit_id(c));
    (void)git_oid_tostr(out->tree, sizeof out->tree, git_commit_tree_id(c));
    if (git_commit_parentcount(c) > 0)
        (void)git_oid_tostr(out->first_parent, sizeof out->first_parent,
                            git_commit_parent_id(c, 0));
    copy_text(out->author, sizeof out->author, author ? author->name : NULL);
    copy_text(out->subject, sizeof out->subject, git_commit_summary(c));
}

static int lookup(struct mirror *m, const char *sha, git_commit **out, struct err *e)
{
    git_oid id;
    if (mirror_parse_oid(sha, &id, e) < 0)
        return -1;
    int code = git_commit_lookup(out, m->repo, &id);
    return code < 0 ? mirror_fail(e, code, "commit %s", sha) : 0;
}

int lineage_read(struct mirror *m, const char *sha, struct lineage_commit *out, struct err *e)
{
    git_commit *c = NULL;
    if (lookup(m, sha, &c, e) < 0)
        return -1;
    describe(c, out);
    git_commit_free(c);
    return 0;
}

int lineage_resolve(struct mirror *m, const char *rev, struct lineage_commit *out,
                    struct err *e)
{
    git_object *named = NULL, *commit = NULL;
    int code = git_revparse_single(&named, m->repo, rev);
    if (code == 0)
        code = git_object_peel(&commit, named, GIT_OBJECT_COMMIT);
    if (code == 0)
        describe((git_commit *)commit, out);
    git_object_free(named);
    git_object_free(commit);
    return code < 0 ? mirror_fail(e, code, "'%s'", rev) : 0;
}

static void reverse(struct lineage_chain *c)
{
    for (size_t i = 0, k = c->commits.len; i + 1 < k; i++) {
        struct lineage_commit swap = c->commits.at[--k];
        c->commits.at[k] = c->commits.at[i];
        c->commits.at[i] = swap;
    }
}

int lineage_chain_read(struct mirror *m, const char *tip, lineage_stop_fn *stop, void *ctx,
                       struct lineage_chain *out, struct err *e)
{
    AUTO(lineage_chain_done) struct lineage_chain chain = {0};
    char next[MIRROR_HEX_MAX + 1];
    (void)snprintf(next, sizeof next, "%s", tip);
    while (next[0]) {
        int answer = stop ? stop(ctx, next, e) : 0;
        if (answer < 0)
            return -1;
        if (answer > 0)
            break;
        if (chain.commits.len == LINEAGE_CHAIN_MAX)
            return err_set(e, ERR_LIMIT, "more than %d commits on the way to the root",
                           LINEAGE_CHAIN_MAX);
        struct lineage_commit *c = vec_push(&chain.commits);
        if (lineage_read(m, next, c, e) < 0)
            return -1;
        memcpy(next, c->first_parent, sizeof next);
    }
    memcpy(chain.fork, next, sizeof next);
    reverse(&chain);
    *out = chain;
    chain = (struct lineage_chain){0};
    return 0;
}

void lineage_chain_done(struct lineage_chain *c)
{
    vec_done(&c->commits);
}

int lineage_merge_base(struct mirror *m, const char *a, const char *b,
                       char out[MIRROR_HEX_MAX + 1], bool *found, struct err *e)
{
    git_oid left, right, base;
    if (mirror_parse_oid(a, &left, e) < 0 || mirror_parse_oid(b, &right, e) < 0)
        return -1;
    int code = git_merge_base(&base, m->repo, &left, &right);
    if (code < 0 && code != GIT_ENOTFOUND)
        return mirror_fail(e, code, "merge base of %s and %s", a, b);
    *found = code == 0;
    if (*found)
        (void)git_oid_tostr(out, MIRROR_HEX_MAX + 1, &base);
    return 0;
}

/* --- trees -------------------------------------------------------------------------------- */

static int tree_of(struct mirror *m, const char *sha, git_tree **out, struct err *e)
{
    git_commit *c = NULL;
    if (lookup(m, sha, &c, e) < 0)
        return -1;
    int code = git_commit_tree(out, c);
    git_commit_free(c);
    return code < 0 ? mirror_fail(e, code, "tree of %s", sha) : 0;
}

struct walk {
    lineage_path_fn *each;
    void *ctx;
    int64_t seen;
    bool stopped;
};

/* Called for each difference as it is found. Keeping none of them (1) bounds the memory that a
 * tree made to be huge can take; -1 ends the comparison. */
static int on_delta(const git_diff *diff, const git_diff_delta *d, const char *matched,
                    void *ctx)
{
    struct walk *w = ctx;
    (void)diff;
    (void)matched;
    if (++w->seen > LINEAGE_PATHS_MAX)
        return -1;
    w->stopped = w->each(w->ctx, d->new_file.path ? d->new_file.path : d->old_file.path);
    return w->stopped ? -1 : 1;
}

static int compare_trees(struct mirror *m, git_tree *before, git_tree *after, struct walk *w,
                         struct err *e)
{
    git_diff *diff = NULL;
    git_diff_options options;
    (void)git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
    options.flags = GIT_DIFF_SKIP_BINARY_CHECK;
    options.notify_cb = on_delta;
    options.payload = w;
    int code = git_diff_tree_to_tree(&diff, m->repo, before, after, &options);
    git_diff_free(diff);
    if (w->seen > LINEAGE_PATHS_MAX)
        return err_set(e, ERR_LIMIT, "more than %d paths changed", LINEAGE_PATHS_MAX);
    return code < 0 && !w->stopped ? mirror_fail(e, code, "compare trees") : 0;
}

int lineage_changed_paths(struct mirror *m, const char *from, const char *to,
                          lineage_path_fn *each, void *ctx, bool *out_stopped, struct err *e)
{
    struct walk w = {.each = each, .ctx = ctx};
    git_tree *before = NULL, *after = NULL;
    int rc = from[0] ? tree_of(m, from, &before, e) : 0;
    if (rc == 0)
        rc = tree_of(m, to, &after, e);
    if (rc == 0)
        rc = compare_trees(m, before, after, &w, e);
    if (rc == 0)
        *out_stopped = w.stopped;
    git_tree_free(before);
    git_tree_free(after);
    return rc;
}

static int read_blob(struct mirror *m, const git_tree_entry *entry, const char *path,
                     struct str *out, struct err *e)
{
    git_blob *blob = NULL;
    git_filemode_t mode = git_tree_entry_filemode(entry);
    int64_t size;
    if (mode != GIT_FILEMODE_BLOB && mode != GIT_FILEMODE_BLOB_EXECUTABLE)
        return err_set(e, ERR_INPUT, "'%s' is not a plain file", path);
    if (mirror_object_size(m, git_tree_entry_id(entry), &size, e) < 0)
        return -1;
    if (size > (int64_t)(out->max - out->len))
        return err_set(e, ERR_LIMIT, "'%s' has more than %zu bytes", path, out->max);
    int code = git_blob_lookup(&blob, m->repo, git_tree_entry_id(entry));
    if (code < 0)
        return mirror_fail(e, code, "read '%s'", path);
    str_add(out, (struct view){git_blob_rawcontent(blob), (size_t)size});
    git_blob_free(blob);
    return 0;
}

int lineage_read_file(struct mirror *m, const char *sha, const char *path, struct str *out,
                      bool *found, struct err *e)
{
    git_tree *tree = NULL;
    git_tree_entry *entry = NULL;
    if (tree_of(m, sha, &tree, e) < 0)
        return -1;
    int code = git_tree_entry_bypath(&entry, tree, path);
    int rc = 0;
    *found = code == 0;
    if (code == 0)
        rc = read_blob(m, entry, path, out, e);
    else if (code != GIT_ENOTFOUND)
        rc = mirror_fail(e, code, "look for '%s'", path);
    git_tree_entry_free(entry);
    git_tree_free(tree);
    return rc;
}
