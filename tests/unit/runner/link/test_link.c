/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "fdio.h"
#include "link.h"
#include "peer.h"

#define TOKEN      "sesame-open"
#define JSON_OK(b) "200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" b
#define NO_CONTENT "204 No Content\r\nConnection: close\r\n\r\n"

static struct link *link_to(const struct peer *p)
{
    struct link *l = NULL;
    struct link_address to = {.url = p->url, .token = TOKEN};
    assert_int_equal(link_open(&to, &l, NULL), 0);
    return l;
}

static int64_t soon(void)
{
    return clock_now_ns() + 20 * CLOCK_NS_PER_S;
}

static void beat_carries_the_token_and_learns_of_a_cancel(void **state)
{
    static const char *const answers[] = {JSON_OK("{\"cancel\":true}")};
    struct peer p;
    bool cancel = false;
    struct link_beat beat = {.stage = "round 4", .rounds_done = 3, .rounds_planned = 10};
    peer_start(&p, answers, 1);
    AUTO(link_freep) struct link *l = link_to(&p);

    assert_int_equal(link_beat(l, &beat, &cancel, NULL), 0);

    peer_stop(&p);
    assert_true(cancel);
    assert_non_null(strstr(str_text(&p.requests), "POST /runner/v1/beat HTTP/1.1\r\n"));
    assert_non_null(strstr(str_text(&p.requests), "Authorization: Bearer " TOKEN "\r\n"));
    assert_non_null(strstr(str_text(&p.requests), "\"rounds_done\":3"));
    peer_done(&p);
    (void)state;
}

static void a_look_is_open_until_it_is_answered(void **state)
{
    static const char *const answers[] = {NO_CONTENT, JSON_OK("{\"stop\":null}"),
                                          JSON_OK("{\"stop\":false}"),
                                          JSON_OK("{\"stop\":true}"), JSON_OK("{}")};
    struct peer p;
    enum link_look got[3];
    enum link_look other = LINK_LOOK_OPEN;
    struct err e = {0};
    peer_start(&p, answers, 5);
    AUTO(link_freep) struct link *l = link_to(&p);

    assert_int_equal(link_look_ask(l, 10, VIEW("{}"), NULL), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(link_look_answer(l, 10, &got[i], NULL), 0);
    assert_int_equal(link_look_answer(l, 10, &other, &e), -1);

    peer_stop(&p);
    assert_int_equal(got[0], LINK_LOOK_OPEN);
    assert_int_equal(got[1], LINK_LOOK_GO_ON);
    assert_int_equal(got[2], LINK_LOOK_STOP);
    assert_non_null(strstr(e.text, "answer to a look"));
    assert_non_null(strstr(str_text(&p.requests), "PUT /runner/v1/look?n=10 HTTP/1.1\r\n"));
    assert_non_null(strstr(str_text(&p.requests), "GET /runner/v1/look?n=10 HTTP/1.1\r\n"));
    peer_done(&p);
    (void)state;
}

struct status_case {
    const char *answer;
    enum err_kind kind;
};

static void statuses_say_whether_to_try_again(void **state)
{
    static const struct status_case cases[] = {
        {"401 Unauthorized\r\nConnection: close\r\n\r\n", ERR_CONFLICT},
        {"410 Gone\r\nConnection: close\r\n\r\n", ERR_CONFLICT},
        {"503 Busy\r\nConnection: close\r\n\r\n", ERR_AWAY},
        {"400 Bad\r\nConnection: "
         "close\r\n\r\n{\"error\":{\"code\":\"bad_request\",\"message\":\"no\"}}",
         ERR_PROTOCOL},
        {"302 Found\r\nLocation: http://192.0.2.1/\r\nConnection: close\r\n\r\n", ERR_PROTOCOL},
        {"", ERR_AWAY}, /* the connection ends without an answer */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct peer p;
        struct err e = {0};
        bool cancel = false;
        struct link_beat beat = {.stage = "x"};
        peer_start(&p, &cases[i].answer, 1);
        AUTO(link_freep) struct link *l = link_to(&p);

        assert_int_equal(link_beat(l, &beat, &cancel, &e), -1);

        peer_stop(&p);
        assert_int_equal(e.kind, cases[i].kind);
        assert_null(strstr(e.text, TOKEN));
        assert_false(cancel);
        peer_done(&p);
    }
    (void)state;
}

static void nobody_there_is_away(void **state)
{
    struct err e = {0};
    bool cancel = false;
    struct link *l = NULL;
    struct link_beat beat = {.stage = "x"};
    struct link_address to = {.url = "http://127.0.0.1:1", .token = TOKEN};
    assert_int_equal(link_open(&to, &l, NULL), 0);

    assert_int_equal(link_beat(l, &beat, &cancel, &e), -1);

    assert_int_equal(e.kind, ERR_AWAY);
    link_freep(&l);
    (void)state;
}

static void result_is_sent_until_it_is_taken(void **state)
{
    static const char *const answers[] = {"503 Busy\r\nConnection: close\r\n\r\n", "",
                                          NO_CONTENT};
    struct peer p;
    struct err e = {0};
    peer_start(&p, answers, 3);
    AUTO(link_freep) struct link *l = link_to(&p);

    if (link_result(l, VIEW("{\"the\":\"result\"}"), soon(), &e) < 0)
        fail_msg("%s", e.text);

    peer_stop(&p);
    int tries = 0;
    for (const char *at = str_text(&p.requests); (at = strstr(at, "PUT /runner/v1/result"));
         at++)
        tries++;
    assert_int_equal(tries, 3);
    peer_done(&p);
    (void)state;
}

static void refused_result_is_not_sent_again(void **state)
{
    static const char *const answers[] = {"410 Gone\r\nConnection: close\r\n\r\n"};
    struct peer p;
    struct err e = {0};
    peer_start(&p, answers, 1);
    AUTO(link_freep) struct link *l = link_to(&p);

    assert_int_equal(link_result(l, VIEW("{}"), soon(), &e), -1);

    peer_stop(&p);
    assert_int_equal(e.kind, ERR_CONFLICT);
    peer_done(&p);
    (void)state;
}

static void source_above_its_limit_is_refused(void **state)
{
    static const char *const answers[] = {"200 OK\r\nConnection: close\r\n\r\n0123456789"};
    struct peer p;
    struct err e = {0};
    AUTO(fdio_closep) int fd = memfd_create("source", MFD_CLOEXEC);
    peer_start(&p, answers, 1);
    AUTO(link_freep) struct link *l = link_to(&p);

    assert_int_equal(link_source(l, SIDE_HEAD, fd, 9, &e), -1);

    peer_stop(&p);
    assert_int_equal(e.kind, ERR_LIMIT);
    assert_non_null(strstr(str_text(&p.requests), "GET /runner/v1/source/head "));
    peer_done(&p);
    (void)state;
}

static void log_piece_names_stage_and_place(void **state)
{
    static const char *const answers[] = {NO_CONTENT};
    struct peer p;
    peer_start(&p, answers, 1);
    AUTO(link_freep) struct link *l = link_to(&p);

    assert_int_equal(link_log(l, "build-base", 2, VIEW("text"), NULL), 0);

    peer_stop(&p);
    assert_non_null(
        strstr(str_text(&p.requests), "POST /runner/v1/log?stage=build-base&seq=2 HTTP/1.1"));
    assert_true(view_ends(str_view(&p.requests), "\r\n\r\ntext"));
    peer_done(&p);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beat_carries_the_token_and_learns_of_a_cancel),
        cmocka_unit_test(a_look_is_open_until_it_is_answered),
        cmocka_unit_test(statuses_say_whether_to_try_again),
        cmocka_unit_test(nobody_there_is_away),
        cmocka_unit_test(result_is_sent_until_it_is_taken),
        cmocka_unit_test(refused_result_is_not_sent_again),
        cmocka_unit_test(source_above_its_limit_is_refused),
        cmocka_unit_test(log_piece_names_stage_and_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
