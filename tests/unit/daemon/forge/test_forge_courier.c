/* SPDX-License-Identifier: MIT */
/* Against real HTTP and SMTP servers; see tests/forges/inbox.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "clock.h"
#include "fdio.h"
#include "forge_courier.h"
#include "receiver.h"

static struct inbox {
    struct receiver server;
    char dir[64];
    int secure, plain; /* ports of SMTP */
} inbox;

static void run(const char *fmt, const char *dir)
{
    AUTO(str_done) struct str command = STR_INIT(1024);
    str_addf(&command, "cd %s && %s", dir, fmt);
    assert_int_equal(system(str_text(&command)), 0);
}

static int start(void **state)
{
    AUTO(str_done) struct str line = STR_INIT(4096);
    snprintf(inbox.dir, sizeof inbox.dir, "/tmp/pacewatch-inbox-XXXXXX");
    assert_non_null(mkdtemp(inbox.dir));
    run("umask 077; openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout key.pem"
        " -out cert.pem -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2>/dev/null;"
        " printf mail-password >password; printf mx-token >mx; printf wrong >wrong",
        inbox.dir);
    receiver_start_with(&inbox.server, INBOX, inbox.dir);
    AUTO(json_freep) struct json_doc *ports = receiver_next(&inbox.server, &line);
    inbox.secure = (int)json_number(json_get(json_root(ports), "secure"));
    inbox.plain = (int)json_number(json_get(json_root(ports), "plain"));
    (void)state;
    return 0;
}

static int stop(void **state)
{
    receiver_stop(&inbox.server);
    (void)fdio_remove_tree(inbox.dir, NULL);
    (void)state;
    return 0;
}

static void path_of(const char *name, char out[128])
{
    snprintf(out, 128, "%s/%s", inbox.dir, name);
}

static int send_text(const struct courier *c, const char *text, int *status, struct err *e)
{
    AUTO(client_answer_done) struct client_answer answer = CLIENT_ANSWER_INIT;
    int r = courier_send(c, "msg_0123", view_z(text), clock_now_ns() + 20 * CLOCK_NS_PER_S,
                         &answer, e);
    *status = answer.status;
    return r;
}

static void check_text(const struct json_doc *doc, const char *key, const char *want)
{
    assert_string_equal(json_text(json_get(json_root(doc), key)).at, want);
}

static void slack_gets_text_without_markup_of_others(void **state)
{
    AUTO(str_done) struct str url = STR_INIT(256);
    AUTO(str_done) struct str line = STR_INIT(4096);
    char file[128];
    struct err e = {0};
    int status;
    path_of("hook", file);
    receiver_url(&inbox.server, "/services/T0/B0/secret", &url);
    assert_int_equal(fdio_write_file(file, str_view(&url), 0600, NULL), 0);
    struct courier c = {
        .kind = COURIER_SLACK, .secret_file = file, .allow_private = true, .allow_plain = true};

    assert_int_equal(send_text(&c, "[shop] slower <!channel> & more", &status, &e), 0);

    assert_int_equal(status, 200);
    AUTO(json_freep) struct json_doc *seen = receiver_next(&inbox.server, &line);
    check_text(seen, "path", "/services/T0/B0/secret");
    assert_string_equal(json_text(json_get(json_get(json_root(seen), "body"), "text")).at,
                        "[shop] slower &lt;!channel&gt; &amp; more");
    (void)state;
}

static void a_secret_address_is_never_in_an_error(void **state)
{
    char file[128];
    struct err e = {0};
    int status;
    path_of("hook2", file);
    assert_int_equal(fdio_write_file(file, VIEW("http://127.0.0.1:1/very-secret"), 0600, NULL),
                     0);
    struct courier c = {.kind = COURIER_SLACK, .secret_file = file, .allow_plain = true};

    assert_int_equal(send_text(&c, "x", &status, &e), -1);
    assert_int_equal(e.kind, ERR_INPUT); /* a private address */
    assert_null(strstr(e.text, "very-secret"));
    c.allow_private = true;
    assert_int_equal(send_text(&c, "x", &status, &e), -1);
    assert_null(strstr(e.text, "very-secret"));
    (void)state;
}

static void matrix_gets_a_notice_under_the_message_s_id(void **state)
{
    AUTO(str_done) struct str url = STR_INIT(256);
    AUTO(str_done) struct str line = STR_INIT(4096);
    char token[128];
    struct err e = {0};
    int status;
    path_of("mx", token);
    receiver_url(&inbox.server, "/", &url);
    struct courier c = {.kind = COURIER_MATRIX,
                        .url = str_text(&url),
                        .secret_file = token,
                        .room = "!room:matrix.example",
                        .allow_private = true,
                        .allow_plain = true};

    assert_int_equal(send_text(&c, "slower", &status, &e), 0);

    assert_int_equal(status, 200);
    AUTO(json_freep) struct json_doc *seen = receiver_next(&inbox.server, &line);
    check_text(seen, "method", "PUT");
    check_text(
        seen, "path",
        "/_matrix/client/v3/rooms/%21room%3Amatrix.example/send/m.room.message/msg_0123");
    const struct json *body = json_get(json_root(seen), "body");
    assert_string_equal(json_text(json_get(body, "msgtype")).at, "m.notice");
    assert_string_equal(json_text(json_get(body, "body")).at, "slower");
    (void)state;
}

static struct courier mail_to(char *const *to, size_t len, char url[64], int port)
{
    snprintf(url, 64, "smtp://127.0.0.1:%d", port);
    return (struct courier){.kind = COURIER_MAIL,
                            .url = url,
                            .from = "bot@pace.example",
                            .to = to,
                            .to_len = len,
                            .allow_private = true};
}

static void a_mail_arrives_as_it_was_written(void **state)
{
    AUTO(str_done) struct str line = STR_INIT(1 << 16);
    AUTO(str_done) struct str text = STR_INIT(1 << 16);
    char url[64], password[128], ca[128];
    char *to[] = {"dev@shop.example", "ops@shop.example"};
    struct err e = {0};
    int status;
    path_of("password", password);
    path_of("cert.pem", ca);
    struct courier c = mail_to(to, 2, url, inbox.secure);
    c.user = "pacewatch";
    c.secret_file = password;
    c.ca_file = ca;
    str_addz(&text, "[shop] slower (confirmed): p99 response time +31.2 % \u00b1 0.4 "
                    "\u2191 in a rather long subject that needs several words, merge request 12"
                    "\nfirst line\n.\nline after a lone dot, and ");
    for (int i = 0; i < 300; i++)
        str_addz(&text, "long ");

    if (send_text(&c, str_text(&text), &status, &e) < 0)
        fail_msg("%s", e.text);

    assert_int_equal(status, 250);
    AUTO(json_freep) struct json_doc *seen = receiver_next(&inbox.server, &line);
    struct view subject, rest;
    (void)view_cut(str_view(&text), '\n', &subject, &rest);
    assert_true(view_eq(json_text(json_get(json_root(seen), "subject")), subject));
    assert_true(view_starts(json_text(json_get(json_root(seen), "text")),
                            "first line\n.\nline after a lone dot"));
    check_text(seen, "id", "<msg_0123@pace.example>");
    check_text(seen, "auto", "auto-generated");
    assert_true(json_bool(json_get(json_root(seen), "tls")));
    assert_int_equal(json_count(json_get(json_root(seen), "receivers")), 2);
    assert_true(json_number(json_get(json_root(seen), "longest")) <= 78);
    (void)state;
}

static void a_mail_goes_nowhere_without_tls_login_or_mailbox(void **state)
{
    AUTO(str_done) struct str line = STR_INIT(1 << 16);
    char url[64], wrong[128], ca[128];
    char *to[] = {"dev@shop.example"}, *nobody[] = {"nobody@shop.example"};
    struct err e = {0};
    int status;
    path_of("wrong", wrong);
    path_of("cert.pem", ca);
    struct courier plain = mail_to(to, 1, url, inbox.plain);

    assert_true(send_text(&plain, "s\nt", &status, &e) < 0 || status >= 400);
    plain.allow_plain = true;
    assert_int_equal(send_text(&plain, "s\nt", &status, &e), 0);
    assert_int_equal(status, 250);
    receiver_skip(&inbox.server);
    plain.to = nobody;
    assert_int_equal(send_text(&plain, "s\nt", &status, &e), 0);
    assert_int_equal(status, 550);

    struct courier c = mail_to(to, 1, url, inbox.secure);
    c.user = "pacewatch";
    c.secret_file = wrong;
    c.ca_file = ca;
    if (send_text(&c, "s\nt", &status, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(status, 535);
    c.ca_file = NULL; /* the system does not know who signed its certificate */
    assert_int_equal(send_text(&c, "s\nt", &status, &e), -1);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slack_gets_text_without_markup_of_others),
        cmocka_unit_test(a_secret_address_is_never_in_an_error),
        cmocka_unit_test(matrix_gets_a_notice_under_the_message_s_id),
        cmocka_unit_test(a_mail_arrives_as_it_was_written),
        cmocka_unit_test(a_mail_goes_nowhere_without_tls_login_or_mailbox),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
