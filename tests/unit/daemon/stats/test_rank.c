/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "dist.h"
#include "explain.h"
#include "rank.h"
#include "sample.h"
#include "summary.h"

/* P(W >= w) by listing all sign vectors of the mid-ranks of |d|. */
static double brute_signed(const double *d, size_t n)
{
    double rank[16], observed = 0;
    size_t reached = 0, used = 0;
    double x[16];
    for (size_t i = 0; i < n; i++)
        if (d[i] != 0)
            x[used++] = d[i];
    for (size_t i = 0; i < used; i++) {
        double below = 0, equal = 0;
        for (size_t j = 0; j < used; j++) {
            below += fabs(x[j]) < fabs(x[i]);
            equal += fabs(x[j]) == fabs(x[i]);
        }
        rank[i] = below + (equal + 1) / 2;
        observed += x[i] > 0 ? rank[i] : 0;
    }
    for (size_t b = 0; b < (size_t)1 << used; b++) {
        double sum = 0;
        for (size_t i = 0; i < used; i++)
            sum += (b >> i) & 1 ? rank[i] : 0;
        reached += sum >= observed;
    }
    return (double)reached / (double)((size_t)1 << used);
}

static void signed_rank_agrees_with_all_sign_vectors(void **state)
{
    struct rng r;
    rng_init(&r, 1);
    for (int rep = 0; rep < 300; rep++) {
        size_t n = 1 + (size_t)rng_below(&r, 10);
        double d[10];
        for (size_t i = 0; i < n; i++) /* small whole numbers: ties and zeros */
            d[i] = rep % 2 ? sample_gauss(&r) : (double)rng_below(&r, 7) - 3;
        struct rank_test t;

        rank_signed(d, n, 0, &t);

        if (t.used)
            assert_near(t.p_greater, brute_signed(d, n), 1e-12);
    }
    (void)state;
}

/* P(U >= u) by listing all ways to choose the first sample's places. */
static double brute_sum(const double *x, size_t n, const double *y, size_t m)
{
    double all[12], observed = 0;
    size_t reached = 0, ways = 0;
    for (size_t i = 0; i < n + m; i++)
        all[i] = i < n ? x[i] : y[i - n];
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t b = 0; b < (size_t)1 << (n + m); b++) {
            if ((size_t)__builtin_popcountll(b) != n ||
                (pass == 0 && b != ((size_t)1 << n) - 1))
                continue;
            double u = 0;
            for (size_t i = 0; i < n + m; i++)
                for (size_t j = 0; j < n + m; j++)
                    if (((b >> i) & 1) && !((b >> j) & 1))
                        u += all[i] > all[j] ? 1 : all[i] == all[j] ? 0.5 : 0;
            if (pass == 0)
                observed = u;
            ways += pass;
            reached += pass && u >= observed - 1e-9;
        }
    return (double)reached / (double)ways;
}

static void rank_sum_agrees_with_all_divisions(void **state)
{
    struct rng r;
    rng_init(&r, 2);
    for (int rep = 0; rep < 60; rep++) {
        size_t n = 1 + (size_t)rng_below(&r, 5), m = 1 + (size_t)rng_below(&r, 5);
        double x[5], y[5];
        for (size_t i = 0; i < 5; i++) {
            x[i] = rep % 2 ? sample_gauss(&r) : (double)rng_below(&r, 4);
            y[i] = rep % 2 ? sample_gauss(&r) : (double)rng_below(&r, 4);
        }
        struct rank_test t;

        rank_sum(x, n, y, m, &t);

        assert_near(t.p_greater, brute_sum(x, n, y, m), 1e-12);
    }
    (void)state;
}

/* Published critical values: N = 10: W <= 3 at .005 one-sided; N = 20: W <= 37. */
static void signed_rank_meets_the_published_tables(void **state)
{
    double d[20];
    struct rank_test t;
    for (size_t i = 0; i < 20; i++)
        d[i] = (double)(i + 1) * (i + 1 == 3 ? -1 : 1);

    rank_signed(d, 10, 0, &t);

    assert_near(t.statistic, 52, 0);
    assert_near(t.p_greater, 5 / 1024.0, 1e-12);
    assert_near(rank_signed_least_p(8), 2 / 256.0, 0);
    (void)state;
}

static void large_samples_join_the_exact_ones(void **state)
{
    struct rng r;
    double d[RANK_SIGNED_EXACT_MAX + 1];
    struct rank_test exact, normal;
    rng_init(&r, 3);
    for (size_t i = 0; i <= RANK_SIGNED_EXACT_MAX; i++)
        d[i] = sample_gauss(&r) + 0.15;

    rank_signed(d, RANK_SIGNED_EXACT_MAX, 0, &exact);
    rank_signed(d, RANK_SIGNED_EXACT_MAX + 1, 0, &normal);

    assert_near(exact.p_greater, normal.p_greater, 0.02);
    (void)state;
}

static void location_interval_covers_as_promised(void **state)
{
    struct rng r;
    int covered = 0, runs = 2000;
    rng_init(&r, 4);
    for (int rep = 0; rep < runs; rep++) {
        double d[12];
        struct rank_interval range;
        for (size_t i = 0; i < 12; i++)
            d[i] = 3 + sample_gauss(&r);

        rank_location(d, 12, 0.05, &range);

        assert_true(range.lo <= range.estimate && range.estimate <= range.hi);
        assert_true(range.level >= 0.95);
        covered += range.lo <= 3 && 3 <= range.hi;
    }
    assert_in_range(covered, 0.94 * runs, 0.985 * runs); /* 95 to 97 %, 3 standard errors */
    (void)state;
}

static void empty_samples_claim_nothing(void **state)
{
    struct rank_test t;
    struct rank_interval range;

    rank_signed(NULL, 0, 0, &t);
    assert_near(t.p_two, 1, 0);
    rank_sum(NULL, 0, NULL, 0, &t);
    assert_near(t.p_two, 1, 0);
    rank_location(NULL, 0, 0.05, &range);
    assert_near(range.estimate, 0, 0);
    (void)state;
}

static void medians_and_quantiles_are_those_of_sorted_samples(void **state)
{
    struct rng r;
    rng_init(&r, 5);
    for (size_t n = 1; n < 90; n++) {
        double x[90], sorted[90];
        for (size_t i = 0; i < n; i++)
            x[i] = sorted[i] = floor(10 * sample_gauss(&r));
        summary_sort(sorted, n);

        double median = summary_median(x, n);

        assert_near(median, 0.5 * (sorted[(n - 1) / 2] + sorted[n / 2]), 1e-12);
        assert_near(summary_quantile(sorted, n, 0.5), median, 1e-12);
        assert_near(summary_quantile(sorted, n, 0), sorted[0], 0);
        assert_near(summary_quantile(sorted, n, 1), sorted[n - 1], 0);
    }
    (void)state;
}

static void shamos_scale_is_right_on_average_and_ignores_a_wild_value(void **state)
{
    struct rng r;
    rng_init(&r, 6);
    for (size_t n = 2; n <= 12; n++) {
        double sum = 0;
        for (int rep = 0; rep < 4000; rep++) {
            double x[12];
            for (size_t i = 0; i < n; i++)
                x[i] = 7 * sample_gauss(&r);
            sum += summary_shamos(x, n) / 7 / 4000;
        }
        assert_near(sum, 1, 0.05);
    }
    double wild[] = {1, 2, 3, 2, 1, 2, 3, 2, 1e9};
    assert_true(summary_shamos(wild, 9) < 5);
    (void)state;
}

static void distributions_meet_the_tables(void **state)
{
    assert_near(dist_normal_cdf(1.959964), 0.975, 1e-6);
    assert_near(dist_normal_quantile(0.995), 2.575829, 1e-6);
    assert_true(dist_normal_upper(10) > 7e-24 && dist_normal_upper(10) < 8e-24);
    assert_near(dist_t_quantile(0.975, 9), 2.262157, 1e-6);
    assert_near(dist_t_quantile(0.995, 1), 63.656741, 1e-4);
    assert_near(dist_t_cdf(-2.262157, 9), 0.025, 1e-6);
    (void)state;
}

static void numbers_read_the_same_everywhere(void **state)
{
    char out[EXPLAIN_NUMBER];

    assert_string_equal(explain_percent(out, 0.1234, 1), "+12.3 %");
    assert_string_equal(explain_percent(out, -0.05, 0), "-5 %");
    assert_string_equal(explain_percent(out, 0.000451, 0), "0.0451 %");
    assert_string_equal(explain_percent(out, 12.3, 0), "1230 %");
    assert_string_equal(explain_percent(out, 0.09999, 0), "10 %");
    assert_string_equal(explain_percent(out, NAN, 0), "?");
    assert_string_equal(explain_real(out, 0.001953125), "0.00195");
    assert_string_equal(explain_real(out, 0), "0");
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signed_rank_agrees_with_all_sign_vectors),
        cmocka_unit_test(rank_sum_agrees_with_all_divisions),
        cmocka_unit_test(signed_rank_meets_the_published_tables),
        cmocka_unit_test(large_samples_join_the_exact_ones),
        cmocka_unit_test(location_interval_covers_as_promised),
        cmocka_unit_test(empty_samples_claim_nothing),
        cmocka_unit_test(medians_and_quantiles_are_those_of_sorted_samples),
        cmocka_unit_test(shamos_scale_is_right_on_average_and_ignores_a_wild_value),
        cmocka_unit_test(distributions_meet_the_tables),
        cmocka_unit_test(numbers_read_the_same_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
