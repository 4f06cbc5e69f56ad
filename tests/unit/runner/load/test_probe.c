/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mem.h"
#include "probe.h"

/* A result of one second: so many answers of so many nanoseconds, and some failures. */
static struct load_result *result(uint64_t answered, int64_t response_ns, uint64_t failed,
                                  uint64_t in_window)
{
    struct load_result *r = mem_zero(1, sizeof *r);
    tally_init(&r->tally, 1);
    hist_init(&r->response);
    for (uint64_t i = 0; i < answered; i++)
        hist_record(&r->response, response_ns);
    r->answered = answered;
    r->failed = failed;
    r->requests = answered + failed;
    r->tally.answered_in_window = in_window;
    r->duration_s = 1;
    return r;
}

static bool met(const char *goal_text, double errors_share, uint64_t answered,
                int64_t response_ns, uint64_t failed, uint64_t in_window)
{
    struct probe_goal goal;
    assert_int_equal(probe_goal_parse(goal_text, &goal, NULL), 0);
    goal.errors_share = errors_share;
    AUTO(load_result_freep)
    struct load_result *r = result(answered, response_ns, failed, in_window);
    return probe_goal_met(&goal, r);
}

static void goals_are_read(void **state)
{
    (void)state;
    struct probe_goal goal;

    assert_int_equal(probe_goal_parse("p99.9 < 1.5s", &goal, NULL), 0);
    assert_true(fabs(goal.quantile - 0.999) < 1e-12);
    assert_int_equal(goal.limit_ns, 1500000000);
    assert_int_equal(probe_goal_parse("mean<2ms", &goal, NULL), 0);
    assert_true(goal.quantile < 0);
}

static void wrong_goals_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",         "p99",    "p99<",    "p0<1ms",
                                        "p100<1ms", "99<1ms", "p99>1ms", "p99<50"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct probe_goal goal;
        struct err e = {0};

        assert_int_equal(probe_goal_parse(texts[i], &goal, &e), -1);

        assert_int_equal(e.kind, ERR_INPUT);
    }
}

static void a_goal_is_about_latency_failures_and_backlog(void **state)
{
    (void)state;
    assert_true(met("p99<10ms", 0, 1000, 9000000, 0, 1000));
    assert_false(met("p99<10ms", 0, 1000, 11000000, 0, 1000));
    assert_false(met("p99<10ms", 0, 1000, 9000000, 1, 1000));
    assert_true(met("p99<10ms", 0.01, 1000, 9000000, 1, 1000));
    assert_false(met("p99<10ms", 0, 1000, 9000000, 0, 900));
    assert_true(met("p99<10ms", 0, 1000, 9000000, 0, 999));
    assert_false(met("mean<10ms", 0, 0, 0, 0, 0));
}

static void spread_is_over_whole_seconds_of_the_window(void **state)
{
    (void)state;
    static const uint64_t answers[] = {100, 110, 90, 3};
    AUTO(load_result_freep) struct load_result *r = result(300, 1000, 0, 300);
    struct probe_row row = {0};
    r->duration_s = 3.5;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        r->tally.second.answered = answers[i];
        tally_roll(&r->tally);
    }

    probe_second_stats(r, &row);

    assert_true(row.second_min == 90 && row.second_max == 110 && row.second_mean == 100);
    assert_true(fabs(row.second_stddev - 10) < 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goals_are_read),
        cmocka_unit_test(wrong_goals_are_refused),
        cmocka_unit_test(a_goal_is_about_latency_failures_and_backlog),
        cmocka_unit_test(spread_is_over_whole_seconds_of_the_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
