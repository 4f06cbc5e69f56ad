/* SPDX-License-Identifier: MIT */
/*
 * What all forges' paths and documents have in common. A member that is null is as good as one
 * that is not there.
 */
#include <inttypes.h>

#include "clock.h"
#include "forge_parts.h"
#include "json_write.h"

void forge_root_add(struct str *out, const char *url, const char *tail)
{
    struct view v = view_z(url);
    str_addf(out, "%.*s%s", (int)(v.len - view_ends(v, "/")), url, tail);
}

void forge_path_add(struct str *path, struct view text)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] && strchr(plain, text.at[i]))
            str_addc(path, text.at[i]);
        else
            str_addf(path, "%%%02X", (unsigned char)text.at[i]);
    }
}

struct view forge_text(const struct json *object, const char *key)
{
    const struct json *v = json_get(object, key);
    return v && json_type(v) == JSON_STRING ? json_text(v) : (struct view){0};
}

void forge_copy_text(const struct json *object, const char *key, char *out, size_t size)
{
    struct view text = forge_text(object, key);
    size_t len = view_utf8_prefix(text, size - 1);
    if (text.at) {
        memcpy(out, text.at, len);
        out[len] = '\0';
    }
}

bool forge_flag(const struct json *object, const char *key)
{
    const struct json *v = json_get(object, key);
    return v && json_type(v) == JSON_BOOL && json_bool(v);
}

int forge_read_id(const struct json_doc *doc, const struct json *object, const char *key,
                  char out[FORGE_ID_MAX + 1], struct err *e)
{
    const struct json *v = json_get(object, key);
    AUTO(str_done) struct str id = STR_INIT(FORGE_ID_MAX);
    int64_t number;
    if (v && json_type(v) == JSON_STRING) {
        str_add(&id, json_text(v));
    } else {
        if (json_read_int(doc, object, key, true, 0, INT64_C(1) << 53, &number, e) < 0)
            return -1;
        str_addf(&id, "%" PRId64, number);
    }
    if (!id.len || id.cut)
        return json_fail(doc, v, e, "'%s' is no id of 1 to %d characters", key, FORGE_ID_MAX);
    memcpy(out, str_text(&id), id.len + 1);
    return 0;
}

int forge_read_user(const struct json_doc *doc, const struct json *user, const char *id,
                    const char *login, struct forge_user *out, struct err *e)
{
    *out = (struct forge_user){0};
    if (!user || json_type(user) != JSON_OBJECT)
        return 0; /* whoever it was is gone */
    forge_copy_text(user, login, out->login, sizeof out->login);
    return forge_read_id(doc, user, id, out->id, e);
}

void forge_write_body(const char *key, struct view body, struct str *out)
{
    struct jw w = jw_begin(out);
    jw_object(&w, NULL);
    jw_view(&w, key, body);
    jw_end(&w);
}

bool forge_is_wanted(const struct forge_search *search, const struct forge_user *author,
                     struct view body)
{
    return strcmp(author->id, search->self.id) == 0 && body.len &&
           memmem(body.at, body.len, search->marker, strlen(search->marker));
}

bool forge_is_before(struct view iso, int64_t since_ms)
{
    enum { DAY_MS = 86400 * 1000, SECONDS_TEXT = 19 };
    char since[CLOCK_ISO_BYTES];
    if (since_ms <= DAY_MS || iso.len < SECONDS_TEXT)
        return false;
    clock_iso(since_ms - DAY_MS, since);
    return memcmp(iso.at, since, SECONDS_TEXT) < 0;
}

void forge_cut(struct view text, size_t characters, struct str *out)
{
    size_t n = 0, end = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (((unsigned char)text.at[i] & 0xc0) == 0x80)
            continue;
        if (++n == characters)
            end = i; /* the last one that may stand here */
    }
    if (n <= characters) {
        str_add(out, text);
    } else {
        str_add(out, (struct view){text.at, end});
        str_addz(out, "\u2026");
    }
}
