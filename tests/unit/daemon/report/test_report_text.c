/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report_cases.h"
#include "report_parts.h"

static void each_verdict_reads_as_its_golden_file(void **state)
{
    for (int i = 0; i < CASE_COUNT; i++) {
        AUTO(report_record_done) struct report r;
        AUTO(str_done) struct str text = STR_INIT(REPORT_TEXT_BYTES_MAX);
        report_case_make((enum report_case)i, &r);

        report_text(&r, &(struct report_text_style){.width = 120}, &text);

        golden_check(report_case_names[i], "txt", &text);
    }
    (void)state;
}

static void a_narrow_terminal_gets_two_lines_a_row(void **state)
{
    AUTO(report_record_done) struct report r;
    AUTO(str_done) struct str text = STR_INIT(REPORT_TEXT_BYTES_MAX);
    report_case_make(CASE_SLOWER, &r);

    report_text(&r, &(struct report_text_style){.width = 60}, &text);

    golden_check("slower_narrow", "txt", &text);
    (void)state;
}

static void no_escape_sequence_of_the_repository_reaches_the_terminal(void **state)
{
    AUTO(report_record_done) struct report r;
    AUTO(str_done) struct str text = STR_INIT(REPORT_TEXT_BYTES_MAX);
    report_case_make(CASE_HOSTILE, &r);

    report_text(&r, &(struct report_text_style){.width = 200}, &text);

    for (size_t i = 0; i < text.len; i++)
        assert_true(text.at[i] == '\n' || (unsigned char)text.at[i] >= ' ');
    assert_true(view_is_utf8(str_view(&text)));
    (void)state;
}

static void colour_adds_nothing_but_escape_sequences(void **state)
{
    AUTO(report_record_done) struct report r;
    AUTO(str_done) struct str plain = STR_INIT(REPORT_TEXT_BYTES_MAX);
    AUTO(str_done) struct str colour = STR_INIT(REPORT_TEXT_BYTES_MAX);
    AUTO(str_done) struct str without = STR_INIT(REPORT_TEXT_BYTES_MAX);
    report_case_make(CASE_SLOWER, &r);

    report_text(&r, &(struct report_text_style){.width = 120}, &plain);
    report_text(&r, &(struct report_text_style){.width = 120, .colour = true}, &colour);

    bool inside = false;
    for (size_t i = 0; i < colour.len; i++) {
        inside = inside || colour.at[i] == '\033';
        if (!inside)
            str_addc(&without, colour.at[i]);
        inside = inside && colour.at[i] != 'm';
    }
    assert_true(colour.len > plain.len);
    assert_string_equal(str_text(&without), str_text(&plain));
    (void)state;
}

static void lines_stay_inside_the_terminal(void **state)
{
    static const int widths[] = {80, 100, 120, 160};
    for (size_t i = 0; i < ARRAY_LEN(widths); i++) {
        AUTO(report_record_done) struct report r;
        AUTO(str_done) struct str text = STR_INIT(REPORT_TEXT_BYTES_MAX);
        report_case_make(CASE_SUSPECTED, &r);

        report_text(&r, &(struct report_text_style){.width = widths[i]}, &text);

        struct view rest = str_view(&text), line;
        while (view_line(&rest, &line))
            assert_true(escape_columns(line) <= (size_t)widths[i] + 20 &&
                        (widths[i] < 120 || escape_columns(line) <= (size_t)widths[i]));
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_verdict_reads_as_its_golden_file),
        cmocka_unit_test(a_narrow_terminal_gets_two_lines_a_row),
        cmocka_unit_test(no_escape_sequence_of_the_repository_reaches_the_terminal),
        cmocka_unit_test(colour_adds_nothing_but_escape_sequences),
        cmocka_unit_test(lines_stay_inside_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
