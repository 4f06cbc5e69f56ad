/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rng.h"
#include "tally.h"

static void record_second(struct tally *t, struct rng *r, struct hist *all, int n)
{
    for (int i = 0; i < n; i++) {
        int64_t ns = (int64_t)rng_below(r, 100000000);
        hist_record(&t->second_response, ns);
        hist_record(&t->endpoints[0].response, ns);
        if (all)
            hist_record(all, ns);
        t->second.answered++;
        t->endpoints[0].answered++;
    }
    tally_roll(t);
}

static void seconds_of_two_loops_merge_into_exact_percentiles(void **state)
{
    (void)state;
    struct tally a, b;
    struct hist first = {0};
    struct rng r;
    rng_init(&r, 1);
    hist_init(&first);
    tally_init(&a, 1);
    tally_init(&b, 1);
    record_second(&a, &r, &first, 1000);
    record_second(&b, &r, &first, 3000);
    record_second(&b, &r, NULL, 10);

    tally_merge(&a, (const struct tally *[]){&b}, 1);

    assert_int_equal(a.seconds.len, 2);
    assert_int_equal(a.seconds.at[0].answered, 4000);
    assert_int_equal(a.seconds.at[1].answered, 10);
    assert_int_equal(tally_second_quantile(&a.seconds.at[0], 0.5), hist_quantile(&first, 0.5));
    assert_int_equal(tally_second_quantile(&a.seconds.at[0], 0.99),
                     hist_quantile(&first, 0.99));
    assert_int_equal(a.seconds.at[0].max_ns, first.max);
    assert_int_equal(tally_answered(&a), 4010);
    tally_done(&a);
    tally_done(&b);
    hist_done(&first);
}

static void a_rolled_second_leaves_nothing_behind(void **state)
{
    (void)state;
    struct tally t;
    tally_init(&t, 1);
    hist_record(&t.second_response, 5000);
    tally_roll(&t);

    tally_roll(&t);

    assert_int_equal(t.seconds.at[0].slots_len, 1);
    assert_int_equal(t.seconds.at[1].slots_len, 0);
    assert_int_equal(tally_second_quantile(&t.seconds.at[1], 0.5), 0);
    tally_done(&t);
}

static void first_byte_is_rebuilt_from_answers_in_pieces(void **state)
{
    (void)state;
    struct tally t;
    struct hist first = {0};
    tally_init(&t, 1);
    hist_init(&first);
    hist_record(&t.service, 1000); /* in one piece */
    hist_record(&t.service, 9000); /* began after 2000 */
    hist_record(&t.pieces_first, 2000);
    hist_record(&t.pieces_done, 9000);

    tally_first_byte(&t, &first);

    assert_int_equal(first.count, 2);
    assert_int_equal(hist_quantile(&first, 0.5), 1000);
    assert_int_equal(hist_bucket(first.max), hist_bucket(2000));
    assert_true(first.sum == 3000);
    tally_done(&t);
    hist_done(&first);
}

static void the_earliest_error_is_remembered(void **state)
{
    (void)state;
    struct tally a, b;
    tally_init(&a, 1);
    tally_init(&b, 1);
    a.errors[FAIL_HEAD][FAIL_RESET] = (struct tally_error){2, 500, 104};
    b.errors[FAIL_HEAD][FAIL_RESET] = (struct tally_error){3, 400, 32};

    tally_merge(&a, (const struct tally *[]){&b}, 1);

    assert_int_equal(a.errors[FAIL_HEAD][FAIL_RESET].count, 5);
    assert_int_equal(a.errors[FAIL_HEAD][FAIL_RESET].first_ns, 400);
    assert_int_equal(a.errors[FAIL_HEAD][FAIL_RESET].first_errno, 32);
    tally_done(&a);
    tally_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seconds_of_two_loops_merge_into_exact_percentiles),
        cmocka_unit_test(a_rolled_second_leaves_nothing_behind),
        cmocka_unit_test(first_byte_is_rebuilt_from_answers_in_pieces),
        cmocka_unit_test(the_earliest_error_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
