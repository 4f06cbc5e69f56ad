/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report_cases.h"

static void each_verdict_reads_as_its_golden_file(void **state)
{
    for (int i = 0; i < CASE_COUNT; i++) {
        AUTO(report_record_done) struct report r;
        AUTO(str_done) struct str text = STR_INIT(REPORT_MD_BYTES_MAX);
        report_case_make((enum report_case)i, &r);

        report_md(&r, &text);

        golden_check(report_case_names[i], "md", &text);
    }
    (void)state;
}

static void no_line_begins_with_a_slash(void **state)
{
    for (int i = 0; i < CASE_COUNT; i++) {
        AUTO(report_record_done) struct report r;
        AUTO(str_done) struct str text = STR_INIT(REPORT_MD_BYTES_MAX);
        report_case_make((enum report_case)i, &r);

        report_md(&r, &text);

        struct view rest = str_view(&text), line;
        while (view_line(&rest, &line))
            assert_false(view_starts(view_trim(line), "/"));
    }
    (void)state;
}

static void foreign_names_cannot_forge_a_marker(void **state)
{
    AUTO(report_record_done) struct report r;
    AUTO(str_done) struct str text = STR_INIT(REPORT_MD_BYTES_MAX);
    report_case_make(CASE_HOSTILE, &r);

    report_md(&r, &text);

    assert_null(strstr(str_text(&text), "<!--"));
    assert_null(strstr(str_text(&text), "<img"));
    assert_null(strstr(str_text(&text), "<script"));
    assert_null(strchr(str_text(&text), '\033'));
    assert_true(view_is_utf8(str_view(&text)));
    (void)state;
}

/* A cell ends at every '|' that is not escaped, even inside code. */
static void every_row_of_the_table_has_seven_cells(void **state)
{
    AUTO(report_record_done) struct report r;
    AUTO(str_done) struct str text = STR_INIT(REPORT_MD_BYTES_MAX);
    report_case_make(CASE_HOSTILE, &r);

    report_md(&r, &text);

    struct view rest = str_view(&text), line;
    int rows = 0;
    while (view_line(&rest, &line)) {
        if (!view_starts(line, "|"))
            continue;
        int bars = 0;
        for (size_t i = 0; i < line.len; i++)
            bars += line.at[i] == '|';
        assert_int_equal(bars, 8);
        rows++;
    }
    assert_int_equal(rows, 4);
    (void)state;
}

static void rows_that_do_not_fit_are_counted(void **state)
{
    AUTO(report_record_done) struct report r;
    AUTO(str_done) struct str text = STR_INIT(REPORT_MD_BYTES_MAX);
    report_case_make(CASE_UNDECIDED, &r);
    struct verdict_line one = r.verdict.lines.at[0];
    memset(one.scenario, 'x', RESULT_NAME_MAX);
    for (int i = 0; i < 998; i++)
        *vec_push(&r.verdict.lines) = one;

    report_md(&r, &text);

    assert_false(text.cut);
    assert_non_null(strstr(str_text(&text), "995 more rows"));
    assert_non_null(strstr(str_text(&text), "rows are left out here for their length"));
    assert_non_null(strstr(str_text(&text), "</details>"));
    assert_non_null(strstr(str_text(&text), "What now:"));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_verdict_reads_as_its_golden_file),
        cmocka_unit_test(no_line_begins_with_a_slash),
        cmocka_unit_test(foreign_names_cannot_forge_a_marker),
        cmocka_unit_test(every_row_of_the_table_has_seven_cells),
        cmocka_unit_test(rows_that_do_not_fit_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
