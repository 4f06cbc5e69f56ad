/* SPDX-License-Identifier: MIT */
/* wsframe: see wsframe.h. */
#include "wsframe.h"

#include <string.h>

enum {
    BIT_LAST = 0x80,
    BITS_RESERVED = 0x70,
    BITS_OPCODE = 0x0f,
    BIT_CONTROL = 0x08,
    BIT_MASK = 0x80,
    LENGTH_16 = 126, /* two more bytes hold the length */
    LENGTH_64 = 127, /* eight more do */
};

void wsframe_begin(struct wsframe *p)
{
    memset(p, 0, offsetof(struct wsframe, control));
}

static unsigned head_length(const struct wsframe *p)
{
    unsigned length = p->head_len > 1 ? p->head[1] & 0x7f : 0;
    return length == LENGTH_64 ? 10 : length == LENGTH_16 ? 4 : 2;
}

/* False when the number could have been written with fewer bytes, or has its highest bit set.
 */
static bool read_length(const struct wsframe *p, uint64_t *out)
{
    uint64_t length = p->head[1] & 0x7f;
    unsigned bytes = head_length(p) - 2;
    if (bytes == 0) {
        *out = length;
        return true;
    }
    length = 0;
    for (unsigned i = 0; i < bytes; i++)
        length = length << 8 | p->head[2 + i];
    *out = length;
    return bytes == 2 ? length >= LENGTH_16 : length > UINT16_MAX && length <= INT64_MAX;
}

static bool is_control(const struct wsframe *p)
{
    return p->opcode & BIT_CONTROL;
}

/* What the frame's head means; WSFRAME_MORE when all is well. */
static enum wsframe_step read_head(struct wsframe *p)
{
    p->opcode = p->head[0] & BITS_OPCODE;
    p->last = p->head[0] & BIT_LAST;
    if (p->head[0] & BITS_RESERVED || p->head[1] & BIT_MASK || !read_length(p, &p->left))
        return WSFRAME_BAD;
    p->in_payload = true;
    if (is_control(p)) {
        bool known = p->opcode <= WSFRAME_OPCODE_PONG;
        p->control_len = 0;
        return known && p->last && p->left <= WSFRAME_CONTROL_MAX ? WSFRAME_MORE : WSFRAME_BAD;
    }
    bool first = p->opcode != WSFRAME_CONTINUATION;
    if (p->opcode > WSFRAME_BINARY || first == p->in_message)
        return WSFRAME_BAD;
    if (first) {
        p->kind = p->opcode;
        p->message = 0;
    }
    p->in_message = true;
    if (p->left > WSFRAME_MESSAGE_MAX - p->message)
        return WSFRAME_TOO_LARGE;
    p->message += p->left;
    return WSFRAME_MORE;
}

/* A code of two bytes and a reason, or nothing at all (section 5.5.1). */
static enum wsframe_step control_step(const struct wsframe *p)
{
    if (p->opcode == WSFRAME_OPCODE_PING)
        return WSFRAME_PING;
    if (p->opcode == WSFRAME_OPCODE_PONG)
        return WSFRAME_PONG;
    struct view reason = {(const char *)p->control + 2, (size_t)(p->control_len - 2)};
    bool good = p->control_len == 0 || (p->control_len > 1 && view_is_utf8(reason));
    return good ? WSFRAME_CLOSE : WSFRAME_BAD;
}

static enum wsframe_step payload(struct wsframe *p, struct view in, size_t *used,
                                 struct view *piece)
{
    size_t n = in.len < p->left ? in.len : (size_t)p->left;
    *piece = (struct view){in.at, n};
    *used += n;
    p->left -= n;
    if (is_control(p)) {
        memcpy(p->control + p->control_len, in.at, n);
        p->control_len = (uint8_t)(p->control_len + n);
        *piece = (struct view){(const char *)p->control, p->control_len};
    }
    if (p->left)
        return is_control(p) || n == 0 ? WSFRAME_MORE : WSFRAME_PIECE;
    p->in_payload = false;
    p->head_len = 0;
    if (is_control(p))
        return control_step(p);
    if (!p->last)
        return n ? WSFRAME_PIECE : WSFRAME_MORE;
    p->in_message = false;
    return WSFRAME_DONE;
}

enum wsframe_step wsframe_step(struct wsframe *p, struct view in, size_t *used,
                               struct view *piece)
{
    *used = 0;
    *piece = (struct view){in.at, 0};
    while (!p->in_payload) {
        if (*used == in.len)
            return WSFRAME_MORE;
        p->head[p->head_len++] = (uint8_t)in.at[(*used)++];
        if (p->head_len < head_length(p))
            continue;
        enum wsframe_step step = read_head(p);
        if (step != WSFRAME_MORE)
            return step;
    }
    return payload(p, view_skip(in, *used), used, piece);
}

size_t wsframe_write(char *to, enum wsframe_opcode opcode, struct view text, uint32_t mask)
{
    uint8_t *head = (uint8_t *)to;
    uint8_t key[4];
    size_t n = 2;
    head[0] = (uint8_t)(BIT_LAST | opcode);
    if (text.len < LENGTH_16) {
        head[1] = (uint8_t)(BIT_MASK | text.len);
    } else {
        unsigned bytes = text.len <= UINT16_MAX ? 2 : 8;
        head[1] = (uint8_t)(BIT_MASK | (bytes == 2 ? LENGTH_16 : LENGTH_64));
        for (unsigned i = 0; i < bytes; i++)
            head[n++] = (uint8_t)((uint64_t)text.len >> 8 * (bytes - 1 - i));
    }
    memcpy(key, &mask, sizeof key);
    memcpy(to + n, key, sizeof key);
    n += sizeof key;
    /* Eight bytes at a time; the compiler makes vectors of it. */
    uint64_t wide = (uint64_t)mask << 32 | mask;
    size_t i = 0;
    for (; i + sizeof wide <= text.len; i += sizeof wide) {
        uint64_t part;
        memcpy(&part, text.at + i, sizeof part);
        part ^= wide;
        memcpy(to + n + i, &part, sizeof part);
    }
    for (; i < text.len; i++)
        to[n + i] = (char)(text.at[i] ^ key[i % sizeof key]);
    return n + text.len;
}
