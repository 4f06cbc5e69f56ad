/* SPDX-License-Identifier: MIT */
/* json_write: see json_write.h. */
#include "json_write.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "digest.h"

struct jw jw_begin(struct str *to)
{
    return (struct jw){.to = to};
}

static void add_text(struct str *to, struct view text)
{
    str_addc(to, '"');
    while (text.len) {
        unsigned char c = (unsigned char)text.at[0];
        size_t n = 1;
        if (c >= 0x80) {
            /* The one character at this place, or U+FFFD for a byte that starts none. The
             * shortest valid piece, since a longer one would hold what must be escaped. */
            size_t most = text.len < 4 ? text.len : 4;
            for (n = 2; n <= most && !view_is_utf8((struct view){text.at, n}); n++)
                continue;
            if (n <= most)
                str_add(to, (struct view){text.at, n});
            else
                str_addz(to, "\xef\xbf\xbd");
            n = n <= most ? n : 1;
        } else if (c == '"' || c == '\\') {
            str_addf(to, "\\%c", c);
        } else if (c == '\n') {
            str_addz(to, "\\n");
        } else if (c < 0x20 || c == 0x7f) {
            str_addf(to, "\\u%04x", c);
        } else {
            str_addc(to, (char)c);
        }
        text = view_skip(text, n);
    }
    str_addc(to, '"');
}

/* Comma and key in front of a value. */
static void lead(struct jw *w, const char *key)
{
    if (w->more[w->depth])
        str_addc(w->to, ',');
    w->more[w->depth] = true;
    if (key) {
        add_text(w->to, view_z(key));
        str_addc(w->to, ':');
    }
}

static void open_level(struct jw *w, const char *key, char open, char close)
{
    lead(w, key);
    str_addc(w->to, open);
    w->depth++;
    assert(w->depth < JW_DEPTH_MAX);
    w->more[w->depth] = false;
    w->close[w->depth] = close;
}

void jw_object(struct jw *w, const char *key)
{
    open_level(w, key, '{', '}');
}

void jw_array(struct jw *w, const char *key)
{
    open_level(w, key, '[', ']');
}

void jw_end(struct jw *w)
{
    assert(w->depth > 0);
    str_addc(w->to, w->close[w->depth--]);
}

void jw_text(struct jw *w, const char *key, const char *text)
{
    if (text)
        jw_view(w, key, view_z(text));
    else
        jw_null(w, key);
}

void jw_view(struct jw *w, const char *key, struct view text)
{
    lead(w, key);
    add_text(w->to, text);
}

void jw_int(struct jw *w, const char *key, int64_t value)
{
    lead(w, key);
    str_addf(w->to, "%" PRId64, value);
}

/* The shortest of 15 to 17 digits that reads back as the same number. */
void jw_real(struct jw *w, const char *key, double value)
{
    char text[40];
    if (!isfinite(value)) {
        jw_null(w, key);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    for (char *p = text; *p; p++)
        if (*p == ',')
            *p = '.'; /* whatever the locale writes */
    lead(w, key);
    str_addz(w->to, text);
}

void jw_bool(struct jw *w, const char *key, bool value)
{
    lead(w, key);
    str_addz(w->to, value ? "true" : "false");
}

void jw_null(struct jw *w, const char *key)
{
    lead(w, key);
    str_addz(w->to, "null");
}

void jw_hex(struct jw *w, const char *key, const void *bytes, size_t len)
{
    lead(w, key);
    str_addc(w->to, '"');
    str_add_hex(w->to, bytes, len);
    str_addc(w->to, '"');
}

void jw_base64(struct jw *w, const char *key, struct view bytes)
{
    lead(w, key);
    str_addc(w->to, '"');
    digest_base64(bytes, w->to);
    str_addc(w->to, '"');
}

void jw_raw(struct jw *w, const char *key, struct view json)
{
    lead(w, key);
    str_add(w->to, json);
}
