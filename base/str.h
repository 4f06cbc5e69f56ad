/* SPDX-License-Identifier: MIT */
/*
 * str: text that grows up to a ceiling; view: bytes somebody else owns.
 *
 * A str is born with its ceiling. Adding beyond it keeps what fits, sets 'cut' and never fails,
 * so builders need no check per call: look at 'cut' once at the end where it matters. The bytes
 * are always followed by a NUL that 'len' does not count.
 *
 *     AUTO(str_done) struct str url = STR_INIT(URL_BYTES_MAX);
 *     str_addf(&url, "%s/api/v4/projects/%" PRId64, forge->host, project_id);
 *
 * A view is a pointer and a length, may hold any byte, and is never NUL-terminated by promise.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "auto.h"

struct view {
    const char *at;
    size_t len;
};

struct str {
    char *at; /* NULL while empty; use str_text to read it as a C string */
    size_t len;
    size_t room;
    size_t max; /* ceiling of 'len' */
    bool cut;   /* something did not fit */
};

#define STR_INIT(ceiling) \
    {                     \
        .max = (ceiling)  \
    }

void str_done(struct str *s);
void str_clear(struct str *s); /* keeps the memory */

void str_add(struct str *s, struct view v);
void str_addz(struct str *s, const char *text);
void str_addc(struct str *s, char c);
void str_addf(struct str *s, const char *fmt, ...) PRINTF(2, 3);
void str_addv(struct str *s, const char *fmt, va_list args) PRINTF(2, 0);

/* Makes room for 'more' bytes behind 'len' and returns how many there are (less at the
 * ceiling). The caller writes there and raises 'len' itself. */
size_t str_reserve(struct str *s, size_t more);

const char *str_text(const struct str *s); /* "" while empty */
struct view str_view(const struct str *s);
char *str_steal(struct str *s); /* the text as an owned C string; the str is empty then */

/* --- views -----------------------------------------------------------------------------------
 */

#define VIEW(literal) ((struct view){(literal), sizeof(literal) - 1})

static inline struct view view_z(const char *text)
{
    return (struct view){text, text ? strlen(text) : 0};
}

bool view_eq(struct view a, struct view b);
bool view_eqz(struct view a, const char *text);
bool view_starts(struct view v, const char *prefix);
bool view_ends(struct view v, const char *suffix);
struct view view_trim(struct view v); /* blanks, tabs and line ends on both sides */
struct view view_skip(struct view v, size_t n);

/* Splits at the first 'sep': '*head' is what stands before it, '*rest' what follows. Without a
 * separator all is head, rest is empty and the answer is false. */
bool view_cut(struct view v, char sep, struct view *head, struct view *rest);

/* Takes the next line off '*rest' without its end (LF or CRLF); false when nothing is left. */
bool view_line(struct view *rest, struct view *line);

/* Length of the longest start of 'v' that has at most 'max' bytes and ends between UTF-8
 * characters, so that cutting foreign text never makes it invalid. */
size_t view_utf8_prefix(struct view v, size_t max);
bool view_is_utf8(struct view v);

/* How many single-character edits apart two names are, for "did you mean"; capped at 9. */
int view_distance(struct view a, struct view b);

/* --- hexadecimal
 * ------------------------------------------------------------------------------ */

void str_add_hex(struct str *s, const void *bytes, size_t len);
/* Reads exactly 2*len lower or upper case digits; false when they are not. */
bool view_hex(struct view v, void *bytes, size_t len);

#endif
