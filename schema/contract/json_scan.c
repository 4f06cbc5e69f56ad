/* SPDX-License-Identifier: MIT */
/*
 * json_scan: the strict pre-pass of json.h. It knows positions, blanks out what a configuration
 * file may have beyond JSON, and notes where each value stands, so that cJSON behind it cannot
 * fail any more.
 */
#include "json_parts.h"

#include "mem.h"

enum { NUMBER_LEN_MAX = 60 }; /* cJSON reads numbers through a buffer of 64 */

struct scan {
    struct json_doc *doc;
    const struct json_rules *rules;
    size_t at;
    int depth;
    struct err *err;
};

/* --- positions -------------------------------------------------------------------------------
 */

static void line_and_column(const struct json_doc *doc, size_t offset, int *line, int *column)
{
    *line = *column = 1;
    for (size_t i = 0; i < offset && i < doc->len; i++) {
        if (doc->given[i] == '\n') {
            ++*line;
            *column = 1;
        } else if (((unsigned char)doc->given[i] & 0xc0) != 0x80) {
            ++*column;
        }
    }
}

int json_fail_at(const struct json_doc *doc, size_t offset, struct err *e, const char *fmt,
                 va_list args)
{
    AUTO(str_done) struct str text = STR_INIT(ERR_TEXT_MAX);
    int line, column;
    line_and_column(doc, offset, &line, &column);
    str_addv(&text, fmt, args);
    return err_set(e, ERR_INPUT, "%d:%d: %s", line, column, str_text(&text));
}

PRINTF(2, 3) static int scan_fail(struct scan *s, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int rc = json_fail_at(s->doc, s->at, s->err, fmt, args);
    va_end(args);
    return rc;
}

/* --- the scanner -----------------------------------------------------------------------------
 */

static char peek(const struct scan *s)
{
    return s->at < s->doc->len ? s->doc->text[s->at] : '\0';
}

static struct view rest_of(const struct scan *s)
{
    return (struct view){s->doc->text + s->at, s->doc->len - s->at};
}

static void blank_out(struct scan *s, size_t len)
{
    for (size_t i = 0; i < len; i++, s->at++)
        if (s->doc->text[s->at] != '\n' && s->doc->text[s->at] != '\r')
            s->doc->text[s->at] = ' ';
}

static int skip_comment(struct scan *s)
{
    struct view rest = rest_of(s);
    const char *end = NULL;
    if (view_starts(rest, "//")) {
        end = memchr(rest.at, '\n', rest.len);
        blank_out(s, end ? (size_t)(end - rest.at) : rest.len);
        return 0;
    }
    if (!view_starts(rest, "/*"))
        return scan_fail(s, "unexpected '/'");
    end = memmem(rest.at + 2, rest.len - 2, "*/", 2);
    if (!end)
        return scan_fail(s, "comment is not closed");
    blank_out(s, (size_t)(end - rest.at) + 2);
    return 0;
}

static int skip_blanks(struct scan *s)
{
    for (;;) {
        char c = peek(s);
        if (s->at < s->doc->len && (c == ' ' || c == '\t' || c == '\n' || c == '\r'))
            s->at++;
        else if (c == '/' && s->rules->comments) {
            if (skip_comment(s) < 0)
                return -1;
        } else {
            return 0;
        }
    }
}

/* Reads the four digits after "\u". */
static int scan_unit(struct scan *s, unsigned *out)
{
    unsigned char bytes[2];
    struct view rest = rest_of(s);
    if (rest.len < 4 || !view_hex((struct view){rest.at, 4}, bytes, 2))
        return scan_fail(s, "'\\u' needs four hexadecimal digits");
    *out = (unsigned)bytes[0] << 8 | bytes[1];
    s->at += 4;
    return 0;
}

/* The four digits before us stand for no character that a string can hold. */
static int mend(struct scan *s, const char *complaint)
{
    if (!s->rules->mends)
        return scan_fail(s, "%s", complaint);
    memcpy(s->doc->text + s->at - 4, "fffd", 4);
    return 0;
}

/* Behind "\u". A high half whose other half does not follow is mended alone. */
static int scan_unicode(struct scan *s)
{
    unsigned unit = 0;
    if (scan_unit(s, &unit) < 0)
        return -1;
    if (unit == 0)
        return mend(s, "'\\u0000' is not allowed in a string");
    if (unit < 0xd800 || unit > 0xdfff)
        return 0;
    size_t after = s->at;
    if (unit < 0xdc00 && view_starts(rest_of(s), "\\u")) {
        s->at += 2;
        if (scan_unit(s, &unit) < 0)
            return -1;
        if (unit >= 0xdc00 && unit <= 0xdfff)
            return 0;
        s->at = s->rules->mends ? after : s->at;
    }
    return mend(s, "half of a surrogate pair in a string");
}

static int scan_escape(struct scan *s)
{
    s->at++;
    char c = peek(s);
    if (c != 'u') {
        if (!c || !strchr("\"\\/bfnrt", c))
            return scan_fail(s, "unknown escape in a string");
        s->at++;
        return 0;
    }

    s->at++;
    return scan_unicode(s);
}

static int scan_string(struct scan *s)
{
    size_t start = s->at++;
    for (;;) {
        if (s->at >= s->doc->len) {
            s->at = start;
            return scan_fail(s, "string is not closed");
        }
        unsigned char c = (unsigned char)peek(s);
        if (c == '"') {
            s->at++;
            return 0;
        }
        if (c < 0x20)
            return scan_fail(s, "control character in a string; write it as an escape");
        if (c == '\\') {
            if (scan_escape(s) < 0)
                return -1;
        } else {
            s->at++;
        }
    }
}

static size_t skip_digits(struct scan *s)
{
    size_t n = 0;
    for (; peek(s) >= '0' && peek(s) <= '9'; n++)
        s->at++;
    return n;
}

static int scan_number(struct scan *s)
{
    size_t start = s->at;
    bool good = true;
    if (peek(s) == '-')
        s->at++;
    if (peek(s) == '0')
        s->at++;
    else
        good = skip_digits(s) > 0;
    if (good && peek(s) == '.') {
        s->at++;
        good = skip_digits(s) > 0;
    }
    if (good && (peek(s) == 'e' || peek(s) == 'E')) {
        s->at++;
        if (peek(s) == '+' || peek(s) == '-')
            s->at++;
        good = skip_digits(s) > 0;
    }
    char c = peek(s);
    bool ends = s->at >= s->doc->len || strchr(",]} \t\r\n/", c) != NULL;
    if (good && c && ends && s->at - start <= NUMBER_LEN_MAX)
        return 0;
    if (good && s->at >= s->doc->len && s->at - start <= NUMBER_LEN_MAX)
        return 0;
    s->at = start;
    return scan_fail(s, "this is not a number that JSON knows");
}

static int scan_word(struct scan *s)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (view_starts(rest_of(s), words[i])) {
            s->at += strlen(words[i]);
            return 0;
        }
    return s->at >= s->doc->len ? scan_fail(s, "the text ends where a value is expected")
                                : scan_fail(s, "expected a value");
}

static int scan_value(struct scan *s, size_t key);

/* Members or elements up to 'close'; at the opening bracket on entry. */
static int scan_inside(struct scan *s, bool object)
{
    char close = object ? '}' : ']';
    size_t comma = 0;
    if (++s->depth > s->rules->depth_max)
        return scan_fail(s, "nested deeper than %d", s->rules->depth_max);
    s->at++;
    for (;;) {
        if (skip_blanks(s) < 0)
            return -1;
        if (peek(s) == close && (!comma || s->rules->comments)) {
            if (comma)
                s->doc->text[comma] = ' ';
            s->at++;
            s->depth--;
            return 0;
        }
        size_t key = s->at;
        if (object) {
            if (peek(s) != '"')
                return scan_fail(s, comma ? "expected a key in double quotes"
                                          : "expected a key in double quotes or '}'");
            if (scan_string(s) < 0 || skip_blanks(s) < 0)
                return -1;
            if (peek(s) != ':')
                return scan_fail(s, "expected ':' after a key");
            s->at++;
            if (skip_blanks(s) < 0)
                return -1;
        }
        if (scan_value(s, object ? key : s->at) < 0 || skip_blanks(s) < 0)
            return -1;
        comma = 0;
        if (peek(s) == ',')
            comma = s->at++;
        else if (peek(s) != close)
            return scan_fail(s, "expected ',' or '%c'", close);
    }
}

static int scan_value(struct scan *s, size_t key)
{
    if (s->doc->places.len == JSON_VALUES_MAX) {
        scan_fail(s, "the document has more than %d values", JSON_VALUES_MAX);
        if (s->err)
            s->err->kind = ERR_LIMIT;
        return -1;
    }
    *vec_push(&s->doc->places) = (struct json_place){(uint32_t)key, (uint32_t)s->at};
    char c = peek(s);
    if (c == '{' || c == '[')
        return scan_inside(s, c == '{');
    if (c == '"')
        return scan_string(s);
    if (c == '-' || (c >= '0' && c <= '9'))
        return scan_number(s);
    return scan_word(s);
}

/* Moves to the first byte that is not UTF-8; false when there is none. */
static bool find_bad_byte(struct scan *s)
{
    struct view rest = rest_of(s);
    if (view_is_utf8(rest))
        return false;
    struct view line = {0};
    while (view_cut(rest, '\n', &line, &rest) && view_is_utf8(line))
        continue;
    for (size_t n = 1; line.len && n <= 4;) {
        if (n > line.len || !view_is_utf8((struct view){line.at, n})) {
            n++;
            continue;
        }
        line = view_skip(line, n);
        n = 1;
    }
    s->at = (size_t)(line.at - s->doc->text);
    return true;
}

int json_scan(struct json_doc *doc, const struct json_rules *rules, struct err *e)
{
    struct scan s = {.doc = doc, .rules = rules, .err = e};
    if (find_bad_byte(&s))
        return scan_fail(&s, "the text is not UTF-8");
    if (skip_blanks(&s) < 0 || scan_value(&s, s.at) < 0 || skip_blanks(&s) < 0)
        return -1;
    if (s.at < doc->len)
        return scan_fail(&s, "text after the end of the document");
    return 0;
}
