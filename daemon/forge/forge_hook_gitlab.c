/* SPDX-License-Identifier: MIT */
/*
 * forge_hook_gitlab: GitLab's events, by the body's 'object_kind': it is what a signature
 * covers.
 */
#include "forge_hook_parts.h"

static const char *const moving[] = {"open", "reopen", "close", "merge", NULL};

static int read_author(struct hook_reader *rd, struct forge_event *out)
{
    const struct json *user = NULL;
    if (hook_text(rd, rd->root, "user_username", false, out->author, sizeof out->author) < 0 ||
        hook_object(rd, rd->root, "user", false, &user) < 0)
        return -1;
    return hook_text(rd, user, "username", false, out->author, sizeof out->author);
}

/* 'oldrev' stands only in an update that brought code; drafts and targets are in 'changes'. */
static bool is_update(const struct json *attributes, const struct json *changes)
{
    const struct json *old = json_get(attributes, "oldrev");
    return (old && json_type(old) != JSON_NULL) || json_get(changes, "target_branch") ||
           json_get(changes, "draft");
}

static int read_merge_request(struct hook_reader *rd, struct forge_event *out)
{
    const struct json *o = NULL, *commit = NULL, *changes = NULL;
    int64_t source = 0, target = 0;
    out->kind = FORGE_MERGE_REQUEST;
    if (hook_object(rd, rd->root, "object_attributes", true, &o) < 0 ||
        hook_object(rd, rd->root, "changes", false, &changes) < 0 ||
        hook_number(rd, o, "iid", true, &out->number) < 0 ||
        hook_text(rd, o, "action", false, out->action, sizeof out->action) < 0 ||
        hook_sha(rd, o, "oldrev", false, out->before) < 0 ||
        hook_object(rd, o, "last_commit", false, &commit) < 0 ||
        hook_sha(rd, commit, "id", false, out->after) < 0 ||
        hook_number(rd, o, "source_project_id", false, &source) < 0 ||
        hook_number(rd, o, "target_project_id", false, &target) < 0)
        return -1;
    out->is_fork = !source || source != target;
    out->is_moved = hook_is(view_z(out->action), moving) ||
                    (strcmp(out->action, "update") == 0 && is_update(o, changes));
    return 0;
}

static int read_note(struct hook_reader *rd, struct forge_event *out)
{
    const struct json *o = NULL, *mr = NULL;
    if (hook_object(rd, rd->root, "object_attributes", true, &o) < 0 ||
        hook_object(rd, rd->root, "merge_request", false, &mr) < 0 ||
        hook_text(rd, o, "action", false, out->action, sizeof out->action) < 0 ||
        hook_number(rd, mr, "iid", false, &out->number) < 0)
        return -1;
    out->kind = mr ? FORGE_COMMENT : FORGE_OTHER;
    /* Older versions send notes without an action, and only new ones. */
    if (!mr || (out->action[0] && strcmp(out->action, "create") != 0))
        return 0;
    return hook_read_comment(rd, o, o, "note", out);
}

int hook_read_gitlab(struct hook_reader *rd, struct forge_event *out)
{
    char kind[FORGE_ACTION_MAX + 1] = "";
    if (hook_text(rd, rd->root, "object_kind", false, kind, sizeof kind) < 0 ||
        read_author(rd, out) < 0)
        return -1;
    if (strcmp(kind, "push") == 0 || strcmp(kind, "tag_push") == 0)
        return hook_read_move(rd, rd->root, out);
    if (strcmp(kind, "merge_request") == 0)
        return read_merge_request(rd, out);
    if (strcmp(kind, "note") == 0)
        return read_note(rd, out);
    return 0;
}
