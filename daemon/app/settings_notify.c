/* SPDX-License-Identifier: MIT */
/* The 'notify' of a repository: one outgoing webhook, or a list of targets of any kind. */
#include <stdlib.h>

#include "mem.h"
#include "settings_parts.h"

/* Which keys a kind has; the first one or two are mandatory. */
struct kind_keys {
    const char *keys[12];
    const char *schemes[2];
};

static const struct kind_keys kinds[COURIER_KIND_COUNT] = {
    [COURIER_WEBHOOK] = {{"kind", "name", "url", "secret_file", "allow_private", "ca_file"},
                         {"https://", "http://"}},
    [COURIER_SLACK] = {{"kind", "name", "url_file", "allow_private", "ca_file"}, {NULL}},
    [COURIER_MATRIX] = {{"kind", "name", "url", "room", "token_file", "allow_private",
                         "ca_file"},
                        {"https://", "http://"}},
    [COURIER_MAIL] = {{"kind", "name", "url", "from", "to", "user", "password_file", "plain",
                       "allow_private", "ca_file"},
                      {"smtps://", "smtp://"}},
};

static int check_url(struct settings_reader *rd, const struct json *o, const char *key,
                     const struct settings_notify *n)
{
    const char *const *schemes = kinds[n->kind].schemes;
    if (view_starts(view_z(n->url), schemes[0]) || view_starts(view_z(n->url), schemes[1]))
        return 0;
    return json_fail(rd->doc, json_get(o, key), rd->err,
                     "'%s' must be an address that begins with %s or %s", key, schemes[0],
                     schemes[1]);
}

static bool is_address(struct view v)
{
    return v.len >= 3 && v.len <= 254 && memchr(v.at, '@', v.len) &&
           !memchr(v.at, '\r', v.len) && !memchr(v.at, '\n', v.len) &&
           !memchr(v.at, ' ', v.len) && !memchr(v.at, '<', v.len) && !memchr(v.at, '>', v.len);
}

static int read_receivers(struct settings_reader *rd, const struct json *o,
                          struct settings_notify *n)
{
    const struct json *to = NULL;
    if (json_read_member(rd->doc, o, "to", true, JSON_ARRAY, &to, rd->err) < 0)
        return -1;
    if (!json_count(to) || json_count(to) > SETTINGS_MAILBOXES_MAX)
        return json_fail(rd->doc, to, rd->err, "'to' must have 1 to %d addresses",
                         SETTINGS_MAILBOXES_MAX);
    n->to = mem_zero(json_count(to), sizeof *n->to);
    for (const struct json *v = json_first(to); v; v = json_next(v)) {
        if (json_type(v) != JSON_STRING || !is_address(json_text(v)))
            return json_fail(rd->doc, v, rd->err, "a mail address is written 'name@host'");
        n->to[n->to_len++] = mem_strndup(json_text(v).at, json_text(v).len);
    }
    if (!is_address(view_z(n->from)))
        return json_fail(rd->doc, json_get(o, "from"), rd->err,
                         "a mail address is written 'name@host'");
    return 0;
}

static int read_mail(struct settings_reader *rd, const struct json *o,
                     struct settings_notify *n)
{
    if (settings_string(rd, o, "from", true, &n->from) < 0 || read_receivers(rd, o, n) < 0 ||
        settings_string(rd, o, "user", false, &n->user) < 0 ||
        settings_path(rd, o, "password_file", n->user != NULL, &n->secret_file) < 0)
        return -1;
    return json_read_bool(rd->doc, o, "plain", false, &n->allow_plain, rd->err);
}

static int read_kind(struct settings_reader *rd, const struct json *o,
                     struct settings_notify *n)
{
    struct view word;
    if (json_read_text(rd->doc, o, "kind", true, &word, rd->err) < 0)
        return -1;
    if (view_eqz(word, "mattermost")) /* takes the same */
        word = VIEW("slack");
    for (int i = 0; i < COURIER_KIND_COUNT; i++)
        if (view_eqz(word, courier_kind_names[i])) {
            n->kind = (enum courier_kind)i;
            return 0;
        }
    return json_fail(rd->doc, json_get(o, "kind"), rd->err,
                     "'kind' must be webhook, slack, mattermost, matrix or mail");
}

static int read_members(struct settings_reader *rd, const struct json *o,
                        struct settings_notify *n)
{
    bool slack = n->kind == COURIER_SLACK, matrix = n->kind == COURIER_MATRIX;
    if (json_only_keys(rd->doc, o, "notify", kinds[n->kind].keys, rd->err) < 0 ||
        settings_string(rd, o, "name", false, &n->name) < 0 ||
        settings_string(rd, o, "url", !slack, &n->url) < 0 ||
        (!slack && check_url(rd, o, "url", n) < 0) ||
        settings_path(rd, o, "url_file", slack, &n->secret_file) < 0 ||
        settings_path(rd, o, "secret_file", n->kind == COURIER_WEBHOOK, &n->secret_file) < 0 ||
        settings_path(rd, o, "token_file", matrix, &n->secret_file) < 0 ||
        settings_string(rd, o, "room", matrix, &n->room) < 0 ||
        settings_path(rd, o, "ca_file", false, &n->ca_file) < 0 ||
        json_read_bool(rd->doc, o, "allow_private", false, &n->allow_private, rd->err) < 0)
        return -1;
    n->allow_plain = view_starts(view_z(n->url), "http://");
    return n->kind == COURIER_MAIL ? read_mail(rd, o, n) : 0;
}

static int check_name(struct settings_reader *rd, const struct json *o,
                      const struct settings_repo *r)
{
    const struct settings_notify *n = &r->notify[r->notify_len - 1];
    for (const struct settings_notify *other = r->notify; other < n; other++)
        if (other->kind == n->kind && strcmp(other->name, n->name) == 0)
            return json_fail(rd->doc, o, rd->err,
                             "two targets of kind %s have the same 'name' '%s'",
                             courier_kind_names[n->kind], n->name);
    return 0;
}

static int read_list(struct settings_reader *rd, const struct json *list,
                     struct settings_repo *r)
{
    if (json_count(list) > SETTINGS_NOTIFY_MAX)
        return json_fail(rd->doc, list, rd->err, "more than %d targets", SETTINGS_NOTIFY_MAX);
    r->notify = mem_zero(json_count(list) + 1, sizeof *r->notify);
    for (const struct json *o = json_first(list); o; o = json_next(o)) {
        struct settings_notify *n = &r->notify[r->notify_len++];
        n->name = mem_strdup("");
        if (json_type(o) != JSON_OBJECT)
            return json_fail(rd->doc, o, rd->err, "a target must be an object");
        if (read_kind(rd, o, n) < 0 || read_members(rd, o, n) < 0 || check_name(rd, o, r) < 0)
            return -1;
    }
    return 0;
}

static int read_one(struct settings_reader *rd, const struct json *o, struct settings_repo *r)
{
    static const char *const keys[] = {"webhook", "secret_file", "allow_private", NULL};
    r->notify = mem_zero(1, sizeof *r->notify);
    r->notify_len = 1;
    struct settings_notify *n = &r->notify[0];
    n->name = mem_strdup("");
    if (json_only_keys(rd->doc, o, "notify", keys, rd->err) < 0 ||
        settings_string(rd, o, "webhook", true, &n->url) < 0 ||
        settings_path(rd, o, "secret_file", true, &n->secret_file) < 0 ||
        json_read_bool(rd->doc, o, "allow_private", false, &n->allow_private, rd->err) < 0)
        return -1;
    n->allow_plain = view_starts(view_z(n->url), "http://");
    return check_url(rd, o, "webhook", n);
}

int settings_read_notify(struct settings_reader *rd, const struct json *repo,
                         struct settings_repo *r)
{
    const struct json *v = json_get(repo, "notify");
    if (!v)
        return 0;
    if (json_type(v) == JSON_OBJECT)
        return read_one(rd, v, r);
    if (json_type(v) == JSON_ARRAY)
        return read_list(rd, v, r);
    return json_fail(rd->doc, v, rd->err, "'notify' must be an object or an array of them");
}

void settings_notify_done(struct settings_repo *r)
{
    for (size_t i = 0; i < r->notify_len; i++) {
        struct settings_notify *n = &r->notify[i];
        for (size_t k = 0; k < n->to_len; k++)
            free(n->to[k]);
        char *const texts[] = {n->name, n->url,  n->secret_file, n->room,
                               n->from, n->user, n->ca_file};
        for (size_t k = 0; k < ARRAY_LEN(texts); k++)
            free(texts[k]);
        free(n->to);
    }
    free(r->notify);
}
