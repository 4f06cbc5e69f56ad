/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "health.h"

static const struct health_sample before = {0};
static const struct health_sample quiet = {.busy_ns = 1000000000, .total_ns = 10000000000};

static struct health judge(const struct health_rules *rules, const struct health_sample *after,
                           int64_t late_ns, int64_t cpu_ns, uint64_t client_failed)
{
    struct tally t;
    struct health h;
    tally_init(&t, 1);
    for (int i = 0; i < 100; i++)
        hist_record(&t.late, late_ns);
    t.cpu_user_ns = cpu_ns;
    t.client_failed = client_failed;
    health_judge(rules, &before, after, &t, &h);
    tally_done(&t);
    return h;
}

static void verdicts_follow_the_rules(void **state)
{
    (void)state;
    const struct health_rules open = {
        .open_loop = true, .dedicated = true, .threads = 1, .duration_s = 10};
    const struct health_rules closed = {.threads = 1, .duration_s = 10};
    const struct health_sample stolen = {
        .busy_ns = 1000000000, .steal_ns = 500000000, .total_ns = 10000000000};
    const struct health_sample shared = {.busy_ns = 5000000000, .total_ns = 10000000000};
    int64_t second = CLOCK_NS_PER_S;

    assert_int_equal(judge(&open, &quiet, 50000, second, 0).verdict, VERDICT_VALID);
    assert_int_equal(judge(&open, &quiet, 2000000, second, 0).verdict,
                     VERDICT_GENERATOR_LIMITED);
    assert_int_equal(judge(&open, &quiet, 50000, second, 1).verdict, VERDICT_GENERATOR_LIMITED);
    assert_int_equal(judge(&closed, &quiet, 0, 99 * second / 10, 0).verdict,
                     VERDICT_GENERATOR_LIMITED);
    assert_int_equal(judge(&closed, &quiet, 0, 9 * second, 0).verdict, VERDICT_VALID);
    assert_int_equal(judge(&open, &stolen, 50000, second, 0).verdict, VERDICT_NOISY);
    assert_int_equal(judge(&open, &shared, 50000, second, 0).verdict, VERDICT_NOISY);
    assert_int_equal(judge(&closed, &shared, 0, second, 0).verdict, VERDICT_VALID);
}

static void a_reason_is_given_unless_valid(void **state)
{
    (void)state;
    const struct health_rules rules = {.open_loop = true, .threads = 1, .duration_s = 10};

    struct health good = judge(&rules, &quiet, 1000, 0, 0);
    struct health late = judge(&rules, &quiet, 9000000, 0, 0);

    assert_string_equal(good.reason, "");
    assert_non_null(strstr(late.reason, "late"));
}

static void the_kernels_counters_are_read(void **state)
{
    (void)state;
    cpu_set_t all;
    struct health_sample s;
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);

    health_sample(&all, &s);

    assert_true(s.busy_ns > 0);
    assert_true(s.total_ns >= s.busy_ns + s.steal_ns);
}

static void causes_follow_errno_and_own_limits_stand_apart(void **state)
{
    (void)state;
    assert_int_equal(fail_cause_of(ECONNREFUSED), FAIL_REFUSED);
    assert_int_equal(fail_cause_of(EPIPE), FAIL_RESET);
    assert_int_equal(fail_cause_of(EHOSTUNREACH), FAIL_UNREACHABLE);
    assert_int_equal(fail_cause_of(EINVAL), FAIL_OTHER);
    assert_true(fail_is_client(EMFILE));
    assert_true(fail_is_client(EADDRNOTAVAIL));
    assert_false(fail_is_client(ECONNRESET));
    for (int p = 0; p < FAIL_PHASES; p++)
        assert_non_null(fail_phase_name((enum fail_phase)p));
    for (int c = 0; c < FAIL_CAUSES; c++)
        assert_non_null(fail_cause_name((enum fail_cause)c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_follow_the_rules),
        cmocka_unit_test(a_reason_is_given_unless_valid),
        cmocka_unit_test(the_kernels_counters_are_read),
        cmocka_unit_test(causes_follow_errno_and_own_limits_stand_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
