/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report_parts.h"

struct pair {
    const char *in, *out;
};

static void check(void (*escape)(struct str *, struct view), const struct pair *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        AUTO(str_done) struct str text = STR_INIT(4096);

        escape(&text, view_z(cases[i].in));

        assert_string_equal(str_text(&text), cases[i].out);
    }
}

static void harmless_names_stand_between_backticks(void **state)
{
    static const struct pair cases[] = {
        {"items", "`items`"},
        {"GET /items/42", "`GET /items/42`"},
        {"@root #1 !2 [x](y)", "`@root #1 !2 [x](y)`"},
        {"", ""},
        {"gr\xc3\xbc\xc3\x9f", "`gr\xc3\xbc\xc3\x9f`"},
    };

    check(escape_md_code, cases, ARRAY_LEN(cases));
    (void)state;
}

static void names_that_could_end_the_code_become_references(void **state)
{
    static const struct pair cases[] = {
        {"a`b", "<code>a&#96;b</code>"},         {"a|b", "<code>a&#124;b</code>"},
        {"<!--", "<code>&#60;&#33;--</code>"},   {" x", "<code>&#32;x</code>"},
        {"`@all", "<code>&#96;&#64;all</code>"}, {"\\", "<code>&#92;</code>"},
    };

    check(escape_md_code, cases, ARRAY_LEN(cases));
    (void)state;
}

static void controls_and_broken_bytes_are_replaced(void **state)
{
    static const struct pair cases[] = {
        {"a\nb", "`a\xef\xbf\xbd"
                 "b`"},
        {"\x1b[31m", "`\xef\xbf\xbd[31m`"},
        {"\xff", "`\xef\xbf\xbd`"},
        {"\xc3", "`\xef\xbf\xbd`"},
        {"\xe2\x80\xae"
         "x",
         "`\xef\xbf\xbdx`"},
        {"\xc2\x85", "`\xef\xbf\xbd`"},
    };

    check(escape_md_code, cases, ARRAY_LEN(cases));
    (void)state;
}

static void sentences_neither_notify_nor_format(void **state)
{
    static const struct pair cases[] = {
        {"@root", "&#64;&#8203;root"},
        {"#1", "&#35;&#8203;1"},
        {"!1", "&#33;&#8203;1"},
        {"[+1 %, +2 %]", "\\[+1 %, +2 %\\]"},
        {"<b> & |", "&#60;b&#62; &#38; &#124;"},
        {"cpu_time *x*", "cpu\\_time \\*x\\*"},
    };

    check(escape_md_text, cases, ARRAY_LEN(cases));
    (void)state;
}

static void a_terminal_gets_question_marks(void **state)
{
    static const struct pair cases[] = {
        {"a\x1b]0;x\x07", "a?]0;x?"},
        {"\xf0\x9f\x9a\x80", "\xf0\x9f\x9a\x80"},
        {"\xf0\x9f\x9a", "???"},
    };

    check(escape_plain, cases, ARRAY_LEN(cases));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(harmless_names_stand_between_backticks),
        cmocka_unit_test(names_that_could_end_the_code_become_references),
        cmocka_unit_test(controls_and_broken_bytes_are_replaced),
        cmocka_unit_test(sentences_neither_notify_nor_format),
        cmocka_unit_test(a_terminal_gets_question_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
