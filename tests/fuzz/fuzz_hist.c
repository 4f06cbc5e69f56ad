/* SPDX-License-Identifier: MIT */
/*
 * Packed histograms. With the first byte 1 the rest is what zlib would give, so that the fuzzer
 * reaches the numbers behind the compression. What unpacks merges and packs again unchanged.
 */
#include <stdlib.h>
#include <zlib.h>

#include "hist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Made once: three tables of counts for each input would be most of the time. */
static struct hist *fresh(struct hist *h)
{
    if (!h->counts)
        hist_init(h);
    hist_clear(h);
    return h;
}

static void check_same(const struct hist *a, const struct hist *b)
{
    if (a->count != b->count || a->min != b->min || a->max != b->max ||
        a->beyond != b->beyond ||
        memcmp(a->counts, b->counts, HIST_BUCKETS * sizeof *a->counts) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct hist kept[3];
    struct hist *h = fresh(&kept[0]), *back = fresh(&kept[1]), *sum = fresh(&kept[2]);
    AUTO(str_done)
    struct str packed = STR_INIT(HIST_ENCODED_MAX), again = STR_INIT(HIST_ENCODED_MAX);
    struct err e = {0};
    if (size && data[0] == 1) {
        Bytef z[1 << 16];
        uLongf len = sizeof z;
        if (compress2(z, &len, data + 1, size - 1, 1) != Z_OK)
            return 0;
        str_addc(&packed, 1);
        str_add(&packed, (struct view){(const char *)z, len});
    } else {
        str_add(&packed, (struct view){(const char *)data, size});
    }
    if (hist_unpack(h, str_view(&packed), &e) < 0) {
        if (h->count || !e.text[0])
            abort();
        return 0;
    }

    hist_pack(h, &again);
    if (hist_unpack(back, str_view(&again), &e) < 0)
        abort();
    check_same(h, back);
    hist_merge(sum, h);
    check_same(h, sum);
    for (int i = 0; i <= 10; i++) {
        int64_t q = hist_quantile(h, i / 10.);
        if (h->count && (q < h->min || q > h->max))
            abort();
    }
    if (h->count &&
        (hist_mean(h) < (double)h->min * 0.999 || hist_mean(h) > (double)h->max * 1.001))
        abort();
    return 0;
}
