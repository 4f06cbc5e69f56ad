/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ask.h"

struct answer_case {
    const char *what, *text;
    bool at_end, is_head;
    int rc, status;
    const char *body;
};

static void answers_follow_the_table(void **state)
{
    static const struct answer_case cases[] = {
        {"plain", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false, false, 1, 200, "ok"},
        {"bare line feeds", "HTTP/1.0 200 OK\nContent-Length: 2\n\nok", false, false, 1, 200,
         "ok"},
        {"more than announced", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokay", false,
         false, 1, 200, "ok"},
        {"until the end", "HTTP/1.1 404 No\r\n\r\ngone", true, false, 1, 404, "gone"},
        {"not the end yet", "HTTP/1.1 404 No\r\n\r\ngone", false, false, 0, 0, ""},
        {"chunks",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
         "chunked\r\n\r\n2\r\nab\r\n3;x=y\r\ncde\r\n0\r\n\r\n",
         false, false, 1, 200, "abcde"},
        {"half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", false,
         false, 0, 0, ""},
        {"bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n",
         false, false, -1, 0, ""},
        {"huge chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff0\r\n",
         false, false, -1, 0, ""},
        {"interim answer",
         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n", false,
         false, 1, 201, ""},
        {"answer to HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", false, true, 1, 200,
         ""},
        {"no content", "HTTP/1.1 204 No\r\n\r\n", false, false, 1, 204, ""},
        {"ends early", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", true, false, -1, 0,
         ""},
        {"ends in the head", "HTTP/1.1 200 OK\r\nCont", true, false, -1, 0, ""},
        {"too large", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", false, false,
         -1, 0, ""},
        {"bad length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", false, false, -1, 0,
         ""},
        {"not HTTP", "SSH-2.0-OpenSSH_9.2\r\n", false, false, -1, 0, ""},
        {"nothing", "", false, false, 0, 0, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct answer_case *c = &cases[i];
        struct err e = {0};
        AUTO(ask_answer_done) struct ask_answer a = {0};

        int rc = ask_parse(view_z(c->text), c->at_end, c->is_head, &a, &e);

        if (rc != c->rc)
            fail_msg("%s: %d instead of %d (%s)", c->what, rc, c->rc, e.text);
        if (rc == 1) {
            assert_int_equal(a.status, c->status);
            assert_string_equal(str_text(&a.body), c->body);
        }
    }
    (void)state;
}

static void endless_head_is_refused(void **state)
{
    AUTO(str_done) struct str text = STR_INIT(1 << 20);
    AUTO(ask_answer_done) struct ask_answer a = {0};
    struct err e = {0};
    str_addz(&text, "HTTP/1.1 200 OK\r\n");
    while (text.len <= ASK_HEAD_MAX)
        str_addz(&text, "X: y\r\n");
    str_addz(&text, "X: ");

    assert_int_equal(ask_parse(str_view(&text), false, false, &a, &e), -1);

    assert_int_equal(e.kind, ERR_LIMIT);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_follow_the_table),
        cmocka_unit_test(endless_head_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
