/* SPDX-License-Identifier: MIT */
/*
 * forge_hub: the part of GitHub's API that Gitea, Forgejo and Gogs speak too. Private to this
 * folder.
 */
#ifndef FORGE_FORGE_HUB_H
#define FORGE_FORGE_HUB_H

#include "forge_parts.h"

/* "/repos/owner/name" and what follows. */
struct str hub_path(const struct forge *f, const char *rest, ...) PRINTF(2, 3);

int hub_read_user(const struct json_doc *doc, const struct json *user, struct forge_user *out,
                  struct err *e);
int hub_whoami(struct forge *f, struct forge_user *out, struct forge_answer *a, struct err *e);
int hub_role_of(struct forge *f, const struct forge_user *who, enum forge_role *out,
                struct forge_answer *a, struct err *e);
int hub_mr_get(struct forge *f, int64_t number, struct forge_mr *out, struct forge_answer *a,
               struct err *e);
int hub_comment_get(struct forge *f, int64_t number, const char *id, struct forge_comment *out,
                    struct forge_answer *a, struct err *e);
int hub_comment_post(struct forge *f, int64_t number, struct view body, char *id,
                     struct forge_answer *a, struct err *e);
int hub_comment_edit(struct forge *f, int64_t number, const char *id, struct view body,
                     struct forge_answer *a, struct err *e);
/* Looks through one page; '*last' when it was not full. */
int hub_find_in(struct forge *f, const struct str *path, const struct forge_search *search,
                char *id, bool *last, struct forge_answer *a, struct err *e);
/* Adds "&since=..." when there is a time. */
void hub_add_since(const struct forge_search *search, struct str *path);
int hub_status_put(struct forge *f, const struct forge_status *status, char *id,
                   struct forge_answer *a, struct err *e);

#endif
