/* SPDX-License-Identifier: MIT */
/*
 * forge_hook_parts: reading payloads, for the files of forge_hook only.
 *
 * Forges say "none" by null as often as by leaving a member out, so the readers take both for
 * the same. Texts are cut to their room on a character's border.
 */
#ifndef FORGE_FORGE_HOOK_PARTS_H
#define FORGE_FORGE_HOOK_PARTS_H

#include "forge_hook.h"
#include "json.h"

struct hook_reader {
    const struct json_doc *doc;
    const struct json *root; /* an object */
    const struct forge_delivery *delivery;
    struct err *err;
};

/* Each fills in all of the event but the delivery id. */
int hook_read_git(struct hook_reader *rd, struct forge_event *out);
int hook_read_github(struct hook_reader *rd, struct forge_event *out);
int hook_read_gitlab(struct hook_reader *rd, struct forge_event *out);
int hook_read_gitea(struct hook_reader *rd, struct forge_event *out);
int hook_read_bitbucket(struct hook_reader *rd, struct forge_event *out);
int hook_read_bitbucket_server(struct hook_reader *rd, struct forge_event *out);

struct view hook_header(const struct forge_delivery *d, const char *name);
/* The first header that is there and not empty; the list ends with NULL. */
struct view hook_header_of(const struct forge_delivery *d, const char *const *names);

/* Absent and not required: 0, *out untouched. Wrong type: -1. */
int hook_text(struct hook_reader *rd, const struct json *object, const char *key, bool required,
              char *out, size_t size);
int hook_sha(struct hook_reader *rd, const struct json *object, const char *key, bool required,
             char out[FORGE_SHA_MAX + 1]); /* zeros are "" */
int hook_object(struct hook_reader *rd, const struct json *object, const char *key,
                bool required, const struct json **out);
int hook_number(struct hook_reader *rd, const struct json *object, const char *key,
                bool required, int64_t *out);
bool hook_is(struct view text, const char *const *words); /* the list ends with NULL */
void hook_copy(struct view text, char *out, size_t size);

/* A new comment: its id, when its text, a member of 'holder', seems to be a command. */
int hook_read_comment(struct hook_reader *rd, const struct json *comment,
                      const struct json *holder, const char *text_key, struct forge_event *out);

/* GitHub's way, which Gitea took over: what each event of a merge request has, and a comment on
 * an issue, which is a merge request when it says so or when 'is_pull' does. */
int hook_begin_pull(struct hook_reader *rd, const struct json **pull,
                    const struct json **changes, struct forge_event *out);
int hook_read_issue_comment(struct hook_reader *rd, bool is_pull, struct forge_event *out);

/* Members 'ref', 'before' and 'after', as git's own hooks have them; the kind follows. */
int hook_read_move(struct hook_reader *rd, const struct json *object, struct forge_event *out);
void hook_name_ref(struct forge_event *out, bool is_tag, struct view short_name);
/* PUSH, TAG or BRANCH_DELETED, from the reference's name and where it is now. */
void hook_settle_move(struct forge_event *out);

#endif
