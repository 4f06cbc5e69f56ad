/* SPDX-License-Identifier: MIT */
/*
 * The decoder here is written from HdrHistogram's own description and geometry, not from ours:
 * what it reads back must be the values that were recorded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <zlib.h>

#include "hist.h"
#include "rng.h"

enum { PLAIN_MAX = 4 << 20, HEADER = 40, HALF = 1024 };

static uint64_t take_be(const unsigned char **at, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value = value << 8 | *(*at)++;
    return value;
}

static int64_t take_zigzag(const unsigned char **at)
{
    uint64_t v = 0;
    for (int i = 0; i < 9; i++) {
        unsigned char byte = *(*at)++;
        v |= (uint64_t)(i < 8 ? byte & 0x7f : byte) << (7 * i);
        if (i == 8 || !(byte & 0x80))
            break;
    }
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

/* HdrHistogram, valueFromIndex: the lowest value of a counter, with 2048 sub-buckets. */
static int64_t lowest_of(int64_t index, int64_t *width)
{
    int64_t bucket = (index / HALF) - 1;
    int64_t sub = index % HALF + HALF;
    if (bucket < 0) {
        sub -= HALF;
        bucket = 0;
    }
    *width = (int64_t)1 << bucket;
    return sub << bucket;
}

static unsigned char *unfold(const struct str *packed, size_t *len)
{
    const unsigned char *at = (const unsigned char *)packed->at;
    static unsigned char plain[PLAIN_MAX];
    uLongf plain_len = sizeof plain;
    assert_int_equal(take_be(&at, 4), 0x1c849314);
    assert_int_equal(take_be(&at, 4), packed->len - 8);
    assert_int_equal(uncompress(plain, &plain_len, at, packed->len - 8), Z_OK);
    *len = plain_len;
    return plain;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void every_value_reads_back_in_its_counter(void **state)
{
    enum { VALUES = 20000 };
    static int64_t values[VALUES];
    struct hist h;
    struct rng rng;
    size_t len;
    size_t seen = 0;
    AUTO(str_done) struct str packed = STR_INIT(HIST_ENCODED_MAX);
    hist_init(&h);
    rng_init(&rng, 11);
    for (size_t i = 0; i < VALUES; i++) {
        values[i] = (int64_t)(rng_next(&rng) >> (25 + rng_below(&rng, 38)));
        hist_record(&h, values[i]);
    }
    qsort(values, VALUES, sizeof values[0], by_value);

    hist_pack_hdr(&h, &packed);

    const unsigned char *plain = unfold(&packed, &len);
    const unsigned char *at = plain;
    assert_int_equal(take_be(&at, 4), 0x1c849313);
    assert_int_equal(take_be(&at, 4), len - HEADER);
    assert_int_equal(take_be(&at, 4), 0);
    assert_int_equal(take_be(&at, 4), 3); /* significant digits */
    assert_int_equal(take_be(&at, 8), 1);
    assert_true(take_be(&at, 8) >= (uint64_t)values[VALUES - 1]);
    at = plain + HEADER;
    for (int64_t index = 0; at < plain + len;) {
        int64_t width;
        int64_t count = take_zigzag(&at);
        if (count < 0) {
            index -= count;
            continue;
        }
        int64_t low = lowest_of(index++, &width);
        assert_true(width <= 1 || low >= width * HALF); /* an error below 0.1 % */
        for (; count > 0; count--, seen++)
            assert_true(values[seen] >= low && values[seen] < low + width);
    }
    assert_int_equal(seen, VALUES);
    hist_done(&h);
    (void)state;
}

static void an_empty_one_has_no_counters(void **state)
{
    struct hist h;
    size_t len;
    AUTO(str_done) struct str packed = STR_INIT(HIST_ENCODED_MAX);
    hist_init(&h);

    hist_pack_hdr(&h, &packed);

    (void)unfold(&packed, &len);
    assert_int_equal(len, HEADER);
    hist_done(&h);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_reads_back_in_its_counter),
        cmocka_unit_test(an_empty_one_has_no_counters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
