/* SPDX-License-Identifier: MIT */
/* POST /hooks/<repository> over real sockets, with deliveries that a real forge has sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "../forge/recorded.h"
#include "clock.h"
#include "filled.h"
#include "http.h"
#include "log.h"
#include "rng.h"
#include "store_hook.h"
#include "store_repo.h"
#include "wire.h"

#define HELLO_MAC "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
#define ZOO_BODY                                               \
    "{\"ref\":\"refs/heads/main\","                            \
    "\"before\":\"1111111111111111111111111111111111111111\"," \
    "\"after\":\"2222222222222222222222222222222222222222\"}"
#define ZOO_MAC "9a1abc071612f834c0fb0251a842bfe10bf164d26c7d37d5decc44e10ac9de0d"
#define JSON    "Content-Type: application/json\r\n"

struct fixture {
    struct filled filled;
    struct http *http;
    struct bell watch;
};

static int start(void **state)
{
    static struct fixture f;
    static const struct http_hook hooks[] = {
        {.repo = "zoo", .forge = {.kind = FORGE_GITHUB, .key = VIEW("s3cret")}},
        {.repo = "shop", .forge = {.kind = FORGE_GITEA, .key = VIEW(RECORDED_SECRET)}},
        {.repo = "hello",
         .forge = {.kind = FORGE_GITHUB, .key = VIEW("It's a Secret to Everybody")}},
    };
    struct err e = {0};
    log_set_level(LOG_WARN);
    filled_make(&f.filled);
    assert_int_equal(bell_open(&f.watch, &e), 0);
    if (http_start(&(struct http_options){.listen = "127.0.0.1:0",
                                          .state_dir = f.filled.dir,
                                          .db_path = f.filled.db,
                                          .watch = &f.watch,
                                          .hooks = hooks,
                                          .hooks_len = ARRAY_LEN(hooks)},
                   &f.http, &e) < 0)
        fail_msg("%s", e.text);
    *state = &f;
    return 0;
}

static int stop(void **state)
{
    struct fixture *f = *state;
    http_stop(f->http, clock_now_ns() + 5 * CLOCK_NS_PER_S);
    bell_close(&f->watch);
    filled_remove(&f->filled);
    return 0;
}

static int ask(struct fixture *f, const char *method, const char *target, const char *headers,
               struct view body, struct str *out)
{
    struct answer a;
    int fd = wire_tcp(http_port(f->http));
    wire_ask(fd, method, target, headers, body, &a);
    if (out) {
        str_clear(out);
        str_add(out, str_view(&a.body));
    }
    int status = a.status;
    answer_done(&a);
    close(fd);
    return status;
}

/* Sends a recorded delivery with its own headers, but for those of the connection; 'suffix' is
 * added to its id, which makes it another delivery. */
static int replay_as(struct fixture *f, const char *name, const char *suffix, struct str *out)
{
    struct recorded r;
    AUTO(str_done) struct str headers = STR_INIT(8192);
    recorded_load(HOOKS, name, &r);
    struct view rest = str_view(&r.headers), line;
    while (view_line(&rest, &line)) {
        if (view_starts(line, "Host:") || view_starts(line, "Content-Length:"))
            continue;
        str_add(&headers, line);
        str_addz(&headers, view_starts(line, "X-Gitea-Delivery:") ? suffix : "");
        str_addz(&headers, "\r\n");
    }
    int status = ask(f, "POST", "/hooks/shop", str_text(&headers), str_view(&r.body), out);
    recorded_done(&r);
    return status;
}

static int replay(struct fixture *f, const char *name, struct str *out)
{
    return replay_as(f, name, "", out);
}

static int64_t newest(struct fixture *f)
{
    int64_t id;
    struct err e = {0};
    if (store_hook_newest(f->filled.store, &id, &e) < 0)
        fail_msg("%s", e.text);
    return id;
}

static bool has_rung(struct fixture *f)
{
    return bell_wait(&f->watch, clock_now_ns());
}

#define ANSWER(event, result) "{\"event\":\"" event "\",\"result\":\"" result "\"}\n"

static void a_push_asks_for_a_look_once(void **state)
{
    struct fixture *f = *state;
    AUTO(str_done) struct str first = STR_INIT(4096), again = STR_INIT(4096);
    AUTO(hook_news_list_done) struct hook_news_list news = {0};
    int64_t before = newest(f);
    struct err e = {0};

    int status = replay(f, "gitea-1.15.11/002-push-main", &first);
    bool rung = has_rung(f);
    int status_again = replay(f, "gitea-1.15.11/002-push-main", &again);
    bool rung_again = has_rung(f);

    assert_int_equal(status, 202);
    assert_string_equal(str_text(&first), ANSWER("push", "accepted"));
    assert_true(rung);
    assert_int_equal(status_again, 202);
    assert_string_equal(str_text(&again), ANSWER("push", "known"));
    assert_false(rung_again);
    assert_int_equal(store_hook_news(f->filled.store, before, &news, &e), 0);
    assert_int_equal(news.news.len, 1);
    assert_int_equal(news.news.at[0].repo_id, f->filled.repo);
}

static void what_brings_no_code_is_ignored_with_202(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *name, *answer;
    } cases[] = {
        {"gitea-1.15.11/001-push-test-delivery", ANSWER("push", "ignored")},
        {"gitea-1.15.11/011-issue_comment-bench-by-owner", ANSWER("comment", "ignored")},
        {"gitea-1.15.11/015-pull_request-edited-title", ANSWER("merge_request", "ignored")},
        {"gitea-1.15.11/018-push-tag-v2-annotated", ANSWER("tag", "ignored")},
        {"gitea-1.15.11/025-fork", ANSWER("other", "ignored")},
        {"gogs-0.11.91/004-delete-tag-v1", ANSWER("tag", "ignored")},
    };
    int64_t before = newest(f);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(str_done) struct str answer = STR_INIT(4096);
        assert_int_equal(replay(f, cases[i].name, &answer), 202);
        assert_string_equal(str_text(&answer), cases[i].answer);
    }

    assert_int_equal(newest(f), before);
    assert_false(has_rung(f));
}

static void what_cannot_be_trusted_is_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *method, *target, *headers, *body;
        int status;
    } cases[] = {
        {"POST", "/hooks/shop", JSON "X-Gitea-Event: push\r\n", "{}", 401},
        {"POST", "/hooks/shop", JSON "X-Gitea-Signature:\r\n", "{}", 401},
        {"POST", "/hooks/shop", JSON "X-Gitea-Signature: " HELLO_MAC "\r\n", "{}", 401},
        {"POST", "/hooks/shop", JSON "X-Hub-Signature-256: sha256=" HELLO_MAC "\r\n", "{}",
         401},
        {"POST", "/hooks/shop", JSON "X-Gitea-Signature: " HELLO_MAC "\r\n", "", 401},
        {"POST", "/hooks/hello", JSON "X-Hub-Signature-256: sha256=" HELLO_MAC "\r\n",
         "Hello, World!", 400},
        {"POST", "/hooks/hello", "X-Hub-Signature-256: sha256=" HELLO_MAC "\r\n",
         "Hello, World!", 415},
        {"POST", "/hooks/hello",
         "Content-Type: text/plain\r\nX-Hub-Signature-256: sha256=" HELLO_MAC "\r\n",
         "Hello, World!", 415},
        {"POST", "/hooks/hello",
         "Content-Type: Application/JSON; charset=utf-8\r\nX-Hub-Signature-256: "
         "sha256=" HELLO_MAC "\r\n",
         "Hello, World?", 401},
        {"POST", "/hooks/nowhere", JSON "X-Gitea-Signature: " HELLO_MAC "\r\n", "{}", 404},
        {"POST", "/hooks/sho", JSON, "{}", 404},
        {"POST", "/hooks/", JSON, "{}", 404},
        {"POST", "/hooks", JSON, "{}", 404},
        {"POST", "/hooks/shop/x", JSON, "{}", 404},
        {"GET", "/hooks/shop", NULL, "", 405},
        {"PUT", "/hooks/shop", JSON, "{}", 405},
    };
    int64_t before = newest(f);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(str_done) struct str answer = STR_INIT(4096);
        int status = ask(f, cases[i].method, cases[i].target, cases[i].headers,
                         view_z(cases[i].body), &answer);
        if (status != cases[i].status)
            fail_msg("case %zu: %d %s", i, status, str_text(&answer));
        if (status == 401)
            assert_null(strstr(str_text(&answer), HELLO_MAC));
    }

    assert_int_equal(newest(f), before);
    assert_false(has_rung(f));
}

static void a_form_is_refused_before_its_signature(void **state)
{
    int status = replay(*state, "gitea-1.15.11/100-push-test-delivery-form", NULL);

    assert_int_equal(status, 415);
}

static void a_body_above_the_ceiling_is_not_read(void **state)
{
    struct fixture *f = *state;
    AUTO(str_done) struct str head = STR_INIT(4096);
    struct answer a;
    int fd = wire_tcp(http_port(f->http));
    str_addf(&head,
             "POST /hooks/shop HTTP/1.1\r\nHost: localhost\r\n" JSON
             "X-Gitea-Signature: " HELLO_MAC "\r\nContent-Length: %d\r\n\r\n",
             FORGE_HOOK_BYTES_MAX + 1);

    assert_true(wire_send(fd, str_view(&head)));
    wire_read(fd, false, &a);

    assert_int_equal(a.status, 413);
    answer_done(&a);
    close(fd);
}

/* The repository is in the configuration and not yet, or no more, in the database. */
static void a_repository_that_is_not_in_the_tables_is_404(void **state)
{
    struct fixture *f = *state;
    int64_t before = newest(f);

    int status = ask(f, "POST", "/hooks/zoo",
                     JSON "X-GitHub-Event: push\r\nX-GitHub-Delivery: 1\r\n"
                          "X-Hub-Signature-256: sha256=" ZOO_MAC "\r\n",
                     VIEW(ZOO_BODY), NULL);

    assert_int_equal(status, 404);
    assert_int_equal(newest(f), before);
}

enum { ORDERS = 60 };

/* Any order, any repetition: each delivery that asks for a look is taken once, each other
 * never.
 */
static void order_and_number_of_deliveries_do_not_matter(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *name;
        bool asks;
    } all[] = {
        {"gitea-1.15.11/001-push-test-delivery", false},
        {"gitea-1.15.11/002-push-main", true},
        {"gitea-1.15.11/003-pull_request-opened", true},
        {"gitea-1.15.11/004-create-branch-feat", true},
        {"gitea-1.15.11/005-push-feat-new-branch", true},
        {"gitea-1.15.11/006-pull_request-synchronized-same-head", true},
        {"gitea-1.15.11/008-pull_request-synchronized", true},
        {"gitea-1.15.11/009-push-feat-forced", true},
        {"gitea-1.15.11/012-issue_comment-edited", false},
        {"gitea-1.15.11/013-pull_request-closed", true},
        {"gitea-1.15.11/014-pull_request-reopened", true},
        {"gitea-1.15.11/016-push-tag-v1-light", false},
        {"gitea-1.15.11/019-create-tag-v2-annotated", false},
        {"gitea-1.15.11/020-create-tag-v2-annotated-again", false},
        {"gitea-1.15.11/025-fork", false},
        {"gitea-1.15.11/026-delete-branch-tmp", true},
        {"gitea-1.15.11/027-pull_request-opened-from-fork", true},
    };
    struct rng rng;
    rng_init(&rng, 20261124);

    for (int order = 0; order < ORDERS; order++) {
        bool seen[ARRAY_LEN(all)] = {0};
        char suffix[16];
        snprintf(suffix, sizeof suffix, "-%d", order);
        for (size_t left = ARRAY_LEN(all); left > 0;) {
            AUTO(str_done) struct str answer = STR_INIT(4096);
            size_t i = (size_t)(rng_unit(&rng) * (double)ARRAY_LEN(all));
            const char *want = !all[i].asks ? "ignored" : seen[i] ? "known" : "accepted";
            assert_int_equal(replay_as(f, all[i].name, suffix, &answer), 202);
            if (!strstr(str_text(&answer), want))
                fail_msg("order %d: %s: %s", order, all[i].name, str_text(&answer));
            left -= !seen[i];
            seen[i] = true;
        }
        assert_true(has_rung(f));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_push_asks_for_a_look_once),
        cmocka_unit_test(what_brings_no_code_is_ignored_with_202),
        cmocka_unit_test(what_cannot_be_trusted_is_refused),
        cmocka_unit_test(a_form_is_refused_before_its_signature),
        cmocka_unit_test(a_body_above_the_ceiling_is_not_read),
        cmocka_unit_test(a_repository_that_is_not_in_the_tables_is_404),
        cmocka_unit_test(order_and_number_of_deliveries_do_not_matter),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
