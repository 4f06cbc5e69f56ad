/* SPDX-License-Identifier: MIT */
/*
 * The server alone, with an application small enough to be steered by the test: what hostile or
 * slow clients get, and that stopping answers everybody.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "listen.h"
#include "server.h"
#include "wire.h"

enum { BODY_MAX = 2000, WAITING_MAX = 60 };

struct fixture {
    struct server *server;
    int port;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool gate_open; /* /wait is answered while it is */
    int entered;    /* workers that stand at the gate */
};

static void on_head(void *self, struct request *r, struct server_rule *rule,
                    struct reply *reply)
{
    (void)self, (void)reply;
    rule->at_once = r->url.segments_len == 0;
    rule->body_max = r->method == HTTP_GET ? 0 : BODY_MAX;
    rule->check = r->url.segments_len > 0 && view_eqz(r->url.segments[0], "checked");
}

static void on_check(void *self, void *worker, struct request *r, struct reply *reply)
{
    (void)self, (void)worker;
    if (server_header(r, "X-Pass").len == 0)
        reply->status = 401;
}

static void wait_at_gate(struct fixture *f)
{
    pthread_mutex_lock(&f->lock);
    f->entered++;
    pthread_cond_broadcast(&f->changed);
    while (!f->gate_open)
        pthread_cond_wait(&f->changed, &f->lock);
    pthread_mutex_unlock(&f->lock);
}

static void on_answer(void *self, void *worker, struct request *r, struct reply *reply)
{
    (void)worker;
    if (r->url.segments_len > 0 && view_eqz(r->url.segments[0], "wait"))
        wait_at_gate(self);
    reply->status = 200;
    reply->type = "text/plain";
    str_addf(&reply->body, "%zu bytes", r->body.len);
}

static void on_refuse(void *self, struct reply *reply, int status, const char *why)
{
    (void)self;
    reply->status = status;
    reply->type = "text/plain";
    str_addz(&reply->body, why);
}

static int open_worker(void *self, void **out, struct err *e)
{
    (void)e;
    *out = self;
    return 0;
}

static void close_worker(void *self, void *worker)
{
    (void)self, (void)worker;
}

static int start(void **state)
{
    static struct fixture f;
    f = (struct fixture){.gate_open = true};
    pthread_mutex_init(&f.lock, NULL);
    pthread_cond_init(&f.changed, NULL);
    struct server_options options = {
        .listen_fds = {-1, -1},
        .workers = 2,
        .waiting_max = WAITING_MAX,
        .connections_max = 600,
        .head_deadline_ns = 1 * CLOCK_NS_PER_S,
        .idle_deadline_ns = 1 * CLOCK_NS_PER_S,
        .app = {&f, on_head, on_check, on_answer, on_refuse, open_worker, close_worker},
    };
    assert_int_equal(listen_tcp("127.0.0.1:0", &options.listen_fds[0], &f.port, NULL), 0);
    assert_int_equal(server_start(&options, &f.server, NULL), 0);
    *state = &f;
    return 0;
}

static void set_gate(struct fixture *f, bool open)
{
    pthread_mutex_lock(&f->lock);
    f->gate_open = open;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static int stop(void **state)
{
    struct fixture *f = *state;
    set_gate(f, true);
    server_stop(f->server, clock_now_ns() + 5 * CLOCK_NS_PER_S);
    return 0;
}

static void wait_for_entered(struct fixture *f, int n)
{
    pthread_mutex_lock(&f->lock);
    while (f->entered < n)
        pthread_cond_wait(&f->changed, &f->lock);
    pthread_mutex_unlock(&f->lock);
}

static int status_of(const struct fixture *f, const char *bytes)
{
    int fd = wire_tcp(f->port);
    (void)wire_send(fd, view_z(bytes));
    int status = wire_status(fd);
    close(fd);
    return status;
}

static void heads_that_two_readers_could_understand_differently_are_refused(void **state)
{
    static const char *const heads[] = {
        "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length : 4\r\n\r\nabcd",
        "GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0x4\r\n\r\n",
        "GET /x HTTP/1.1\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /x%00y HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /x%0d%0ay HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /x\x01y HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /../x HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a/x HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: a\r\nX-A: b\x01\r\n\r\n",
    };

    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        int status = status_of(*state, heads[i]);
        if (status != 400 && status != 0)
            fail_msg("head %zu got %d", i, status);
    }
    assert_int_equal(status_of(*state, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
}

static void very_long_heads_are_refused(void **state)
{
    AUTO(str_done) struct str head = STR_INIT(1 << 20);
    str_addz(&head, "GET /x HTTP/1.1\r\nHost: a\r\nX-Long: ");
    for (int i = 0; i < 200000; i++)
        str_addc(&head, 'a');
    str_addz(&head, "\r\n\r\n");

    int status = status_of(*state, str_text(&head));

    assert_true(status == 431 || status == 413 || status == 0);
    assert_int_equal(status_of(*state, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
}

static void bodies_are_counted_announced_or_chunked(void **state)
{
    static const struct {
        size_t bytes;
        int status;
    } cases[] = {{0, 200}, {BODY_MAX, 200}, {BODY_MAX + 1, 413}, {500000, 413}};
    struct fixture *f = *state;
    char *bytes = calloc(1, 500000);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer announced, chunked;
        AUTO(str_done) struct str raw = STR_INIT(1 << 20);
        int fd = wire_tcp(f->port);
        wire_ask(fd, "POST", "/x", NULL, (struct view){bytes, cases[i].bytes}, &announced);
        close(fd);
        str_addz(&raw, "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        if (cases[i].bytes) {
            str_addf(&raw, "%zx\r\n", cases[i].bytes);
            str_add(&raw, (struct view){bytes, cases[i].bytes});
            str_addz(&raw, "\r\n");
        }
        str_addz(&raw, "0\r\n\r\n");
        fd = wire_tcp(f->port);
        (void)wire_send(fd, str_view(&raw));
        wire_read(fd, false, &chunked);
        close(fd);

        assert_int_equal(announced.status, cases[i].status);
        assert_int_equal(chunked.status, cases[i].status);
        answer_done(&announced);
        answer_done(&chunked);
    }
    free(bytes);
}

static void announced_giant_body_is_refused_before_a_byte_of_it(void **state)
{
    struct fixture *f = *state;
    struct answer a;
    int fd = wire_tcp(f->port);

    (void)wire_send(fd, VIEW("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n"
                             "Expect: 100-continue\r\n\r\n"));
    wire_read(fd, false, &a);

    assert_int_equal(a.status, 413);
    assert_true(wire_ended(fd));
    answer_done(&a);
    close(fd);
}

static void endless_chunked_body_is_cut(void **state)
{
    struct fixture *f = *state;
    AUTO(str_done) struct str piece = STR_INIT(1 << 17);
    int fd = wire_tcp(f->port), sent = 0;
    str_addz(&piece, "10000\r\n");
    for (int i = 0; i < 65536; i++)
        str_addc(&piece, 'x');
    str_addz(&piece, "\r\n");
    (void)wire_send(fd,
                    VIEW("PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));

    while (sent < 4096 && wire_send(fd, str_view(&piece)))
        sent++;

    assert_true(sent < 4096); /* 256 MiB */
    close(fd);
}

static void failed_check_is_told_and_the_connection_goes_on(void **state)
{
    struct fixture *f = *state;
    struct answer refused, passed;
    int fd = wire_tcp(f->port);

    wire_ask(fd, "PUT", "/checked", NULL, VIEW("four"), &refused);
    wire_ask(fd, "PUT", "/checked", "X-Pass: yes\r\n", VIEW("four"), &passed);

    assert_int_equal(refused.status, 401);
    assert_int_equal(passed.status, 200);
    assert_string_equal(str_text(&passed.body), "4 bytes");
    answer_done(&refused);
    answer_done(&passed);
    close(fd);
}

static void connections_are_kept_for_many_requests(void **state)
{
    static const char *const targets[] = {"/", "/x", "/%00", "/"};
    struct fixture *f = *state;
    int fd = wire_tcp(f->port);

    for (int i = 0; i < 50; i++) {
        struct answer a;
        wire_ask(fd, "GET", targets[i % 2], NULL, VIEW(""), &a);
        assert_int_equal(a.status, 200);
        answer_done(&a);
    }
    close(fd);
}

static void head_that_drips_is_cut_off_at_the_deadline(void **state)
{
    struct fixture *f = *state;
    int fd = wire_tcp(f->port);
    int64_t begin = clock_now_ns();
    int drips = 0;
    struct pollfd end = {.fd = fd, .events = POLLIN};

    (void)wire_send(fd, VIEW("GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "));
    while (drips < 200 && poll(&end, 1, 50) == 0 && wire_send(fd, VIEW("x")))
        drips++;

    assert_true(clock_now_ns() - begin < 5 * CLOCK_NS_PER_S);
    assert_true(drips > 5);
    close(fd);
}

static void silent_connection_is_closed(void **state)
{
    struct fixture *f = *state;
    int fd = wire_tcp(f->port);

    assert_true(wire_ended(fd));

    close(fd);
}

enum { QUEUE_SPARE = 20, QUEUE_CLIENTS = WAITING_MAX + 2 + QUEUE_SPARE };

/* Reads one answer from whichever connection has one first. */
static int first_status(struct pollfd *waits)
{
    struct answer a;
    int i = 0;
    assert_true(poll(waits, QUEUE_CLIENTS, WIRE_DEADLINE_S * 1000) > 0);
    while (!waits[i].revents)
        i++;
    wire_read(waits[i].fd, false, &a);
    int status = a.status;
    answer_done(&a);
    close(waits[i].fd);
    waits[i].fd = -1;
    return status;
}

static void full_queue_answers_busy_and_trivial_requests_go_on(void **state)
{
    static struct pollfd waits[QUEUE_CLIENTS];
    struct fixture *f = *state;
    struct answer trivial;
    int busy = 0, fine = 0;
    set_gate(f, false);

    for (int i = 0; i < QUEUE_CLIENTS; i++) {
        waits[i] = (struct pollfd){.fd = wire_tcp(f->port), .events = POLLIN};
        wire_send(waits[i].fd, VIEW("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"));
        if (i == 1)
            wait_for_entered(f, 2);
    }
    for (int i = 0; i < QUEUE_SPARE; i++)
        busy += first_status(waits) == 503;
    wire_get(f->port, "/", NULL, &trivial);
    set_gate(f, true);
    for (int i = QUEUE_SPARE; i < QUEUE_CLIENTS; i++)
        fine += first_status(waits) == 200;

    assert_int_equal(trivial.status, 200);
    assert_int_equal(busy, QUEUE_SPARE);
    assert_int_equal(fine, QUEUE_CLIENTS - QUEUE_SPARE);
    answer_done(&trivial);
}

static void client_that_leaves_while_its_answer_is_made_harms_nobody(void **state)
{
    struct fixture *f = *state;
    struct answer a;
    set_gate(f, false);
    for (int i = 0; i < 60; i++) {
        int fd = wire_tcp(f->port);
        (void)wire_send(fd, VIEW("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"));
        close(fd);
    }
    wait_for_entered(f, 2);
    set_gate(f, true);

    wire_get(f->port, "/x", NULL, &a);

    assert_int_equal(a.status, 200);
    answer_done(&a);
}

static void *stop_server(void *arg)
{
    struct fixture *f = arg;
    server_stop(f->server, clock_now_ns() + 10 * CLOCK_NS_PER_S);
    f->server = NULL;
    return NULL;
}

static void stopping_answers_what_is_under_way_and_refuses_what_waits(void **state)
{
    struct fixture *f = *state;
    int fds[6], fine = 0, busy = 0;
    pthread_t stopper;
    set_gate(f, false);
    for (int i = 0; i < 2; i++)
        wire_send(fds[i] = wire_tcp(f->port), VIEW("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"));
    wait_for_entered(f, 2);
    for (int i = 2; i < 6; i++)
        wire_send(fds[i] = wire_tcp(f->port), VIEW("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"));
    /* The event thread handles requests in order: when this one is answered, those wait. */
    struct answer a;
    wire_get(f->port, "/", NULL, &a);
    answer_done(&a);

    assert_int_equal(pthread_create(&stopper, NULL, stop_server, f), 0);
    set_gate(f, true);

    for (int i = 0; i < 6; i++) {
        wire_read(fds[i], false, &a);
        fine += a.status == 200;
        busy += a.status == 503;
        answer_done(&a);
        close(fds[i]);
    }
    pthread_join(stopper, NULL);
    assert_int_equal(fine + busy, 6);
    assert_true(fine >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            heads_that_two_readers_could_understand_differently_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(very_long_heads_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(bodies_are_counted_announced_or_chunked, start, stop),
        cmocka_unit_test_setup_teardown(announced_giant_body_is_refused_before_a_byte_of_it,
                                        start, stop),
        cmocka_unit_test_setup_teardown(endless_chunked_body_is_cut, start, stop),
        cmocka_unit_test_setup_teardown(failed_check_is_told_and_the_connection_goes_on, start,
                                        stop),
        cmocka_unit_test_setup_teardown(connections_are_kept_for_many_requests, start, stop),
        cmocka_unit_test_setup_teardown(head_that_drips_is_cut_off_at_the_deadline, start,
                                        stop),
        cmocka_unit_test_setup_teardown(silent_connection_is_closed, start, stop),
        cmocka_unit_test_setup_teardown(full_queue_answers_busy_and_trivial_requests_go_on,
                                        start, stop),
        cmocka_unit_test_setup_teardown(
            client_that_leaves_while_its_answer_is_made_harms_nobody, start, stop),
        cmocka_unit_test_setup_teardown(
            stopping_answers_what_is_under_way_and_refuses_what_waits, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
