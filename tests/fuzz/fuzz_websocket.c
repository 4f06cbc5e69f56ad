/* SPDX-License-Identifier: MIT */
/*
 * fuzz_websocket: handshake and frames of a server under hostile bytes.
 *
 * The first byte chooses handshake or frames and in what pieces the rest arrives. Whatever the
 * bytes are: nothing outside them is read, every step makes progress, and frames mean the same
 * in pieces as at once.
 */
#include <stdlib.h>

#include "wsframe.h"
#include "wsopen.h"

struct outcome {
    size_t payload, messages, controls;
    bool bad, too_large;
};

static struct outcome read_pieces(struct view all, size_t piece_len)
{
    struct wsframe p;
    struct outcome o = {0};
    wsframe_begin(&p);
    while (all.len && !o.bad && !o.too_large) {
        struct view in = {all.at, all.len < piece_len ? all.len : piece_len};
        all = view_skip(all, in.len);
        while (in.len && !o.bad && !o.too_large) {
            size_t used;
            struct view piece;
            enum wsframe_step step = wsframe_step(&p, in, &used, &piece);
            if (used == 0 || used > in.len || p.message > WSFRAME_MESSAGE_MAX)
                abort();
            in = view_skip(in, used);
            o.bad = step == WSFRAME_BAD;
            o.too_large = step == WSFRAME_TOO_LARGE;
            if (step == WSFRAME_PIECE || step == WSFRAME_DONE)
                o.payload += piece.len;
            o.messages += step == WSFRAME_DONE;
            o.controls += step == WSFRAME_PING || step == WSFRAME_PONG || step == WSFRAME_CLOSE;
        }
    }
    return o;
}

static void handshake(struct view in)
{
    static const char key[] = "dGhlIHNhbXBsZSBub25jZQ==";
    enum fail_cause why;
    long len = wsopen_read(in, key, &why);
    if (len > (long)in.len)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct view all = {(const char *)data + 1, size - 1};
    if (data[0] & 1) {
        handshake(all);
        return 0;
    }
    struct outcome whole = read_pieces(all, SIZE_MAX);
    struct outcome parts = read_pieces(all, (size_t)(data[0] >> 1) + 1);
    if (whole.payload != parts.payload || whole.messages != parts.messages ||
        whole.controls != parts.controls || whole.bad != parts.bad ||
        whole.too_large != parts.too_large)
        abort();
    return 0;
}
