/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "wsopen.h"

/* RFC 6455, section 1.3. */
static const char key[] = "dGhlIHNhbXBsZSBub25jZQ==";
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define FIELDS \
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n"

static void the_example_of_the_standard_is_accepted(void **state)
{
    char accept[WSOPEN_ACCEPT_LEN + 1];

    wsopen_accept(key, accept);

    assert_string_equal(accept, ACCEPT);
    (void)state;
}

static void answers_are_told_apart(void **state)
{
    static const struct {
        struct view in;
        long len; /* -2: all of it */
        enum fail_cause why;
    } cases[] = {
        {VIEW("HTTP/1.1 101 Switching Protocols\r\n" FIELDS "\r\n"), -2, FAIL_CAUSES},
        {VIEW("HTTP/1.1 101\r\n" FIELDS "\r\n"), -2, FAIL_CAUSES},
        {VIEW("HTTP/1.1 101 X\r\nSEC-WEBSOCKET-ACCEPT:" ACCEPT
              "\r\nconnection: keep-alive , upgrade\r\nUPGRADE: WebSocket\r\n\r\n"),
         -2, FAIL_CAUSES},
        {VIEW("HTT"), 0, FAIL_MALFORMED},
        {VIEW("HTTP/1.1 101 X\r\n" FIELDS "\r"), 0, FAIL_MALFORMED},
        {VIEW("FTP"), -1, FAIL_MALFORMED},
        {VIEW("HTTP/1.1 1x1 X\r\n" FIELDS "\r\n"), -1, FAIL_MALFORMED},
        {VIEW("HTTP/1.1 101 X\r\nno field\r\n" FIELDS "\r\n"), -1, FAIL_MALFORMED},
        {VIEW("HTTP/1.1 200 OK\r\n" FIELDS "\r\n"), -1, FAIL_STATUS},
        {VIEW("HTTP/1.1 101 X\r\n\r\n"), -1, FAIL_HANDSHAKE},
        {VIEW("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOO=\r\n\r\n"),
         -1, FAIL_HANDSHAKE},
        {VIEW("HTTP/1.1 101 X\r\n" FIELDS "Sec-WebSocket-Extensions: x\r\n\r\n"), -1,
         FAIL_HANDSHAKE},
        {VIEW("HTTP/1.1 101 X\r\n" FIELDS "Sec-WebSocket-Protocol: chat\r\n\r\n"), -1,
         FAIL_HANDSHAKE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum fail_cause why;
        long expected = cases[i].len == -2 ? (long)cases[i].in.len : cases[i].len;

        assert_int_equal(wsopen_read(cases[i].in, key, &why), expected);

        if (expected < 0)
            assert_int_equal(why, cases[i].why);
    }
    (void)state;
}

static void an_endless_answer_meets_the_ceiling(void **state)
{
    AUTO(str_done) struct str in = STR_INIT(2 * WSOPEN_HEAD_MAX);
    enum fail_cause why;
    str_addz(&in, "HTTP/1.1 101 X\r\n");
    while (in.len <= WSOPEN_HEAD_MAX)
        str_addz(&in, "X-Filler: a\r\n");

    assert_int_equal(wsopen_read(str_view(&in), key, &why), -1);

    assert_int_equal(why, FAIL_TOO_LARGE);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_standard_is_accepted),
        cmocka_unit_test(answers_are_told_apart),
        cmocka_unit_test(an_endless_answer_meets_the_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
