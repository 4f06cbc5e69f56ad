/* SPDX-License-Identifier: MIT */
/* hist: see hist.h. */
#include "hist.h"

#include <math.h>
#include <stdlib.h>
#include <zlib.h>

#include "mem.h"

enum { HIST_VERSION = 1, VARINT_BYTES_MAX = 10 };

void hist_init(struct hist *h)
{
    *h = (struct hist){.counts = mem_zero(HIST_BUCKETS, sizeof *h->counts), .min = INT64_MAX};
}

void hist_done(struct hist *h)
{
    free(h->counts);
    h->counts = NULL;
}

void hist_clear(struct hist *h)
{
    uint32_t *counts = h->counts;
    memset(counts, 0, HIST_BUCKETS * sizeof *counts);
    *h = (struct hist){.counts = counts, .min = INT64_MAX};
}

int64_t hist_bucket_value(unsigned bucket)
{
    unsigned power = bucket >> HIST_BITS;
    int64_t low = bucket & ((1u << HIST_BITS) - 1);
    if (power == 0)
        return low;
    unsigned shift = power - 1;
    return ((((INT64_C(1) << HIST_BITS) + low) << shift)) + ((INT64_C(1) << shift) >> 1);
}

void hist_merge(struct hist *into, const struct hist *from)
{
    if (!from->count)
        return;
    unsigned last = hist_bucket(from->max);
    for (unsigned i = hist_bucket(from->min); i <= last; i++)
        into->counts[i] += from->counts[i];
    into->count += from->count;
    into->beyond += from->beyond;
    into->sum += from->sum;
    if (from->max > into->max)
        into->max = from->max;
    if (from->min < into->min)
        into->min = from->min;
}

int64_t hist_quantile(const struct hist *h, double q)
{
    if (!h->count)
        return 0;
    /* A hair less, so that 0.07 of 100 is the 7th although 0.07 * 100 is above 7 in binary. */
    uint64_t rank = (uint64_t)ceil(q * (double)h->count * (1 - 0x1p-51));
    if (rank <= 1 || rank >= h->count)
        return rank <= 1 ? h->min : h->max;

    uint64_t seen = 0;
    for (unsigned i = hist_bucket(h->min); i < HIST_BUCKETS; i++) {
        seen += h->counts[i];
        if (seen >= rank) {
            int64_t value = hist_bucket_value(i);
            return value < h->min ? h->min : value > h->max ? h->max : value;
        }
    }
    return h->max;
}

double hist_mean(const struct hist *h)
{
    return h->count ? h->sum / (double)h->count : 0;
}

/* --- packing ---------------------------------------------------------------------------------
 */

static void put_varint(struct str *s, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        str_addc(s, (char)(v | 0x80));
    str_addc(s, (char)v);
}

static int take_varint(struct view *v, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < v->len && i < VARINT_BYTES_MAX; i++) {
        uint64_t byte = (unsigned char)v->at[i];
        value |= (byte & 0x7f) << (7 * i);
        if (!(byte & 0x80)) {
            *v = view_skip(*v, i + 1);
            *out = value;
            return 0;
        }
    }
    return -1;
}

void hist_pack(const struct hist *h, struct str *out)
{
    AUTO(str_done) struct str plain = STR_INIT(HIST_ENCODED_MAX);
    uint64_t sum_bits;
    memcpy(&sum_bits, &h->sum, sizeof sum_bits);
    put_varint(&plain, h->count);
    put_varint(&plain, sum_bits);
    put_varint(&plain, h->count ? (uint64_t)h->min : 0);
    put_varint(&plain, (uint64_t)h->max);
    put_varint(&plain, h->beyond);
    unsigned next = 0;
    for (unsigned i = 0; h->count && i < HIST_BUCKETS; i++) {
        if (!h->counts[i])
            continue;
        put_varint(&plain, i - next);
        put_varint(&plain, h->counts[i]);
        next = i + 1;
    }

    uLongf len = compressBound(plain.len);
    AUTO(mem_freep) char *z = mem_alloc(len);
    if (compress2((Bytef *)z, &len, (const Bytef *)plain.at, plain.len, 6) != Z_OK)
        abort(); /* The output has room by compressBound and memory does not run out. */
    str_addc(out, HIST_VERSION);
    str_add(out, (struct view){z, len});
}

/* Merging and quantiles rely on min and max lying in the first and last bucket in use ('end' is
 * one behind it); the sum may be off by rounding only. */
static bool fits_together(const struct hist *h, unsigned first, unsigned end)
{
    if (!h->count)
        return end == 0 && h->max == 0 && h->sum == 0 && h->beyond == 0;
    double slack = 1e-6, n = (double)h->count;
    return hist_bucket(h->min) == first && hist_bucket(h->max) + 1 == end &&
           h->beyond <= h->counts[HIST_BUCKETS - 1] &&
           (h->beyond > 0) == (h->max > HIST_VALUE_MAX) &&
           h->sum >= (double)h->min * n * (1 - slack) &&
           h->sum <= (double)h->max * n * (1 + slack);
}

static int unpack_plain(struct hist *h, struct view plain)
{
    uint64_t sum_bits, min, max;
    if (take_varint(&plain, &h->count) < 0 || take_varint(&plain, &sum_bits) < 0 ||
        take_varint(&plain, &min) < 0 || take_varint(&plain, &max) < 0 ||
        take_varint(&plain, &h->beyond) < 0)
        return -1;
    memcpy(&h->sum, &sum_bits, sizeof h->sum);
    if (min > max || max > INT64_MAX)
        return -1;
    h->min = h->count ? (int64_t)min : INT64_MAX;
    h->max = (int64_t)max;

    uint64_t total = 0, bucket = 0;
    unsigned first = HIST_BUCKETS;
    while (plain.len) {
        uint64_t gap, n;
        if (take_varint(&plain, &gap) < 0 || take_varint(&plain, &n) < 0)
            return -1;
        if (gap >= HIST_BUCKETS || bucket + gap >= HIST_BUCKETS || n == 0 || n > UINT32_MAX)
            return -1;
        bucket += gap;
        first = first == HIST_BUCKETS ? (unsigned)bucket : first;
        h->counts[bucket++] = (uint32_t)n;
        total += n;
    }
    return total == h->count && fits_together(h, first, (unsigned)bucket) ? 0 : -1;
}

int hist_unpack(struct hist *h, struct view packed, struct err *e)
{
    hist_clear(h);
    if (packed.len < 2 || packed.at[0] != HIST_VERSION)
        return err_set(e, ERR_INPUT, "histogram: unknown version");
    uLongf len = HIST_ENCODED_MAX;
    AUTO(mem_freep) char *plain = mem_alloc(len);
    packed = view_skip(packed, 1);
    uLong used = packed.len;
    if (uncompress2((Bytef *)plain, &len, (const Bytef *)packed.at, &used) != Z_OK ||
        used != packed.len)
        return err_set(e, ERR_INPUT, "histogram: damaged or too large");
    if (unpack_plain(h, (struct view){plain, len}) < 0) {
        hist_clear(h);
        return err_set(e, ERR_INPUT, "histogram: counts do not fit together");
    }
    return 0;
}
