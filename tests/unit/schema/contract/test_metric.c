/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "metric.h"

static void every_metric_is_found_by_its_name(void **state)
{
    for (int i = 0; i < METRIC_COUNT; i++) {
        enum metric found = METRIC_COUNT;
        const struct metric_info *m = &metric_table[i];

        assert_int_equal(metric_by_name(view_z(m->name), &found), 0);

        assert_int_equal(found, i);
        assert_true(m->direction == 1 || m->direction == -1);
        assert_true(m->least_effect > 0 && m->least_effect < 1);
        assert_true(m->title[0] && m->unit[0]);
    }
    (void)state;
}

static void other_names_are_not(void **state)
{
    static const char *const names[] = {"", "P50", "p50 ", "p5", "latency", "cpu_per_requests"};
    enum metric found = METRIC_P90;

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(metric_by_name(view_z(names[i]), &found), -1);

    assert_int_equal(found, METRIC_P90);
    (void)state;
}

static void values_are_shown_with_three_digits_and_a_unit(void **state)
{
    static const struct {
        enum metric m;
        double value;
        const char *text;
    } cases[] = {
        {METRIC_P50, 0, "0.00 ns"},
        {METRIC_P50, 12300, "12.3 us"},
        {METRIC_P50, 1234567, "1.23 ms"},
        {METRIC_P50, 999.4, "999 ns"},
        {METRIC_P50, 999.7, "1.00 us"},
        {METRIC_P50, 999999, "1.00 ms"},
        {METRIC_P50, 9.994, "9.99 ns"},
        {METRIC_P50, 9.996, "10.0 ns"},
        {METRIC_P50, 99.96, "100 ns"},
        {METRIC_P50, 3.6e12, "3600 s"},
        {METRIC_P50, -12300, "-12.3 us"},
        {METRIC_THROUGHPUT, 4560, "4.56 k/s"},
        {METRIC_THROUGHPUT, 0.25, "0.25 /s"},
        {METRIC_THROUGHPUT, 1.5e6, "1.50 M/s"},
        {METRIC_PEAK_MEMORY, 1023, "1023 B"},
        {METRIC_PEAK_MEMORY, 1536, "1.50 KiB"},
        {METRIC_PEAK_MEMORY, 1048575, "1.00 MiB"},
        {METRIC_PEAK_MEMORY, 0x1p31, "2.00 GiB"},
        {METRIC_ERRORS, 0.0123, "1.23 %"},
        {METRIC_ERRORS, 1, "100 %"},
        {METRIC_ERRORS, 0, "0.00 %"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(str_done) struct str out = STR_INIT(64);

        metric_format(cases[i].m, cases[i].value, &out);

        assert_string_equal(str_text(&out), cases[i].text);
    }
    (void)state;
}

static void what_is_no_number_is_a_dash(void **state)
{
    AUTO(str_done) struct str out = STR_INIT(64);

    metric_format_unit("ns", NAN, &out);
    metric_format_unit("B", INFINITY, &out);

    assert_string_equal(str_text(&out), "--");
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_metric_is_found_by_its_name),
        cmocka_unit_test(other_names_are_not),
        cmocka_unit_test(values_are_shown_with_three_digits_and_a_unit),
        cmocka_unit_test(what_is_no_number_is_a_dash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
