/* SPDX-License-Identifier: MIT */
/*
 * fuzz_http1: the response parser under hostile bytes.
 *
 * The first byte chooses HEAD or not and in what pieces the rest arrives. Whatever the bytes
 * are: no read outside them, progress in every step, and the same result in pieces as at once,
 * with and without the memo, and on the short way for what is known.
 */
#include <stdlib.h>

#include "http1.h"

struct outcome {
    enum http1_step step;
    size_t body;
    unsigned status;
    size_t used; /* of the input, when the response was complete */
};

static struct outcome read_pieces(struct view all, bool head, size_t piece,
                                  struct http1_memo *memo)
{
    struct http1 p;
    struct outcome o = {.step = HTTP1_MORE};
    size_t from = 0, shown = 0;
    http1_begin(&p, head);
    while (shown < all.len && o.step == HTTP1_MORE) {
        shown = all.len - shown > piece ? shown + piece : all.len;
        do {
            size_t used;
            struct view body;
            struct view in = {all.at + from, shown - from};
            o.step = http1_step(&p, memo, in, &used, &body);
            if (used > in.len || body.len > in.len || (o.step == HTTP1_BODY && !used))
                abort();
            from += used;
            o.body += body.len;
        } while (o.step == HTTP1_BODY);
    }
    o.status = o.step == HTTP1_DONE ? p.status : 0;
    o.used = o.step == HTTP1_DONE ? from : 0;
    return o;
}

static void same(struct outcome a, struct outcome b)
{
    /* Ceilings count what has been shown, so they may be met a little earlier or later. */
    if (a.step == HTTP1_TOO_LARGE || b.step == HTTP1_TOO_LARGE)
        return;
    if (a.step != b.step || a.body != b.body || a.status != b.status || a.used != b.used)
        abort();
}

static void check_known(struct view all, bool head, const struct http1_memo *memo,
                        struct outcome whole)
{
    struct http1 p;
    http1_begin(&p, head);
    size_t known = http1_known(&p, memo, all);
    if (known && (whole.step != HTTP1_DONE || whole.used != known))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct http1_memo memo = {0};
    struct view all = {(const char *)data + 1, size - 1};
    bool head = data[0] & 1;
    size_t piece = (size_t)(data[0] >> 1) + 1;

    struct outcome whole = read_pieces(all, head, all.len, NULL);
    same(whole, read_pieces(all, head, piece, NULL));
    same(whole, read_pieces(all, head, all.len, &memo));
    same(whole, read_pieces(all, head, all.len, &memo));
    check_known(all, head, &memo, whole);
    check_known(all, !head, &memo, read_pieces(all, !head, all.len, NULL));
    return 0;
}
