/* SPDX-License-Identifier: MIT */
/*
 * GitHub, also Enterprise Server: comments through the issues API, statuses, and check runs
 * when we are an App. A comment's list is ascending and pages are counted: the "next" link in
 * the answer is not looked at.
 */
#include <inttypes.h>

#include "forge_hub.h"
#include "json_write.h"

static void root(const char *url, struct str *out)
{
    struct view v = view_z(url);
    if (view_eqz(v, "https://github.com") || view_eqz(v, "https://github.com/"))
        str_addz(out, "https://api.github.com");
    else
        forge_root_add(out, url, "/api/v3");
}

static void authorize(const struct forge *f, struct view token, struct str *out)
{
    (void)f;
    str_addz(out, "Authorization: Bearer ");
    str_add(out, token);
}

/* An App comments as the user '<its slug>[bot]'; only the App itself may ask for the slug. */
static int whoami_app(struct forge *f, struct forge_user *out, struct forge_answer *a,
                      struct err *e)
{
    AUTO(json_freep) struct json_doc *app = NULL;
    AUTO(str_done) struct str path = STR_INIT(FORGE_PATH_MAX);
    struct view slug;
    str_addz(&path, "/app");
    struct forge_call call = {.path = &path, .as_app = true};
    if (forge_call(f, &call, &app, a, e) < 0 ||
        json_read_text(app, json_root(app), "slug", true, &slug, e) < 0)
        return -1;
    str_clear(&path);
    str_addz(&path, "/users/");
    forge_path_add(&path, slug);
    forge_path_add(&path, VIEW("[bot]"));
    return forge_get_user(f, &path, out, a, e);
}

static int whoami(struct forge *f, struct forge_user *out, struct forge_answer *a,
                  struct err *e)
{
    return f->options.app_key_file ? whoami_app(f, out, a, e) : hub_whoami(f, out, a, e);
}

static struct str page_path(const struct forge *f, int64_t number,
                            const struct forge_search *search, int page)
{
    struct str path = hub_path(f, "/issues/%" PRId64 "/comments?per_page=%d&page=%d", number,
                               FORGE_PAGE, page + 1);
    hub_add_since(search, &path);
    return path;
}

/* --- check runs ----------------------------------------------------------------------------
 */

static void write_check(const struct forge *f, const struct forge_status *s, bool made,
                        struct str *out)
{
    static const char *const conclusions[] = {NULL, "success", "failure", "neutral"};
    AUTO(str_done) struct str title = STR_INIT(4096);
    forge_cut(view_z(s->description), f->api->description_max, &title);
    struct view summary = view_z(s->summary ? s->summary : s->description);
    summary.len = view_utf8_prefix(summary, 65535);
    struct jw w = jw_begin(out);
    jw_object(&w, NULL);
    jw_text(&w, "name", s->context);
    if (!made)
        jw_text(&w, "head_sha", s->sha);
    jw_text(&w, "external_id", s->context);
    if (s->url)
        jw_text(&w, "details_url", s->url);
    if (conclusions[s->state])
        jw_text(&w, "conclusion", conclusions[s->state]);
    else
        jw_text(&w, "status", "in_progress");
    jw_object(&w, "output");
    jw_text(&w, "title", str_text(&title));
    jw_view(&w, "summary", summary);
    jw_end(&w);
    jw_end(&w);
}

/* Ours is the one with our context as its external id; names of others may be alike. */
static int find_check(struct forge *f, const struct forge_status *s, char *id,
                      struct forge_answer *a, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    AUTO(str_done)
    struct str path =
        hub_path(f, "/commits/%s/check-runs?per_page=%d&check_name=", s->sha, FORGE_PAGE);
    forge_path_add(&path, view_z(s->context));
    str_addf(&path, "&app_id=%s", f->options.app_id);
    if (forge_get(f, &path, &doc, a, e) < 0)
        return -1;
    const struct json *runs = json_get(json_root(doc), "check_runs");
    for (const struct json *r = json_first(runs); r; r = json_next(r))
        if (view_eqz(forge_text(r, "external_id"), s->context))
            return forge_read_id(doc, r, "id", id, e);
    return 0;
}

static int check_put(struct forge *f, const struct forge_status *s, char *id,
                     struct forge_answer *a, struct err *e)
{
    AUTO(str_done) struct str body = STR_INIT(FORGE_BODY_MAX);
    if (!id[0] && find_check(f, s, id, a, e) < 0)
        return -1;
    write_check(f, s, id[0], &body);
    AUTO(str_done) struct str path = hub_path(f, "/check-runs");
    if (!id[0])
        return forge_create(f, &path, &body, id, a, e);
    str_addc(&path, '/');
    forge_path_add(&path, view_z(id));
    return forge_replace(f, "PATCH", &path, &body, a, e);
}

static int status_put(struct forge *f, const struct forge_status *s, char *id,
                      struct forge_answer *a, struct err *e)
{
    return forge_has_checks(f) ? check_put(f, s, id, a, e) : hub_status_put(f, s, id, a, e);
}

const struct forge_api forge_api_github = {
    .public_url = "https://github.com",
    .comment_bytes_max = 65536,
    .description_max = 140,
    .root = root,
    .authorize = authorize,
    .read_user = hub_read_user,
    .whoami = whoami,
    .role_of = hub_role_of,
    .mr_get = hub_mr_get,
    .comment_get = hub_comment_get,
    .page_path = page_path,
    .find_in = hub_find_in,
    .comment_post = hub_comment_post,
    .comment_edit = hub_comment_edit,
    .status_put = status_put,
};
