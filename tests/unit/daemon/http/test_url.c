/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "api.h"
#include "asset.h"
#include "host.h"
#include "route.h"
#include "url.h"

static void path_and_query_come_apart_decoded(void **state)
{
    struct url u;
    struct view value;
    (void)state;

    assert_int_equal(url_parse(VIEW("/a%20b/%C3%A4?x=1+2&y=%26&x=3&flag"), &u, NULL), 0);

    assert_int_equal(u.segments_len, 2);
    assert_string_equal(u.segments[0].at, "a b");
    assert_string_equal(u.segments[1].at, "\xc3\xa4");
    assert_int_equal(u.params_len, 4);
    assert_true(url_param(&u, "x", &value) && view_eqz(value, "1 2"));
    assert_true(url_param(&u, "y", &value) && view_eqz(value, "&"));
    assert_true(url_param(&u, "flag", &value) && value.len == 0);
    assert_false(url_param(&u, "z", &value));
}

static void empty_segments_are_kept(void **state)
{
    struct url u;
    (void)state;

    assert_int_equal(url_parse(VIEW("/"), &u, NULL), 0);
    assert_int_equal(u.segments_len, 0);
    assert_int_equal(url_parse(VIEW("/a//"), &u, NULL), 0);
    assert_int_equal(u.segments_len, 3);
    assert_int_equal(u.segments[1].len, 0);
}

static void doubtful_targets_are_refused(void **state)
{
    static const char *const targets[] = {
        "",
        "*",
        "a",
        "http://x/",
        "/%",
        "/%4",
        "/%4x",
        "/%00",
        "/a%0ab",
        "/?x=%00",
        "/a\x01",
        "/a b",
        "/\x7f",
        "/..",
        "/a/../b",
        "/%2e%2e/x",
        "/.%2E",
        "/.",
        "/\xc3\xa4",
        "/%ff",
        "/%c3%28",
        "/a#b",
        "/?%",
        "/%7f",
        "/%ed%a0%80",
        "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17",
        "/?a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q",
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        struct url u;
        struct err e = {0};
        if (url_parse(view_z(targets[i]), &u, &e) == 0)
            fail_msg("'%s' was taken", targets[i]);
        assert_true(e.text[0] != '\0');
    }
}

static void longest_target_fits_and_one_byte_more_does_not(void **state)
{
    char target[URL_BYTES_MAX + 2];
    struct url u;
    (void)state;
    memset(target, 'a', sizeof target);
    target[0] = '/';

    int longest = url_parse((struct view){target, URL_BYTES_MAX}, &u, NULL);
    int longer = url_parse((struct view){target, URL_BYTES_MAX + 1}, &u, NULL);

    assert_int_equal(longest, 0);
    assert_int_equal(longer, -1);
}

static void many_short_parameters_fit_the_buffer(void **state)
{
    char target[URL_BYTES_MAX];
    struct url u;
    (void)state;
    memset(target, '&', sizeof target);
    memcpy(target, "/?a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p", 33);

    assert_int_equal(url_parse((struct view){target, sizeof target}, &u, NULL), 0);

    assert_int_equal(u.params_len, URL_PARAMS_MAX);
}

static void numbers_in_parameters_keep_their_range(void **state)
{
    struct url u;
    int64_t n = 7;
    (void)state;
    assert_int_equal(
        url_parse(VIEW("/?ok=12&big=99999999999999999999&text=x&neg=-1"), &u, NULL), 0);

    assert_int_equal(url_param_int(&u, "absent", 0, 100, &n, NULL), 0);
    assert_int_equal(n, 7);
    assert_int_equal(url_param_int(&u, "ok", 0, 100, &n, NULL), 0);
    assert_int_equal(n, 12);
    assert_int_equal(url_param_int(&u, "big", 0, INT64_MAX, &n, NULL), -1);
    assert_int_equal(url_param_int(&u, "text", 0, 100, &n, NULL), -1);
    assert_int_equal(url_param_int(&u, "neg", 0, 100, &n, NULL), -1);
    assert_int_equal(n, 12);
}

static void routes_are_found_by_address_and_method(void **state)
{
    struct url u;
    unsigned allowed;
    struct view params[ROUTE_PARAMS_MAX];
    (void)state;

    assert_int_equal(url_parse(VIEW("/api/v1/repos/a%2Fb/overview?branch=main"), &u, NULL), 0);
    const struct route *route = route_find(&u, HTTP_GET, &allowed);
    assert_non_null(route);
    route_params(route, &u, params);
    assert_string_equal(params[0].at, "a/b");
    assert_int_equal(params[1].len, 0);

    assert_null(route_find(&u, HTTP_POST, &allowed));
    assert_int_equal(allowed, HTTP_GET);
}

static void near_misses_are_no_routes(void **state)
{
    static const char *const targets[] = {"/",
                                          "/api",
                                          "/api/v1/repos/",
                                          "/api/v1/repos//overview",
                                          "/api/v1/jobs/1/report/x",
                                          "/runner/v1/source",
                                          "/healthz/"};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        struct url u;
        unsigned allowed;
        assert_int_equal(url_parse(view_z(targets[i]), &u, NULL), 0);
        if (route_find(&u, HTTP_GET, &allowed) || allowed)
            fail_msg("'%s' has a route", targets[i]);
    }
}

static void codings_are_taken_unless_refused(void **state)
{
    (void)state;

    assert_true(asset_accepts(VIEW("gzip, deflate, br"), "br"));
    assert_true(asset_accepts(VIEW("gzip;q=0.1"), "gzip"));
    assert_true(asset_accepts(VIEW("*"), "br"));
    assert_true(asset_accepts(VIEW("BR"), "br"));
    assert_false(asset_accepts(VIEW("br;q=0"), "br"));
    assert_false(asset_accepts(VIEW("br; q=0.000, *"), "br"));
    assert_false(asset_accepts(VIEW("*;q=0"), "gzip"));
    assert_false(asset_accepts(VIEW("brotli"), "br"));
    assert_false(asset_accepts(VIEW(""), "br"));
}

static void tags_match_in_lists_and_when_a_proxy_made_them_weak(void **state)
{
    (void)state;

    assert_true(api_tag_matches(VIEW("\"a\", W/\"b\""), "\"b\""));
    assert_true(api_tag_matches(VIEW("*"), "\"b\""));
    assert_false(api_tag_matches(VIEW("\"a\", \"bc\""), "\"b\""));
    assert_false(api_tag_matches(VIEW(""), "\"b\""));
}

static void names_that_may_point_here_from_elsewhere_are_not_good(void **state)
{
    static const char *const good[] = {"localhost",    "LOCALHOST:8420", "a.localhost",
                                       "127.0.0.1:80", "192.168.1.2",    "[::1]:8420",
                                       "pace.example", "Pace.Example:1"};
    static const char *const bad[] = {"",
                                      "evil.example",
                                      "localhost.evil.example",
                                      ".localhost",
                                      "127.0.0.1.nip.example",
                                      "pace.example.evil",
                                      "notlocalhost",
                                      "xpace.example"};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!host_is_good(view_z(good[i]), "https://pace.example:443/x"))
            fail_msg("'%s' is refused", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (host_is_good(view_z(bad[i]), "https://pace.example"))
            fail_msg("'%s' is taken", bad[i]);
    assert_false(host_is_good(VIEW("pace.example"), NULL));
}

static void loopback_is_told_from_other_addresses(void **state)
{
    (void)state;

    assert_true(host_is_loopback("127.0.0.1:8420"));
    assert_true(host_is_loopback("localhost:8420"));
    assert_true(host_is_loopback("[::1]:8420"));
    assert_false(host_is_loopback("0.0.0.0:8420"));
    assert_false(host_is_loopback(":8420"));
    assert_false(host_is_loopback("127.evil.example:1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_and_query_come_apart_decoded),
        cmocka_unit_test(empty_segments_are_kept),
        cmocka_unit_test(doubtful_targets_are_refused),
        cmocka_unit_test(longest_target_fits_and_one_byte_more_does_not),
        cmocka_unit_test(many_short_parameters_fit_the_buffer),
        cmocka_unit_test(numbers_in_parameters_keep_their_range),
        cmocka_unit_test(routes_are_found_by_address_and_method),
        cmocka_unit_test(near_misses_are_no_routes),
        cmocka_unit_test(codings_are_taken_unless_refused),
        cmocka_unit_test(names_that_may_point_here_from_elsewhere_are_not_good),
        cmocka_unit_test(loopback_is_told_from_other_addresses),
        cmocka_unit_test(tags_match_in_lists_and_when_a_proxy_made_them_weak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
