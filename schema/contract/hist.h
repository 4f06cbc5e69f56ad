/* SPDX-License-Identifier: MIT */
/*
 * hist: a histogram of durations in nanoseconds that keeps 0.1 % at every size.
 *
 * Log-linear buckets: values below 2^HIST_BITS are exact; above, each power of two is divided
 * into 2^HIST_BITS equal buckets, so that a bucket is at most 1/1024 of its value wide. Values
 * above HIST_VALUE_MAX (about 73 minutes) go into the last bucket and are counted in 'beyond'.
 *
 * Histograms add up without loss; percentiles of percentiles do not. So rounds, threads and
 * seconds are merged here and the percentile is taken once, at the end.
 *
 *     AUTO(hist_done) struct hist h = {0};
 *     hist_init(&h);
 *     hist_record(&h, done_ns - due_ns);
 *     int64_t p99 = hist_quantile(&h, 0.99);
 */
#ifndef CONTRACT_HIST_H
#define CONTRACT_HIST_H

#include <stdint.h>

#include "errors.h"
#include "str.h"

enum {
    HIST_BITS = 10,
    HIST_TOP_BIT = 42,
    HIST_BUCKETS = (HIST_TOP_BIT - HIST_BITS + 1) << HIST_BITS,
    HIST_ENCODED_MAX = 1 << 20, /* ceiling of an encoded histogram, packed or not */
};

#define HIST_VALUE_MAX ((INT64_C(1) << HIST_TOP_BIT) - 1)

struct hist {
    uint32_t *counts; /* HIST_BUCKETS of them */
    uint64_t count;   /* of all values */
    uint64_t beyond;  /* of those, above HIST_VALUE_MAX */
    int64_t min, max; /* exact; min is INT64_MAX while empty */
    double sum;
};

void hist_init(struct hist *h);
void hist_done(struct hist *h);
void hist_clear(struct hist *h);

static inline unsigned hist_bucket(int64_t value)
{
    uint64_t v = value < 0 ? 0 : value > HIST_VALUE_MAX ? HIST_VALUE_MAX : (uint64_t)value;
    if (v < (1u << HIST_BITS))
        return (unsigned)v;
    unsigned shift = 63u - (unsigned)__builtin_clzll(v) - HIST_BITS;
    return ((shift + 1) << HIST_BITS) + (unsigned)((v >> shift) & ((1u << HIST_BITS) - 1));
}

/* The same value n times. A duration below 0, which only a broken clock gives, counts as 0. */
static inline void hist_record_many(struct hist *h, int64_t value, uint32_t n)
{
    value = value < 0 ? 0 : value;
    h->counts[hist_bucket(value)] += n;
    h->count += n;
    h->sum += (double)value * n;
    if (value > h->max)
        h->max = value;
    if (value < h->min)
        h->min = value;
    h->beyond += value > HIST_VALUE_MAX ? n : 0;
}

static inline void hist_record(struct hist *h, int64_t value)
{
    hist_record_many(h, value, 1);
}

/* The middle of a bucket, which is at most 0.05 % from every value in it. */
int64_t hist_bucket_value(unsigned bucket);

void hist_merge(struct hist *into, const struct hist *from);

/* The smallest recorded value that a share q in [0, 1] of all values does not exceed (the
 * nearest rank, ceil(q * count)), to within a bucket; min and max are exact. 0 when empty. */
int64_t hist_quantile(const struct hist *h, double q);
double hist_mean(const struct hist *h);

/* Packed form, which travels in documents and lies in the database: version byte, then varints
 * of count, sum, min, max, beyond and of (gap, count) for each bucket in use, deflated by zlib.
 */
void hist_pack(const struct hist *h, struct str *out);
int hist_unpack(struct hist *h, struct view packed, struct err *e); /* h must be initialised */

/* HdrHistogram's compressed V2 encoding (3 digits, from 1 ns), which its tools read once it is
 * in base64. Our buckets are exactly its buckets, so nothing is lost or rounded. */
void hist_pack_hdr(const struct hist *h, struct str *out);

#endif
