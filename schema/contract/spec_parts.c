/* SPDX-License-Identifier: MIT */
/* spec_parts: see spec_parts.h. */
#include "spec_parts.h"

#include <stdlib.h>

#include "mem.h"
#include "opt.h"

enum { LIST_MAX = 256, TEXT_MAX = 64 << 10 };

int spec_read_string(const struct json_doc *doc, const struct json *object, const char *key,
                     bool required, char **out, struct err *e)
{
    struct view v = {0};
    if (json_read_text(doc, object, key, required, &v, e) < 0)
        return -1;
    if (!v.at)
        return 0;
    if (v.len > TEXT_MAX)
        return json_fail(doc, json_get(object, key), e, "'%s' is longer than %d bytes", key,
                         TEXT_MAX);
    free(*out);
    *out = mem_strndup(v.at, v.len);
    return 0;
}

int spec_read_choice(const struct json_doc *doc, const struct json *object, const char *key,
                     const char *const *names, int *out, struct err *e)
{
    AUTO(str_done) struct str all = STR_INIT(TEXT_MAX);
    struct view v = {0};
    if (json_read_text(doc, object, key, false, &v, e) < 0)
        return -1;
    for (int i = 0; v.at && names[i]; i++) {
        if (view_eqz(v, names[i])) {
            *out = i;
            return 0;
        }
        str_addf(&all, "%s'%s'", i == 0 ? "" : names[i + 1] ? ", " : " or ", names[i]);
    }
    return v.at ? json_fail(doc, json_get(object, key), e, "'%s' must be %s", key,
                            str_text(&all))
                : 0;
}

static int read_texts(const struct json_doc *doc, const struct json *array, const char *key,
                      struct spec_list *out, struct err *e)
{
    size_t n = json_count(array);
    if (n > LIST_MAX)
        return json_fail(doc, array, e, "'%s' has more than %d entries", key, LIST_MAX);
    spec_list_done(out);
    out->at = mem_zero(n + 1, sizeof *out->at);
    for (const struct json *v = json_first(array); v; v = json_next(v)) {
        if (json_type(v) != JSON_STRING)
            return json_fail(doc, v, e, "every entry of '%s' must be a string, not %s", key,
                             json_type_name(json_type(v)));
        struct view text = json_text(v);
        out->at[out->len++] = mem_strndup(text.at, text.len);
    }
    return 0;
}

int spec_read_list(const struct json_doc *doc, const struct json *object, const char *key,
                   struct spec_list *out, struct err *e)
{
    const struct json *array = NULL;
    if (json_read_member(doc, object, key, false, JSON_ARRAY, &array, e) < 0)
        return -1;
    return array ? read_texts(doc, array, key, out, e) : 0;
}

int spec_read_pairs(const struct json_doc *doc, const struct json *object, const char *key,
                    struct spec_pairs *out, struct err *e)
{
    const struct json *map = NULL;
    if (json_read_member(doc, object, key, false, JSON_OBJECT, &map, e) < 0)
        return -1;
    if (!map)
        return 0;
    size_t n = json_count(map);
    if (n > LIST_MAX)
        return json_fail(doc, map, e, "'%s' has more than %d entries", key, LIST_MAX);
    spec_pairs_done(out);
    out->at = mem_zero(n, sizeof *out->at);
    for (const struct json *v = json_first(map); v; v = json_next(v)) {
        if (json_type(v) != JSON_STRING)
            return json_fail(doc, v, e, "'%s' in '%s' must be a string, not %s", json_key(v),
                             key, json_type_name(json_type(v)));
        struct view value = json_text(v);
        if (!json_key(v)[0] || strchr(json_key(v), '='))
            return json_fail(doc, v, e, "a name in '%s' is empty or holds '='", key);
        out->at[out->len++] =
            (struct spec_pair){mem_strdup(json_key(v)), mem_strndup(value.at, value.len)};
    }
    return 0;
}

/* {"sh": ["line 1", "line 2"]}: one script that stops at the first failing line. */
static int read_shell(const struct json_doc *doc, const struct json *object,
                      struct spec_command *out, struct err *e)
{
    static const char *const keys[] = {"sh", NULL};
    struct spec_list lines = {0};
    const struct json *array = NULL;
    if (json_only_keys(doc, object, "command", keys, e) < 0 ||
        json_read_member(doc, object, "sh", true, JSON_ARRAY, &array, e) < 0)
        return -1;
    if (read_texts(doc, array, "sh", &lines, e) < 0) {
        spec_list_done(&lines);
        return -1;
    }

    struct str script = STR_INIT(SPEC_BYTES_MAX);
    for (size_t i = 0; i < lines.len; i++)
        str_addf(&script, "%s%s", i ? "\n" : "", lines.at[i]);
    bool empty = lines.len == 0;
    spec_list_done(&lines);
    spec_command_done(out);
    out->argv = mem_zero(4, sizeof *out->argv);
    out->argv[0] = mem_strdup("/bin/sh");
    out->argv[1] = mem_strdup("-ec");
    out->argv[2] = str_steal(&script);
    out->argc = 3;
    return empty ? json_fail(doc, array, e, "'sh' has no line") : 0;
}

int spec_read_command(const struct json_doc *doc, const struct json *object, const char *key,
                      bool required, struct spec_command *out, struct err *e)
{
    const struct json *v = json_get(object, key);
    if (!v)
        return required ? json_fail(doc, object, e, "'%s' is missing", key) : 0;
    if (json_type(v) == JSON_OBJECT)
        return read_shell(doc, v, out, e);
    if (json_type(v) != JSON_ARRAY)
        return json_fail(doc, v, e,
                         "'%s' must be an array of arguments or {\"sh\": [lines]}, not %s", key,
                         json_type_name(json_type(v)));

    struct spec_list list = {0};
    int rc = read_texts(doc, v, key, &list, e);
    if (rc == 0 && (list.len == 0 || !list.at[0][0]))
        rc = json_fail(doc, v, e, "'%s' names no program", key);
    if (rc < 0) {
        spec_list_done(&list);
        return -1;
    }
    spec_command_done(out);
    *out = (struct spec_command){.argv = list.at, .argc = list.len};
    return 0;
}

void spec_list_done(struct spec_list *l)
{
    for (size_t i = 0; i < l->len; i++)
        free(l->at[i]);
    free(l->at);
    *l = (struct spec_list){0};
}

void spec_pairs_done(struct spec_pairs *p)
{
    for (size_t i = 0; i < p->len; i++) {
        free(p->at[i].name);
        free(p->at[i].value);
    }
    free(p->at);
    *p = (struct spec_pairs){0};
}

void spec_command_done(struct spec_command *c)
{
    struct spec_list l = {c->argv, c->argc};
    spec_list_done(&l);
    *c = (struct spec_command){0};
}

void spec_write_list(struct jw *w, const char *key, const struct spec_list *l)
{
    jw_array(w, key);
    for (size_t i = 0; i < l->len; i++)
        jw_text(w, NULL, l->at[i]);
    jw_end(w);
}

void spec_write_pairs(struct jw *w, const char *key, const struct spec_pairs *p)
{
    jw_object(w, key);
    for (size_t i = 0; i < p->len; i++)
        jw_text(w, p->at[i].name, p->at[i].value);
    jw_end(w);
}

void spec_write_command(struct jw *w, const char *key, const struct spec_command *c)
{
    spec_write_list(w, key, &(struct spec_list){c->argv, c->argc});
}

void spec_write_size(struct jw *w, const char *key, int64_t bytes)
{
    AUTO(str_done) struct str text = STR_INIT(64);
    if (bytes % (1 << 20) == 0)
        str_addf(&text, "%lldMiB", (long long)bytes >> 20);
    else
        str_addf(&text, "%lldB", (long long)bytes);
    jw_text(w, key, str_text(&text));
}

void spec_write_duration(struct jw *w, const char *key, int64_t ns)
{
    static const struct {
        int64_t ns;
        const char *name;
    } units[] = {
        {60000000000, "m"}, {1000000000, "s"}, {1000000, "ms"}, {1000, "us"}, {1, "ns"}};
    size_t i = 0;
    while (ns % units[i].ns != 0)
        i++;
    if (ns == 0)
        i = 1;
    AUTO(str_done) struct str text = STR_INIT(64);
    str_addf(&text, "%lld%s", (long long)(ns / units[i].ns), units[i].name);
    jw_text(w, key, str_text(&text));
}

/* Writes 'shown' with a unit, in as few digits as 'parse' reads back as 'value'. */
static void write_shortest(struct jw *w, const char *key, double shown, const char *unit,
                           int (*parse)(struct view, double *, struct err *), double value)
{
    AUTO(str_done) struct str text = STR_INIT(64);
    double back;
    for (int digits = 6; digits <= 17; digits++) {
        str_clear(&text);
        str_addf(&text, "%.*g%s", digits, shown, unit);
        if (parse(str_view(&text), &back, NULL) == 0 && back == value)
            break;
    }
    jw_text(w, key, str_text(&text));
}

void spec_write_share(struct jw *w, const char *key, double share)
{
    write_shortest(w, key, share * 100, "%", opt_share, share);
}

void spec_write_rate(struct jw *w, const char *key, double rate_rps)
{
    write_shortest(w, key, rate_rps, "/s", opt_rate, rate_rps);
}

bool spec_has_control(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p < 0x20 || *p == 0x7f)
            return true;
    return false;
}

bool spec_is_url_path(const char *text)
{
    return text[0] == '/' && !spec_has_control(text) && !strchr(text, ' ');
}

bool spec_is_name(const char *text, size_t most)
{
    size_t n =
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");
    return n > 0 && n <= most && text[n] == '\0' && text[0] != '.' && text[0] != '-';
}

bool spec_is_inside(const char *path)
{
    struct view rest = view_z(path);
    if (path[0] == '/')
        return false;
    while (rest.len) {
        struct view part;
        view_cut(rest, '/', &part, &rest);
        if (view_eqz(part, ".."))
            return false;
    }
    return true;
}
