/* SPDX-License-Identifier: MIT */
/* Against a real receiver over real sockets; see receiver.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "digest.h"
#include "fdio.h"
#include "forge_webhook.h"
#include "receiver.h"

#define SECRET "a secret with \x01 odd bytes"

static struct receiver receiver;
static char dir[] = "/tmp/pacewatch-webhook-XXXXXX";
static char secret_file[sizeof dir + 16];

static void write_secret(const char *text, mode_t mode)
{
    struct err e = {0};
    if (fdio_write_file(secret_file, view_z(text), 0600, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(chmod(secret_file, mode), 0);
}

static int start(void **state)
{
    if (!mkdtemp(dir))
        return -1;
    snprintf(secret_file, sizeof secret_file, "%s/secret", dir);
    receiver_start(&receiver, RECEIVER, VIEW(SECRET));
    (void)state;
    return 0;
}

static int stop(void **state)
{
    receiver_stop(&receiver);
    (void)state;
    return fdio_remove_tree(dir, NULL);
}

static int send_to(const char *path, bool allow_private, int64_t patience_ns,
                   struct client_answer *answer, struct err *e)
{
    AUTO(str_done) struct str url = STR_INIT(256);
    receiver_url(&receiver, path, &url);
    struct forge_webhook hook = {
        .url = str_text(&url),
        .secret_file = secret_file,
        .allow_private = allow_private,
        .allow_http = true,
    };
    return forge_webhook_send(&hook, "msg_42",
                              VIEW("{\"type\":\"report\",\"markdown\":\"\u00fc\"}"),
                              clock_now_ns() + patience_ns, answer, e);
}

static void a_plain_secret_signs_what_the_receiver_accepts(void **state)
{
    AUTO(client_answer_done) struct client_answer answer = CLIENT_ANSWER_INIT;
    AUTO(str_done) struct str line = STR_INIT(1 << 20);
    struct err e = {0};
    write_secret(SECRET "\n", 0600);

    int r = send_to("/ok", true, 10 * CLOCK_NS_PER_S, &answer, &e);

    AUTO(json_freep) struct json_doc *seen = receiver_next(&receiver, &line);
    assert_int_equal(r, 0);
    assert_int_equal(answer.status, 200);
    assert_string_equal(str_text(&answer.body), "thanks");
    assert_int_equal(json_type(json_get(json_root(seen), "fault")), JSON_NULL);
    assert_true(view_eqz(json_text(json_get(json_root(seen), "id")), "msg_42"));
    (void)state;
}

static void a_base64_secret_signs_with_the_bytes_it_stands_for(void **state)
{
    AUTO(client_answer_done) struct client_answer answer = CLIENT_ANSWER_INIT;
    AUTO(str_done) struct str line = STR_INIT(1 << 20);
    AUTO(str_done) struct str secret = STR_INIT(256);
    struct err e = {0};
    str_addz(&secret, "whsec_");
    digest_base64(VIEW(SECRET), &secret);
    write_secret(str_text(&secret), 0400);

    int r = send_to("/ok", true, 10 * CLOCK_NS_PER_S, &answer, &e);

    AUTO(json_freep) struct json_doc *seen = receiver_next(&receiver, &line);
    assert_int_equal(r, 0);
    assert_int_equal(json_type(json_get(json_root(seen), "fault")), JSON_NULL);
    (void)state;
}

static void a_wrong_secret_is_noticed_by_the_receiver(void **state)
{
    AUTO(client_answer_done) struct client_answer answer = CLIENT_ANSWER_INIT;
    AUTO(str_done) struct str line = STR_INIT(1 << 20);
    struct err e = {0};
    write_secret("another one", 0600);

    int r = send_to("/ok", true, 10 * CLOCK_NS_PER_S, &answer, &e);

    AUTO(json_freep) struct json_doc *seen = receiver_next(&receiver, &line);
    assert_int_equal(r, 0);
    assert_true(view_eqz(json_text(json_get(json_root(seen), "fault")), "no signature fits"));
    (void)state;
}

static void a_secret_that_others_can_read_is_refused(void **state)
{
    static const mode_t modes[] = {0640, 0604, 0660, 0644};
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        AUTO(client_answer_done) struct client_answer answer = CLIENT_ANSWER_INIT;
        struct err e = {0};
        write_secret(SECRET, modes[i]);

        int r = send_to("/ok", true, 10 * CLOCK_NS_PER_S, &answer, &e);

        assert_int_equal(r, -1);
        assert_int_equal(e.kind, ERR_INPUT);
        assert_non_null(strstr(e.text, "chmod 600"));
    }
    (void)state;
}

static void private_addresses_are_refused_unless_allowed(void **state)
{
    AUTO(client_answer_done) struct client_answer answer = CLIENT_ANSWER_INIT;
    struct err e = {0};
    write_secret(SECRET, 0600);

    int r = send_to("/ok", false, 10 * CLOCK_NS_PER_S, &answer, &e);

    assert_int_equal(r, -1);
    assert_int_equal(e.kind, ERR_INPUT);
    assert_non_null(strstr(e.text, "private"));
    (void)state;
}

static void redirects_are_not_followed(void **state)
{
    AUTO(client_answer_done) struct client_answer answer = CLIENT_ANSWER_INIT;
    AUTO(str_done) struct str line = STR_INIT(1 << 20);
    struct err e = {0};
    write_secret(SECRET, 0600);

    int r = send_to("/redirect", true, 10 * CLOCK_NS_PER_S, &answer, &e);

    AUTO(json_freep) struct json_doc *seen = receiver_next(&receiver, &line);
    assert_int_equal(r, 0);
    assert_int_equal(answer.status, 302);
    assert_true(view_eqz(json_text(json_get(json_root(seen), "path")), "/redirect"));
    (void)state;
}

static void a_receiver_that_never_answers_costs_no_more_than_the_deadline(void **state)
{
    AUTO(client_answer_done) struct client_answer answer = CLIENT_ANSWER_INIT;
    struct err e = {0};
    write_secret(SECRET, 0600);
    int64_t began = clock_now_ns();

    int r = send_to("/slow", true, 300 * CLOCK_NS_PER_MS, &answer, &e);

    receiver_skip(&receiver);
    assert_int_equal(r, -1);
    assert_int_equal(e.kind, ERR_TIMEOUT);
    assert_true(clock_now_ns() - began < 10 * CLOCK_NS_PER_S);
    (void)state;
}

static void retry_after_is_told_in_milliseconds(void **state)
{
    AUTO(client_answer_done) struct client_answer answer = CLIENT_ANSWER_INIT;
    struct err e = {0};
    write_secret(SECRET, 0600);

    int r = send_to("/retry/7", true, 10 * CLOCK_NS_PER_S, &answer, &e);

    receiver_skip(&receiver);
    assert_int_equal(r, 0);
    assert_int_equal(answer.status, 503);
    assert_int_equal(answer.retry_after_ms, 7000);
    (void)state;
}

static void an_endless_answer_is_cut_and_still_counts(void **state)
{
    AUTO(client_answer_done) struct client_answer answer = CLIENT_ANSWER_INIT;
    struct err e = {0};
    write_secret(SECRET, 0600);

    int r = send_to("/large", true, 10 * CLOCK_NS_PER_S, &answer, &e);

    receiver_skip(&receiver);
    assert_int_equal(r, 0);
    assert_int_equal(answer.status, 200);
    assert_true(answer.body.cut);
    assert_true(answer.body.len <= CLIENT_ANSWER_MAX);
    (void)state;
}

static void only_http_and_https_are_spoken(void **state)
{
    static const char *const urls[] = {"file:///etc/passwd", "ftp://127.0.0.1/x",
                                       "gopher://127.0.0.1/x", "dict://127.0.0.1/x",
                                       "nonsense://"};
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        AUTO(client_answer_done) struct client_answer answer = CLIENT_ANSWER_INIT;
        struct err e = {0};
        struct client_request request = {.url = urls[i],
                                         .allow_private = true,
                                         .allow_http = true,
                                         .deadline_ns = clock_now_ns() + CLOCK_NS_PER_S};

        int r = client_send(&request, &answer, &e);

        assert_int_equal(r, -1);
        assert_int_equal(e.kind, ERR_INPUT);
    }
    (void)state;
}

static void plain_http_needs_the_operators_word(void **state)
{
    AUTO(client_answer_done) struct client_answer answer = CLIENT_ANSWER_INIT;
    AUTO(str_done) struct str url = STR_INIT(256);
    struct err e = {0};
    receiver_url(&receiver, "/ok", &url);
    struct client_request request = {.url = str_text(&url),
                                     .allow_private = true,
                                     .deadline_ns = clock_now_ns() + CLOCK_NS_PER_S};

    int r = client_send(&request, &answer, &e);

    assert_int_equal(r, -1);
    assert_int_equal(e.kind, ERR_INPUT);
    (void)state;
}

/* The example of the Standard Webhooks specification's reference libraries. */
static void the_signature_is_that_of_the_specification(void **state)
{
    AUTO(str_done) struct str key = STR_INIT(64);
    AUTO(str_done) struct str signature = STR_INIT(128);
    assert_int_equal(digest_unbase64(VIEW("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), &key), 0);

    forge_webhook_sign(str_view(&key), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                       VIEW("{\"test\": 2432232314}"), &signature);

    assert_string_equal(str_text(&signature),
                        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_secret_signs_what_the_receiver_accepts),
        cmocka_unit_test(a_base64_secret_signs_with_the_bytes_it_stands_for),
        cmocka_unit_test(a_wrong_secret_is_noticed_by_the_receiver),
        cmocka_unit_test(a_secret_that_others_can_read_is_refused),
        cmocka_unit_test(private_addresses_are_refused_unless_allowed),
        cmocka_unit_test(redirects_are_not_followed),
        cmocka_unit_test(a_receiver_that_never_answers_costs_no_more_than_the_deadline),
        cmocka_unit_test(retry_after_is_told_in_milliseconds),
        cmocka_unit_test(an_endless_answer_is_cut_and_still_counts),
        cmocka_unit_test(only_http_and_https_are_spoken),
        cmocka_unit_test(plain_http_needs_the_operators_word),
        cmocka_unit_test(the_signature_is_that_of_the_specification),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
