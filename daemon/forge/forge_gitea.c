/* SPDX-License-Identifier: MIT */
/*
 * Gitea, Forgejo and Gogs. All comments of an issue come in one list that is not paged. Gogs
 * has no merge requests and no statuses in its API: those calls answer 404. Only newer versions
 * tell what somebody may do; for older ones the owner is known and nobody else.
 */
#include <inttypes.h>

#include "forge_hub.h"

static void root(const char *url, struct str *out)
{
    forge_root_add(out, url, "/api/v1");
}

static void authorize(const struct forge *f, struct view token, struct str *out)
{
    (void)f;
    str_addz(out, "Authorization: token ");
    str_add(out, token);
}

static int role_by_owner(struct forge *f, const struct forge_user *who, enum forge_role *out,
                         struct forge_answer *a, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    AUTO(str_done) struct str path = hub_path(f, "%s", "");
    struct forge_user owner;
    if (forge_get(f, &path, &doc, a, e) < 0 ||
        forge_read_user(doc, json_get(json_root(doc), "owner"), "id", "login", &owner, e) < 0)
        return -1;
    if (owner.login[0] && strcmp(owner.login, who->login) == 0 &&
        (!who->id[0] || strcmp(owner.id, who->id) == 0))
        *out = FORGE_ROLE_ADMIN;
    return 0;
}

static int role_of(struct forge *f, const struct forge_user *who, enum forge_role *out,
                   struct forge_answer *a, struct err *e)
{
    if (hub_role_of(f, who, out, a, e) == 0)
        return 0;
    return a->result == FORGE_GONE ? role_by_owner(f, who, out, a, e) : -1;
}

static struct str page_path(const struct forge *f, int64_t number,
                            const struct forge_search *search, int page)
{
    (void)page;
    struct str path = hub_path(f, "/issues/%" PRId64 "/comments?", number);
    hub_add_since(search, &path);
    return path;
}

/* The whole list is one page, however long. */
static int find_all(struct forge *f, const struct str *path, const struct forge_search *search,
                    char *id, bool *last, struct forge_answer *a, struct err *e)
{
    int r = hub_find_in(f, path, search, id, last, a, e);
    *last = true;
    return r;
}

const struct forge_api forge_api_gitea = {
    .comment_bytes_max = 65536,
    .description_max = 255,
    .root = root,
    .authorize = authorize,
    .read_user = hub_read_user,
    .whoami = hub_whoami,
    .role_of = role_of,
    .mr_get = hub_mr_get,
    .comment_get = hub_comment_get,
    .page_path = page_path,
    .find_in = find_all,
    .comment_post = hub_comment_post,
    .comment_edit = hub_comment_edit,
    .status_put = hub_status_put,
};
