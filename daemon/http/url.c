/* SPDX-License-Identifier: MIT */
/*
 * url: see url.h. One pass decodes into the buffer; every segment and parameter is checked
 * once, after decoding, so that %2e%2e and '..' are the same thing.
 */
#include "url.h"

#include "opt.h"

/* Decodes 'raw' to '*to' and moves '*to' behind the closing NUL. A plus sign is a blank in a
 * query only. */
static int decode(struct view raw, bool query, char **to, struct view *out, struct err *e)
{
    char *start = *to, *at = start;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.at[i];
        if (c == '%') {
            if (i + 2 >= raw.len || !view_hex((struct view){raw.at + i + 1, 2}, &c, 1))
                return err_set(e, ERR_INPUT, "broken percent sign in the address");
            i += 2;
        } else if (c == '+' && query) {
            c = ' ';
        }
        if ((unsigned char)c < 0x20 || c == 0x7f)
            return err_set(e, ERR_INPUT, "control character in the address");
        *at++ = c;
    }
    *out = (struct view){start, (size_t)(at - start)};
    *at++ = '\0';
    *to = at;
    if (!view_is_utf8(*out))
        return err_set(e, ERR_INPUT, "the address is not UTF-8");
    return 0;
}

static int parse_path(struct view path, struct url *u, char **to, struct err *e)
{
    if (path.len == 1)
        return 0;
    struct view rest = view_skip(path, 1), head;
    for (bool more = true; more;) {
        more = view_cut(rest, '/', &head, &rest);
        if (u->segments_len == URL_SEGMENTS_MAX)
            return err_set(e, ERR_LIMIT, "more than %d path segments", URL_SEGMENTS_MAX);
        struct view *segment = &u->segments[u->segments_len++];
        if (decode(head, false, to, segment, e) < 0)
            return -1;
        if (view_eqz(*segment, ".") || view_eqz(*segment, ".."))
            return err_set(e, ERR_INPUT, "dot segment in the address");
    }
    return 0;
}

static int parse_query(struct view query, struct url *u, char **to, struct err *e)
{
    struct view rest = query, pair, name, value;
    while (rest.len > 0) {
        view_cut(rest, '&', &pair, &rest);
        if (pair.len == 0)
            continue;
        if (u->params_len == URL_PARAMS_MAX)
            return err_set(e, ERR_LIMIT, "more than %d parameters", URL_PARAMS_MAX);
        struct url_param *p = &u->params[u->params_len++];
        view_cut(pair, '=', &name, &value);
        if (decode(name, true, to, &p->name, e) < 0 ||
            decode(value, true, to, &p->value, e) < 0)
            return -1;
    }
    return 0;
}

int url_parse(struct view target, struct url *out, struct err *e)
{
    struct view path, query;
    char *to = out->text;
    out->segments_len = out->params_len = 0;
    if (target.len > URL_BYTES_MAX)
        return err_set(e, ERR_LIMIT, "the address is longer than %d bytes", URL_BYTES_MAX);
    if (target.len == 0 || target.at[0] != '/')
        return err_set(e, ERR_INPUT, "the address must start with '/'");
    for (size_t i = 0; i < target.len; i++)
        if (target.at[i] <= ' ' || target.at[i] == 0x7f || target.at[i] == '#')
            return err_set(e, ERR_INPUT, "byte that does not belong into an address");
    view_cut(target, '?', &path, &query);
    /* Each piece takes its own bytes and a NUL; there are fewer pieces than bytes, plus one. */
    if (parse_path(path, out, &to, e) < 0)
        return -1;
    return parse_query(query, out, &to, e);
}

bool url_param(const struct url *u, const char *name, struct view *out)
{
    for (size_t i = 0; i < u->params_len; i++)
        if (view_eqz(u->params[i].name, name)) {
            *out = u->params[i].value;
            return true;
        }
    return false;
}

int url_param_int(const struct url *u, const char *name, int64_t min, int64_t max, int64_t *out,
                  struct err *e)
{
    struct view text;
    if (!url_param(u, name, &text))
        return 0;
    if (opt_int(text, min, max, out, e) < 0)
        return err_ctx(e, "parameter '%s'", name);
    return 0;
}
