/* SPDX-License-Identifier: MIT */
/*
 * forge_hook_gitea: the events of Gitea, Forgejo and Gogs.
 *
 * A deleted branch is told by 'delete' alone, a deleted tag by 'push' and 'delete'; a new
 * branch by 'create' and 'push'. Gogs tells tags by 'create' and 'delete' alone. So all three
 * are read, and saying a thing twice costs nothing.
 */
#include "forge_hook_parts.h"

static const char *const event_headers[] = {"X-Gitea-Event", "X-Forgejo-Event", "X-Gogs-Event",
                                            NULL};
static const char *const moving[] = {"opened",   "synchronized", "synchronize",
                                     "reopened", "closed",       NULL};

static int read_author(struct hook_reader *rd, struct forge_event *out)
{
    const struct json *sender = NULL;
    if (hook_object(rd, rd->root, "sender", false, &sender) < 0 ||
        hook_text(rd, sender, "username", false, out->author, sizeof out->author) < 0)
        return -1;
    return hook_text(rd, sender, "login", false, out->author, sizeof out->author);
}

/* 'create' and 'delete' have the short name of the reference. */
static int read_named(struct hook_reader *rd, bool is_new, struct forge_event *out)
{
    char name[RECORD_REF_MAX] = "", type[FORGE_ACTION_MAX + 1] = "";
    if (hook_text(rd, rd->root, "ref", true, name, sizeof name) < 0 ||
        hook_text(rd, rd->root, "ref_type", true, type, sizeof type) < 0 ||
        hook_sha(rd, rd->root, "sha", false, out->after) < 0)
        return -1;
    hook_name_ref(out, strcmp(type, "tag") == 0, view_z(name));
    if (strcmp(type, "tag") == 0)
        out->kind = FORGE_TAG;
    else
        out->kind = is_new ? FORGE_PUSH : FORGE_BRANCH_DELETED;
    return 0;
}

/* Gitea: head.repo_id, also when that repository is gone; Gogs: head_repo.id. 0: not told. */
static int read_side(struct hook_reader *rd, const struct json *pull, const char *side,
                     const char *gogs_side, int64_t *out_repo, char sha[FORGE_SHA_MAX + 1])
{
    const struct json *o = NULL, *gogs = NULL;
    if (hook_object(rd, pull, side, false, &o) < 0 ||
        hook_object(rd, pull, gogs_side, false, &gogs) < 0 ||
        hook_number(rd, gogs, "id", false, out_repo) < 0 ||
        hook_number(rd, o, "repo_id", false, out_repo) < 0)
        return -1;
    return hook_sha(rd, o, "sha", false, sha);
}

static int read_pull(struct hook_reader *rd, struct forge_event *out)
{
    const struct json *pull = NULL, *changes = NULL;
    int64_t head = 0, base = 0;
    char base_sha[FORGE_SHA_MAX + 1];
    if (hook_begin_pull(rd, &pull, &changes, out) < 0 ||
        read_side(rd, pull, "head", "head_repo", &head, out->after) < 0 ||
        read_side(rd, pull, "base", "base_repo", &base, base_sha) < 0)
        return -1;
    out->is_fork = !head || head != base;
    out->is_moved = hook_is(view_z(out->action), moving) ||
                    (strcmp(out->action, "edited") == 0 && json_get(changes, "ref"));
    return 0;
}

static int read_comment(struct hook_reader *rd, struct forge_event *out)
{
    bool is_pull = false;
    if (json_read_bool(rd->doc, rd->root, "is_pull", false, &is_pull, rd->err) < 0)
        return -1;
    return hook_read_issue_comment(rd, is_pull, out);
}

int hook_read_gitea(struct hook_reader *rd, struct forge_event *out)
{
    struct view name = hook_header_of(rd->delivery, event_headers);
    if (read_author(rd, out) < 0)
        return -1;
    if (view_eqz(name, "push"))
        return hook_read_move(rd, rd->root, out);
    if (view_eqz(name, "create") || view_eqz(name, "delete"))
        return read_named(rd, view_eqz(name, "create"), out);
    if (view_eqz(name, "pull_request"))
        return read_pull(rd, out);
    if (view_eqz(name, "issue_comment"))
        return read_comment(rd, out);
    return 0;
}
