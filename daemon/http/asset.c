/* SPDX-License-Identifier: MIT */
/* asset: see asset.h. */
#include "asset.h"

#include <stdio.h>
#include <strings.h>

#include "api.h"
#include "asset_table.h"
#include "mem.h"

/* The page may load its own files and talk to its own origin, nothing else. Styles are adopted
 * by script, so not even inline styles are needed. lit names its trusted-types policy lit-html.
 */
static const char page_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src "
    "'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types lit-html";

enum encoding { ENCODING_BR, ENCODING_GZIP, ENCODING_NONE, ENCODING_COUNT }; /* best first */
static const char *const encoding_names[ENCODING_COUNT] = {"br", "gzip", NULL};

struct form {
    char etag[64];
    struct server_file *whole, *unchanged; /* NULL: there is no such form */
};

struct assets {
    struct form (*forms)[ENCODING_COUNT]; /* one row per entry of asset_table */
};

static struct asset_bytes bytes_of(const struct asset *a, enum encoding encoding)
{
    return encoding == ENCODING_BR ? a->br : encoding == ENCODING_GZIP ? a->gz : a->raw;
}

static void make_form(const struct asset *a, enum encoding encoding, struct form *out)
{
    struct asset_bytes bytes = bytes_of(a, encoding);
    const char *coding = encoding_names[encoding];
    if (!bytes.at)
        return;
    snprintf(out->etag, sizeof out->etag, "\"%s%s%s\"", a->etag, coding ? "-" : "",
             coding ? coding : "");
    struct server_header headers[] = {
        {"ETag", out->etag},
        {"Cache-Control",
         (char *)(a->immutable ? "public, max-age=31536000, immutable" : "no-cache")},
        {"Vary", (char *)"Accept-Encoding"},
        {"X-Content-Type-Options", (char *)"nosniff"},
        {"Referrer-Policy", (char *)"no-referrer"},
        {"Cross-Origin-Opener-Policy", (char *)"same-origin"},
        {"Cross-Origin-Resource-Policy", (char *)"same-origin"},
        {"Content-Security-Policy", (char *)page_policy},
        {"Content-Type", (char *)a->type},
        {"Content-Encoding", (char *)coding},
    };
    size_t n = ARRAY_LEN(headers) - (coding ? 0 : 1);
    out->whole = server_file_new(200, (struct view){bytes.at, bytes.len}, headers, n);
    out->unchanged = server_file_new(304, VIEW(""), headers, ARRAY_LEN(headers) - 2);
}

struct assets *assets_new(void)
{
    struct assets *a = mem_zero(1, sizeof *a);
    a->forms = mem_zero(asset_table_len, sizeof *a->forms);
    for (size_t i = 0; i < asset_table_len; i++)
        for (int encoding = 0; encoding < ENCODING_COUNT; encoding++)
            make_form(&asset_table[i], encoding, &a->forms[i][encoding]);
    return a;
}

void assets_free(struct assets *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < asset_table_len; i++)
        for (int encoding = 0; encoding < ENCODING_COUNT; encoding++) {
            server_file_free(a->forms[i][encoding].whole);
            server_file_free(a->forms[i][encoding].unchanged);
        }
    free(a->forms);
    free(a);
}

/* Is it "q=0", "q=0.0" and so on? */
static bool is_refused(struct view parameters)
{
    struct view p = view_trim(parameters);
    if (!view_starts(p, "q=0"))
        return false;
    for (size_t i = 3; i < p.len; i++)
        if (p.at[i] != '0' && p.at[i] != '.')
            return false;
    return true;
}

bool asset_accepts(struct view list, const char *coding)
{
    struct view one, name, parameters;
    bool any = false;
    while (list.len > 0) {
        view_cut(list, ',', &one, &list);
        view_cut(one, ';', &name, &parameters);
        name = view_trim(name);
        if (name.len == strlen(coding) && strncasecmp(name.at, coding, name.len) == 0)
            return !is_refused(parameters);
        if (view_eqz(name, "*"))
            any = !is_refused(parameters);
    }
    return any;
}

static bool answer(const struct assets *a, size_t index, const struct request *r,
                   struct reply *reply)
{
    struct view accepted = server_header(r, "Accept-Encoding");
    const struct form *form = &a->forms[index][ENCODING_NONE];
    for (int encoding = 0; encoding < ENCODING_NONE; encoding++)
        if (a->forms[index][encoding].whole &&
            asset_accepts(accepted, encoding_names[encoding])) {
            form = &a->forms[index][encoding];
            break;
        }
    bool same = api_tag_matches(server_header(r, "If-None-Match"), form->etag);
    reply->file = server_file_share(same ? form->unchanged : form->whole);
    reply->status = same ? 304 : 200;
    return true;
}

bool assets_answer(const struct assets *a, const struct request *r, struct reply *reply)
{
    for (size_t i = 0; i < asset_table_len; i++) {
        struct view rest = view_skip(view_z(asset_table[i].path), 1), want;
        size_t segment = 0;
        bool more = true, equal = true;
        for (; more && equal; segment++) {
            more = view_cut(rest, '/', &want, &rest);
            equal = segment < r->url.segments_len && view_eq(want, r->url.segments[segment]);
        }
        if (equal && segment == r->url.segments_len)
            return answer(a, i, r, reply);
    }
    return false;
}

bool assets_answer_shell(const struct assets *a, const struct request *r, struct reply *reply)
{
    for (size_t i = 0; i < asset_table_len; i++)
        if (strcmp(asset_table[i].path, "/index.html") == 0)
            return answer(a, i, r, reply);
    return false;
}
