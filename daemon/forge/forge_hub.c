/* SPDX-License-Identifier: MIT */
/* forge_hub: see forge_hub.h. */
#include "forge_hub.h"

#include <inttypes.h>
#include <stdarg.h>

#include "clock.h"
#include "json_write.h"

struct str hub_path(const struct forge *f, const char *rest, ...)
{
    struct str path = STR_INIT(FORGE_PATH_MAX);
    va_list args;
    str_addf(&path, "/repos/%s", f->options.project);
    va_start(args, rest);
    str_addv(&path, rest, args);
    va_end(args);
    return path;
}

/* --- people and merge requests -------------------------------------------------------------
 */

int hub_read_user(const struct json_doc *doc, const struct json *user, struct forge_user *out,
                  struct err *e)
{
    if (forge_read_user(doc, user, "id", "login", out, e) < 0)
        return -1;
    out->is_bot = view_eqz(forge_text(user, "type"), "Bot");
    return 0;
}

int hub_whoami(struct forge *f, struct forge_user *out, struct forge_answer *a, struct err *e)
{
    AUTO(str_done) struct str path = STR_INIT(FORGE_PATH_MAX);
    str_addz(&path, "/user");
    return forge_get_user(f, &path, out, a, e);
}

static enum forge_role role_named(struct view word)
{
    if (view_eqz(word, "admin") || view_eqz(word, "owner"))
        return FORGE_ROLE_ADMIN;
    if (view_eqz(word, "write"))
        return FORGE_ROLE_WRITE;
    return view_eqz(word, "read") ? FORGE_ROLE_READ : FORGE_ROLE_NONE;
}

int hub_role_of(struct forge *f, const struct forge_user *who, enum forge_role *out,
                struct forge_answer *a, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    AUTO(str_done) struct str path = hub_path(f, "/collaborators/");
    struct forge_user told;
    forge_path_add(&path, view_z(who->login));
    str_addz(&path, "/permission");
    if (forge_get(f, &path, &doc, a, e) < 0)
        return -1;
    const struct json *user = json_get(json_root(doc), "user");
    if (user && hub_read_user(doc, user, &told, e) < 0)
        return -1;
    /* A login can be given up and taken by somebody else. */
    if (who->id[0] && user && told.id[0] && strcmp(told.id, who->id) != 0)
        return 0;
    *out = role_named(forge_text(json_root(doc), "permission"));
    return 0;
}

static void read_labels(const struct json *labels, struct forge_mr *out)
{
    for (const struct json *l = json_first(labels); l && out->labels_len < FORGE_LABELS_MAX;
         l = json_next(l))
        forge_copy_text(l, "name", out->labels[out->labels_len++], sizeof out->labels[0]);
}

/* A fork unless both sides are known to be the same repository: that of a deleted fork is null.
 */
static bool is_fork(const struct json_doc *doc, const struct json *head,
                    const struct json *base)
{
    char from[FORGE_ID_MAX + 1], to[FORGE_ID_MAX + 1];
    return forge_read_id(doc, json_get(head, "repo"), "id", from, NULL) < 0 ||
           forge_read_id(doc, json_get(base, "repo"), "id", to, NULL) < 0 ||
           strcmp(from, to) != 0;
}

int hub_mr_get(struct forge *f, int64_t number, struct forge_mr *out, struct forge_answer *a,
               struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    AUTO(str_done) struct str path = hub_path(f, "/pulls/%" PRId64, number);
    if (forge_get(f, &path, &doc, a, e) < 0)
        return -1;
    const struct json *root = json_root(doc);
    const struct json *head = json_get(root, "head"), *base = json_get(root, "base");
    forge_copy_text(head, "sha", out->head, sizeof out->head);
    forge_copy_text(base, "ref", out->target, sizeof out->target);
    forge_copy_text(json_get(head, "repo"), "full_name", out->source_project,
                    sizeof out->source_project);
    out->open = view_eqz(forge_text(root, "state"), "open");
    out->draft = forge_flag(root, "draft");
    out->is_fork = is_fork(doc, head, base);
    read_labels(json_get(root, "labels"), out);
    return hub_read_user(doc, json_get(root, "user"), &out->author, e);
}

/* --- comments ------------------------------------------------------------------------------
 */

static int read_comment(const struct json_doc *doc, const struct json *c,
                        struct forge_comment *out, struct err *e)
{
    str_clear(&out->body);
    str_add(&out->body, forge_text(c, "body"));
    struct view made = forge_text(c, "created_at");
    out->edited = !made.len || !view_eq(made, forge_text(c, "updated_at"));
    if (forge_read_id(doc, c, "id", out->id, e) < 0)
        return -1;
    return hub_read_user(doc, json_get(c, "user"), &out->author, e);
}

int hub_comment_get(struct forge *f, int64_t number, const char *id, struct forge_comment *out,
                    struct forge_answer *a, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    AUTO(str_done) struct str path = hub_path(f, "/issues/comments/");
    (void)number;
    forge_path_add(&path, view_z(id));
    if (forge_get(f, &path, &doc, a, e) < 0)
        return -1;
    return read_comment(doc, json_root(doc), out, e);
}

void hub_add_since(const struct forge_search *search, struct str *path)
{
    char iso[CLOCK_ISO_BYTES];
    if (!search->since_ms)
        return;
    clock_iso(search->since_ms, iso);
    str_addz(path, "&since=");
    forge_path_add(path, view_z(iso));
}

int hub_find_in(struct forge *f, const struct str *path, const struct forge_search *search,
                char *id, bool *last, struct forge_answer *a, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    if (forge_get(f, path, &doc, a, e) < 0)
        return -1;
    if (json_type(json_root(doc)) != JSON_ARRAY)
        return json_fail(doc, NULL, e, "no list of comments");
    *last = json_count(json_root(doc)) < FORGE_PAGE;
    for (const struct json *c = json_first(json_root(doc)); c && !id[0]; c = json_next(c)) {
        struct forge_user author;
        if (hub_read_user(doc, json_get(c, "user"), &author, e) < 0)
            return -1;
        if (forge_is_wanted(search, &author, forge_text(c, "body")) &&
            forge_read_id(doc, c, "id", id, e) < 0)
            return -1;
    }
    return 0;
}

int hub_comment_post(struct forge *f, int64_t number, struct view body, char *id,
                     struct forge_answer *a, struct err *e)
{
    AUTO(str_done) struct str path = hub_path(f, "/issues/%" PRId64 "/comments", number);
    AUTO(str_done) struct str text = STR_INIT(FORGE_BODY_MAX);
    forge_write_body("body", body, &text);
    return forge_create(f, &path, &text, id, a, e);
}

int hub_comment_edit(struct forge *f, int64_t number, const char *id, struct view body,
                     struct forge_answer *a, struct err *e)
{
    AUTO(str_done) struct str path = hub_path(f, "/issues/comments/");
    AUTO(str_done) struct str text = STR_INIT(FORGE_BODY_MAX);
    (void)number;
    forge_path_add(&path, view_z(id));
    forge_write_body("body", body, &text);
    return forge_replace(f, "PATCH", &path, &text, a, e);
}

/* --- statuses ------------------------------------------------------------------------------
 */

int hub_status_put(struct forge *f, const struct forge_status *status, char *id,
                   struct forge_answer *a, struct err *e)
{
    static const char *const states[] = {"pending", "success", "failure", "success"};
    AUTO(str_done) struct str path = hub_path(f, "/statuses/%s", status->sha);
    AUTO(str_done) struct str text = STR_INIT(FORGE_BODY_MAX);
    AUTO(str_done) struct str words = STR_INIT(4096);
    (void)id;
    forge_cut(view_z(status->description), f->api->description_max, &words);
    struct jw w = jw_begin(&text);
    jw_object(&w, NULL);
    jw_text(&w, "state", states[status->state]);
    jw_text(&w, "context", status->context);
    jw_text(&w, "description", str_text(&words));
    if (status->url)
        jw_text(&w, "target_url", status->url);
    jw_end(&w);
    return forge_replace(f, "POST", &path, &text, a, e);
}
