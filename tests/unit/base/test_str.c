/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "mem.h"
#include "str.h"

static void adding_beyond_the_ceiling_keeps_what_fits(void **state)
{
    AUTO(str_done) struct str s = STR_INIT(5);

    str_addz(&s, "abc");
    assert_false(s.cut);
    str_addz(&s, "def");

    assert_true(s.cut);
    assert_string_equal(str_text(&s), "abcde");
    assert_int_equal(s.len, 5);
    str_addc(&s, 'x');
    assert_int_equal(s.len, 5);
    (void)state;
}

static void formatted_text_is_cut_at_the_ceiling_too(void **state)
{
    AUTO(str_done) struct str s = STR_INIT(8);

    str_addf(&s, "%s-%d", "number", 12345);

    assert_string_equal(str_text(&s), "number-1");
    assert_true(s.cut);
    (void)state;
}

static void a_text_that_just_fits_is_not_cut(void **state)
{
    AUTO(str_done) struct str s = STR_INIT(6);

    str_addf(&s, "%06d", 7);

    assert_string_equal(str_text(&s), "000007");
    assert_false(s.cut);
    (void)state;
}

static void a_ceiling_of_nothing_holds_nothing(void **state)
{
    AUTO(str_done) struct str s = STR_INIT(0);

    str_addz(&s, "");
    assert_false(s.cut);
    str_addz(&s, "a");

    assert_true(s.cut);
    assert_string_equal(str_text(&s), "");
    (void)state;
}

static void it_grows_through_many_additions(void **state)
{
    AUTO(str_done) struct str s = STR_INIT(1 << 20);

    for (int i = 0; i < 100000; i++)
        str_addc(&s, (char)('a' + i % 26));

    assert_int_equal(s.len, 100000);
    assert_int_equal(strlen(str_text(&s)), 100000);
    assert_int_equal(s.at[25], 'z');
    assert_false(s.cut);
    (void)state;
}

static void any_byte_can_be_kept(void **state)
{
    AUTO(str_done) struct str s = STR_INIT(16);

    str_add(&s, (struct view){"a\0b", 3});
    str_add(&s, (struct view){0});

    assert_int_equal(s.len, 3);
    assert_memory_equal(s.at, "a\0b\0", 4);
    (void)state;
}

static void reserve_tells_how_much_room_is_left(void **state)
{
    AUTO(str_done) struct str s = STR_INIT(100);
    str_addz(&s, "1234567890");

    assert_int_equal(str_reserve(&s, 50), 50);
    assert_int_equal(str_reserve(&s, 200), 90);

    memset(s.at + s.len, 'x', 90);
    s.len += 90;
    assert_int_equal(str_reserve(&s, 1), 0);
    (void)state;
}

static void stealing_gives_the_text_away(void **state)
{
    struct str s = STR_INIT(100);
    str_addz(&s, "mine");

    char *text = str_steal(&s);
    char *nothing = str_steal(&s);

    assert_string_equal(text, "mine");
    assert_string_equal(nothing, "");
    assert_null(s.at);
    free(text);
    free(nothing);
    (void)state;
}

static void clearing_keeps_memory_and_forgets_the_cut(void **state)
{
    AUTO(str_done) struct str s = STR_INIT(3);
    str_addz(&s, "abcd");

    str_clear(&s);

    assert_false(s.cut);
    assert_string_equal(str_text(&s), "");
    str_addz(&s, "xyz");
    assert_string_equal(str_text(&s), "xyz");
    (void)state;
}

static void empty_views_are_safe_everywhere(void **state)
{
    struct view none = {0}, head, rest = {0}, line;
    unsigned char byte;

    assert_true(view_eq(none, VIEW("")));
    assert_true(view_eqz(none, ""));
    assert_true(view_starts(none, ""));
    assert_true(view_ends(none, ""));
    assert_false(view_starts(none, "a"));
    assert_false(view_ends(none, "a"));
    assert_int_equal(view_skip(none, 5).len, 0);
    assert_int_equal(view_trim(none).len, 0);
    assert_false(view_cut(none, ',', &head, &rest));
    assert_false(view_line(&rest, &line));
    assert_true(view_is_utf8(none));
    assert_int_equal(view_utf8_prefix(none, 3), 0);
    assert_int_equal(view_distance(none, VIEW("abc")), 3);
    assert_true(view_hex(none, &byte, 0));
    free(mem_strndup(NULL, 0));
    (void)state;
}

static void views_are_compared_and_trimmed(void **state)
{
    assert_false(view_eq(VIEW("ab"), VIEW("abc")));
    assert_false(view_eq(VIEW("a\0b"), VIEW("a\0c")));
    assert_true(view_starts(VIEW("refs/heads/main"), "refs/heads/"));
    assert_true(view_ends(VIEW("main.c"), ".c"));
    assert_false(view_ends(VIEW("c"), ".c"));
    assert_true(view_eqz(view_trim(VIEW(" \t\r\n a b \n")), "a b"));
    assert_int_equal(view_trim(VIEW(" \n ")).len, 0);
    (void)state;
}

static void cutting_splits_at_the_first_separator(void **state)
{
    struct view head, rest;

    assert_true(view_cut(VIEW("a=b=c"), '=', &head, &rest));
    assert_true(view_eqz(head, "a"));
    assert_true(view_eqz(rest, "b=c"));

    assert_true(view_cut(VIEW("a="), '=', &head, &rest));
    assert_int_equal(rest.len, 0);

    assert_false(view_cut(VIEW("abc"), '=', &head, &rest));
    assert_true(view_eqz(head, "abc"));
    assert_int_equal(rest.len, 0);
    (void)state;
}

static void lines_end_with_lf_or_crlf(void **state)
{
    static const char *const expected[] = {"one", "", "two", "last"};
    struct view rest = VIEW("one\n\r\ntwo\r\nlast"), line;

    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_true(view_line(&rest, &line));
        assert_true(view_eqz(line, expected[i]));
    }
    assert_false(view_line(&rest, &line));
    (void)state;
}

static void utf8_is_what_rfc_3629_says(void **state)
{
    static const struct {
        struct view text;
        bool good;
    } cases[] = {
        {VIEW("plain"), true},
        {VIEW("\xc3\xa9"), true},                 /* e acute */
        {VIEW("\xe2\x82\xac"), true},             /* euro sign */
        {VIEW("\xf0\x9f\x98\x80"), true},         /* a face */
        {VIEW("\xf4\x8f\xbf\xbf"), true},         /* U+10FFFF */
        {VIEW("\xed\x9f\xbf\xee\x80\x80"), true}, /* around the surrogates */
        {VIEW("\x80"), false},                    /* continuation alone */
        {VIEW("\xc3"), false},                    /* cut off */
        {VIEW("\xc3("), false},
        {VIEW("\xe2\x82"), false},
        {VIEW("\xc0\xaf"), false}, /* overlong '/' */
        {VIEW("\xc1\xbf"), false},
        {VIEW("\xe0\x80\xaf"), false},     /* overlong */
        {VIEW("\xf0\x80\x80\xaf"), false}, /* overlong */
        {VIEW("\xed\xa0\x80"), false},     /* surrogate */
        {VIEW("\xed\xbf\xbf"), false},
        {VIEW("\xf4\x90\x80\x80"), false}, /* above U+10FFFF */
        {VIEW("\xf5\x80\x80\x80"), false},
        {VIEW("\xff"), false},
        {VIEW("ok\xfe"), false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(view_is_utf8(cases[i].text), cases[i].good);
    (void)state;
}

static void cutting_never_splits_a_character(void **state)
{
    struct view text = VIEW("a\xe2\x82\xac"
                            "b");

    assert_int_equal(view_utf8_prefix(text, 0), 0);
    assert_int_equal(view_utf8_prefix(text, 1), 1);
    assert_int_equal(view_utf8_prefix(text, 2), 1);
    assert_int_equal(view_utf8_prefix(text, 3), 1);
    assert_int_equal(view_utf8_prefix(text, 4), 4);
    assert_int_equal(view_utf8_prefix(text, 5), 5);
    assert_int_equal(view_utf8_prefix(text, 99), 5);
    assert_int_equal(view_utf8_prefix(VIEW("\x80\x80\x80"), 2), 0);
    (void)state;
}

static void distance_counts_single_edits(void **state)
{
    char far[66];
    memset(far, 'x', 65);
    far[65] = '\0';

    assert_int_equal(view_distance(VIEW("rate"), VIEW("rate")), 0);
    assert_int_equal(view_distance(VIEW("rat"), VIEW("rate")), 1);
    assert_int_equal(view_distance(VIEW("kitten"), VIEW("sitting")), 3);
    assert_int_equal(view_distance(VIEW(""), VIEW("ab")), 2);
    assert_int_equal(view_distance(VIEW("abcdefghijkl"), VIEW("mnopqrstuvwx")), 9);
    assert_int_equal(view_distance(view_z(far), view_z(far)), 9); /* too long to compare */
    (void)state;
}

static void hexadecimal_goes_there_and_back(void **state)
{
    unsigned char all[256], back[256];
    AUTO(str_done) struct str hex = STR_INIT(1024);
    for (int i = 0; i < 256; i++)
        all[i] = (unsigned char)i;

    str_add_hex(&hex, all, sizeof all);
    assert_true(view_hex(str_view(&hex), back, sizeof back));

    assert_memory_equal(all, back, sizeof all);
    assert_int_equal(hex.len, 512);
    assert_true(view_hex(VIEW("aBcD"), back, 2));
    assert_int_equal(back[0] << 8 | back[1], 0xabcd);
    assert_false(view_hex(VIEW("abc"), back, 2));
    assert_false(view_hex(VIEW("abcde"), back, 2));
    assert_false(view_hex(VIEW("abcg"), back, 2));
    assert_false(view_hex(VIEW("ab c"), back, 2));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adding_beyond_the_ceiling_keeps_what_fits),
        cmocka_unit_test(formatted_text_is_cut_at_the_ceiling_too),
        cmocka_unit_test(a_text_that_just_fits_is_not_cut),
        cmocka_unit_test(a_ceiling_of_nothing_holds_nothing),
        cmocka_unit_test(it_grows_through_many_additions),
        cmocka_unit_test(any_byte_can_be_kept),
        cmocka_unit_test(reserve_tells_how_much_room_is_left),
        cmocka_unit_test(stealing_gives_the_text_away),
        cmocka_unit_test(clearing_keeps_memory_and_forgets_the_cut),
        cmocka_unit_test(empty_views_are_safe_everywhere),
        cmocka_unit_test(views_are_compared_and_trimmed),
        cmocka_unit_test(cutting_splits_at_the_first_separator),
        cmocka_unit_test(lines_end_with_lf_or_crlf),
        cmocka_unit_test(utf8_is_what_rfc_3629_says),
        cmocka_unit_test(cutting_never_splits_a_character),
        cmocka_unit_test(distance_counts_single_edits),
        cmocka_unit_test(hexadecimal_goes_there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
