/* SPDX-License-Identifier: MIT */
/* forge_hook_read: the readers that all forges share; see forge_hook_parts.h. */
#include <inttypes.h>
#include <stdio.h>

#include "forge_command.h"
#include "forge_hook_parts.h"

#define HEADS "refs/heads/"
#define TAGS  "refs/tags/"

struct view hook_header(const struct forge_delivery *d, const char *name)
{
    return view_trim(d->header(d->self, name));
}

struct view hook_header_of(const struct forge_delivery *d, const char *const *names)
{
    struct view v = {0};
    for (; *names && !v.len; names++)
        v = hook_header(d, *names);
    return v;
}

bool hook_is(struct view text, const char *const *words)
{
    for (; *words; words++)
        if (view_eqz(text, *words))
            return true;
    return false;
}

void hook_copy(struct view text, char *out, size_t size)
{
    size_t len = view_utf8_prefix(text, size - 1);
    if (len)
        memcpy(out, text.at, len);
    out[len] = '\0';
}

/* The member, NULL for null too; required and not there is an error. */
static int find(struct hook_reader *rd, const struct json *object, const char *key,
                bool required, const struct json **out)
{
    const struct json *v = json_get(object, key);
    if (v && json_type(v) == JSON_NULL)
        v = NULL;
    if (!v && required)
        return json_fail(rd->doc, object, rd->err, "'%s' is missing", key);
    *out = v;
    return 0;
}

int hook_text(struct hook_reader *rd, const struct json *object, const char *key, bool required,
              char *out, size_t size)
{
    const struct json *there;
    struct view text = {0};
    if (find(rd, object, key, required, &there) < 0)
        return -1;
    if (!there)
        return 0;
    if (json_read_text(rd->doc, object, key, required, &text, rd->err) < 0)
        return -1;
    hook_copy(text, out, size);
    return 0;
}

int hook_sha(struct hook_reader *rd, const struct json *object, const char *key, bool required,
             char out[FORGE_SHA_MAX + 1])
{
    if (hook_text(rd, object, key, required, out, FORGE_SHA_MAX + 1) < 0)
        return -1;
    if (out[strspn(out, "0")] == '\0')
        out[0] = '\0';
    return 0;
}

int hook_object(struct hook_reader *rd, const struct json *object, const char *key,
                bool required, const struct json **out)
{
    const struct json *there;
    if (find(rd, object, key, required, &there) < 0)
        return -1;
    if (!there)
        return 0;
    return json_read_member(rd->doc, object, key, required, JSON_OBJECT, out, rd->err);
}

int hook_number(struct hook_reader *rd, const struct json *object, const char *key,
                bool required, int64_t *out)
{
    const struct json *there;
    if (find(rd, object, key, required, &there) < 0)
        return -1;
    if (!there)
        return 0;
    return json_read_int(rd->doc, object, key, required, 1, INT64_C(1) << 52, out, rd->err);
}

int hook_read_comment(struct hook_reader *rd, const struct json *comment,
                      const struct json *holder, const char *text_key, struct forge_event *out)
{
    const struct json *there;
    struct view text = {0};
    int64_t id = 0;
    if (find(rd, holder, text_key, false, &there) < 0 ||
        (there && json_read_text(rd->doc, holder, text_key, true, &text, rd->err) < 0) ||
        hook_number(rd, comment, "id", false, &id) < 0)
        return -1;
    if (id && forge_command_is(text))
        (void)snprintf(out->comment, sizeof out->comment, "%" PRId64, id);
    return 0;
}

int hook_begin_pull(struct hook_reader *rd, const struct json **pull,
                    const struct json **changes, struct forge_event *out)
{
    out->kind = FORGE_MERGE_REQUEST;
    if (hook_text(rd, rd->root, "action", true, out->action, sizeof out->action) < 0 ||
        hook_number(rd, rd->root, "number", true, &out->number) < 0 ||
        hook_object(rd, rd->root, "pull_request", true, pull) < 0)
        return -1;
    return hook_object(rd, rd->root, "changes", false, changes);
}

int hook_read_issue_comment(struct hook_reader *rd, bool is_pull, struct forge_event *out)
{
    const struct json *issue = NULL, *pull = NULL, *comment = NULL;
    if (hook_text(rd, rd->root, "action", true, out->action, sizeof out->action) < 0 ||
        hook_object(rd, rd->root, "issue", true, &issue) < 0 ||
        hook_object(rd, issue, "pull_request", false, &pull) < 0 ||
        hook_number(rd, issue, "number", true, &out->number) < 0 ||
        hook_object(rd, rd->root, "comment", false, &comment) < 0)
        return -1;
    out->kind = is_pull || pull ? FORGE_COMMENT : FORGE_OTHER;
    if (out->kind == FORGE_OTHER || strcmp(out->action, "created") != 0)
        return 0;
    return hook_read_comment(rd, comment, comment, "body", out);
}

void hook_name_ref(struct forge_event *out, bool is_tag, struct view short_name)
{
    const char *prefix = is_tag ? TAGS : HEADS;
    (void)snprintf(out->ref, sizeof out->ref, "%s", prefix);
    hook_copy(short_name, out->ref + strlen(prefix), sizeof out->ref - strlen(prefix));
}

void hook_settle_move(struct forge_event *out)
{
    struct view ref = view_z(out->ref);
    if (view_starts(ref, TAGS))
        out->kind = FORGE_TAG;
    else if (view_starts(ref, HEADS))
        out->kind = out->after[0] ? FORGE_PUSH : FORGE_BRANCH_DELETED;
    else
        out->kind = FORGE_OTHER;
}

int hook_read_move(struct hook_reader *rd, const struct json *object, struct forge_event *out)
{
    if (hook_text(rd, object, "ref", true, out->ref, sizeof out->ref) < 0 ||
        hook_sha(rd, object, "before", true, out->before) < 0 ||
        hook_sha(rd, object, "after", true, out->after) < 0)
        return -1;
    hook_settle_move(out);
    return 0;
}
