/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report_cases.h"
#include "report_parts.h"

static void verdicts_use_the_fixed_words(void **state)
{
    static const char *const words[CASE_COUNT] = {
        [CASE_SLOWER] = "slower (confirmed)",
        [CASE_SUSPECTED] = "slower (unconfirmed)",
        [CASE_UNDECIDED] = "undecided (noise \u00b16.20 %)",
        [CASE_IDENTICAL] = "identical",
        [CASE_FIRST] = "not comparable: no base",
        [CASE_BROKEN] = "could not measure: build of head",
        [CASE_HOSTILE] = "slower (unconfirmed)",
    };
    for (int i = 0; i < CASE_COUNT; i++) {
        AUTO(report_record_done) struct report r;
        AUTO(str_done) struct str text = STR_INIT(512);
        report_case_make((enum report_case)i, &r);

        report_verdict_words(&r, &text);

        assert_string_equal(str_text(&text), words[i]);
    }
    (void)state;
}

static void the_headline_names_the_worst_slower_row_however_large_a_faster_one_is(void **state)
{
    AUTO(report_record_done) struct report r;
    AUTO(str_done) struct str text = STR_INIT(512);
    report_case_make(CASE_SLOWER, &r);
    r.verdict.outcome = OUTCOME_MIXED;
    r.verdict.lines.at[3].primary = true;
    r.verdict.lines.at[3].effect = -0.9;

    report_headline(&r, &text);

    assert_string_equal(str_text(&text), "mixed (confirmed): failed requests +2.10 points "
                                         "[+1.70, +2.50], 4 of 7 rows changed");
    (void)state;
}

static void error_rates_are_told_in_points(void **state)
{
    AUTO(str_done) struct str text = STR_INIT(64);

    report_effect(METRIC_ERRORS, 0.021, &text);

    assert_string_equal(str_text(&text), "+2.10 points");
    (void)state;
}

static void only_regressions_and_failures_change_the_exit_status(void **state)
{
    static const int status[CASE_COUNT] = {
        [CASE_SLOWER] = 1, [CASE_SUSPECTED] = 1, [CASE_UNDECIDED] = 0, [CASE_IDENTICAL] = 0,
        [CASE_FIRST] = 0,  [CASE_BROKEN] = 2,    [CASE_HOSTILE] = 1,
    };
    for (int i = 0; i < CASE_COUNT; i++) {
        AUTO(report_record_done) struct report r;
        report_case_make((enum report_case)i, &r);

        assert_int_equal(report_exit_status(&r), status[i]);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_use_the_fixed_words),
        cmocka_unit_test(the_headline_names_the_worst_slower_row_however_large_a_faster_one_is),
        cmocka_unit_test(error_rates_are_told_in_points),
        cmocka_unit_test(only_regressions_and_failures_change_the_exit_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
