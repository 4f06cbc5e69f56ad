/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <zlib.h>

#include "hist.h"
#include "mem.h"
#include "rng.h"

static void hist_freep(struct hist *h)
{
    hist_done(h);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Values spread over all sizes a latency can have, from nanoseconds to minutes. */
static int64_t draw(struct rng *r)
{
    return (int64_t)(rng_next(r) >> (23 + rng_below(r, 41)));
}

static void bucket_edges_are_where_they_should_be(void **state)
{
    unsigned before = hist_bucket(0);
    assert_int_equal(before, 0);

    for (int bit = 1; bit < 43; bit++)
        for (int64_t d = -2; d <= 2; d++) {
            int64_t v = (INT64_C(1) << bit) + d;
            unsigned b = hist_bucket(v);
            int64_t error = hist_bucket_value(b) - v;
            assert_true(b < HIST_BUCKETS);
            if (bit > 2) {
                assert_true(b >= before);
                before = b;
            }
            if (v <= HIST_VALUE_MAX)
                assert_true(2000 * (error < 0 ? -error : error) <= v);
        }
    assert_int_equal(hist_bucket(HIST_VALUE_MAX), HIST_BUCKETS - 1);
    assert_int_equal(hist_bucket(INT64_MAX), HIST_BUCKETS - 1);
    assert_int_equal(hist_bucket(-1), 0);
    assert_int_equal(hist_bucket(INT64_MIN), 0);
    (void)state;
}

static void the_middle_of_every_bucket_lies_in_it(void **state)
{
    int64_t before = -1;

    for (unsigned b = 0; b < HIST_BUCKETS; b++) {
        int64_t v = hist_bucket_value(b);
        assert_true(v > before);
        assert_int_equal(hist_bucket(v), b);
        before = v;
    }
    (void)state;
}

static void quantiles_are_within_a_thousandth(void **state)
{
    static const double shares[] = {0, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1};
    enum { N = 100000 };
    int64_t *values = mem_alloc(N * sizeof *values);
    AUTO(hist_freep) struct hist h;
    struct rng r;
    hist_init(&h);
    rng_init(&r, 5);
    for (int i = 0; i < N; i++)
        hist_record(&h, values[i] = draw(&r));
    qsort(values, N, sizeof *values, by_value);

    for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
        int64_t rank = (int64_t)(shares[i] * N + 0.5);
        int64_t exact = values[rank ? rank - 1 : 0];
        int64_t error = hist_quantile(&h, shares[i]) - exact;
        assert_true(1000 * (error < 0 ? -error : error) <= exact);
    }
    assert_true(hist_quantile(&h, 0) == values[0]);
    assert_true(hist_quantile(&h, 1) == values[N - 1]);
    free(values);
    (void)state;
}

/* 0.07 * 100 is 7.000000000000001 in binary; the seventh of a hundred is meant. */
static void the_rank_is_not_off_by_rounding(void **state)
{
    for (int n = 1; n <= 1000; n++) {
        AUTO(hist_freep) struct hist h;
        hist_init(&h);
        for (int i = 1; i <= n; i++)
            hist_record(&h, i);
        for (int percent = 1; percent <= 100; percent++) {
            int rank = (percent * n + 99) / 100;
            int64_t exact = rank;
            assert_int_equal(hist_quantile(&h, percent / 100.), exact);
        }
    }
    (void)state;
}

static void an_empty_one_has_no_values(void **state)
{
    AUTO(hist_freep) struct hist h;
    hist_init(&h);

    assert_int_equal(hist_quantile(&h, 0.5), 0);
    assert_true(hist_mean(&h) == 0);
    assert_true(h.min == INT64_MAX);
    (void)state;
}

static void one_value_is_every_quantile_exactly(void **state)
{
    AUTO(hist_freep) struct hist h;
    hist_init(&h);

    hist_record(&h, 123456789);

    assert_int_equal(hist_quantile(&h, 0), 123456789);
    assert_int_equal(hist_quantile(&h, 0.5), 123456789);
    assert_int_equal(hist_quantile(&h, 1), 123456789);
    assert_true(hist_mean(&h) == 123456789);
    (void)state;
}

static void values_out_of_range_are_kept_at_the_ends(void **state)
{
    AUTO(hist_freep) struct hist h;
    hist_init(&h);

    hist_record(&h, -5);
    hist_record(&h, INT64_MAX);
    hist_record(&h, HIST_VALUE_MAX + 1);
    hist_record(&h, HIST_VALUE_MAX);

    assert_int_equal(h.count, 4);
    assert_int_equal(h.beyond, 2);
    assert_int_equal(h.min, 0);
    assert_true(h.max == INT64_MAX);
    (void)state;
}

static void merging_is_the_same_as_recording_all(void **state)
{
    AUTO(hist_freep) struct hist all, a, b;
    struct rng r;
    hist_init(&all);
    hist_init(&a);
    hist_init(&b);
    rng_init(&r, 9);
    for (int i = 0; i < 20000; i++) {
        int64_t v = draw(&r);
        hist_record(&all, v);
        hist_record(i % 3 ? &a : &b, v);
    }

    hist_merge(&a, &b);

    assert_memory_equal(all.counts, a.counts, HIST_BUCKETS * sizeof *a.counts);
    assert_int_equal(all.count, a.count);
    assert_int_equal(all.min, a.min);
    assert_int_equal(all.max, a.max);
    assert_true(hist_mean(&all) / hist_mean(&a) - 1 < 1e-12);
    (void)state;
}

static void merging_an_empty_one_changes_nothing(void **state)
{
    AUTO(hist_freep) struct hist a, none;
    hist_init(&a);
    hist_init(&none);
    hist_record(&a, 5);

    hist_merge(&a, &none);
    hist_merge(&none, &a);

    assert_int_equal(a.count, 1);
    assert_int_equal(none.min, 5);
    assert_int_equal(none.max, 5);
    (void)state;
}

static void check_round_trip(const struct hist *h)
{
    AUTO(hist_freep) struct hist back;
    AUTO(str_done) struct str packed = STR_INIT(HIST_ENCODED_MAX);
    struct err e = {0};
    hist_init(&back);
    hist_record(&back, 77); /* is forgotten */

    hist_pack(h, &packed);
    assert_false(packed.cut);
    assert_int_equal(hist_unpack(&back, str_view(&packed), &e), 0);

    assert_memory_equal(h->counts, back.counts, HIST_BUCKETS * sizeof *h->counts);
    assert_true(h->count == back.count && h->beyond == back.beyond && h->min == back.min &&
                h->max == back.max && h->sum == back.sum);
}

static void packing_goes_there_and_back(void **state)
{
    AUTO(hist_freep) struct hist h;
    struct rng r;
    hist_init(&h);
    rng_init(&r, 21);

    check_round_trip(&h);
    hist_record(&h, 0);
    check_round_trip(&h);
    for (int i = 0; i < 50000; i++)
        hist_record(&h, draw(&r));
    check_round_trip(&h);
    hist_record(&h, INT64_MAX);
    hist_record(&h, -1);
    check_round_trip(&h);
    hist_clear(&h);
    for (unsigned b = 0; b < HIST_BUCKETS; b++) /* the largest packed form there is */
        for (int k = 0; k < 3; k++)
            hist_record(&h, hist_bucket_value(b));
    check_round_trip(&h);
    (void)state;
}

/* --- hostile bytes ---------------------------------------------------------------------------
 *
 * The plain form is made here by hand, so that what hist_pack would never write can be written.
 */

static void put(struct str *s, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        str_addc(s, (char)(v | 0x80));
    str_addc(s, (char)v);
}

static void deflated(struct str *out, const uint64_t *numbers, size_t n)
{
    AUTO(str_done) struct str plain = STR_INIT(4096);
    for (size_t i = 0; i < n; i++)
        put(&plain, numbers[i]);
    Bytef z[8192];
    uLongf len = sizeof z;
    assert_int_equal(compress(z, &len, (const Bytef *)plain.at, plain.len), Z_OK);
    str_addc(out, 1);
    str_add(out, (struct view){(const char *)z, len});
}

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static void numbers_that_do_not_fit_together_are_refused(void **state)
{
    const uint64_t two = bits_of(6), none = bits_of(0);
    const struct {
        const char *what;
        uint64_t n[16];
        size_t len;
        bool good;
    } cases[] = {
        /* count sum min max beyond, then gap count of each bucket */
        {"two values, 1 and 5", {2, two, 1, 5, 0, 1, 1, 3, 1}, 9, true},
        {"empty", {0, none, 0, 0, 0}, 5, true},
        {"count too large", {3, two, 1, 5, 0, 1, 1, 3, 1}, 9, false},
        {"count without buckets", {2, two, 1, 5, 0}, 5, false},
        {"buckets without count", {0, none, 0, 0, 0, 1, 1}, 7, false},
        {"empty with a largest value", {0, none, 0, 5, 0}, 5, false},
        {"empty with a sum", {0, two, 0, 0, 0}, 5, false},
        {"empty with values beyond", {0, none, 0, 0, 1}, 5, false},
        {"smallest above the first bucket", {2, two, 2, 5, 0, 1, 1, 3, 1}, 9, false},
        {"smallest below the first bucket", {2, two, 0, 5, 0, 1, 1, 3, 1}, 9, false},
        {"largest below the last bucket", {2, two, 1, 4, 0, 1, 1, 3, 1}, 9, false},
        {"largest above the last bucket", {2, two, 1, 6, 0, 1, 1, 3, 1}, 9, false},
        {"smallest above largest", {2, two, 5, 1, 0, 1, 1, 3, 1}, 9, false},
        {"largest above 63 bits", {2, two, 1, UINT64_MAX, 0, 1, 1, 3, 1}, 9, false},
        {"sum below count times smallest", {2, bits_of(1), 1, 5, 0, 1, 1, 3, 1}, 9, false},
        {"sum above count times largest", {2, bits_of(11), 1, 5, 0, 1, 1, 3, 1}, 9, false},
        {"sum not a number", {2, UINT64_C(0x7ff8000000000000), 1, 5, 0, 1, 1, 3, 1}, 9, false},
        {"sum infinite", {2, UINT64_C(0x7ff0000000000000), 1, 5, 0, 1, 1, 3, 1}, 9, false},
        {"beyond without such values", {2, two, 1, 5, 1, 1, 1, 3, 1}, 9, false},
        {"bucket with no value", {2, two, 1, 5, 0, 1, 1, 1, 0, 1, 1}, 11, false},
        {"bucket out of range", {2, two, 1, 5, 0, 1, 1, HIST_BUCKETS, 1}, 9, false},
        {"gap that wraps around", {2, two, 1, 5, 0, 1, 1, UINT64_MAX, 1}, 9, false},
        {"count of 33 bits", {2, two, 1, 5, 0, 1, UINT64_C(1) << 32, 3, 1}, 9, false},
        {"counts that wrap around", {0, none, 0, 0, 0, 1, UINT64_MAX, 3, 1}, 9, false},
        {"half a pair", {2, two, 1, 5, 0, 1, 1, 3}, 8, false},
        {"too short", {2, two, 1, 5}, 4, false},
        {"nothing", {0}, 0, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(hist_freep) struct hist h;
        AUTO(str_done) struct str packed = STR_INIT(HIST_ENCODED_MAX);
        struct err e = {0};
        hist_init(&h);
        deflated(&packed, cases[i].n, cases[i].len);

        int rc = hist_unpack(&h, str_view(&packed), &e);

        if (rc != (cases[i].good ? 0 : -1))
            fail_msg("%s: %d", cases[i].what, rc);
        if (rc < 0) {
            assert_int_equal(e.kind, ERR_INPUT);
            assert_int_equal(h.count, 0); /* nothing half-read is left */
        }
    }
    (void)state;
}

static void damaged_packages_are_refused(void **state)
{
    AUTO(hist_freep) struct hist h;
    AUTO(str_done) struct str packed = STR_INIT(HIST_ENCODED_MAX), more = STR_INIT(1000);
    struct err e = {0};
    hist_init(&h);
    for (int i = 0; i < 100; i++)
        hist_record(&h, i * i * 1000);
    hist_pack(&h, &packed);
    str_add(&more, str_view(&packed));
    str_addc(&more, 'x');

    for (size_t len = 0; len < packed.len; len++)
        assert_int_equal(hist_unpack(&h, (struct view){packed.at, len}, &e), -1);
    assert_int_equal(hist_unpack(&h, str_view(&more), &e), -1);
    packed.at[0] = 2;
    assert_int_equal(hist_unpack(&h, str_view(&packed), &e), -1);

    assert_string_equal(e.text, "histogram: unknown version");
    (void)state;
}

static void a_bomb_does_not_unfold(void **state)
{
    AUTO(hist_freep) struct hist h;
    struct err e = {0};
    enum { PLAIN = 64 << 20 };
    uLongf len = compressBound(PLAIN);
    AUTO(mem_freep) char *plain = mem_zero(PLAIN, 1);
    AUTO(mem_freep) char *z = mem_alloc(len + 1);
    hist_init(&h);
    z[0] = 1;
    assert_int_equal(compress2((Bytef *)z + 1, &len, (Bytef *)plain, PLAIN, 1), Z_OK);

    assert_int_equal(hist_unpack(&h, (struct view){z, len + 1}, &e), -1);

    assert_string_equal(e.text, "histogram: damaged or too large");
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bucket_edges_are_where_they_should_be),
        cmocka_unit_test(the_middle_of_every_bucket_lies_in_it),
        cmocka_unit_test(quantiles_are_within_a_thousandth),
        cmocka_unit_test(the_rank_is_not_off_by_rounding),
        cmocka_unit_test(an_empty_one_has_no_values),
        cmocka_unit_test(one_value_is_every_quantile_exactly),
        cmocka_unit_test(values_out_of_range_are_kept_at_the_ends),
        cmocka_unit_test(merging_is_the_same_as_recording_all),
        cmocka_unit_test(merging_an_empty_one_changes_nothing),
        cmocka_unit_test(packing_goes_there_and_back),
        cmocka_unit_test(numbers_that_do_not_fit_together_are_refused),
        cmocka_unit_test(damaged_packages_are_refused),
        cmocka_unit_test(a_bomb_does_not_unfold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
