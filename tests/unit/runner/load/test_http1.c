/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http1.h"

struct outcome {
    enum http1_step step;
    unsigned status;
    size_t body; /* bytes */
    bool keep;
};

struct response_case {
    const char *name, *bytes;
    bool head_request;
    bool closed; /* the peer closes behind the bytes */
    struct outcome expected;
};

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"

static const struct response_case cases[] = {
    {"length", OK_HEAD "Content-Length: 5\r\n\r\nhello", 0, 0, {HTTP1_DONE, 200, 5, true}},
    {"length in any case",
     OK_HEAD "cOnTent-lEngth:5 \r\n\r\nhello",
     0,
     0,
     {HTTP1_DONE, 200, 5, true}},
    {"length twice, equal",
     OK_HEAD "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
     0,
     0,
     {HTTP1_DONE, 200, 5, true}},
    {"length zero", OK_HEAD "Content-Length: 0\r\n\r\n", 0, 0, {HTTP1_DONE, 200, 0, true}},
    {"no reason phrase",
     "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
     0,
     0,
     {HTTP1_DONE, 200, 0, true}},
    {"bare line feeds",
     "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
     0,
     0,
     {HTTP1_DONE, 200, 2, true}},
    {"announced close",
     OK_HEAD "Connection: x, Close\r\nContent-Length: 2\r\n\r\nok",
     0,
     0,
     {HTTP1_DONE, 200, 2, false}},
    {"HTTP/1.0 closes",
     "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
     0,
     0,
     {HTTP1_DONE, 200, 2, false}},
    {"HTTP/1.0 may keep",
     "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
     0,
     0,
     {HTTP1_DONE, 200, 2, true}},
    {"chunked",
     CHUNKED "3\r\nabc\r\n10;ext=\"v\"\r\n0123456789abcdef\r\n0\r\n\r\n",
     0,
     0,
     {HTTP1_DONE, 200, 19, true}},
    {"chunked with trailers",
     CHUNKED "1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n",
     0,
     0,
     {HTTP1_DONE, 200, 1, true}},
    {"chunked behind another coding",
     OK_HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
     0,
     0,
     {HTTP1_DONE, 200, 1, true}},
    {"until close", OK_HEAD "\r\nbody", 0, 1, {HTTP1_DONE, 200, 4, false}},
    {"interim first",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\n" OK_HEAD
     "Content-Length: 1\r\n\r\nx",
     0,
     0,
     {HTTP1_DONE, 200, 1, true}},
    {"no content", "HTTP/1.1 204 No Content\r\n\r\n", 0, 0, {HTTP1_DONE, 204, 0, true}},
    {"not modified",
     "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
     0,
     0,
     {HTTP1_DONE, 304, 0, true}},
    {"HEAD", OK_HEAD "Content-Length: 9\r\n\r\n", 1, 0, {HTTP1_DONE, 200, 0, true}},
    {"incomplete header", OK_HEAD "Content-Le", 0, 0, {HTTP1_MORE, 200, 0, false}},
    {"cut body", OK_HEAD "Content-Length: 5\r\n\r\nhel", 0, 1, {HTTP1_BAD, 200, 3, true}},
    {"cut chunks", CHUNKED "3\r\nabc\r\n", 0, 1, {HTTP1_BAD, 200, 3, true}},
    {"not HTTP", "SSH-2.0-x\r\n", 0, 0, {HTTP1_BAD, 0, 0, false}},
    {"HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", 0, 0, {HTTP1_BAD, 0, 0, false}},
    {"status of two digits", "HTTP/1.1 20 OK\r\n\r\n", 0, 0, {HTTP1_BAD, 0, 0, false}},
    {"status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", 0, 0, {HTTP1_BAD, 0, 0, false}},
    {"unequal lengths",
     OK_HEAD "Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
     0,
     0,
     {HTTP1_BAD, 200, 0, false}},
    {"negative length", OK_HEAD "Content-Length: -1\r\n\r\n", 0, 0, {HTTP1_BAD, 200, 0, false}},
    {"length that overflows",
     OK_HEAD "Content-Length: 99999999999999999999\r\n\r\n",
     0,
     0,
     {HTTP1_BAD, 200, 0, false}},
    {"length and coding",
     OK_HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
     0,
     0,
     {HTTP1_BAD, 200, 0, false}},
    {"coding in HTTP/1.0",
     "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
     0,
     0,
     {HTTP1_BAD, 200, 0, false}},
    {"chunked twice",
     OK_HEAD "Transfer-Encoding: chunked, chunked\r\n\r\n",
     0,
     0,
     {HTTP1_BAD, 200, 0, false}},
    {"folded line", OK_HEAD "A: b\r\n c\r\n\r\n", 0, 0, {HTTP1_BAD, 200, 0, false}},
    {"blank before the colon", OK_HEAD "A : b\r\n\r\n", 0, 0, {HTTP1_BAD, 200, 0, false}},
    {"control byte in a value", OK_HEAD "A: b\001\r\n\r\n", 0, 0, {HTTP1_BAD, 200, 0, false}},
    {"CR in a value", OK_HEAD "A: b\rc\r\n\r\n", 0, 0, {HTTP1_BAD, 200, 0, false}},
    {"switching protocols", "HTTP/1.1 101 Switching\r\n\r\n", 0, 0, {HTTP1_BAD, 101, 0, false}},
    {"chunk size is no number", CHUNKED "g\r\n", 0, 0, {HTTP1_BAD, 200, 0, true}},
    {"chunk without size", CHUNKED "\r\n", 0, 0, {HTTP1_BAD, 200, 0, true}},
    {"chunk size that overflows",
     CHUNKED "fffffffffffffffff\r\n",
     0,
     0,
     {HTTP1_BAD, 200, 0, true}},
    {"chunk longer than its size", CHUNKED "3\r\nabcd\r\n", 0, 0, {HTTP1_BAD, 200, 3, true}},
};

/* Presents the bytes in pieces of 'piece'; what is left over in a header is presented again. */
static struct outcome read_in_pieces(const struct response_case *c, size_t piece,
                                     struct http1_memo *memo)
{
    struct http1 p;
    struct outcome got = {.step = HTTP1_MORE};
    struct view all = view_z(c->bytes);
    size_t from = 0, shown = 0;
    http1_begin(&p, c->head_request);
    while (shown < all.len || (shown == all.len && from < shown)) {
        shown = shown + piece < all.len ? shown + piece : all.len;
        size_t used;
        struct view body;
        do {
            got.step =
                http1_step(&p, memo, (struct view){all.at + from, shown - from}, &used, &body);
            from += used;
            got.body += body.len;
        } while (got.step == HTTP1_BODY);
        if (got.step != HTTP1_MORE || shown == all.len)
            break;
    }
    if (got.step == HTTP1_MORE && c->closed)
        got.step = http1_end(&p);
    got.status = p.status;
    got.keep = p.keep;
    return got;
}

static void assert_outcome(const struct response_case *c, struct outcome got)
{
    if (got.step != c->expected.step || got.body != c->expected.body ||
        (got.step == HTTP1_DONE &&
         (got.status != c->expected.status || got.keep != c->expected.keep)))
        fail_msg("%s: step %d, status %u, body %zu, keep %d", c->name, got.step, got.status,
                 got.body, got.keep);
}

static void responses_are_read_the_same_however_they_are_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (size_t piece = 1; piece < 200; piece += piece < 8 ? 1 : 37) {
            struct outcome got = read_in_pieces(&cases[i], piece, NULL);

            assert_outcome(&cases[i], got);
        }
}

static void memo_changes_nothing(void **state)
{
    (void)state;
    struct http1_memo memo = {0};
    for (int turn = 0; turn < 3; turn++)
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            struct outcome first = read_in_pieces(&cases[i], 4096, &memo);
            struct outcome again = read_in_pieces(&cases[i], 4096, &memo);

            assert_outcome(&cases[i], first);
            assert_outcome(&cases[i], again);
        }
}

static void pipelined_responses_follow_each_other(void **state)
{
    (void)state;
    struct view in = VIEW(OK_HEAD "Content-Length: 1\r\n\r\na" CHUNKED
                                  "1\r\nb\r\n0\r\n\r\n" OK_HEAD "Content-Length: 0\r\n\r\n");
    int done = 0;
    while (in.len) {
        struct http1 p;
        http1_begin(&p, false);
        enum http1_step step;
        do {
            size_t used;
            struct view body;
            step = http1_step(&p, NULL, in, &used, &body);
            in = view_skip(in, used);
        } while (step == HTTP1_BODY);
        assert_int_equal(step, HTTP1_DONE);
        done++;
    }
    assert_int_equal(done, 3);
}

static enum http1_step feed_for_ever(const char *start, const char *again, size_t *fed)
{
    AUTO(str_done) struct str text = STR_INIT(1 << 20);
    struct http1 p;
    http1_begin(&p, false);
    str_addz(&text, start);
    for (*fed = 0; *fed < 1 << 19; *fed += strlen(again)) {
        size_t used;
        struct view body;
        enum http1_step step = http1_step(&p, NULL, str_view(&text), &used, &body);
        if (step != HTTP1_MORE && step != HTTP1_BODY)
            return step;
        struct view rest = view_skip(str_view(&text), used);
        if (rest.len)
            memmove(text.at, rest.at, rest.len);
        text.len = rest.len;
        str_addz(&text, again);
    }
    return HTTP1_MORE;
}

static size_t known(const struct http1_memo *memo, bool head_request, const char *bytes)
{
    struct http1 p;
    http1_begin(&p, head_request);
    return http1_known(&p, memo, view_z(bytes));
}

static void known_responses_are_recognised_whole_or_not_at_all(void **state)
{
    (void)state;
    static const char text[] = OK_HEAD "Content-Length: 5\r\n\r\nhello";
    struct http1_memo memo = {0};
    struct http1_memo closing = {0};
    struct http1 p;
    size_t used;
    struct view body;

    assert_int_equal(known(&memo, false, text), 0);
    http1_begin(&p, false);
    assert_int_equal(http1_step(&p, &memo, view_z(text), &used, &body), HTTP1_DONE);
    http1_begin(&p, false);
    (void)http1_step(&p, &closing, view_z(OK_HEAD "\r\nhello"), &used, &body);

    assert_int_equal(known(&memo, false, text), strlen(text));
    assert_int_equal(known(&memo, false, OK_HEAD "Content-Length: 5\r\n\r\nworldHTTP"),
                     strlen(text));
    assert_int_equal(known(&memo, false, OK_HEAD "Content-Length: 5\r\n\r\nhell"), 0);
    assert_int_equal(known(&memo, false, OK_HEAD "Content-Length: 6\r\n\r\nhello!"), 0);
    assert_int_equal(known(&memo, true, text), 0);
    assert_int_equal(known(&closing, false, OK_HEAD "\r\nhello"), 0);
    http1_begin(&p, false);
    (void)http1_step(&p, NULL, view_z("HTTP/1.1 100 Continue\r\n\r\n"), &used, &body);
    assert_int_equal(http1_known(&p, &memo, view_z(text)), 0); /* that is for http1_step */
}

static void endless_parts_have_ceilings(void **state)
{
    (void)state;
    size_t fed;

    assert_int_equal(feed_for_ever(OK_HEAD, "A: bcdefghijklmnop\r\n", &fed), HTTP1_TOO_LARGE);
    assert_in_range(fed, HTTP1_HEAD_MAX / 2, HTTP1_HEAD_MAX + 64);
    assert_int_equal(feed_for_ever(OK_HEAD "A: ", "bcdefghijklmnop", &fed), HTTP1_TOO_LARGE);
    assert_int_equal(feed_for_ever(CHUNKED "0\r\n", "A: bcdefghijklmnop\r\n", &fed),
                     HTTP1_TOO_LARGE);
    assert_int_equal(feed_for_ever(CHUNKED "1;", "abcdefghijklmnopq", &fed), HTTP1_TOO_LARGE);
    assert_int_equal(feed_for_ever("", "HTTP/1.1 100 C\r\n\r\n", &fed), HTTP1_BAD);
    assert_in_range(fed, 1, 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(responses_are_read_the_same_however_they_are_cut),
        cmocka_unit_test(memo_changes_nothing),
        cmocka_unit_test(pipelined_responses_follow_each_other),
        cmocka_unit_test(known_responses_are_recognised_whole_or_not_at_all),
        cmocka_unit_test(endless_parts_have_ceilings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
