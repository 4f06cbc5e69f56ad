/* SPDX-License-Identifier: MIT */
/* forge: see forge.h. What is the same on every forge; the rest is in the tables. */
#include "forge.h"

#include <stdlib.h>

#include "forge_app.h"
#include "forge_parts.h"
#include "mem.h"

const char *const forge_state_names[FORGE_STATE_COUNT] = {"pending", "success", "failure",
                                                          "neutral"};

static const struct forge_api *const apis[FORGE_KIND_COUNT] = {
    [FORGE_GITHUB] = &forge_api_github,
    [FORGE_GITLAB] = &forge_api_gitlab,
    [FORGE_GITEA] = &forge_api_gitea,
    [FORGE_BITBUCKET] = &forge_api_bitbucket,
    [FORGE_BITBUCKET_SERVER] = &forge_api_bitbucket_server,
};

/* --- opening -------------------------------------------------------------------------------
 */

/* Projects become a part of every address: names joined by slashes, and nothing else. */
bool forge_is_project(struct view project)
{
    struct view part, rest = project;
    int parts = 0;
    while (rest.len) {
        bool more = view_cut(rest, '/', &part, &rest);
        if (!part.len || view_eqz(part, ".") || view_eqz(part, "..") || (more && !rest.len))
            return false;
        for (size_t i = 0; i < part.len; i++)
            if (part.at[i] != '~' && !strchr("._-", part.at[i]) &&
                !((part.at[i] | 32) >= 'a' && (part.at[i] | 32) <= 'z') &&
                !(part.at[i] >= '0' && part.at[i] <= '9'))
                return false;
        parts++;
    }
    return parts >= 2 && project.len < RECORD_REF_MAX;
}

static int check(const struct forge_options *o, const struct forge_api *api, struct err *e)
{
    if (!api)
        return err_set(e, ERR_INPUT, "a plain git server has no API");
    if (!o->project || !forge_is_project(view_z(o->project)))
        return err_set(e, ERR_INPUT,
                       "'project' must be what the repository is called on the"
                       " forge: names joined by '/', as in 'owner/name'");
    if (!o->url && !o->api_url && !api->public_url)
        return err_set(e, ERR_INPUT, "'url' is missing: where is the forge?");
    if (api->needs_user && !o->user)
        return err_set(e, ERR_INPUT, "'user' is missing: whose is the token?");
    if (!o->app_key_file && !o->token_file)
        return err_set(e, ERR_INPUT, "'token_file' is missing");
    if (o->app_key_file && (o->kind != FORGE_GITHUB || !o->app_id || !o->app_installation))
        return err_set(e, ERR_INPUT,
                       "an App has an id, an installation and a key, and is known"
                       " to github only");
    return 0;
}

static int set_address(struct forge *f, struct err *e)
{
    const struct forge_options *o = &f->options;
    if (o->api_url)
        str_addz(&f->root, o->api_url);
    else
        f->api->root(o->url ? o->url : f->api->public_url, &f->root);
    while (f->root.len && f->root.at[f->root.len - 1] == '/')
        f->root.at[--f->root.len] = '\0';
    struct view rest = str_view(&f->root), host, path;
    f->http = view_starts(rest, "http://");
    if (!f->http && !view_starts(rest, "https://"))
        return err_set(e, ERR_INPUT, "'%s' must begin with https:// or http://",
                       str_text(&f->root));
    (void)view_cut(view_skip(rest, f->http ? 7 : 8), '/', &host, &path);
    if (!host.len || memchr(rest.at, '?', rest.len) || memchr(rest.at, '#', rest.len) ||
        memchr(host.at, '@', host.len))
        return err_set(e, ERR_INPUT, "'%s' must be an address without user, '?' and '#'",
                       str_text(&f->root));
    str_add(&f->host, host);
    return 0;
}

int forge_open(const struct forge_options *options, struct forge **out, struct err *e)
{
    const struct forge_api *api = options->kind < FORGE_KIND_COUNT ? apis[options->kind] : NULL;
    if (check(options, api, e) < 0)
        return -1;
    AUTO(forge_closep) struct forge *f = mem_zero(1, sizeof *f);
    f->options = *options;
    f->api = api;
    f->send = client_send;
    f->root = (struct str)STR_INIT(FORGE_PATH_MAX);
    f->host = (struct str)STR_INIT(FORGE_PATH_MAX);
    f->app_token = (struct str)STR_INIT(FORGE_TOKEN_MAX);
    pthread_mutex_init(&f->lock, NULL);
    if (set_address(f, e) < 0)
        return -1;
    *out = STEAL(f);
    return 0;
}

void forge_closep(struct forge **f)
{
    if (!*f)
        return;
    forge_app_forget(*f);
    pthread_mutex_destroy(&(*f)->lock);
    str_done(&(*f)->root);
    str_done(&(*f)->host);
    free(*f);
    *f = NULL;
}

const char *forge_host(const struct forge *f)
{
    return str_text(&f->host);
}

enum forge_kind forge_kind(const struct forge *f)
{
    return f->options.kind;
}

/* --- people and merge requests -------------------------------------------------------------
 */

/* An answer of 2xx that cannot be read comes back as -1 with FORGE_DONE from the tables. */
static int settle(int r, struct forge_answer *a, bool created)
{
    if (r < 0 && a->result == FORGE_DONE)
        a->result = created ? FORGE_UNSURE : FORGE_LATER;
    return r;
}

static bool recall(struct forge *f, struct forge_user *out)
{
    pthread_mutex_lock(&f->lock);
    bool known = f->self.id[0];
    if (known)
        *out = f->self;
    pthread_mutex_unlock(&f->lock);
    return known;
}

int forge_whoami(struct forge *f, struct forge_user *out, struct forge_answer *a, struct err *e)
{
    struct forge_user self = {0};
    *a = (struct forge_answer){.budget = -1};
    if (recall(f, out))
        return 0;
    if (settle(f->api->whoami(f, &self, a, e), a, false) < 0)
        return err_ctx(e, "who are we");
    if (!self.id[0]) {
        a->result = FORGE_REFUSED;
        return err_set(e, ERR_PROTOCOL, "the forge does not say who we are");
    }
    pthread_mutex_lock(&f->lock);
    f->self = self;
    pthread_mutex_unlock(&f->lock);
    *out = self;
    return 0;
}

int forge_role_of(struct forge *f, const struct forge_user *who, enum forge_role *out,
                  struct forge_answer *a, struct err *e)
{
    enum forge_role role = FORGE_ROLE_NONE;
    *a = (struct forge_answer){.budget = -1};
    if (settle(f->api->role_of(f, who, &role, a, e), a, false) < 0) {
        if (a->result != FORGE_GONE)
            return err_ctx(e, "role of '%s'", who->login);
        a->result = FORGE_DONE;
    }
    *out = role;
    return 0;
}

int forge_mr_get(struct forge *f, int64_t number, struct forge_mr *out, struct forge_answer *a,
                 struct err *e)
{
    struct forge_mr mr = {.number = number, .is_fork = true};
    *a = (struct forge_answer){.budget = -1};
    if (settle(f->api->mr_get(f, number, &mr, a, e), a, false) < 0)
        return -1;
    *out = mr;
    return 0;
}

bool forge_mr_has_label(const struct forge_mr *mr, const char *label)
{
    for (int i = 0; i < mr->labels_len; i++)
        if (strcmp(mr->labels[i], label) == 0)
            return true;
    return false;
}

/* --- comments and statuses -----------------------------------------------------------------
 */

size_t forge_comment_bytes_max(enum forge_kind kind)
{
    return kind < FORGE_KIND_COUNT && apis[kind] ? apis[kind]->comment_bytes_max : 0;
}

void forge_comment_done(struct forge_comment *c)
{
    str_done(&c->body);
}

int forge_comment_get(struct forge *f, int64_t number, const char *id,
                      struct forge_comment *out, struct forge_answer *a, struct err *e)
{
    AUTO(forge_comment_done) struct forge_comment comment = FORGE_COMMENT_INIT;
    *a = (struct forge_answer){.budget = -1};
    if (settle(f->api->comment_get(f, number, id, &comment, a, e), a, false) < 0)
        return -1;
    forge_comment_done(out);
    *out = comment;
    comment.body = (struct str){0};
    return 0;
}

static int find_comment(struct forge *f, int64_t number, const struct forge_search *search,
                        char *id, struct forge_answer *a, struct err *e)
{
    bool last = false;
    for (int page = 0; !last && !id[0] && page < FORGE_PAGES_MAX; page++) {
        AUTO(str_done) struct str path = f->api->page_path(f, number, search, page);
        if (f->api->find_in(f, &path, search, id, &last, a, e) < 0)
            return -1;
    }
    return 0;
}

int forge_comment_find(struct forge *f, int64_t number, const char *marker, int64_t since_ms,
                       char id[FORGE_ID_MAX + 1], struct forge_answer *a, struct err *e)
{
    struct forge_search search = {.marker = marker, .since_ms = since_ms};
    char found[FORGE_ID_MAX + 1] = "";
    if (forge_whoami(f, &search.self, a, e) < 0 ||
        settle(find_comment(f, number, &search, found, a, e), a, false) < 0)
        return -1;
    memcpy(id, found, sizeof found);
    return 0;
}

int forge_comment_post(struct forge *f, int64_t number, struct view body,
                       char id[FORGE_ID_MAX + 1], struct forge_answer *a, struct err *e)
{
    char made[FORGE_ID_MAX + 1] = "";
    *a = (struct forge_answer){.budget = -1};
    if (settle(f->api->comment_post(f, number, body, made, a, e), a, true) < 0)
        return -1;
    memcpy(id, made, sizeof made);
    return 0;
}

int forge_comment_edit(struct forge *f, int64_t number, const char *id, struct view body,
                       struct forge_answer *a, struct err *e)
{
    *a = (struct forge_answer){.budget = -1};
    return settle(f->api->comment_edit(f, number, id, body, a, e), a, false);
}

bool forge_has_checks(const struct forge *f)
{
    return f->options.app_key_file != NULL;
}

int forge_status_put(struct forge *f, const struct forge_status *status,
                     char id[FORGE_ID_MAX + 1], struct forge_answer *a, struct err *e)
{
    *a = (struct forge_answer){.budget = -1};
    return settle(f->api->status_put(f, status, id, a, e), a, false);
}
