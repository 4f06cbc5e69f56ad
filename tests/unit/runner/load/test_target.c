/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "target.h"

static void urls_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *url, *host, *path, *authority;
        uint16_t port;
        bool tls;
    } cases[] = {
        {"http://localhost", "localhost", "/", "localhost", 80, false},
        {"http://127.0.0.1:8080/a?b=c#d", "127.0.0.1", "/a?b=c", "127.0.0.1:8080", 8080, false},
        {"https://example.org?x", "example.org", "/?x", "example.org", 443, true},
        {"http://[::1]:81/", "::1", "/", "[::1]:81", 81, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct target t;

        assert_int_equal(target_parse(cases[i].url, &t, NULL), 0);

        assert_string_equal(t.host, cases[i].host);
        assert_string_equal(t.path, cases[i].path);
        assert_string_equal(t.authority, cases[i].authority);
        assert_int_equal(t.port, cases[i].port);
        assert_int_equal(t.tls, cases[i].tls);
        target_done(&t);
    }
}

static void wrong_urls_are_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {"",
                                       "localhost:80",
                                       "ftp://x/",
                                       "http://",
                                       "http://:80/",
                                       "http://a:0/",
                                       "http://a:65536/",
                                       "http://a b/",
                                       "http://[::1/",
                                       "http://u:p@host/",
                                       "http://[::1]x/"};
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct target t;
        struct err e = {0};

        assert_int_equal(target_parse(urls[i], &t, &e), -1);

        assert_int_equal(e.kind, ERR_INPUT);
    }
}

static void a_socket_path_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    char path[200];
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    struct target t = {.unix_path = path};

    assert_int_equal(target_resolve(&t, clock_now_ns(), NULL), -1);
}

static void numbers_are_resolved_without_a_connection(void **state)
{
    (void)state;
    struct target t;
    assert_int_equal(target_parse("http://127.0.0.1:1/", &t, NULL), 0);

    assert_int_equal(target_resolve(&t, clock_now_ns() + CLOCK_NS_PER_S, NULL), 0);

    assert_int_equal(t.address.ss_family, AF_INET);
    target_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(wrong_urls_are_refused),
        cmocka_unit_test(a_socket_path_that_does_not_fit_is_refused),
        cmocka_unit_test(numbers_are_resolved_without_a_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
