/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "json.h"

static const struct json_rules shallow = {1000, 3, false, false};

/* Parses 'text' and compares the complaint; NULL: there must be none. */
static void check(const struct json_rules *rules, struct view text, const char *complaint)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    struct err e = {0};

    int rc = json_parse(text, rules, &doc, &e);

    if (complaint) {
        assert_string_equal(rc < 0 ? e.text : "(read without a complaint)", complaint);
        assert_true(e.kind == ERR_INPUT || e.kind == ERR_LIMIT);
        assert_null(doc);
    } else if (rc < 0) {
        fail_msg("%s: %.*s", e.text, (int)text.len, text.at);
    }
}

static void values_of_every_type_are_read(void **state)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    struct view text = VIEW("{\"s\":\"a\\u00e9\\n\\ud83d\\ude00\",\"n\":-1.5e2,\"t\":true,"
                            "\"f\":false,\"z\":null,\"a\":[1,2,3],\"o\":{}}");
    assert_int_equal(json_parse(text, &JSON_MESSAGE, &doc, NULL), 0);

    const struct json *root = json_root(doc);

    assert_int_equal(json_count(root), 7);
    assert_true(view_eqz(json_text(json_get(root, "s")), "a\xc3\xa9\n\xf0\x9f\x98\x80"));
    assert_true(json_number(json_get(root, "n")) == -150);
    assert_true(json_bool(json_get(root, "t")));
    assert_false(json_bool(json_get(root, "f")));
    assert_int_equal(json_type(json_get(root, "z")), JSON_NULL);
    assert_int_equal(json_type(json_get(root, "o")), JSON_OBJECT);
    assert_int_equal(json_count(json_get(root, "a")), 3);
    assert_string_equal(json_key(json_first(root)), "s");
    assert_null(json_key(json_first(json_get(root, "a"))));
    assert_null(json_get(root, "S")); /* keys are case-sensitive */
    assert_null(json_get(json_get(root, "a"), "s"));
    assert_null(json_get(NULL, "s"));
    assert_null(json_first(json_get(root, "o")));
    (void)state;
}

static void a_document_may_be_any_value(void **state)
{
    static const char *const texts[] = {"1",   "-0",  "\"\"", "true",     "false",   "null",
                                        "[]",  "{}",  " 1 ",  "1\n",      "[[]]",    "[{}]",
                                        "1e5", "0.0", "1E+2", "\"\\\"\"", "\"/\\/\""};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        check(&JSON_MESSAGE, view_z(texts[i]), NULL);
    (void)state;
}

static void what_json_forbids_is_refused_with_its_place(void **state)
{
    static const struct {
        struct view text;
        const char *complaint;
    } cases[] = {
        {VIEW(""), "1:1: the text ends where a value is expected"},
        {VIEW("  \n "), "2:2: the text ends where a value is expected"},
        {VIEW("[1"), "1:3: expected ',' or ']'"},
        {VIEW("[1,]"), "1:4: expected a value"},
        {VIEW("[,]"), "1:2: expected a value"},
        {VIEW("[1,,2]"), "1:4: expected a value"},
        {VIEW("[1 2]"), "1:4: expected ',' or ']'"},
        {VIEW("{\"a\" 1}"), "1:6: expected ':' after a key"},
        {VIEW("{\"a\":}"), "1:6: expected a value"},
        {VIEW("{\"a\":1,}"), "1:8: expected a key in double quotes"},
        {VIEW("{a:1}"), "1:2: expected a key in double quotes or '}'"},
        {VIEW("{'a':1}"), "1:2: expected a key in double quotes or '}'"},
        {VIEW("{\"a\":1"), "1:7: expected ',' or '}'"},
        {VIEW("[1}"), "1:3: expected ',' or ']'"},
        {VIEW("1 2"), "1:3: text after the end of the document"},
        {VIEW("{}x"), "1:3: text after the end of the document"},
        {VIEW("truex"), "1:5: text after the end of the document"},
        {VIEW("True"), "1:1: expected a value"},
        {VIEW("NaN"), "1:1: expected a value"},
        {VIEW("Infinity"), "1:1: expected a value"},
        {VIEW("01"), "1:1: this is not a number that JSON knows"},
        {VIEW("-"), "1:1: this is not a number that JSON knows"},
        {VIEW("-01"), "1:1: this is not a number that JSON knows"},
        {VIEW("1."), "1:1: this is not a number that JSON knows"},
        {VIEW("1.e5"), "1:1: this is not a number that JSON knows"},
        {VIEW("1e"), "1:1: this is not a number that JSON knows"},
        {VIEW("1e+"), "1:1: this is not a number that JSON knows"},
        {VIEW(".5"), "1:1: expected a value"},
        {VIEW("+1"), "1:1: expected a value"},
        {VIEW("0x10"), "1:1: this is not a number that JSON knows"},
        {VIEW("[1\0]"), "1:2: this is not a number that JSON knows"},
        {VIEW("1\0"), "1:1: this is not a number that JSON knows"},
        {VIEW("[1e999]"), "1:2: the number is too large"},
        {VIEW("[-1e999]"), "1:2: the number is too large"},
        {VIEW("1111111111111111111111111111111111111111111111111111111111111"),
         "1:1: this is not a number that JSON knows"},
        {VIEW("\"a"), "1:1: string is not closed"},
        {VIEW("\"a\\"), "1:4: unknown escape in a string"},
        {VIEW("\"\\x\""), "1:3: unknown escape in a string"},
        {VIEW("\"\\u12\""), "1:4: '\\u' needs four hexadecimal digits"},
        {VIEW("\"\\u00g0\""), "1:4: '\\u' needs four hexadecimal digits"},
        {VIEW("\"a\\u0000b\""), "1:9: '\\u0000' is not allowed in a string"},
        {VIEW("\"\\ud800\""), "1:8: half of a surrogate pair in a string"},
        {VIEW("\"\\ud800\\n\""), "1:8: half of a surrogate pair in a string"},
        {VIEW("\"\\ud800\\u0041\""), "1:14: half of a surrogate pair in a string"},
        {VIEW("\"\\udc00\""), "1:8: half of a surrogate pair in a string"},
        {VIEW("\"a\nb\""), "1:3: control character in a string; write it as an escape"},
        {VIEW("\"a\tb\""), "1:3: control character in a string; write it as an escape"},
        {VIEW("\"a\0b\""), "1:3: control character in a string; write it as an escape"},
        {VIEW("\0"), "1:1: expected a value"},
        {VIEW("[\"a\xff\"]"), "1:4: the text is not UTF-8"},
        {VIEW("[\n\"\xc3\xa9\",\n\"\xc0\xaf\"]"), "3:2: the text is not UTF-8"},
        {VIEW("{\"a\":1}\n\xed\xa0\x80"), "2:1: the text is not UTF-8"},
        {VIEW("\xef\xbb\xbf{}"), "1:1: expected a value"}, /* byte order mark */
        {VIEW("// x\n1"), "1:1: expected a value"},
        {VIEW("1 // x"), "1:3: text after the end of the document"},
        {VIEW("1/"), "1:2: text after the end of the document"},
        {VIEW("{\"a\":1,\"b\":2,\n \"a\":3}"), "2:2: key 'a' is given twice"},
        {VIEW("{\"a\":1,\"\\u0061\":2}"), "1:8: key 'a' is given twice"},
        {VIEW("[{\"x\":{\"\":1,\"\":2}}]"), "1:13: key '' is given twice"},
        {VIEW("\xc2\xa0"
              "1"),
         "1:1: expected a value"}, /* a blank that is none in JSON */
        {VIEW("\f1"), "1:1: expected a value"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(&JSON_MESSAGE, cases[i].text, cases[i].complaint);
    (void)state;
}

static void configuration_may_have_comments_and_trailing_commas(void **state)
{
    static const struct {
        struct view text;
        const char *complaint;
    } cases[] = {
        {VIEW("// one\n{\"a\":1, // two\n\"b\":[1,2,],/* three */}// end"), NULL},
        {VIEW("/**/1/**/"), NULL},
        {VIEW("/* // */ 1"), NULL},
        {VIEW("// /*\n1"), NULL},
        {VIEW("[1,\n// last\n]"), NULL},
        {VIEW("{\"a\"/**/:/**/1/**/,/**/}"), NULL},
        {VIEW("\"// no /* comment */\""), NULL},
        {VIEW("/*/ 1"), "1:1: comment is not closed"},
        {VIEW("/* 1"), "1:1: comment is not closed"},
        {VIEW("1 / 2"), "1:3: unexpected '/'"},
        {VIEW("/"), "1:1: unexpected '/'"},
        {VIEW("[,]"), "1:2: expected a value"},
        {VIEW("[1,,]"), "1:4: expected a value"},
        {VIEW("{,}"), "1:2: expected a key in double quotes or '}'"},
        {VIEW("1,"), "1:2: text after the end of the document"},
        {VIEW("// only a comment"), "1:18: the text ends where a value is expected"},
        {VIEW("/* \xff */ 1"), "1:4: the text is not UTF-8"},
        /* Places count characters of what was given, comments included. */
        {VIEW("/* \xc3\xa9\xe2\x82\xac */ x"), "1:10: expected a value"},
        {VIEW("{ // \xc3\xa9\n /* \xc3\xa9 */ \"a\":1, \"a\":2}"),
         "2:17: key 'a' is given twice"},
        {VIEW("/*\n\n*/ {\r\n  \"a\": x}"), "4:8: expected a value"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(&JSON_CONFIG, cases[i].text, cases[i].complaint);
    (void)state;
}

static void depth_and_size_have_ceilings(void **state)
{
    AUTO(str_done) struct str deep = STR_INIT(200000), large = STR_INIT(1 << 20);
    for (int i = 0; i < 100000; i++)
        str_addc(&deep, '[');
    while (large.len < 300000)
        str_addc(&large, ' ');

    check(&shallow, VIEW("[[[1]]]"), NULL);
    check(&shallow, VIEW("[[[[1]]]]"), "1:4: nested deeper than 3");
    check(&shallow, VIEW("[[],[],{\"a\":[]},[[]]]"), NULL);
    check(&JSON_MESSAGE, str_view(&deep), "1:33: nested deeper than 32");
    check(&JSON_CONFIG, str_view(&large), "1:1: the document has more than 262144 bytes");
    (void)state;
}

static void values_have_a_ceiling_below_what_memory_can_bear(void **state)
{
    AUTO(str_done) struct str many = STR_INIT(8 << 20);
    AUTO(json_freep) struct json_doc *doc = NULL;
    struct err e = {0};
    str_addc(&many, '[');
    for (int i = 0; i < (2 << 20); i++)
        str_addz(&many, "1,");
    str_addz(&many, "1]");

    assert_int_equal(json_parse(str_view(&many), &JSON_RESULT, &doc, &e), -1);

    assert_int_equal(e.kind, ERR_LIMIT);
    assert_non_null(strstr(e.text, "more than 2097152 values"));
    (void)state;
}

static void many_keys_are_checked_in_good_time(void **state)
{
    AUTO(str_done) struct str text = STR_INIT(4 << 20);
    AUTO(json_freep) struct json_doc *doc = NULL;
    struct err e = {0};
    for (int i = 0; i < 100000; i++)
        str_addf(&text, "%c\"k%d\":%d", i ? ',' : '{', i, i);
    str_addz(&text, ",\n\"k500\":0}");

    assert_int_equal(json_parse(str_view(&text), &JSON_RESULT, &doc, &e), -1);

    assert_string_equal(e.text, "2:1: key 'k500' is given twice");
    (void)state;
}

static void values_keep_their_places(void **state)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    struct err e = {0};
    struct view text = VIEW("{\n  \"a\": [1, {\"b\": \"x\"}],\n  \"c\": 2,\n}");
    assert_int_equal(json_parse(text, &JSON_CONFIG, &doc, NULL), 0);
    const struct json *root = json_root(doc), *a = json_get(root, "a");

    assert_int_equal(json_fail(doc, NULL, &e, "root"), -1);
    assert_string_equal(e.text, "1:1: root");
    json_fail(doc, a, &e, "%s", "a");
    assert_string_equal(e.text, "2:8: a");
    json_fail(doc, json_first(a), &e, "first");
    assert_string_equal(e.text, "2:9: first");
    json_fail(doc, json_get(json_next(json_first(a)), "b"), &e, "b");
    assert_string_equal(e.text, "2:18: b");
    json_fail(doc, json_get(root, "c"), &e, "c");
    assert_string_equal(e.text, "3:8: c");
    (void)state;
}

static void unknown_keys_are_named_with_the_nearest_known_one(void **state)
{
    static const char *const keys[] = {"rate", "duration", "ready", "x", NULL};
    static const struct {
        const char *text, *complaint;
    } cases[] = {
        {"{\"rate\":1,\"x\":2}", NULL},
        {"{}", NULL},
        {"{\"rate\":1,\n  \"rat\":2}",
         "2:3: unknown key 'rat' in 'load'; did you mean 'rate'?"},
        {"{\"Rate\":2}", "1:2: unknown key 'Rate' in 'load'; did you mean 'rate'?"},
        {"{\"duratoin\":2}", "1:2: unknown key 'duratoin' in 'load'; did you mean 'duration'?"},
        {"{\"something\":2}", "1:2: unknown key 'something' in 'load'"},
        {"{\"\":2}", "1:2: unknown key '' in 'load'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(json_freep) struct json_doc *doc = NULL;
        struct err e = {0};
        assert_int_equal(json_parse(view_z(cases[i].text), &JSON_MESSAGE, &doc, NULL), 0);

        int rc = json_only_keys(doc, json_root(doc), "load", keys, &e);

        assert_int_equal(rc, cases[i].complaint ? -1 : 0);
        assert_string_equal(e.text, cases[i].complaint ? cases[i].complaint : "");
    }
    (void)state;
}

static void readers_check_presence_type_range_and_unit(void **state)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    struct view text = VIEW("{\"t\":\"text\",\"i\":5,\"r\":1.5,\"b\":true,\"d\":\"10ms\","
                            "\"s\":\"1KiB\",\"q\":\"60/m\",\"p\":\"5%\",\"n\":null,\"e\":1e3}");
    assert_int_equal(json_parse(text, &JSON_MESSAGE, &doc, NULL), 0);
    const struct json *o = json_root(doc), *member = NULL;
    struct err e = {0};
    struct view v = {0};
    int64_t n = 7;
    double x = 7;
    bool b = false;

    assert_int_equal(json_read_text(doc, o, "t", true, &v, &e), 0);
    assert_true(view_eqz(v, "text"));
    assert_int_equal(json_read_int(doc, o, "absent", false, 0, 9, &n, &e), 0);
    assert_int_equal(n, 7); /* untouched */
    assert_int_equal(json_read_int(doc, o, "i", true, 5, 5, &n, &e), 0);
    assert_int_equal(n, 5);
    assert_int_equal(json_read_int(doc, o, "e", true, 0, 1000, &n, &e), 0);
    assert_int_equal(n, 1000);
    assert_int_equal(json_read_real(doc, o, "r", true, &x, &e), 0);
    assert_true(x == 1.5);
    assert_int_equal(json_read_bool(doc, o, "b", true, &b, &e), 0);
    assert_true(b);
    assert_int_equal(json_read_duration(doc, o, "d", true, 0, INT64_MAX, &n, &e), 0);
    assert_int_equal(n, 10000000);
    assert_int_equal(json_read_size(doc, o, "s", true, &n, &e), 0);
    assert_int_equal(n, 1024);
    assert_int_equal(json_read_rate(doc, o, "q", true, &x, &e), 0);
    assert_true(x == 1);
    assert_int_equal(json_read_share(doc, o, "p", true, &x, &e), 0);
    assert_true(x == 0.05);

    assert_int_equal(json_read_text(doc, o, "absent", true, &v, &e), -1);
    assert_string_equal(e.text, "1:1: 'absent' is missing");
    assert_int_equal(json_read_text(doc, o, "i", false, &v, &e), -1);
    assert_string_equal(e.text, "1:17: 'i' must be a string, not a number");
    assert_int_equal(json_read_text(doc, o, "n", false, &v, &e), -1);
    assert_int_equal(json_read_int(doc, o, "r", false, 0, 9, &n, &e), -1);
    assert_int_equal(json_read_int(doc, o, "i", false, 6, 9, &n, &e), -1);
    assert_string_equal(e.text, "1:17: 'i' must be a whole number from 6 to 9");
    assert_int_equal(json_read_int(doc, o, "i", false, 0, 4, &n, &e), -1);
    assert_int_equal(json_read_bool(doc, o, "i", false, &b, &e), -1);
    assert_int_equal(json_read_duration(doc, o, "s", false, 0, 1, &n, &e), -1);
    assert_int_equal(json_read_duration(doc, o, "d", false, 0, 1000000, &n, &e), -1);
    assert_string_equal(e.text, "1:40: 'd' must lie between 0s and 0.001s");
    assert_int_equal(json_read_size(doc, o, "d", false, &n, &e), -1);
    assert_string_equal(e.text,
                        "1:40: 'd': expected a size such as '64KiB' or '512MiB', got '10ms'");
    assert_int_equal(json_read_rate(doc, o, "p", false, &x, &e), -1);
    assert_int_equal(json_read_share(doc, o, "q", false, &x, &e), -1);
    assert_int_equal(json_read_member(doc, o, "i", true, JSON_ARRAY, &member, &e), -1);
    assert_null(member);
    assert_int_equal(json_read_text(doc, o, "i", false, &v, NULL), -1); /* no record: no text */
    (void)state;
}

static void whole_numbers_are_exact_in_all_63_bits(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
        bool good;
    } cases[] = {
        {"9223372036854775807", INT64_MAX, true},
        {"-9223372036854775808", INT64_MIN, true},
        {"9007199254740993", 9007199254740993, true}, /* 2^53 + 1 is no double */
        {"9223372036854775808", 0, false},
        {"-9223372036854775809", 0, false},
        {"9007199254740992.0", 9007199254740992, true},
        {"1e17", 0, false}, /* not exact for certain */
        {"0.5", 0, false},
        {"-0", 0, true},
        {"1.5e1", 15, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(json_freep) struct json_doc *doc = NULL;
        AUTO(str_done) struct str text = STR_INIT(100);
        int64_t n = -1;
        str_addf(&text, "{\"n\":%s}", cases[i].text);
        assert_int_equal(json_parse(str_view(&text), &JSON_MESSAGE, &doc, NULL), 0);

        int rc = json_read_int(doc, json_root(doc), "n", true, INT64_MIN, INT64_MAX, &n, NULL);

        assert_int_equal(rc, cases[i].good ? 0 : -1);
        assert_true(n == (cases[i].good ? cases[i].value : -1));
    }
    (void)state;
}

/* One comment with such a text must not hide a whole list of them. */
static void what_others_write_is_mended(void **state)
{
    static const struct {
        struct view text;
        const char *read;
    } cases[] = {
        {VIEW("[\"a\\u0000b\"]"), "a\xef\xbf\xbd"
                                  "b"},
        {VIEW("[\"\\ud800\"]"), "\xef\xbf\xbd"},
        {VIEW("[\"\\ud800\\u0041\"]"), "\xef\xbf\xbd"
                                       "A"},
        {VIEW("[\"\\udc00\\ud83d\\ude00\"]"), "\xef\xbf\xbd\xf0\x9f\x98\x80"},
        {VIEW("[\"\\ud83d\\ud83d\\ude00\"]"), "\xef\xbf\xbd\xf0\x9f\x98\x80"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(json_freep) struct json_doc *doc = NULL;
        struct err e = {0};
        if (json_parse(cases[i].text, &JSON_DELIVERY, &doc, &e) < 0)
            fail_msg("%s", e.text);
        assert_string_equal(json_text(json_first(json_root(doc))).at, cases[i].read);
    }
    check(&JSON_DELIVERY, VIEW("\"\\ud800\\u00g0\""),
          "1:10: '\\u' needs four hexadecimal digits");
    check(&JSON_DELIVERY, VIEW("[\"a\\u0000\", x]"), "1:13: expected a value");
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_every_type_are_read),
        cmocka_unit_test(a_document_may_be_any_value),
        cmocka_unit_test(what_json_forbids_is_refused_with_its_place),
        cmocka_unit_test(what_others_write_is_mended),
        cmocka_unit_test(configuration_may_have_comments_and_trailing_commas),
        cmocka_unit_test(depth_and_size_have_ceilings),
        cmocka_unit_test(values_have_a_ceiling_below_what_memory_can_bear),
        cmocka_unit_test(many_keys_are_checked_in_good_time),
        cmocka_unit_test(values_keep_their_places),
        cmocka_unit_test(unknown_keys_are_named_with_the_nearest_known_one),
        cmocka_unit_test(readers_check_presence_type_range_and_unit),
        cmocka_unit_test(whole_numbers_are_exact_in_all_63_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
