/* SPDX-License-Identifier: MIT */
/*
 * forge_hook_bitbucket: the events of Bitbucket Cloud and of Bitbucket Data Center, which have
 * little in common but the name.
 *
 * One push may move many references; the event names the first that is worth a look. Cloud
 * shortens the commits of merge requests to twelve digits, and its 'updated' comes for texts
 * too: that starts nothing that a look at the remote would not tell.
 */
#include "forge_hook_parts.h"

typedef int read_change(struct hook_reader *rd, const struct json *change,
                        struct forge_event *out);

static int read_changes(struct hook_reader *rd, const struct json *holder, read_change *read,
                        struct forge_event *out)
{
    const struct json *changes = NULL;
    bool found = false;
    if (json_read_member(rd->doc, holder, "changes", true, JSON_ARRAY, &changes, rd->err) < 0)
        return -1;
    for (const struct json *v = json_first(changes); v; v = json_next(v)) {
        struct forge_event one = {.kind = FORGE_OTHER};
        if (json_type(v) != JSON_OBJECT)
            return json_fail(rd->doc, v, rd->err, "a change is an object");
        if (read(rd, v, &one) < 0)
            return -1;
        if (!found || (forge_event_asks(&one) && !forge_event_asks(out)))
            *out = one;
        found = true;
    }
    return 0;
}

static int read_actor(struct hook_reader *rd, const char *key, struct forge_event *out)
{
    const struct json *actor = NULL;
    if (hook_object(rd, rd->root, "actor", false, &actor) < 0)
        return -1;
    return hook_text(rd, actor, key, false, out->author, sizeof out->author);
}

/* The word behind the last ':' of "pr:from_ref_updated". A header may hold any bytes. */
static void name_action(struct view event, struct forge_event *out)
{
    struct view head;
    while (view_cut(event, ':', &head, &event))
        continue;
    if (view_is_utf8(head))
        hook_copy(head, out->action, sizeof out->action);
}

/* --- Cloud ------------------------------------------------------------------------------- */

static int read_cloud_end(struct hook_reader *rd, const struct json *change, const char *key,
                          struct forge_event *out, char sha[FORGE_SHA_MAX + 1])
{
    const struct json *o = NULL, *target = NULL;
    char name[RECORD_REF_MAX] = "", type[FORGE_ACTION_MAX + 1] = "";
    if (hook_object(rd, change, key, false, &o) < 0)
        return -1;
    if (!o)
        return 0;
    if (hook_text(rd, o, "name", true, name, sizeof name) < 0 ||
        hook_text(rd, o, "type", true, type, sizeof type) < 0 ||
        hook_object(rd, o, "target", true, &target) < 0 ||
        hook_sha(rd, target, "hash", true, sha) < 0)
        return -1;
    if (strcmp(type, "branch") == 0 || strcmp(type, "tag") == 0)
        hook_name_ref(out, strcmp(type, "tag") == 0, view_z(name));
    return 0;
}

static int read_cloud_change(struct hook_reader *rd, const struct json *change,
                             struct forge_event *out)
{
    if (read_cloud_end(rd, change, "old", out, out->before) < 0 ||
        read_cloud_end(rd, change, "new", out, out->after) < 0)
        return -1;
    hook_settle_move(out);
    return 0;
}

static int read_cloud_side(struct hook_reader *rd, const struct json *pull, const char *side,
                           char uuid[RECORD_NAME_MAX], char sha[FORGE_SHA_MAX + 1])
{
    const struct json *o = NULL, *repository = NULL, *commit = NULL;
    if (hook_object(rd, pull, side, true, &o) < 0 ||
        hook_object(rd, o, "repository", false, &repository) < 0 ||
        hook_object(rd, o, "commit", false, &commit) < 0 ||
        hook_text(rd, repository, "uuid", false, uuid, RECORD_NAME_MAX) < 0)
        return -1;
    return hook_sha(rd, commit, "hash", false, sha);
}

static int read_cloud_pull(struct hook_reader *rd, struct forge_event *out)
{
    const struct json *pull = NULL;
    char source[RECORD_NAME_MAX] = "", target[RECORD_NAME_MAX] = "";
    char target_sha[FORGE_SHA_MAX + 1];
    if (hook_object(rd, rd->root, "pullrequest", true, &pull) < 0 ||
        hook_number(rd, pull, "id", true, &out->number) < 0 ||
        read_cloud_side(rd, pull, "source", source, out->after) < 0 ||
        read_cloud_side(rd, pull, "destination", target, target_sha) < 0)
        return -1;
    out->is_fork = !source[0] || strcmp(source, target) != 0;
    return 0;
}

static int read_cloud_comment(struct hook_reader *rd, struct forge_event *out)
{
    const struct json *comment = NULL, *content = NULL;
    if (hook_object(rd, rd->root, "comment", false, &comment) < 0 ||
        hook_object(rd, comment, "content", false, &content) < 0)
        return -1;
    return hook_read_comment(rd, comment, content, "raw", out);
}

int hook_read_bitbucket(struct hook_reader *rd, struct forge_event *out)
{
    static const char *const moving[] = {"pullrequest:created", "pullrequest:updated",
                                         "pullrequest:fulfilled", "pullrequest:rejected", NULL};
    struct view name = hook_header(rd->delivery, "X-Event-Key");
    const struct json *push = NULL;
    if (view_eqz(name, "repo:push")) {
        if (hook_object(rd, rd->root, "push", true, &push) < 0 ||
            read_changes(rd, push, read_cloud_change, out) < 0)
            return -1;
    } else if (hook_is(name, moving)) {
        out->kind = FORGE_MERGE_REQUEST;
        out->is_moved = true;
    } else if (view_starts(name, "pullrequest:comment_")) {
        out->kind = FORGE_COMMENT;
    }
    name_action(name, out);
    if ((out->kind == FORGE_MERGE_REQUEST || out->kind == FORGE_COMMENT) &&
        read_cloud_pull(rd, out) < 0)
        return -1;
    if (view_eqz(name, "pullrequest:comment_created") && read_cloud_comment(rd, out) < 0)
        return -1;
    return read_actor(rd, "nickname", out);
}

/* --- Data Center ------------------------------------------------------------------------- */

static int read_server_change(struct hook_reader *rd, const struct json *change,
                              struct forge_event *out)
{
    const struct json *ref = NULL;
    if (hook_object(rd, change, "ref", true, &ref) < 0 ||
        hook_text(rd, ref, "id", true, out->ref, sizeof out->ref) < 0 ||
        hook_sha(rd, change, "fromHash", true, out->before) < 0 ||
        hook_sha(rd, change, "toHash", true, out->after) < 0)
        return -1;
    hook_settle_move(out);
    return 0;
}

static int read_server_side(struct hook_reader *rd, const struct json *pull, const char *side,
                            int64_t *out_repo, char sha[FORGE_SHA_MAX + 1])
{
    const struct json *o = NULL, *repository = NULL;
    if (hook_object(rd, pull, side, true, &o) < 0 ||
        hook_object(rd, o, "repository", false, &repository) < 0 ||
        hook_number(rd, repository, "id", false, out_repo) < 0)
        return -1;
    return hook_sha(rd, o, "latestCommit", false, sha);
}

static int read_server_pull(struct hook_reader *rd, struct forge_event *out)
{
    const struct json *pull = NULL;
    int64_t source = 0, target = 0;
    char target_sha[FORGE_SHA_MAX + 1];
    if (hook_object(rd, rd->root, "pullRequest", true, &pull) < 0 ||
        hook_number(rd, pull, "id", true, &out->number) < 0 ||
        read_server_side(rd, pull, "fromRef", &source, out->after) < 0 ||
        read_server_side(rd, pull, "toRef", &target, target_sha) < 0)
        return -1;
    out->is_fork = !source || source != target;
    return 0;
}

static int read_server_comment(struct hook_reader *rd, struct forge_event *out)
{
    const struct json *comment = NULL;
    if (hook_object(rd, rd->root, "comment", false, &comment) < 0)
        return -1;
    return hook_read_comment(rd, comment, comment, "text", out);
}

int hook_read_bitbucket_server(struct hook_reader *rd, struct forge_event *out)
{
    static const char *const moving[] = {
        "pr:opened", "pr:from_ref_updated", "pr:modified", "pr:declined",
        "pr:merged", "pr:deleted",          "pr:reopened", NULL};
    struct view name = hook_header(rd->delivery, "X-Event-Key");
    if (view_eqz(name, "repo:refs_changed")) {
        if (read_changes(rd, rd->root, read_server_change, out) < 0)
            return -1;
    } else if (hook_is(name, moving)) {
        out->kind = FORGE_MERGE_REQUEST;
        out->is_moved = true;
    } else if (view_starts(name, "pr:comment:")) {
        out->kind = FORGE_COMMENT;
    } else if (view_eqz(name, "diagnostics:ping")) {
        out->kind = FORGE_PING;
    }
    name_action(name, out);
    if ((out->kind == FORGE_MERGE_REQUEST || out->kind == FORGE_COMMENT) &&
        read_server_pull(rd, out) < 0)
        return -1;
    if (view_eqz(name, "pr:comment:added") && read_server_comment(rd, out) < 0)
        return -1;
    return read_actor(rd, "name", out);
}
