/* SPDX-License-Identifier: MIT */
/*
 * http1: see http1.h.
 *
 *     HEAD -> LENGTH ----------------------------------------------> done
 *       |---> UNTIL_CLOSE ------------------------- end of stream -> done
 *       |---> CHUNK_SIZE -> CHUNK_EXT -> CHUNK_DATA -> CHUNK_END --.
 *       |         ^------------------------------------------------'
 *       |     CHUNK_EXT after size 0 -> TRAILER -------------------> done
 *       '---> done (no body)
 */
#include "http1.h"

#include <string.h>
#include <strings.h>

enum http1_state {
    STATE_HEAD,
    STATE_LENGTH,
    STATE_UNTIL_CLOSE,
    STATE_CHUNK_SIZE,
    STATE_CHUNK_EXT,
    STATE_CHUNK_DATA,
    STATE_CHUNK_END,
    STATE_TRAILER,
    STATE_DONE,
};

enum { CHUNK_DIGITS_SHIFT = 60, STATUS_LINE_MIN = 12 };

/* What the fields of one header say about framing. */
struct fields {
    uint64_t length;
    bool has_length;
    bool has_coding, chunked;
    bool close, keep_alive;
    bool http10;
};

void http1_begin(struct http1 *p, bool head_request)
{
    *p = (struct http1){.state = STATE_HEAD, .head_request = head_request};
}

bool http1_in_head(const struct http1 *p)
{
    return p->state == STATE_HEAD;
}

/* --- header fields ------------------------------------------------------------------------ */

static bool is_token(unsigned char c)
{
    static const bool other[256] = {
        ['!'] = 1, ['#'] = 1, ['$'] = 1, ['%'] = 1, ['&'] = 1, ['\''] = 1, ['*'] = 1, ['+'] = 1,
        ['-'] = 1, ['.'] = 1, ['^'] = 1, ['_'] = 1, ['`'] = 1, ['|'] = 1,  ['~'] = 1,
    };
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           other[c];
}

static bool same(struct view v, const char *lower)
{
    return v.len == strlen(lower) && strncasecmp(v.at, lower, v.len) == 0;
}

static bool read_length(struct view v, struct fields *f)
{
    uint64_t n = 0;
    if (v.len == 0 || v.len > 18) /* 18 digits cannot overflow and are enough */
        return false;
    for (size_t i = 0; i < v.len; i++) {
        if (v.at[i] < '0' || v.at[i] > '9')
            return false;
        n = n * 10 + (uint64_t)(v.at[i] - '0');
    }
    if (f->has_length && f->length != n)
        return false;
    f->has_length = true;
    f->length = n;
    return true;
}

/* The codings of all Transfer-Encoding fields form one list; the message is chunked when its
 * last member is. Chunked applied twice or followed by something is an error. */
static bool read_coding(struct view v, struct fields *f)
{
    struct view item;
    do {
        (void)view_cut(v, ',', &item, &v);
        item = view_trim(item);
        if (!item.len)
            continue;
        if (f->chunked)
            return false;
        f->chunked = same(item, "chunked");
        f->has_coding = true;
    } while (v.len);
    return true;
}

static void read_connection(struct view v, struct fields *f)
{
    struct view item;
    do {
        (void)view_cut(v, ',', &item, &v);
        item = view_trim(item);
        f->close |= same(item, "close");
        f->keep_alive |= same(item, "keep-alive");
    } while (v.len);
}

static bool clean_value(struct view v)
{
    bool bad = false;
    for (size_t i = 0; i < v.len; i++) {
        unsigned char c = (unsigned char)v.at[i];
        bad |= (c < 0x20 && c != '\t') | (c == 0x7f);
    }
    return !bad;
}

static bool read_field(struct view line, struct fields *f)
{
    size_t colon = 0;
    while (colon < line.len && is_token((unsigned char)line.at[colon]))
        colon++;
    if (colon == 0 || colon == line.len || line.at[colon] != ':')
        return false;
    struct view name = {line.at, colon};
    struct view value = view_skip(line, colon + 1);
    if (!clean_value(value))
        return false;
    switch (name.len) {
    case sizeof "content-length" - 1:
        return !same(name, "content-length") || read_length(view_trim(value), f);
    case sizeof "transfer-encoding" - 1:
        return !same(name, "transfer-encoding") || read_coding(value, f);
    case sizeof "connection" - 1:
        if (same(name, "connection"))
            read_connection(value, f);
        return true;
    default:
        return true;
    }
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool read_status_line(struct view line, struct http1 *p, struct fields *f)
{
    const char *s = line.at;
    if (line.len < STATUS_LINE_MIN || memcmp(s, "HTTP/1.", 7) != 0 || !digit(s[7]) ||
        s[8] != ' ' || s[9] < '1' || s[9] > '9' || !digit(s[10]) || !digit(s[11]))
        return false;
    if (line.len > STATUS_LINE_MIN && s[12] != ' ')
        return false;
    p->status = (uint16_t)((s[9] - '0') * 100 + (s[10] - '0') * 10 + (s[11] - '0'));
    f->http10 = s[7] == '0';
    return clean_value(view_skip(line, STATUS_LINE_MIN));
}

/* Takes one line without its end; false when the line is not complete. */
static bool next_line(struct view *in, struct view *line)
{
    const char *end = memchr(in->at, '\n', in->len);
    if (!end)
        return false;
    size_t n = (size_t)(end - in->at);
    *line = (struct view){in->at, n > 0 && end[-1] == '\r' ? n - 1 : n};
    *in = view_skip(*in, n + 1);
    return true;
}

/* Decides how the body ends (RFC 9112, section 6.3). */
static enum http1_step begin_body(struct http1 *p, const struct fields *f)
{
    if (f->has_coding && (f->has_length || f->http10))
        return HTTP1_BAD;
    p->keep = f->http10 ? f->keep_alive && !f->close : !f->close;
    p->left = 0;
    p->spent = 0;
    if (p->head_request || p->status == 204 || p->status == 304) {
        p->state = STATE_DONE;
    } else if (f->chunked) {
        p->state = STATE_CHUNK_SIZE;
        p->digits = p->return_seen = false;
    } else if (f->has_length) {
        p->left = f->length;
        p->state = f->length ? STATE_LENGTH : STATE_DONE;
    } else {
        p->keep = false;
        p->state = STATE_UNTIL_CLOSE;
    }
    return HTTP1_BODY;
}

/* HTTP1_BODY: the header is complete and '*used' long. */
static enum http1_step read_head(struct http1 *p, struct view in, size_t *used)
{
    struct fields f = {0};
    struct view rest = in;
    struct view line;

    if (in.len && memcmp(in.at, "HTTP/1.", in.len < 7 ? in.len : 7) != 0)
        return HTTP1_BAD; /* Garbage need not be waited for. */
    if (!next_line(&rest, &line))
        return in.len >= HTTP1_HEAD_MAX ? HTTP1_TOO_LARGE : HTTP1_MORE;
    if (!read_status_line(line, p, &f))
        return HTTP1_BAD;
    for (;;) {
        if (in.len - rest.len > HTTP1_HEAD_MAX)
            return HTTP1_TOO_LARGE;
        if (!next_line(&rest, &line))
            return in.len >= HTTP1_HEAD_MAX ? HTTP1_TOO_LARGE : HTTP1_MORE;
        if (line.len == 0)
            break;
        if (!read_field(line, &f))
            return HTTP1_BAD;
    }
    *used = in.len - rest.len;
    if (p->status >= 200)
        return begin_body(p, &f);
    if (p->status == 101 || ++p->interim > HTTP1_INTERIM_MAX)
        return HTTP1_BAD; /* We never ask to switch protocols. */
    return HTTP1_BODY;    /* Still in the header of the real response. */
}

/* --- chunks ------------------------------------------------------------------------------- */

static int hex_value(char c)
{
    if (digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of a chunk's size line. */
static enum http1_step chunk_line(struct http1 *p, char c)
{
    if (p->state == STATE_CHUNK_SIZE) {
        int value = hex_value(c);
        if (value >= 0) {
            if (p->left >> (CHUNK_DIGITS_SHIFT - 4))
                return HTTP1_BAD;
            p->left = p->left << 4 | (uint64_t)value;
            p->digits = true;
            return HTTP1_MORE;
        }
        if (!p->digits)
            return HTTP1_BAD;
        p->state = STATE_CHUNK_EXT;
        if (c != ';' && c != '\r' && c != '\n' && c != ' ' && c != '\t')
            return HTTP1_BAD;
    }
    if (++p->spent > HTTP1_TRAILER_MAX)
        return HTTP1_TOO_LARGE;
    if (c == '\n') {
        p->state = p->left ? STATE_CHUNK_DATA : STATE_TRAILER;
        p->digits = false;
    } else if (p->return_seen) {
        return HTTP1_BAD;
    }
    p->return_seen = c == '\r';
    return HTTP1_MORE;
}

/* One byte of the line end behind a chunk. */
static enum http1_step chunk_end(struct http1 *p, char c)
{
    if (c == '\r' && !p->return_seen) {
        p->return_seen = true;
        return HTTP1_MORE;
    }
    if (c != '\n')
        return HTTP1_BAD;
    p->state = STATE_CHUNK_SIZE;
    p->digits = p->return_seen = false;
    return HTTP1_MORE;
}

/* One byte of the trailers; the empty line ends them. */
static enum http1_step trailer(struct http1 *p, char c)
{
    if (++p->spent > HTTP1_TRAILER_MAX)
        return HTTP1_TOO_LARGE;
    if (c == '\n') {
        if (!p->digits)
            p->state = STATE_DONE;
        p->digits = p->return_seen = false;
        return HTTP1_MORE;
    }
    if (p->return_seen || (c < 0x20 && c >= 0 && c != '\r' && c != '\t') || c == 0x7f)
        return HTTP1_BAD;
    p->return_seen = c == '\r';
    p->digits |= c != '\r';
    return HTTP1_MORE;
}

/* --- steps -------------------------------------------------------------------------------- */

static enum http1_step framing(struct http1 *p, struct view in, size_t *used)
{
    while (*used < in.len && p->state != STATE_CHUNK_DATA && p->state != STATE_DONE) {
        char c = in.at[(*used)++];
        enum http1_step step = p->state == STATE_CHUNK_END ? chunk_end(p, c)
                               : p->state == STATE_TRAILER ? trailer(p, c)
                                                           : chunk_line(p, c);
        if (step != HTTP1_MORE)
            return step;
    }
    return HTTP1_MORE;
}

static enum http1_step take_body(struct http1 *p, struct view in, size_t *used,
                                 struct view *body)
{
    size_t n = in.len - *used;
    if (p->state != STATE_UNTIL_CLOSE) {
        if (n > p->left)
            n = (size_t)p->left;
        p->left -= n;
        if (p->left == 0)
            p->state = p->state == STATE_LENGTH ? STATE_DONE : STATE_CHUNK_END;
    }
    *body = (struct view){in.at + *used, n};
    *used += n;
    return p->state == STATE_DONE ? HTTP1_DONE : HTTP1_BODY;
}

static bool is_remembered(const struct http1 *p, const struct http1_memo *memo, struct view in)
{
    return memo->len && in.len >= memo->len && memo->after.head_request == p->head_request &&
           p->interim == 0 && memcmp(in.at, memo->bytes, memo->len) == 0;
}

size_t http1_known(const struct http1 *p, const struct http1_memo *memo, struct view in)
{
    const struct http1 *after = &memo->after;
    bool framed = after->state == STATE_LENGTH || after->state == STATE_DONE;
    /* First what is cheap to see; 'left' is 0 without a body. */
    if (p->state != STATE_HEAD || !framed || !after->keep || in.len < memo->len ||
        in.len - memo->len < after->left || !is_remembered(p, memo, in))
        return 0;
    return memo->len + (size_t)after->left;
}

static enum http1_step head_step(struct http1 *p, struct http1_memo *memo, struct view in,
                                 size_t *used)
{
    if (memo && is_remembered(p, memo, in)) {
        *p = memo->after;
        *used = memo->len;
        return HTTP1_BODY;
    }
    enum http1_step step = read_head(p, in, used);
    if (step == HTTP1_BODY && memo && p->state != STATE_HEAD && p->interim == 0 &&
        *used <= HTTP1_MEMO_MAX) {
        memcpy(memo->bytes, in.at, *used);
        memo->len = *used;
        memo->after = *p;
    }
    return step;
}

enum http1_step http1_step(struct http1 *p, struct http1_memo *memo, struct view in,
                           size_t *used, struct view *body)
{
    *used = 0;
    *body = (struct view){in.at, 0};
    while (p->state == STATE_HEAD) {
        size_t n = 0;
        enum http1_step step = head_step(p, memo, view_skip(in, *used), &n);
        *used += n;
        if (step != HTTP1_BODY)
            return step;
    }
    if (p->state >= STATE_CHUNK_SIZE && p->state != STATE_CHUNK_DATA) {
        enum http1_step step = framing(p, in, used);
        if (step != HTTP1_MORE)
            return step;
    }
    if (p->state == STATE_DONE)
        return HTTP1_DONE;
    return *used < in.len ? take_body(p, in, used, body) : HTTP1_MORE;
}

enum http1_step http1_end(const struct http1 *p)
{
    return p->state == STATE_UNTIL_CLOSE ? HTTP1_DONE : HTTP1_BAD;
}
