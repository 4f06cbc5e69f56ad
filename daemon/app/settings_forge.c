/* SPDX-License-Identifier: MIT */
/* The 'forge' of a repository: where it lives, how its webhooks are signed and who we are
 * there.
 */
#include <stdlib.h>

#include "forge.h"
#include "forge_webhook.h"
#include "mem.h"
#include "settings_parts.h"

static int read_kind(struct settings_reader *rd, const struct json *forge,
                     struct settings_forge *f)
{
    AUTO(mem_freep) char *kind = NULL;
    if (settings_string(rd, forge, "kind", true, &kind) < 0)
        return -1;
    if (forge_kind_of(kind, &f->kind))
        return 0;
    return json_fail(
        rd->doc, json_get(forge, "kind"), rd->err,
        "'kind' must be git, github, gitlab, gitea, bitbucket or bitbucket-server");
}

/* The secret is read and checked now: a daemon that starts can tell who signs. */
static int read_webhook(struct settings_reader *rd, const struct json *forge,
                        struct settings_forge *f)
{
    AUTO(mem_freep) char *by = NULL;
    struct err inner;
    f->webhook_key = (struct str)STR_INIT(WEBHOOK_SECRET_MAX);
    if (settings_path(rd, forge, "webhook_secret_file", false, &f->webhook_secret_file) < 0 ||
        settings_string(rd, forge, "webhook_auth", false, &by) < 0)
        return -1;
    f->webhook_by_signature = by && strcmp(by, "signature") == 0;
    if (by &&
        (f->kind != FORGE_GITLAB || (!f->webhook_by_signature && strcmp(by, "token") != 0)))
        return json_fail(rd->doc, json_get(forge, "webhook_auth"), rd->err,
                         "'webhook_auth' is 'token' or 'signature', and for gitlab only");
    if (!f->webhook_secret_file)
        return 0;
    if ((f->webhook_by_signature
             ? forge_secret_read(f->webhook_secret_file, &f->webhook_key, &inner)
             : forge_secret_read_text(f->webhook_secret_file, &f->webhook_key, &inner)) < 0)
        return json_fail(rd->doc, json_get(forge, "webhook_secret_file"), rd->err, "%s",
                         inner.text);
    return 0;
}

/* Speaking there takes its API, so what that needs is checked now. */
static int check_api(struct settings_reader *rd, const struct json *o, struct settings_forge *f)
{
    AUTO(forge_closep) struct forge *forge = NULL;
    struct forge_options options;
    struct err inner;
    if (!f->project || f->kind == FORGE_GIT)
        return 0;
    settings_forge_options(f, &options);
    if (forge_open(&options, &forge, &inner) < 0)
        return json_fail(rd->doc, o, rd->err, "'forge': %s", inner.text);
    return 0;
}

static int read_api(struct settings_reader *rd, const struct json *o, struct settings_forge *f)
{
    const struct json *app = NULL;
    static const char *const keys[] = {"id", "installation", "key_file", NULL};
    f->comments = f->statuses = true;
    f->context = mem_strdup("pacewatch");
    if (settings_string(rd, o, "api_url", false, &f->api_url) < 0 ||
        settings_string(rd, o, "user", false, &f->user) < 0 ||
        settings_string(rd, o, "context", false, &f->context) < 0 ||
        json_read_bool(rd->doc, o, "comments", false, &f->comments, rd->err) < 0 ||
        json_read_bool(rd->doc, o, "statuses", false, &f->statuses, rd->err) < 0 ||
        json_read_member(rd->doc, o, "app", false, JSON_OBJECT, &app, rd->err) < 0)
        return -1;
    if (app && (json_only_keys(rd->doc, app, "app", keys, rd->err) < 0 ||
                settings_string(rd, app, "id", true, &f->app_id) < 0 ||
                settings_string(rd, app, "installation", true, &f->app_installation) < 0 ||
                settings_path(rd, app, "key_file", true, &f->app_key_file) < 0))
        return -1;
    return check_api(rd, o, f);
}

int settings_read_forge(struct settings_reader *rd, const struct json *repo,
                        struct settings_forge *f)
{
    static const char *const keys[] = {
        "kind",    "url",          "api_url", "project",      "token_file",
        "user",    "app",          "context", "comments",     "statuses",
        "ssh_key", "ssh_host_key", "ca_file", "webhook_auth", "webhook_secret_file",
        NULL};
    const struct json *o = NULL;
    if (json_read_member(rd->doc, repo, "forge", false, JSON_OBJECT, &o, rd->err) < 0)
        return -1;
    f->kind = FORGE_GIT;
    if (!o)
        return 0;
    if (json_only_keys(rd->doc, o, "forge", keys, rd->err) < 0 || read_kind(rd, o, f) < 0 ||
        settings_string(rd, o, "url", false, &f->url) < 0 ||
        settings_string(rd, o, "project", false, &f->project) < 0 ||
        settings_path(rd, o, "token_file", false, &f->token_file) < 0 ||
        settings_path(rd, o, "ssh_key", false, &f->ssh_key) < 0 ||
        settings_string(rd, o, "ssh_host_key", false, &f->ssh_host_key) < 0 ||
        settings_path(rd, o, "ca_file", false, &f->ca_file) < 0 || read_api(rd, o, f) < 0)
        return -1;
    return read_webhook(rd, o, f);
}

void settings_forge_options(const struct settings_forge *f, struct forge_options *out)
{
    *out = (struct forge_options){
        .kind = f->kind,
        .url = f->url,
        .api_url = f->api_url,
        .project = f->project,
        .token_file = f->token_file,
        .user = f->user,
        .app_id = f->app_id,
        .app_installation = f->app_installation,
        .app_key_file = f->app_key_file,
        .ca_file = f->ca_file,
    };
}

void settings_forge_done(struct settings_forge *f)
{
    char *const texts[] = {f->url,
                           f->api_url,
                           f->project,
                           f->token_file,
                           f->user,
                           f->context,
                           f->app_id,
                           f->app_installation,
                           f->app_key_file,
                           f->ssh_key,
                           f->ssh_host_key,
                           f->ca_file,
                           f->webhook_secret_file};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(texts[i]);
    str_done(&f->webhook_key);
}
