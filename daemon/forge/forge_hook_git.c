/* SPDX-License-Identifier: MIT */
/*
 * forge_hook_git: what examples/hooks/post-receive sends: every reference that a push moved.
 *
 *     {"changes": [{"ref": "refs/heads/main", "before": "4a11...", "after": "b4cc..."}]}
 *
 * The event names the first change that is worth a look, or else the first of all.
 */
#include "forge_hook_parts.h"

int hook_read_git(struct hook_reader *rd, struct forge_event *out)
{
    const struct json *changes = NULL;
    bool found = false;
    if (json_read_member(rd->doc, rd->root, "changes", false, JSON_ARRAY, &changes, rd->err) <
        0)
        return -1;
    if (!changes) {
        out->kind = FORGE_PING;
        return 0;
    }
    for (const struct json *v = json_first(changes); v; v = json_next(v)) {
        struct forge_event one = {.kind = FORGE_OTHER};
        if (json_type(v) != JSON_OBJECT)
            return json_fail(rd->doc, v, rd->err, "a change is an object");
        if (hook_read_move(rd, v, &one) < 0)
            return -1;
        if (!found || (forge_event_asks(&one) && !forge_event_asks(out)))
            *out = one;
        found = true;
    }
    return 0;
}
