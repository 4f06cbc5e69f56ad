/* SPDX-License-Identifier: MIT */
/* str: see str.h. */
#include "str.h"

#include <stdio.h>
#include <stdlib.h>

#include "mem.h"

enum { STR_ROOM_FIRST = 64 };

void str_done(struct str *s)
{
    free(s->at);
    s->at = NULL;
    s->len = s->room = 0;
}

void str_clear(struct str *s)
{
    s->len = 0;
    s->cut = false;
    if (s->at)
        s->at[0] = '\0';
}

size_t str_reserve(struct str *s, size_t more)
{
    size_t left = s->max - s->len;
    if (more > left)
        more = left;
    size_t need = s->len + more + 1;
    if (need > s->room) {
        size_t room = s->room ? s->room : STR_ROOM_FIRST;
        while (room < need)
            room *= 2;
        s->at = mem_resize(s->at, room, 1);
        s->room = room;
        s->at[s->len] = '\0';
    }
    return more;
}

void str_add(struct str *s, struct view v)
{
    if (!v.len)
        return;

    size_t n = str_reserve(s, v.len);
    memcpy(s->at + s->len, v.at, n);
    s->len += n;
    s->at[s->len] = '\0';
    if (n < v.len)
        s->cut = true;
}

void str_addz(struct str *s, const char *text)
{
    str_add(s, view_z(text));
}

void str_addc(struct str *s, char c)
{
    str_add(s, (struct view){&c, 1});
}

void str_addv(struct str *s, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int wanted = vsnprintf(NULL, 0, fmt, args);
    if (wanted > 0) {
        size_t n = str_reserve(s, (size_t)wanted);
        (void)vsnprintf(s->at + s->len, n + 1, fmt, again);
        s->len += n;
        if (n < (size_t)wanted)
            s->cut = true;
    }
    va_end(again);
}

void str_addf(struct str *s, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    str_addv(s, fmt, args);
    va_end(args);
}

const char *str_text(const struct str *s)
{
    return s->at ? s->at : "";
}

struct view str_view(const struct str *s)
{
    return (struct view){str_text(s), s->len};
}

char *str_steal(struct str *s)
{
    char *text = s->at ? s->at : mem_strdup("");
    s->at = NULL;
    s->len = s->room = 0;
    return text;
}

bool view_eq(struct view a, struct view b)
{
    return a.len == b.len && (!a.len || memcmp(a.at, b.at, a.len) == 0);
}

bool view_eqz(struct view a, const char *text)
{
    return view_eq(a, view_z(text));
}

bool view_starts(struct view v, const char *prefix)
{
    size_t n = strlen(prefix);
    return v.len >= n && (!n || memcmp(v.at, prefix, n) == 0);
}

bool view_ends(struct view v, const char *suffix)
{
    size_t n = strlen(suffix);
    return v.len >= n && (!n || memcmp(v.at + v.len - n, suffix, n) == 0);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct view view_trim(struct view v)
{
    while (v.len && is_blank(v.at[0]))
        v = view_skip(v, 1);
    while (v.len && is_blank(v.at[v.len - 1]))
        v.len--;
    return v;
}

struct view view_skip(struct view v, size_t n)
{
    if (n > v.len)
        n = v.len;
    return n ? (struct view){v.at + n, v.len - n} : v;
}

bool view_cut(struct view v, char sep, struct view *head, struct view *rest)
{
    const char *at = v.len ? memchr(v.at, sep, v.len) : NULL;
    if (!at) {
        *head = v;
        *rest = view_skip(v, v.len);
        return false;
    }
    size_t n = (size_t)(at - v.at);
    *head = (struct view){v.at, n};
    *rest = view_skip(v, n + 1);
    return true;
}

bool view_line(struct view *rest, struct view *line)
{
    if (!rest->len)
        return false;
    view_cut(*rest, '\n', line, rest);
    if (line->len && line->at[line->len - 1] == '\r')
        line->len--;
    return true;
}

/* Length of the UTF-8 character at the start of v, 0 when it is not valid (RFC 3629). */
static size_t utf8_char(struct view v)
{
    const unsigned char *p = (const unsigned char *)v.at;
    if (!v.len)
        return 0;
    if (p[0] < 0x80)
        return 1;

    size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || v.len < len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    /* Overlong forms, surrogates and values above U+10FFFF show in the second byte. */
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return len;
}

bool view_is_utf8(struct view v)
{
    while (v.len) {
        size_t n = utf8_char(v);
        if (!n)
            return false;
        v = view_skip(v, n);
    }
    return true;
}

size_t view_utf8_prefix(struct view v, size_t max)
{
    if (v.len <= max)
        return v.len;
    while (max > 0 && ((unsigned char)v.at[max] & 0xc0) == 0x80)
        max--;
    return max;
}

int view_distance(struct view a, struct view b)
{
    enum { NAME_MAX_LEN = 64, FAR = 9 };
    if (a.len > NAME_MAX_LEN || b.len > NAME_MAX_LEN)
        return FAR;

    /* Levenshtein 1966, one row at a time. */
    int row[NAME_MAX_LEN + 1];
    for (size_t j = 0; j <= b.len; j++)
        row[j] = (int)j;
    for (size_t i = 1; i <= a.len; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= b.len; j++) {
            int change = diagonal + (a.at[i - 1] != b.at[j - 1]);
            diagonal = row[j];
            int shorter = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = change < shorter ? change : shorter;
        }
    }
    return row[b.len] < FAR ? row[b.len] : FAR;
}

void str_add_hex(struct str *s, const void *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = bytes;
    for (size_t i = 0; i < len; i++) {
        str_addc(s, digits[p[i] >> 4]);
        str_addc(s, digits[p[i] & 15]);
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool view_hex(struct view v, void *bytes, size_t len)
{
    unsigned char *out = bytes;
    if (v.len != 2 * len)
        return false;
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(v.at[2 * i]), low = hex_digit(v.at[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}
