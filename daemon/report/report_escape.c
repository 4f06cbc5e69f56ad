/* SPDX-License-Identifier: MIT */
/*
 * Names of scenarios, branches and commits are written by whoever wrote the commit. In a
 * comment they must stay text: no mention, no link to an issue, no image, no quick action, no
 * hidden marker and no end of a table cell. Inside code nothing of that works, so foreign text
 * is always code: between backticks while it holds nothing that could end the code or the cell,
 * else as an HTML element with every risky character as a numeric reference. Forges look for
 * mentions in the rendered text, where an escaped '@' is an '@' again; so in sentences a
 * zero-width space follows.
 */
#include <stdint.h>

#include "report_parts.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static uint32_t code_point(struct view c)
{
    const unsigned char *at = (const unsigned char *)c.at;
    switch (c.len) {
    case 1:
        return at[0];
    case 2:
        return (uint32_t)(at[0] & 31) << 6 | (at[1] & 63);
    case 3:
        return (uint32_t)(at[0] & 15) << 12 | (uint32_t)(at[1] & 63) << 6 | (at[2] & 63);
    default:
        return (uint32_t)(at[0] & 7) << 18 | (uint32_t)(at[1] & 63) << 12 |
               (uint32_t)(at[2] & 63) << 6 | (at[3] & 63);
    }
}

/* Controls, and characters that are not seen but change how others are read. */
static bool unwanted(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

bool escape_next(struct view *rest, struct view *out)
{
    if (!rest->len)
        return false;
    size_t n = 1;
    unsigned char first = (unsigned char)rest->at[0];
    if (first >= 0xc0)
        n = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (n > rest->len || !view_is_utf8((struct view){rest->at, n})) {
        *rest = view_skip(*rest, 1);
        *out = VIEW(REPLACEMENT);
        return true;
    }
    struct view c = {rest->at, n};
    *rest = view_skip(*rest, n);
    *out = unwanted(code_point(c)) ? VIEW(REPLACEMENT) : c;
    return true;
}

size_t escape_columns(struct view text)
{
    size_t n = 0;
    struct view c;
    while (escape_next(&text, &c))
        n++;
    return n;
}

static bool among(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* May it stand between single backticks in a table cell? */
static bool plain_code(struct view text)
{
    if (text.at[0] == ' ' || text.at[text.len - 1] == ' ')
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (among(text.at[i], "`|<\\"))
            return false;
    return true;
}

void escape_md_code(struct str *out, struct view text)
{
    if (!text.len)
        return;
    bool plain = plain_code(text);
    struct view c;
    str_addz(out, plain ? "`" : "<code>");
    while (escape_next(&text, &c))
        if (!plain && c.len == 1 && among(c.at[0], "`|<>\\@#![]*_~&$:/ "))
            str_addf(out, "&#%d;", c.at[0]);
        else
            str_add(out, c);
    str_addz(out, plain ? "`" : "</code>");
}

void escape_md_text(struct str *out, struct view text)
{
    struct view c;
    while (escape_next(&text, &c)) {
        if (c.len > 1)
            str_add(out, c);
        else if (among(c.at[0], "@#!"))
            str_addf(out, "&#%d;&#8203;", c.at[0]);
        else if (among(c.at[0], "<>&|`"))
            str_addf(out, "&#%d;", c.at[0]);
        else if (among(c.at[0], "\\[]*_~"))
            str_addf(out, "\\%c", c.at[0]);
        else
            str_add(out, c);
    }
}

void escape_plain(struct str *out, struct view text)
{
    struct view c;
    while (escape_next(&text, &c))
        str_add(out, view_eqz(c, REPLACEMENT) ? VIEW("?") : c);
}
