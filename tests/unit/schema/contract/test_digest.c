/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest.h"

static void known_texts_have_known_digests(void **state)
{
    static const struct {
        struct view text;
        const char *hex;
    } cases[] = {
        {VIEW(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {VIEW("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        unsigned char digest[DIGEST_BYTES];
        char hex[DIGEST_HEX + 1];

        digest_of(cases[i].text, digest);
        digest_hex(digest, hex);

        assert_string_equal(hex, cases[i].hex);
    }
    (void)state;
}

static void pieces_give_the_digest_of_the_whole(void **state)
{
    unsigned char whole[DIGEST_BYTES], pieces[DIGEST_BYTES];
    AUTO(digest_freep) struct digest *d = digest_new();

    digest_of(VIEW("hello world"), whole);
    digest_add(d, VIEW("hello"));
    digest_add(d, (struct view){0});
    digest_add(d, VIEW(" world"));
    digest_end(d, pieces);

    assert_true(digest_equal(whole, pieces));
    pieces[31] ^= 1;
    assert_false(digest_equal(whole, pieces));
    (void)state;
}

static void fields_do_not_run_into_each_other(void **state)
{
    unsigned char a[DIGEST_BYTES], b[DIGEST_BYTES];
    AUTO(digest_freep) struct digest *x = digest_new();
    AUTO(digest_freep) struct digest *y = digest_new();

    digest_field(x, VIEW("ab"));
    digest_field(x, VIEW("c"));
    digest_field(y, VIEW("a"));
    digest_field(y, VIEW("bc"));
    digest_end(x, a);
    digest_end(y, b);

    assert_false(digest_equal(a, b));
    (void)state;
}

/* RFC 4648, section 10. */
static void base64_has_the_values_of_the_standard(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(str_done) struct str text = STR_INIT(100), back = STR_INIT(100);

        digest_base64(view_z(cases[i][0]), &text);
        assert_int_equal(digest_unbase64(view_z(cases[i][1]), &back), 0);

        assert_string_equal(str_text(&text), cases[i][1]);
        assert_string_equal(str_text(&back), cases[i][0]);
    }
    (void)state;
}

static void base64_of_every_length_goes_there_and_back(void **state)
{
    char bytes[7000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 131 + i / 256);
    for (size_t len = 0; len < sizeof bytes; len += len < 20 || len > 3060 ? 1 : 7) {
        AUTO(str_done) struct str text = STR_INIT(10000), back = STR_INIT(7000);

        digest_base64((struct view){bytes, len}, &text);
        assert_int_equal(digest_unbase64(str_view(&text), &back), 0);

        assert_int_equal(text.len, (len + 2) / 3 * 4);
        assert_true(view_eq(str_view(&back), (struct view){bytes, len}));
        if (len > 3080 && len < 6900)
            len += 500;
    }
    (void)state;
}

static void what_is_not_base64_is_refused(void **state)
{
    static const char *const cases[] = {
        "Z",     "Zg",         "Zg=",  "====", "Z===",       "=g==", "Zg=a", "Zg==Zg==", "Zm9 ",
        "Zm9\n", "Zm9vZg==\n", "Zm9-", "Zm9_", "Z\xc3\xa9v", "Zh==", "Zm9=", "Zm\0v",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(str_done) struct str out = STR_INIT(100);

        assert_int_equal(digest_unbase64(view_z(cases[i]), &out), -1);
    }
    (void)state;
}

static void base64_beyond_the_ceiling_is_refused(void **state)
{
    AUTO(str_done) struct str out = STR_INIT(5);

    assert_int_equal(digest_unbase64(VIEW("Zm9vYmFy"), &out), -1);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_texts_have_known_digests),
        cmocka_unit_test(pieces_give_the_digest_of_the_whole),
        cmocka_unit_test(fields_do_not_run_into_each_other),
        cmocka_unit_test(base64_has_the_values_of_the_standard),
        cmocka_unit_test(base64_of_every_length_goes_there_and_back),
        cmocka_unit_test(what_is_not_base64_is_refused),
        cmocka_unit_test(base64_beyond_the_ceiling_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
