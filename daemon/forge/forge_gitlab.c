/* SPDX-License-Identifier: MIT */
/*
 * GitLab: merge requests are numbered by 'iid', comments are notes, newest first when asked.
 * System notes ("changed the description") are written in the name of whoever caused them and
 * never count as a comment.
 */
#include <inttypes.h>
#include <stdarg.h>

#include "forge_parts.h"
#include "json_write.h"

enum { URL_MAX = 255, ACCESS_READ = 10, ACCESS_WRITE = 30, ACCESS_ADMIN = 40 };

static void root(const char *url, struct str *out)
{
    forge_root_add(out, url, "/api/v4");
}

static void authorize(const struct forge *f, struct view token, struct str *out)
{
    (void)f;
    str_addz(out, "PRIVATE-TOKEN: ");
    str_add(out, token);
}

PRINTF(2, 3) static struct str project_path(const struct forge *f, const char *rest, ...)
{
    struct str path = STR_INIT(FORGE_PATH_MAX);
    va_list args;
    str_addz(&path, "/projects/");
    forge_path_add(&path, view_z(f->options.project));
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
    if (forge_read_user(doc, user, "id", "username", out, e) < 0)
        return -1;
    out->is_bot = forge_flag(user, "bot");
    return 0;
}

static int whoami(struct forge *f, struct forge_user *out, struct forge_answer *a,
                  struct err *e)
{
    AUTO(str_done) struct str path = STR_INIT(FORGE_PATH_MAX);
    str_addz(&path, "/user");
    return forge_get_user(f, &path, out, a, e);
}

static int id_of_login(struct forge *f, const char *login, char *id, struct forge_answer *a,
                       struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    AUTO(str_done) struct str path = STR_INIT(FORGE_PATH_MAX);
    str_addz(&path, "/users?username=");
    forge_path_add(&path, view_z(login));
    if (forge_get(f, &path, &doc, a, e) < 0)
        return -1;
    const struct json *first = json_first(json_root(doc));
    if (!first) {
        a->result = FORGE_GONE;
        return err_set(e, ERR_NOT_FOUND, "nobody is called '%s'", login);
    }
    return forge_read_id(doc, first, "id", id, e);
}

static int role_of(struct forge *f, const struct forge_user *who, enum forge_role *out,
                   struct forge_answer *a, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    char id[FORGE_ID_MAX + 1];
    int64_t level = 0;
    memcpy(id, who->id, sizeof id);
    if (!id[0] && id_of_login(f, who->login, id, a, e) < 0)
        return -1;
    AUTO(str_done) struct str path = project_path(f, "/members/all/");
    forge_path_add(&path, view_z(id));
    if (forge_get(f, &path, &doc, a, e) < 0 ||
        json_read_int(doc, json_root(doc), "access_level", true, 0, 100, &level, e) < 0)
        return -1;
    if (!view_eqz(forge_text(json_root(doc), "state"), "active"))
        return 0; /* blocked, or waits for approval */
    *out = level >= ACCESS_ADMIN   ? FORGE_ROLE_ADMIN
           : level >= ACCESS_WRITE ? FORGE_ROLE_WRITE
           : level >= ACCESS_READ  ? FORGE_ROLE_READ
                                   : FORGE_ROLE_NONE;
    return 0;
}

static void read_labels(const struct json *labels, struct forge_mr *out)
{
    for (const struct json *l = json_first(labels); l && out->labels_len < FORGE_LABELS_MAX;
         l = json_next(l)) {
        struct view text = json_type(l) == JSON_STRING ? json_text(l) : (struct view){0};
        char *to = out->labels[out->labels_len++];
        size_t len = view_utf8_prefix(text, sizeof out->labels[0] - 1);
        memcpy(to, text.at ? text.at : "", len);
        to[len] = '\0';
    }
}

static int mr_get(struct forge *f, int64_t number, struct forge_mr *out, struct forge_answer *a,
                  struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    AUTO(str_done) struct str path = project_path(f, "/merge_requests/%" PRId64, number);
    char from[FORGE_ID_MAX + 1], to[FORGE_ID_MAX + 1];
    if (forge_get(f, &path, &doc, a, e) < 0)
        return -1;
    const struct json *r = json_root(doc);
    forge_copy_text(r, "sha", out->head, sizeof out->head);
    forge_copy_text(r, "target_branch", out->target, sizeof out->target);
    out->open = view_eqz(forge_text(r, "state"), "opened");
    out->draft = forge_flag(r, "draft") || forge_flag(r, "work_in_progress");
    out->is_fork = forge_read_id(doc, r, "source_project_id", from, NULL) < 0 ||
                   forge_read_id(doc, r, "target_project_id", to, NULL) < 0 ||
                   strcmp(from, to) != 0;
    read_labels(json_get(r, "labels"), out);
    return read_user(doc, json_get(r, "author"), &out->author, e);
}

/* --- comments ------------------------------------------------------------------------------
 */

static struct str notes_path(const struct forge *f, int64_t number)
{
    return project_path(f, "/merge_requests/%" PRId64 "/notes", number);
}

static int comment_get(struct forge *f, int64_t number, const char *id,
                       struct forge_comment *out, struct forge_answer *a, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    AUTO(str_done) struct str path = notes_path(f, number);
    str_addc(&path, '/');
    forge_path_add(&path, view_z(id));
    if (forge_get(f, &path, &doc, a, e) < 0)
        return -1;
    const struct json *note = json_root(doc);
    struct view made = forge_text(note, "created_at");
    str_add(&out->body, forge_text(note, "body"));
    out->edited = !made.len || !view_eq(made, forge_text(note, "updated_at"));
    if (forge_read_id(doc, note, "id", out->id, e) < 0)
        return -1;
    return read_user(doc, json_get(note, "author"), &out->author, e);
}

static int find_in(struct forge *f, const struct str *path, const struct forge_search *search,
                   char *id, bool *last, struct forge_answer *a, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    if (forge_get(f, path, &doc, a, e) < 0)
        return -1;
    if (json_type(json_root(doc)) != JSON_ARRAY)
        return json_fail(doc, NULL, e, "no list of notes");
    *last = json_count(json_root(doc)) < FORGE_PAGE;
    for (const struct json *n = json_first(json_root(doc)); n && !id[0]; n = json_next(n)) {
        struct forge_user author;
        if (read_user(doc, json_get(n, "author"), &author, e) < 0)
            return -1;
        *last = *last || forge_is_before(forge_text(n, "created_at"), search->since_ms);
        if (!forge_flag(n, "system") &&
            forge_is_wanted(search, &author, forge_text(n, "body")) &&
            forge_read_id(doc, n, "id", id, e) < 0)
            return -1;
    }
    return 0;
}

static struct str page_path(const struct forge *f, int64_t number,
                            const struct forge_search *search, int page)
{
    struct str path = notes_path(f, number);
    (void)search;
    str_addf(&path, "?order_by=created_at&sort=desc&per_page=%d&page=%d", FORGE_PAGE, page + 1);
    return path;
}

static int comment_post(struct forge *f, int64_t number, struct view body, char *id,
                        struct forge_answer *a, struct err *e)
{
    AUTO(str_done) struct str path = notes_path(f, number);
    AUTO(str_done) struct str text = STR_INIT(FORGE_BODY_MAX);
    forge_write_body("body", body, &text);
    return forge_create(f, &path, &text, id, a, e);
}

static int comment_edit(struct forge *f, int64_t number, const char *id, struct view body,
                        struct forge_answer *a, struct err *e)
{
    AUTO(str_done) struct str path = notes_path(f, number);
    AUTO(str_done) struct str text = STR_INIT(FORGE_BODY_MAX);
    str_addc(&path, '/');
    forge_path_add(&path, view_z(id));
    forge_write_body("body", body, &text);
    return forge_replace(f, "PUT", &path, &text, a, e);
}

/* --- statuses ------------------------------------------------------------------------------
 */

static int put(struct forge *f, const struct forge_status *s, bool with_url,
               struct forge_answer *a, struct err *e)
{
    static const char *const states[] = {"pending", "success", "failed", "success"};
    AUTO(str_done) struct str path = project_path(f, "/statuses/%s", s->sha);
    AUTO(str_done) struct str text = STR_INIT(FORGE_BODY_MAX);
    AUTO(str_done) struct str words = STR_INIT(4096);
    forge_cut(view_z(s->description), f->api->description_max, &words);
    struct jw w = jw_begin(&text);
    jw_object(&w, NULL);
    jw_text(&w, "state", states[s->state]);
    jw_text(&w, "name", s->context);
    jw_text(&w, "description", str_text(&words));
    if (with_url)
        jw_text(&w, "target_url", s->url);
    jw_end(&w);
    return forge_replace(f, "POST", &path, &text, a, e);
}

/* Two refusals of 400 are none: the status already is what it should become, and an address
 * that GitLab cannot or will not resolve. */
static int status_put(struct forge *f, const struct forge_status *s, char *id,
                      struct forge_answer *a, struct err *e)
{
    bool with_url = s->url && strlen(s->url) <= URL_MAX;
    (void)id;
    int r = put(f, s, with_url, a, e);
    if (r < 0 && a->status == 400 && with_url && strstr(e->text, "is blocked"))
        r = put(f, s, false, a, e);
    if (r < 0 && a->status == 400 && strstr(e->text, "Cannot transition status")) {
        a->result = FORGE_DONE;
        return 0;
    }
    return r;
}

const struct forge_api forge_api_gitlab = {
    .public_url = "https://gitlab.com",
    .comment_bytes_max = 1000000,
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
