/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "errors.h"

static void context_stands_before_the_fact(void **state)
{
    struct err e = {0};

    int rc = err_set(&e, ERR_AWAY, "cannot resolve '%s'", "git.example");
    rc += err_ctx(&e, "fetch %s", "origin");
    rc += err_ctx(&e, "watch shop");

    assert_int_equal(rc, -3);
    assert_int_equal(e.kind, ERR_AWAY);
    assert_string_equal(e.text, "watch shop: fetch origin: cannot resolve 'git.example'");
    (void)state;
}

static void a_new_error_replaces_the_one_before(void **state)
{
    struct err e = {0};
    err_set(&e, ERR_AWAY, "a rather long text that is no more");

    err_set(&e, ERR_INPUT, "short");

    assert_int_equal(e.kind, ERR_INPUT);
    assert_string_equal(e.text, "short");
    (void)state;
}

static void a_text_too_long_is_cut_and_marked(void **state)
{
    struct err e = {0};
    char text[2 * ERR_TEXT_MAX];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';

    err_set(&e, ERR_INPUT, "%s", text);

    assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
    assert_string_equal(e.text + ERR_TEXT_MAX - 5, "x...");
    (void)state;
}

static void the_longest_text_that_fits_is_not_marked(void **state)
{
    struct err e = {0};
    char text[ERR_TEXT_MAX];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';

    err_set(&e, ERR_INPUT, "%s", text);

    assert_string_equal(e.text, text);
    (void)state;
}

static void context_pushes_the_end_out_and_marks_it(void **state)
{
    struct err e = {0};
    char text[ERR_TEXT_MAX];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    err_set(&e, ERR_INPUT, "%s", text);

    err_ctx(&e, "outer");
    assert_memory_equal(e.text, "outer: xxx", 10);
    assert_string_equal(e.text + ERR_TEXT_MAX - 5, "x...");

    err_ctx(&e, "%s", text); /* context alone fills the record */
    assert_string_equal(e.text + ERR_TEXT_MAX - 5, "x...");
    (void)state;
}

static void errno_gives_kind_and_reason(void **state)
{
    static const struct {
        int number;
        enum err_kind kind;
    } cases[] = {
        {ENOENT, ERR_NOT_FOUND},  {ENOTDIR, ERR_NOT_FOUND}, {ETIMEDOUT, ERR_TIMEOUT},
        {ECONNREFUSED, ERR_AWAY}, {ECONNRESET, ERR_AWAY},   {EHOSTUNREACH, ERR_AWAY},
        {ENETUNREACH, ERR_AWAY},  {EACCES, ERR_SYSTEM},     {ENOSPC, ERR_SYSTEM},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = {0};
        char expected[256];
        strcpy(expected, "open 'x': ");
        strcat(expected, strerror(cases[i].number));

        errno = cases[i].number;
        assert_int_equal(err_errno(&e, "open '%s'", "x"), -1);

        assert_int_equal(e.kind, cases[i].kind);
        assert_string_equal(e.text, expected);
    }
    (void)state;
}

static void the_reason_survives_a_long_subject(void **state)
{
    struct err e = {0};
    char path[4096];
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';

    errno = ENAMETOOLONG;
    err_errno(&e, "open '%s'", path);

    assert_non_null(strstr(e.text, "p...: File name too long"));
    (void)state;
}

static void a_caller_without_a_record_is_served(void **state)
{
    errno = ENOENT;

    assert_int_equal(err_set(NULL, ERR_INPUT, "x"), -1);
    assert_int_equal(err_ctx(NULL, "x"), -1);
    assert_int_equal(err_errno(NULL, "x"), -1);
    (void)state;
}

static void every_kind_has_its_own_name(void **state)
{
    for (int i = ERR_NONE; i <= ERR_LIMIT; i++)
        for (int k = ERR_NONE; k < i; k++)
            assert_string_not_equal(err_kind_name((enum err_kind)i),
                                    err_kind_name((enum err_kind)k));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(context_stands_before_the_fact),
        cmocka_unit_test(a_new_error_replaces_the_one_before),
        cmocka_unit_test(a_text_too_long_is_cut_and_marked),
        cmocka_unit_test(the_longest_text_that_fits_is_not_marked),
        cmocka_unit_test(context_pushes_the_end_out_and_marks_it),
        cmocka_unit_test(errno_gives_kind_and_reason),
        cmocka_unit_test(the_reason_survives_a_long_subject),
        cmocka_unit_test(a_caller_without_a_record_is_served),
        cmocka_unit_test(every_kind_has_its_own_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
