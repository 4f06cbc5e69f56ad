/* SPDX-License-Identifier: MIT */
/*
 * forge_hook_github: GitHub's events. 'create' and 'delete' say again what 'push' has said and
 * are left out.
 */
#include "forge_hook_parts.h"

static const char *const moving[] = {"opened", "synchronize",      "reopened",
                                     "closed", "ready_for_review", "converted_to_draft",
                                     NULL};

static int read_author(struct hook_reader *rd, struct forge_event *out)
{
    const struct json *sender = NULL;
    if (hook_object(rd, rd->root, "sender", false, &sender) < 0)
        return -1;
    return hook_text(rd, sender, "login", false, out->author, sizeof out->author);
}

/* 0: the repository is not there any more. */
static int read_side(struct hook_reader *rd, const struct json *pull, const char *side,
                     int64_t *out_repo, char out_sha[FORGE_SHA_MAX + 1])
{
    const struct json *o = NULL, *repo = NULL;
    if (hook_object(rd, pull, side, true, &o) < 0 ||
        hook_object(rd, o, "repo", false, &repo) < 0 ||
        hook_number(rd, repo, "id", false, out_repo) < 0)
        return -1;
    return hook_sha(rd, o, "sha", true, out_sha);
}

static int read_pull(struct hook_reader *rd, struct forge_event *out)
{
    const struct json *pull = NULL, *changes = NULL;
    int64_t head = 0, base = 0;
    char base_sha[FORGE_SHA_MAX + 1];
    if (hook_begin_pull(rd, &pull, &changes, out) < 0 ||
        hook_sha(rd, rd->root, "before", false, out->before) < 0 ||
        read_side(rd, pull, "head", &head, out->after) < 0 ||
        read_side(rd, pull, "base", &base, base_sha) < 0)
        return -1;
    out->is_fork = !head || head != base;
    out->is_moved = hook_is(view_z(out->action), moving) ||
                    (strcmp(out->action, "edited") == 0 && json_get(changes, "base"));
    return 0;
}

int hook_read_github(struct hook_reader *rd, struct forge_event *out)
{
    struct view name = hook_header(rd->delivery, "X-GitHub-Event");
    if (read_author(rd, out) < 0)
        return -1;
    if (view_eqz(name, "push"))
        return hook_read_move(rd, rd->root, out);
    if (view_eqz(name, "pull_request"))
        return read_pull(rd, out);
    if (view_eqz(name, "issue_comment"))
        return hook_read_issue_comment(rd, false, out);
    out->kind = view_eqz(name, "ping") ? FORGE_PING : FORGE_OTHER;
    return 0;
}
