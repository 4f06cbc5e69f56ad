/* SPDX-License-Identifier: MIT */
/*
 * hist_hdr: a histogram in HdrHistogram's V2 encoding, for its log files.
 *
 * With a lowest value of 1 and 3 significant digits HdrHistogram has 2048 sub-buckets, that is
 * exact values below 2048 and 1024 buckets for each power of two above: the same index for the
 * same value as hist_bucket. Layout: AbstractHistogram.encodeIntoCompressedByteBuffer of
 * HdrHistogram (Java) 2.1: big-endian numbers, counts as ZigZag LEB128 where a negative number
 * is a run of empty buckets, the whole deflated by zlib.
 */
#include <stdlib.h>
#include <zlib.h>

#include "hist.h"
#include "mem.h"

enum {
    COOKIE = 0x1c849303 | 0x10,
    COOKIE_COMPRESSED = 0x1c849304 | 0x10,
    DIGITS = 3,
    LEB128_BYTES_MAX = 9, /* the ninth byte carries eight bits */
};

static void put_be(struct str *s, uint64_t value, int bytes)
{
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        str_addc(s, (char)(value >> shift));
}

static void put_zigzag(struct str *s, int64_t value)
{
    uint64_t v = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    for (int i = 1; i < LEB128_BYTES_MAX && v >= 0x80; i++, v >>= 7)
        str_addc(s, (char)(v | 0x80));
    str_addc(s, (char)v);
}

static void put_counts(struct str *s, const struct hist *h)
{
    int64_t empty = 0;
    if (!h->count)
        return;
    for (unsigned i = 0, last = hist_bucket(h->max); i <= last; i++) {
        if (!h->counts[i]) {
            empty++;
            continue;
        }
        if (empty)
            put_zigzag(s, -empty);
        empty = 0;
        put_zigzag(s, h->counts[i]);
    }
}

void hist_pack_hdr(const struct hist *h, struct str *out)
{
    AUTO(str_done) struct str counts = STR_INIT(HIST_ENCODED_MAX);
    AUTO(str_done) struct str plain = STR_INIT(HIST_ENCODED_MAX);
    const double ratio = 1;
    uint64_t ratio_bits;
    memcpy(&ratio_bits, &ratio, sizeof ratio_bits);
    put_counts(&counts, h);
    put_be(&plain, COOKIE, 4);
    put_be(&plain, counts.len, 4);
    put_be(&plain, 0, 4); /* normalising offset */
    put_be(&plain, DIGITS, 4);
    put_be(&plain, 1, 8); /* lowest and highest value */
    put_be(&plain, (uint64_t)HIST_VALUE_MAX, 8);
    put_be(&plain, ratio_bits, 8);
    str_add(&plain, str_view(&counts));

    uLongf len = compressBound(plain.len);
    AUTO(mem_freep) char *z = mem_alloc(len);
    if (compress2((Bytef *)z, &len, (const Bytef *)plain.at, plain.len, 6) != Z_OK)
        abort(); /* The output has room by compressBound and memory does not run out. */
    put_be(out, COOKIE_COMPRESSED, 4);
    put_be(out, len, 4);
    str_add(out, (struct view){z, len});
}
