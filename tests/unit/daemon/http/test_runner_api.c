/* SPDX-License-Identifier: MIT */
/* The runner's routes: whose token opens what, and results that arrive once, twice or wrongly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "fdio.h"
#include "filled.h"
#include "http.h"
#include "store_job.h"
#include "store_look.h"
#include "store_run.h"
#include "wire.h"

#define AS(token) "Authorization: Bearer " token "\r\n"

struct fixture {
    struct filled filled;
    struct http *http;
    struct bell judge, dispatch;
};

static int start(void **state)
{
    static struct fixture f;
    struct err e = {0};
    filled_make(&f.filled);
    assert_int_equal(bell_open(&f.judge, &e), 0);
    assert_int_equal(bell_open(&f.dispatch, &e), 0);
    if (http_start(&(struct http_options){.listen = "127.0.0.1:0",
                                          .state_dir = f.filled.dir,
                                          .db_path = f.filled.db,
                                          .judge = &f.judge,
                                          .dispatch = &f.dispatch},
                   &f.http, &e) < 0)
        fail_msg("%s", e.text);
    *state = &f;
    return 0;
}

static int stop(void **state)
{
    struct fixture *f = *state;
    http_stop(f->http, clock_now_ns() + 5 * CLOCK_NS_PER_S);
    bell_close(&f->judge);
    bell_close(&f->dispatch);
    filled_remove(&f->filled);
    return 0;
}

static int ask(struct fixture *f, const char *method, const char *target, const char *headers,
               struct view body, struct str *out)
{
    struct answer a;
    int fd = wire_tcp(http_port(f->http));
    wire_ask(fd, method, target, headers, body, &a);
    if (out)
        str_add(out, str_view(&a.body));
    int status = a.status;
    answer_done(&a);
    close(fd);
    return status;
}

static enum job_state state_of(struct fixture *f, int64_t id)
{
    struct job job;
    struct err e = {0};
    assert_int_equal(store_job_get(f->filled.store, id, &job, &e), 0);
    return job.state;
}

static void each_token_opens_its_own_attempt_only(void **state)
{
    static const struct {
        const char *headers;
        int status;
    } cases[] = {
        {NULL, 401},
        {AS("wrong"), 401},
        {AS(""), 401},
        {"Authorization: Basic " FILLED_TOKEN_RUNNING "\r\n", 401},
        {"Authorization: " FILLED_TOKEN_RUNNING "\r\n", 401},
        {AS(FILLED_TOKEN_RUNNING "x"), 401},
        {AS(FILLED_TOKEN_LOST), 410},
        {AS(FILLED_TOKEN_DONE), 410},
        {AS(FILLED_TOKEN_RUNNING), 200},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int status = ask(*state, "GET", "/runner/v1/job", cases[i].headers, VIEW(""), NULL);
        if (status != cases[i].status)
            fail_msg("case %zu: %d", i, status);
    }
}

static void asking_for_the_job_makes_it_running(void **state)
{
    struct fixture *f = *state;
    AUTO(str_done) struct str body = STR_INIT(4096);
    assert_int_equal(state_of(f, f->filled.running), JOB_SUBMITTED);

    int status = ask(f, "GET", "/runner/v1/job", AS(FILLED_TOKEN_RUNNING), VIEW(""), &body);
    int again = ask(f, "GET", "/runner/v1/job", AS(FILLED_TOKEN_RUNNING), VIEW(""), NULL);

    assert_int_equal(status, 200);
    assert_int_equal(again, 200);
    assert_string_equal(str_text(&body), "{\"job\":true}");
    assert_int_equal(state_of(f, f->filled.running), JOB_RUNNING);
}

/* The question is kept once, rings the judge and stays open until it has answered. */
static void a_look_is_asked_by_put_and_answered_by_get(void **state)
{
    struct fixture *f = *state;
    AUTO(str_done) struct str body = STR_INIT(1 << 20);
    AUTO(str_done) struct str open_answer = STR_INIT(4096);
    AUTO(str_done) struct str stop_answer = STR_INIT(4096);
    struct look look = {.job_id = f->filled.running, .attempt = 2, .n = 10};
    filled_result(&f->filled, f->filled.running, 2, &body);
    (void)ask(f, "GET", "/runner/v1/job", AS(FILLED_TOKEN_RUNNING), VIEW(""), NULL);

    int early = ask(f, "GET", "/runner/v1/look?n=10", AS(FILLED_TOKEN_RUNNING), VIEW(""), NULL);
    int put =
        ask(f, "PUT", "/runner/v1/look?n=10", AS(FILLED_TOKEN_RUNNING), str_view(&body), NULL);
    int again =
        ask(f, "PUT", "/runner/v1/look?n=10", AS(FILLED_TOKEN_RUNNING), str_view(&body), NULL);
    int bad = ask(f, "PUT", "/runner/v1/look?n=11", AS(FILLED_TOKEN_RUNNING), VIEW("{}"), NULL);
    int no_n =
        ask(f, "PUT", "/runner/v1/look", AS(FILLED_TOKEN_RUNNING), str_view(&body), NULL);
    bool rung = bell_wait(&f->judge, clock_now_ns() + CLOCK_NS_PER_S);
    int waiting =
        ask(f, "GET", "/runner/v1/look?n=10", AS(FILLED_TOKEN_RUNNING), VIEW(""), &open_answer);
    assert_int_equal(store_look_answer(f->filled.store, &look, true, "slower", NULL), 0);
    int done =
        ask(f, "GET", "/runner/v1/look?n=10", AS(FILLED_TOKEN_RUNNING), VIEW(""), &stop_answer);

    assert_int_equal(early, 404);
    assert_int_equal(put, 204);
    assert_int_equal(again, 204);
    assert_int_equal(bad, 400);
    assert_int_equal(no_n, 400);
    assert_true(rung);
    assert_int_equal(waiting, 200);
    assert_string_equal(str_text(&open_answer), "{\"stop\":null}\n");
    assert_int_equal(done, 200);
    assert_string_equal(str_text(&stop_answer), "{\"stop\":true}\n");
}

static void sources_are_streamed_whole(void **state)
{
    struct fixture *f = *state;
    AUTO(str_done) struct str body = STR_INIT(8 << 20);
    AUTO(str_done) struct str file = STR_INIT(8 << 20);
    char path[128];
    snprintf(path, sizeof path, "%s/jobs/%" PRId64 "/head.tar", f->filled.dir,
             f->filled.running);
    assert_int_equal(fdio_read_file(path, &file, NULL), 0);

    int head =
        ask(f, "GET", "/runner/v1/source/head", AS(FILLED_TOKEN_RUNNING), VIEW(""), &body);
    int base =
        ask(f, "GET", "/runner/v1/source/base", AS(FILLED_TOKEN_RUNNING), VIEW(""), NULL);
    int other =
        ask(f, "GET", "/runner/v1/source/job.json", AS(FILLED_TOKEN_RUNNING), VIEW(""), NULL);

    assert_int_equal(head, 200);
    assert_true(view_eq(str_view(&body), str_view(&file)));
    assert_int_equal(base, 404);
    assert_int_equal(other, 404);
}

static void beat_tells_whether_to_go_on(void **state)
{
    struct fixture *f = *state;
    struct view beat = VIEW("{\"stage\":\"round 4\",\"rounds_done\":3,\"rounds_planned\":10,"
                            "\"eta_ms\":1764000000000}");
    AUTO(str_done) struct str going = STR_INIT(4096);
    AUTO(str_done) struct str lost = STR_INIT(4096);
    AUTO(str_done) struct str cancelled = STR_INIT(4096);
    struct err e = {0};
    (void)ask(f, "GET", "/runner/v1/job", AS(FILLED_TOKEN_RUNNING), VIEW(""), NULL);

    int first = ask(f, "POST", "/runner/v1/beat", AS(FILLED_TOKEN_RUNNING), beat, &going);
    int second = ask(f, "POST", "/runner/v1/beat", AS(FILLED_TOKEN_LOST), beat, &lost);
    assert_int_equal(store_job_cancel(f->filled.store, f->filled.running, &e), 0);
    int third = ask(f, "POST", "/runner/v1/beat", AS(FILLED_TOKEN_RUNNING), beat, &cancelled);
    int delivered = ask(f, "POST", "/runner/v1/beat", AS(FILLED_TOKEN_DONE), beat, NULL);

    assert_int_equal(first, 200);
    assert_string_equal(str_text(&going), "{\"cancel\":false}\n");
    assert_int_equal(second, 200);
    assert_string_equal(str_text(&lost), "{\"cancel\":true}\n");
    assert_int_equal(third, 200);
    assert_string_equal(str_text(&cancelled), "{\"cancel\":true}\n");
    assert_int_equal(delivered, 410);
}

static void bad_beats_and_logs_are_refused(void **state)
{
    static const struct {
        const char *target, *body;
        int status;
    } cases[] = {
        {"/runner/v1/beat", "", 400},
        {"/runner/v1/beat", "[]", 400},
        {"/runner/v1/beat", "{}", 400},
        {"/runner/v1/beat", "{\"stage\":1}", 400},
        {"/runner/v1/beat", "{\"stage\":\"x\",\"rounds_done\":-1}", 400},
        {"/runner/v1/log", "x", 400},
        {"/runner/v1/log?stage=a", "x", 400},
        {"/runner/v1/log?stage=a&seq=x", "x", 400},
        {"/runner/v1/log?stage=&seq=0", "x", 400},
        {"/runner/v1/log?stage=a&seq=0", "x", 204},
        {"/runner/v1/result", "{}", 400},
        {"/runner/v1/result", "not JSON", 400},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *method = strstr(cases[i].target, "result") ? "PUT" : "POST";
        int status = ask(*state, method, cases[i].target, AS(FILLED_TOKEN_RUNNING),
                         view_z(cases[i].body), NULL);
        if (status != cases[i].status)
            fail_msg("case %zu: %d", i, status);
    }
}

static void log_pieces_sent_twice_appear_once(void **state)
{
    struct fixture *f = *state;
    char target[64];
    AUTO(str_done) struct str text = STR_INIT(4096);

    for (int i = 0; i < 2; i++) {
        assert_int_equal(ask(f, "POST", "/runner/v1/log?stage=runner&seq=0",
                             AS(FILLED_TOKEN_RUNNING), VIEW("one\n"), NULL),
                         204);
        assert_int_equal(ask(f, "POST", "/runner/v1/log?stage=runner&seq=1",
                             AS(FILLED_TOKEN_RUNNING), VIEW("two\n"), NULL),
                         204);
    }
    snprintf(target, sizeof target, "/api/v1/jobs/%" PRId64 "/log?stage=runner",
             f->filled.running);
    int status = ask(f, "GET", target, NULL, VIEW(""), &text);

    assert_int_equal(status, 200);
    assert_string_equal(str_text(&text), "one\ntwo\n");
}

static void result_is_taken_once_and_may_be_delivered_again(void **state)
{
    struct fixture *f = *state;
    AUTO(str_done) struct str result = STR_INIT(1 << 20);
    struct run first, second;
    bool found;
    struct err e = {0};
    filled_result(&f->filled, f->filled.running, 2, &result);
    (void)ask(f, "GET", "/runner/v1/job", AS(FILLED_TOKEN_RUNNING), VIEW(""), NULL);

    int status =
        ask(f, "PUT", "/runner/v1/result", AS(FILLED_TOKEN_RUNNING), str_view(&result), NULL);
    bool rung = bell_wait(&f->judge, clock_now_ns());
    bool dispatch_rung = bell_wait(&f->dispatch, clock_now_ns());
    assert_int_equal(store_run_by_job(f->filled.store, f->filled.running, &first, &found, &e),
                     0);
    int again =
        ask(f, "PUT", "/runner/v1/result", AS(FILLED_TOKEN_RUNNING), str_view(&result), NULL);
    assert_int_equal(store_run_by_job(f->filled.store, f->filled.running, &second, &found, &e),
                     0);

    assert_int_equal(status, 204);
    assert_true(rung);
    assert_true(dispatch_rung);
    assert_true(found);
    assert_int_equal(again, 204);
    assert_int_equal(first.id, second.id);
    assert_int_equal(state_of(f, f->filled.running), JOB_MEASURED);
}

static void result_of_another_job_or_attempt_is_refused(void **state)
{
    struct fixture *f = *state;
    const int64_t wrong[][2] = {{f->filled.running, 1}, {f->filled.done, 2}};

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        AUTO(str_done) struct str result = STR_INIT(1 << 20);
        filled_result(&f->filled, wrong[i][0], wrong[i][1], &result);
        assert_int_equal(ask(f, "PUT", "/runner/v1/result", AS(FILLED_TOKEN_RUNNING),
                             str_view(&result), NULL),
                         400);
    }
    assert_false(bell_wait(&f->judge, clock_now_ns()));
}

static void result_of_a_lost_attempt_is_gone(void **state)
{
    struct fixture *f = *state;
    AUTO(str_done) struct str result = STR_INIT(1 << 20);
    filled_result(&f->filled, f->filled.running, 1, &result);

    int status =
        ask(f, "PUT", "/runner/v1/result", AS(FILLED_TOKEN_LOST), str_view(&result), NULL);

    assert_int_equal(status, 410);
    assert_int_equal(state_of(f, f->filled.running), JOB_SUBMITTED);
}

static void large_result_of_a_lost_attempt_still_hears_that_it_is_gone(void **state)
{
    AUTO(str_done) struct str body = STR_INIT(16 << 20);
    for (int i = 0; i < 1 << 20; i++)
        str_addz(&body, "12345678");

    int gone =
        ask(*state, "PUT", "/runner/v1/result", AS(FILLED_TOKEN_LOST), str_view(&body), NULL);
    int stranger = ask(*state, "PUT", "/runner/v1/result", NULL, str_view(&body), NULL);
    int again =
        ask(*state, "PUT", "/runner/v1/result", AS(FILLED_TOKEN_DONE), str_view(&body), NULL);

    assert_int_equal(gone, 410);
    assert_int_equal(stranger, 401);
    assert_int_equal(again, 204);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_token_opens_its_own_attempt_only, start, stop),
        cmocka_unit_test_setup_teardown(asking_for_the_job_makes_it_running, start, stop),
        cmocka_unit_test_setup_teardown(a_look_is_asked_by_put_and_answered_by_get, start,
                                        stop),
        cmocka_unit_test_setup_teardown(sources_are_streamed_whole, start, stop),
        cmocka_unit_test_setup_teardown(beat_tells_whether_to_go_on, start, stop),
        cmocka_unit_test_setup_teardown(bad_beats_and_logs_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(log_pieces_sent_twice_appear_once, start, stop),
        cmocka_unit_test_setup_teardown(result_is_taken_once_and_may_be_delivered_again, start,
                                        stop),
        cmocka_unit_test_setup_teardown(result_of_another_job_or_attempt_is_refused, start,
                                        stop),
        cmocka_unit_test_setup_teardown(result_of_a_lost_attempt_is_gone, start, stop),
        cmocka_unit_test_setup_teardown(
            large_result_of_a_lost_attempt_still_hears_that_it_is_gone, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
