/* SPDX-License-Identifier: MIT */
/*
 * Bitbucket Cloud. A merge request tells twelve characters of its head, so the commit is asked
 * for by name. Hidden HTML comments may be shown there, which is why the id of our comment is
 * kept and the marker only looked for when it got lost.
 */
#include <inttypes.h>
#include <stdarg.h>

#include "digest.h"
#include "forge_parts.h"
#include "json_write.h"

static void root(const char *url, struct str *out)
{
    if (view_starts(view_z(url), "https://bitbucket.org"))
        str_addz(out, "https://api.bitbucket.org/2.0");
    else
        forge_root_add(out, url, "/2.0");
}

/* With a user it is an app password, otherwise an access token. */
static void authorize(const struct forge *f, struct view token, struct str *out)
{
    if (!f->options.user) {
        str_addz(out, "Authorization: Bearer ");
        str_add(out, token);
        return;
    }
    AUTO(forge_wipe) struct str pair = STR_INIT(FORGE_TOKEN_MAX);
    str_addf(&pair, "%s:", f->options.user);
    str_add(&pair, token);
    str_addz(out, "Authorization: Basic ");
    digest_base64(str_view(&pair), out);
}

PRINTF(2, 3) static struct str repo_path(const char *project, const char *rest, ...)
{
    struct str path = STR_INIT(FORGE_PATH_MAX);
    va_list args;
    str_addf(&path, "/repositories/%s", project);
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
    if (forge_read_user(doc, user, "account_id", "nickname", out, e) < 0)
        return -1;
    out->is_bot = user && !view_eqz(forge_text(user, "type"), "user");
    return 0;
}

static int whoami(struct forge *f, struct forge_user *out, struct forge_answer *a,
                  struct err *e)
{
    AUTO(str_done) struct str path = STR_INIT(FORGE_PATH_MAX);
    str_addz(&path, "/user");
    return forge_get_user(f, &path, out, a, e);
}

static int role_of(struct forge *f, const struct forge_user *who, enum forge_role *out,
                   struct forge_answer *a, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    AUTO(str_done) struct str path = STR_INIT(FORGE_PATH_MAX);
    AUTO(str_done) struct str query = STR_INIT(256);
    struct view workspace, slug;
    (void)view_cut(view_z(f->options.project), '/', &workspace, &slug);
    if (!who->id[0] || strpbrk(who->id, "\"\\"))
        return 0;
    str_addf(&path, "/workspaces/%.*s/permissions/repositories/%.*s?q=", (int)workspace.len,
             workspace.at, (int)slug.len, slug.at);
    str_addf(&query, "user.account_id=\"%s\"", who->id);
    forge_path_add(&path, str_view(&query));
    if (forge_get(f, &path, &doc, a, e) < 0)
        return -1;
    const struct json *values = json_get(json_root(doc), "values");
    for (const struct json *v = json_first(values); v; v = json_next(v)) {
        struct view word = forge_text(v, "permission");
        struct forge_user user;
        if (read_user(doc, json_get(v, "user"), &user, e) < 0)
            return -1;
        if (strcmp(user.id, who->id) == 0)
            *out = view_eqz(word, "admin")   ? FORGE_ROLE_ADMIN
                   : view_eqz(word, "write") ? FORGE_ROLE_WRITE
                   : view_eqz(word, "read")  ? FORGE_ROLE_READ
                                             : FORGE_ROLE_NONE;
    }
    return 0;
}

/* The commit's whole name, from the repository that the code comes from. */
static int complete(struct forge *f, struct forge_mr *mr, struct forge_answer *a, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    bool known = forge_is_project(view_z(mr->source_project));
    AUTO(str_done)
    struct str path = repo_path(known ? mr->source_project : f->options.project, "/commit/");
    forge_path_add(&path, view_z(mr->head));
    if (forge_get(f, &path, &doc, a, e) < 0)
        return -1;
    struct view hash = forge_text(json_root(doc), "hash");
    if (!view_starts(hash, mr->head))
        return json_fail(doc, NULL, e, "not the commit that was asked for");
    forge_copy_text(json_root(doc), "hash", mr->head, sizeof mr->head);
    return 0;
}

static int mr_get(struct forge *f, int64_t number, struct forge_mr *out, struct forge_answer *a,
                  struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    AUTO(str_done)
    struct str path = repo_path(f->options.project, "/pullrequests/%" PRId64, number);
    if (forge_get(f, &path, &doc, a, e) < 0)
        return -1;
    const struct json *r = json_root(doc);
    const struct json *from = json_get(r, "source"), *to = json_get(r, "destination");
    struct view source = forge_text(json_get(from, "repository"), "uuid");
    forge_copy_text(json_get(from, "commit"), "hash", out->head, sizeof out->head);
    forge_copy_text(json_get(to, "branch"), "name", out->target, sizeof out->target);
    forge_copy_text(json_get(from, "repository"), "full_name", out->source_project,
                    sizeof out->source_project);
    out->open = view_eqz(forge_text(r, "state"), "OPEN");
    out->draft = forge_flag(r, "draft");
    out->is_fork =
        !source.len || !view_eq(source, forge_text(json_get(to, "repository"), "uuid"));
    if (read_user(doc, json_get(r, "author"), &out->author, e) < 0)
        return -1;
    return complete(f, out, a, e);
}

/* --- comments ------------------------------------------------------------------------------
 */

static struct str comments_path(const struct forge *f, int64_t number)
{
    return repo_path(f->options.project, "/pullrequests/%" PRId64 "/comments", number);
}

static int comment_get(struct forge *f, int64_t number, const char *id,
                       struct forge_comment *out, struct forge_answer *a, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    AUTO(str_done) struct str path = comments_path(f, number);
    str_addc(&path, '/');
    forge_path_add(&path, view_z(id));
    if (forge_get(f, &path, &doc, a, e) < 0)
        return -1;
    const struct json *c = json_root(doc);
    struct view made = forge_text(c, "created_on");
    str_add(&out->body, forge_text(json_get(c, "content"), "raw"));
    out->edited = !made.len || !view_eq(made, forge_text(c, "updated_on"));
    if (forge_flag(c, "deleted")) {
        a->result = FORGE_GONE;
        return err_set(e, ERR_NOT_FOUND, "comment %s was deleted", id);
    }
    if (forge_read_id(doc, c, "id", out->id, e) < 0)
        return -1;
    return read_user(doc, json_get(c, "user"), &out->author, e);
}

static int find_in(struct forge *f, const struct str *path, const struct forge_search *search,
                   char *id, bool *last, struct forge_answer *a, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    const struct json *values;
    if (forge_get(f, path, &doc, a, e) < 0 ||
        json_read_member(doc, json_root(doc), "values", true, JSON_ARRAY, &values, e) < 0)
        return -1;
    *last = json_count(values) < FORGE_PAGE;
    for (const struct json *c = json_first(values); c && !id[0]; c = json_next(c)) {
        struct forge_user author;
        if (read_user(doc, json_get(c, "user"), &author, e) < 0)
            return -1;
        *last = *last || forge_is_before(forge_text(c, "created_on"), search->since_ms);
        if (!forge_flag(c, "deleted") &&
            forge_is_wanted(search, &author, forge_text(json_get(c, "content"), "raw")) &&
            forge_read_id(doc, c, "id", id, e) < 0)
            return -1;
    }
    return 0;
}

static struct str page_path(const struct forge *f, int64_t number,
                            const struct forge_search *search, int page)
{
    struct str path = comments_path(f, number);
    (void)search;
    str_addf(&path, "?sort=-created_on&pagelen=%d&page=%d", FORGE_PAGE, page + 1);
    return path;
}

static void write_content(struct view body, struct str *out)
{
    struct jw w = jw_begin(out);
    jw_object(&w, NULL);
    jw_object(&w, "content");
    jw_view(&w, "raw", body);
    jw_end(&w);
    jw_end(&w);
}

static int comment_post(struct forge *f, int64_t number, struct view body, char *id,
                        struct forge_answer *a, struct err *e)
{
    AUTO(str_done) struct str path = comments_path(f, number);
    AUTO(str_done) struct str text = STR_INIT(FORGE_BODY_MAX);
    write_content(body, &text);
    return forge_create(f, &path, &text, id, a, e);
}

static int comment_edit(struct forge *f, int64_t number, const char *id, struct view body,
                        struct forge_answer *a, struct err *e)
{
    AUTO(str_done) struct str path = comments_path(f, number);
    AUTO(str_done) struct str text = STR_INIT(FORGE_BODY_MAX);
    str_addc(&path, '/');
    forge_path_add(&path, view_z(id));
    write_content(body, &text);
    return forge_replace(f, "PUT", &path, &text, a, e);
}

/* --- statuses ------------------------------------------------------------------------------
 */

static int status_put(struct forge *f, const struct forge_status *s, char *id,
                      struct forge_answer *a, struct err *e)
{
    AUTO(str_done)
    struct str path = repo_path(f->options.project, "/commit/%s/statuses/build", s->sha);
    AUTO(str_done) struct str text = STR_INIT(FORGE_BODY_MAX);
    (void)id;
    forge_write_build(f, s, &text);
    return forge_replace(f, "POST", &path, &text, a, e);
}

const struct forge_api forge_api_bitbucket = {
    .public_url = "https://bitbucket.org",
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
