/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "json.h"
#include "json_write.h"
#include "rng.h"

/* What was written must be read back by our own strict reader. */
static void check_valid(const struct str *s)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    struct err e = {0};
    if (json_parse(str_view(s), &JSON_MESSAGE, &doc, &e) < 0)
        fail_msg("%s: %s", e.text, str_text(s));
}

static void values_of_every_type_are_written(void **state)
{
    AUTO(str_done) struct str out = STR_INIT(1000);
    struct jw w = jw_begin(&out);

    jw_object(&w, NULL);
    jw_text(&w, "text", "a");
    jw_text(&w, "none", NULL);
    jw_view(&w, "view", (struct view){"bcd", 2});
    jw_int(&w, "int", INT64_MIN);
    jw_real(&w, "real", 0.1);
    jw_bool(&w, "yes", true);
    jw_bool(&w, "no", false);
    jw_null(&w, "null");
    jw_hex(&w, "hex", "\x01\xff", 2);
    jw_base64(&w, "base64", VIEW("foob"));
    jw_raw(&w, "raw", VIEW("[1]"));
    jw_array(&w, "array");
    jw_int(&w, NULL, 1);
    jw_array(&w, NULL);
    jw_end(&w);
    jw_object(&w, NULL);
    jw_end(&w);
    jw_end(&w);
    jw_end(&w);

    assert_string_equal(str_text(&out),
                        "{\"text\":\"a\",\"none\":null,\"view\":\"bc\","
                        "\"int\":-9223372036854775808,\"real\":0.1,\"yes\":true,\"no\":false,"
                        "\"null\":null,\"hex\":\"01ff\",\"base64\":\"Zm9vYg==\",\"raw\":[1],"
                        "\"array\":[1,[],{}]}");
    assert_int_equal(w.depth, 0);
    check_valid(&out);
    (void)state;
}

static void texts_are_escaped(void **state)
{
    static const struct {
        struct view text;
        const char *json;
    } cases[] = {
        {VIEW(""), "\"\""},
        {VIEW("a\"b\\c/"), "\"a\\\"b\\\\c/\""},
        {VIEW("\n\t\r\x01\x1f\x7f"), "\"\\n\\u0009\\u000d\\u0001\\u001f\\u007f\""},
        {VIEW("\xc3\xa9"), "\"\xc3\xa9\""},
        /* A character of several bytes in front of what must be escaped. */
        {VIEW("\xc3\xa9\"x"), "\"\xc3\xa9\\\"x\""},
        {VIEW("\xc3\xa9\\"), "\"\xc3\xa9\\\\\""},
        {VIEW("\xc3\xa9\n\n"), "\"\xc3\xa9\\n\\n\""},
        {VIEW("\xe2\x82\xac\""), "\"\xe2\x82\xac\\\"\""},
        {VIEW("\xf0\x9f\x98\x80\""), "\"\xf0\x9f\x98\x80\\\"\""},
        /* Not UTF-8: one replacement for each byte that starts no character. */
        {VIEW("a\xff"
              "b"),
         "\"a\xef\xbf\xbd"
         "b\""},
        {VIEW("\xc3"), "\"\xef\xbf\xbd\""},
        {VIEW("\xc3\""), "\"\xef\xbf\xbd\\\"\""},
        {VIEW("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {VIEW("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(str_done) struct str out = STR_INIT(1000);
        struct jw w = jw_begin(&out);

        jw_view(&w, NULL, cases[i].text);

        assert_string_equal(str_text(&out), cases[i].json);
        check_valid(&out);
    }
    (void)state;
}

static void keys_are_escaped_too(void **state)
{
    AUTO(str_done) struct str out = STR_INIT(1000);
    struct jw w = jw_begin(&out);

    jw_object(&w, NULL);
    jw_int(&w, "\xc3\xa9\":1,\"x", 1);
    jw_end(&w);

    assert_string_equal(str_text(&out), "{\"\xc3\xa9\\\":1,\\\"x\":1}");
    (void)state;
}

static void any_bytes_make_a_valid_string(void **state)
{
    struct rng r;
    rng_init(&r, 2);
    for (int i = 0; i < 20000; i++) {
        static const char alphabet[] = "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xff\"\\\n\x01"
                                       "ab";
        AUTO(str_done) struct str out = STR_INIT(1000);
        struct jw w = jw_begin(&out);
        char bytes[12];
        size_t len = rng_below(&r, sizeof bytes);
        for (size_t k = 0; k < len; k++)
            bytes[k] = alphabet[rng_below(&r, sizeof alphabet - 1)];

        jw_view(&w, NULL, (struct view){bytes, len});

        check_valid(&out);
    }
    (void)state;
}

static void numbers_read_back_as_they_were(void **state)
{
    struct rng r;
    rng_init(&r, 4);
    for (int i = 0; i < 20000; i++) {
        static const double special[] = {
            0,      -0.0, 1,    -1,   0.1,           1 / 3., 1e300,   1e-300,
            5e-324, 1e15, 1e16, 1e17, 123456789.125, 0x1p53, 0x1p-52, 1.7976931348623157e308};
        AUTO(str_done) struct str out = STR_INIT(100);
        AUTO(json_freep) struct json_doc *doc = NULL;
        struct jw w = jw_begin(&out);
        double x;
        uint64_t bits = rng_next(&r);
        memcpy(&x, &bits, sizeof x);
        if (i < (int)ARRAY_LEN(special))
            x = special[i];
        if (!isfinite(x))
            continue;

        jw_real(&w, NULL, x);
        assert_int_equal(json_parse(str_view(&out), &JSON_MESSAGE, &doc, NULL), 0);

        assert_true(json_number(json_root(doc)) == x);
    }
    (void)state;
}

static void what_json_has_no_word_for_is_null(void **state)
{
    AUTO(str_done) struct str out = STR_INIT(100);
    struct jw w = jw_begin(&out);

    jw_array(&w, NULL);
    jw_real(&w, NULL, NAN);
    jw_real(&w, NULL, INFINITY);
    jw_real(&w, NULL, -INFINITY);
    jw_end(&w);

    assert_string_equal(str_text(&out), "[null,null,null]");
    (void)state;
}

static void the_deepest_nesting_that_is_promised_works(void **state)
{
    AUTO(str_done) struct str out = STR_INIT(1000);
    struct jw w = jw_begin(&out);

    for (int i = 0; i < JW_DEPTH_MAX - 1; i++)
        jw_array(&w, NULL);
    for (int i = 0; i < JW_DEPTH_MAX - 1; i++)
        jw_end(&w);

    assert_int_equal(out.len, 2 * (JW_DEPTH_MAX - 1));
    check_valid(&out);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_every_type_are_written),
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(keys_are_escaped_too),
        cmocka_unit_test(any_bytes_make_a_valid_string),
        cmocka_unit_test(numbers_read_back_as_they_were),
        cmocka_unit_test(what_json_has_no_word_for_is_null),
        cmocka_unit_test(the_deepest_nesting_that_is_promised_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
