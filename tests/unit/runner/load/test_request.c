/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check.h"
#include "request.h"

static struct target target = {.authority = (char *)"example:8080"};

static struct spec_endpoint endpoint(const char *method, const char *path, int64_t weight)
{
    return (struct spec_endpoint){
        .name = (char *)path, .method = (char *)method, .path = (char *)path, .weight = weight};
}

static void request_bytes_are_plain_http(void **state)
{
    (void)state;
    struct spec_pair fields[] = {{(char *)"X-A", (char *)"b c"}};
    struct spec_endpoint e = endpoint("POST", "/p?q", 1);
    struct request_set set;
    e.headers.at = fields;
    e.headers.len = 1;
    e.body = (char *)"data";
    e.body_len = 4;

    assert_int_equal(request_set_init(&set, &e, 1, &target, REQUEST_CLOSES_EACH, 1, NULL), 0);

    assert_string_equal(str_text(&set.at[0].bytes),
                        "POST /p?q HTTP/1.1\r\nHost: example:8080\r\nX-A: b c\r\n"
                        "Connection: close\r\nContent-Length: 4\r\n\r\ndata");
    request_set_done(&set);
}

static void own_host_header_replaces_ours(void **state)
{
    (void)state;
    struct spec_pair fields[] = {{(char *)"host", (char *)"other"}};
    struct spec_endpoint e = endpoint("GET", "/", 1);
    struct request_set set;
    e.headers.at = fields;
    e.headers.len = 1;

    assert_int_equal(request_set_init(&set, &e, 1, &target, REQUEST_CLOSES_NEVER, 2, NULL), 0);

    assert_string_equal(str_text(&set.at[0].bytes), "GET / HTTP/1.1\r\nhost: other\r\n\r\n");
    assert_int_equal(set.at[0].burst.len, 2 * set.at[0].bytes.len);
    request_set_done(&set);
}

static void headers_cannot_smuggle_lines(void **state)
{
    (void)state;
    struct spec_pair fields[] = {{(char *)"X", (char *)"a\r\nY: b"}};
    struct spec_endpoint e = endpoint("GET", "/", 1);
    struct request_set set;
    struct err err;
    e.headers.at = fields;
    e.headers.len = 1;

    assert_int_equal(request_set_init(&set, &e, 1, &target, REQUEST_CLOSES_NEVER, 1, &err), -1);

    assert_int_equal(err.kind, ERR_INPUT);
    request_set_done(&set);
}

static void a_deck_deals_exact_shares_in_seeded_order(void **state)
{
    (void)state;
    struct spec_endpoint e[] = {endpoint("GET", "/a", 600), endpoint("GET", "/b", 300),
                                endpoint("GET", "/c", 100)};
    struct request_set set;
    struct request_deck deck, again;
    assert_int_equal(request_set_init(&set, e, 3, &target, REQUEST_CLOSES_NEVER, 1, NULL), 0);
    request_deck_init(&deck, &set, 7);
    request_deck_init(&again, &set, 7);

    int count[3] = {0};
    bool in_order = true;
    uint16_t before = 0;
    for (int i = 0; i < 1000; i++) {
        uint16_t card = request_deck_draw(&deck);
        assert_int_equal(card, request_deck_draw(&again));
        count[card]++;
        in_order &= card >= before;
        before = card;
    }

    assert_int_equal(set.cards_len, 10);
    assert_int_equal(count[0], 600);
    assert_int_equal(count[1], 300);
    assert_int_equal(count[2], 100);
    assert_false(in_order);
    request_deck_done(&deck);
    request_deck_done(&again);
    request_set_done(&set);
}

static void a_deck_has_a_ceiling_and_forgets_nobody(void **state)
{
    (void)state;
    struct spec_endpoint e[] = {endpoint("GET", "/a", 999983), endpoint("GET", "/b", 1)};
    struct request_set set;

    assert_int_equal(request_set_init(&set, e, 2, &target, REQUEST_CLOSES_NEVER, 1, NULL), 0);

    assert_in_range(set.cards_len, 1000, REQUEST_DECK_MAX + 2);
    assert_int_equal(set.cards[set.cards_len - 1], 1);
    request_set_done(&set);
}

static enum fail_cause check_in_pieces(const struct request *r, const char *body, size_t piece)
{
    struct check_stream *s = check_begin(r);
    struct view rest = view_z(body);
    while (rest.len) {
        struct view part = {rest.at, piece < rest.len ? piece : rest.len};
        check_add(s, r, part);
        rest = view_skip(rest, part.len);
    }
    return check_end(&s, r);
}

static void a_body_is_checked_the_same_however_it_is_cut(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        bool found;
    } bodies[] = {{"aabaabaaab", true},
                  {"aabaab aaab", false},
                  {"xxaabaaabyy", true},
                  {"", false},
                  {"aabaaa", false}};
    struct spec_endpoint e = endpoint("GET", "/", 1);
    struct request_set set;
    struct check_memo memo = {0};
    e.expect.contains = (char *)"aabaaab";
    assert_int_equal(request_set_init(&set, &e, 1, &target, REQUEST_CLOSES_NEVER, 1, NULL), 0);

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        enum fail_cause expected = bodies[i].found ? FAIL_CAUSES : FAIL_CONTENT;
        for (size_t piece = 1; piece < 12; piece++)
            assert_int_equal(check_in_pieces(&set.at[0], bodies[i].body, piece), expected);
        assert_int_equal(check_whole(&memo, &set.at[0], view_z(bodies[i].body)), expected);
        assert_int_equal(check_whole(&memo, &set.at[0], view_z(bodies[i].body)), expected);
    }
    check_memo_done(&memo);
    request_set_done(&set);
}

static void a_digest_is_checked_in_pieces_and_whole(void **state)
{
    (void)state;
    struct spec_endpoint e = endpoint("GET", "/", 1);
    struct request_set set;
    struct check_memo memo = {0};
    e.expect.has_sha256 = true;
    digest_of(VIEW("hello"), e.expect.sha256);
    assert_int_equal(request_set_init(&set, &e, 1, &target, REQUEST_CLOSES_NEVER, 1, NULL), 0);

    assert_int_equal(check_in_pieces(&set.at[0], "hello", 2), FAIL_CAUSES);
    assert_int_equal(check_in_pieces(&set.at[0], "hellp", 2), FAIL_CHECKSUM);
    assert_int_equal(check_whole(&memo, &set.at[0], VIEW("hellp")), FAIL_CHECKSUM);
    assert_int_equal(check_whole(&memo, &set.at[0], VIEW("hello")), FAIL_CAUSES);
    assert_int_equal(check_whole(&memo, &set.at[0], VIEW("hello")), FAIL_CAUSES);
    assert_int_equal(check_whole(&memo, &set.at[0], VIEW("hellp")), FAIL_CHECKSUM);
    check_memo_done(&memo);
    request_set_done(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_bytes_are_plain_http),
        cmocka_unit_test(own_host_header_replaces_ours),
        cmocka_unit_test(headers_cannot_smuggle_lines),
        cmocka_unit_test(a_deck_deals_exact_shares_in_seeded_order),
        cmocka_unit_test(a_deck_has_a_ceiling_and_forgets_nobody),
        cmocka_unit_test(a_body_is_checked_the_same_however_it_is_cut),
        cmocka_unit_test(a_digest_is_checked_in_pieces_and_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
