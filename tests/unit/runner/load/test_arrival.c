/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arrival.h"
#include "auto.h"

static const int64_t second_ns = INT64_C(1000000000);

static size_t count(const struct arrival_plan *plan, uint64_t seed, unsigned lane,
                    unsigned lanes, int64_t from_ns, int64_t to_ns)
{
    struct arrival a;
    size_t n = 0;
    int64_t before = 0;
    arrival_init(&a, plan, seed, lane, lanes);
    for (int64_t due; (due = arrival_next_due(&a)) != ARRIVAL_END; before = due) {
        assert_true(due >= before);
        n += due >= from_ns && due < to_ns;
    }
    return n;
}

static void constant_rate_is_exact(void **state)
{
    (void)state;
    static const double rates[] = {1, 3, 7.5, 999, 2000, 12345, 50000};
    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        struct arrival_stage stage = {rates[i], rates[i], 4 * second_ns};
        struct arrival_plan plan = {&stage, 1, false};
        struct arrival a;
        arrival_init(&a, &plan, 1, 0, 1);

        for (int k = 0; k < 100 && k < rates[i] * 4; k++)
            assert_true(llabs(arrival_next_due(&a) - (int64_t)(k * 1e9 / rates[i])) <= 1);

        assert_int_equal(count(&plan, 1, 0, 1, 0, 4 * second_ns), (size_t)(rates[i] * 4));
    }
}

static void lanes_share_one_schedule_without_gap_or_overlap(void **state)
{
    (void)state;
    struct arrival_stage stage = {1000, 1000, second_ns};
    struct arrival_plan plan = {&stage, 1, false};
    struct arrival whole, lane[3];
    arrival_init(&whole, &plan, 1, 0, 1);
    for (unsigned i = 0; i < 3; i++)
        arrival_init(&lane[i], &plan, 1, i, 3);

    for (int k = 0; k < 999; k++)
        assert_int_equal(arrival_next_due(&whole), arrival_next_due(&lane[k % 3]));
}

static void ramp_offers_the_area_under_the_rate(void **state)
{
    (void)state;
    struct arrival_stage stages[] = {
        {100, 100, second_ns}, {100, 300, 2 * second_ns}, {300, 0.001, second_ns}};
    struct arrival_plan plan = {stages, 3, false};

    assert_int_equal(count(&plan, 1, 0, 1, 0, second_ns), 100);
    assert_int_equal(count(&plan, 1, 0, 1, second_ns, 2 * second_ns), 150);
    assert_int_equal(count(&plan, 1, 0, 1, 2 * second_ns, 3 * second_ns), 250);
    assert_in_range(count(&plan, 1, 0, 1, 3 * second_ns, 4 * second_ns), 149, 151);
    assert_true(fabs(arrival_expected(&plan) - 650.0005) < 0.001);
    assert_int_equal(arrival_duration_ns(&plan), 4 * second_ns);
}

/* Counts of a Poisson process have variance equal to their mean. With 400 intervals of 50
 * expected arrivals the index of dispersion has a standard error of sqrt(2 / 399) = 0.071; four
 * of them. */
static void poisson_counts_have_the_variance_of_poisson(void **state)
{
    (void)state;
    struct arrival_stage stage = {1000, 1000, 20 * second_ns};
    struct arrival_plan plan = {&stage, 1, true};
    for (unsigned lanes = 1; lanes <= 4; lanes += 3) {
        double counts[400] = {0};
        for (unsigned i = 0; i < lanes; i++) {
            struct arrival a;
            arrival_init(&a, &plan, 99, i, lanes);
            for (int64_t due; (due = arrival_next_due(&a)) != ARRIVAL_END;)
                counts[due / (second_ns / 20)]++;
        }
        double mean = 0, variance = 0;
        for (int i = 0; i < 400; i++)
            mean += counts[i] / 400;
        for (int i = 0; i < 400; i++)
            variance += (counts[i] - mean) * (counts[i] - mean) / 399;

        assert_true(fabs(mean - 50) < 4 * sqrt(50. / 400));
        assert_true(fabs(variance / mean - 1) < 4 * 0.071);
    }
}

static void same_seed_same_schedule(void **state)
{
    (void)state;
    struct arrival_stage stage = {1000, 1000, second_ns};
    struct arrival_plan plan = {&stage, 1, true};
    struct arrival a, b, c;
    arrival_init(&a, &plan, 5, 0, 1);
    arrival_init(&b, &plan, 5, 0, 1);
    arrival_init(&c, &plan, 6, 0, 1);

    int64_t first = arrival_next_due(&a);

    assert_int_equal(first, arrival_next_due(&b));
    assert_true(first != arrival_next_due(&c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_rate_is_exact),
        cmocka_unit_test(lanes_share_one_schedule_without_gap_or_overlap),
        cmocka_unit_test(ramp_offers_the_area_under_the_rate),
        cmocka_unit_test(poisson_counts_have_the_variance_of_poisson),
        cmocka_unit_test(same_seed_same_schedule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
