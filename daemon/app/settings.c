/* SPDX-License-Identifier: MIT */
/* settings: see settings.h. */
#include "settings.h"

#include <libgen.h>
#include <stdlib.h>

#include "clock.h"
#include "fdio.h"
#include "mem.h"
#include "settings_parts.h"
#include "spec.h"

int settings_string(struct settings_reader *rd, const struct json *object, const char *key,
                    bool required, char **out)
{
    struct view v = {0};
    if (json_read_text(rd->doc, object, key, required, &v, rd->err) < 0)
        return -1;
    if (v.at) {
        free(*out);
        *out = mem_strndup(v.at, v.len);
    }
    return 0;
}

int settings_path(struct settings_reader *rd, const struct json *object, const char *key,
                  bool required, char **out)
{
    if (settings_string(rd, object, key, required, out) < 0)
        return -1;
    if (*out && (*out)[0] != '/' && json_get(object, key)) {
        struct str full = STR_INIT(4096);
        str_addf(&full, "%s/%s", rd->folder, *out);
        free(*out);
        *out = str_steal(&full);
    }
    return 0;
}

/* Repository names become folders and parts of URLs. */
static bool is_name(const char *s)
{
    size_t n = strlen(s);
    if (n == 0 || n > SETTINGS_NAME_MAX || s[0] == '.' || s[0] == '-')
        return false;
    return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

static int read_branches(struct settings_reader *rd, const struct json *repo,
                         struct settings_repo *r)
{
    const struct json *array = NULL;
    if (json_read_member(rd->doc, repo, "branches", false, JSON_ARRAY, &array, rd->err) < 0)
        return -1;
    size_t n = array ? json_count(array) : 0;
    if (array && (n == 0 || n > SETTINGS_BRANCHES_MAX))
        return json_fail(rd->doc, array, rd->err, "'branches' must have 1 to %d entries",
                         SETTINGS_BRANCHES_MAX);
    r->branches = mem_zero(n ? n : 1, sizeof *r->branches);
    for (const struct json *v = json_first(array); v; v = json_next(v)) {
        if (json_type(v) != JSON_STRING || !json_text(v).len ||
            json_text(v).len > SETTINGS_NAME_MAX)
            return json_fail(rd->doc, v, rd->err, "a branch is a name of 1 to %d bytes",
                             SETTINGS_NAME_MAX);
        r->branches[r->branches_len++] = mem_strdup(json_text(v).at);
    }
    if (!array)
        r->branches[r->branches_len++] = mem_strdup("main");
    return 0;
}

/* The operator's spec is read and checked now: a daemon that starts has no bad spec. */
static int read_spec(struct settings_reader *rd, const struct json *repo,
                     struct settings_repo *r)
{
    AUTO(str_done) struct str text = STR_INIT(SPEC_BYTES_MAX);
    AUTO(spec_freep) struct spec *spec = NULL;
    struct err inner;
    if (settings_path(rd, repo, "spec", false, &r->spec_path) < 0)
        return -1;
    if (!r->spec_path)
        return 0;
    if (fdio_read_file(r->spec_path, &text, &inner) < 0 ||
        spec_parse(str_view(&text), r->spec_path, &spec, &inner) < 0)
        return json_fail(rd->doc, json_get(repo, "spec"), rd->err, "%s", inner.text);
    r->spec_text = str_steal(&text);
    return 0;
}

/* A path that is relative to the configuration's folder; everything with a scheme or in the
 * host:path form of ssh is a remote. */
static bool is_local_path(const char *url)
{
    const char *colon = strchr(url, ':');
    const char *slash = strchr(url, '/');
    return !strstr(url, "://") && (!colon || (slash && slash < colon));
}

static int read_url(struct settings_reader *rd, const struct json *repo,
                    struct settings_repo *r)
{
    if (settings_string(rd, repo, "url", true, &r->url) < 0)
        return -1;
    if (!r->url[0] || r->url[0] == '-')
        return json_fail(rd->doc, json_get(repo, "url"), rd->err, "'url' is not a git remote");
    return is_local_path(r->url) ? settings_path(rd, repo, "url", true, &r->url) : 0;
}

/* Where there are forks, their code waits for a member's word. On a plain git server whoever
 * puts a merge request's reference there may push. */
static int read_mr_policy(struct settings_reader *rd, const struct json *repo,
                          struct settings_repo *r)
{
    static const char *const names[] = {"own", "all", "approved"}; /* as enum mr_policy */
    const struct json *v = json_get(repo, "merge_requests");
    bool wanted = true;
    r->merge_requests = r->forge.kind == FORGE_GIT ? MR_ALL : MR_OWN;
    if (v && json_type(v) == JSON_STRING) {
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
            if (view_eqz(json_text(v), names[i])) {
                r->merge_requests = (enum mr_policy)i;
                return 0;
            }
        }
        return json_fail(rd->doc, v, rd->err,
                         "'merge_requests' is 'own', 'all', 'approved', true or false");
    }
    if (json_read_bool(rd->doc, repo, "merge_requests", false, &wanted, rd->err) < 0)
        return -1;
    if (!wanted)
        r->merge_requests = MR_NONE;
    return 0;
}

/* Webhooks tell of news at once, so that looking without them only finds what they lost. */
static int read_poll_most(struct settings_reader *rd, const struct json *repo,
                          struct settings_repo *r)
{
    r->poll_most_ns = (r->forge.webhook_secret_file ? 3600 : 600) * CLOCK_NS_PER_S;
    if (json_read_duration(rd->doc, repo, "poll_most", false, CLOCK_NS_PER_S / 5,
                           86400 * CLOCK_NS_PER_S, &r->poll_most_ns, rd->err) < 0)
        return -1;
    if (json_get(repo, "poll_most") && r->poll_most_ns < r->poll_ns)
        return json_fail(rd->doc, json_get(repo, "poll_most"), rd->err,
                         "'poll_most' must not be shorter than 'poll'");
    return 0;
}

static int read_repo(struct settings_reader *rd, const struct json *o, struct settings_repo *r)
{
    static const char *const keys[] = {"name",     "url",    "branches",  "merge_requests",
                                       "backfill", "poll",   "poll_most", "spec",
                                       "forge",    "notify", NULL};
    if (json_type(o) != JSON_OBJECT)
        return json_fail(rd->doc, o, rd->err, "a repository must be an object");
    r->poll_ns = 60 * CLOCK_NS_PER_S;
    if (json_only_keys(rd->doc, o, "repos", keys, rd->err) < 0 ||
        settings_string(rd, o, "name", true, &r->name) < 0 || read_url(rd, o, r) < 0 ||
        read_branches(rd, o, r) < 0 ||
        json_read_int(rd->doc, o, "backfill", false, 0, SETTINGS_BACKFILL_MAX, &r->backfill,
                      rd->err) < 0 ||
        json_read_duration(rd->doc, o, "poll", false, CLOCK_NS_PER_S / 5,
                           86400 * CLOCK_NS_PER_S, &r->poll_ns, rd->err) < 0 ||
        read_spec(rd, o, r) < 0 || settings_read_forge(rd, o, &r->forge) < 0 ||
        read_poll_most(rd, o, r) < 0 || read_mr_policy(rd, o, r) < 0 ||
        settings_read_notify(rd, o, r) < 0)
        return -1;
    if (!is_name(r->name))
        return json_fail(rd->doc, json_get(o, "name"), rd->err,
                         "'name' must be 1 to %d letters, digits, dots, dashes or underscores, "
                         "and begin with a letter or digit",
                         SETTINGS_NAME_MAX);
    return 0;
}

static int read_repos(struct settings_reader *rd, const struct json *root, struct settings *s)
{
    const struct json *array = NULL;
    if (json_read_member(rd->doc, root, "repos", true, JSON_ARRAY, &array, rd->err) < 0)
        return -1;
    size_t n = json_count(array);
    if (n > SETTINGS_REPOS_MAX)
        return json_fail(rd->doc, array, rd->err, "more than %d repositories",
                         SETTINGS_REPOS_MAX);
    s->repos = mem_zero(n, sizeof *s->repos);
    for (const struct json *v = json_first(array); v; v = json_next(v)) {
        struct settings_repo *r = &s->repos[s->repos_len++];
        if (read_repo(rd, v, r) < 0)
            return -1;
        for (struct settings_repo *other = s->repos; other < r; other++)
            if (strcmp(other->name, r->name) == 0)
                return json_fail(rd->doc, v, rd->err, "two repositories are named '%s'",
                                 r->name);
    }
    return 0;
}

static int read_executor(struct settings_reader *rd, const struct json *root,
                         struct settings *s)
{
    static const char *const keys[] = {"kind", "sandbox", "build_network", NULL};
    const struct json *o = NULL;
    struct view sandbox = {0};
    s->executor = mem_strdup("local");
    s->sandbox = true;
    s->watch = true;
    if (json_read_member(rd->doc, root, "executor", false, JSON_OBJECT, &o, rd->err) < 0)
        return -1;
    if (!o)
        return 0;
    if (json_only_keys(rd->doc, o, "executor", keys, rd->err) < 0 ||
        settings_string(rd, o, "kind", false, &s->executor) < 0 ||
        json_read_text(rd->doc, o, "sandbox", false, &sandbox, rd->err) < 0 ||
        json_read_bool(rd->doc, o, "build_network", false, &s->build_network, rd->err) < 0)
        return -1;
    if (strcmp(s->executor, "local") != 0)
        return json_fail(rd->doc, json_get(o, "kind"), rd->err,
                         "the only executor 'kind' is 'local'");
    if (sandbox.at && !view_eqz(sandbox, "on") && !view_eqz(sandbox, "off"))
        return json_fail(rd->doc, json_get(o, "sandbox"), rd->err,
                         "'sandbox' must be 'on' or 'off'");
    s->sandbox = !sandbox.at || view_eqz(sandbox, "on");
    return 0;
}

static int read_root(struct settings_reader *rd, const struct json *root, struct settings *s)
{
    static const char *const keys[] = {"listen", "public_url", "state_dir",
                                       "repos",  "executor",   NULL};
    if (json_type(root) != JSON_OBJECT)
        return json_fail(rd->doc, root, rd->err, "the configuration must be an object");
    s->listen = mem_strdup("127.0.0.1:8420");
    if (json_only_keys(rd->doc, root, "the configuration", keys, rd->err) < 0 ||
        settings_string(rd, root, "listen", false, &s->listen) < 0 ||
        settings_string(rd, root, "public_url", false, &s->public_url) < 0 ||
        settings_path(rd, root, "state_dir", true, &s->state_dir) < 0 ||
        read_executor(rd, root, s) < 0 || read_repos(rd, root, s) < 0)
        return -1;
    if (!s->public_url) {
        struct str url = STR_INIT(4096);
        str_addf(&url, "http://%s", s->listen);
        s->public_url = str_steal(&url);
    }
    /* Links are made by adding paths. */
    for (size_t n = strlen(s->public_url); n > 0 && s->public_url[n - 1] == '/'; n--)
        s->public_url[n - 1] = '\0';
    return 0;
}

int settings_parse(struct view text, const char *name, const char *folder,
                   struct settings **out, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    AUTO(settings_freep) struct settings *s = mem_zero(1, sizeof *s);
    int rc = json_parse(text, &JSON_CONFIG, &doc, e);
    if (rc == 0) {
        struct settings_reader rd = {.doc = doc, .folder = folder, .err = e};
        rc = read_root(&rd, json_root(doc), s);
    }
    if (rc < 0) {
        char inner[ERR_TEXT_MAX];
        memcpy(inner, e->text, sizeof inner);
        return err_set(e, e->kind, "%s:%s", name, inner);
    }
    *out = STEAL(s);
    return 0;
}

int settings_load(const char *path, struct settings **out, struct err *e)
{
    AUTO(str_done) struct str text = STR_INIT(JSON_CONFIG.bytes_max);
    AUTO(mem_freep) char *full = realpath(path, NULL);
    if (!full)
        return err_errno(e, "configuration '%s'", path);
    if (fdio_read_file(full, &text, e) < 0)
        return err_ctx(e, "configuration");
    return settings_parse(str_view(&text), path, dirname(full), out, e);
}

static void repo_done(struct settings_repo *r)
{
    free(r->name);
    free(r->url);
    for (size_t i = 0; i < r->branches_len; i++)
        free(r->branches[i]);
    free(r->branches);
    free(r->spec_text);
    free(r->spec_path);
    settings_forge_done(&r->forge);
    settings_notify_done(r);
}

void settings_freep(struct settings **settings)
{
    struct settings *s = *settings;
    *settings = NULL;
    if (!s)
        return;
    for (size_t i = 0; i < s->repos_len; i++)
        repo_done(&s->repos[i]);
    free(s->repos);
    free(s->listen);
    free(s->public_url);
    free(s->state_dir);
    free(s->executor);
    free(s);
}
