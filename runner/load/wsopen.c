/* SPDX-License-Identifier: MIT */
/* wsopen: see wsopen.h. */
#include "wsopen.h"

#include <strings.h>

#include "digest.h"

#define WSOPEN_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455, section 1.3 */

struct agreed {
    bool upgrade, connection, accept;
    bool unasked; /* an extension or a subprotocol */
};

void wsopen_accept(const char key[WSOPEN_KEY_LEN], char out[WSOPEN_ACCEPT_LEN + 1])
{
    unsigned char sha1[DIGEST_SHA1_BYTES];
    AUTO(str_done) struct str text = STR_INIT(WSOPEN_KEY_LEN + sizeof WSOPEN_GUID);
    AUTO(str_done) struct str accept = STR_INIT(WSOPEN_ACCEPT_LEN);
    str_add(&text, (struct view){key, WSOPEN_KEY_LEN});
    str_addz(&text, WSOPEN_GUID);
    digest_sha1(str_view(&text), sha1);
    digest_base64((struct view){(const char *)sha1, sizeof sha1}, &accept);
    memcpy(out, str_text(&accept), WSOPEN_ACCEPT_LEN + 1);
}

static bool same(struct view a, const char *b)
{
    return a.len == strlen(b) && strncasecmp(a.at, b, a.len) == 0;
}

/* "keep-alive, Upgrade" */
static bool has_word(struct view list, const char *word)
{
    while (list.len) {
        struct view item;
        (void)view_cut(list, ',', &item, &list);
        if (same(view_trim(item), word))
            return true;
    }
    return false;
}

static void read_field(struct view name, struct view value, const char *accept,
                       struct agreed *a)
{
    if (same(name, "upgrade"))
        a->upgrade = same(value, "websocket");
    else if (same(name, "connection"))
        a->connection |= has_word(value, "upgrade");
    else if (same(name, "sec-websocket-accept"))
        a->accept = view_eqz(value, accept);
    else if (same(name, "sec-websocket-extensions") || same(name, "sec-websocket-protocol"))
        a->unasked |= value.len > 0;
}

/* "HTTP/1.1 101 Switching Protocols" */
static enum fail_cause read_status(struct view line)
{
    if (!view_starts(line, "HTTP/1.") || line.len < 12 || line.at[8] != ' ')
        return FAIL_MALFORMED;
    for (int i = 9; i < 12; i++)
        if (line.at[i] < '0' || line.at[i] > '9')
            return FAIL_MALFORMED;
    return view_starts(view_skip(line, 9), "101") ? FAIL_CAUSES : FAIL_STATUS;
}

static enum fail_cause read_head(struct view head, const char *accept)
{
    struct agreed a = {0};
    struct view line;
    (void)view_line(&head, &line);
    enum fail_cause status = read_status(line);
    if (status != FAIL_CAUSES)
        return status;
    while (view_line(&head, &line) && line.len) {
        struct view name, value;
        if (!view_cut(line, ':', &name, &value) || !name.len)
            return FAIL_MALFORMED;
        read_field(name, view_trim(value), accept, &a);
    }
    return a.upgrade && a.connection && a.accept && !a.unasked ? FAIL_CAUSES : FAIL_HANDSHAKE;
}

long wsopen_read(struct view in, const char key[WSOPEN_KEY_LEN], enum fail_cause *why)
{
    char accept[WSOPEN_ACCEPT_LEN + 1];
    const char *end = memmem(in.at, in.len, "\r\n\r\n", 4);
    size_t len = end ? (size_t)(end - in.at) + 4 : in.len;
    *why = FAIL_TOO_LARGE;
    if (len > WSOPEN_HEAD_MAX)
        return -1;
    /* Garbage need not be waited for until it ends. */
    *why = FAIL_MALFORMED;
    if (memcmp(in.at, "HTTP/1.", in.len < 7 ? in.len : 7) != 0)
        return -1;
    if (!end)
        return 0;
    wsopen_accept(key, accept);
    *why = read_head((struct view){in.at, len}, accept);
    return *why == FAIL_CAUSES ? (long)len : -1;
}
