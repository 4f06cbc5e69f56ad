/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "errors.h"

static void monotonic_time_does_not_go_back(void **state)
{
    int64_t before = clock_now_ns();

    for (int i = 0; i < 10000; i++) {
        int64_t now = clock_now_ns();
        assert_true(now >= before);
        before = now;
    }
    (void)state;
}

static void sleeping_ends_at_the_due_time_or_later(void **state)
{
    int64_t due = clock_now_ns() + 2 * CLOCK_NS_PER_MS;

    clock_sleep_until(due);

    assert_true(clock_now_ns() >= due);
    (void)state;
}

static void a_due_time_in_the_past_does_not_sleep(void **state)
{
    static const int64_t past[] = {0, 1, -1, -5 * CLOCK_NS_PER_S, INT64_MIN};
    alarm(10); /* ends the program should one of them not return */

    for (size_t i = 0; i < ARRAY_LEN(past); i++)
        clock_sleep_until(past[i]);

    alarm(0);
    (void)state;
}

static void poll_waits_are_rounded_up(void **state)
{
    int64_t now = clock_now_ns();

    assert_int_equal(clock_poll_ms(CLOCK_NEVER), -1);
    assert_int_equal(clock_poll_ms(now), 0);
    assert_int_equal(clock_poll_ms(0), 0);
    assert_int_equal(clock_poll_ms(INT64_MIN), 0);
    assert_int_equal(clock_poll_ms(CLOCK_NEVER - 1), INT_MAX);
    /* Never early: what is left at the call is less than a second and a bit. */
    assert_in_range(clock_poll_ms(now + CLOCK_NS_PER_S), 1, 1000);
    assert_in_range(clock_poll_ms(clock_now_ns() + 100 * CLOCK_NS_PER_S), 1, 100000);
    (void)state;
}

static void wall_time_is_written_in_utc(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {1764000000999, "2025-11-24T16:00:00Z"},
        {951782400000, "2000-02-29T00:00:00Z"},
        {253402300799000, "9999-12-31T23:59:59Z"},
        {253402300800000, "-"}, /* a year of five digits has no room */
        {INT64_MAX, "-"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char out[CLOCK_ISO_BYTES];

        clock_iso(cases[i].ms, out);

        assert_string_equal(out, cases[i].text);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monotonic_time_does_not_go_back),
        cmocka_unit_test(sleeping_ends_at_the_due_time_or_later),
        cmocka_unit_test(a_due_time_in_the_past_does_not_sleep),
        cmocka_unit_test(poll_waits_are_rounded_up),
        cmocka_unit_test(wall_time_is_written_in_utc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
