/* SPDX-License-Identifier: MIT */
/*
 * Bitbucket Data Center. It does not tell whose a token is, so the configuration has to. People
 * go by their name. Comments are found among a merge request's activities, newest first, and an
 * edit names the version it replaces.
 */
#include <inttypes.h>
#include <stdarg.h>

#include "forge_parts.h"
#include "json_write.h"

static void root(const char *url, struct str *out)
{
    forge_root_add(out, url, "/rest/api/latest");
}

static void authorize(const struct forge *f, struct view token, struct str *out)
{
    (void)f;
    str_addz(out, "Authorization: Bearer ");
    str_add(out, token);
}

/* "/projects/KEY" and, unless NULL, "/repos/slug" with the rest. */
PRINTF(2, 3) static struct str repo_path(const struct forge *f, const char *rest, ...)
{
    struct str path = STR_INIT(FORGE_PATH_MAX);
    struct view key, slug;
    va_list args;
    (void)view_cut(view_z(f->options.project), '/', &key, &slug);
    str_addf(&path, "/projects/%.*s/repos/%.*s", (int)key.len, key.at, (int)slug.len, slug.at);
    va_start(args, rest);
    str_addv(&path, rest, args);
    va_end(args);
    return path;
}

/* --- people and merge requests -------------------------------------------------------------
 */

static int read_user(const struct json_doc *doc, const struct json *user,
                     struct forge_user *out, struct err *e)
{
    if (forge_read_user(doc, user, "name", "name", out, e) < 0)
        return -1;
    out->is_bot = view_eqz(forge_text(user, "type"), "SERVICE");
    return 0;
}

static int whoami(struct forge *f, struct forge_user *out, struct forge_answer *a,
                  struct err *e)
{
    AUTO(str_done) struct str path = STR_INIT(FORGE_PATH_MAX);
    str_addz(&path, "/users/");
    forge_path_add(&path, view_z(f->options.user));
    return forge_get_user(f, &path, out, a, e);
}

static enum forge_role role_named(struct view word)
{
    if (view_ends(word, "_ADMIN"))
        return FORGE_ROLE_ADMIN;
    if (view_ends(word, "_WRITE"))
        return FORGE_ROLE_WRITE;
    return view_ends(word, "_READ") ? FORGE_ROLE_READ : FORGE_ROLE_NONE;
}

/* The filter finds by parts of names, so who is meant must be looked for in what it finds. */
static int role_in(struct forge *f, struct str *path, const char *name, enum forge_role *out,
                   struct forge_answer *a, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    const struct json *values;
    str_addf(path, "/permissions/users?limit=%d&filter=", FORGE_PAGE);
    forge_path_add(path, view_z(name));
    if (forge_get(f, path, &doc, a, e) < 0 ||
        json_read_member(doc, json_root(doc), "values", true, JSON_ARRAY, &values, e) < 0)
        return -1;
    for (const struct json *v = json_first(values); v; v = json_next(v)) {
        enum forge_role role = role_named(forge_text(v, "permission"));
        if (view_eqz(forge_text(json_get(v, "user"), "name"), name) && role > *out)
            *out = role;
    }
    return 0;
}

/* Rights given to a group are not seen; the manual says so. */
static int role_of(struct forge *f, const struct forge_user *who, enum forge_role *out,
                   struct forge_answer *a, struct err *e)
{
    AUTO(str_done) struct str path = repo_path(f, "%s", "");
    AUTO(str_done) struct str above = STR_INIT(FORGE_PATH_MAX);
    struct view key, slug;
    (void)view_cut(view_z(f->options.project), '/', &key, &slug);
    str_addf(&above, "/projects/%.*s", (int)key.len, key.at);
    if (role_in(f, &path, who->login, out, a, e) < 0)
        return -1;
    return *out == FORGE_ROLE_ADMIN ? 0 : role_in(f, &above, who->login, out, a, e);
}

static bool same_repo(const struct json_doc *doc, const struct json *from,
                      const struct json *to)
{
    char a[FORGE_ID_MAX + 1], b[FORGE_ID_MAX + 1];
    return forge_read_id(doc, json_get(from, "repository"), "id", a, NULL) == 0 &&
           forge_read_id(doc, json_get(to, "repository"), "id", b, NULL) == 0 &&
           strcmp(a, b) == 0;
}

static int mr_get(struct forge *f, int64_t number, struct forge_mr *out, struct forge_answer *a,
                  struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    AUTO(str_done) struct str path = repo_path(f, "/pull-requests/%" PRId64, number);
    if (forge_get(f, &path, &doc, a, e) < 0)
        return -1;
    const struct json *r = json_root(doc);
    const struct json *from = json_get(r, "fromRef"), *to = json_get(r, "toRef");
    forge_copy_text(from, "latestCommit", out->head, sizeof out->head);
    forge_copy_text(to, "displayId", out->target, sizeof out->target);
    out->open = view_eqz(forge_text(r, "state"), "OPEN");
    out->draft = forge_flag(r, "draft");
    out->is_fork = !same_repo(doc, from, to);
    return read_user(doc, json_get(json_get(r, "author"), "user"), &out->author, e);
}

/* --- comments ------------------------------------------------------------------------------
 */

static struct str comment_path(const struct forge *f, int64_t number, const char *id)
{
    struct str path = repo_path(f, "/pull-requests/%" PRId64 "/comments/", number);
    forge_path_add(&path, view_z(id));
    return path;
}

static int read_comment(const struct json_doc *doc, const struct json *c,
                        struct forge_comment *out, struct err *e)
{
    int64_t version = 1;
    str_clear(&out->body);
    str_add(&out->body, forge_text(c, "text"));
    if (forge_read_id(doc, c, "id", out->id, e) < 0 ||
        json_read_int(doc, c, "version", false, 0, INT64_C(1) << 53, &version, e) < 0)
        return -1;
    out->edited = version != 0;
    return read_user(doc, json_get(c, "author"), &out->author, e);
}

static int comment_get(struct forge *f, int64_t number, const char *id,
                       struct forge_comment *out, struct forge_answer *a, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    AUTO(str_done) struct str path = comment_path(f, number, id);
    if (forge_get(f, &path, &doc, a, e) < 0)
        return -1;
    return read_comment(doc, json_root(doc), out, e);
}

static int find_in(struct forge *f, const struct str *path, const struct forge_search *search,
                   char *id, bool *last, struct forge_answer *a, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    AUTO(forge_comment_done) struct forge_comment comment = FORGE_COMMENT_INIT;
    const struct json *values;
    if (forge_get(f, path, &doc, a, e) < 0 ||
        json_read_member(doc, json_root(doc), "values", true, JSON_ARRAY, &values, e) < 0)
        return -1;
    *last = json_count(values) == 0 || forge_flag(json_root(doc), "isLastPage");
    for (const struct json *v = json_first(values); v && !id[0]; v = json_next(v)) {
        const struct json *c = json_get(v, "comment");
        if (!c || !view_eqz(forge_text(v, "action"), "COMMENTED"))
            continue;
        if (read_comment(doc, c, &comment, e) < 0)
            return -1;
        if (forge_is_wanted(search, &comment.author, str_view(&comment.body)))
            memcpy(id, comment.id, sizeof comment.id);
    }
    return 0;
}

static struct str page_path(const struct forge *f, int64_t number,
                            const struct forge_search *search, int page)
{
    (void)search;
    return repo_path(f, "/pull-requests/%" PRId64 "/activities?limit=%d&start=%d", number,
                     FORGE_PAGE, page * FORGE_PAGE);
}

static int comment_post(struct forge *f, int64_t number, struct view body, char *id,
                        struct forge_answer *a, struct err *e)
{
    AUTO(str_done)
    struct str path = repo_path(f, "/pull-requests/%" PRId64 "/comments", number);
    AUTO(str_done) struct str text = STR_INIT(FORGE_BODY_MAX);
    forge_write_body("text", body, &text);
    return forge_create(f, &path, &text, id, a, e);
}

/* Somebody else's edit between the two calls is answered with 409: the next try sees it. */
static int comment_edit(struct forge *f, int64_t number, const char *id, struct view body,
                        struct forge_answer *a, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    AUTO(str_done) struct str path = comment_path(f, number, id);
    AUTO(str_done) struct str text = STR_INIT(FORGE_BODY_MAX);
    int64_t version;
    if (forge_get(f, &path, &doc, a, e) < 0 ||
        json_read_int(doc, json_root(doc), "version", true, 0, INT64_C(1) << 53, &version, e) <
            0)
        return -1;
    struct jw w = jw_begin(&text);
    jw_object(&w, NULL);
    jw_view(&w, "text", body);
    jw_int(&w, "version", version);
    jw_end(&w);
    return forge_replace(f, "PUT", &path, &text, a, e);
}

/* --- statuses ------------------------------------------------------------------------------
 */

static int status_put(struct forge *f, const struct forge_status *s, char *id,
                      struct forge_answer *a, struct err *e)
{
    AUTO(str_done) struct str path = repo_path(f, "/commits/%s/builds", s->sha);
    AUTO(str_done) struct str text = STR_INIT(FORGE_BODY_MAX);
    (void)id;
    forge_write_build(f, s, &text);
    return forge_replace(f, "POST", &path, &text, a, e);
}

const struct forge_api forge_api_bitbucket_server = {
    .needs_user = true,
    .comment_bytes_max = 32768,
    .description_max = 255,
    .root = root,
    .authorize = authorize,
    .read_user = read_user,
    .whoami = whoami,
    .role_of = role_of,
    .mr_get = mr_get,
    .comment_get = comment_get,
    .page_path = page_path,
    .find_in = find_in,
    .comment_post = comment_post,
    .comment_edit = comment_edit,
    .status_put = status_put,
};
